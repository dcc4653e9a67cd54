"""Candidates in machine code: constructors, raw system calls, foreign ways into the kernel, faults.

The functions are in ``hostile.zig``, ``hostile.rs`` and ``hostile_load.c``: all are (a, b, text) -> number.
"""

from __future__ import annotations

from .case import attack, damaged, leaked, lives_on, marked, reached, victim_gone
from .memory import EXCESS, held, never


def native(name, kind, oracle, numbers=lambda world: (0, 0, world.canary), library="zig", function="", **more):
    attack(
        name, kind, "", oracle, language="native", library=library, function=function or name, numbers=numbers, **more
    )


PID = {"numbers": lambda world: (world.victim, 9, ""), "needs": ("victim",)}
ENDLESS = {"wall_seconds": 0.5, "cpu_seconds": 0.4}

native("native_read", "files", leaked)
native("native_write", "files", damaged)
native("native_make", "files", marked, numbers=lambda world: (0, 0, world.mark))
native("native_environment", "files", leaked)
native("native_int80", "files", leaked, machines=("x86_64",))
native("native_x32", "files", leaked, machines=("x86_64",), control_lacks="this kernel has no x32 calls")
native("native_generated_code", "files", leaked, machines=("x86_64",))
native("native_kill", "signals", victim_gone, **PID)
native("native_kill_int80", "signals", victim_gone, machines=("x86_64",), **PID)
native("native_connect", "network", reached, numbers=lambda world: (world.tcp, 1, ""), needs=("tcp",))
native(
    "native_datagram",
    "network",
    reached,
    function="native_connect",
    numbers=lambda world: (world.udp, 2, ""),
    needs=("udp",),
)
native("native_fork", "processes", marked, numbers=lambda world: (0, 0, world.mark))
native("native_exec", "processes", marked, numbers=lambda world: (0, 0, world.mark))
native("native_memory", "memory", never, numbers=lambda world: (EXCESS, 0, ""), watch=held)
native("native_spin", "time", lives_on, **ENDLESS)
native("native_stop", "time", lives_on, **ENDLESS)
native("native_handlers", "time", lives_on, **ENDLESS)
native(
    "native_constructor",
    "files",
    marked,
    library="load",
    function="nothing",
    numbers=lambda world: (0, 0, ""),
    needs=("fixed",),
)
native(
    "native_ifunc",
    "files",
    marked,
    library="ifunc",
    function="nothing",
    numbers=lambda world: (0, 0, ""),
    needs=("fixed",),
)
native(
    "native_constructor_reads",
    "files",
    leaked,
    library="load_reads",
    function="nothing",
    numbers=lambda world: (0, 0, ""),
    needs=("fixed_canary",),
)
native("native_rust_read", "files", leaked, library="rust")
native("native_rust_write", "files", damaged, library="rust")
native("native_rust_kill", "signals", victim_gone, library="rust", **PID)
native("native_rust_thread", "processes", marked, library="rust", numbers=lambda world: (0, 0, world.mark))
native("native_rust_command", "processes", marked, library="rust", numbers=lambda world: (0, 0, world.mark))
native(
    "native_rust_connect", "network", reached, library="rust", numbers=lambda world: (world.tcp, 1, ""), needs=("tcp",)
)
