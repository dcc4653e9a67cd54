"""What a compiler, or a foreign evaluator with its own processes, may ask of the kernel: the wide filter. Pure.

The narrow profiles name what is allowed. Compilers and evaluators use too much of the system for that, so this one
names what is refused, looks at the arguments of what is harmless only in some forms, and lets the rest pass: files
are Landlock's part. What changes a file's mode, owner or times, for which Landlock has no right, is answered with
success and not done: copying a file goes on working, and nothing outside can be changed. Calls that are newer than
these tables are not there (ENOSYS). The filter is classic BPF (Documentation/userspace-api/seccomp_filter).
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Literal

from .policy import (
    ALLOW,
    AND,
    JUMP_AT_LEAST,
    JUMP_EQUAL,
    JUMP_SET,
    KILL_PROCESS,
    LOAD,
    OFFSET_ARCHITECTURE,
    OFFSET_ARGUMENTS,
    OFFSET_NUMBER,
    REFUSE_ENOSYS,
    REFUSE_EPERM,
    RETURN,
    X32_BIT,
    Instruction,
    Machine,
    own_clock,
)

Use = Literal["build", "evaluator"]
PRETEND = 0x00050000  # an error of number 0: the call returns success and was not made
FIRST_UNKNOWN = 463
REFUSE_ENOTTY, REFUSE_ENOTSUP = 0x00050019, 0x0005005F

# name: (number on x86_64, number on aarch64); -1 where the machine has no such call.
DENIED: dict[str, tuple[int, int]] = {
    # other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "ioprio_set": (251, 30),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
    # the kernel's own machinery
    "perf_event_open": (298, 241),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "reboot": (169, 142),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "syslog": (103, 116),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "iopl": (172, -1),
    "ioperm": (173, -1),
    "modify_ldt": (154, -1),
    "vhangup": (153, 58),
    "personality": (135, 92),
    "lookup_dcookie": (212, 18),
    "acct": (163, 89),
    "nfsservctl": (180, 42),
    # namespaces, mounts, files by other ways than their path
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "truncate": (76, 45),  # by path: older versions of Landlock have no right for it
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    # names of files outside, as they come and go
    "inotify_init": (253, -1),
    "inotify_init1": (294, 26),
    "inotify_add_watch": (254, 27),
    # the network, of every kind
    "socket": (41, 198),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "connect": (42, 203),
    "sendmmsg": (307, 269),
    "recvmmsg": (299, 243),
    # memory that outlives its process, or that RLIMIT_AS does not count
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "shmdt": (67, 197),
    "semget": (64, 190),
    "semop": (65, 193),
    "semctl": (66, 191),
    "semtimedop": (220, 192),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "mq_timedsend": (242, 182),
    "mq_timedreceive": (243, 183),
    "mq_notify": (244, 184),
    "mq_getsetattr": (245, 185),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "vmsplice": (278, 75),  # a pipe that holds one page keeps all of the large page that it was part of
    "io_setup": (206, 0),  # the whole machine shares what there is
}
DENIED_IN_BUILDS: dict[str, tuple[int, int]] = {
    "setrlimit": (160, 164),
}
SIGNALS: dict[str, tuple[int, int]] = {
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_send_signal": (424, 424),
}
"""Refused where Landlock cannot keep signals inside (before its version 6)."""
PRETENDED: dict[str, tuple[int, int]] = {
    "chmod": (90, -1),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, -1),
    "lchown": (94, -1),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "utime": (132, -1),
    "utimes": (235, -1),
    "futimesat": (261, -1),
    "utimensat": (280, 88),
}
NOT_THERE: dict[str, tuple[int, int]] = {
    "getxattr": (191, 8),
    "lgetxattr": (192, 9),
    "listxattr": (194, 11),
    "llistxattr": (195, 12),
}
"""What stands beside a file's content, by its path: Landlock has no right for that either. Who copies a file goes on
without it, as where the file system has none (ENOTSUP). Of a file that is open it can be read."""
LOCAL_SOCKETS = frozenset({"socket", "bind", "listen", "accept", "accept4", "connect"})
"""Allowed in namespaces, for sockets of the local kind: what lies behind their paths is the evaluator's own."""
EXAMINED: dict[str, tuple[int, int]] = {
    "socket": DENIED["socket"],
    "clone": (56, 220),
    "clone3": (435, 435),
    "fcntl": (72, 25),
    "prctl": (157, 167),
    "ioctl": (16, 29),
    "prlimit64": (302, 261),
    "setpriority": (141, 140),
    "sched_setaffinity": (203, 122),
    "socketpair": (53, 199),
    "sendto": (44, 206),
    "setsockopt": (54, 208),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
}
NEW_NAMESPACES = 0x7E020000  # every CLONE_NEW... of clone(2)
OWNERS_AND_LEASES = (8, 10, 15, 1024, 1026)  # F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY
LARGER_PIPES = 1031  # F_SETPIPE_SZ: a user's processes share what there is for pipes
HIDING = (4,)  # PR_SET_DUMPABLE: what a process holds open is counted from outside
TERMINAL_AND_PIPE = (0x5401, 0x802C542A, 0x5413, 0x540F, 0x5429, 0x541B, 0x5421, 0x5450, 0x5451, 0x5460)
"""TCGETS, TCGETS2, TIOCGWINSZ, TIOCGPGRP, TIOCGSID, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX, FIOQSIZE."""
FILE_COPIES = (0x40049409, 0x4020940D, 0x80086601, 0xC020660B)
"""FICLONE, FICLONERANGE, FS_IOC_GETFLAGS, FS_IOC_FIEMAP. Whoever owns a file may set its flags, or make it immutable
(FS_IOC_SETFLAGS, FS_IOC_ENABLE_VERITY), though it was opened to be read: Landlock has no right for that. Others type
into the user's terminal (TIOCSTI), or have the kernel send signals (FIOSETOWN)."""
SOL_SOCKET, BUFFER_SIZES = 1, (7, 8, 32, 33)  # SO_SNDBUF, SO_RCVBUF, SO_SNDBUFFORCE, SO_RCVBUFFORCE
AF_UNIX, SOCK_STREAM, SOCK_SEQPACKET, SOCK_TYPE_MASK = 1, 1, 5, 0xF

_REFUSE: Instruction = (RETURN, 0, 0, REFUSE_EPERM)
_ALLOW: Instruction = (RETURN, 0, 0, ALLOW)


def _argument(index: int, *, high: bool = False) -> Instruction:
    return (LOAD, 0, 0, OFFSET_ARGUMENTS + 8 * index + 4 * high)


def _zero(*arguments: tuple[int, bool]) -> list[Instruction]:
    """Allowed where all these words are zero."""
    steps: list[Instruction] = []
    for left, (index, high) in zip(range(len(arguments) - 1, -1, -1), arguments, strict=True):
        steps += [_argument(index, high=high), (JUMP_EQUAL, 0, 2 * left + 1, 0)]
    return [*steps, _ALLOW, _REFUSE]


def _none_of(index: int, values: tuple[int, ...]) -> list[Instruction]:
    """Refused where this argument is one of the values."""
    tests: list[Instruction] = [(JUMP_EQUAL, len(values) - k, 0, value) for k, value in enumerate(values)]
    return [_argument(index), *tests, _ALLOW, _REFUSE]


def _one_of(index: int, values: tuple[int, ...]) -> list[Instruction]:
    """Unknown to whatever it is asked of (ENOTTY), unless this argument is one of the values."""
    tests: list[Instruction] = [(JUMP_EQUAL, len(values) - k, 0, value) for k, value in enumerate(values)]
    return [_argument(index), *tests, (RETURN, 0, 0, REFUSE_ENOTTY), _ALLOW]


def _examined(use: Use, *, inside: bool) -> dict[str, list[Instruction]]:
    local: dict[str, list[Instruction]] = {
        "socket": [_argument(0), (JUMP_EQUAL, 0, 1, AF_UNIX), _ALLOW, _REFUSE],
    }
    return (local if inside else {}) | {
        "clone3": [(RETURN, 0, 0, REFUSE_ENOSYS)],  # its flags lie in memory; the C library falls back to clone
        "clone": [_argument(0), (JUMP_SET, 0, 1, NEW_NAMESPACES), _REFUSE, _ALLOW],
        "fcntl": _none_of(1, (*OWNERS_AND_LEASES, LARGER_PIPES)),
        "prctl": _none_of(0, HIDING),
        "ioctl": _one_of(1, (*TERMINAL_AND_PIPE, *FILE_COPIES)),
        # What waits in a socket is nobody's memory: it is counted by the size that they have at first.
        "setsockopt": [
            _argument(1),
            (JUMP_EQUAL, 0, len(BUFFER_SIZES) + 1, SOL_SOCKET),
            _argument(2),
            *((JUMP_EQUAL, len(BUFFER_SIZES) - k, 0, option) for k, option in enumerate(BUFFER_SIZES)),
            _ALLOW,
            (RETURN, 0, 0, PRETEND),
        ],
        "setpriority": _zero((0, False), (1, False)),  # its own process only, by the number 0
        "sched_setaffinity": _zero((0, False)),
        # Its own limits. A compiler may only read them; an evaluator may lower what it gives its candidates, and
        # has no right left to raise anything.
        "prlimit64": _zero((0, False), *(((2, False), (2, True)) if use == "build" else ())),
        # A connected pair leads nowhere else; datagram sockets could be sent to any path.
        "socketpair": [
            _argument(0),
            (JUMP_EQUAL, 0, 5, AF_UNIX),
            _argument(1),
            (AND, 0, 0, SOCK_TYPE_MASK),
            (JUMP_EQUAL, 1, 0, SOCK_STREAM),
            (JUMP_EQUAL, 0, 1, SOCK_SEQPACKET),
            _ALLOW,
            _REFUSE,
        ],
        "sendto": _zero((4, False), (4, True)),
        **dict.fromkeys(("clock_gettime", "clock_getres", "clock_nanosleep"), own_clock()),
    }


def denied_calls(use: Use, *, signals_stay: bool, inside: bool = False) -> dict[str, tuple[int, int]]:
    """What is refused whatever its arguments are.

    ``signals_stay``: Landlock, or a namespace, keeps signals inside. ``inside``: it is in namespaces, where it can
    reach no local socket but its own.
    """
    always = {name: numbers for name, numbers in DENIED.items() if not (inside and name in LOCAL_SOCKETS)}
    return always | (DENIED_IN_BUILDS if use == "build" else {}) | ({} if signals_stay else SIGNALS)


def wide_program(machine: Machine, use: Use, *, signals_stay: bool, inside: bool = False) -> list[Instruction]:
    """The filter, as instructions."""
    program: list[Instruction] = [
        (LOAD, 0, 0, OFFSET_ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, machine.audit),
        (RETURN, 0, 0, KILL_PROCESS),  # a foreign ABI has other numbers: it would pass the list
        (LOAD, 0, 0, OFFSET_NUMBER),
    ]
    if machine.column == 0:
        program += [(JUMP_AT_LEAST, 0, 1, X32_BIT), (RETURN, 0, 0, KILL_PROCESS)]
    program += [(JUMP_AT_LEAST, 0, 1, FIRST_UNKNOWN), (RETURN, 0, 0, REFUSE_ENOSYS)]
    for table, verdict in (
        (denied_calls(use, signals_stay=signals_stay, inside=inside), _REFUSE),
        (PRETENDED, (RETURN, 0, 0, PRETEND)),
        (NOT_THERE, (RETURN, 0, 0, REFUSE_ENOTSUP)),
    ):
        for numbers in table.values():
            if numbers[machine.column] >= 0:
                program += [(JUMP_EQUAL, 0, 1, numbers[machine.column]), verdict]
    for name, body in _examined(use, inside=inside).items():
        program += [(JUMP_EQUAL, 0, len(body), EXAMINED[name][machine.column]), *body]
    return [*program, _ALLOW]


@lru_cache
def encoded_wide_program(machine: Machine, use: Use, *, signals_stay: bool, inside: bool = False) -> bytes:
    """The filter as an array of ``struct sock_filter``."""
    steps = wide_program(machine, use, signals_stay=signals_stay, inside=inside)
    return b"".join(struct.pack("HBBI", *step) for step in steps)
