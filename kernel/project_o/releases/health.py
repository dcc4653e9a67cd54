"""Watching what serves: a few calls a second are timed, and what is not as it was is looked into."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

from .. import limits
from ..deploy import Registry
from ..deploy.handles import Slot, Version
from ..deploy.health import Signs, resident_bytes
from ..deploy.leak import leak
from ..deploy.registry import Release
from ..deploy.sampling import Sampled, arm, plain
from ..errors import DeployError, NativeError, NativeFault
from ..observe.metrics import Metrics


class Health:
    """The signs of every release that serves. Safe to use from any thread."""

    def __init__(self, registry: Registry, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._registry = registry
        self._metrics = metrics
        self._clock = clock
        self._signs: dict[str, Signs] = {}
        self._looked: dict[str, float] = {}
        self._ticking = threading.Event()

    # ------------------------------------------------------------------ sampling

    def start(self) -> None:
        """Time a few calls now and then, from now on: also while one cell runs for hours."""
        if not self._ticking.is_set():
            self._ticking.set()
            threading.Thread(target=_tick, args=(weakref.ref(self),), name="project-o-health", daemon=True).start()

    def tick(self) -> None:
        """What is done now and then: time the next calls, write down those that were timed."""
        self.arm()
        self._metrics.flush()

    def arm(self) -> None:
        """Time the next few calls of everything that serves."""
        with self._registry._lock:
            for slot in self._registry.slots():
                release = self._registry.releases(slot.name)[-1]
                arm(slot, self._record(slot.name, release), self._back(slot, release))

    def _record(self, name: str, release: Release) -> Callable[[str, float, bool, int], None]:
        program, signs = release.program.digest, self._of(release)

        def record(function: str, seconds: float, failed: bool, size: int) -> None:  # noqa: FBT001 - on the path of a call
            self._metrics.record(name, program, function, seconds, failed, size)
            signs.call(function, seconds, failed, size)

        return record

    def _back(self, slot: Slot, release: Release) -> Callable[[Sampled], None]:
        began = resident_bytes()

        def give_back(sampled: Sampled) -> None:
            # Never waited for: a copy of this process may have been made while another thread held it.
            if self._registry._lock.acquire(blocking=False):
                try:
                    if slot.version is sampled:
                        slot.version = sampled.sampled
                        self._of(release).grew(resident_bytes() - began)
                finally:
                    self._registry._lock.release()

        return give_back

    def _of(self, release: Release) -> Signs:
        digest = release.program.digest
        if digest not in self._signs:
            signs = self._signs[digest] = Signs()
            past = self._metrics.calls(digest, 8 * limits.HEALTH_CALLS)
            signs.known((one.function, one.seconds, one.failed, one.size) for one in past)
        return self._signs[digest]

    # ------------------------------------------------------------------ suspicions

    def suspects(self) -> list[tuple[str, str, bool]]:
        """The names whose version is not as it was, why, and whether that is shown; each once in a while at most."""
        found = []
        for slot in self._registry.slots():
            release = self._registry.releases(slot.name)[-1]
            signs = self._signs.get(release.program.digest)
            if signs is None or not self.may_be_taken_back(slot.name) or not self._due(slot.name):
                continue
            why, grows = signs.suspicion(), signs.grows()
            if not why and not grows:
                continue
            signs.forget_recent()
            self._looked[slot.name] = self._clock()
            leaks = self._leak(slot) if grows else ""
            if leaks or why:
                found.append((slot.name, leaks or why, bool(leaks)))
        return found

    def _leak(self, slot: Slot) -> str:
        """Whether calls like the first ones keep more memory than those of the version before."""
        releases = self._registry.releases(slot.name)
        earlier = [item for item in releases if item.program.digest != releases[-1].program.digest]
        old, new = self._registry.opened(earlier[-1]), plain(slot.version)
        for function in list(slot.observed.calls):
            for args in slot.observed.of(function, lambda _text: True):
                found = leak(_calling(old, function, args), _calling(new, function, args))
                if found:
                    return f"{function}: {found}"
        return ""

    def suspect_of(self, error: BaseException) -> tuple[str, str, bool] | None:
        """The name whose accepted version raised this, what it did, and whether that is enough to take it back."""
        name = self._origin(error)
        if name is None or not self.may_be_taken_back(name):
            return None
        text = " ".join(f"{type(error).__name__}: {error}".split())[: limits.REASON_CHARACTERS_MAX]
        if isinstance(error, NativeFault):
            return name, f"it ended a call: {text}", True
        if not self._due(name):
            return None
        self._looked[name] = self._clock()
        return name, f"it raised {text}", False

    def _due(self, name: str) -> bool:
        return self._clock() - self._looked.get(name, float("-inf")) >= limits.PROBATION_PAUSE_SECONDS

    def _origin(self, error: BaseException) -> str | None:
        if isinstance(error, NativeError):
            try:
                return self._registry.slot(error.function).name if error.function else None
            except DeployError:
                return None
        serving = {slot.name: self._registry.releases(slot.name)[-1].program for slot in self._registry.slots()}
        at: Any = error.__traceback__
        while at is not None:
            file = at.tb_frame.f_code.co_filename
            for name, program in serving.items():
                if file.startswith("<") and f", version {program.digest[:10]}>" in file:
                    return name
            at = at.tb_next
        return None

    def may_be_taken_back(self, name: str) -> bool:
        """Whether what serves a name was accepted, and something else served it before."""
        releases = self._registry.releases(name)
        now = releases[-1]
        evolved = now.program.cell_digest != now.cell
        return evolved and any(item.program.digest != now.program.digest for item in releases)


def _tick(watching: weakref.ref[Health]) -> None:
    """Until nobody holds it any more: a thread of its own, which keeps nothing alive."""
    while True:
        time.sleep(limits.SAMPLE_SECONDS)
        health = watching()
        if health is None:
            return
        health.tick()
        del health


def _calling(version: Version, function: str, args: tuple[Any, ...]) -> Callable[[], Any]:
    if hasattr(version, "function"):
        return lambda: version.function(*args)
    return lambda: version.call(function, args)
