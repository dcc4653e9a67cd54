"""``--timeout``: a call that takes longer ends in an exception, as by Ctrl-C, and the process goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from project_o import zig
from project_o.errors import NativeFault, UsageError
from project_o.toolchain import Version
from project_o.values import Artifact

CELL = """
const std = @import("std");
var counter: u64 = 0;
pub fn spin(forever: bool) u64 {
    const p: *volatile u64 = &counter;
    p.* += 1;
    while (forever) p.* |= 1;
    return p.*;
}
pub fn allocates(forever: bool) void {
    while (forever) {
        const a = std.heap.c_allocator.alloc(u8, 1000) catch continue;
        std.mem.doNotOptimizeAway(a.ptr);
        std.heap.c_allocator.free(a);
    }
}
"""


@pytest.mark.parametrize("name", ["spin", "allocates"])
def test_a_call_that_takes_too_long_ends_and_the_next_one_is_served(
    compiled: Callable[..., Artifact], name: str
) -> None:
    version = Version(compiled(CELL, options=("timeout:0.2",)))
    assert version.entry("spin") is None
    for _ in range(3):
        began = time.monotonic()
        with pytest.raises(NativeFault, match=r"took longer than the 0\.2 s of its --timeout") as caught:
            version.call(name, [True])
        assert caught.value.function == name
        assert 0.15 < time.monotonic() - began < 20
        version.call(name, [False])


def test_a_call_in_time_knows_nothing_of_it(compiled: Callable[..., Artifact]) -> None:
    version = Version(compiled(CELL, options=("timeout:2",)))
    before = version.call("spin", [False])
    deadline = time.monotonic() + 3.0
    while time.monotonic() < deadline:
        version.call("spin", [False])

    assert version.call("spin", [False]) > before


def in_threads(count: int, call: Callable[[], object]) -> list[object]:
    """What each of so many threads got, or what was raised there."""
    told: list[object] = []

    def work() -> None:
        try:
            told.append(call())
        except NativeFault as fault:
            told.append(fault)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return told


@pytest.mark.parametrize("name", ["spin", "allocates"])
def test_it_holds_in_every_thread(compiled: Callable[..., Artifact], name: str) -> None:
    version = Version(compiled(CELL, options=("timeout:0.2",)))
    for _ in range(3):
        began = time.monotonic()
        told = in_threads(3, lambda: version.call(name, [True]))

        assert [type(item) for item in told] == [NativeFault] * 3
        assert all("took longer than the 0.2 s of its --timeout" in str(item) for item in told)
        assert 0.15 < time.monotonic() - began < 25
        version.call(name, [False])


def test_a_thread_that_is_in_time_knows_nothing_of_the_others(compiled: Callable[..., Artifact]) -> None:
    version = Version(compiled(CELL, options=("timeout:2",)))
    deadline = time.monotonic() + 4.0

    def quick() -> object:
        calls = 0
        while time.monotonic() < deadline:
            version.call("spin", [False])
            calls += 1
        return calls

    slow = threading.Thread(target=in_threads, args=(2, lambda: version.call("spin", [True])))
    slow.start()
    told = in_threads(2, quick)
    slow.join(30)

    assert not slow.is_alive()
    assert [isinstance(item, int) and item > 10 for item in told] == [True, True]


def test_an_isolated_call_ends_with_its_process(compiled: Callable[..., Artifact]) -> None:
    version = Version(compiled(CELL, options=("timeout:1",)), isolate=True)
    with pytest.raises(NativeFault, match="longer than its time limit"):
        version.call("spin", [True])

    assert version.call("spin", [False]) == 1
    version.close()


def test_it_is_an_option_of_a_cell() -> None:
    module = zig(CELL, "limited", timeout=0.2, trial=False)
    with pytest.raises(NativeFault, match="--timeout"):
        module.spin(True)
    with pytest.raises(UsageError, match="cannot be meant"):
        zig(CELL, "limited", timeout=-1)
