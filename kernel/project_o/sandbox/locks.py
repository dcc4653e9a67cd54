"""The lock-down of a freshly forked process, before it reads one byte of what it is to run.

Every step raises OSError when the kernel refuses it: a sandbox that could not be set up is no sandbox.
"""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import platform
import resource
import signal
import stat
import struct
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from .. import limits as bounds
from . import policy

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NAME, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 4, 15, 36, 38
SECCOMP_SET_MODE_FILTER = 1
RLIMIT_MSGQUEUE = getattr(resource, "RLIMIT_MSGQUEUE", 12)
RLIMIT_SIGPENDING = getattr(resource, "RLIMIT_SIGPENDING", 11)
_STATM_SIZE, _STATM_DATA = 0, 5
CAPABILITIES_VERSION = 0x20080522
_CAPSET = {"x86_64": 126, "aarch64": 91}

# Where a locked process finds its descriptors.
FD_QUESTIONS, FD_ANSWERS, FD_ARENA, FD_SNAPSHOT = 3, 4, 5, 6
_FD_PARKING = 100
_MAP_FAILED = ctypes.c_void_p(-1).value

SYSTEM_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")
"""What the dynamic loader may read while a library is loaded."""

# SAFETY: the C library of this very process; the prototypes below are those of POSIX.
_libc = ctypes.CDLL(None, use_errno=True)
_PROT_NONE, _MAP_FIXED = 0, 0x10
_BLOCK_BYTES = 1 << 32
_kept = 0
"""The number of the block of addresses that this process reserved: see ``policy.Filter.kept``."""
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
_MACHINE = platform.machine()


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def system_call(number: int, *arguments: Any) -> int:
    """A raw system call. Raises OSError."""
    # SAFETY: syscall(2) takes longs; pointers come from ctypes objects that live until the call returns.
    words = [ctypes.c_long(item) if isinstance(item, int) else item for item in arguments]
    return _checked(_libc.syscall(ctypes.c_long(number), *words), f"system call {number}")


def process_control(option: int, value: int) -> None:
    """prctl(2) with one argument. Raises OSError."""
    # SAFETY: the options used here take one integer.
    _checked(_libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0), f"prctl {option}")


def process_name(name: str) -> None:
    """What ``ps`` shows, up to 15 bytes."""
    # SAFETY: PR_SET_NAME reads at most 16 bytes of a zero-terminated string.
    _libc.prctl(PR_SET_NAME, ctypes.c_char_p(name.encode()), 0, 0, 0)


def landlock_version() -> int:
    """The ABI version of Landlock that the kernel offers; 0 without Landlock."""
    try:
        return system_call(policy.LANDLOCK_CREATE, 0, 0, 1)
    except OSError:
        return 0


def apply_landlock(readable: Iterable[str], writable: Iterable[str]) -> None:
    """From here on only these paths can be opened; no TCP, no abstract sockets or signals out where known."""
    abi = landlock_version()
    if not abi:
        raise OSError("the kernel has no Landlock")
    attributes = policy.landlock_attributes(abi)
    # SAFETY: the kernel copies ``len(attributes)`` bytes of the ruleset description.
    rules = system_call(policy.LANDLOCK_CREATE, ctypes.c_char_p(attributes), len(attributes), 0)
    for paths, rights in ((readable, policy.RIGHTS_READ), (writable, policy.RIGHTS_WRITE)):
        for path in paths:
            try:
                at = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except FileNotFoundError:
                continue  # the system library folders differ between distributions
            folder = stat.S_ISDIR(os.fstat(at).st_mode)
            granted = rights & policy.landlock_rights(abi) & (~0 if folder else policy.RIGHTS_OF_A_FILE)
            # SAFETY: struct landlock_path_beneath_attr is packed: a u64 and an s32.
            system_call(policy.LANDLOCK_ADD, rules, 1, ctypes.c_char_p(struct.pack("=Qi", granted, at)), 0)
            os.close(at)
    system_call(policy.LANDLOCK_RESTRICT, rules, 0)
    os.close(rules)


def apply_seccomp(wanted: policy.Filter) -> None:
    """Install a filter for good; a later one can only tighten."""
    machine = policy.MACHINES.get(_MACHINE)
    if machine is None:
        raise OSError(f"no system call table for {_MACHINE}")
    code = _filter_of(*_encoded(machine, wanted))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(code)))
    # SAFETY: struct sock_fprog is a length and a pointer; both buffers live until the call returns, the kernel copies.
    system_call(machine.seccomp, SECCOMP_SET_MODE_FILTER, 0, ctypes.c_void_p(ctypes.addressof(header)))


def _encoded(machine: policy.Machine, wanted: policy.Filter) -> tuple[bytes, tuple[int, ...]]:
    return policy.encoded_program(machine, replace(wanted, kept=_kept))


def _filter_of(program: bytes, own_at: Iterable[int]) -> ctypes.Array[ctypes.c_char]:
    """The filter of this very process."""
    code = ctypes.create_string_buffer(program, len(program))
    for at in own_at:
        struct.pack_into("I", code, at, os.getpid())
    return code


def wanted_filter(config: dict[str, Any]) -> policy.Filter:
    """The filter that a strict job's configuration asks for."""
    return policy.Filter(
        config["stage"], bool(config["scratch"] or config["writable"]), tuple(config["calls"]), tuple(config["denied"])
    )


def prepare(config: dict[str, Any]) -> None:
    """Before the fork: make what the child will need, so that it finds it made."""
    if config.get("seccomp") and (machine := policy.MACHINES.get(_MACHINE)) is not None:
        _encoded(machine, wanted_filter(config))
        _encoded(machine, policy.Filter("strict", denied=tuple(config["denied"])))


def keep_addresses() -> None:
    """In the warm process: reserve the block in which its jobs find what is shared, and which they cannot give back.

    Without one (where addresses are scarce) they find it anywhere, and what they take is bounded less well.
    """
    global _kept
    try:
        fd = os.open("/proc/self/exe", os.O_RDONLY)  # of a file that is not open to be written nobody makes memory
    except OSError:
        return
    # SAFETY: addresses of the system's choice, none of which is touched; given back is what is left over of them.
    at = _libc.mmap(None, 2 * _BLOCK_BYTES, _PROT_NONE, mmap.MAP_SHARED, fd, 0)
    os.close(fd)
    if at is None or at == _MAP_FAILED:
        return
    begin = -(-at // _BLOCK_BYTES) * _BLOCK_BYTES
    for rest, size in ((at, begin - at), (begin + _BLOCK_BYTES, at + _BLOCK_BYTES - begin)):
        if size:
            _libc.munmap(ctypes.c_void_p(rest), ctypes.c_size_t(size))
    _kept = begin // _BLOCK_BYTES


def _mapped(offset: int, size: int, how: int, fd: int) -> Any:
    place = _kept * _BLOCK_BYTES + offset if _kept else None
    fixed = _MAP_FIXED if _kept else 0
    return _libc.mmap(place, size, mmap.PROT_READ | mmap.PROT_WRITE, how | fixed, fd, 0)


def map_arena(size: int) -> int:
    """The address at which the shared memory is visible here.

    All of ``size`` is reserved at once; the kernel's side lets the file grow under it, and this side cannot.
    """
    # SAFETY: a fresh mapping, or in the place reserved for it; pages beyond the file's end are not touched.
    address = _mapped(0, size, mmap.MAP_SHARED, FD_ARENA)
    if address is None or address == _MAP_FAILED:
        raise OSError(ctypes.get_errno(), "the shared memory cannot be mapped")
    os.close(FD_ARENA)  # with it the file could be made larger, or sealed, where its descriptors may be worked on
    return int(address)


def fence(address: int, *, closed: bool) -> None:
    """Close a page of the shared memory to this process, or open it again."""
    # SAFETY: a page of our own mapping, in which nothing lies but what a candidate should not touch.
    protection = _PROT_NONE if closed else mmap.PROT_READ | mmap.PROT_WRITE
    _checked(_libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(mmap.PAGESIZE), protection), "mprotect")


def map_snapshot(size: int) -> int:
    """The address of the data that this job shares with others; what is written there stays this job's own."""
    # SAFETY: as above; the file is sealed, so it cannot shrink under us.
    address = _mapped(bounds.ARENA_BYTES_MAX, size, mmap.MAP_PRIVATE, FD_SNAPSHOT)
    if address is None or address == _MAP_FAILED:
        raise OSError(ctypes.get_errno(), "the shared data cannot be mapped")
    os.close(FD_SNAPSHOT)
    return int(address)


def take_descriptors(questions: int, answers: int, log: int, arena: int, *snapshot: int) -> None:
    """Arrange the descriptors 0 to 6 and close all others: control sockets of this and of other jobs too."""
    empty = os.open(os.devnull, os.O_RDONLY)
    parked = [
        fcntl.fcntl(fd, fcntl.F_DUPFD, _FD_PARKING) for fd in (empty, log, log, questions, answers, arena, *snapshot)
    ]
    for target, fd in enumerate(parked):
        os.dup2(fd, target)
    os.closerange(len(parked), 1 << 20)


def die_with(parent: int) -> None:
    """Be killed when the process ``parent``, which must be our parent, ends."""
    process_control(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)  # it ended before the line above: nobody is left to answer to


def drop_capabilities() -> None:
    """Give up what the superuser has beyond its own files: limits, others' files, other users' processes, and what
    some calls do for it alone (madvise(2) takes memory from the whole machine)."""
    # SAFETY: struct __user_cap_header_struct (version, pid 0: oneself) and two empty __user_cap_data_struct.
    header = ctypes.create_string_buffer(struct.pack("Ii", CAPABILITIES_VERSION, 0))
    nothing = ctypes.create_string_buffer(24)
    system_call(_CAPSET[_MACHINE], header, nothing)


def _stack_bytes() -> int:
    """How far the stack may grow: as today, within bounds."""
    soft, _ = resource.getrlimit(resource.RLIMIT_STACK)
    return bounds.BUILD_STACK_BYTES if soft == resource.RLIM_INFINITY else min(soft, bounds.BUILD_STACK_BYTES)


def set_limits(memory_bytes: int, cpu_seconds: int, file_bytes: int, open_files: int) -> None:
    """Bounds with soft = hard, so that there is no warning signal to catch. ``memory_bytes`` is beyond today's use.

    What is in use can be given back, and taken again as something else: the shared memory's address space is large.
    So private memory has a bound of its own (the filter lets nothing else be made that a file does not bound).
    """
    with open("/proc/self/statm", "rb") as f:
        words = [int(word) * resource.getpagesize() for word in f.read().split()]
    limits = {
        resource.RLIMIT_AS: words[_STATM_SIZE] + memory_bytes,
        resource.RLIMIT_DATA: words[_STATM_DATA] + memory_bytes,
        resource.RLIMIT_STACK: _stack_bytes(),
        RLIMIT_SIGPENDING: bounds.PENDING_SIGNALS_MAX,
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_CORE: 1,  # no file is so short; 0 would not keep a program of the system from being given one
        resource.RLIMIT_MEMLOCK: 0,
        RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_NOFILE: open_files,
        resource.RLIMIT_FSIZE: file_bytes,
        resource.RLIMIT_NPROC: 0,  # a second line only: root is not bound by it, the filter is the first
    }
    for which, value in limits.items():
        _, hard = resource.getrlimit(which)
        # A bound that the user has set already may be tighter, and cannot be raised.
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (bound, bound))


def rehearse() -> None:
    """What ``lock_strict`` computes and asks, without a change: see ``worker.rehearse``."""
    landlock_version()
    policy.landlock_attributes(1)
    with open("/proc/self/statm", "rb") as f:
        f.read().split()
    resource.getrlimit(resource.RLIMIT_AS)
    if (machine := policy.MACHINES.get(_MACHINE)) is not None:
        _filter_of(*_encoded(machine, policy.Filter("strict")))


def lock_strict(config: dict[str, Any]) -> None:
    """Apply what ``config`` asks for: see ``configure.configuration``. Descriptors are in place already."""
    scratch = config["scratch"]
    os.chdir(scratch or "/")
    # The warm process sees the files that a job holds open only where the job is not closed to it (proc_pid_fd(5)).
    process_control(PR_SET_DUMPABLE, 1 if scratch else 0)
    set_limits(config["memory_bytes"], config["cpu_backstop_seconds"], config["file_bytes"], config["open_files"])
    drop_capabilities()
    process_control(PR_SET_NO_NEW_PRIVS, 1)
    if config["landlock"]:
        apply_landlock(config["readable"], [*config["writable"], *([scratch] if scratch else [])])
    if config["seccomp"]:
        apply_seccomp(wanted_filter(config))


def lock_isolate(config: dict[str, Any]) -> None:
    """The user's own code that may crash: no core file, and nothing else is taken away."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
