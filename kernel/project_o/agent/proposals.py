"""Edits that an agent proposes: written once a person accepts, as a whole or by hunk; one command undoes that.

A target is a cell (``In[3]``), a file of the project (``notes/plan.md``), the name of something that Lisp defined, or
of a Python function of the notebook. An accepted cell or function is put below the cell that runs, for the person to
run; no notebook is ever written. A definition of Lisp is tried in the sandbox first (see ``trying``): one that is
refused there is not evaluated here.
"""

from __future__ import annotations

import difflib
import json
import re
import types
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from .. import limits
from ..errors import AgentError, UsageError
from ..values import Verdict
from .project import Project
from .tools import source_of
from .trying import Trying

if TYPE_CHECKING:
    from ..history import History
    from .agents import Agents

OPEN, ACCEPTED, REJECTED, UNDONE = "open", "accepted", "rejected", "undone"
_CELL = re.compile(r"In\[(\d+)\]")
_CONTEXT_LINES = 3


@dataclass(frozen=True, slots=True)
class Hunk:
    """A run of lines that change: ``before`` from line ``first`` (0-based) to ``last`` (exclusive) become ``after``."""

    first: int
    last: int
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EditProposal:
    """A change that waits for a person. ``written`` is the text that was accepted: ``after``, or some hunks of it, and
    ``taken`` are those hunks' numbers.

    ``verdict`` is that of the trial in the sandbox, where a definition of Lisp was accepted.
    """

    id: str
    agent: str
    target: str
    before: str
    after: str
    why: str = ""
    status: str = OPEN
    written: str = ""
    verdict: Verdict | None = None
    taken: tuple[int, ...] = ()

    @property
    def hunks(self) -> tuple[Hunk, ...]:
        """The places where it changes something, in order; they are counted from 1."""
        before, after = _lines(self.before), _lines(self.after)
        matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
        return tuple(Hunk(i, j, tuple(after[k:m])) for tag, i, j, k, m in matcher.get_opcodes() if tag != "equal")

    def with_hunks(self, chosen: Collection[int]) -> str:
        """The text with some of its hunks. Raises UsageError for a number that no hunk has."""
        hunks = self.hunks
        if unknown := sorted(set(chosen) - set(range(1, len(hunks) + 1))):
            raise UsageError(f"proposal {self.id} has {len(hunks)} hunks, and {unknown[0]} is none of them")
        lines = _lines(self.before)
        for number in range(len(hunks), 0, -1):
            if number in chosen:
                lines[hunks[number - 1].first : hunks[number - 1].last] = hunks[number - 1].after
        return "".join(lines)

    def diff(self) -> str:
        """A unified diff, with the hunks' numbers; of one that was accepted in part, what was written."""
        before, found = _lines(self.before), [f"--- {self.target}\n+++ {self.target} ({self.id} by {self.agent})\n"]
        for number, hunk in enumerate(self.hunks, 1):
            if self.taken and number not in self.taken:
                continue
            found.append(f"@@ hunk {number}, line {hunk.first + 1} @@\n")
            found += [f" {line}" for line in before[max(0, hunk.first - _CONTEXT_LINES) : hunk.first]]
            found += [f"-{line}" for line in before[hunk.first : hunk.last]]
            found += [f"+{line}" for line in hunk.after]
            found += [f" {line}" for line in before[hunk.last : hunk.last + _CONTEXT_LINES]]
        return "".join(line if line.endswith("\n") else line + "\n" for line in found)


class Proposals:
    """The proposals of one kernel. ``put_cell`` offers a text as the next cell; a plain script has none."""

    def __init__(self, house: Agents, history: History | None, project: Project) -> None:
        self.put_cell: Callable[[str], None] | None = None
        self._house = house
        self._history = history
        self._project = project
        self._trying = Trying(house)
        self._found: dict[str, EditProposal] = {}

    def __iter__(self) -> Any:
        return iter(self._found.values())

    def propose(self, agent: str, target: str, text: str, why: str = "") -> EditProposal:
        """Put a change before a person. Nothing is written. Raises AgentError for a target that cannot be changed."""
        if sum(item.status == OPEN for item in self) >= limits.PROPOSALS_OPEN_MAX:
            raise AgentError(f"{limits.PROPOSALS_OPEN_MAX} proposals wait for an answer already: wait for it")
        before = self._read(target)
        if text and not text.endswith("\n") and before.endswith("\n"):
            text += "\n"
        if text == before:
            raise AgentError(f"{target} reads so already: there is nothing to change")
        made = EditProposal(f"p{len(self._found) + 1}", agent, target, before, text, why)
        self._found[made.id] = made
        return made

    def get(self, name: str) -> EditProposal:
        """Raises UsageError, naming those that there are."""
        found = self._found.get(name)
        if found is None:
            known = ", ".join(f"{item.id} ({item.status})" for item in self) or "none"
            raise UsageError(f"there is no proposal {name}: there are {known}")
        return found

    def accept(self, name: str, hunks: Sequence[int] = ()) -> EditProposal:
        """Write it, or some of its hunks. Raises AgentError where it was decided, or its target has changed since."""
        self._house.check_may_change()
        proposal = self._waiting(name)
        if self._read(proposal.target) != proposal.before:
            raise AgentError(
                f"{proposal.target} has changed since {name} was proposed: reject it, and ask for a new proposal"
            )
        text = proposal.with_hunks(hunks) if hunks else proposal.after
        verdict = self._judged(proposal.target, text)
        if verdict is not None and not verdict.accepted:
            raise AgentError(f"{name} was tried and refused, and nothing is changed: {verdict.reasons[-1]}")
        self._write(proposal.target, text)
        taken = tuple(sorted(set(hunks))) or tuple(range(1, len(proposal.hunks) + 1))
        return self._decided(replace(proposal, status=ACCEPTED, written=text, verdict=verdict, taken=taken))

    def _judged(self, target: str, text: str) -> Verdict | None:
        """What becomes of a definition of Lisp in the sandbox; None for a cell or a file, which nobody runs here."""
        spec = None if _CELL.fullmatch(target) else self._house.definition(target)
        if spec is None or self._house.lisp_source(target) is None:
            return None
        self._house.check_defines(target, text)
        return self._trying.judged(spec, text)

    def reject(self, name: str) -> EditProposal:
        """Say no. Raises AgentError where it was decided already."""
        return self._decided(replace(self._waiting(name), status=REJECTED))

    def undo(self) -> EditProposal:
        """Take the last accepted change back. Raises AgentError where there is none, or somebody wrote there since."""
        accepted = [item for item in self if item.status == ACCEPTED]
        if not accepted:
            raise AgentError("no accepted proposal is there to be undone: %agent proposals lists them")
        last = accepted[-1]
        if not self._is_put_below(last.target) and self._read(last.target) != last.written:
            raise AgentError(f"{last.target} has changed since {last.id} was accepted: undoing it would lose that")
        self._write(last.target, last.before)
        return self._decided(replace(last, status=UNDONE))

    def _waiting(self, name: str) -> EditProposal:
        proposal = self.get(name)
        if proposal.status != OPEN:
            raise AgentError(f"proposal {name} is {proposal.status} already: ask the agent for a new one")
        return proposal

    def _decided(self, proposal: EditProposal) -> EditProposal:
        # The newest decision is the last: undo takes back in reverse.
        self._found.pop(proposal.id)
        self._found[proposal.id] = proposal
        if self._history is not None and self._history.enabled:
            body = json.dumps(asdict(proposal), ensure_ascii=False, indent=1, default=str)
            summary = f"{proposal.agent}: {proposal.id} for {proposal.target} {proposal.status}"
            facts = {"status": proposal.status, "target": proposal.target}
            if proposal.verdict is not None:
                facts |= {"verdict": proposal.verdict.reasons[0], "sandbox": proposal.verdict.level}
            self._history.note(
                "proposal", proposal.agent, summary[:200], facts, {f"proposals/{proposal.id}.json": body}
            )
        return proposal

    # ------------------------------------------------------------------ targets

    def _read(self, target: str) -> str:
        if match := _CELL.fullmatch(target):
            cells = self._house.namespace.get("In", [])
            if not 0 < int(match[1]) < len(cells):
                raise AgentError(f"there is no cell {target}: the last one is In[{len(cells) - 1}]")
            return str(cells[int(match[1])])
        source = self._house.lisp_source(target)
        if source is not None:
            return source
        if self._is_put_below(target):
            return self._text_of(target)
        self._project.check_writable(target)
        return self._project.read(target, whole=True)

    def _write(self, target: str, text: str) -> None:
        if self._is_put_below(target):
            if self.put_cell is None:
                raise AgentError(f"{target} stands in a cell, and here is no notebook to put one into")
            self.put_cell(text)
        elif self._house.lisp_source(target) is not None:
            self._house.evaluate_again(target, text)
        else:
            self._project.write(target, text)

    def _is_put_below(self, target: str) -> bool:
        """Whether a person has to run the new text: it is a cell's, or that of a name which Python gave its meaning."""
        if _CELL.fullmatch(target):
            return True
        named = target.isidentifier() and target in self._house.namespace
        return named and self._house.lisp_source(target) is None and not (self._project.folder / target).exists()

    def _text_of(self, name: str) -> str:
        """The text of a Python function of the notebook. Raises AgentError for everything else."""
        value = self._house.namespace[name]
        source = source_of(value) if isinstance(value, types.FunctionType) else ""
        if not source:
            what = type(value).__name__
            raise AgentError(f"{name} is of type {what}, and has no text: propose a change of the cell that makes it")
        return source


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
