"""The functions that users hold where there is a dispatcher: swaps, faults, names, and the interpreter's lock."""

from __future__ import annotations

import gc
import sys
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from project_o import abi
from project_o.deploy import NativeFunction, NativeModule, Slot
from project_o.errors import InterfaceError, NativeFault, NativePanic
from project_o.toolchain import Version, dispatcher
from project_o.values import Artifact

sys.path.insert(0, str(Path(__file__).parent))
from held import mapped_cells, resident_growth

CELL = """
const std = @import("std");
const Pair = struct { low: f64, high: f64 };
pub fn bounds(a: []const f64) !Pair {
    if (a.len == 0) return error.Empty;
    return .{ .low = std.mem.min(f64, a), .high = std.mem.max(f64, a) };
}
pub fn plus(a: i32) i32 {
    return a + 1;
}
"""


@pytest.fixture(scope="module")
def module(served: Callable[..., NativeModule]) -> NativeModule:
    found = served(CELL)
    found.bounds([1.0])
    found.plus(1)
    return found


def test_names_and_the_first_call_go_the_portable_way(served: Callable[..., NativeModule]) -> None:
    found = served("pub fn minus(a: i32, b: i32) i32 {\n    return a - b;\n}\n")
    function = found.minus
    assert function._entry is None
    assert [function(5, 3), function(a1=3, a0=5), function(5, a1=3)] == [2, 2, 2]
    assert function._entry is not None
    with pytest.raises(InterfaceError, match="unexpected keyword argument"):
        function(5, 3, c=3)
    assert found.slot.observed.calls == {"minus": (5, 3)}


def test_a_function_is_what_it_was(module: NativeModule) -> None:
    function = module.bounds
    assert isinstance(function, NativeFunction)
    assert type(function).__name__ == "NativeFunction"
    assert (function.__name__, module.bounds is function) == ("bounds", True)
    assert repr(function) == "<zig function bounds(a0: float64 array) -> Pair>"
    function.note = "of the user's own"
    assert weakref.ref(function)() is function
    with pytest.raises(TypeError):
        type(function).__call__ = None


def test_a_module_finds_its_functions_and_keeps_names_of_its_own(served: Callable[..., NativeModule]) -> None:
    text = "pub fn slot() i32 {\n    return 3;\n}\n"
    found = served(text + "pub fn plus(a: i32) i32 {\n    return a + 1;\n}\n")
    assert NativeFunction(found.slot, "slot")() == 3
    found.slot.handles["slot"] = NativeFunction(found.slot, "slot")
    assert isinstance(found.slot, Slot)
    assert found.plus is found.plus
    assert getattr(found, "".join(("pl", "us"))) is found.plus
    with pytest.raises(AttributeError, match="has no function minus"):
        found.minus  # noqa: B018 - looking is all
    assert sorted(dir(found)) == ["plus", "slot"]
    with pytest.raises(TypeError):
        abi.dispatch.made().look_up(found)


def test_a_swap_is_seen_by_the_next_call_and_ends_the_old_version(compiled: Callable[..., Artifact], made: Any) -> None:
    texts = [
        f"pub fn f() i32 {{\n    return {k};\n}}\n" + ("pub fn g() i32 {\n    return 1;\n}\n" * (k == 0))
        for k in (0, 1)
    ]
    slot = Slot("m", Version(compiled(texts[0])))
    module, function = NativeModule(slot), NativeFunction(slot, "f")
    assert (function(), module.g(), module.g(), function()) == (0, 1, 1, 0)
    old = weakref.ref(slot.version)
    slot.version = Version(compiled(texts[1]))

    assert old() is None
    assert (function(), module.f()) == (1, 1)
    with pytest.raises(AttributeError, match="no function g"):
        _ = module.g


def test_after_a_fault_the_library_is_loaded_afresh(served: Callable[..., NativeModule]) -> None:
    found = served(
        "var n: i32 = 0;\npub fn next() i32 {\n    n += 1;\n    return n;\n}\n"
        "pub fn wild(at: usize) void {\n    const p: *allowzero volatile u8 = @ptrFromInt(at);\n"
        "    if (at > 0) p.* = 1;\n}\n"
    )
    found.wild(0)
    assert [found.next() for _ in range(3)] == [1, 2, 3]
    for _ in range(3):
        with pytest.raises(NativeFault, match="global variables start anew"):
            found.wild(64)
        assert [found.next() for _ in range(3)] == [1, 2, 3]


def test_a_panic_names_its_line_and_leaves_the_state(served: Callable[..., NativeModule]) -> None:
    found = served("pub fn plus(a: i32) i32 {\n    return a + 1;\n}\n")
    assert [found.plus(1), found.plus(2)] == [2, 3]
    with pytest.raises(NativePanic, match="line 2: integer overflow") as caught:
        found.plus(2**31 - 1)
    assert (caught.value.function, caught.value.line) == ("plus", 2)
    assert len(caught.traceback) == 1, "no frame of ours"
    assert found.plus(3) == 4


def test_it_can_be_turned_off_and_on(module: NativeModule) -> None:
    dispatcher.allow(False)
    try:
        assert module.plus(1) == 2
        assert not dispatcher.status().made
    finally:
        dispatcher.allow(True)
    assert dispatcher.status().made
    assert module.plus(1) == 2


def test_functions_from_before_there_was_a_dispatcher_use_it_too(compiled: Callable[..., Artifact], made: Any) -> None:
    abi.dispatch.put(None)
    try:
        slot = Slot("m", Version(compiled("pub fn f(a: i32) i32 {\n    return a;\n}\n")))
        module, function = NativeModule(slot), NativeFunction(slot, "f")
        assert (type(function) is NativeFunction, module.f(1), function(2)) == (True, 1, 2)
    finally:
        abi.dispatch.put(made)
    assert [function(3), function(4), module.f(5)] == [3, 4, 5]
    assert module.f._entry is not None


def test_a_thousand_reloads_under_eight_calling_threads(compiled: Callable[..., Artifact], made: Any) -> None:
    """No call fails, both builds answer, the process does not grow, and at the end one build is mapped."""
    artifacts = [compiled(f"pub fn f(a: i32) i32 {{\n    return a * 0 + {k};\n}}\n") for k in (0, 1)]
    slot = Slot("m", Version(artifacts[0]))
    module, stop = NativeModule(slot), threading.Event()
    seen: list[set[int]] = [set() for _ in range(8)]
    failed: list[BaseException] = []

    def work(mine: set[int]) -> None:
        try:
            while not stop.is_set():
                mine.update(module.f(1) for _ in range(100))
                time.sleep(0.0005)  # else all the time of this test is spent waiting for a turn
        except BaseException as error:  # noqa: BLE001 - reported below
            failed.append(error)

    def reload(times: int) -> None:
        for number in range(times):
            slot.version = Version(artifacts[number % 2])
            module.f(1)

    threads = [threading.Thread(target=work, args=(mine,)) for mine in seen]
    gc.collect()
    mapped = mapped_cells()
    try:
        for thread in threads:
            thread.start()
        reload(50)
        grown = resident_growth(lambda: reload(1000), 1 << 20)
    finally:
        stop.set()
        for thread in threads:
            thread.join()

    assert failed == []
    assert all(mine == {0, 1} for mine in seen)
    assert grown < 1 << 20
    gc.collect()
    assert len(mapped_cells() - mapped) <= 1, "all but the serving build are unmapped"


# ------------------------------------------------------------------------------- the interpreter's lock

SPIN = """
pub fn spin(n: u64) u64 {
    var i: u64 = 0;
    const p: *volatile u64 = &i;
    while (p.* < n) p.* += 1;
    return p.*;
}
pub fn sum(a: []const u8, n: u64) u64 {
    var s: u64 = 0;
    for (0..n) |_| for (a) |x| {
        s +%= x;
    };
    return s;
}
"""


def beats(call: Callable[[], Any]) -> int:
    """How often another thread of Python has its turn while a call runs."""
    count, stop = 0, threading.Event()

    def beat() -> None:
        nonlocal count
        while not stop.is_set():
            count += 1
            time.sleep(0.001)

    thread = threading.Thread(target=beat)
    thread.start()
    time.sleep(0.01)
    before = count
    call()
    during = count - before
    stop.set()
    thread.join()
    return during


def test_a_long_call_lets_others_run_and_short_ones_do_not_ask(served: Callable[..., NativeModule]) -> None:
    found = served(SPIN)
    for _ in range(40):
        found.spin(1)
    for _ in range(2):
        assert found.spin._entry.short_calls == 16, "the next one begins with the interpreter's lock"
        assert beats(lambda: found.spin(150_000_000)) > 5, "and lets go of it while it lasts"
        assert found.spin._entry.short_calls < 16
        for _ in range(40):
            found.spin(1)


def test_in_another_thread_a_long_call_lets_others_run_from_its_second_time_on(
    served: Callable[..., NativeModule],
) -> None:
    found = served(SPIN)

    def work() -> None:
        for _ in range(40):
            found.spin(1)
        found.spin(30_000_000)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found.spin._entry.short_calls < 16

    def work_again() -> None:
        other = threading.Thread(target=found.spin, args=(150_000_000,))
        other.start()
        other.join()

    assert beats(work_again) > 5


MEET = """
/// Say that one is there, and wait for the other: true if both were inside at once.
pub fn meet(places: []u8, me: usize, turns: u64) bool {
    @atomicStore(u8, &places[me], 1, .seq_cst);
    var n: u64 = 0;
    while (n < turns) : (n += 1) {
        if (@atomicLoad(u8, &places[1 - me], .seq_cst) == 1) return true;
    }
    return false;
}
"""


@pytest.mark.parametrize(("options", "size"), [(("nogil",), 2), ((), 100_000)], ids=["nogil", "large"])
def test_two_threads_are_inside_at_once(
    served: Callable[..., NativeModule], options: tuple[str, ...], size: int
) -> None:
    """Neither could enter while the other keeps the lock and waits for it."""
    found = served(MEET, options=options)
    for _ in range(40):
        assert not found.meet(np.zeros(size, np.uint8), 0, 1)
    places, ends = np.zeros(size, np.uint8), [False, False]

    def work(me: int) -> None:
        ends[me] = found.meet(places, me, 5_000_000_000)

    threads = [threading.Thread(target=work, args=(me,)) for me in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ends == [True, True]


def test_large_arguments_and_nogil_always_let_others_run(served: Callable[..., NativeModule]) -> None:
    large, free = served(SPIN), served(SPIN, options=("nogil",))
    array = np.ones(100_000, np.uint8)
    for _ in range(40):
        large.sum(array, 0)
        free.spin(1)
    assert large.sum._entry.short_calls == 0
    assert free.spin._entry.short_calls == 0
    assert beats(lambda: large.sum(array, 3_000)) > 5
    assert beats(lambda: free.spin(100_000_000)) > 5
