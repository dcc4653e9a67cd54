"""What a sandboxed process may do, as tables and a filter program. Pure: nothing here changes a process.

Two stages of one allow-list. ``files`` may name paths (Landlock decides which): it holds while a library is
loaded, and for jobs with a scratch folder. ``strict`` has not one call that takes a path, so that not even
the existence of a file outside can be learnt. Neither can make a process, a socket, a signal to another, or
change a limit. The filter is classic BPF as seccomp(2) takes it (Documentation/userspace-api/seccomp_filter).
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Literal, NamedTuple

Stage = Literal["files", "strict"]
Instruction = tuple[int, int, int, int]

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_SET, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
KILL_PROCESS, REFUSE_EPERM, REFUSE_ENOSYS, ALLOW = 0x80000000, 0x00050001, 0x00050026, 0x7FFF0000
OFFSET_NUMBER, OFFSET_ARCHITECTURE, OFFSET_ARGUMENTS = 0, 4, 16
X32_BIT = 0x40000000

# name: (number on x86_64, number on aarch64); -1 where the machine has no such call.
_ALWAYS: dict[str, tuple[int, int]] = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "fstat": (5, 80),
    "poll": (7, -1),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "pread64": (17, 67),
    "pwrite64": (18, 68),
    "readv": (19, 65),
    "writev": (20, 66),
    "select": (23, -1),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "dup": (32, 23),
    "nanosleep": (35, 101),
    "getpid": (39, 172),
    "exit": (60, 93),
    "uname": (63, 160),
    "gettimeofday": (96, 169),
    "getrlimit": (97, 163),
    "getrusage": (98, 165),
    "times": (100, 153),
    "getuid": (102, 174),
    "getgid": (104, 176),
    "geteuid": (107, 175),
    "getegid": (108, 177),
    "sigaltstack": (131, 132),
    "gettid": (186, 178),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "pselect6": (270, 72),
    "ppoll": (271, 73),
    "set_robust_list": (273, 99),
    "getrandom": (318, 278),
    "membarrier": (324, 283),
    "rseq": (334, 293),
}
_PATHS: dict[str, tuple[int, int]] = {
    "open": (2, -1),
    "stat": (4, -1),
    "lstat": (6, -1),
    "access": (21, -1),
    "getcwd": (79, 17),
    "readlink": (89, -1),
    "getdents64": (217, 61),
    "openat": (257, 56),
    "newfstatat": (262, 79),
    "readlinkat": (267, 78),
    "faccessat": (269, 48),
    "statx": (332, 291),
    "faccessat2": (439, 439),
}
_SCRATCH: dict[str, tuple[int, int]] = {
    "fsync": (74, 82),
    "fdatasync": (75, 83),
    "ftruncate": (77, 46),
    "rename": (82, -1),
    "mkdir": (83, -1),
    "rmdir": (84, -1),
    "unlink": (87, -1),
    "mkdirat": (258, 34),
    "unlinkat": (263, 35),
    "renameat": (264, 38),
    "renameat2": (316, 276),
}


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


def allowed_calls(machine: Machine, stage: Stage, *, scratch: bool = False) -> list[int]:
    """The numbers of the calls that pass without a look at their arguments."""
    tables = [_ALWAYS] + ([_PATHS] if stage == "files" else []) + ([_SCRATCH] if scratch else [])
    numbers = [entry[machine.column] for table in tables for entry in table.values()]
    if stage == "files":
        numbers.append(machine.seccomp)  # the process tightens itself to ``strict`` after a library is loaded
    return [number for number in numbers if number >= 0]


def filter_program(machine: Machine, stage: Stage, pid: int, *, scratch: bool = False) -> list[Instruction]:
    """The seccomp filter for the process ``pid``: what is not named is refused with EPERM."""

    def argument(index: int) -> Instruction:
        return (LOAD, 0, 0, OFFSET_ARGUMENTS + 8 * index)  # the low half; the high half is the next word

    refuse, allow = (RETURN, 0, 0, REFUSE_EPERM), (RETURN, 0, 0, ALLOW)
    program: list[Instruction] = [
        (LOAD, 0, 0, OFFSET_ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, machine.audit),
        (RETURN, 0, 0, KILL_PROCESS),  # a foreign ABI (i386 by int 0x80) has other numbers: it would pass the list
        (LOAD, 0, 0, OFFSET_NUMBER),
    ]
    if machine.column == 0:
        program += [(JUMP_AT_LEAST, 0, 1, X32_BIT), (RETURN, 0, 0, KILL_PROCESS)]
    for number in allowed_calls(machine, stage, scratch=scratch):
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
    examined: dict[int, list[Instruction]] = {
        machine.clone3: [(RETURN, 0, 0, REFUSE_ENOSYS)],  # then the C library falls back to clone, which is refused
        machine.fcntl: few,
        machine.tgkill: [argument(0), (JUMP_EQUAL, 0, 1, pid), allow, refuse],  # abort() and raise(): itself only
        machine.prlimit64: read_limit,
    }
    for number, body in examined.items():
        program += [(JUMP_EQUAL, 0, len(body), number), *body]
    return [*program, refuse]


@lru_cache
def encoded_program(machine: Machine, stage: Stage, *, scratch: bool = False) -> tuple[bytes, int]:
    """The filter as an array of ``struct sock_filter``, and where in it the pid must be put as a native u32.

    Made once, before the fork: in a fresh child each page that is touched costs a copy.
    """
    marker = 0x0EADBEEF  # above any pid, and no number of ours
    code = b"".join(struct.pack("HBBI", *step) for step in filter_program(machine, stage, marker, scratch=scratch))
    at = code.index(struct.pack("I", marker))
    assert code.count(struct.pack("I", marker)) == 1
    return code, at


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
