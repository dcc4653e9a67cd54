"""What a user holds: objects that stay the same while the version behind them is swapped."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Protocol, Self, TypeGuard
from weakref import ref

from .. import limits
from ..abi import bind, classes, dispatch, spell, spell_parameter
from ..errors import DeployError, InterfaceError, NativeError, UsageError
from ..values import Artifact
from ..values import NativeFunction as Signature
from .observed import Observed


class Version(Protocol):
    """One loaded build: whoever reads it keeps it alive for the call.

    One whose functions the dispatcher may call also has ``entry(name)``: how it calls that function from now on, None
    where it cannot or not yet. Such a version retires its entries before it is gone.
    """

    artifact: Artifact

    def call(self, name: str, args: Sequence[Any]) -> Any:
        """Call one of its functions."""


class Follower(Protocol):
    """What keeps the version that serves, and so has to hear of another one."""

    def follow(self) -> None:
        """Another version serves."""


class Provisional(Protocol):
    """A version that serves until a better build of the same program is there."""

    def then(self, take: Callable[[Version], bool]) -> None:
        """Call ``take`` with that build, in another thread; it says whether it was taken."""


def is_provisional(version: object) -> TypeGuard[Provisional]:
    """Whether it is one. Asking for it as for a class takes longer than to look a cell up."""
    return hasattr(version, "then")


class Slot:
    """The one mutable place: which version serves a name. Reading and writing it are single, atomic steps.

    ``note`` says where what serves is not what the cell says; ``observed`` remembers the first calls; ``handles`` are
    what a module of it has as attributes; ``followers`` are told when another version serves.
    """

    __slots__ = ("__weakref__", "_serving", "followers", "handles", "name", "note", "observed")

    def __init__(self, name: str, version: Version) -> None:
        self.name = name
        self.note = ""
        self.observed = Observed()
        self.handles: dict[str, Any] = {}
        self.followers: tuple[ref[Follower], ...] = ()
        self._serving = version

    @property
    def version(self) -> Version:
        """The version that serves."""
        return self._serving

    @version.setter
    def version(self, version: Version) -> None:
        # The dispatcher looks at this very place at each call.
        self._serving = version
        offered = {function.name for function in version.artifact.interface.functions}
        for name, value in list(self.handles.items()):
            if isinstance(value, NativeFunction) and name not in offered:
                self.handles.pop(name, None)
        for follower in self.followers:
            if (still := follower()) is not None:
                still.follow()

    def lead(self, follower: Follower) -> None:
        """Tell it of each version from now on, as long as somebody holds it."""
        self.followers = (*(one for one in self.followers if one() is not None), ref(follower))
        follower.follow()

    def function(self, name: str) -> NativeFunction:
        """The one handle of a function that all modules share."""
        found = self.handles.get(name)
        if isinstance(found, NativeFunction):
            return found
        made = NativeFunction(self, name)
        if type(made) is not NativeFunction:  # until there is a dispatcher each look-up asks for it again
            self.handles[name] = made
        return made


class NativeFunction:
    """A native function as Python calls it. The version behind it may be swapped between two calls.

    Raises InterfaceError for arguments that do not fit, NativePanic and NativeFault for a call that native code
    ended, NativeResultError for an error value that it returned.

    Where there is a dispatcher this is also one of its functions: it makes the calls that it has an entry for, and
    leaves all others to ``_call``.
    """

    def __new__(cls, slot: Slot, name: str) -> Self:
        """One of the dispatcher's where there is one."""
        module = dispatch.made()
        if module is None or cls is not NativeFunction:
            return super().__new__(cls)
        made: Self = _dispatched_class(module)(slot, name)
        return made

    def __init__(self, slot: Slot, name: str) -> None:
        self._slot = slot
        self._seen = False
        self.__name__ = name
        self.__qualname__ = name
        # Python itself calls what the type has; this is for who looks at it, as IPython does for its tooltips.
        self.__dict__["__call__"] = _Called(slot, name)

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call it. Arrays are passed without a copy."""
        if type(self) is NativeFunction and dispatch.made() is not None:  # made before there was a dispatcher
            return self._slot.function(self.__name__)(*args, **named)
        version = self._slot._serving
        if named:
            args = bind(self.native, args, named)
        # One attribute is all that a later call pays for.
        remember = None if self._seen else self._slot.observed.look(self.__name__, args)
        try:
            value = version.call(self.__name__, args)
        except (NativeError, InterfaceError) as error:
            # What happened is in the message; the frames below this one are ours and tell the user nothing.
            raise error.with_traceback(None) from None
        except KeyboardInterrupt as stop:  # wherever among our frames it came
            raise KeyboardInterrupt(*(stop.args or (f"{self.__name__} was interrupted",))) from None
        if remember is not None:
            remember()
            self._seen = True
        return value

    _call = __call__

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
                inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=spell_parameter(kind))
                for name, kind in native.parameters
            ],
            return_annotation=spell(native.result),
        )

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __reduce__(self) -> Any:
        """By its text: see ``pickled``."""
        from .pickled import reduced

        return reduced(self._slot, self.__name__)

    def __repr__(self) -> str:
        native = self.native
        parameters = ", ".join(f"{name}: {spell_parameter(kind)}" for name, kind in native.parameters)
        language = self._slot.version.artifact.program.language
        return f"<{language} function {self.__name__}({parameters}) -> {spell(native.result)}>"


class _Called:
    """``function.__call__``: the signature is the function's own, where that of a type's slot says nothing."""

    __slots__ = ("_name", "_slot")
    __doc__ = None

    def __init__(self, slot: Slot, name: str) -> None:
        self._slot, self._name = slot, name

    def __call__(self, *args: Any, **named: Any) -> Any:
        return self._slot.function(self._name)(*args, **named)

    @property
    def __signature__(self) -> inspect.Signature:
        return self._slot.function(self._name).__signature__


@lru_cache(maxsize=1)
def _dispatched_class(module: Any) -> Any:
    """What the dispatcher calls and what Python shows, in one class."""
    kept_nanoseconds = int(limits.LOCK_KEPT_MICROSECONDS_MAX * 1000)
    module.prepare(Slot.__dict__["_serving"], limits.LOCK_KEPT_BYTES_MAX, kept_nanoseconds)
    module.look_up(NativeModule)
    # The documentation is a property, and a class of its own would hide it.
    body = {"__doc__": NativeFunction.__dict__["__doc__"], "__module__": NativeFunction.__module__}
    return module.adopt(type("NativeFunction", (module.Function, NativeFunction), body))


class NativeModule:
    """The functions of one native program, as attributes. This is the value of a native cell."""

    __slots__ = ("__dict__", "__weakref__", "_slot")

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        # All modules of a slot have the same attributes: a function that was looked up once is found at once.
        self.__dict__ = slot.handles

    @property
    def __name__(self) -> str:
        return self._slot.name

    @property
    def slot(self) -> Slot:
        """The name it serves under, and its version."""
        return self._slot

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_slot":
            raise AttributeError(name)
        if name not in self._functions():
            # The cell's own types: an enum, a struct.
            made = classes(self._slot.version.artifact.interface).get(name)
            if made is not None:
                return made
            skipped = dict(self._slot.version.artifact.interface.skipped).get(name)
            if skipped:
                raise AttributeError(f"{self._slot.name}.{name} cannot be called from Python: {skipped}")
            raise AttributeError(f"{self._slot.name} has no function {name}: it has {', '.join(self)}")
        return self._slot.function(name)

    def _functions(self) -> list[str]:
        return sorted(function.name for function in self._slot.version.artifact.interface.functions)

    def __dir__(self) -> list[str]:
        return [*self._functions(), *classes(self._slot.version.artifact.interface)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions())

    def __len__(self) -> int:
        return len(self._functions())

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call the function where there is just one."""
        names = self._functions()
        if len(names) != 1:
            raise InterfaceError(
                f"{self._slot.name} has {len(names)} functions: call {self._slot.name}.{names[0]}(...)"
            )
        return self._slot.function(names[0])(*args, **named)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __reduce__(self) -> Any:
        """By its text: see ``pickled``."""
        from .pickled import reduced

        return reduced(self._slot)

    def __repr__(self) -> str:
        program = self._slot.version.artifact.program
        return f"<{program.language} module {self._slot.name}: {', '.join(self)}>"


def named(target: NativeFunction | NativeModule) -> tuple[str, str | None]:
    """The name that it serves under, to evolve; and its own, where it is one function of several.

    Raises UsageError for what belongs to a library module: its text is that of a folder, which no cell has.
    """
    from ..toolchain.modules import Module

    slot = target.slot
    if isinstance(slot.version, Module):
        language = slot.version.artifact.program.language
        raise UsageError(
            f"{slot.name} is a library module, and what evolves is a cell: put what is to be better into "
            f"`%%{language} NAME`, evolve that, and take what it finds back into {slot.version.built.manifest.source}"
        )
    return slot.name, target.__name__ if isinstance(target, NativeFunction) else None
