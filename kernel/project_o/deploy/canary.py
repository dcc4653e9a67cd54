"""Two versions of one name at work beside each other. For the name's slot it is one more version.

While it runs, a share of the calls goes to the new version, and what both do is held against each other; nothing of
this is on the path of a call where no canary runs. It ends itself: what its evidence decides is carried out in the
very call that completed it, and told to whoever made it.

A call that the new version cannot answer is answered by the old one, on arguments as they were before. Where that
cannot be promised, because they cannot be copied, the new version is not given the call.
"""

from __future__ import annotations

import functools
import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .. import limits
from ..errors import InterfaceError, NativeFault, NativePanic, warn
from ..values import NativeFunction
from .arguments import copied, kept, size_class
from .evidence import Evidence, Key
from .handles import Version
from .plan import Decision, Plan

Differ = Callable[[Any, Any], str]
"""(what the old version answered, the new one's answer) -> how they differ in words, "" where they agree."""
Metric = Callable[..., float]
"""(the answer, *the arguments) -> a number, of which more is better."""
Find = Callable[[str], Any]
"""(a name) -> what the user calls so now, or None."""
Invoke = Callable[[Version, Sequence[Any], Mapping[str, Any]], Any]


class Canary:
    """Serves ``old`` and ``new`` by a plan. Safe to call from several threads."""

    def __init__(
        self,
        old: Version,
        new: Version,
        plan: Plan,
        *,
        differ: Differ,
        decided: Callable[[Canary, Decision], None],
        metrics: Mapping[str, Metric] | None = None,
        missing: Sequence[str] = (),
        find: Find = lambda _: None,
        kept_from: Mapping[str, Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``kept_from`` is what ``to_json`` gave in an earlier kernel: it goes on from there.

        ``missing`` are metrics that this kernel does not have yet: until ``find`` has all of them, the new version is
        given no call, and is not promoted.
        """
        self.artifact = old.artifact
        """That of the old version: it serves until something is decided."""
        self.old = old
        self.new = new
        self.plan = plan
        self.winner: Version | None = None
        self.evidence = Evidence.from_json(plan, kept_from["evidence"]) if kept_from else Evidence(plan)
        self.extensions = int(kept_from["extensions"]) if kept_from else 0
        self._differ = differ
        self._decided = decided
        self._metrics = dict(metrics or {})
        self._missing = tuple(missing)
        self._find = find
        self._clock = clock
        self._lock = threading.Lock()
        self._inside = threading.local()
        self._table = plan.table()
        self._numbers = itertools.count(int(kept_from["number"]) if kept_from else 0)
        self._stage_calls = int(kept_from["stage_calls"]) if kept_from else 0
        self._stage_began = clock() - (float(kept_from["stage_seconds"]) if kept_from else 0.0)
        self._warm: set[str] = set()
        self._values: dict[Key, dict[str, float]] = {}
        self._failing: set[str] = set()
        if hasattr(old, "function"):
            self.function = self._as_function(old.function)

    def __getattr__(self, name: str) -> Any:
        if name in ("old", "entry"):  # not made yet; and no dispatcher may pass us by
            raise AttributeError(name)
        return getattr(self.old, name)

    def call(self, name: str, args: Sequence[Any]) -> Any:
        """Call one of the program's functions, of one version or the other."""
        return self._serve(name, args, {}, lambda version, given, _: version.call(name, given))

    def _as_function(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Both versions of a Python function as one function."""

        @functools.wraps(original)
        def split(*args: Any, **named: Any) -> Any:
            return self._serve(original.__name__, args, named, _call_function)

        return split

    @property
    def waits_for(self) -> tuple[str, ...]:
        """The metrics that are not there yet; those that have come since are taken in."""
        if self._missing:
            come = {name: metric for name in self._missing if callable(metric := self._find(name))}
            self._metrics |= come
            self._missing = tuple(name for name in self._missing if name not in come)
        return self._missing

    def to_json(self) -> dict[str, Any]:
        """Where it stands, for the next kernel."""
        with self._lock:
            return {
                "metrics": sorted({*self._metrics, *self._missing}),
                "evidence": self.evidence.to_json(),
                "extensions": self.extensions,
                "number": self.evidence.calls,
                "stage_calls": self._stage_calls,
                "stage_seconds": round(self._clock() - self._stage_began, 3),
            }

    # ------------------------------------------------------------------ one call

    def _serve(self, name: str, args: Sequence[Any], named: Mapping[str, Any], invoke: Invoke) -> Any:
        version = getattr(self._inside, "version", None) or self.winner
        if version is not None:  # a call from inside a call stays on its side
            return invoke(version, args, named)
        if self._missing and self.waits_for:
            return invoke(self.old, args, named)
        if not self._table[next(self._numbers) % len(self._table)]:
            return self._by_old(name, args, named, invoke)
        native = self._native(name)
        before = kept(native, args, named)
        if before is None:
            self.evidence.refused += 1
            try:
                return self._by_old(name, args, named, invoke)
            finally:
                self.look()  # it may be over without ever having been asked
        if self.plan.shadow:
            return self._by_both(name, native, args, named, invoke)
        self.evidence.calls_new += 1
        try:
            value, seconds = self._within(self.new, args, named, invoke)
        except InterfaceError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a version raises, the other one may answer
            failure = error
        else:
            self._took(name, args, seconds, value, new=True)
            return value
        before.restore()
        return self._answered_again(failure, args, named, invoke)

    def _within(
        self, version: Version, args: Sequence[Any], named: Mapping[str, Any], invoke: Invoke
    ) -> tuple[Any, float]:
        self._inside.version = version
        try:
            began = time.perf_counter()
            value = invoke(version, args, named)
            return value, time.perf_counter() - began
        finally:
            self._inside.version = None

    def _native(self, name: str) -> NativeFunction | None:
        """What the function may write; None where Python says nothing about that."""
        try:
            native = self.old.artifact.interface.function(name)
        except KeyError:
            return None
        return None if any(kind.kind == "any" for _, kind in native.parameters) else native

    def _by_old(self, name: str, args: Sequence[Any], named: Mapping[str, Any], invoke: Invoke) -> Any:
        self.evidence.calls_old += 1
        try:
            value, seconds = self._within(self.old, args, named, invoke)
        except InterfaceError:
            raise
        except Exception as error:
            with self._lock:
                self.evidence.failed(_words(error), new=False)
            self.look()
            raise
        self._took(name, args, seconds, value, new=False)
        return value

    def _answered_again(self, failure: Exception, args: Sequence[Any], named: Mapping[str, Any], invoke: Invoke) -> Any:
        """The new version failed: the old one answers, or fails in its own way."""
        with self._lock:
            self.evidence.failed(_words(failure), new=True)
        try:
            value, _ = self._within(self.old, args, named, invoke)
        finally:
            self.look()
        with self._lock:
            self.evidence.answered_by_old += 1
            if isinstance(failure, (NativeFault, NativePanic)):
                self.evidence.crashed(f"it ended a call that the version before answers: {_words(failure)}")
        self.look()
        return value

    def _took(self, name: str, args: Sequence[Any], seconds: float, value: Any, *, new: bool) -> None:
        key = (name, size_class(args))
        with self._lock:
            wanted = new or self.evidence.wants_old(key)
            if self._is_warm(name, new=new):
                self.evidence.took(key, seconds, new=new)
                if new or key in self._values:
                    self._measure(key, args, value, new=new)
        if wanted:
            self.look()

    def _is_warm(self, name: str, *, new: bool) -> bool:
        """The first call of a function loads its build and may try it in the sandbox: its time says nothing."""
        word = f"{name} {new}"
        warm = word in self._warm
        self._warm.add(word)
        return warm

    def _measure(self, key: Key, args: Sequence[Any], value: Any, *, new: bool) -> None:
        if not self._metrics:
            return
        found = {name: worth for name in self._metrics if (worth := self._worth(name, value, *args)) is not None}
        if new:
            self._values[key] = found
            return
        for name, worth in self._values.pop(key, {}).items():
            if name in found:
                self.evidence.measured(name, found[name], worth)

    def _worth(self, name: str, *given: Any) -> float | None:
        """What a metric says of an answer; None where it fails, which says nothing of the versions and is said once."""
        try:
            return float(self._metrics[name](*given))
        except Exception as error:  # noqa: BLE001 - code of the user's own, in the middle of a call
            if name not in self._failing:
                self._failing.add(name)
                program = self.artifact.program.name
                warn(f"the metric {name} failed on an answer of {program}, which its canary leaves out: {error!r}")
            return None

    def _measured_both(self, old: Sequence[Any], new: Sequence[Any]) -> None:
        """Each metric of two answers to the same, each with what was asked."""
        for name in self._metrics:
            left, right = self._worth(name, *old), self._worth(name, *new)
            if left is not None and right is not None:
                self.evidence.measured(name, left, right)

    # ------------------------------------------------------------------ both at once

    def _by_both(
        self, name: str, native: NativeFunction | None, args: Sequence[Any], named: Mapping[str, Any], invoke: Invoke
    ) -> Any:
        """The old version answers; the new one is asked the same on copies, before it or behind it."""
        others = copied(native, args)
        other_named = dict(zip(named, copied(None, tuple(named.values())), strict=True))
        self.evidence.calls_new += 1
        if self.evidence.compared % 2:
            tried = self._tried(self.new, others, other_named, invoke)
            asked = self._tried(self.old, args, named, invoke)
        else:
            asked = self._tried(self.old, args, named, invoke)
            tried = self._tried(self.new, others, other_named, invoke)
        self._compare(name, native, (args, others), asked, tried)
        self.look()
        if isinstance(asked, Exception):
            raise asked
        return asked[0]

    def _tried(
        self, version: Version, args: Sequence[Any], named: Mapping[str, Any], invoke: Invoke
    ) -> tuple[Any, float] | Exception:
        try:
            return self._within(version, args, named, invoke)
        except Exception as error:  # noqa: BLE001 - what both versions did is compared, whatever it was
            return error

    def _compare(
        self,
        name: str,
        native: NativeFunction | None,
        given: tuple[Sequence[Any], Sequence[Any]],
        asked: tuple[Any, float] | Exception,
        tried: tuple[Any, float] | Exception,
    ) -> None:
        with self._lock:
            self.evidence.compared += 1
            if isinstance(asked, Exception) and not isinstance(asked, InterfaceError):
                self.evidence.failed(_words(asked), new=False)
            if isinstance(tried, Exception):
                if isinstance(tried, InterfaceError):
                    return
                self.evidence.failed(_words(tried), new=True)
                if isinstance(tried, (NativeFault, NativePanic)) and not isinstance(asked, Exception):
                    self.evidence.crashed(f"it ended a call that the version before answers: {_words(tried)}")
            if isinstance(asked, Exception) or isinstance(tried, Exception):
                return
            how = self._differ(asked[0], tried[0]) or self._differ(list(given[0]), list(given[1]))
            if how:
                self.evidence.differed(f"{name} {how}")
            elif self._is_warm(name, new=True):
                self.evidence.took_both((name, size_class(given[0])), asked[1], tried[1])
                self._measured_both((asked[0], *given[0]), (tried[0], *given[1]))

    # ------------------------------------------------------------------ what follows

    def look(self) -> None:
        """Decide what can be decided. Also called when nothing was called for a while, for the time may be over."""
        with self._lock:
            if self.winner is not None:
                return
            found = self.evidence.decision()
            if found is not None and found.outcome == "promote" and self._missing:
                found = None  # a metric that is not there cannot say that nothing is worse
            if found is None and self._stage_is_over():
                found = self.evidence.at_the_end(self.extensions)
                if found.outcome == "extend":
                    self.extensions += 1
                    self._stage_calls, self._stage_began = self.evidence.calls, self._clock()
                    return
            if found is None:
                return
            self.winner = self.new if found.outcome == "promote" else self.old
        self._decided(self, found)

    def _stage_is_over(self) -> bool:
        calls = self.evidence.calls - self._stage_calls
        return calls >= self.plan.calls or self._clock() - self._stage_began >= self.plan.seconds

    def end(self, *, promoted: bool) -> None:
        """Somebody else has decided."""
        with self._lock:
            self.winner = self.winner or (self.new if promoted else self.old)


def _call_function(version: Version, args: Sequence[Any], named: Mapping[str, Any]) -> Any:
    return version.function(*args, **named)  # type: ignore[attr-defined]  # a version of Python has one


def _words(error: BaseException) -> str:
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return " ".join(text.split())[: limits.ERROR_TEXT_CHARACTERS_MAX]
