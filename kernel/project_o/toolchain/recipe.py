"""What exactly is compiled, and the key that names the result."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..values import Program
from .dispatcher_source import ABI_NUMBER
from .places import ZIG_VERSION, template
from .sources import (
    CELL_FOLDER,
    HOST_FOLDER,
    LINE_OFFSET_FLAG,
    LOCKED_FLAG,
    checked_files,
    imported,
    libraries,
    machine_facts,
    write_file,
)

HOST_FILES = (
    "root.zig", "once.zig", "half.zig", "module.zig", "interface.zig", "state.zig", "panics.zig", "print.zig",
    "arena.zig", "o.zig"
)  # fmt: skip
CELL_PATH = f"{CELL_FOLDER}/cell.zig"
_OPTIMIZE = {"safe": "safe", "fast": "fast", "debug": "debug"}
WITHOUT_LINES = "-fstrip"
"""Among the flags of a build that has no debug information: see ``lines_later``."""
# Words of texts that take long to compile a second time, look at the debug information of their own program, or have
# other machine code without it: of hash maps LLVM makes that.
_KEEPS_LINES = ("http", "crypto", "compress", "debug", "builtin", "HashMap", "json", "MultiArrayList")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Files by their path in the build folder, the flags of each module, the libraries, and the lines put in front.

    ``locked`` is how the text is built, not what is built of it: such builds have keys of their own. So have those
    whose functions named in ``apart`` are in an object of their own: see ``halves``. ``lines`` says whether debug
    information is made.
    """

    files: tuple[tuple[str, str], ...]
    flags: tuple[str, ...]
    libraries: tuple[str, ...]
    line_offset: int
    locked: bool = False
    apart: tuple[str, ...] = ()
    lines: bool = True

    def without_lines(self) -> Recipe:
        """The same without debug information, which takes a sixth of the compiler's time; as it was where
        that has to be there from the beginning.
        """
        texts = [text for _, text in self.files]
        if self.locked or "debug" in self.flags or any(word in text for text in texts for word in _KEEPS_LINES):
            return self
        return replace(self, lines=False)

    @property
    def all_flags(self) -> tuple[str, ...]:
        """The flags of each module."""
        return self.flags if self.lines else (*self.flags, WITHOUT_LINES)

    @property
    def key(self) -> str:
        """SHA-256 over everything that the result depends on, as 64 hexadecimal digits."""
        return _key(self)

    @property
    def shown_flags(self) -> tuple[str, ...]:
        """The flags as an Artifact carries them; the last one says how many lines stand before the cell's text."""
        how = (LOCKED_FLAG,) if self.locked else ()
        return (*self.all_flags, *self.libraries, *how, f"{LINE_OFFSET_FLAG}{self.line_offset}")

    def arguments(
        self, zig: Path, output: str, *, compiler_rt: bool, global_cache: Path, places: tuple[str, ...] = ()
    ) -> tuple[str, ...]:
        """The compiler's command line; flags come before each module because they are the module's own. ``places`` are
        the words that say where the C library is (see ``libc``), and which library of Zig's to use (see ``bare``).
        """
        # fmt: off
        return (
            str(zig), "build-lib", "-dynamic", "--name", "cell", f"-femit-bin={output}",
            "-fcompiler-rt" if compiler_rt else "-fno-compiler-rt", *places, *self.libraries,
            *self._common(HOST_FOLDER, global_cache),
        )
        # fmt: on

    def object_arguments(
        self, zig: Path, name: str, host: str, *, global_cache: Path, places: tuple[str, ...] = ()
    ) -> tuple[str, ...]:
        """The same for an object of that name, with the files around the cell from the folder ``host``."""
        # fmt: off
        return (
            str(zig), "build-obj", "-fPIC", "--name", name, f"-femit-bin={name}.o", "-fno-compiler-rt", *places,
            *self._common(host, global_cache),
        )
        # fmt: on

    def _common(self, host: str, global_cache: Path) -> tuple[str, ...]:
        flags = self.all_flags
        # fmt: off
        return (
            "--color", "off", "-lc", "--cache-dir", "cache", "--global-cache-dir", str(global_cache),
            *flags, "--dep", "cell", f"-Mroot={host}/root.zig",
            *flags, *self.needs(), f"-Mcell={CELL_PATH}",
            *flags, f"-Mo={host}/o.zig",
            *self.imports(flags),
        )
        # fmt: on

    def needs(self, but: str = "") -> tuple[str, ...]:
        """What a module of the cell's may import by name: the views, and the programs that came along."""
        names = ("o", *(name for name, _ in imported(self.files) if name != but))
        return tuple(word for name in names for word in ("--dep", name))

    def imports(self, flags: tuple[str, ...]) -> tuple[str, ...]:
        """The programs that came along, each a module of its own."""
        return tuple(
            word for name, path in imported(self.files) for word in (*flags, *self.needs(name), f"-M{name}={path}")
        )

    def write(self, folder: Path, hosts: tuple[str, ...] = (HOST_FOLDER,)) -> None:
        """Put all files into the build folder; those around the cell into each of the folders ``hosts``."""
        for host in hosts:
            for name in HOST_FILES:
                write_file(folder / host / name, template(name))
        for path, text in self.files:
            write_file(folder / path, text)


@lru_cache(maxsize=64)
def _key(wanted: Recipe) -> str:
    digest = _of_every_build().copy()
    body = [wanted.files, wanted.flags, wanted.libraries, *((LOCKED_FLAG,) if wanted.locked else ())]
    body += [("apart", wanted.apart)] if wanted.apart else []
    body += [WITHOUT_LINES] if not wanted.lines else []
    digest.update(json.dumps(body, ensure_ascii=False).encode())
    return str(digest.hexdigest())


@lru_cache(maxsize=1)
def _of_every_build() -> Any:
    host = [(name, template(name)) for name in HOST_FILES]
    body = [ABI_NUMBER, ZIG_VERSION, host, machine_facts()]
    return hashlib.sha256(json.dumps(body, ensure_ascii=False).encode())


def recipe(program: Program, line_offset: int = 0, *, locked: bool = False) -> Recipe:
    """What to compile for a program. Raises UsageError and CompileError for what no compiler should see."""
    if program.language != "zig":
        raise UsageError(f"{program.name} is a {program.language} program: only zig can be compiled here")
    return Recipe(
        files=checked_files(program, "cell.zig", line_offset),
        # Stacks are walked by their frame pointers; tables for it as well would take a tenth of the compiler's time.
        flags=("-O", _OPTIMIZE[program.mode], "-fno-omit-frame-pointer", "-fno-unwind-tables"),
        libraries=libraries(program),
        line_offset=line_offset,
        locked=locked,
    )
