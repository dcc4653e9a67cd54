"""The steps of a release, each of them a state of the history."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from ..deploy import Registry, renew
from ..deploy.canaries import CANARIES, DISPLACED, Canaries, Ended, Running
from ..deploy.canary import Find, Metric
from ..deploy.plan import Decision, Plan
from ..deploy.registry import Release
from ..errors import DeployError, EvolutionError, ProjectOError, UsageError, warn
from ..history.newest import at_the_ends
from ..history.versions import canary_of, following, is_version
from ..observe.metrics import Metrics
from .candidates import CANDIDATE, Candidate, Candidates, nothing_is_called
from .events import write_event
from .health import Health
from .lessons import Lessons

if TYPE_CHECKING:
    from ..history import History
    from ..values import Deployment, Program, State

METRICS = "metrics.sqlite"
EVOLUTION_OFF = "evolution was switched off"


@dataclass(frozen=True, slots=True)
class Said:
    """Something that happened to what serves, to be said where the user looks."""

    name: str
    what: Literal["promoted", "taken back", "looked into", "built again", "waits"]
    text: str


class Releases:
    """For one kernel or script. ``history`` is None where nothing is recorded.

    ``bind`` lets the user's own object of a name follow its slot; ``allow`` raises EvolutionError where nothing may
    change itself; ``reach`` raises DeployError where a name could not follow; ``find`` gives what the user has defined.
    """

    def __init__(
        self,
        registry: Registry,
        history: History | None,
        *,
        bind: Callable[[str], None],
        allow: Callable[[], None],
        reach: Callable[[str], None],
        find: Find = lambda _: None,
    ) -> None:
        self.registry = registry
        self.canaries = Canaries(registry, _differ, find=find)
        self.lessons = Lessons(history)
        self.candidates = Candidates(registry, history, self.lessons)
        self._history = history
        self._bind = bind
        self._allow = allow
        self._reach = reach
        self._remembers = history is None
        self._told_of_better, registry.improved = registry.improved, self._is_better
        self.metrics = Metrics(self._metrics_file)
        self.health = Health(registry, self.metrics)
        self._kept = ""
        self._said: list[Said] = []

    # ------------------------------------------------------------------ canary

    def canary(
        self, name: str, state: Any = None, plan: Plan | None = None, metrics: Mapping[str, Metric] | None = None
    ) -> Running:
        """Let a version serve a share of the calls: that of ``state``, or the newest that was accepted and serves not.

        ``state`` may also be a run. Raises DeployError, HistoryError, EvolutionError.
        """
        self._allow()
        name = self.registry.slot(name).name
        self._reach(name)
        found = self.candidates.find(name, state)
        self.lessons.refuse(name, found.program)
        serving = self.registry.releases(name)[-1]
        version, _ = following(self._versions(name), serving.interface, serving.interface, better=True)
        number = canary_of(version, 1 + self._canaries_before(name), found.program.digest)
        release = Release(found.program, "canary", 0.0, found.state, serving.cell, found.level, str(number))
        running = self.canaries.begin(release, plan or Plan(), metrics)
        self._bind(name)
        how = "in the shadow of" if running.plan.shadow else "beside"
        summary = f"{running.plan.share:.0%} of the calls, {found.program.digest[:10]} {how} {running.base[:10]}"
        facts = self._facts(found) | {"version": str(number), "base_program": running.base[:16]}
        path, source = found.program.files[0]
        self._note("canary", name, summary, facts, {f"programs/{name}/{CANDIDATE}/{path}": source})
        return running

    def served(self, name: str) -> None:
        """A name is served, perhaps again in a new kernel: the canary that was under way goes on."""
        self._remember()
        self.health.start()
        if not self._may_change():
            return  # it is kept for a kernel in which it may
        try:
            running = self.canaries.resume(name)
            if running is not None:
                if self.lessons.knows(name, running.release.program):
                    self.canaries.end(name, promoted=False, reason="it was taken back beside this kernel")
                    return
                self._bind(name)
                if waits := running.canary.waits_for:
                    text = f"the canary of {name} goes on once this kernel has {', '.join(waits)}: run its cell"
                    self._said.append(Said(name, "waits", text))
        except ProjectOError as error:  # the cell itself, or the build that is better, serves all the same
            warn(str(error))

    def _is_better(self, name: str) -> None:
        """An optimised build serves from now on: the canary that waited for it goes on."""
        self._told_of_better(name)
        self.served(name)

    def _remember(self) -> None:
        if self._remembers:
            return
        self._remembers = True
        try:
            self.canaries.remember(at_the_ends(self._history, CANARIES))
        except DeployError as error:
            warn(str(error))

    def hold(self) -> int:
        """Evolution is off: a canary could promote itself, so those under way are taken back. How many there were."""
        held = 0
        for one in self.canaries.running():
            if one.suspicion:
                continue  # that one can only take back what serves
            with suppress(DeployError):  # it came to its end by itself
                self._conclude(self.canaries.end(one.name, promoted=False, reason=EVOLUTION_OFF), by_hand=True)
                held += 1
        return held

    def _may_change(self) -> bool:
        try:
            self._allow()
        except (EvolutionError, UsageError):
            return False
        return True

    # ------------------------------------------------------------------ promote, roll back

    def promote(self, name: str, state: Any = None) -> Deployment:
        """Let the canary's version serve every call; without one, the version of ``state``, or the newest accepted.

        Raises DeployError, HistoryError, EvolutionError.
        """
        self._allow()
        name = self.registry.slot(name).name
        if state is None and self.canaries.of(name) is not None:
            return self._conclude(self.canaries.end(name, promoted=True, reason="promoted by hand"), by_hand=True)
        self._reach(name)
        found = self.candidates.find(name, state)
        before = self.registry.releases(name)[-1]
        self.registry.accept(found.program, found.state, level=found.level)
        facts = self._facts(found)
        return self.released(
            name, "promote", f"{found.program.digest[:10]} serves", facts, before=before, better=bool(found.facts)
        )

    def rollback(
        self, name: str, state: str | None = None, reason: str = "", learned: Program | None = None
    ) -> Deployment:
        """Serve what served before, or what served at ``state``. A canary under way is taken back, and nothing else.

        ``learned`` is a version that is not to be tried again, for that ``reason``. Raises DeployError, HistoryError.
        """
        name = self.registry.slot(name).name
        if state is None and self.canaries.of(name) is not None:
            why = reason or "taken back by hand"
            return self._conclude(self.canaries.end(name, promoted=False, reason=why), by_hand=True)
        before = self.registry.releases(name)[-1]
        facts = {"reason": reason, "by": "health"} if reason else {"by": "human"}
        if state is None:
            deployment = self.registry.rollback(name)
        else:
            found, then = self.candidates.served_at(name, state)
            deployment = self.registry.put(found, "rollback", then.id)
            rebuilt = self.registry.releases(name)[-1].library
            if found.library and rebuilt and rebuilt != found.library:
                facts["library"] = f"built again: {found.library[:12]} then, {rebuilt[:12]} now"
                text = f"{name} had to be built again, and is not the same library as then: {facts['library']}"
                self._said.append(Said(name, "built again", text))
        summary = f"{deployment.version or deployment.digest[:10]} serves again"
        files = self.lessons.learned(name, learned, reason) if learned is not None else {}
        return self.released(name, "rollback", summary, facts, before=before, files=files)

    def put_back(self, ledger: str, state: str) -> tuple[list[str], list[str]]:
        """Serve what a ledger says served at a state; the names, and which could not be served, and why."""
        then, served, refused = Registry(nothing_is_called), [], []
        if ledger:
            then.remember(ledger)
        for name, release in then.remembered().items():
            try:
                self.registry.put(release, "restored", state)
            except DeployError as error:
                refused.append(f"{name}: {error}")
                continue
            served.append(name)
            self._bind(name)
        return served, refused

    def released(
        self,
        name: str,
        kind: str,
        summary: str,
        facts: Mapping[str, str],
        *,
        before: Release,
        better: bool = False,
        files: Mapping[str, str] | None = None,
    ) -> Deployment:
        """Commit what serves a name now. ``before`` is what served until now: where that is the same, there is nothing
        to commit, so that a cell that accepts may be run twice."""
        self._bind(name)
        renew(self.registry, name)
        now = self.registry.releases(name)[-1]
        if kind == "promote" and before.version and now.program.digest == before.program.digest:
            return self.registry.current(name)
        told = {"program": now.program.digest[:16], "language": now.program.language, **facts}
        tag = ""
        if kind == "promote":
            number, why = following(self._versions(name), before.interface, now.interface, better=better)
            told |= {"version": str(number), "version_reason": why}
            tag = f"{name}/v{number}"
            self.registry.mark(name, "", str(number))
        elif now.version:
            told["version"] = now.version
        state = self._note(kind, name, summary, told, files or {}, tag)
        self.registry.mark(name, state.id if state else "")
        return self.registry.current(name)

    def with_canaries(self, serving: Sequence[Deployment]) -> tuple[Deployment, ...]:
        """What serves, each with the canary that is under way beside it."""
        beside = {one.name: one for one in self.canaries.deployments()}
        found = []
        for one in serving:
            other = beside.get(one.name)
            found += [one] if other is None else [replace(one, share=1.0 - other.share), other]
        return tuple(found)

    def settle(self, error: BaseException | None = None) -> list[Said]:
        """A cell has ended: what was decided meanwhile is committed, and what is under way is kept for the next kernel.

        ``error`` is what ended the cell. Returns what there is to say.
        """
        self.health.arm()
        self.metrics.flush()
        if error is not None:
            self._doubt(self.health.suspect_of(error))
        for suspect in self.health.suspects():
            self._doubt(suspect)
        self.canaries.look()
        for ended in self.canaries.take_ended():
            self._conclude(ended)
        if self.canaries.running() and not self._may_change():
            self.hold()
        with self.registry.telling:
            text = self.canaries.to_json()
            if text != self._kept and self._history is not None:
                self._kept = text
                self._history.stage({CANARIES: text or None})
        said, self._said = self._said, []
        return said

    def _doubt(self, suspect: tuple[str, str, bool] | None) -> None:
        """What serves is not as it should be: it is taken back, or held against the version before it."""
        if suspect is None:
            return
        name, why, enough = suspect
        number = self.registry.current(name).version or "this version"
        if enough:
            program = self.registry.releases(name)[-1].program
            self.rollback(name, reason=why, learned=program)
            self._said.append(Said(name, "taken back", f"{name} {number} was taken back: {why}"))
        elif self.canaries.doubt(name, why) is not None:
            self._bind(name)
            text = f"{name} {number}: {why}. The version before it answers half of the calls for now"
            self._said.append(Said(name, "looked into", text))

    def _conclude(self, ended: Ended, *, by_hand: bool = False) -> Deployment:
        """A canary is over: the state that says so."""
        running, decision, evidence = ended.running, ended.decision, ended.running.canary.evidence
        name, candidate = running.name, running.release.program
        if running.suspicion:
            return self._concluded_doubt(ended, by_hand=by_hand)
        facts = {"reason": decision.reason, "canary": evidence.told(), "calls": str(evidence.calls)}
        facts["by"] = "human" if by_hand else "canary"
        if (both := evidence.latencies()) is not None:
            facts["metric"] = f"time {both[0] * 1e6:.4g} -> {both[1] * 1e6:.4g} us"
        serves = self.registry.releases(name)[-1].program.digest == candidate.digest
        if decision.outcome == "promote" and not serves:  # decided between two cells, and then its cell was edited
            decision = Decision("rollback", f"{decision.reason}; but {DISPLACED}", shown=False)
            facts["reason"] = decision.reason
        if decision.outcome == "promote":
            before = next(item for item in self.registry.releases(name)[::-1] if item.program.digest == running.base)
            better = not by_hand or bool(running.release.level)  # it was judged before it was tried
            deployment = self.released(name, "promote", decision.reason, facts, before=before, better=better)
            text = f"{name} {deployment.version} serves every call from now on: {decision.reason}"
            self._said.append(Said(name, "promoted", text))
        else:
            told = {**facts, "program": candidate.digest[:16], "version": running.release.version}
            learned = not by_hand and decision.shown
            files = self.lessons.learned(name, candidate, decision.reason) if learned else {}
            self._bind(name)
            self._note("rollback", name, f"{candidate.digest[:10]} is taken back: {decision.reason}", told, files)
            deployment = self.registry.current(name)
            text = f"{name} {running.release.version} was taken back: {decision.reason}"
            self._said.append(Said(name, "taken back", text))
        return deployment

    def _concluded_doubt(self, ended: Ended, *, by_hand: bool) -> Deployment:
        """A version that serves was looked into."""
        running, decision, evidence = ended.running, ended.decision, ended.running.canary.evidence
        name, number = running.name, running.release.version or "this version"
        deployment = self.registry.current(name)
        if decision.outcome != "rollback" or not decision.shown:
            self._bind(name)
            told = f"{running.suspicion}; but beside the version before it {evidence.told()}"
            self._said.append(Said(name, "looked into", f"{name} {number} goes on serving: {told}"))
            return deployment
        reason = f"{running.suspicion}; beside the version before it: {decision.reason}"
        facts = {"reason": reason, "by": "human" if by_hand else "health", "calls": str(evidence.calls)}
        if (both := evidence.latencies()) is not None:
            facts["metric"] = f"time {both[1] * 1e6:.4g} -> {both[0] * 1e6:.4g} us"
        files = {} if by_hand else self.lessons.learned(name, running.release.program, reason)
        again = self.registry.releases(name)[-1].program.digest == running.base
        summary = f"{deployment.version or deployment.digest[:10]} serves again" if again else f"{number}: {DISPLACED}"
        self._said.append(Said(name, "taken back", f"{name} {number} was taken back: {reason}"))
        return self.released(name, "rollback", summary, facts, before=running.release, files=files)

    # ------------------------------------------------------------------ the history

    def _metrics_file(self) -> str:
        """Beside the store, where there is one."""
        store = self._history.store if self._history is not None and self._history.enabled else ""
        # ``Path.is_dir`` raises where one may not look, which would end the thread that asks now and then.
        return f"{store}/{METRICS}" if store and os.path.isdir(store) else ""  # noqa: PTH112

    def _versions(self, name: str) -> list[str]:
        """Every version that was ever given to this program."""
        found = {dict(state.facts).get("version", "") for state in self.candidates.states(name)}
        found |= {release.version for release in self.registry.releases(name)}
        return [text for text in found if text and is_version(text)]

    def _canaries_before(self, name: str) -> int:
        return sum(state.kind == "canary" for state in self.candidates.states(name))

    def _facts(self, found: Candidate) -> dict[str, str]:
        facts = {"program": found.program.digest[:16], "language": found.program.language, "by": found.by}
        if found.state:
            facts["candidate_of"] = found.state
        return facts | dict(found.facts)

    def _files(self) -> dict[str, str | None]:
        files: dict[str, str | None] = dict(self.registry.ledger())
        self._kept = self.canaries.to_json()
        files[CANARIES] = self._kept or None
        return files

    def _note(
        self,
        kind: str,
        name: str,
        summary: str,
        facts: Mapping[str, str],
        files: Mapping[str, str | None],
        version: str = "",
    ) -> State | None:
        """Commit what serves now, and ``files`` with it."""
        if self._history is None:
            return None
        with self.registry.telling:
            files = {**self._files(), **files}
            if not self._history.enabled:
                self._history.stage(files)
                return None
            state = self._history.note(kind, name, summary, facts, files, version=version)
        write_event(self._history.store, kind, name, state)
        return state


def _differ(expected: Any, given: Any) -> str:
    from ..evolution.compare import values_differ

    return values_differ(expected, given)
