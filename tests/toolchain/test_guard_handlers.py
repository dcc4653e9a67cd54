"""Who handles a signal between two calls, and after somebody else has installed a handler of their own."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

CELL = """
var counter: u64 = 0;
pub fn spin() void {
    const p: *volatile u64 = &counter;
    while (true) p.* +%= 1;
}
pub fn one() i32 {
    return 1;
}
pub fn wild(at: usize) void {
    const p: *allowzero volatile u8 = @ptrFromInt(at);
    p.* = 1;
}
"""
BEGIN = """
import faulthandler, os, select, signal, sys, threading, time
from project_o import toolchain
from project_o.errors import NativeFault
from project_o.values import Program
library = toolchain.load(toolchain.build(Program("p", "zig", (("cell.zig", sys.stdin.read()),))))
library.call("one", [])
def press(after):
    threading.Timer(after, os.kill, (os.getpid(), signal.SIGINT)).start()
def press_in_the_loop():
    # When this thread has been at work for a while: it is in the cell's loop by then, however late that was.
    clock = time.pthread_getcpuclockid(threading.get_ident())
    until = time.clock_gettime(clock) + 0.03
    def wait():
        while time.clock_gettime(clock) < until:
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=wait).start()
def ended(call):
    try:
        return call()
    except (KeyboardInterrupt, NativeFault) as error:
        return type(error).__name__
"""


def said(code: str) -> tuple[str, str, int]:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + code], input=CELL, capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout.strip(), done.stderr, done.returncode


@pytest.mark.parametrize("handler", ["signal.default_int_handler", "lambda number, frame: None"])
def test_a_handler_installed_right_before_an_endless_loop(zig_there: Path, handler: str) -> None:
    """As ipykernel does before each cell: its handler replaces the guard's, which may not be looked for right then."""
    code = f"""
for _ in range(5):
    library.call("one", [])
    signal.signal(signal.SIGINT, {handler})
    press_in_the_loop()
    print(ended(lambda: library.call("spin", [])))
"""
    assert said(code)[0].split() == ["KeyboardInterrupt"] * 5


def test_between_calls_an_interrupt_is_pythons(zig_there: Path) -> None:
    code = """
library.call("one", [])
for wait in (lambda: time.sleep(30), lambda: select.select([], [], [], 30), lambda: os.read(os.pipe()[0], 1)):
    press(0.3)
    began = time.monotonic()
    print(ended(wait), time.monotonic() - began < 25, library.call("one", []))
"""
    assert said(code)[0].split() == ["KeyboardInterrupt", "True", "1"] * 3


def test_an_interrupt_before_a_call_is_raised_before_its_loop_begins(zig_there: Path) -> None:
    """The main thread cannot look at its flags while it is on its way into the call: nobody but the guard sees it."""
    code = """
library.call("one", [])
seen = 0
for _ in range(200):
    try:
        press(0.0005)
        while True:
            library.call("one", [])
    except KeyboardInterrupt:
        seen += 1
print(seen, ended(lambda: library.call("one", [])))
"""
    assert said(code)[0] == "200 1"


def test_without_a_handler_the_process_ends_as_python_does(zig_there: Path) -> None:
    code = """
library.call("one", [])
signal.signal(signal.SIGINT, signal.SIG_DFL)
press(0.05)
library.call("spin", [])
"""
    assert said(code)[2] == -signal.SIGINT


def test_a_fault_right_after_faulthandler_was_enabled(zig_there: Path) -> None:
    """It has its say first, then the call ends in an exception all the same."""
    code = """
for _ in range(3):
    faulthandler.disable()
    library.call("one", [])
    faulthandler.enable()
    print(ended(lambda: library.call("wild", [64])), library.call("one", []))
"""
    out, errors, code_ = said(code)

    assert (out.split(), code_) == (["NativeFault", "1"] * 3, 0), errors


def test_a_timer_signal_of_somebody_elses_reaches_them(zig_there: Path) -> None:
    code = """
seen = []
signal.signal(signal.SIGURG, lambda number, frame: seen.append(number))
library.call("one", [])
os.kill(os.getpid(), signal.SIGURG)
press_in_the_loop()
print(ended(lambda: library.call("spin", [])), signal.SIGURG in seen)
"""
    assert said(code)[0].split() == ["KeyboardInterrupt", "True"]
