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
    version = Version(compiled(CELL, options=("timeout:0.3",)))
    before = version.call("spin", [False])
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline:
        version.call("spin", [False])

    assert version.call("spin", [False]) > before


COUNTS = """
var kept: u64 = 0;
pub fn count(n: u64) u64 {
    const p: *volatile u64 = &kept;
    p.* = 0;
    while (p.* < n) p.* += 1;
    return p.*;
}
"""


def test_a_call_of_another_thread_is_not_interrupted(compiled: Callable[..., Artifact]) -> None:
    version = Version(compiled(COUNTS, options=("timeout:0.001",)))
    told: list[object] = []
    thread = threading.Thread(target=lambda: told.append(version.call("count", [20_000_000])))
    thread.start()
    thread.join(60)

    assert told == [20_000_000]


def test_an_isolated_call_ends_with_its_process(compiled: Callable[..., Artifact]) -> None:
    version = Version(compiled(CELL, options=("timeout:0.5",)), isolate=True)
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
