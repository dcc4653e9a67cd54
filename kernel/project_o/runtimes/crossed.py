"""A native build that serves the name of a Python function, with that function behind it.

A call whose arguments are exactly of the types that were translated goes to the native build. Any other call goes to
the Python function, and so does one that the native build ends in any way but by a value: it declines where Python goes
further than 64 bits, an error has the class and the words of Python's when Python raises it, and a translation never
writes into its arguments, so that asking again is safe.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import InterfaceError, NativeError
from ..languages.translated import NUMPY_NUMBER

if TYPE_CHECKING:
    from ..values import Artifact, NativeType, Program
    from .python_version import PythonVersion
    from .seam import Runtime, Version


def crossed(version: Version, cell: Program | None, own: Callable[[str], Runtime]) -> Version:
    """The version as it serves: behind it the Python function of its cell, where the cell is one."""
    if cell is None or cell.language != "python" or version.artifact.program.language == "python":
        return version
    return CrossedVersion(version, own(cell.language).version(cell, trial=False))  # type: ignore[arg-type]


class CrossedVersion:
    """``function`` is what a call of the name runs; ``called_as`` is the interface that its callers know."""

    def __init__(self, native: Version, python: PythonVersion) -> None:
        self.artifact: Artifact = native.artifact
        self.native, self.python = native, python
        self.called_as = python.artifact.interface
        self.text = python.text
        self._made: Any = None

    @property
    def function(self) -> Any:
        """The function. Raises DeployError in a kernel in which the user's own has not been defined yet."""
        if self._made is None:
            self._made = _guarded(self.native, self.python.function, self.python.text.name)
        return self._made

    def call(self, name: str, args: Sequence[Any]) -> Any:
        """Call it."""
        return self.function(*args)


def _guarded(native: Version, python: Callable[..., Any], name: str) -> Callable[..., Any]:
    import numpy as np

    signature = native.artifact.interface.function(name)
    names = tuple(item for item, _ in signature.parameters)
    wanted = tuple(_test_of(kind) for _, kind in signature.parameters)
    returned = returned_by(signature.doc)
    ndarray, call = np.ndarray, native.call

    def fits(args: Sequence[Any]) -> bool:
        if len(args) != len(wanted):
            return False
        for value, (kind, dtype) in zip(args, wanted, strict=True):
            if type(value) is not kind or (kind is ndarray and _another(value, dtype)):
                return False
        return True

    @functools.wraps(python)
    def function(*args: Any, **named: Any) -> Any:
        given = args
        if named and len(args) + len(named) == len(names):
            given = (*args, *(named.get(item) for item in names[len(args) :]))
        if fits(given):
            try:
                return returned(call(name, given))
            except (InterfaceError, NativeError):
                pass
        return python(*args, **named)

    return function


def _another(array: Any, dtype: Any) -> bool:
    return bool(array.dtype != dtype or array.ndim != 1)


def _test_of(kind: NativeType) -> tuple[type, Any]:
    import numpy as np

    from ..abi import element_dtype

    if kind.kind == "slice":
        assert kind.child is not None, "a slice has elements"
        return np.ndarray, element_dtype(kind.child)
    return {"bool": bool, "int": int, "float": float}[kind.kind], None


def returned_by(doc: str) -> Callable[[Any], Any]:
    """What makes of a native result what the Python function returns: a number of numpy's, where it says so."""
    import numpy as np

    _, found, rest = doc.rpartition(NUMPY_NUMBER)
    made: Callable[[Any], Any] = getattr(np, rest.strip(".\n ")) if found else _as_it_is
    return made


def _as_it_is(value: Any) -> Any:
    return value
