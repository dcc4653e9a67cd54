"""The journal: what a kernel has acknowledged and the recorder may not have committed yet.

One record is ``magic, length, CRC-32, body`` in a single ``write`` on an ``O_APPEND`` descriptor, mode 0600.
Such a write survives ``kill -9`` of the kernel; a torn tail is recognised and dropped, and damage in the middle
is skipped by looking for the next record whose checksum holds. A journal is a folder of numbered segments: the
kernel appends to the newest alone, so the recorder may remove the older ones once Git holds and has packed them.

    <store>/journal/<notebook>/<lane>/lane.json    who writes: notebook, folder, session, process
    <store>/journal/<notebook>/<lane>/alive        locked (flock) while the kernel lives
    <store>/journal/<notebook>/<lane>/recorder     locked while a recorder, or a replay, works on the lane
    <store>/journal/<notebook>/<lane>/000001.log   the records
    <store>/journal/<notebook>/<lane>/done         everything is committed, and only not packed yet
"""

# Plain os.path: the recorder starts without pathlib, and cells wait for some of these calls.
# ruff: noqa: PTH103, PTH104, PTH106, PTH108, PTH110, PTH118, PTH120, PTH208

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from ..limits import JOURNAL_RECORD_BYTES_MAX, JOURNAL_SEGMENT_BYTES_MAX

MAGIC = b"oJ1\n"
_HEAD = struct.Struct("<4sII")
JOURNALS = "journal"
LANES_LOCK = "lanes.lock"
"""Held, shared, while a lane begins, and exclusively while none may."""


def frame(body: bytes) -> bytes:
    """A record as it stands in the file."""
    return _HEAD.pack(MAGIC, len(body), zlib.crc32(body)) + body


def scan(data: bytes, at: int = 0, *, final: bool = False) -> tuple[list[bytes], int, int]:
    """The records from ``at`` on: (bodies, where to go on, damaged places skipped).

    A tail that may still be being written ends the scan, unless ``final`` says that the writer is gone.
    """
    bodies: list[bytes] = []
    damaged = 0
    while at < len(data):
        body, waiting = _record(data, at)
        if body is not None:
            bodies.append(body)
            at += _HEAD.size + len(body)
            continue
        if waiting and not final:
            break
        following = data.find(MAGIC, at + 1)
        while following >= 0 and _record(data, following)[0] is None:
            following = data.find(MAGIC, following + 1)
        if following < 0:
            damaged += final
            break
        damaged += 1
        at = following
    return bodies, at, damaged


def _record(data: bytes, at: int) -> tuple[bytes | None, bool]:
    """The record at ``at``, and whether it may only be unfinished."""
    if len(data) - at < _HEAD.size:
        return None, MAGIC.startswith(data[at : at + 4])
    magic, length, checksum = _HEAD.unpack_from(data, at)
    if magic != MAGIC or length > JOURNAL_RECORD_BYTES_MAX:
        return None, False
    body = data[at + _HEAD.size : at + _HEAD.size + length]
    if len(body) < length:
        return None, True
    return (body, False) if zlib.crc32(body) == checksum else (None, False)


def try_lock(path: str, *, create: bool = True) -> int | None:
    """A descriptor that holds an exclusive lock on the file, or None where another process holds it.

    Where the file system has no locks the answer is None too: a lane that may be alive is left alone.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0), 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


class LaneJournal:
    """The folder of one lane's journal, by its path."""

    def __init__(self, store: str, lane: str) -> None:
        self.store = store
        self.lane = lane
        self.folder = os.path.join(store, JOURNALS, lane)

    def segments(self) -> list[str]:
        """The names of the segments, oldest first."""
        try:
            return sorted(name for name in os.listdir(self.folder) if name.endswith(".log"))
        except FileNotFoundError:
            return []

    def facts(self) -> dict[str, Any]:
        """What ``lane.json`` says, or nothing where it is damaged."""
        try:
            with open(os.path.join(self.folder, "lane.json"), encoding="utf-8") as file:
                found = json.load(file)
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def lock_recorder(self) -> int | None:
        """The right to commit to this lane, or None where another process has it."""
        return try_lock(os.path.join(self.folder, "recorder"))

    def kernel_is_gone(self) -> bool:
        """Whether the kernel that wrote this journal has ended."""
        descriptor = try_lock(os.path.join(self.folder, "alive"))
        if descriptor is None:
            return False
        os.close(descriptor)
        return True

    @property
    def done(self) -> bool:
        """Whether everything in it is committed and the kernel gone."""
        return os.path.exists(os.path.join(self.folder, "done"))

    def mark_done(self) -> None:
        """Everything is committed: there is nothing to replay. Raises OSError."""
        os.close(os.open(os.path.join(self.folder, "done"), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))

    def remove(self) -> None:
        """Take the folder away: everything in it is in Git."""
        for name in [*self.segments(), "lane.json", "alive", "recorder", "done"]:
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(self.folder, name))
        folder = self.folder
        while folder != os.path.join(self.store, JOURNALS):
            try:
                os.rmdir(folder)
            except OSError:
                return
            folder = os.path.dirname(folder)


def lanes_with_journal(store: str) -> list[LaneJournal]:
    """Every lane that has a journal folder."""
    root = os.path.join(store, JOURNALS)
    found = []
    for notebook in _names(root):
        found += [LaneJournal(store, f"{notebook}/{lane}") for lane in _names(os.path.join(root, notebook))]
    return found


def _names(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []


class JournalWriter:
    """The kernel's end: appends, and goes on to a new segment when one is full."""

    def __init__(self, store: str, lane: str, facts: dict[str, Any]) -> None:
        """Raises FileExistsError where the lane has a journal already, OSError where it cannot be made."""
        self.journal = LaneJournal(store, lane)
        parent, name = os.path.split(self.journal.folder)
        fresh = os.path.join(parent, f".{name}.{os.getpid()}.{os.urandom(4).hex()}")
        os.makedirs(fresh, mode=0o700)
        # Locked before it can be seen: whoever looks for journals of dead kernels must not take it for one.
        self._alive = try_lock(os.path.join(fresh, "alive"))
        with open(os.path.join(fresh, "lane.json"), "w", encoding="utf-8") as file:
            json.dump(facts, file)
        try:
            os.rename(fresh, self.journal.folder)
        except OSError as error:
            raise FileExistsError(error.errno, f"{self.journal.folder} is there already") from error
        self._number = 0
        self._descriptor = -1
        self._size = 0
        self._next_segment()

    def _next_segment(self) -> None:
        path = os.path.join(self.journal.folder, f"{self._number + 1:06d}.log")
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        fresh = os.open(path, flags, 0o600)
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._size, self._number = fresh, 0, self._number + 1

    def append(self, body: bytes) -> None:
        """Write one record whole, or leave the journal as it was and raise OSError."""
        if len(body) > JOURNAL_RECORD_BYTES_MAX:
            raise OSError(errno.EFBIG, f"a record of {len(body)} bytes is over the bound {JOURNAL_RECORD_BYTES_MAX}")
        if self._size >= JOURNAL_SEGMENT_BYTES_MAX:
            self._next_segment()
        data = frame(body)
        try:
            written = os.write(self._descriptor, data)
            if written != len(data):
                raise OSError(errno.ENOSPC, f"only {written} of {len(data)} bytes could be written")
        except OSError:
            # A half record would hide nothing (readers skip it), but it would take the space others need.
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            raise
        self._size += len(data)

    def close(self) -> None:
        """Let go of the files; what is written stays."""
        for descriptor in (self._descriptor, self._alive):
            if descriptor is not None and descriptor >= 0:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        self._descriptor, self._alive = -1, None


class JournalReader:
    """The recorder's end: hands out what was appended since it last looked."""

    def __init__(self, journal: LaneJournal) -> None:
        self.journal = journal
        self.damaged = 0
        self._segment = ""
        self._at = 0

    def read(self, *, final: bool = False) -> Iterator[dict[str, Any]]:
        """Each new record, in order. A record that is no JSON object counts as damage."""
        while True:
            names = [name for name in self.journal.segments() if name >= self._segment]
            if not names:
                return
            if names[0] != self._segment:
                self._segment, self._at = names[0], 0
            # The kernel leaves a segment only when its last record is whole.
            yield from self._read_segment(final=final or len(names) > 1)
            if len(names) == 1:
                return
            self._segment, self._at = names[1], 0

    def _read_segment(self, *, final: bool) -> Iterator[dict[str, Any]]:
        try:
            with open(os.path.join(self.journal.folder, self._segment), "rb") as file:
                file.seek(self._at)
                data = file.read()
        except FileNotFoundError:
            return
        bodies, used, damaged = scan(data, final=final)
        self._at += used
        self.damaged += damaged
        for body in bodies:
            try:
                record = json.loads(body)
            except ValueError:
                record = None
            if isinstance(record, dict):
                yield record
            else:
                self.damaged += 1

    def sync(self) -> None:
        """Force the segment being read to the disk. Raises OSError."""
        if self._segment:
            descriptor = os.open(os.path.join(self.journal.folder, self._segment), os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)

    def forget_older_segments(self) -> None:
        """Remove the segments before the one being read: Git has packed what they held."""
        for name in self.journal.segments():
            if name < self._segment:
                with contextlib.suppress(OSError):
                    os.unlink(os.path.join(self.journal.folder, name))
