"""What the name of an evolved Python function holds: a callable that follows what serves."""

from __future__ import annotations

import contextlib
import functools
import inspect
import types
from typing import Any, Self

from ..errors import DeployError
from .handles import Slot
from .sampling import plain


class PythonFunction(functools.partial[Any]):
    """A Python function whose text may be swapped between two calls. ``__wrapped__`` is the user's own definition.

    It has the name, documentation, signature and attributes of the function that serves, is called as it is, and
    raises what it raises.

    A call costs what a ``partial`` without arguments costs: what serves is put into it whenever that changes, and not
    looked up by every call.
    """

    def __new__(cls, slot: Slot, original: types.FunctionType) -> Self:
        """Of a slot, for what a name holds now."""
        del slot
        return super().__new__(cls, original)

    def __init__(self, slot: Slot, original: types.FunctionType) -> None:
        self._slot = slot
        self._seen = False
        self.__wrapped__ = original
        self.__name__ = original.__name__
        self.__qualname__ = original.__qualname__
        self.__module__ = original.__module__
        self.__doc__ = original.__doc__
        slot.lead(self)

    def follow(self) -> None:
        """What serves has changed: the next call is answered by what serves now."""
        while True:  # without a lock, which a copy of this process might find held: who comes late looks again
            version: Any = self._slot.version
            called: Any = self._call
            if self._seen:
                with contextlib.suppress(DeployError):  # not defined here yet: the call says so
                    called = version.function
            self.__setstate__((called, (), {}, self.__dict__))
            if self._slot.version is version:
                return

    def _call(self, *args: Any, **named: Any) -> Any:
        """Call what serves, and remember with what, until a call has returned."""
        given = self._by_place(args, named)
        remember = None if given is None else self._slot.observed.look(self.__name__, given)
        value = self._slot.version.function(*args, **named)  # type: ignore[attr-defined]  # a version of Python
        if remember is not None:
            remember()
        self._seen = True
        self.follow()
        return value

    def _by_place(self, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...] | None:
        """All arguments by their place; None where that cannot be."""
        if not named:
            return args
        try:
            bound = self.__signature__.bind(*args, **named)
        except (TypeError, ValueError):
            return None
        return None if bound.kwargs else bound.args

    @property
    def slot(self) -> Slot:
        """The name it serves under, and its version."""
        return self._slot

    @property
    def function(self) -> Any:
        """The plain function that serves now, also while its calls are timed."""
        return plain(self._slot.version).function  # type: ignore[attr-defined]  # as above

    def held_text(self) -> Any:
        """The text that serves, for functions that use this one and are sent into the sandbox."""
        return self._slot.version.text  # type: ignore[attr-defined]  # as above

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(self.function)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") and not name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.function, name)

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        """A method, where it was put into a class, as a function is."""
        return self if owner is None else types.MethodType(self, owner)

    def __reduce__(self) -> str:
        """By its name, as functions are pickled."""
        return self.__qualname__

    def __repr__(self) -> str:
        served = "evolved" if self.function is not self.__wrapped__ else "as written"
        return f"<python function {self.__name__}{self.__signature__}, {served}>"
