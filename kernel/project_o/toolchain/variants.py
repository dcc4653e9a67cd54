"""Several variants of one text in one compilation: what the compiler does once for each build, it does once for all.
Many of them are shared out among the processors, a compilation each.

One of them can see the others' constants and functions, and one that does not come to an end holds up all: so this is
for one accepted text with other values of its declared parameters, and for nothing else. Whoever calls ``Variants`` has
made sure of that. The builds are for looking at many of them: they carry no line table, are not in the cache, and last
as long as the object. What is to serve, or is measured for a verdict, is built alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .. import abi, limits
from ..errors import CompileError, ToolchainError
from ..values import Artifact, Program
from . import diagnostics, elf
from .bare import bare, lacks
from .build import TOOLCHAIN, Names, headline, named
from .compiler import Job, build_folder, run
from .libc import told
from .locked import zig_cache
from .places import locate, template
from .recipe import Recipe, recipe
from .sources import CELL_FOLDER, HOST_FOLDER, write_file
from .symbols import Symbols

_ROOT, _OTHERS, _OUTPUT = "variants.zig", "others.zig", "library.so"
_CALL = "o_cell_"
_STRIP = "-fstrip"


class Variants:
    """The builds of ``programs``: ``found`` has for each of them, in order, an artifact, the CompileError that it has,
    or None where it has to be built alone.

    Raises ToolchainMissing, ToolchainError, UsageError.
    """

    def __init__(self, programs: Sequence[Program], names: Names | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="project-o-variants-", ignore_cleanup_errors=True)
        self._names = names or {}
        self._programs = programs
        self._recipes = [recipe(program) for program in programs]
        self.found: list[Artifact | CompileError | None] = [None] * len(programs)
        left = [k for k, wanted in enumerate(self._recipes) if not wanted.libraries and len(wanted.files) == 1]
        parts = _parts(left)
        nobody, told = os.pipe()  # its other end is closed where nobody wants them any more
        try:
            with ThreadPoolExecutor(len(parts), thread_name_prefix="project-o-variants") as threads:
                try:
                    for made in [threads.submit(self._make, part, nobody) for part in parts]:
                        made.result()
                except BaseException:
                    os.close(told)
                    told = -1
                    raise
        finally:
            os.close(nobody)
            if told >= 0:
                os.close(told)

    def _make(self, left: list[int], nobody: int) -> None:
        """Build those with these numbers in one compilation."""
        while len(left) > 1:  # one alone is built as ever
            try:
                data, seconds = self._compiled([self._recipes[k] for k in left], nobody)
            except _SomeFailed as failed:
                for place, error in failed.errors.items():
                    self.found[left[place]] = error
                left = [k for place, k in enumerate(left) if place not in failed.errors]
                continue
            image, symbols = elf.Library(data), Symbols(data)
            for place, k in enumerate(left):
                self.found[k] = self._artifact(k, image, symbols, place, seconds)
            return

    def _compiled(self, recipes: Sequence[Recipe], nobody: int) -> tuple[bytes, float]:
        """The bytes of one library for all, and how long the compiler took. Raises _SomeFailed."""
        folder = build_folder()
        seconds = 0.0
        try:
            _write(recipes, folder)
            less = bare((wanted.files[0][1] for wanted in recipes), recipes[0].flags)
            compiler_rt = False
            while True:
                kept, _ = zig_cache(recipes[0], compiler_rt=compiler_rt)
                command = _command(recipes, kept, (*told(), *less), compiler_rt=compiler_rt)
                finished = run(Job(command, folder, stop=nobody))
                seconds += finished.seconds
                if finished.code != 0 and less and lacks(finished.errors):
                    less = ()
                    continue
                if finished.code != 0:
                    raise _failed(finished.errors, recipes)
                data = (folder / _OUTPUT).read_bytes()
                if compiler_rt or not elf.missing_helpers(elf.Library(data)):
                    return data, seconds
                less, compiler_rt = (), True
        except OSError as error:
            raise ToolchainError(f"the build cannot write below {folder.parent} ({error}): free some space") from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _artifact(self, k: int, image: elf.Library, symbols: Symbols, place: int, seconds: float) -> Artifact | None:
        mine, wanted = _of(symbols, place), self._recipes[k]
        if mine is None:
            return None
        description: dict[str, Any] = json.loads(image.text(_prefix(place) if place else "o_description"))
        if not description["functions"]:
            return None  # the build of its own says what is the matter
        path = Path(self._folder.name) / f"{k}.so"
        path.write_bytes(mine)
        return Artifact(
            program=self._programs[k],
            key=hashlib.sha256(f"variant\0{wanted.key}".encode()).hexdigest(),
            path=str(path),
            interface=named(abi.interface_from_json(description), self._names, wanted.line_offset),
            toolchain=TOOLCHAIN,
            flags=(*wanted.shown_flags, _STRIP),
            size_bytes=len(mine),
            seconds=seconds,
            cached=False,
        )


def _parts(numbers: Sequence[int]) -> list[list[int]]:
    """One part for each processor, where all of them are large: what the compiler does once, each part does again."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    count = max(1, min(processors, len(numbers) // limits.VARIANTS_TOGETHER_MIN))
    return [list(numbers[k::count]) for k in range(count)]


class _SomeFailed(Exception):  # noqa: N818 - the others go on
    """The errors of those variants that do not compile, by their place."""

    def __init__(self, errors: dict[int, CompileError]) -> None:
        super().__init__()
        self.errors = errors


def _path(place: int) -> str:
    return f"{CELL_FOLDER}/cell.zig" if place == 0 else f"variants/{place}.zig"


def _prefix(place: int) -> str:
    return f"o_variant_{place}"


def _write(recipes: Sequence[Recipe], folder: Path) -> None:
    recipes[0].write(folder)
    write_file(folder / HOST_FOLDER / _ROOT, template(_ROOT))
    others = ", ".join(f'@import("v{place}")' for place in range(1, len(recipes)))
    write_file(folder / HOST_FOLDER / _OTHERS, f"pub const all = [_]type{{ {others} }};\n")
    for place, wanted in enumerate(recipes[1:], 1):
        write_file(folder / _path(place), wanted.files[0][1])


def _command(
    recipes: Sequence[Recipe], global_cache: Path, places: tuple[str, ...], *, compiler_rt: bool
) -> tuple[str, ...]:
    flags = (*recipes[0].flags, _STRIP)
    names = ["cell", *(f"v{place}" for place in range(1, len(recipes)))]
    texts = [word for place, name in enumerate(names) for word in (*flags, "--dep", "o", f"-M{name}={_path(place)}")]
    # fmt: off
    zig = locate()
    return (
        str(zig), "build-lib", "-dynamic", "--name", "cell", f"-femit-bin={_OUTPUT}", "--color", "off",
        "-lc", "-fcompiler-rt" if compiler_rt else "-fno-compiler-rt", *places,
        "--cache-dir", "cache", "--global-cache-dir", str(global_cache),
        *flags, *(word for name in names for word in ("--dep", name)), f"-Mroot={HOST_FOLDER}/{_ROOT}",
        *texts, *flags, f"-Mo={HOST_FOLDER}/o.zig",
    )
    # fmt: on


def _failed(output: str, recipes: Sequence[Recipe]) -> Exception:
    """_SomeFailed where the errors are those of variants, each seen as if its text were the cell's."""
    errors = {}
    for place, wanted in enumerate(recipes):
        found = [item for item in diagnostics.read(output, {_path(place): wanted.files[0][1]}, {}) if item.line]
        if found:
            errors[place] = CompileError(headline(found), tuple(found))
    if errors:
        return _SomeFailed(errors)
    return ToolchainError(f"several variants at once do not compile, which is not their fault: {output.strip()[-500:]}")


def _of(symbols: Symbols, place: int) -> bytes | None:
    """The library in which the usual names are those of one variant; None where it does not offer the same."""
    if place == 0:
        return symbols.changed({})
    known, prefix = symbols.meanings, _prefix(place)
    usual = {name: name.removeprefix(_CALL) for name in known if name.startswith(_CALL)}
    if {f"{prefix}_{name}" for name in usual.values()} != {name for name in known if name.startswith(f"{prefix}_")}:
        return None
    mine = {name: known[f"{prefix}_{short}"] for name, short in usual.items()}
    return symbols.changed({**mine, "o_description": known[prefix]})
