"""Zig's library without most of its standard library, for texts that do not name that.

The compiler reads what it knows of each file that the standard library imports, 570 of them, each time, whether or not
anything of them is used: a quarter of the time of a small build. Here these are files of their own that import no
others; all else is links to what is installed. What is left out says so where it is needed after all, and then the text
is compiled with the whole library. What is built of a text is the same, byte for byte, but for what debuggers read.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from ..errors import ToolchainMissing
from . import cache
from .places import locate

_KEPT = frozenset({"SemanticVersion", "Target", "atomic", "debug", "lang", "math", "mem", "meta", "start"})
"""What our own files around a text, and the compiler itself, look at."""
_LEFT_OUT = "left out of Zig's library by project-o"
_IMPORTED = re.compile(r'^pub const (\w+) = @import\("[\w.]+"\)[^;]*;', re.MULTILINE)
_STD = "std.zig"


def bare(texts: Iterable[str], flags: tuple[str, ...]) -> tuple[str, ...]:
    """The words that make a compiler use it; none for texts, or a mode, that may need the whole."""
    # What is not optimised comes from another backend, which looks at more of it.
    if "debug" in flags or any("std" in text for text in texts):
        return ()
    try:
        folder = _folder(locate(), cache.compiler_cache())
    except (OSError, ToolchainMissing):
        return ()
    return ("--zig-lib-dir", str(folder)) if folder is not None else ()


def lacks(errors: str) -> bool:
    """Whether these errors of a compiler come of what is left out."""
    return _LEFT_OUT in errors


def _folder(zig: Path, kept: Path) -> Path | None:
    """Where it is, made where it is not. None where the compiler's own is not beside it. Raises OSError."""
    library = zig.resolve().parent / "lib"
    text = _text(library / "std" / _STD)
    if text is None:
        return None
    name = hashlib.sha256(f"{library}\0{text}".encode()).hexdigest()[:16]
    folder = kept / f"library-{name}"
    if folder not in _looked_at or not folder.is_dir():
        if not _is_whole(folder, library, text):
            _make(folder, library, text)
        _looked_at.add(folder)
    return folder


_looked_at: set[Path] = set()
"""Those that were as they have to be when this process first used them: no hash tells, as it does of a build."""


def _is_whole(folder: Path, library: Path, text: str) -> bool:
    """Whether it is there, and nothing of it was torn by a full disk, a power cut, or somebody's hand."""
    try:
        names = [
            {item.name for item in os.scandir(folder)} >= {item.name for item in os.scandir(library)},
            {item.name for item in os.scandir(folder / "std")} >= {item.name for item in os.scandir(library / "std")},
        ]
        return all(names) and (folder / "std" / _STD).read_text("utf-8") == text
    except (OSError, UnicodeDecodeError):
        return False


@lru_cache(maxsize=4)
def _text(path: Path) -> str | None:
    """The file with what is kept of the standard library; None where there is none."""
    try:
        whole = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return _IMPORTED.sub(lambda found: found[0] if found[1] in _KEPT else _missing(found[1]), whole)


def _missing(name: str) -> str:
    return f'pub const {name} = @compileError("{_LEFT_OUT}");'


def _make(folder: Path, library: Path, text: str) -> None:
    fresh, torn = (folder.with_name(f".{word}-{uuid.uuid4().hex}") for word in ("new", "torn"))
    try:
        (fresh / "std").mkdir(parents=True)
        for place, source, own in ((fresh, library, "std"), (fresh / "std", library / "std", _STD)):
            for item in os.scandir(source):
                if item.name != own:
                    (place / item.name).symlink_to(item.path)
        (fresh / "std" / _STD).write_text(text, "utf-8")
        with suppress(OSError):  # what is torn; mostly there is none
            folder.rename(torn)
        with suppress(OSError):  # another kernel was first
            fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(torn, ignore_errors=True)
