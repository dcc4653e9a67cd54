"""What a user holds: objects that stay the same while the version behind them is swapped."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

from ..abi import bind, spell
from ..errors import DeployError, InterfaceError, NativeError
from ..values import Artifact
from ..values import NativeFunction as Signature
from .observed import Observed


class Version(Protocol):
    """One loaded build: whoever reads it keeps it alive for the call."""

    artifact: Artifact

    def call(self, name: str, args: Sequence[Any]) -> Any:
        """Call one of its functions."""


@runtime_checkable
class Provisional(Protocol):
    """A version that serves until a better build of the same program is there."""

    def then(self, take: Callable[[Version], bool]) -> None:
        """Call ``take`` with that build, in another thread; it says whether it was taken."""


class Slot:
    """The one mutable place: which version serves a name. Reading and writing it are single, atomic steps.

    ``note`` says where what serves is not what the cell says; ``observed`` remembers the first calls.
    """

    __slots__ = ("name", "note", "observed", "version")

    def __init__(self, name: str, version: Version) -> None:
        self.name = name
        self.note = ""
        self.observed = Observed()
        self.version = version


class NativeFunction:
    """A native function as Python calls it. The version behind it may be swapped between two calls.

    Raises InterfaceError for arguments that do not fit, NativePanic and NativeFault for a call that native code
    ended, NativeResultError for an error value that it returned.
    """

    def __init__(self, slot: Slot, name: str) -> None:
        self._slot = slot
        self.__name__ = name
        self.__qualname__ = name

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call it. Arrays are passed without a copy."""
        version = self._slot.version
        if named:
            args = bind(self.native, args, named)
        if self.__name__ not in self._slot.observed.calls:
            self._slot.observed.see(self.__name__, args)
        try:
            return version.call(self.__name__, args)
        except (NativeError, InterfaceError) as error:
            # What happened is in the message; the frames below this one are ours and tell the user nothing.
            raise error.with_traceback(None) from None

    @property
    def slot(self) -> Slot:
        """The name it serves under, and its version."""
        return self._slot

    @property
    def native(self) -> Signature:
        """Its native signature. Raises DeployError when the serving version has no such function."""
        try:
            return self._slot.version.artifact.interface.function(self.__name__)
        except KeyError:
            raise DeployError(
                f"the version that serves {self._slot.name} has no function {self.__name__}: run its cell again"
            ) from None

    @property
    def __doc__(self) -> str:  # type: ignore[override]  # the documentation is the serving version's
        return self.native.doc

    @property
    def __signature__(self) -> inspect.Signature:
        native = self.native
        return inspect.Signature(
            [
                inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=spell(kind))
                for name, kind in native.parameters
            ],
            return_annotation=spell(native.result),
        )

    def __repr__(self) -> str:
        native = self.native
        parameters = ", ".join(f"{name}: {spell(kind)}" for name, kind in native.parameters)
        language = self._slot.version.artifact.program.language
        return f"<{language} function {self.__name__}({parameters}) -> {spell(native.result)}>"


class NativeModule:
    """The functions of one native program, as attributes. This is the value of a native cell."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot

    @property
    def __name__(self) -> str:
        return self._slot.name

    @property
    def slot(self) -> Slot:
        """The name it serves under, and its version."""
        return self._slot

    def __getattr__(self, name: str) -> NativeFunction:
        if name.startswith("__") or name == "_slot":
            raise AttributeError(name)
        if name not in dir(self):
            raise AttributeError(f"{self._slot.name} has no function {name}: it has {', '.join(self)}")
        return NativeFunction(self._slot, name)

    def __dir__(self) -> list[str]:
        return [function.name for function in self._slot.version.artifact.interface.functions]

    def __iter__(self) -> Iterator[str]:
        return iter(dir(self))

    def __len__(self) -> int:
        return len(dir(self))

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call the function where there is just one."""
        names = dir(self)
        if len(names) != 1:
            raise InterfaceError(
                f"{self._slot.name} has {len(names)} functions: call {self._slot.name}.{names[0]}(...)"
            )
        return NativeFunction(self._slot, names[0])(*args, **named)

    def __repr__(self) -> str:
        program = self._slot.version.artifact.program
        return f"<{program.language} module {self._slot.name}: {', '.join(self)}>"
