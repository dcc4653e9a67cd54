"""What tools, memories and agents are: plain frozen values, built by Lisp forms and by Python decorators alike."""

from __future__ import annotations

import hashlib
import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import UsageError
from ..limits import MEMORY_BLOCK_CHARACTERS_MAX, MEMORY_BLOCK_CHARACTERS_MIN, TOOL_SECONDS_MAX

Written = Literal["lisp", "python"]
Kind = Literal["tool", "memory", "agent", "workflow", "param"]
Scalar = bool | int | float | str

JSON_TYPES = ("string", "integer", "number", "boolean", "array", "object", "any")
EMBEDDINGS = ("auto", "hash", "words")
RANKINGS = ("sum", "fused")
EFFECTS = ("files", "memory", "network", "notebook", "processes")
"""What a tool may touch beside its result; none of them: it only computes."""
_PLACE = re.compile(r" at 0x[0-9a-f]+")
"""Where in memory an object is, which says nothing about what it is."""
_RANGE = re.compile(r"(?:log\s+)?([^\s.][^\s]*?)\.\.([^\s]+)")


class Later:
    """A text that is made when it is first asked for: the meaning of a form, which takes another compilation."""

    __slots__ = ("_make", "_text")

    def __init__(self, make: Callable[[], str]) -> None:
        self._make = make
        self._text: str | None = None

    def __str__(self) -> str:
        if self._text is None:
            self._text = self._make()
        return self._text

    def __repr__(self) -> str:
        return repr(str(self))

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


@dataclass(frozen=True, slots=True)
class ToolParameter:
    """One argument of a tool. ``type`` is a JSON type, or "any". ``default`` counts where ``required`` is False.

    ``choices`` are the values that it may have, all of that type; () for any. ``items`` is the type of what an array
    holds.
    """

    name: str
    type: str = "any"
    required: bool = True
    default: Any = None
    doc: str = ""
    choices: tuple[Any, ...] = ()
    items: str = "any"

    @property
    def wanted(self) -> str:
        """What it has to be, in words: its type, or its choices."""
        kind = self.type if self.items == "any" else f"{self.type} of {self.items}"
        return " or ".join(json.dumps(choice) for choice in self.choices) or kind

    def __post_init__(self) -> None:
        _check_name("parameter", self.name)
        if self.type not in JSON_TYPES:
            raise UsageError(f"parameter {self.name} cannot have the type {self.type!r}: use {', '.join(JSON_TYPES)}")


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A function that an agent may call. ``line`` is its cell's own, 1-based; 0 where unknown.

    ``normal`` is the Lisp form without comments and layout, "" for a Python tool: then ``source`` counts.
    An ``unsafe`` tool runs in the sandbox unless a person has approved it; one with a ``timeout_seconds`` (0: none) in
    a process of its own, which is killed then; ``effects`` are of ``EFFECTS``, in order.
    Calling the spec calls the function. Raises UsageError for a name that cannot be called, or a repeated parameter.
    """

    name: str
    doc: str
    parameters: tuple[ToolParameter, ...]
    run: Callable[..., Any] = field(compare=False)
    source: str = ""
    language: Written = "python"
    line: int = 0
    normal: str | Later = field(default="", repr=False)
    unsafe: bool = False
    timeout_seconds: float = 0.0
    effects: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_name("tool", self.name)
        names = [canonical(item.name) for item in self.parameters]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise UsageError(f"tool {self.name} has the parameter {repeated[0]} twice: give each its own name")
        _check_tool_options(self)

    def __repr__(self) -> str:
        given = (f"{it.name}: {it.wanted}{'' if it.required else f' = {it.default!r}'}" for it in self.parameters)
        return f"<tool {self.name}({', '.join(given)})>"

    def __call__(self, *args: Any, **named: Any) -> Any:
        """What ``run`` returns for these."""
        return self.run(*args, **named)

    def schema(self) -> dict[str, Any]:
        """The parameters as a JSON schema of type object, as models are given it."""
        properties: dict[str, Any] = {}
        for item in self.parameters:
            entry: dict[str, Any] = {} if item.type == "any" else {"type": item.type}
            if item.choices:
                entry["enum"] = list(item.choices)
            if item.items != "any":
                entry["items"] = {"type": item.items}
            if item.doc:
                entry["description"] = item.doc
            if not item.required and _is_json(item.default):
                entry["default"] = item.default
            properties[canonical(item.name)] = entry
        return {
            "type": "object",
            "properties": properties,
            "required": [canonical(item.name) for item in self.parameters if item.required],
            "additionalProperties": False,
        }

    @property
    def digest(self) -> str:
        """SHA-256 as 64 hexadecimal digits, over what the tool is and does; ``-`` and ``_`` in names are equal."""
        options = [self.unsafe, float(self.timeout_seconds), list(self.effects)]
        said = [options] if options != [False, 0.0, []] else []
        return _digest(
            "tool", canonical(self.name), self.doc, _described(self.parameters), str(self.normal) or self.source, *said
        )


@dataclass(frozen=True, slots=True)
class MemorySpec:
    """What an agent remembers, and how it recalls it.

    ``capacity`` counts blocks; ``embedding`` is auto, hash, words, or a model that embeds as ``provider:name``;
    ``weight`` is the share of the vectors by meaning in the ranking, 0 to 1 (the rest is the hashed one); ``top`` is
    how many blocks a recall returns. A text longer than ``block`` characters becomes blocks that share ``overlap``.
    ``ranking`` is sum, of both scores, or fused, which adds the ranks by words that are shared (BM25).
    Raises UsageError for values out of these ranges.
    """

    name: str
    capacity: int = 10_000
    embedding: str = "auto"
    weight: float = 0.7
    top: int = 5
    block: int = 512
    overlap: int = 50
    ranking: str = "sum"
    doc: str = ""
    source: str = ""
    language: Written = "python"
    line: int = 0

    def __post_init__(self) -> None:
        _check_name("memory", self.name)
        for name in ("capacity", "top"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise UsageError(f"memory {self.name}: {name} must be a whole number from 1, not {value!r}")
        if self.embedding not in EMBEDDINGS and not re.fullmatch(r"[a-z_.-]+:\S+", str(self.embedding)):
            raise UsageError(
                f"memory {self.name}: embedding must be {', '.join(EMBEDDINGS)} or provider:name, "
                f"not {self.embedding!r}"
            )
        if type(self.weight) not in (int, float) or not 0 <= self.weight <= 1:
            raise UsageError(f"memory {self.name}: weight must be from 0 to 1, not {self.weight!r}")
        low, high = MEMORY_BLOCK_CHARACTERS_MIN, MEMORY_BLOCK_CHARACTERS_MAX
        if type(self.block) is not int or not low <= self.block <= high:
            raise UsageError(f"memory {self.name}: block must be from {low} to {high:,} characters, not {self.block!r}")
        if type(self.overlap) is not int or not 0 <= self.overlap <= self.block // 2:
            raise UsageError(
                f"memory {self.name}: overlap must be from 0 to half a block ({self.block // 2}), not {self.overlap!r}"
            )
        if self.ranking not in RANKINGS:
            raise UsageError(f"memory {self.name}: ranking must be {' or '.join(RANKINGS)}, not {self.ranking!r}")

    @property
    def digest(self) -> str:
        """SHA-256 as 64 hexadecimal digits, over the values and not over how they were written."""
        values = [self.capacity, self.embedding, float(self.weight), self.top, self.block, self.overlap, self.ranking]
        return _digest("memory", canonical(self.name), self.doc, values)


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """An agent: ``doc`` is its system prompt, ``tools`` and ``memory`` are names, ``model`` "" the configured one.

    ``body`` is called without arguments inside a turn (see ``context``); its value is the reply. None: the model
    answers. ``source`` is the form's own text, with the comment behind its last line; ``line`` its first line in
    the cell. ``normal`` is the Lisp form without comments and layout, "" for a Python agent. ``version`` is what its
    author calls it.
    """

    name: str
    doc: str = ""
    tools: tuple[str, ...] = ()
    memory: str = ""
    model: str = ""
    body: Callable[[], Any] | None = field(default=None, compare=False)
    source: str = ""
    language: Written = "python"
    line: int = 0
    normal: str | Later = field(default="", repr=False)
    version: str = ""

    def __post_init__(self) -> None:
        _check_name("agent", self.name)
        if not isinstance(self.version, str):
            raise UsageError(f'agent {self.name}: its version must be a text, as in "1.2", not {self.version!r}')
        names = [canonical(tool) for tool in self.tools]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise UsageError(f"agent {self.name} has the tool {repeated[0]} twice: name it once")

    @property
    def digest(self) -> str:
        """SHA-256 as 64 hexadecimal digits, over what the agent is; comments and layout of its Lisp do not count."""
        tools = [canonical(tool) for tool in self.tools]
        where = [canonical(self.memory), self.model, *([self.version] if self.version else [])]
        return _digest("agent", canonical(self.name), self.doc, tools, where, str(self.normal) or self.source)


@dataclass(frozen=True, slots=True)
class WorkflowSpec:
    """Steps with conditions, loops, branches and retries, as a function that calls ``step`` and ``parallel``.

    Everything else of it is as in a ToolSpec; the durable part is in ``workflow``. Raises UsageError for a name that
    cannot be called, or a repeated parameter.
    """

    name: str
    doc: str
    parameters: tuple[ToolParameter, ...]
    run: Callable[..., Any] = field(compare=False)
    source: str = ""
    language: Written = "python"
    line: int = 0
    normal: str | Later = field(default="", repr=False)

    def __post_init__(self) -> None:
        _check_name("workflow", self.name)

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Its value, with a journal that is forgotten. Raises TypeError for arguments that do not fit."""
        from .workflow import InMemory, carry_out

        return carry_out(self, bound_arguments(self.run, args, named), InMemory())

    def as_tool(self, run: Callable[..., Any]) -> ToolSpec:
        """What an agent that names the workflow among its tools is given; ``run`` begins a run of it."""
        return ToolSpec(
            self.name, self.doc, self.parameters, run, self.source, self.language, self.line, f"workflow {self.digest}"
        )

    @property
    def digest(self) -> str:
        """SHA-256 as 64 hexadecimal digits, over what the workflow is and does."""
        parameters = _described(self.parameters)
        return _digest("workflow", canonical(self.name), self.doc, parameters, str(self.normal) or self.source)


@dataclass(frozen=True, slots=True)
class ParamSpec:
    """A named value, and those that a search may give it: a list of them, or a range as text, as in "log 1..1024".

    Raises UsageError for a value that is not of its domain.
    """

    name: str
    value: Scalar
    domain: tuple[Scalar, ...] | str
    doc: str = ""
    source: str = ""
    language: Written = "python"
    line: int = 0

    def __post_init__(self) -> None:
        _check_name("param", self.name)
        if not isinstance(self.value, (bool, int, float, str)):
            raise UsageError(f"param {self.name} must be a number, a text or a truth value, not {self.value!r}")
        if not (self._in_range() if isinstance(self.domain, str) else self._in_list()):
            raise UsageError(
                f"param {self.name} is {self.value!r}, which is not in its domain {self.domain!r}: write the values "
                'that it may have, its own among them, as in :domain [1 2 4], or a range of numbers, "1..16"'
            )

    def _in_list(self) -> bool:
        kinds = {type(item) for item in self.domain}
        return any(item == self.value and type(item) is type(self.value) for item in self.domain) and len(kinds) == 1

    def _in_range(self) -> bool:
        match = _RANGE.fullmatch(str(self.domain))
        if match is None or isinstance(self.value, (bool, str)):
            return False
        try:
            return float(match[1]) <= self.value <= float(match[2])
        except ValueError:
            return False

    @property
    def digest(self) -> str:
        """SHA-256 as 64 hexadecimal digits, over the name, the value and the domain."""
        domain = self.domain if isinstance(self.domain, str) else list(self.domain)
        return _digest("param", canonical(self.name), self.value, domain, self.doc)


Spec = ToolSpec | MemorySpec | AgentSpec | WorkflowSpec | ParamSpec


def bound_arguments(run: Callable[..., Any], args: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by name, defaults included. Raises TypeError for those that do not fit."""
    bound = inspect.signature(run).bind(*args, **named)
    bound.apply_defaults()
    return dict(bound.arguments)


def kind_of(spec: Spec) -> Kind:
    """Which kind of definition this is."""
    return _KINDS[type(spec)]


_KINDS: Mapping[type, Kind] = {
    ToolSpec: "tool",
    MemorySpec: "memory",
    AgentSpec: "agent",
    WorkflowSpec: "workflow",
    ParamSpec: "param",
}


def canonical(name: str) -> str:
    """A name as it is compared: ``-`` and ``_`` are equal."""
    return name.replace("-", "_")


def _check_name(what: str, name: object) -> None:
    if not isinstance(name, str) or not canonical(name).rstrip("?!*").isidentifier():
        a = "an" if what[0] in "aeiou" else "a"
        raise UsageError(f"{name!r} cannot be the name of {a} {what}: use letters, digits and '-', as in my-{what}")


def _check_tool_options(tool: ToolSpec) -> None:
    if type(tool.unsafe) is not bool:
        raise UsageError(f"tool {tool.name}: unsafe must be True or False, not {tool.unsafe!r}")
    seconds = tool.timeout_seconds
    if type(seconds) not in (int, float) or not 0 <= seconds <= TOOL_SECONDS_MAX:
        raise UsageError(f"tool {tool.name}: its timeout must be 0 to {TOOL_SECONDS_MAX:.0f} seconds, not {seconds!r}")
    if unknown := [effect for effect in tool.effects if effect not in EFFECTS]:
        raise UsageError(f"tool {tool.name}: {unknown[0]!r} is no effect: there are {', '.join(EFFECTS)}")
    if list(tool.effects) != sorted(set(tool.effects)):
        raise UsageError(f"tool {tool.name}: its effects must be in order, each once: {sorted(set(tool.effects))}")


def _described(parameters: Sequence[ToolParameter]) -> list[list[Any]]:
    return [
        [canonical(item.name), item.type, item.required, _PLACE.sub("", repr(item.default)), item.doc, *_narrowed(item)]
        for item in parameters
    ]


def _narrowed(item: ToolParameter) -> list[Any]:
    """What is said of a parameter beside its type; nothing for most."""
    return [*item.choices, *([item.items] if item.items != "any" else [])]


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def _digest(*parts: Any) -> str:
    body = json.dumps(parts, ensure_ascii=False)
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()
