"""Debug information that is made when something has faulted.

It takes a sixth of the compiler's time, and a panic's line is all that is read from it: so a cell's optimised build has
none, and the text is built once more, with it, by the first error that asks for its line. The machine code is the same,
byte for byte, of nearly every text; LLVM sometimes chooses other registers where debug information keeps a value alive.
So each function is compared, and from one that differs on, nothing is told: a caller's line is not that of the error.
"""

from __future__ import annotations

import os
import threading
import time
from bisect import bisect_right
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import Any

from .. import limits
from ..errors import warn
from ..values import Artifact
from . import elf
from .build import published
from .compiler import Finished, Job, run
from .halves import apart
from .recipe import WITHOUT_LINES, Recipe, recipe
from .sources import line_offset_of

_TEXT = ".text"
_ELSEWHERE = -1
"""An offset at which no library has code."""


def with_lines(artifact: Artifact, frames: Sequence[int]) -> tuple[str, list[int]]:
    """The library in whose debug information to look for ``frames``, and those of them, from the innermost on, that
    say there what they say in the artifact's own; _ELSEWHERE for one outside. It is that library itself where it has
    debug information, and none of them where that cannot be made. Raises KeyboardInterrupt.
    """
    frames = list(frames)
    if WITHOUT_LINES not in artifact.flags:
        return artifact.path, frames
    path = _lined(artifact)
    try:
        return path, _told(artifact.path, path, frames) if path else []
    except OSError:  # the build is gone
        return path, []
    except Exception as error:  # noqa: BLE001 - the boundary to files that may be gone or damaged: told without its line
        warn(f"an error of {artifact.program.name} has no line: {error!r}")
        return path, []


_lock = threading.Lock()
_paths: dict[str, str] = {}
"""By the keys of artifacts without debug information: where it is."""
_failed: dict[str, float] = {}
"""By the same keys: when it could not be made."""


def _lined(artifact: Artifact) -> str:
    """Where the debug information is; "" where there can be none."""
    with _lock:  # several threads may fault at once: one compiler is enough
        path = _paths.get(artifact.key, "")
        if path and Path(path).exists():
            return path
        if time.monotonic() - _failed.get(artifact.key, -limits.LINES_RETRY_SECONDS) < limits.LINES_RETRY_SECONDS:
            return ""
        for kept in (_paths, _failed):
            if len(kept) >= limits.LINES_KEPT_MAX:
                kept.clear()
        try:
            path = _paths[artifact.key] = _made(artifact)
        except Exception as error:  # noqa: BLE001 - the error that waits for this is told without its line
            warn(f"an error of {artifact.program.name} has no line: {error}")
            _failed[artifact.key] = time.monotonic()
            return ""
        return path


def _made(artifact: Artifact) -> str:
    """Compile it; "" where nobody knows how. Raises ToolchainError, and whatever a compiler's end may be."""
    wanted, done, end = _recipe(artifact), Future[Any](), time.monotonic() + limits.LINES_WALL_SECONDS
    done.set_result(None)
    if wanted is None:
        return ""

    def in_time(job: Job) -> Finished:
        return run(replace(job, wall_seconds=max(0.0, end - time.monotonic())))

    entry, _ = published(replace(wanted, lines=True), {}, in_time, done)
    return str(entry.library)


def _recipe(artifact: Artifact) -> Recipe | None:
    """How it was built; None where that was in another way than this process would, as of many variants together."""
    whole = recipe(artifact.program, line_offset_of(artifact.flags)).without_lines()
    return next((wanted for wanted in (whole, apart(whole)) if wanted.key == artifact.key), None)


def _after_fork() -> None:
    """Another thread of the parent's may have been at it."""
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)

# ------------------------------------------------------------------------------- whether it is the same code


def _told(path: str, lined: str, frames: list[int]) -> list[int]:
    start, code, *_ = _read(path, lined)
    inside = [frame if start <= frame <= start + len(code) else _ELSEWHERE for frame in frames]
    return list(takewhile(lambda frame: frame == _ELSEWHERE or _is_same(path, lined, frame), inside))


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
    """Both texts' places and bytes, and where the functions of the second are. Raises what it meets: only what could
    be read is kept.
    """
    from elftools.elf.elffile import ELFFile

    start, code = elf.Library(Path(path).read_bytes()).section(_TEXT)
    other_start, other = elf.Library(Path(lined).read_bytes()).section(_TEXT)
    with open(lined, "rb") as file:
        table: Any = ELFFile(file).get_section_by_name(".symtab")
        functions = {
            (symbol["st_value"], symbol["st_value"] + symbol["st_size"])
            for symbol in table.iter_symbols()
            if symbol["st_info"]["type"] == "STT_FUNC" and symbol["st_size"]
        }
    return start, code, other_start, other, sorted(functions)
