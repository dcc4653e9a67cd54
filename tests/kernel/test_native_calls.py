"""Native functions as the front end sees them, and calls in a real kernel: help, completion, interrupts, threads."""

import os
import re
import signal

import pytest

CELL = """%%zig kernels
const std = @import("std");
const o = @import("o");
pub const Metric = enum { dot, cosine };
/// How alike two rows are.
///
/// Both have the same length.
pub fn similar(query: []const f32, row: []const f32, metric: Metric) f64 {
    var sum: f64 = if (metric == .dot) 0 else 0.5;
    for (query, row) |x, y| sum += x * y;
    return sum;
}
pub fn spin(n: u64) u64 {
    var i: u64 = 0;
    const p: *volatile u64 = &i;
    while (p.* < n) p.* += 1;
    return p.*;
}
"""


@pytest.fixture(scope="module")
def ready(kernel):
    kernel.run("import numpy as np; from project_o.toolchain import dispatcher")
    ran = kernel.run(CELL)
    assert ran.status == "ok", ran.text
    assert kernel.value("dispatcher.wait(100).made") == "True"
    return kernel


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_shift_tab_shows_signature_and_documentation(ready):
    reply = ready.client.inspect("kernels.similar(", cursor_pos=15, detail_level=0, reply=True, timeout=30)
    shown = plain(reply["content"]["data"]["text/plain"])

    assert reply["content"]["found"]
    assert "similar(" in shown
    for part in ("query: 'float32 array'", "row: 'float32 array'", "metric: 'Metric'", "-> 'float'"):
        assert part in shown
    assert "How alike two rows are." in shown
    assert "Both have the same length." in shown


def test_tab_completes_functions_types_and_parameters(ready):
    def completed(text):
        reply = ready.client.complete(text, cursor_pos=len(text), reply=True, timeout=30)["content"]
        return reply["matches"]

    assert "kernels.similar" in {f"kernels.{item.removeprefix('kernels.')}" for item in completed("kernels.s")}
    assert any("Metric" in item for item in completed("kernels.M"))
    assert any("cosine" in item for item in completed("kernels.Metric.c"))
    assert any("metric=" in item for item in completed("kernels.similar("))


def test_calls_go_through_the_dispatcher_in_a_kernel_too(ready):
    ready.run("a = np.ones(8, np.float32); Metric = kernels.Metric")
    ready.run("from project_o import limits; answers = {kernels.spin(3) for _ in range(limits.SAMPLED_CALLS + 3)}")
    assert ready.value("answers, kernels.spin._entry is not None") == "({3}, True)", "after those that are timed"
    assert ready.value("kernels.similar(a, a, Metric.dot), kernels.similar(a, a, metric='cosine')") == "(8.0, 8.5)"


def test_ctrl_c_reaches_a_dispatched_call_in_every_cell(ready):
    """ipykernel puts its own handler back before each cell."""
    ready.run("kernels.spin(1)")
    for _ in range(5):
        ran, _ = ready.interrupted("kernels.spin(1); kernels.spin(2**63)", 0.3)
        assert ran.error.startswith("KeyboardInterrupt")
    assert ready.value("kernels.spin(5)") == "5"


def test_an_error_of_a_call_shows_the_user_no_frames_of_ours(ready):
    """The first call, which is tried before it is made, an argument that does not fit, and a stop meanwhile."""
    cell = "%%zig framed\npub fn first(a: []const f64) f64 { return a[0]; }\n"
    assert ready.run(cell + CELL[CELL.index("pub fn spin") :]).status == "ok"
    for call, error in (("first([])", "NativePanic: first, line 2"), ("first(1)", "InterfaceError: first: a wants")):
        ran = ready.run(f"framed.{call}")
        assert error in plain(ran.text)
        assert "project_o" not in plain(ran.text)
    stopped, _ = ready.interrupted("framed.spin(2**63)", 0.6)
    assert stopped.error == "KeyboardInterrupt: spin was interrupted"
    assert len(plain(stopped.text).splitlines()) < 20
    assert "During handling" not in stopped.text


LATE = """
import os, sys, time
read = os.read
def late(descriptor, count):
    said = read(descriptor, count)
    if descriptor == sys.stderr._fid:
        time.sleep(0.02)
    return said
os.read = late
"""
"""The thread that reads what native code prints is held up, as by native code that keeps the interpreter's lock."""


def test_what_a_call_prints_belongs_to_its_cell(start_kernel, tmp_path, monkeypatch):
    """A client looks no further than the cell's end."""
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # ipykernel reads no pipe in a test
    kernel = start_kernel(tmp_path)
    cell = '%%zig printing\npub fn say() void { @import("std").debug.print("said\\n", .{}); }'
    assert kernel.run(cell).status == "ok"
    assert kernel.run(LATE).status == "ok"
    kernel.run("printing.say()")  # until then the thread waits in the real one
    assert [kernel.run("printing.say()").text for _ in range(5)] == ["said\n"] * 5


def test_ctrl_c_with_calls_in_a_loop_ends_the_loop(ready):
    for _ in range(3):
        ran, _ = ready.interrupted("while True: kernels.spin(1)", 0.3)
        assert ran.error.startswith("KeyboardInterrupt")


def test_an_interrupt_from_outside_between_cells_harms_nothing(ready):
    pid = int(ready.value("__import__('os').getpid()"))
    for _ in range(5):
        ready.run("kernels.spin(1)")
        os.kill(pid, signal.SIGINT)
    assert ready.value("kernels.spin(7)") == "7"


def test_nogil_is_an_option_of_the_cell(ready):
    ran = ready.run("%%zig free --nogil\npub fn f(a: i32) i32 {\n    return a;\n}")
    assert ran.status == "ok", ran.text
    ready.run("for _ in range(50): free.f(1)")
    assert ready.value("free.f._entry.short_calls, free.slot.version.artifact.program.options") == "(0, ('nogil',))"


def test_the_dispatcher_is_turned_off_for_the_next_cell(ready):
    ready.run("%config ProjectO.dispatcher = False")
    ready.run("%%zig off\npub fn f(a: i32) i32 {\n    return a;\n}")
    assert ready.value("off.f(1), off.f(2), kernels.spin(4), dispatcher.status().made") == "(1, 2, 4, False)"
    ready.run("%config ProjectO.dispatcher = True")
    ready.run("%%zig on\npub fn f(a: i32) i32 {\n    return a;\n}")
    assert ready.value("on.f(1), on.f(2), dispatcher.status().made") == "(1, 2, True)"
