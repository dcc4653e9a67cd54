"""What links a Rust build: the C compiler that is there, else the Zig that comes with us."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from ...errors import ToolchainError, ToolchainMissing
from .. import cache
from ..compiler import Job, build_folder, run
from ..places import ZIG_VERSION
from ..places import locate as locate_zig
from .places import template

_SOURCE = "linker.c"
_NAME = "cc"  # rustc concludes from the name how to speak to it
_COPIED_CACHE = "zig"
_LINKED = ("-shared", "-nodefaultlibs", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl", "-lc")
_FLAGS = ("-O", "fast", "-fno-compiler-rt", "-mcpu", "baseline", "-fstrip")


@dataclass(frozen=True, slots=True)
class Linker:
    """``name`` is what rustc is told, "" for its own choice (cc); the rest is as in a ``Job``."""

    name: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    copies: Mapping[str, Path] = field(default_factory=dict)
    programs: tuple[str, ...] = ()


def find_linker(*, locked: bool = False) -> Linker:
    """The linker, for a locked build one that is there, too. Raises ToolchainMissing where there is none."""
    from ...sandbox.build_places import SEARCHED

    for name in ("cc", "gcc", "clang"):
        if shutil.which(name, path=os.pathsep.join(SEARCHED) if locked else None):
            return Linker("" if name == _NAME else name)
    try:
        zig = locate_zig()
    except ToolchainMissing as missing:
        raise ToolchainMissing(f"Rust needs a linker, cc or gcc or clang; {missing}") from None
    program, kept = str(_made(zig)), cache.compiler_cache("zig")
    environment = {"O_ZIG": str(zig), "ZIG_LOCAL_CACHE_DIR": "zig-local", "ZIG_GLOBAL_CACHE_DIR": str(kept)}
    if not locked:
        return Linker(program, environment)
    with suppress(ToolchainError):  # then the build takes longer, and its own linker says what is wrong
        _fill(program, tuple(environment.items()), kept.stat().st_ino)
    return Linker(
        program, {**environment, "ZIG_GLOBAL_CACHE_DIR": _COPIED_CACHE}, {_COPIED_CACHE: kept}, (program, str(zig))
    )


def _made(zig: Path) -> Path:
    """The program that starts Zig as a linker, compiled once and kept in the cache. Raises ToolchainError."""
    text = template(_SOURCE)
    key = hashlib.sha256("\0".join((text, ZIG_VERSION, *_FLAGS)).encode()).hexdigest()[:16]
    program = cache.compiler_cache("rust") / f"linker-{key}" / _NAME
    if not os.access(program, os.X_OK):
        _compile(zig, text, program)
    return program


@lru_cache(maxsize=4)
def _fill(program: str, environment: tuple[tuple[str, str], ...], _made: int) -> None:
    """Have Zig's own cache hold what every link needs: a locked build has a copy of it, and keeps nothing."""
    folder = build_folder()
    try:
        (folder / "nothing.c").write_text("", "utf-8")
        run(Job((program, *_LINKED, "-o", "nothing.so", "nothing.c"), folder, dict(environment)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _compile(zig: Path, text: str, program: Path) -> None:
    folder = build_folder()
    try:
        (folder / _SOURCE).write_text(text, "utf-8")
        # fmt: off
        finished = run(Job((
            str(zig), "build-exe", "--name", _NAME, f"-femit-bin={_NAME}", "--color", "off", "-lc",
            "--cache-dir", "cache", "--global-cache-dir", str(cache.compiler_cache("zig")), *_FLAGS, _SOURCE,
        ), folder))
        # fmt: on
        if finished.code != 0:
            raise ToolchainError(f"Zig cannot be made a linker here: {finished.errors.strip()[-2000:]}")
        program.parent.mkdir(parents=True, exist_ok=True)
        fresh = program.with_name(f"{_NAME}.{os.getpid()}")
        shutil.copyfile(folder / _NAME, fresh)
        fresh.chmod(0o700)
        fresh.replace(program)
    except OSError as error:
        raise ToolchainError(f"the linker cannot be kept in {program.parent} ({error}): free some space") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
