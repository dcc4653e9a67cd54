"""Many texts of one function in one process, on the sandboxed side: each is defined, called and forgotten.

A process for each text costs more than its calls do. Here texts share one, so that what one leaves behind another may
meet: what comes of this is a choice of texts that are worth a process of their own, and no more. Every call has a
limit in lines that it runs, not in time: a busy machine gives the same answers.
"""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable, Sequence
from time import perf_counter, process_time
from typing import Any

from . import wire

VALUE, RAISED, STEPS = "value", "raised", "steps"
"""How a call ended: with a value, an error, or over its limit of lines."""
AT = "#o text "
CALL_CPU_SECONDS = 0.5
_LOOK_SECONDS = 0.02
SET, TRY = "set", "try"
"""The two questions: ``SET, calls`` and ``TRY, JSON of [texts, numbers of calls, most lines of a call]``."""


class OutOfSteps(BaseException):
    """A call runs more lines than it may. No ``except Exception`` of a candidate stops it."""


class Tried:
    """``make`` gives the function of a text; ``file`` is the name under which its lines are compiled."""

    def __init__(self, make: Callable[[str], Callable[..., Any]], file: str) -> None:
        self._make, self._file = make, file
        self._calls: list[list[Any]] = []

    def __call__(self, what: str, given: Any) -> str:
        """The answer to one question; see ``SET`` and ``TRY``."""
        if what == SET:
            self._calls = copy.deepcopy(list(given))  # arrays lie in memory that the next question writes over
            return ""
        texts, places, most = json.loads(given)
        found = []
        for number, text in enumerate(texts):
            sys.stdout.write(f"{AT}{number}\n")  # who asks learns from it which text the process died of
            sys.stdout.flush()
            found.append(self._of(text, places, most))
        return json.dumps(found)

    def _of(self, text: str, places: Sequence[int], most: int) -> list[Any]:
        """Of one text for each call: how it ended, the value in the wire's coding or the error's name, what it changed
        of its arguments, how many lines it ran and which."""
        try:
            function = self._make(text)
        except Exception as error:  # noqa: BLE001 - a text that cannot be defined fails every call
            return [[RAISED, type(error).__name__, [], 0, []]] * len(places)
        return [self._called(function, self._calls[place], most) for place in places]

    def _called(self, function: Callable[..., Any], call: Sequence[Any], most: int) -> list[Any]:
        args = copy.deepcopy(call)
        steps, lines = _Steps(self._file, most), None
        try:
            value = steps.run(function, args)
        except OutOfSteps:
            return [STEPS, "", [], most, sorted(steps.lines)]
        except Exception as error:  # noqa: BLE001 - what a candidate raises is its answer
            return [RAISED, type(error).__name__, [], steps.count, sorted(steps.lines)]
        lines = sorted(steps.lines)
        try:
            changed = [[place, _coded(one)] for place, (one, old) in enumerate(zip(args, call, strict=True))
                       if not _same(one, old)]  # fmt: skip
            return [VALUE, _coded(value), changed, steps.count, lines]
        except (TypeError, ValueError, RecursionError) as error:
            return [RAISED, type(error).__name__, [], steps.count, lines]


class _Steps:
    """One call with its lines counted, those of helpers that were sent along included."""

    def __init__(self, file: str, most: int) -> None:
        self._file, self._most = file, most
        self.count = 0
        self.lines: set[int] = set()
        self._look, self._until, self._late = perf_counter() + _LOOK_SECONDS, process_time() + CALL_CPU_SECONDS, False

    def run(self, function: Callable[..., Any], args: Sequence[Any]) -> Any:
        """What the function returns. Raises OutOfSteps, and whatever it raises."""
        before = sys.gettrace()
        sys.settrace(self._called)
        try:
            return function(*args)
        finally:
            sys.settrace(before)

    def _called(self, frame: Any, event: str, arg: Any) -> Any:
        self.count += 1
        if self.count > self._most:
            raise OutOfSteps
        name = frame.f_code.co_filename
        return self._own if name == self._file else self._other if name.startswith("<") else None

    def _own(self, frame: Any, event: str, arg: Any) -> Any:
        if event == "line":
            self.lines.add(frame.f_lineno)
            self.count += 1
            now = perf_counter()
            if now > self._look:  # numbers that grow without end are few lines, and much time
                self._look = now + _LOOK_SECONDS
                self._late = process_time() > self._until
            if self.count > self._most or self._late:
                raise OutOfSteps
        return self._own

    def _other(self, frame: Any, event: str, arg: Any) -> Any:
        self.count += 1
        if self.count > self._most:
            raise OutOfSteps
        return self._other


def _coded(value: Any) -> Any:
    return wire.encode_exactly(value, _too_large)


def _same(left: Any, right: Any) -> bool:
    try:
        return bool(left == right)
    except Exception:  # noqa: BLE001 - arrays compare by element: they are sent
        return False


def _too_large(_: Any) -> int:
    raise ValueError("an array that large is not sent from here")


def python_function(name: str, namespace: dict[str, Any]) -> Tried:
    """Texts of a Python function, in the namespace of the one that was sent."""
    from .construct import by_place, compiled, construct

    def make(text: str) -> Callable[..., Any]:
        made = construct(compiled(text, name), name, namespace)
        namespace[name] = made  # for helpers that call it in their turn
        found: Callable[..., Any] = by_place(made)
        return found

    return Tried(make, "<cell>")
