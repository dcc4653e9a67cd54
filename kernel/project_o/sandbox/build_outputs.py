"""The files of a build, in and out. What comes out of a locked process is hostile: its folder is read with care."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

from .. import limits
from ..errors import UsageError

_LINKS_NOT_FOLLOWED = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_DEPTH_MAX = 8
_COPIED_BYTES = 1 << 30


def checked_name(name: str) -> str:
    """The name, relative and inside. Raises UsageError."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
        raise UsageError(f"{name!r} cannot be the name of a file in a build: it must be relative, without `..`")
    return path.as_posix()


def write_all(folder: Path, files: Mapping[str, str | bytes]) -> dict[str, bytes]:
    """Put the files into an empty folder that nobody else has seen yet; what was written, by name."""
    written: dict[str, bytes] = {}
    for name, content in files.items():
        data = content.encode("utf-8") if isinstance(content, str) else bytes(content)
        target = folder / checked_name(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        written[checked_name(name)] = data
    return written


def copy_all(folder: Path, copies: Mapping[str, str | Path]) -> None:
    """Put what is in other folders into this one, by the kernel: each build has a copy of its own to spoil.

    What is being changed there meanwhile is copied as it stands; links and what is hidden are left out.
    """
    for name, source in copies.items():
        _copy(str(source), str(folder / checked_name(name)), 0)


def _copy(source: str, target: str, depth: int) -> None:
    os.makedirs(target, exist_ok=True)  # noqa: PTH103 - hundreds of files a build
    with os.scandir(source) as entries:
        listed = [entry for entry in entries if not entry.name.startswith(".")]
    for entry in listed:
        with suppress(FileNotFoundError):
            if entry.is_dir(follow_symlinks=False):
                if depth < _DEPTH_MAX:
                    _copy(entry.path, f"{target}/{entry.name}", depth + 1)
            elif entry.is_file(follow_symlinks=False):
                _copy_file(entry.path, f"{target}/{entry.name}")


def _copy_file(source: str, target: str) -> None:
    given = os.open(source, _LINKS_NOT_FOLLOWED)
    try:
        facts = os.fstat(given)
        made = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, facts.st_mode & 0o700)
        try:
            while os.sendfile(made, given, None, _COPIED_BYTES):
                pass
        finally:
            os.close(made)
    finally:
        os.close(given)


def collect(folder: Path, wanted: Iterable[str] | None, given: Mapping[str, bytes]) -> tuple[dict[str, bytes], str]:
    """(the files by name, "" or why some are missing).

    The ``wanted`` ones that are there; without names all new and changed files, hidden ones left out.
    """
    found: dict[str, bytes] = {}
    left = limits.BUILD_FILES_BYTES_MAX
    try:
        top = os.open(folder, _LINKS_NOT_FOLLOWED | os.O_DIRECTORY)
    except OSError:
        return {}, "its folder is gone"
    try:
        names = _listed(top) if wanted is None else (checked_name(name) for name in wanted)
        for name in names:
            data = _read(top, name, left)
            if data is None or (wanted is None and given.get(name) == data):
                continue
            if len(data) > left:
                return found, f"its files have more than {limits.BUILD_FILES_BYTES_MAX:,} bytes"
            if len(found) == limits.BUILD_FILES_MAX:
                return found, f"it made more than {limits.BUILD_FILES_MAX} files"
            found[name] = data
            left -= len(data)
    finally:
        os.close(top)
    return found, ""


def _read(top: int, name: str, most: int) -> bytes | None:
    """At most ``most`` + 1 bytes of a regular file, no part of whose path is a link. None where it is not one."""
    *folders, last = PurePosixPath(name).parts
    at = os.dup(top)
    try:
        for folder in folders:
            below = os.open(folder, _LINKS_NOT_FOLLOWED | os.O_DIRECTORY, dir_fd=at)
            os.close(at)
            at = below
        with open(os.open(last, _LINKS_NOT_FOLLOWED, dir_fd=at), "rb") as file:
            return file.read(most + 1) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
    except OSError:
        return None
    finally:
        os.close(at)


def _listed(top: int, prefix: str = "", depth: int = 0) -> Iterator[str]:
    with os.scandir(top) as entries:
        listed = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
    for name, folder in listed:
        if name.startswith("."):
            continue
        if not folder:
            yield prefix + name
        elif depth < _DEPTH_MAX:
            with suppress(OSError):
                below = os.open(name, _LINKS_NOT_FOLLOWED | os.O_DIRECTORY, dir_fd=top)
                try:
                    yield from _listed(below, f"{prefix}{name}/", depth + 1)
                finally:
                    os.close(below)
