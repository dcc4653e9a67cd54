"""What the processes of a job hold that neither their memory nor their folder shows: read from /proc, from outside.

A removed file lives as long as a descriptor, a mapping, a running program, or a message on its way that holds it. How
large it is can be read of what is open; of what is only mapped, or on its way, it cannot. What waits in sockets and
pipes is the kernel's memory, and no process'.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from . import build_tree, scratch

_SOCKET_BYTES, _PIPE_BYTES = 208 << 10, 64 << 10
"""What may wait in one of them: the kernel's own sizes, which the filter lets nobody raise."""
_SOCKETS_FREE, _PIPES_FREE = 64, 128
_MAPPING_BYTES, _LOCK_BYTES, _POLLED_BYTES = 256, 256, 256
"""What the kernel keeps for a mapping, a lock on a file, a descriptor that is waited for: rounded up."""
_EVENTS = b"anon_inode:[eventpoll]"
_MANY = 1 << 60
_SIZE = 20  # in /proc/PID/stat, as in build_tree


@dataclass(slots=True)
class Held:
    """One look. ``nameless_bytes`` are those of removed files, as far as they are known; ``unmeasured`` the numbers
    of the removed files of which they are not; ``under_way`` counts descriptors in messages that nobody has received;
    ``unseen`` are processes that nobody may look into."""

    nameless_bytes: int = 0
    unmeasured: set[int] = field(default_factory=set)
    under_way: int = 0
    unseen: set[int] = field(default_factory=set)
    buffer_bytes: int = 0


def look(pid: int, folders: Iterable[str], sizes: dict[int, int], enough: int = _MANY) -> Held:
    """The process ``pid`` and all below it. ``sizes`` is what files were seen to have while they could be: kept.

    Looking ends beyond ``enough`` bytes in buffers.
    """
    inside = tuple(f"{folder}/".encode() for folder in folders)
    found, open_files = Held(), dict[int, int]()
    mapped: Counter[int] = Counter()
    sockets: dict[bytes, int] = {}
    pipes: set[bytes] = set()
    kept = 0
    for one in build_tree.members(pid):
        kept += _descriptors(one, inside, found, open_files, sockets, pipes)
        _program(one, inside, open_files)
        kept += _MAPPING_BYTES * _mapped(one, inside, mapped)
        found.buffer_bytes = kept + _SOCKET_BYTES * max(0, len(sockets) - _SOCKETS_FREE)
        found.buffer_bytes += _PIPE_BYTES * max(0, len(pipes) - _PIPES_FREE)
        if found.buffer_bytes > enough:
            break
    sizes.update(open_files)
    unmeasured = mapped.keys() - open_files.keys()
    for file in list(sizes):
        if file not in mapped and file not in open_files:
            del sizes[file]  # what has a name will be seen there
    known = (max(mapped[file], sizes.get(file, 0)) for file in mapped.keys() | open_files.keys())
    found.nameless_bytes = sum(size + scratch.ENTRY_BYTES for size in known)
    found.unmeasured = set(unmeasured)
    found.under_way = sum(sockets.values())
    return found


def _descriptors(
    pid: int,
    inside: tuple[bytes, ...],
    found: Held,
    open_files: dict[int, int],
    sockets: dict[bytes, int],
    pipes: set[bytes],
) -> int:
    """What a process holds open. Returns the bytes that the kernel keeps of locks on it, and of waiting for it."""
    kept = 0
    try:
        with os.scandir(f"/proc/{pid}/fd".encode()) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # it is closed by now
                    what = os.readlink(entry.path)  # noqa: PTH115 - bytes, many times a second
                    if what.startswith(b"socket:"):
                        if what not in sockets:
                            sockets[what] = _under_way(entry.path.replace(b"/fd/", b"/fdinfo/"))
                    elif what.startswith(b"pipe:"):
                        pipes.add(what)
                    elif what == _EVENTS:
                        kept += _POLLED_BYTES * _lines(entry.path, b"tfd:")
                    elif inside and what.startswith(inside):
                        _removed(entry.stat(), open_files)
                        kept += _LOCK_BYTES * _lines(entry.path, b"lock:")
    except PermissionError:  # who may not be looked into (prctl(2), PR_SET_DUMPABLE), or has nothing any more
        if _has_memory(pid):
            found.unseen.add(pid)
    except OSError:
        pass
    return kept


def _removed(facts: os.stat_result, open_files: dict[int, int]) -> None:
    if facts.st_nlink == 0 and stat.S_ISREG(facts.st_mode):
        open_files[facts.st_ino] = facts.st_blocks * 512


def _program(pid: int, inside: tuple[bytes, ...], open_files: dict[int, int]) -> None:
    path = f"/proc/{pid}/exe".encode()
    with suppress(OSError):
        if os.readlink(path).startswith(inside or (b"//",)):  # noqa: PTH115 - as above
            _removed(os.stat(path), open_files)  # noqa: PTH116 - as above


def _mapped(pid: int, inside: tuple[bytes, ...], mapped: Counter[int]) -> int:
    """The bytes of removed files that are mapped, in however many pieces: all of that may be on the disk. Returns how
    many mappings there are in all."""
    own: Counter[int] = Counter()
    count = 0
    with suppress(OSError, ValueError), open(f"/proc/{pid}/maps", "rb") as f:
        for line in f:
            count += 1
            if line.endswith(b" (deleted)\n"):
                where, _, _, _, number, path = line.split(maxsplit=5)
                if inside and path.startswith(inside):
                    first, _, last = where.partition(b"-")
                    own[int(number)] += int(last, 16) - int(first, 16)
    mapped |= own
    return count


def _under_way(path: bytes) -> int:
    with suppress(OSError, ValueError), open(path, "rb") as f:
        for line in f:
            if line.startswith(b"scm_fds:"):
                return int(line.split()[1])
    return 0


def _lines(path: str | bytes, name: bytes) -> int:
    """How many lines of what the kernel says of a descriptor begin so."""
    with suppress(OSError), open(os.fsencode(path).replace(b"/fd/", b"/fdinfo/"), "rb") as f:
        return sum(line.startswith(name) for line in f)
    return 0


def _has_memory(pid: int) -> bool:
    """Whether it is a process that runs, and not one that is ending."""
    with suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/stat", "rb") as f:
        return int(f.read().rpartition(b") ")[2].split()[_SIZE]) > 0
    return False
