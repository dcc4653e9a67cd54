"""The guard under stress: interrupts, swaps under load, threads, and what it must not survive."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from project_o import toolchain
from project_o.errors import NativeFault, NativePanic
from project_o.toolchain import Library
from project_o.values import Artifact

sys.path.insert(0, str(Path(__file__).parent))
from held import mapped_cells, open_descriptors

BUSY = """
const std = @import("std");
var kept: [*]u8 = undefined;
var counter: u64 = 0;
pub fn allocate(n: u64) u64 {
    var s: u64 = 0;
    const k: *volatile [*]u8 = &kept;
    while (n > 0) {
        const a = std.heap.c_allocator.alloc(u8, 1 + s % 4000) catch continue;
        k.* = a.ptr;
        s += 1;
        std.heap.c_allocator.free(k.*[0..a.len]);
    }
    return s;
}
pub fn spin(n: u64) void {
    const p: *volatile u64 = &counter;
    while (n > 0) p.* +%= 1;
}
pub fn count(n: u64) u64 {
    const p: *volatile u64 = &counter;
    p.* = 0;
    for (0..n) |_| p.* += 1;
    return p.*;
}
pub fn wild(at: usize) void {
    const p: *allowzero volatile u8 = @ptrFromInt(at);
    p.* = 1;
}
pub fn over(a: i32) i32 {
    return a + 1;
}
"""


@pytest.fixture(scope="module")
def busy(loaded: Callable[..., Library]) -> Library:
    return loaded(BUSY)


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
version = toolchain.Version(toolchain.build(Program("p", "zig", (("cell.zig", source),))))
"""


INTERRUPTS = (
    CHILD
    + """
from project_o.deploy import NativeFunction, Slot
from project_o.toolchain import dispatcher
assert dispatcher.wait(100).made
function = NativeFunction(Slot("p", version), FUNCTION)
def call():
    if WAY == "cffi":
        version.call(FUNCTION, [1])
    else:
        function(1)
function(0), function(0)
assert function._entry is not None
stop = False
calling = [False]
def interrupt():
    while not stop:
        if calling[0]:
            calling[0] = False
            time.sleep(0.001)
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.0005)
thread = threading.Thread(target=interrupt); thread.start()
seen = 0
for _ in range(300):
    try:
        calling[0] = True
        call()
    except KeyboardInterrupt:
        seen += 1
    blocks = [bytearray(n) for n in range(0, 200_000, 5000)]
stop = True
thread.join()
print(seen, signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""
)


@pytest.mark.parametrize("way", ["cffi", "dispatcher"])
@pytest.mark.parametrize("function", ["allocate", "spin"])
def test_three_hundred_interrupts_of_an_endless_loop(function: str, way: str, zig_there: Path) -> None:
    """No deadlock of an allocator: a jump comes out of the cell's own code only."""
    code = INTERRUPTS.replace("FUNCTION", repr(function)).replace("WAY", repr(way))
    done = run_child(code, input_text=BUSY)

    assert done.stdout == "300 True\n", done.stderr


def test_an_interrupt_that_comes_too_late_is_raised_after_the_call(
    busy: Library, interrupted: Callable[..., None]
) -> None:
    """The call ends by itself; Python's own handler gets the signal, wherever it struck."""
    for _ in range(20):
        interrupted(0.002, lambda: busy.call("count", [1_000_000]))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert busy.call("count", [10]) == 10


def test_an_ignored_interrupt_stays_ignored(busy: Library) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        thread = threading.Timer(0.005, os.kill, (os.getpid(), signal.SIGINT))
        thread.start()
        assert busy.call("count", [20_000_000]) == 20_000_000
        thread.join()
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_handler_of_the_users_own_is_called(busy: Library) -> None:
    seen: list[int] = []
    stop = threading.Event()

    def press() -> None:
        while not stop.wait(0.05):
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, lambda number, _frame: seen.append(number))
    try:
        os.kill(os.getpid(), signal.SIGINT)
        busy.call("count", [1])
        assert seen == [signal.SIGINT]
        thread = threading.Thread(target=press)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            busy.call("spin", [1])
        stop.set()
        thread.join()
    finally:
        stop.set()
        signal.signal(signal.SIGINT, before)


def test_a_call_in_another_thread_is_not_interrupted(busy: Library, interrupted: Callable[..., None]) -> None:
    """As in Python: the main thread has the KeyboardInterrupt, the other call goes on."""
    found: list[int] = []
    done = threading.Event()

    def work() -> None:
        found.append(busy.call("count", [30_000_000]))
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    interrupted(0.01, lambda: None)

    assert done.wait(60)
    assert found == [30_000_000]


def test_after_a_fault_the_globals_start_anew_after_a_panic_they_stay(loaded: Callable[..., Library]) -> None:
    library = loaded(
        "var n: i32 = 0;\npub fn next() i32 {\n    n += 1;\n    return n;\n}\n"
        "pub fn over(a: i32) i32 {\n    n += a;\n    return n;\n}\n"
        "pub fn wild(at: usize) void {\n    const p: *allowzero volatile u8 = @ptrFromInt(at);\n    p.* = 1;\n}\n"
    )
    assert [library.call("next", []) for _ in range(2)] == [1, 2]
    with pytest.raises(NativePanic):
        library.call("over", [2**31 - 1])
    assert library.call("next", []) == 3
    with pytest.raises(NativeFault, match="global variables start anew"):
        library.call("wild", [0])
    assert library.call("next", []) == 1


def test_faults_in_many_threads_at_once(busy: Library) -> None:
    wrong: list[object] = []

    def work(k: int) -> None:
        for n in range(50):
            try:
                if n % 2:
                    busy.call("wild", [8 * k])
                else:
                    busy.call("over", [2**31 - 1])
                wrong.append("no exception")
            except NativeFault as error:
                if not n % 2 or f"{8 * k:#x}" not in str(error):
                    wrong.append(error)
            except NativePanic as error:
                if n % 2:
                    wrong.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_swaps_under_eight_calling_threads(compiled: Callable[..., Artifact]) -> None:
    artifacts = [
        compiled(
            f"pub fn which(n: u64) u64 {{\n    var i: u64 = 0;\n    const p: *volatile u64 = &i;\n"
            f"    while (p.* < n) p.* += 1;\n    return {k};\n}}\n"
        )
        for k in range(2)
    ]
    gc.collect()
    before = mapped_cells()
    serving = [toolchain.load(artifacts[0])]
    stop = threading.Event()
    seen: list[set[int]] = [set() for _ in range(8)]
    wrong: list[BaseException] = []

    def work(mine: set[int]) -> None:
        while not stop.is_set():
            try:
                library = serving[0]
                mine.add(library.call("which", [20_000]))
            except BaseException as error:  # noqa: BLE001 - reported below
                wrong.append(error)
                return

    threads = [threading.Thread(target=work, args=(mine,)) for mine in seen]
    for thread in threads:
        thread.start()
    for k in range(120):
        serving[0] = toolchain.load(artifacts[k % 2])
        time.sleep(0.002)
    stop.set()
    for thread in threads:
        thread.join()
    gc.collect()

    assert wrong == []
    assert set().union(*seen) == {0, 1}
    assert len(mapped_cells() - before) == 1, "all but the serving version are unmapped"


def test_a_version_that_made_a_thread_stays_mapped(loaded: Callable[..., Library]) -> None:
    source = """
const std = @import("std");
extern fn usleep(n: c_uint) c_int;
fn sleep() void {
    _ = usleep(300_000);
}
pub fn start() !void {
    const thread = try std.Thread.spawn(.{}, sleep, .{});
    thread.detach();
}
pub fn calm() i32 {
    return 2;
}
"""
    gc.collect()
    before = mapped_cells()
    library = loaded(source)
    assert library.call("calm", []) == 2
    del library
    gc.collect()
    assert mapped_cells() <= before, "no thread was made: it is unmapped"

    library = loaded(source)
    library.call("start", [])
    del library
    gc.collect()
    assert len(mapped_cells() - before) == 1
    time.sleep(0.5)  # the thread returns into code that must still be there


def test_a_thousand_loads_leave_nothing_behind(compiled: Callable[..., Artifact]) -> None:
    artifact = compiled("pub fn f() i32 {\n    return 1;\n}\n")
    gc.collect()
    cells, descriptors = mapped_cells(), open_descriptors()
    for _ in range(1000):
        assert toolchain.load(artifact).call("f", []) == 1
    gc.collect()

    assert mapped_cells() <= cells
    assert open_descriptors() <= descriptors


def test_a_forked_child_may_call_too(busy: Library) -> None:
    assert busy.call("count", [3]) == 3
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
            signal.setitimer(signal.ITIMER_REAL, 0)
            try:
                busy.call("wild", [0])
            except NativeFault:
                code = 0 if busy.call("count", [5]) == 5 else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_nested_calls_restore_the_outer_one(loaded: Callable[..., Library]) -> None:
    """A cell calls back into Python, which calls another cell that panics; then the outer one faults."""
    import ctypes

    inner = loaded("pub fn over(a: i32) i32 {\n    return a + 1;\n}\n")
    outer = loaded(
        "pub fn call(at: usize, wild: usize) i32 {\n    const g: *const fn () callconv(.c) i32 = @ptrFromInt(at);\n"
        "    const n = g();\n    const p: *allowzero volatile u8 = @ptrFromInt(wild);\n    if (wild > 0) p.* = 1;\n"
        "    return n + 1;\n}\n"
    )
    seen: list[str] = []

    def callback() -> int:
        try:
            inner.call("over", [2**31 - 1])
        except NativePanic as error:
            seen.append(str(error))
        return int(inner.call("over", [40]))

    native = ctypes.CFUNCTYPE(ctypes.c_int)(callback)
    at = ctypes.cast(native, ctypes.c_void_p).value

    assert outer.call("call", [at, 0]) == 42
    with pytest.raises(NativeFault, match="call, line 5"):
        outer.call("call", [at, 64])
    assert outer.call("call", [at, 0]) == 42
    assert len(seen) == 3


def test_writes_before_a_panic_are_there(loaded: Callable[..., Library]) -> None:
    library = loaded("pub fn f(a: []i32) void {\n    for (0..a.len + 1) |i| a[i] = @intCast(i);\n}\n")
    array = np.full(1000, -1, np.int32)
    with pytest.raises(NativePanic, match="index 1000, len 1000"):
        library.call("f", [array])

    assert array.tolist() == list(range(1000))


def test_the_guard_is_compiled_once(zig_there: Path) -> None:
    assert toolchain.guard_path() == toolchain.guard_path()
    assert Path(toolchain.guard_path()).is_file()
