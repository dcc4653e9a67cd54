"""The canaries that are under way, by name: begun, decided, kept for the next kernel."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .. import limits
from ..errors import DeployError
from ..values import Deployment, Interface
from .canary import Canary, Differ, Find, Metric
from .conversations import Conversations
from .handles import Version, is_provisional
from .plan import Decision, Plan
from .registry import Registry, Release, release_from_json, release_to_json
from .sampling import plain

CANARIES = "canaries.json"
FORMAT = 1
DISPLACED = "something else serves this name now"


@dataclass(frozen=True, slots=True)
class Running:
    """A canary under way. ``base`` is the digest of what it is compared with, ``began`` seconds since the epoch.

    ``suspicion`` is why a version that serves already is held against the one before it; "" for a new version.
    """

    name: str
    release: Release
    plan: Plan
    base: str
    began: float
    canary: Canary
    suspicion: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """A canary that is over: what became of it, and why."""

    running: Running
    decision: Decision


def _metrics_of(kept_from: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The metrics of a canary that is taken up again, by name."""
    return tuple(str(name) for name in kept_from.get("metrics", ())) if kept_from else ()


def _called_as(version: Version) -> Interface:
    """What its callers know of it: of a translation that is the interface of the function behind it."""
    found: Interface = getattr(version, "called_as", version.artifact.interface)
    return found


def _kind(version: Version) -> type[Canary]:
    """Agents are split by conversations, everything else by calls."""
    return Conversations if hasattr(version, "converses") else Canary


class Canaries:
    """Not more than one for each name. All methods may be called from any thread."""

    def __init__(
        self,
        registry: Registry,
        differ: Differ,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        *,
        find: Find = lambda _: None,
    ) -> None:
        """``find`` gives the user's function of a name: a metric that an earlier kernel had."""
        self._registry = registry
        self._find = find
        self._differ = differ
        self._clock = clock
        self._now = now
        self._lock = threading.RLock()
        self._running: dict[str, Running] = {}
        self._ended: list[Ended] = []
        self._remembered: dict[str, dict[str, Any]] = {}
        self._over: dict[str, float] = {}
        registry.displaced = self._displaced
        registry.beside = self._is_beside

    # ------------------------------------------------------------------ beginning

    def begin(
        self,
        release: Release,
        plan: Plan,
        metrics: Mapping[str, Metric] | None = None,
        kept_from: Mapping[str, Any] | None = None,
    ) -> Running:
        """Let a release serve a share of the calls of its name. With ``kept_from`` it has the metrics that it had.

        Raises DeployError where one is under way, it is what serves already, has another interface, or may not serve.
        """
        name = release.program.name
        with self._registry._lock, self._lock:
            slot, serving = self._registry.slot(name), self._registry.releases(name)[-1]
            if name in self._running:
                raise DeployError(f"a canary of {name} is under way: %o promote {name} or %o rollback {name} ends it")
            if serving.program.digest == release.program.digest:
                raise DeployError(f"this version of {name} is the one that serves: there is nothing to compare")
            if is_provisional(slot.version):
                raise DeployError(
                    f"a canary compares times, and {name} is served by a build that is not optimised "
                    f"({getattr(slot.version, 'tier', '')}): begin it when `%o serving {name}` says optimised"
                )
            version = self._registry.opened(release)
            self._fits(name, plain(slot.version), version)
            canary = _kind(version)(
                plain(slot.version), version, plan, differ=self._differ, decided=self._decided, metrics=metrics,
                missing=_metrics_of(kept_from), find=self._find, kept_from=kept_from, clock=self._clock,
            )  # fmt: skip
            running = Running(name, release, plan, serving.program.digest, self._now(), canary)
            self._running[name] = running
            slot.version = canary
            return running

    def doubt(self, name: str, suspicion: str) -> Running | None:
        """Hold the version that serves a name against the one before it; None where that cannot be done.

        Whatever is not shown leaves it in service.
        """
        plan = Plan(limits.PROBATION_SHARE, limits.PROBATION_CALLS, limits.PROBATION_SECONDS)
        with self._registry._lock, self._lock:
            slot, releases = self._registry.slot(name), self._registry.releases(name)
            serving = releases[-1]
            earlier = [item for item in releases if item.program.digest != serving.program.digest]
            if not earlier or name in self._running:
                return None
            version, new = self._registry.opened(earlier[-1]), plain(slot.version)
            try:
                self._fits(name, version, new)
            except DeployError:
                return None
            canary = _kind(new)(version, new, plan, differ=self._differ, decided=self._decided, clock=self._clock)
            base = earlier[-1].program.digest
            self._running[name] = running = Running(name, serving, plan, base, self._now(), canary, suspicion)
            slot.version = canary
            return running

    def _fits(self, name: str, old: Version, new: Version) -> None:
        left, right = _called_as(old).functions, _called_as(new).functions
        if [(f.name, f.parameters, f.result) for f in left] != [(f.name, f.parameters, f.result) for f in right]:
            raise DeployError(
                f"the new version of {name} has another interface, so the two cannot answer the same calls: "
                f"`%o promote {name}` lets it serve at once, as a new major version"
            )

    # ------------------------------------------------------------------ ending

    def end(self, name: str, *, promoted: bool, reason: str) -> Ended:
        """Decide a canary by hand. Raises DeployError where there is none."""
        with self._registry._lock, self._lock:
            running = self._running.get(name)
            if running is None:
                raise DeployError(f"no canary of {name} is under way: `%o canary {name}` begins one")
            running.canary.end(promoted=promoted)
            self._carry_out(running, Decision("promote" if promoted else "rollback", reason))
            return self._ended.pop()

    def _decided(self, canary: Canary, decision: Decision) -> None:
        with self._registry._lock, self._lock:
            running = next((one for one in self._running.values() if one.canary is canary), None)
            if running is not None:
                self._carry_out(running, decision)

    def _carry_out(self, running: Running, decision: Decision) -> None:
        del self._running[running.name]
        self._is_over(running)
        slot = self._registry.slot(running.name)
        if running.suspicion:
            slot.version = running.canary.new
            if decision.outcome == "rollback" and decision.shown:
                self._registry.rollback(running.name, running.base)
        elif decision.outcome == "promote":
            release = replace(running.release, origin="canary", since=self._now())
            self._registry._put(running.name, running.canary.new, release)
        else:
            slot.version = running.canary.old
        self._ended.append(Ended(running, decision))

    def _displaced(self, name: str) -> None:
        """Something else is about to serve the name: there is nothing left to compare with."""
        with self._lock:
            running = self._running.pop(name, None)
            if running is not None:
                running.canary.end(promoted=False)
                self._is_over(running)
                self._ended.append(Ended(running, Decision("rollback", DISPLACED, shown=False)))

    def _is_over(self, running: Running) -> None:
        """A kernel beside this one may hold the same canary, and be the last to say so: it does not come back."""
        if not running.suspicion:
            self._over[running.name] = max(running.began, self._over.get(running.name, 0.0))

    def _is_beside(self, release: Release) -> bool:
        running = self._running.get(release.program.name)
        return running is not None and running.base == release.program.digest

    def look(self) -> None:
        """Decide what time has decided: also a canary that is not called any more comes to its end."""
        for running in self.running():
            running.canary.look()

    def take_ended(self) -> list[Ended]:
        """Those that came to their end since this was last asked."""
        with self._lock:
            ended, self._ended = self._ended, []
            return ended

    # ------------------------------------------------------------------ questions

    def running(self) -> tuple[Running, ...]:
        """Those under way, by name."""
        with self._lock:
            return tuple(self._running[name] for name in sorted(self._running))

    def of(self, name: str) -> Running | None:
        """The one of a name."""
        with self._lock:
            return self._running.get(name)

    def deployments(self) -> tuple[Deployment, ...]:
        """The new versions, each with its share of the calls."""
        return tuple(
            Deployment(
                name=one.name,
                digest=one.release.program.digest,
                language=one.release.program.language,
                functions=tuple(function.name for function in one.canary.new.artifact.interface.functions),
                share=0.0 if one.plan.shadow else one.plan.share,
                since=one.began,
                state=one.release.state,
                origin="doubted" if one.suspicion else "shadow" if one.plan.shadow else "canary",
                previous=(one.base,),
                level=one.release.level,
                version=one.release.version,
            )
            for one in self.running()
        )

    # ------------------------------------------------------------------ the next kernel

    def to_json(self) -> str:
        """Those under way, for the next kernel; "" where there are none."""
        with self._lock:
            found = dict(self._remembered)
            for one in self._running.values():
                if one.suspicion:
                    continue  # the next kernel makes up its own mind
                found[one.name] = {
                    "release": release_to_json(one.release),
                    "plan": one.plan.to_json(),
                    "base": one.base,
                    "began": one.began,
                    "standing": one.canary.to_json(),
                }
            over = dict(self._over)
        body = {"format": FORMAT, "canaries": found, "over": over}
        return json.dumps(body, indent=1, sort_keys=True) if found or over else ""

    def remember(self, texts: Sequence[str]) -> None:
        """Those that were under way in earlier kernels, newest first: what one of them ended, none brings back.

        Raises DeployError where one cannot be read; the others are remembered all the same.
        """
        found: dict[str, dict[str, Any]] = {}
        over: dict[str, float] = {}
        problem = ""
        for text in texts:
            try:
                body = json.loads(text)
                if body["format"] > FORMAT:
                    problem = problem or f"{CANARIES} has format {body['format']}: update project-o to read it"
                    continue
                kept = {name: (float(one["began"]), one) for name, one in body["canaries"].items()}
                ended = {name: float(began) for name, began in body.get("over", {}).items()}
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                problem = problem or f"{CANARIES} cannot be read ({error!r}): no canary of that kernel goes on"
                continue
            for name, (began, one) in kept.items():
                if name not in found or began > float(found[name]["began"]):
                    found[name] = one
            over |= {name: began for name, began in ended.items() if began > over.get(name, 0.0)}
        with self._lock:
            self._over = over
            self._remembered = {n: one for n, one in found.items() if float(one["began"]) > over.get(n, 0.0)}
        if problem:
            raise DeployError(problem)

    def resume(self, name: str) -> Running | None:
        """Go on with the canary of a name that is served again, where it still is against the same version.

        Where a build that is not optimised serves it waits: this is to be called again when that one is there.
        Raises DeployError where it cannot go on; it is then forgotten.
        """
        with self._registry._lock, self._lock:
            if is_provisional(self._registry.slot(name).version):
                return None
            body = self._remembered.pop(name, None)
        if body is None or name in self._running:
            return None
        with self._lock:
            self._over[name] = float(body["began"])  # unless it goes on, it is forgotten for good
        try:
            release = release_from_json(name, body["release"])
            if release.program.digest != body["release"]["digest"]:
                return None  # its text was redacted on its way to the disk
            if self._registry.releases(name)[-1].program.digest != body["base"]:
                return None
            plan = Plan.from_json(body["plan"])
            running = self.begin(release, plan, kept_from=body["standing"])
        except (KeyError, TypeError, ValueError) as error:
            raise DeployError(f"the canary of {name} cannot go on ({error!r}): begin it again") from None
        running = replace(running, began=float(body["began"]))
        with self._lock:
            self._running[name] = running
            del self._over[name]
        return running
