"""A sandboxed build as an object that an evaluator can call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from ..abi import bind
from ..errors import InterfaceError, NativeError, NativeResultError
from ..values import Interface, NativeFunction
from .infer import takes_any
from .task import Answer, Handle


class Rules(Protocol):
    """What a candidate may do; see ``manners``."""

    def offence(self, name: str, answer: Answer) -> str:
        """In words what an answer does that it may not; "" for nothing."""


class Candidate:
    """The functions of one build as attributes; callable itself where there is exactly one, or as the one ``called``.

    Every call runs in the sandbox. A failing call raises NativeResultError where the function returned an error value,
    or raised an exception, else NativeError. Arguments are written as by a direct call. What the ``rules`` forbid is a
    NativeError, and changes nothing.
    """

    def __init__(
        self,
        handle: Handle,
        interface: Interface,
        seconds: float | None = None,
        rules: Rules | None = None,
        called: str | None = None,
    ) -> None:
        self._handle = handle
        self._rules = rules
        self._seconds = seconds
        self._functions = {item.name: self._bound(item.name) for item in interface.functions}
        self._called = called if called in self._functions else None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        functions = self.__dict__.get("_functions", {})
        if name in functions:
            found: Callable[..., Any] = functions[name]
            return found
        raise AttributeError(f"the program has no function {name}: it has {', '.join(functions) or 'none'}")

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call the function that is meant. Raises TypeError where there are several, and none was named."""
        if self._called is not None:
            return self._functions[self._called](*args, **named)
        if len(self._functions) != 1:
            raise TypeError(
                f"the program has {len(self._functions)} functions: call one of {', '.join(self._functions)}"
            )
        return next(iter(self._functions.values()))(*args, **named)

    def __dir__(self) -> list[str]:
        return sorted(self._functions)

    def _bound(self, name: str) -> Callable[..., Any]:
        function = self._handle.artifact.interface.function(name)

        def call(*given: Any, **named: Any) -> Any:
            args = bind_any(function, given, named) if takes_any(function) else bind(function, given, named)
            answer = self._handle.ask(name, args, seconds=self._seconds)
            if self._rules is not None and (offence := self._rules.offence(name, answer)):
                raise NativeError(offence, function=name)
            for place, array in answer.written:
                _write(args[place], array)
            if answer.ok:
                return answer.value
            if answer.error_name:
                plain = answer.error in ("", answer.error_name)
                says = f"{name} returned error {answer.error_name}" if plain else f"{name}: {answer.error}"
                raise NativeResultError(says, name=answer.error_name, function=name)
            raise NativeError(f"{name}: {answer.error or answer.ended}", function=name)

        call.__name__ = name
        return call


def _write(mine: Any, left: Any) -> None:
    """Let an argument hold what the call left in it."""
    if isinstance(mine, np.ndarray):
        np.copyto(mine, left)
    elif isinstance(mine, list):
        mine[:] = left
    elif isinstance(mine, (dict, set)):
        mine.clear()
        mine.update(left)
    elif isinstance(mine, tuple):
        for one, other in zip(mine, left, strict=True):
            _write(one, other)


def bind_any(function: NativeFunction, given: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[Any, ...]:
    """Arguments in order, where those that are left out have default values. Raises InterfaceError.

    A last parameter ``**name`` takes every other name, as one dict.
    """
    if not named:
        return given
    rest = [name for name, _ in function.parameters[len(given) :]]
    if rest and rest[-1].startswith("**"):
        first = {name: named[name] for name in rest[:-1] if name in named}
        others = {name: value for name, value in named.items() if name not in first}
        if len(first) == len(rest) - 1:
            return (*given, *(first[name] for name in rest[:-1]), others)
    wanted = rest[: len(named)]
    if set(wanted) != set(named):
        raise InterfaceError(
            f"{function.name}: in the sandbox arguments are passed in order, and only the last ones can be left out: "
            f"pass {', '.join(rest) or 'no more'} instead of {', '.join(named)}"
        )
    return (*given, *(named[name] for name in wanted))
