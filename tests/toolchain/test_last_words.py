"""What the guard does not survive, and leaves to others: one clear line, and the end that would have come anyway."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

WILD = """
pub fn wild(at: usize) void {
    const p: *allowzero volatile u8 = @ptrFromInt(at);
    p.* = 1;
}
pub fn over(a: i32) i32 {
    return a + 1;
}
"""


def run_child(code: str, *, seconds: float = 60, input_text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=seconds, input=input_text, check=False
    )


CHILD = """
import os, signal, sys, threading, time
import numpy as np
from project_o import toolchain
from project_o.values import Program
source = sys.stdin.read()
library = toolchain.load(toolchain.build(Program("p", "zig", (("cell.zig", source),))))
"""


ABORTS = """
extern fn abort() noreturn;
pub fn f() void {
    abort();
}
"""
CORRUPTS = """
extern fn malloc(n: usize) [*]volatile u64;
extern fn free(p: [*]volatile u64) void;
pub fn f() void {
    const p = malloc(24);
    for (0..40) |i| p[i] = 0x4141414141414141;
    free(p);
    free(malloc(2000));
    free(p);
    for (0..100) |i| _ = malloc(16 * i);
}
"""
PANICS_IN_A_THREAD = """
const std = @import("std");
fn work(a: *const i32) void {
    if (a.* == 1) @panic("in a thread");
}
pub fn f() !void {
    const one: i32 = 1;
    const thread = try std.Thread.spawn(.{}, work, .{&one});
    thread.join();
}
"""


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (ABORTS, "cannot be survived in-process"),
        (CORRUPTS, "cannot be survived in-process"),
        (PANICS_IN_A_THREAD, "outside a guarded call, in a thread that native code started: in a thread"),
    ],
    ids=["abort", "heap corruption", "panic in a native thread"],
)
def test_what_cannot_be_survived_is_said_and_ends_the_process(source: str, says: str, zig_there: Path) -> None:
    done = run_child(
        "import faulthandler; faulthandler.enable()\n" + CHILD + "library.call('f', [])", input_text=source
    )

    assert done.returncode in (-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGILL, -signal.SIGTRAP)
    assert says in done.stderr
    assert "Fatal Python error" in done.stderr, "faulthandler has its say too"


def test_a_fault_outside_native_calls_is_faulthandlers(zig_there: Path) -> None:
    """Enabled before or after our handlers, and also when the signal was sent."""
    for when in ("before", "after"):
        enable = "import faulthandler; faulthandler.enable()\n"
        code = (enable if when == "before" else "") + CHILD + "assert library.call('over', [1]) == 2\n"
        code += (enable if when == "after" else "") + "assert library.call('over', [2]) == 3\n"
        for ending in ("import ctypes; ctypes.string_at(0)", "os.kill(os.getpid(), signal.SIGSEGV)"):
            done = run_child(code + ending, input_text=WILD)
            assert done.returncode == -signal.SIGSEGV
            assert "Fatal Python error: Segmentation fault" in done.stderr
            assert "project-o" not in done.stderr.split("Current thread")[0]


def test_faults_are_caught_with_faulthandler_enabled_at_any_time(zig_there: Path) -> None:
    code = (
        CHILD
        + """
import faulthandler
from project_o.errors import NativeFault
for round in range(3):
    try:
        library.call("wild", [64])
    except NativeFault as error:
        print("caught", "0x40" in str(error))
    faulthandler.enable()
"""
    )
    done = run_child(code, input_text=WILD)

    assert done.stdout == "caught True\n" * 3, done.stderr
    assert done.stderr == ""


def test_the_guard_stays_in_memory_when_the_interpreter_closes_it_at_its_end(zig_there: Path) -> None:
    """Its handlers stay, and its timer looks after them some milliseconds longer: both met unmapped memory."""
    code = (
        CHILD
        + """
import time
from project_o.toolchain.host import host
assert library.call("over", [1]) == 2
host().ffi.dlclose(host().guard)
time.sleep(0.1)
print("still here")
"""
    )
    done = run_child(code, input_text=WILD)

    assert (done.returncode, done.stdout) == (0, "still here\n"), done.stderr
