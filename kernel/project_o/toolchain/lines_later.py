"""Debug information that is made when something has faulted.

It takes a sixth of the compiler's time, and a panic's line is all that is read from it: so a cell's optimised build has
none, and the text is built once more, with it, by the first error that asks for its line. The machine code is nearly
always the same, byte for byte. LLVM sometimes chooses other registers where debug information keeps a value alive, so
each function is compared, and what is in one that differs has no line.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from .. import limits
from ..errors import ProjectOError
from ..values import Artifact
from . import elf
from .build import published
from .compiler import Finished, Job, run
from .halves import apart
from .recipe import WITHOUT_LINES, Recipe, recipe
from .sources import LINE_OFFSET_FLAG

_TEXT = ".text"
_NOWHERE = 0
"""An offset at which no library has code."""


def with_lines(artifact: Artifact, frames: Sequence[int]) -> tuple[str, list[int]]:
    """The library in whose debug information to look for ``frames``, and these: offset 0 for one that says nothing
    there. It is the artifact's own library where that has debug information, or none can be made.
    """
    if WITHOUT_LINES not in artifact.flags:
        return artifact.path, list(frames)
    path = _paths.get(artifact.key)
    if path is None or not Path(path).exists():
        if len(_paths) >= limits.LINES_KEPT_MAX:
            _paths.clear()
        path = _paths[artifact.key] = _made(artifact)
    if path == artifact.path:
        return path, list(frames)
    return path, [frame if _is_same(artifact.path, path, frame) else _NOWHERE for frame in frames]


_paths: dict[str, str] = {}
"""By the keys of artifacts without debug information: where it is."""


def _made(artifact: Artifact) -> str:
    wanted = _recipe(artifact)
    if wanted is None:
        return artifact.path
    done: Future[Any] = Future()
    done.set_result(None)
    try:
        entry, _ = published(replace(wanted, lines=True), {}, _in_time, done)
    except (ProjectOError, OSError, KeyboardInterrupt):  # the error that waits for this is told without its line
        return artifact.path
    return str(entry.library)


def _recipe(artifact: Artifact) -> Recipe | None:
    """How it was built; None where that was in another way than alone, or than this process would."""
    offset = next((flag for flag in artifact.flags if flag.startswith(LINE_OFFSET_FLAG)), f"{LINE_OFFSET_FLAG}0")
    whole = recipe(artifact.program, int(offset.removeprefix(LINE_OFFSET_FLAG))).without_lines()
    return next((wanted for wanted in (whole, apart(whole)) if wanted.key == artifact.key), None)


def _in_time(job: Job) -> Finished:
    return run(replace(job, wall_seconds=limits.LINES_WALL_SECONDS))


# ------------------------------------------------------------------------------- whether it is the same code


def _is_same(path: str, lined: str, frame: int) -> bool:
    """Whether both libraries have the same function around this offset: where one instruction ends a function and the
    next begins another, in both.
    """
    start, code, other_start, other, functions = _read(path, lined)
    at = bisect_right(functions, (frame, frame))
    around = [found for found in functions[max(0, at - 1) : at + 1] if found[0] <= frame <= found[1]]
    return bool(around) and all(
        code[low - start : high - start] == other[low - other_start : high - other_start] for low, high in around
    )


@lru_cache(maxsize=16)
def _read(path: str, lined: str) -> tuple[int, bytes, int, bytes, list[tuple[int, int]]]:
    """Both texts' places and bytes, and where the functions of the second are; nothing where they cannot be read."""
    from elftools.elf.elffile import ELFFile

    try:
        start, code = elf.Library(Path(path).read_bytes()).section(_TEXT)
        other_start, other = elf.Library(Path(lined).read_bytes()).section(_TEXT)
        with open(lined, "rb") as file:
            table: Any = ELFFile(file).get_section_by_name(".symtab")
            functions = sorted(
                (symbol["st_value"], symbol["st_value"] + symbol["st_size"])
                for symbol in (table.iter_symbols() if table is not None else ())
                if symbol["st_info"]["type"] == "STT_FUNC" and symbol["st_size"]
            )
    except (OSError, KeyError, ProjectOError):
        return 0, b"", 0, b"", []
    return start, code, other_start, other, functions
