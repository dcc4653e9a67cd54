"""The guard library: compiled once for this machine, kept in the cache, found by its path."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from ..errors import ToolchainError
from . import cache
from .compiler import Job, build_folder, run
from .dispatcher_source import ABI_NUMBER
from .places import ZIG_VERSION, cache_directory, locate, template
from .sources import machine_facts

_FILES = ("guard.c", "guard_frames.h", "guard_handlers.h", "guard_limits.h", "guard_text.h", "guard_words.h")
_FLAGS = ("-O", "fast", "-fno-omit-frame-pointer", "-mcpu", "baseline")
_C_FLAGS = ("-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden", "-U_FORTIFY_SOURCE")


_known: dict[Path, tuple[str, int]] = {}
"""By cache folder: where the guard is, and when it was written."""


def guard_path() -> str:
    """The path of the guard library, compiled if need be. Raises ToolchainMissing, ToolchainError."""
    folder = cache_directory()
    path, written = _known.get(folder, ("", 0))
    if not path or _written(path) != written:
        path = _guard_path()
        _known[folder] = path, _written(path)
    return path


def _written(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:
        return -1


def _guard_path() -> str:
    texts = [template(name) for name in _FILES]
    body = "\0".join(("guard", str(ABI_NUMBER), ZIG_VERSION, *texts, *_FLAGS, *_C_FLAGS, *machine_facts()))
    key = hashlib.sha256(body.encode()).hexdigest()
    entry = cache.find(key)
    if entry is None:
        entry = cache.publish(key, _compile(), {"guard": True})
    return str(entry.library)


def _compile() -> bytes:
    folder = build_folder()
    try:
        for name in _FILES:
            (folder / name).write_text(template(name), "utf-8")
        # fmt: off
        command = (
            str(locate()), "build-lib", "-dynamic", "--name", "guard", "-femit-bin=guard.so", "--color", "off",
            "-lc", "-fno-compiler-rt", "--cache-dir", "cache", "--global-cache-dir", str(cache.compiler_cache()),
            *_FLAGS, "-cflags", *_C_FLAGS, "--", "guard.c",
        )
        # fmt: on
        finished = run(Job(command, folder))
        if finished.code != 0:
            raise ToolchainError(f"the crash guard does not compile here: {finished.errors.strip()[-2000:]}")
        return (folder / "guard.so").read_bytes()
    except OSError as error:
        raise ToolchainError(f"the crash guard cannot be built ({error}): free some space in {folder.parent}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
