"""Cells that make threads: the sandbox of the first call refuses them, which says nothing of the cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from project_o.errors import NativePanic
from project_o.sandbox import Sandbox
from project_o.toolchain import Version, cache

ZIG = """const std = @import("std");
fn work(x: *u64) void {
    x.* += 7;
}
pub fn joined(n: u64) !u64 {
    var x = n;
    const thread = try std.Thread.spawn(.{}, work, .{&x});
    thread.join();
    return x;
}
pub fn unwrapped(n: u64) u64 {
    return joined(n) catch |why| @panic(@errorName(why));
}
pub fn over(a: u8) u8 {
    return a + 1;
}
"""
RUST = """use std::thread;
pub fn joined(n: u64) -> Result<u64, std::io::Error> {
    Ok(thread::Builder::new().spawn(move || n + 7)?.join().unwrap())
}
pub fn unwrapped(n: u64) -> u64 { thread::spawn(move || n + 7).join().unwrap() }
pub fn over(a: u8) -> u8 { a + 1 }
"""


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


@pytest.mark.parametrize("mode", ["safe", "fast", "debug"])
@pytest.mark.parametrize("language", ["zig", "rust"])
def test_their_first_call_is_made_here(language: str, mode: str, box: Sandbox, request: pytest.FixtureRequest) -> None:
    compiled: Callable[..., Any] = request.getfixturevalue("compiled" if language == "zig" else "compiled_rust")
    version = Version(compiled(ZIG if language == "zig" else RUST, mode), box=box)

    assert [version.call("joined", [n]) for n in (1, 2)] == [8, 9]
    assert [version.call("unwrapped", [n]) for n in (1, 2)] == [8, 9]
    assert not cache.tried(version.artifact.key, "joined"), "nothing of it was tried"
    if mode == "safe":
        with pytest.raises(NativePanic, match="overflow"):
            version.call("over", [255])
