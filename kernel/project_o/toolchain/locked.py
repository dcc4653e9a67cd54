"""A build of a text that nobody has read: its compiler runs in the sandbox, and what it made is looked at before it is
kept."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import abi, limits
from ..errors import CompileError, ToolchainError
from ..values import Diagnostic
from . import cache, elf
from .compiler import Finished, Job, Runner, build_folder, run
from .places import locate
from .recipe import CELL_PATH, Recipe

if TYPE_CHECKING:
    from ..sandbox import Sandbox
    from ..sandbox.build import Built

_NOTHING = "pub fn nothing() void {}\n"
_ADVICE = {
    "memory": "make what is computed at compile time smaller",
    "scratch-quota": "make what is computed at compile time smaller",
    "result-cap": "make its tables smaller",
    "output-cap": "let it print less at compile time",
    "processes": "let it do less at compile time",
}
_ALWAYS_THERE = re.compile(
    r"lib(?:c|m|pthread|dl|rt|util|gcc_s|std-[0-9a-f]+|c\.musl-\w+)\.so(?:\.\d+)*|ld-[\w-]+\.so(?:\.\d+)*"
)
_CALLED = "o_cell_"
_COPIED_CACHE = "zig"


class Locked:
    """A runner of compilers that takes the job's folder into the sandbox's build profile, and back what is wanted.

    What a text does there to its compiler costs its own build alone: that is a CompileError with what to do next.
    """

    def __init__(self, box: Sandbox, language: str) -> None:
        self._box, self._language = box, language

    def __call__(self, job: Job) -> Finished:
        """Run to the end. Raises CompileError, ToolchainError; SandboxError where nothing can be locked."""
        built = self._box.build(
            job.argv,
            {path.relative_to(job.folder).as_posix(): path.read_bytes() for path in _files(job.folder)},
            outputs=job.outputs,
            environment=job.environment,
            readable=[str(Path(program).parent / "lib") for program in job.programs],
            executable=job.programs,
            copies=job.copies,
            place=job.place,
        )
        if built.ended:
            raise self._stopped(built)
        for name, data in built.files.items():
            (job.folder / name).write_bytes(data)
        if built.code == 0 and (missing := [name for name in job.outputs if name not in built.files]):
            raise ToolchainError(f"the compiler made no {missing[0]}, and does not say why: build it again")
        return Finished(built.code, built.errors, built.wall_seconds)

    def _stopped(self, built: Built) -> ToolchainError:
        if built.ended == "helper":
            return ToolchainError(f"nothing was built: {built.why}")
        told = f"the build was stopped: {built.why}"
        if built.ended in _ADVICE:
            told = f"{told}: {_ADVICE[built.ended]}"
        return CompileError(told, (Diagnostic("error", told),), self._language)


def runner_in(box: Sandbox | None, language: str) -> Runner:
    """What runs the compiler: this process with the user's rights, or a sandbox."""
    return run if box is None else Locked(box, language)


def _files(folder: Path) -> list[Path]:
    """What we wrote there: links are not followed."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]


# ------------------------------------------------------------------------------- what comes out


def check_output(data: bytes, library: elf.Library, description: Mapping[str, Any], linked: Sequence[str]) -> None:
    """Look at what was built of a text that nobody has read, without running any of it.

    ``linked`` are the libraries that the program names, as ``-lNAME``. Raises CompileError where it wants others,
    ToolchainError where it is too large, or does not have what it says that it has.
    """
    if len(data) > limits.LOCKED_LIBRARY_BYTES_MAX:
        most = limits.LOCKED_LIBRARY_BYTES_MAX >> 20
        raise ToolchainError(f"the build has {len(data):,} bytes, at most {most} MiB are kept: make its tables smaller")
    if not library.shared:
        raise ToolchainError("the compiler's output is no shared library: build it again")
    named = tuple(f"lib{name.removeprefix('-l')}.so" for name in linked)
    for wanted in library.needed:
        if not (_ALWAYS_THERE.fullmatch(wanted) or wanted.startswith(named)):
            told = (
                f"it wants the library {wanted}, which the program does not name: do without it, or let the cell name "
                "it with --link"
            )
            raise CompileError(told, (Diagnostic("error", told),))
    offered = {f"{_CALLED}{item.name}" for item in _interface(description).functions}
    there = {symbol.name for symbol in library.symbols if symbol.defined and symbol.name.startswith(_CALLED)}
    if offered != there:
        odd = ", ".join(sorted(offered ^ there))
        raise ToolchainError(f"the build says that it has other functions than it has ({odd}): leave those names alone")


def _interface(description: Mapping[str, Any]) -> Any:
    try:
        return abi.interface_from_json(dict(description))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise ToolchainError("the build does not describe itself in words that can be read: build it again") from None


# ------------------------------------------------------------------------------- what goes in


def zig_cache(wanted: Recipe, *, compiler_rt: bool) -> tuple[Path, dict[str, Path]]:
    """Where Zig finds its own cache in a build, and what is to be copied there.

    A locked build has a copy and keeps nothing. So that it need not read the whole standard library each time, what
    every build needs is in the original, made from a text of ours.
    """
    folder = cache.compiler_cache()
    if not wanted.locked:
        return folder, {}
    with suppress(ToolchainError):  # then the build takes longer, and its own compiler says what is wrong
        _fill(replace(wanted, files=((CELL_PATH, _NOTHING),), libraries=()), folder, folder.stat().st_ino, compiler_rt)
    return Path(_COPIED_CACHE), {_COPIED_CACHE: folder}


@lru_cache(maxsize=16)
def _fill(wanted: Recipe, kept: Path, _made: int, compiler_rt: bool) -> None:  # noqa: FBT001 - part of the key
    folder = build_folder()
    try:
        wanted.write(folder)
        run(Job(wanted.arguments(locate(), "nothing.so", compiler_rt=compiler_rt, global_cache=kept), folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
