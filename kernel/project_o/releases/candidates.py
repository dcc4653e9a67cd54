"""What may be released: the version of a run, or of an earlier state."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import languages, limits
from ..deploy import LEDGER, Registry
from ..deploy.registry import Release
from ..errors import DeployError, HistoryError
from .lessons import Lessons

if TYPE_CHECKING:
    from ..deploy.handles import Version
    from ..history import History
    from ..values import Mode, Program, State

CANDIDATE = "candidate"
_JUDGED = frozenset({"evolve", "propose"})
"""The kinds of states that hold a candidate and a verdict: a run's, and that on a source of a person's own."""
_KEPT = ("ratio", "metric", "pairs", "objective")
"""What a run's state says of its winner that is said of its release, too."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version that may be released: at which level it was judged, who proposed it, and what was measured."""

    program: Program
    level: str
    by: str
    state: str = ""
    facts: tuple[tuple[str, str], ...] = ()


class Candidates:
    """Where versions are found: in the history, or in a run that is at hand."""

    def __init__(self, registry: Registry, history: History | None, lessons: Lessons) -> None:
        self._registry = registry
        self._history = history
        self._lessons = lessons

    def find(self, name: str, state: Any) -> Candidate:
        """That of ``state``, which may be a run, or None: the newest that was accepted and does not serve.

        Raises DeployError, HistoryError.
        """
        if state is None:
            return self._newest_accepted(name)
        if not isinstance(state, str):
            return self._of_accepted_run(name, state)
        found = self._needed().resolve(state)
        if found.kind in _JUDGED and dict(found.facts).get("scope") == name:
            return self._of_run(name, found)
        release = self._served(name, found)
        return Candidate(release.program, release.level, "human", found.id)

    def _of_accepted_run(self, name: str, run: Any) -> Candidate:
        """A run that is at hand."""
        if run.program.name != name or not run.verdict.accepted:
            raise DeployError(f"this run accepted no version of {name}: {run.verdict.reasons[-1]}")
        self._lessons.refuse(name, run.best)
        facts = {key.removeprefix("O-").lower(): value for key, value in run.facts().items()}
        kept = tuple((key, facts[key]) for key in _KEPT if key in facts)
        state = run.state.id if run.state else ""
        return Candidate(run.best, run.verdict.level, f"agent: {facts.get('by', 'search')}", state, kept)

    def served_at(self, name: str, text: str) -> tuple[Release, State]:
        """What served a name at the state that ``text`` means, and that state. Raises DeployError, HistoryError."""
        state = self._needed().resolve(text)
        return self._served(name, state), state

    def _served(self, name: str, state: State) -> Release:
        then = Registry(nothing_is_called)
        then.remember(self._needed().read(state, LEDGER))
        if name not in then.remembered():
            raise DeployError(f"nothing served {name} at {state.short}: `%o history {name}` lists its states")
        return then.remembered()[name]

    def _newest_accepted(self, name: str) -> Candidate:
        for state in self.states(name):
            if state.kind in _JUDGED and dict(state.facts).get("verdict") == "accepted":
                found = self._of_run(name, state)
                if found.program.digest != self._registry.releases(name)[-1].program.digest:
                    return found
                break
        raise DeployError(
            f"{name} has no accepted version that does not serve already: %evolve {name} looks for one; or name a state"
        )

    def _of_run(self, name: str, state: State) -> Candidate:
        facts = dict(state.facts)
        if facts.get("verdict") != "accepted":
            raise DeployError(f"the run of {state.short} did not accept a version of {name}: {state.summary}")
        serving = self._registry.releases(name)[-1].program
        if facts.get("language", serving.language) != serving.language:
            return self._of_translation(name, state, facts)
        path = serving.files[0][0]
        text = self._needed().read(state, f"programs/{name}/{CANDIDATE}/{path}")
        made = languages.tools_for(serving.language).program(
            serving.name, text, mode=serving.mode, options=serving.options
        )
        program = serving.with_source(text, made.parameters)
        if facts.get("candidate", program.digest[:16]) != program.digest[:16] and not _has_data(program):
            raise DeployError(f"the version of {state.short} cannot be read back as it was: run %evolve {name} again")
        return self._candidate(name, state, facts, program)

    def _of_translation(self, name: str, state: State, facts: dict[str, str]) -> Candidate:
        """A program of another language than what serves."""
        tools = languages.tools_for(facts["language"])
        path = tools.program(name, "").files[0][0]
        text = self._needed().read(state, f"programs/{name}/{CANDIDATE}/{path}")
        mode: Mode = "fast" if facts.get("mode") == "fast" else "safe"
        program = tools.program(name, text, mode=mode)
        if facts.get("candidate", program.digest[:16]) != program.digest[:16]:
            raise DeployError(f"the version of {state.short} cannot be read back as it was: run %evolve {name} again")
        return self._candidate(name, state, facts, program)

    def _candidate(self, name: str, state: State, facts: dict[str, str], program: Program) -> Candidate:
        self._lessons.refuse(name, program)
        kept = tuple((key, facts[key]) for key in _KEPT if key in facts)
        by = facts.get("by", "search")
        by = by if state.kind == "propose" else f"agent: {by}"
        return Candidate(program, facts.get("sandbox", ""), by, state.id, kept)

    def states(self, name: str) -> list[State]:
        """A program's life, newest first."""
        return self._history.states(limits.RELEASE_STATES_MAX, scope=name) if self._history is not None else []

    def _needed(self) -> History:
        if self._history is None:
            raise HistoryError("nothing is recorded here: the history lives in a notebook, after %load_ext project_o")
        return self._history


def _has_data(program: Program) -> bool:
    return program.cell_digest != program.digest


def nothing_is_called(release: Release, cell: Program | None) -> Version:
    """For a registry that only reads."""
    raise DeployError(f"{release.program.name} is not called in process {os.getpid()}: run its cell in a notebook")
