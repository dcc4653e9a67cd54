"""What the doctor reports of this room, and what makes the first cell quick."""

from __future__ import annotations

import os
from pathlib import Path

from .. import limits
from ..errors import ToolchainError
from ..values import Check, Program
from . import cache
from .build import build
from .guard import guard_path
from .places import cache_directory, locate, zig_version

_EMPTY_CELL = "pub fn nothing() void {}\n"


def warm() -> None:
    """Compile the guard and an empty cell, so that the first cell finds the compiler's cache filled.

    Raises ToolchainMissing, ToolchainError.
    """
    guard_path()
    build(Program("nothing", "zig", (("cell.zig", _EMPTY_CELL),)))


def status() -> list[Check]:
    """The compiler and the cache, each with what to do where something is missing."""
    return [_compiler(), _cache()]


def _compiler() -> Check:
    try:
        path = locate()
    except ToolchainError as error:
        return Check("zig", ok=False, value="not usable", todo=str(error))
    return Check("zig", ok=True, value=f"{zig_version(path)} at {path}")


def _cache() -> Check:
    folder = cache_directory()
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    writable = os.access(place, os.W_OK | os.X_OK) and _is_folder(place)
    used = cache.used_bytes() / limits.MIB
    todo = (
        "" if writable else "it cannot be written, so builds last as long as a kernel: set PROJECT_O_CACHE to a folder"
    )
    return Check("build cache", ok=writable, value=f"{folder}, {used:.1f} MB", todo=todo, core=False)


def _is_folder(place: Path) -> bool:
    try:
        return place.is_dir()
    except OSError:
        return False
