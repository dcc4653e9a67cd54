"""What the name of an evolved Python function holds: a callable that follows what serves."""

from __future__ import annotations

import inspect
import types
from typing import Any

from .handles import Slot
from .sampling import plain


class PythonFunction:
    """A Python function whose text may be swapped between two calls. ``__wrapped__`` is the user's own definition.

    It has the name, documentation, signature and attributes of the function that serves, is called as it is, and
    raises what it raises.
    """

    def __init__(self, slot: Slot, original: types.FunctionType) -> None:
        self._slot = slot
        self._seen = False
        self.__wrapped__ = original
        self.__name__ = original.__name__
        self.__qualname__ = original.__qualname__
        self.__module__ = original.__module__
        self.__doc__ = original.__doc__

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call what serves."""
        remember = None if self._seen or named else self._slot.observed.look(self.__name__, args)
        value = self._slot.version.function(*args, **named)  # type: ignore[attr-defined]  # a version of Python
        if remember is not None:
            remember()
            self._seen = True
        return value

    @property
    def slot(self) -> Slot:
        """The name it serves under, and its version."""
        return self._slot

    @property
    def function(self) -> Any:
        """The plain function that serves now, whoever else is at work beside it."""
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
