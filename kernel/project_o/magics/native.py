"""``%%zig`` and ``%%rust``: native cells."""

from __future__ import annotations

import builtins
import warnings
from collections.abc import Callable
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, TypeVar

from IPython.core.magic import Magics, cell_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments
from IPython.display import publish_display_data

from ..errors import ToolchainMissing
from .arguments import identifier, parsed, seconds
from .report import reported
from .session import Session

if TYPE_CHECKING:
    from argparse import Namespace

    from ..deploy import NativeModule

Magic = TypeVar("Magic", bound=Callable[..., Any])

_OPTIONS = (
    argument("name", nargs="?", default="", help="bind the functions to this one name, as its attributes"),
    argument("--mode", choices=("safe", "fast", "debug"), help="safe keeps the language's checks and is the default"),
    argument("--isolate", action="store_true", help="run every call in a worker process that may die"),
    argument("--timeout", default="", metavar="TIME", help="end a call that takes longer, such as 500ms or 2s"),
    argument("--no-trial", action="store_true", help="do not try the first call in the sandbox"),
    argument("--nogil", action="store_true", help="let other threads of Python run during short calls too"),
    argument("--test", action="store_true", help="run the cell's tests and fail the cell if one fails"),
    argument("--fresh", action="store_true", help="serve this text, also where an evolved version of it was accepted"),
    argument("--optional", action="store_true", help="where the compiler is missing say so in one line, and go on"),
    argument("--annotate", action="store_true", help="show the assembly of each function beside its source"),
    argument("--link", nargs="+", action="extend", default=[], metavar="LIB", help="link a system library"),
)


def _options(magic: Magic) -> Magic:
    """The options that the cells of every native language take."""
    for option in reversed(_OPTIONS):
        magic = option(magic)
    return magic


@magics_class
class NativeMagics(Magics):
    """Native cells."""

    def __init__(self, session: Session) -> None:
        super().__init__(session.shell)
        self.session = session

    @magic_arguments("%zig")
    @_options
    @cell_magic
    @reported
    def zig(self, line: str, cell: str) -> NativeModule | None:
        """Compile Zig and call it at once: every ``pub fn`` whose types can be mapped becomes a Python function.

        ``[]const T`` is an array that is read, ``[]T`` one that is written in place or a new one as a result,
        ``[]const u8`` text or bytes, ``?T`` a value or None, ``E!T`` a value or an exception; a struct is a named
        tuple, an enum an ``enum.IntEnum``. ``const o = @import("o");`` brings ``o.Matrix(T)`` and ``o.View(T, n)`` for
        arrays of more dimensions; memory for a result comes from a parameter of type ``std.mem.Allocator``.

        ``const lanes = 8; // o: 4 8 16 32`` declares a parameter that ``%evolve`` may choose.

        A failed check, a wild access and an error value are exceptions that name the line; ``docs/native.md`` has all.
        """
        return self._cell("zig", parsed(self.zig, line), cell)

    @magic_arguments("%rust")
    @_options
    @argument("--dep", nargs="+", action="extend", default=[], metavar="CRATE", help="a crate, as 'rand = \"0.9\"'")
    @cell_magic
    @reported
    def rust(self, line: str, cell: str) -> NativeModule | None:
        """Compile Rust and call it at once: every ``pub fn`` whose types can be mapped becomes a Python function.

        ``&[T]`` is an array that is read, ``&mut [T]`` one that is written in place, ``Vec<T>`` a new one, ``&str``
        text, ``Option<T>`` a value or None, ``Result<T, E>`` a value or an exception; a struct is a named tuple, an
        enum an ``enum.IntEnum``. ``o::View2<T>`` and ``o::View<T, N>`` are arrays of more dimensions, ``o::F16`` is
        float16.

        ``const LANES: usize = 8; // o: 4 8 16 32`` declares a parameter that ``%evolve`` may choose. The compiler is
        ``rustc``; crates that ``--dep`` names are fetched and compiled by ``cargo``.
        """
        return self._cell("rust", parsed(self.rust, line), cell)

    def _cell(self, language: str, chosen: Namespace, cell: str) -> NativeModule | None:
        name = identifier(chosen.name) if chosen.name else ""
        try:
            return self._served(language, name, chosen, cell)
        except ToolchainMissing as missing:
            if not chosen.optional:
                raise
            print(f"skipped: {missing}")  # noqa: T201 - the one line that was asked for
            if name:
                self.session.shell.user_ns[name] = None  # for `if NAME is not None:` in the cells that follow
            return None

    def _served(self, language: str, name: str, chosen: Namespace, cell: str) -> NativeModule:
        from ..toolchain import dispatcher

        dispatcher.allow(self.session.setting("dispatcher"))
        module = self.session.flow.cell(
            "\n" + cell,  # the magic's own line is line 1, so every line number is the cell's
            language,
            name,
            mode=chosen.mode or self.session.setting("mode"),
            trial=self.session.setting("trial") and not chosen.no_trial,
            isolate=chosen.isolate,
            nogil=chosen.nogil,
            timeout=seconds(chosen.timeout) if chosen.timeout else 0.0,
            links=tuple(chosen.link),
            crates=tuple(getattr(chosen, "dep", ())),
            tests=chosen.test,
            fresh=chosen.fresh,
        )
        bind(self.session.shell.user_ns, module, name)
        if chosen.annotate:
            self._annotate(module)
        return module

    def _annotate(self, module: NativeModule) -> None:
        """Show the assembly of what serves."""
        from .. import toolchain, view
        from ..sandbox import shared_builder

        artifact = module.slot.version.artifact
        program, box = artifact.program, shared_builder() if toolchain.LOCKED_FLAG in artifact.flags else None
        assembly = toolchain.annotate(program, box=box)
        shown = view.show_annotation(
            program.name, program.source, assembly, detail=f"{artifact.toolchain}, {program.mode}"
        )
        publish_display_data(shown.bundle())


def bind(namespace: dict[str, Any], module: NativeModule, name: str) -> None:
    """Put NAME, or without a name each function and each type, into the namespace; warn before something else is
    overwritten."""
    from ..deploy import NativeFunction, NativeModule

    types = set() if name else set(dir(module)) - set(module)
    functions = {name: module} if name else {function: NativeFunction(module.slot, function) for function in module}
    for key, value in {**{kind: getattr(module, kind) for kind in types}, **functions}.items():
        old = namespace.get(key)
        if key in types and (old is value or getattr(old, "__module__", "") == value.__module__):
            namespace[key] = value
            continue
        if isinstance(old, (NativeFunction, NativeModule)):
            if type(old) is type(value) and old.slot is value.slot:
                continue  # the object the user already holds follows its slot
        elif key in namespace:
            was = type(old).__name__
            _warn(f"{key} was {was} and is now native: give the cell a NAME to keep it")
        elif not key.isidentifier() or iskeyword(key):
            _warn(f"Python cannot spell {key}: give the cell a NAME, and ask for it by getattr")
        elif hasattr(builtins, key):
            _warn(f"{key} now hides Python's own {key}: give the cell a NAME to keep it")
        namespace[key] = value


def _warn(text: str) -> None:
    """A warning at the cell's first line: a line of ours would tell nobody anything."""
    warnings.warn_explicit(text, UserWarning, "cell", 1)
