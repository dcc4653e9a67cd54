"""What a sandboxed process may do, as tables and a filter program. Pure: nothing here changes a process.

Two stages of one allow-list. ``files`` may name paths (Landlock decides which): it holds while a library is
loaded, and for jobs with a scratch folder. ``strict`` has not one call that takes a path, so that not even
the existence of a file outside can be learnt. Neither can make a process, a socket, a signal to another, or
change a limit. The filter is classic BPF as seccomp(2) takes it (Documentation/userspace-api/seccomp_filter).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from .calls import CALLS, OWN_PROCESS_FIRST

Stage = Literal["files", "strict"]
Instruction = tuple[int, int, int, int]

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_SET, RETURN, AND = 0x20, 0x15, 0x35, 0x45, 0x06, 0x54
REMEMBER, ADD_REMEMBERED, JUMP_AT_LEAST_REMEMBERED = 0x07, 0x0C, 0x3D
KILL_PROCESS, ALLOW = 0x80000000, 0x7FFF0000
REFUSE_EPERM, REFUSE_EAGAIN, REFUSE_ENOSYS = 0x00050001, 0x0005000B, 0x00050026
OFFSET_NUMBER, OFFSET_ARCHITECTURE, OFFSET_ARGUMENTS = 0, 4, 16
X32_BIT = 0x40000000
MAP_SHARED_ANONYMOUS, MAP_FIXED, MAP_GROWS_DOWN, MREMAP_FIXED = 0x21, 0x10, 0x100, 2
CLONE_THREAD = 0x10000
OWN_CLOCKS = (0xFFFFFFFE, 0xFFFFFFFA)
"""The CPU clocks of oneself, thread and process. Other negative numbers are those of other processes, which anybody may
read (clock_getcpuclockid(3)), or of devices."""
PRIORITY_FUTEXES = (6, 7, 8, 11, 12, 13)
"""FUTEX_LOCK_PI and its like: they say whether a thread is there, and lend it one's own priority (futex(2))."""

_ALWAYS_TEXT = """
read write close fstat poll lseek mprotect brk rt_sigaction rt_sigprocmask rt_sigreturn pread64 pwrite64
readv writev select sched_yield madvise dup nanosleep getpid exit uname gettimeofday getrlimit getrusage times
getuid getgid geteuid getegid sigaltstack gettid exit_group pselect6 ppoll set_robust_list getrandom membarrier rseq
"""
_PATHS_TEXT = """
open stat lstat access getcwd getdents64 openat newfstatat faccessat statx faccessat2
"""
_SCRATCH_TEXT = """
fsync fdatasync ftruncate rename mkdir rmdir unlink mkdirat unlinkat renameat renameat2
"""
_ALWAYS, _PATHS, _SCRATCH = _ALWAYS_TEXT.split(), _PATHS_TEXT.split(), _SCRATCH_TEXT.split()


class Machine(NamedTuple):
    """What differs between processors: the audit number, the column of the tables, and the calls we examine."""

    audit: int
    column: int
    seccomp: int
    fcntl: int
    tgkill: int
    prlimit64: int
    clone3: int


MACHINES = {
    "x86_64": Machine(0xC000003E, 0, 317, 72, 234, 302, 435),
    "aarch64": Machine(0xC00000B7, 1, 277, 25, 131, 261, 435),
}


@dataclass(frozen=True, slots=True)
class Filter:
    """What a filter is made for. ``allowed`` and ``denied`` are names of calls, beyond the stage's own list. ``kept``:
    the high word of addresses at which nothing may be unmapped, moved or covered (0: none); what is shared lies there.
    Whoever gave those addresses back could take as much memory of his own, once RLIMIT_DATA no longer counts it: what
    has been written to, and is then made read-only (mprotect(2))."""

    stage: Stage
    scratch: bool = False
    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    kept: int = 0


def allowed_calls(machine: Machine, wanted: Filter) -> list[int]:
    """The numbers of the calls that pass without a look at their arguments."""
    names = [*_ALWAYS, *(_PATHS if wanted.stage == "files" else ()), *(_SCRATCH if wanted.scratch else ())]
    if wanted.stage == "files":
        names.append("seccomp")  # the process tightens itself to ``strict`` after a library is loaded
    names += [name for name in wanted.allowed if name not in OWN_PROCESS_FIRST and name not in EXAMINED]
    return _numbers(machine, [name for name in dict.fromkeys(names) if name not in wanted.denied])


def _numbers(machine: Machine, names: Iterable[str]) -> list[int]:
    return [number for name in names if (number := CALLS[name][machine.column]) >= 0]


_REFUSE: Instruction = (RETURN, 0, 0, REFUSE_EPERM)
_ALLOW: Instruction = (RETURN, 0, 0, ALLOW)


def _argument(index: int, *, high: bool = False) -> Instruction:
    return (LOAD, 0, 0, OFFSET_ARGUMENTS + 8 * index + 4 * high)


def own_clock() -> list[Instruction]:
    """The machine's clocks, and one's own."""
    own, own_too = OWN_CLOCKS
    tests = [(JUMP_AT_LEAST, 0, 2, 1 << 31), (JUMP_EQUAL, 1, 0, own), (JUMP_EQUAL, 0, 1, own_too)]
    return [_argument(0), *tests, _ALLOW, _REFUSE]


def _outside(address: int, size: int, kept: int) -> list[Instruction]:
    """Goes on where the range of addresses that two arguments say does not meet what is kept, and refuses else (and one
    of 4 GiB or more that ends right before it)."""
    if not kept:
        return []
    return [
        _argument(address, high=True),
        (JUMP_AT_LEAST, 13, 0, kept + 1),
        (JUMP_EQUAL, 11, 0, kept),
        (REMEMBER, 0, 0, 0),
        _argument(size, high=True),
        (ADD_REMEMBERED, 0, 0, 0),
        (JUMP_AT_LEAST, 7, 0, kept),
        (JUMP_AT_LEAST, 0, 7, kept - 1),
        _argument(address),  # it ends in the block below, unless the low words carry
        (REMEMBER, 0, 0, 0),
        _argument(size),
        (ADD_REMEMBERED, 0, 0, 0),
        (JUMP_EQUAL, 2, 0, 0),
        (JUMP_AT_LEAST_REMEMBERED, 1, 0, 0),
        _REFUSE,
    ]


def _examined(kept: int) -> dict[str, list[Instruction]]:
    """Calls that pass for some arguments, whichever process asks."""
    covered, moved_to = _outside(0, 1, kept), _outside(4, 2, kept)
    plain = [(JUMP_EQUAL, len(PRIORITY_FUTEXES) - k, 0, one) for k, one in enumerate(PRIORITY_FUTEXES)]
    return {
        "futex": [_argument(1), (AND, 0, 0, 0x7F), *plain, _ALLOW, _REFUSE],
        # No memory that RLIMIT_DATA does not count, be it shared with nobody or a second stack.
        "mmap": [
            _argument(3),
            (JUMP_SET, 0, 1, MAP_GROWS_DOWN),
            _REFUSE,
            (JUMP_SET, 0, len(covered), MAP_FIXED),
            *covered,
            _argument(3),
            (AND, 0, 0, MAP_SHARED_ANONYMOUS),
            (JUMP_EQUAL, 0, 1, MAP_SHARED_ANONYMOUS),
            _REFUSE,
            _ALLOW,
        ],
        "munmap": [*covered, _ALLOW],
        "mremap": [*covered, _argument(3), (JUMP_SET, 0, len(moved_to), MREMAP_FIXED), *moved_to, _ALLOW],
        **dict.fromkeys(("clock_gettime", "clock_getres", "clock_nanosleep"), own_clock()),
    }


EXAMINED = frozenset(_examined(0))


def filter_program(machine: Machine, wanted: Filter, pid: int) -> list[Instruction]:
    """The seccomp filter for the process ``pid``: what is not named is refused with EPERM."""

    argument, refuse, allow = _argument, _REFUSE, _ALLOW
    program: list[Instruction] = [
        (LOAD, 0, 0, OFFSET_ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, machine.audit),
        (RETURN, 0, 0, KILL_PROCESS),  # a foreign ABI (i386 by int 0x80) has other numbers: it would pass the list
        (LOAD, 0, 0, OFFSET_NUMBER),
    ]
    if machine.column == 0:
        program += [(JUMP_AT_LEAST, 0, 1, X32_BIT), (RETURN, 0, 0, KILL_PROCESS)]
    for number in allowed_calls(machine, wanted):
        program += [(JUMP_EQUAL, 0, 1, number), allow]

    # fcntl: F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC. F_SETOWN and F_SETSIG kill without kill().
    commands = (0, 1, 2, 3, 1030)
    few = [argument(1), *((JUMP_EQUAL, 5 - k, 0, command) for k, command in enumerate(commands)), refuse, allow]
    # prlimit64: only to read one's own limits (pid 0, no new limit: both halves of the pointer are zero).
    read_limit = [
        argument(0),
        (JUMP_EQUAL, 0, 5, 0),
        argument(2),
        (JUMP_EQUAL, 0, 3, 0),
        (LOAD, 0, 0, OFFSET_ARGUMENTS + 8 * 2 + 4),
        (JUMP_EQUAL, 0, 1, 0),
        allow,
        refuse,
    ]
    # clone: neither a process nor a thread, but of a thread as if there were too many: a library takes that for an
    # error, and what a thread is never refused with for impossible.
    no_thread = [argument(0), (JUMP_SET, 0, 1, CLONE_THREAD), (RETURN, 0, 0, REFUSE_EAGAIN), refuse]
    examined: dict[int, list[Instruction]] = {
        CALLS["clone"][machine.column]: no_thread,
        machine.clone3: [(RETURN, 0, 0, REFUSE_ENOSYS)],  # then the C library falls back to clone, which is refused
        machine.fcntl: few,
        machine.tgkill: [argument(0), (JUMP_EQUAL, 0, 1, pid), allow, refuse],  # abort() and raise(): itself only
        machine.prlimit64: read_limit,
    }
    for name, body in _examined(wanted.kept).items():
        examined.update((number, body) for number in _numbers(machine, [name]))
    own = ["sched_getaffinity", *(name for name in wanted.allowed if name in OWN_PROCESS_FIRST)]
    for number in _numbers(machine, own):
        examined[number] = [argument(0), (JUMP_EQUAL, 2, 0, 0), (JUMP_EQUAL, 1, 0, pid), refuse, allow]
    for number in _numbers(machine, wanted.denied):
        examined.pop(number, None)
    for number, body in examined.items():
        program += [(JUMP_EQUAL, 0, len(body), number), *body]
    return [*program, refuse]


@lru_cache
def encoded_program(machine: Machine, wanted: Filter) -> tuple[bytes, tuple[int, ...]]:
    """The filter as an array of ``struct sock_filter``, and where in it the pid must be put as a native u32.

    Made once, before the fork: in a fresh child each page that is touched costs a copy.
    """
    marker = 0x0EADBEEF  # above any pid, and no number of ours
    steps = filter_program(machine, wanted, marker)
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    return code, tuple(8 * index + 4 for index, step in enumerate(steps) if step[3] == marker)


# Landlock (Documentation/userspace-api/landlock) -----------------------------------------------------------------

LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446
RIGHTS_READ = 0b1100  # read a file, list a folder
RIGHTS_WRITE = 0b110000110111110  # read, write, make and remove files and folders; no links, sockets, devices
RIGHTS_OF_A_FILE = 0b100000000000111  # what makes sense for a rule on a file rather than a folder


def landlock_rights(abi: int) -> int:
    """Every file right that this version of Landlock knows; what is handled and not granted is refused."""
    return (1 << (13 if abi < 2 else 14 if abi < 3 else 15 if abi < 5 else 16)) - 1


def landlock_attributes(abi: int) -> bytes:
    """``struct landlock_ruleset_attr``: files; from version 4 TCP; from 6 abstract sockets and signals."""
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    return struct.pack("QQQ", landlock_rights(abi), 3, 3)[:size]
