"""Making processes and threads, becoming another program, and reaching into processes of others."""

from __future__ import annotations

import contextlib
import os
import resource
import time

from .case import attack, leaked, marked, soon, victim_gone


def more_processes(count):
    """A look at the process table: more processes below the evaluator than it made itself."""

    def watch(world, outcome):
        from .left import at_work

        found = at_work()
        if len(found) > world.processes + count:
            time.sleep(0.02)  # one that was forked this very moment to wait has no name yet; the attacks' own linger
            found &= at_work()
        return len(found) > world.processes + count

    return watch


def never(world, outcome):
    """Only what was seen while it ran counts."""
    return False


LINGER = "time.sleep(0.4)"

attack(
    "proc_fork",
    "processes",
    f"def attack(w):\n    if os.fork() == 0:\n        {LINGER}\n        os._exit(0)\n    {LINGER}",
    never,
    watch=more_processes(1),
    needs=("processes",),
)
attack(
    "proc_clone_raw",
    "processes",
    f"""
def attack(w):
    for attempt in (
        lambda: call(w["nr"]["clone"], 17, 0, 0, 0, 0),
        lambda: call(w["nr"]["clone3"], struct.pack("11Q", 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0), 88),
        lambda: call(w["nr"]["fork"]),
    ):
        try: pid = attempt()
        except OSError: continue
        if pid == 0:
            {LINGER}
            os._exit(0)
    {LINGER}
""",
    never,
    watch=more_processes(1),
    needs=("processes",),
)
attack(
    "proc_spawn",
    "processes",
    "def attack(w): os.waitpid(os.posix_spawn('/bin/touch', ['touch', w['mark']], {}), 0)",
    marked,
)
attack("proc_system", "processes", "def attack(w): libc.system(f\"touch {w['mark']}\".encode())", marked)
attack("proc_exec", "processes", "def attack(w): os.execv('/bin/touch', ['touch', w['mark']])", marked)
attack(
    "proc_exec_from_memory",
    "processes",
    """
def attack(w):
    fd = call(w["nr"]["memfd_create"], b"x", 0)
    os.write(fd, f"#!/bin/sh\\ntouch {w['mark']}\\n".encode())
    libc.fexecve.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
    arguments = (ctypes.c_char_p * 2)(b"x", None)
    environment = (ctypes.c_char_p * 2)(b"PATH=/usr/bin:/bin", None)
    libc.fexecve(fd, arguments, environment)
    raise OSError(ctypes.get_errno(), "fexecve")
""",
    marked,
)
attack(
    "proc_fork_bomb",
    "processes",
    """
def attack(w):
    end = time.monotonic() + 0.4
    for _ in range(20):
        if os.fork() == 0:
            time.sleep(max(0, end - time.monotonic()))
            os._exit(0)
    time.sleep(max(0, end - time.monotonic()))
""",
    never,
    watch=more_processes(15),
    needs=("processes",),
)


def threads_below(world, outcome):
    """More than 20 threads in one process below this one."""
    from .left import descendants

    for pid in descendants():
        with contextlib.suppress(OSError):
            if len(os.listdir(f"/proc/{pid}/task")) > 20:
                return True
    return False


attack(
    "proc_thread_bomb",
    "processes",
    """
import threading
def attack(w):
    for _ in range(40): threading.Thread(target=time.sleep, args=(0.4,), daemon=True).start()
    time.sleep(0.4)
""",
    never,
    watch=threads_below,
)
attack(
    "proc_daemon",
    "processes",
    """
def attack(w):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for fd in range(0, 50):
                try: os.close(fd)
                except OSError: pass
            time.sleep(0.3)
            os.close(os.open(w["mark"], os.O_CREAT | os.O_WRONLY))
        os._exit(0)
    os.wait()
""",
    lambda world, outcome: soon(world.appeared, 0.6),
)
attack(
    "proc_zombies",
    "processes",
    """
def attack(w):
    for _ in range(30):
        if os.fork() == 0: os._exit(0)
    time.sleep(0.4)
""",
    never,
    watch=more_processes(20),
    needs=("processes",),
)
attack(
    "proc_ptrace",
    "processes",
    """
def attack(w):
    call(w["nr"]["ptrace"], 0x4206, w["victim"], 0, 0x100000)  # SEIZE with EXITKILL
    os._exit(0)
""",
    lambda world, outcome: soon(lambda: victim_gone(world, outcome), 0.2),
    needs=("victim",),
)
attack(
    "proc_read_memory",
    "processes",
    """
def attack(w):
    size = 4096 - w["secret_at"] % 4096
    out = ctypes.create_string_buffer(size)
    here = struct.pack("PL", ctypes.addressof(out), min(size, 40))
    there = struct.pack("PL", w["secret_at"], min(size, 40))
    call(w["nr"]["process_vm_readv"], w["victim"], here, 1, there, 1, 0)
    return out.raw
""",
    leaked,
    needs=("victim", "secret_at"),
)
attack(
    "proc_write_memory",
    "processes",
    """
def attack(w):
    out = ctypes.create_string_buffer(b"OVERWRITTEN")
    here = struct.pack("PL", ctypes.addressof(out), 11)
    there = struct.pack("PL", w["secret_at"], 11)
    call(w["nr"]["process_vm_writev"], w["victim"], here, 1, there, 1, 0)
""",
    lambda world, outcome: "OVERWRITTEN" in world.victim_memory(),
    needs=("victim", "secret_at"),
)
attack(
    "proc_take_descriptor",
    "processes",
    """
def attack(w):
    return os.pread(call(w["nr"]["pidfd_getfd"], call(w["nr"]["pidfd_open"], w["victim"], 0), 0, 0), 99, 0)
""",
    leaked,
    needs=("victim",),
)
attack(
    "proc_prlimit_victim",
    "processes",
    "def attack(w): call(w['nr']['prlimit64'], w['victim'], 7, struct.pack('QQ', 5, 5), 0)",
    lambda world, outcome: resource.prlimit(world.victim, resource.RLIMIT_NOFILE) == (5, 5),
    needs=("victim",),
)
attack(
    "proc_pin_others",
    "processes",
    "def attack(w): call(w['nr']['sched_setaffinity'], w['victim'], 8, struct.pack('Q', 1))",
    lambda world, outcome: os.sched_getaffinity(world.victim) == {0},
    needs=("victim",),
    control_lacks="one processor only" if (os.cpu_count() or 1) < 2 else "",
)
attack(
    "proc_slow_others",
    "processes",
    "def attack(w): call(w['nr']['setpriority'], 0, w['victim'], 19)",
    lambda world, outcome: os.getpriority(os.PRIO_PROCESS, world.victim) == 19,
    needs=("victim",),
)
attack(
    "proc_idle_others",
    "processes",
    "def attack(w): call(w['nr']['sched_setscheduler'], w['victim'], 5, struct.pack('i', 0))",
    lambda world, outcome: os.sched_getscheduler(world.victim) == 5,
    needs=("victim",),
)
attack(
    "proc_raise_own_limit",
    "processes",
    """
import resource
def attack(w):
    got = []
    for which in (resource.RLIMIT_AS, resource.RLIMIT_DATA, resource.RLIMIT_CPU, resource.RLIMIT_NOFILE):
        try:
            hard = resource.getrlimit(which)[1]
            resource.setrlimit(which, (hard, hard))
            got.append(resource.getrlimit(which)[0] == hard and hard in (-1, resource.RLIM_INFINITY))
        except (OSError, ValueError): pass
    return any(got)
""",
    lambda world, outcome: outcome.value is True,
    soft_limit=True,
)
attack(
    "proc_user_namespace",
    "processes",
    """
def attack(w):
    call(w["nr"]["unshare"], 0x10000000)
    return os.geteuid()
""",
    lambda world, outcome: outcome.value == 65534 != os.geteuid(),
)
attack(
    "proc_keyring",
    "processes",
    """
def attack(w):
    return call(w["nr"]["add_key"], b"user", w["mark"].encode(), b"x", 1, -4)
""",
    lambda world, outcome: isinstance(outcome.value, int) and outcome.value > 0 and _key_is_there(world.mark),
)


def _key_is_there(name: str) -> bool:
    """In the keys of this user, as the kernel lists them."""
    try:
        with open("/proc/keys") as f:
            return name in f.read()
    except OSError:
        return True  # no list here: the number of a key is all there is


attack(
    "proc_bpf",
    "processes",
    """
def attack(w):
    return call(w["nr"]["bpf"], 0, struct.pack("5I", 2, 4, 4, 1, 0).ljust(128, bytes(1)), 128)
""",
    lambda world, outcome: isinstance(outcome.value, int) and outcome.value > 2,
    control_lacks="the kernel gives bpf to the superuser only",
)
attack(
    "proc_perf",
    "processes",
    """
def attack(w):
    # PERF_TYPE_SOFTWARE, page faults, user mode only
    attributes = struct.pack("IIQQQQQ", 1, 112, 2, 0, 0, 0, 0b1100001).ljust(112, bytes(1))
    fd = call(w["nr"]["perf_event_open"], attributes, w["victim"], -1, -1, 0)
    return len(os.read(fd, 8))
""",
    lambda world, outcome: outcome.value == 8,
    needs=("victim",),
)
attack(
    "proc_userfaultfd",
    "processes",
    "def attack(w): return call(w['nr']['userfaultfd'], 1)",
    lambda world, outcome: isinstance(outcome.value, int) and outcome.value > 2,
)
attack(
    "proc_type_into_the_terminal",
    "processes",
    """
import fcntl
def attack(w):
    for fd in range(0, 3):
        try: fcntl.ioctl(fd, 0x5412, b"x")
        except OSError: continue
""",
    lambda world, outcome: world.typed(),
    needs=("terminal",),
)
