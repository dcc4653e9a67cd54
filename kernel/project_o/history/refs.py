"""Refs as files, changed under Git's own lock file with the old value compared.

GitPython's writer does not look at the old value and lost half of the states of two writers; Git's own costs a
process. A lane has one writer, which holds the lane's ``flock``: a lock file that it meets is a dead writer's, or that
of a ``git gc`` which packs refs. The latter is soon gone, and is waited for: it would remove what we write meanwhile.
"""

# Plain os.path: the recorder starts without pathlib, and cells wait for some of these calls.
# ruff: noqa: PTH103, PTH104, PTH105, PTH108, PTH112, PTH116, PTH118, PTH120

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator

from ..errors import HistoryError
from .objects import write_all

LANES = "refs/o/"
TAGS = "refs/tags/o/"
_HEX = re.compile(r"[0-9a-f]{40}")
_LOCK_WAIT_SECONDS = 2.0
_LOCK_STALE_SECONDS = 1.0


def read_ref(store: str, name: str) -> str | None:
    """The commit id that a ref holds, or None."""
    try:
        with open(os.path.join(store, name), encoding="ascii", errors="replace") as file:
            value = file.read(41).strip()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return _packed(store).get(name)
    return value if _HEX.fullmatch(value) else None


def is_free(store: str, name: str) -> bool:
    """Whether a ref of that name can be made: there is none, and none below it."""
    return read_ref(store, name) is None and not os.path.isdir(os.path.join(store, name))


def _packed(store: str) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        with open(os.path.join(store, "packed-refs"), encoding="utf-8", errors="replace") as file:
            for line in file:
                digest, _, name = line.strip().partition(" ")
                if name and _HEX.fullmatch(digest):
                    found[name] = digest
    except FileNotFoundError:
        pass
    return found


def list_refs(store: str, prefix: str = LANES) -> dict[str, str]:
    """Every ref below ``prefix`` and its commit id."""
    found = {name: digest for name, digest in _packed(store).items() if name.startswith(prefix)}
    for name in _loose(store, prefix.rstrip("/")):
        digest = read_ref(store, name) if name.startswith(prefix) else None
        if digest:
            found[name] = digest
    return found


def _loose(store: str, folder: str) -> Iterator[str]:
    try:
        entries = list(os.scandir(os.path.join(store, folder)))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        name = f"{folder}/{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from _loose(store, name)
        elif not entry.name.endswith(".lock"):
            yield name


def update_ref(store: str, name: str, new: str, old: str | None, *, sole_writer: bool = False) -> None:
    """Set ``name`` from ``old`` (None: it must not exist) to ``new``.

    ``sole_writer`` says that the caller holds the lane, so a lock file that stays is a leftover.
    Raises HistoryError when the ref holds something else or stays locked, OSError when it cannot be written.
    """
    path = os.path.join(store, name)
    lock = path + ".lock"
    descriptor = _lock(lock, sole_writer=sole_writer)
    try:
        current = read_ref(store, name)
        if current != old:
            raise HistoryError(f"{name} in {store} is {current}, not {old}: another writer was here; try again")
        try:
            write_all(descriptor, new.encode() + b"\n")
        finally:
            os.close(descriptor)
            descriptor = -1
        os.rename(lock, path)
    except BaseException:
        if descriptor >= 0:
            os.close(descriptor)
        with contextlib.suppress(OSError):
            os.unlink(lock)
        raise


def _lock(lock: str, *, sole_writer: bool) -> int:
    deadline = time.monotonic() + _LOCK_WAIT_SECONDS
    while True:
        os.makedirs(os.path.dirname(lock), mode=0o700, exist_ok=True)  # git takes a folder away that it emptied
        try:
            return os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            if time.monotonic() > deadline:
                raise
        except FileExistsError:
            if sole_writer and _is_stale(lock):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(lock)
            elif time.monotonic() > deadline:
                raise HistoryError(f"{lock} stays locked; if nothing writes there, remove it") from None
            else:
                time.sleep(0.01)


def _is_stale(lock: str) -> bool:
    """Whether it has been there for longer than Git holds one."""
    try:
        return abs(time.time() - os.stat(lock).st_mtime) > _LOCK_STALE_SECONDS
    except FileNotFoundError:
        return False


def point_latest(store: str, commit: str) -> None:
    """Set the branch ``latest``, which the store's HEAD names, so that a plain ``git log`` there shows something.

    It is for people; whichever lane wrote last has it. HEAD could not name a lane, for Git takes only a branch
    there. Raises OSError.
    """
    temporary = os.path.join(store, f"latest.{os.getpid()}.new")
    with open(temporary, "w", encoding="ascii") as file:
        file.write(f"{commit}\n")
    os.replace(temporary, os.path.join(store, "refs", "heads", "latest"))
