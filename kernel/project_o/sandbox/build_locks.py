"""The lock-down of a compiler, and of a foreign evaluator: files by Landlock, the rest by the wide filter.

As in ``locks``: applied in the forked process before it reads a byte of what it is to run, and every step that the
kernel refuses raises OSError.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import stat
import struct
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NoReturn

from .. import limits
from . import build_policy, locks, policy

SIGNALS_STAY_FROM = 6
"""The version of Landlock from which signals can be kept inside."""
RIGHTS_EXECUTE = 0b1
RIGHTS_SPECIAL = 0b1011000000000  # make sockets, pipes and symbolic links
_MACHINE = platform.machine()
EXIT_NO_COMPILER = 73


def apply_landlock(
    readable: Iterable[str], writable: Iterable[str], executable: Iterable[str], own: Iterable[str] = ()
) -> None:
    """From here on only these paths can be read, written, or run (and read). Nothing is reachable by TCP.

    ``own`` are folders in which all of that can be done, and links, pipes and local sockets made.
    """
    abi = locks.landlock_version()
    if not abi:
        raise OSError("the kernel has no Landlock")
    attributes = policy.landlock_attributes(abi)
    # SAFETY: the kernel copies ``len(attributes)`` bytes of the ruleset description.
    rules = locks.system_call(policy.LANDLOCK_CREATE, ctypes.c_char_p(attributes), len(attributes), 0)
    execute = policy.RIGHTS_READ | RIGHTS_EXECUTE
    for paths, rights in (
        (readable, policy.RIGHTS_READ),
        (writable, policy.RIGHTS_WRITE),
        (executable, execute),
        (own, policy.RIGHTS_WRITE | execute | RIGHTS_SPECIAL),
    ):
        for path in paths:
            try:
                at = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except (FileNotFoundError, NotADirectoryError, PermissionError):
                continue  # distributions differ, and what cannot be reached needs no rule
            folder = stat.S_ISDIR(os.fstat(at).st_mode)
            granted = rights & policy.landlock_rights(abi) & (~0 if folder else policy.RIGHTS_OF_A_FILE)
            # SAFETY: struct landlock_path_beneath_attr is packed: a u64 and an s32.
            rule = ctypes.c_char_p(struct.pack("=Qi", granted, at))
            locks.system_call(policy.LANDLOCK_ADD, rules, 1, rule, 0)
            os.close(at)
    locks.system_call(policy.LANDLOCK_RESTRICT, rules, 0)
    os.close(rules)


def apply_filter(use: build_policy.Use, *, signals_stay: bool, inside: bool = False) -> None:
    """Install the wide filter for good."""
    machine = policy.MACHINES.get(_MACHINE)
    if machine is None:
        raise OSError(f"no system call table for {_MACHINE}")
    program = build_policy.encoded_wide_program(machine, use, signals_stay=signals_stay, inside=inside)
    # SAFETY: struct sock_fprog is a length and a pointer; both buffers live until the call returns, the kernel copies.
    code = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code)))
    where = ctypes.c_void_p(ctypes.addressof(header))
    locks.system_call(machine.seccomp, locks.SECCOMP_SET_MODE_FILTER, 0, where)


def set_wide_limits(config: Mapping[str, Any], *, in_use: bool) -> None:
    """Bounds of each process, soft = hard. ``in_use``: the memory bound is beyond what is mapped now."""
    with open("/proc/self/statm", "rb") as f:
        mapped, *_, data, _ = (int(word) * resource.getpagesize() for word in f.read().split())
    bounds = {
        resource.RLIMIT_AS: config["address_bytes"] + (mapped if in_use else 0),
        resource.RLIMIT_CPU: config["cpu_backstop_seconds"],
        resource.RLIMIT_CORE: 1,
        resource.RLIMIT_MEMLOCK: 0,
        locks.RLIMIT_MSGQUEUE: 0,
        locks.RLIMIT_SIGPENDING: limits.PENDING_SIGNALS_MAX,
        resource.RLIMIT_NOFILE: config["open_files"],
        resource.RLIMIT_FSIZE: config["file_bytes"],
        # It counts all processes of the user, and not the superuser's: the kernel's side counts exactly.
        resource.RLIMIT_NPROC: _threads_of(os.getuid()) + config["tree"]["threads"],
    }
    if "data_bytes" in config:
        bounds[resource.RLIMIT_DATA] = config["data_bytes"] + (data if in_use else 0)
    if not in_use:
        bounds[resource.RLIMIT_STACK] = limits.BUILD_STACK_BYTES  # compilers raise it themselves, and may not here
    for which, value in bounds.items():
        _, hard = resource.getrlimit(which)
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (bound, bound))


def _threads_of(user: int) -> int:
    """How many threads a user has, as RLIMIT_NPROC counts them. What another one sees of them is no matter."""
    total = 0
    wanted = b"%d" % user
    for name in os.listdir("/proc"):  # noqa: PTH208 - for each job
        with suppress(OSError, ValueError, IndexError):
            if name.isdigit():
                with open(f"/proc/{name}/status", "rb") as f:
                    rows = dict(line.split(b":", 1) for line in f.read().splitlines())
                if rows[b"Uid"].split()[0] == wanted:
                    total += int(rows[b"Threads"])
    return total


def lock_wide(config: Mapping[str, Any], use: build_policy.Use) -> None:
    """What builds and evaluators have in common. Descriptors are in place already, the session is its own."""
    os.chdir(config["scratch"])
    set_wide_limits(config, in_use=use == "evaluator")
    locks.drop_capabilities()
    locks.process_control(locks.PR_SET_NO_NEW_PRIVS, 1)
    signals_stay = False
    if config["landlock"]:
        own = [config["scratch"]] if use == "evaluator" else []
        apply_landlock(config["readable"], [config["scratch"], *config["writable"]], config["executable"], own)
        signals_stay = locks.landlock_version() >= SIGNALS_STAY_FROM
    if config["seccomp"]:
        inside = use == "evaluator" and config["namespaces"]
        apply_filter(use, signals_stay=signals_stay or inside, inside=inside)


def lock_build(config: dict[str, Any]) -> None:
    """A compiler: it is given its command afterwards, in ``run_build``."""
    lock_wide(config, "build")


def lock_evaluator(config: dict[str, Any]) -> None:
    """Python that starts processes of its own, which shall not hold the job's pipes."""
    for fd in (locks.FD_QUESTIONS, locks.FD_ANSWERS):
        os.set_inheritable(fd, False)
    lock_wide(config, "evaluator")


def run_build(config: dict[str, Any]) -> NoReturn:
    """Read the command from the questions' pipe and become it. The end of the answers' pipe says that it runs."""
    with open(locks.FD_QUESTIONS, "rb", buffering=1 << 16, closefd=False) as questions:
        line = questions.readline()
    if not line:
        os._exit(0)
    order = json.loads(line)
    for fd in (locks.FD_QUESTIONS, locks.FD_ANSWERS):
        os.set_inheritable(fd, False)
    try:
        os.chdir(order["folder"])
        os.execve(order["argv"][0], order["argv"], order["environment"])
    except (OSError, ValueError) as error:
        said = json.dumps({"id": order["id"], "ok": False, "error": f"{type(error).__name__}: {error}"})
        os.write(locks.FD_ANSWERS, said.encode("ascii") + b"\n")
        os._exit(EXIT_NO_COMPILER)
