"""The words of the flow: each stage takes one of these frozen values and returns the next.

    cell -> Program -> Proposal -> Artifact -> Trial -> Measurement -> Verdict -> State -> Deployment -> view

Nothing here knows how a stage is carried out, and nothing of ours is imported.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple, dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

Language = Literal["lisp", "python", "zig", "rust", "text", "files"]  # text: any other; files: several (``several``)
Mode = Literal["safe", "fast", "debug"]
Scalar = int | float | str | bool
Outcome = Literal["passed", "failed", "inconclusive"]
DATA, FILE_LINE = "surroundings.json", "@@@ file: "  # before its name, the latter heads each of several files in a text
"""The file of a program that says what its source finds around it: other sources, imports, data by their hash."""

TypeKind = Literal["void", "bool", "int", "float", "enum", "slice", "matrix", "view", "array", "struct", "tuple",
                   "optional", "error_union", "any"]  # fmt: skip
"""``any`` is a Python value, whatever it is: what the functions of Python and Lisp programs take and return."""


@dataclass(frozen=True, slots=True)
class NativeType:
    """A type of a native function's parameter or result, as the compiler describes it.

    ``bits`` and ``signed`` describe numbers; ``child`` is the element of a slice, matrix, view or array and the
    payload of an optional or error union; ``fields`` are those of a struct or tuple; ``length`` is an array's, and of a
    view its dimensions. A slice, matrix or view with ``const`` false is written by the callee. ``sentinel`` marks
    ``[:0]const u8``. ``numbers`` are the values of an enum, ``fields`` their names (``const``: there are no others);
    of a struct that may be an array's element its size and the offsets of its fields, in bytes.
    """

    kind: TypeKind
    bits: int = 0
    signed: bool = False
    const: bool = False
    sentinel: bool = False
    length: int = 0
    child: NativeType | None = None
    name: str = ""
    fields: tuple[tuple[str, NativeType], ...] = ()
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class NativeFunction:
    """One callable of a native interface. ``line`` is the cell's own line, 1-based; 0 where unknown."""

    name: str
    parameters: tuple[tuple[str, NativeType], ...]
    result: NativeType
    doc: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Interface:
    """What a build offers, and by name and reason what it could not offer."""

    functions: tuple[NativeFunction, ...]
    skipped: tuple[tuple[str, str], ...] = ()

    def function(self, name: str) -> NativeFunction:
        """The function called ``name``. Raises KeyError."""
        return {function.name: function for function in reversed(self.functions)}[name]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A constant declared open to search: ``const lanes = 8; // o: 4 8 16 32``. ``line`` is 1-based in its file."""

    name: str
    value: Scalar
    domain: tuple[Scalar, ...]
    line: int = 0
    file: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """Source with a name. Its ``digest`` covers the language, the files and the build options, not the name."""

    name: str
    language: Language
    files: tuple[tuple[str, str], ...]
    parameters: tuple[Parameter, ...] = ()
    mode: Mode = "safe"
    options: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The text of the first file: the cell itself. Of several ``files`` all, each below a line with its name."""
        if self.language == "files":
            return "\n".join(f"{FILE_LINE}{name}\n{text}" for name, text in self.files)
        return self.files[0][1]

    @property
    @lru_cache(maxsize=1024)  # noqa: B019 - a run asks ninety times a trial, mostly of elites, which it holds anyway
    def digest(self) -> str:
        """SHA-256, as 64 hexadecimal digits."""
        body = json.dumps([self.language, self.files, self.mode, self.options], ensure_ascii=False)
        return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def cell_digest(self) -> str:
        """As ``digest``, without the data that came along (``DATA``): which text it is, whatever variables held."""
        return replace(self, files=tuple(item for item in self.files if item[0] != DATA)).digest

    def with_data_of(self, other: Program) -> Program:
        """The same text with the data of another program."""
        kept = tuple(item for item in self.files if item[0] != DATA)
        return replace(self, files=kept + tuple(item for item in other.files if item[0] == DATA))

    def with_source(self, source: str, parameters: tuple[Parameter, ...]) -> Program:
        """The same program with another text in its first file."""
        return replace(self, files=((self.files[0][0], source), *self.files[1:]), parameters=parameters)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A program derived from parents: by whom, how, why, and for which island. ``index`` counts within a run."""

    index: int
    program: Program
    parents: tuple[str, ...]
    proposer: str
    operator: str
    hypothesis: str = ""
    settings: tuple[tuple[str, Scalar], ...] = ()
    island: int = 0


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One remark of a compiler. ``line`` and ``column`` are the cell's own, 1-based; 0 where there is none."""

    severity: Literal["error", "warning", "note"]
    message: str
    line: int = 0
    column: int = 0
    source_line: str = ""
    width: int = 1
    notes: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Artifact:
    """A loadable build. ``key`` names it in the cache; ``seconds`` is what this build cost, 0.0 when cached."""

    program: Program
    key: str
    path: str
    interface: Interface
    toolchain: str
    flags: tuple[str, ...]
    size_bytes: int
    seconds: float
    cached: bool


CheckStage = Literal[
    "syntax", "security", "types", "build", "generated", "tests", "relations", "integration", "coverage", "performance"
]
"""The checks of a candidate, by the stage of the cascade they belong to, in the order of their cost."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found of one candidate.

    ``reason`` is one line for a person; ``evidence`` goes back to whoever proposed it: a compiler's words, a minimal
    counterexample, cleaned and bounded; ``facts`` are worth a row in a table. ``inconclusive`` rejects nothing.
    """

    stage: CheckStage
    outcome: Outcome
    reason: str = ""
    evidence: str = ""
    facts: tuple[tuple[str, Scalar], ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What happened when something ran in the sandbox, as the parent saw it.

    ``level`` is the sandbox level that held; ``ended`` says how the process ended if it did. ``findings`` are those
    of each check, in order; the last one is the failed one where ``outcome`` is "failed".
    """

    outcome: Outcome
    level: str
    error: str = ""
    ended: str = ""
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    inputs: int = 0
    inputs_out_of_domain: int = 0
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Measurement:
    """A candidate against the incumbent, in ``pairs`` interleaved pairs.

    ``ratio`` is the incumbent's cost over the candidate's (above 1: the candidate is better); ``low`` and
    ``high`` bound it at ``confidence``. ``baseline`` and ``candidate`` are medians in ``unit``. ``role`` says what the
    metric is to the run; a guard, and an objective beside another, may become worse by the share ``tolerance``, None
    where that does not matter. ``beside`` are the other metrics of the same pairs, ``remarks`` what was noticed in
    them. ``stored`` is the SHA-256 of the build that was measured, as it was read back from where it is kept.
    """

    metric: str
    unit: str
    pairs: int
    baseline: float
    candidate: float
    ratio: float
    low: float
    high: float
    confidence: float
    method: str
    minimised: bool = True
    role: Literal["objective", "guard", "shown"] = "objective"
    tolerance: float | None = None
    beside: tuple[Measurement, ...] = ()
    remarks: tuple[str, ...] = ()
    stored: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Accept or reject, with reasons, at a ``level``. ``self_reported``: a person alone accepts; ``state``: its own."""

    accepted: bool
    reasons: tuple[str, ...]
    level: str
    trial: Trial | None = None
    measurements: tuple[Measurement, ...] = ()
    confirmation: Measurement | None = None
    self_reported: bool = False
    state: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a run's lineage: what was proposed and what became of it.

    ``cost`` is None where nothing could be measured; ``ratio`` is against the run's baseline, with ``interval`` around
    it where it was measured in pairs. Of a candidate that failed a check ``finding`` is that check's, with the
    evidence for whoever proposes next. ``behaviour`` is a SHA-256 of what it answered, "" where that was not seen.
    """

    proposal: Proposal
    status: Literal["baseline", "better", "no better", "duplicate", "failed"]
    reason: str
    cost: float | None = None
    ratio: float | None = None
    metrics: tuple[tuple[str, float], ...] = ()
    seconds: float = 0.0
    finding: Finding | None = None
    interval: tuple[float, float] | None = None
    behaviour: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """A commit of the history. ``when`` is seconds since the epoch, UTC; ``id`` the full commit id."""

    id: str
    sequence: int
    lane: str
    kind: str
    summary: str
    when: float
    parents: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def short(self) -> str:
        """The first ten digits of the commit id."""
        return self.id[:10]


@dataclass(frozen=True, slots=True)
class Deployment:
    """Which program serves a name, with what share of the calls, since when. ``level`` is the sandbox level at which an
    evolved version was judged, "" for the text of a cell; ``version`` its semantic version, "" where it has none;
    ``build`` says which build of its text it is, "" where there is one only.
    """

    name: str
    digest: str
    language: Language
    functions: tuple[str, ...]
    share: float
    since: float
    state: str = ""
    origin: str = "cell"
    previous: tuple[str, ...] = ()
    level: str = ""
    version: str = ""
    build: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of ``project-o doctor``. ``todo`` says what to do where ``ok`` is False or could be better."""

    name: str
    ok: bool
    value: str
    todo: str = ""
    core: bool = True


def plain(value: Any) -> Any:
    """A value of this module as JSON-ready lists, dicts and scalars, for records and digests."""
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class Progress:
    """A run under way, as the view shows it. ``history``: (trial index, best ratio so far); ``records``: the trials.

    ``rejected`` counts the candidates that each stage of the checks rejected, in their order, ``mean_ratio`` is that of
    those that were measured, ``spent`` what a model has cost so far, in words.
    """

    name: str
    done: int
    planned: int | None
    elapsed_seconds: float
    budget_seconds: float | None
    best_ratio: float
    best_settings: tuple[tuple[str, Scalar], ...] = ()
    counts: tuple[tuple[str, int], ...] = ()
    history: tuple[tuple[int, float], ...] = field(default=())
    finished: bool = False
    note: str = ""
    stopped: bool = False
    records: tuple[Record, ...] = ()
    rejected: tuple[tuple[CheckStage, int], ...] = ()
    mean_ratio: float | None = None
    spent: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What models were asked: requests, tokens in and out, list price (0 where there is none). Adds up with ``+``."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    dollars: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(*(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One call of a tool in an agent's turn. ``error`` is "" where it returned; then ``result`` is what, as text."""

    name: str
    arguments: tuple[tuple[str, Any], ...]
    result: str
    error: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Turn:
    """One message to an agent and what came of it. ``states`` are the agent's, in order, from idle to idle.

    ``model`` is "" where the agent's own body answered. ``finished`` is False while the reply still streams.
    """

    agent: str
    message: str
    reply: str
    uses: tuple[ToolUse, ...] = ()
    states: tuple[str, ...] = ()
    model: str = ""
    usage: Usage = Usage()
    seconds: float = 0.0
    finished: bool = True
    error: str = ""
