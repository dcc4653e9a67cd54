"""What the doctor reports of this room, and what makes the first cell quick."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from .. import limits
from ..errors import ToolchainError, ToolchainMissing
from ..values import Check, Program
from . import cache, dispatcher
from .build import build
from .guard import guard_path
from .places import cache_directory, locate, zig_version
from .quick.desk import desk
from .recipe import recipe
from .rust.places import locate as locate_rust

_EMPTY_CELL = "pub fn nothing() void {}\n"
_EMPTY_RUST_CELL = "pub fn nothing() {}\n"
# What needs the compiler's own runtime, which takes seconds to compile once, and much of the standard library.
_LARGE_CELL = """const std = @import("std");

pub fn quotient(a: u64, b: u64) u64 {
    return @truncate((@as(u128, a) << 32) / b);
}

pub fn fetched(allocator: std.mem.Allocator, url: []const u8) ![]const u8 {
    var threaded: std.Io.Threaded = .init(allocator, .{});
    defer threaded.deinit();
    var client: std.http.Client = .{ .allocator = allocator, .io = threaded.io() };
    defer client.deinit();
    var body: std.Io.Writer.Allocating = .init(allocator);
    _ = try client.fetch(.{ .location = .{ .url = url }, .response_writer = &body.writer });
    return body.written();
}
"""
_SOME_RUNTIME = _LARGE_CELL.split("pub fn fetched")[0]


def warm(*, everything: bool = False) -> None:
    """Compile the guard, the dispatcher and an empty cell of each language: the first cell finds the caches filled.

    ``everything`` also fills them with what only some cells need, which takes half a minute.
    Raises ToolchainMissing, ToolchainError.
    """
    guard_path()
    dispatcher.prepare()
    _warm_zig(_EMPTY_CELL)
    with suppress(ToolchainMissing):  # Rust is the user's to install
        build(Program("nothing", "rust", (("cell.rs", _EMPTY_RUST_CELL),)))
    dispatcher.wait(limits.BUILD_WALL_SECONDS)
    if everything:
        _warm_zig(_SOME_RUNTIME)
        build(_cell(_SOME_RUNTIME), lines=False)  # without debug information the compiler's own runtime is another one
        _warm_zig(_LARGE_CELL, optimised=False)


def _cell(source: str) -> Program:
    return Program("nothing", "zig", (("cell.zig", source),))


def _warm_zig(source: str, *, optimised: bool = True) -> None:
    program = _cell(source)
    order = desk().order(recipe(program), {})
    if optimised:
        build(program)
    order.result.exception()  # trouble is no error here: cells are built without a server then


def status() -> list[Check]:
    """The compilers and the cache, each with what to do where something is missing."""
    return [_compiler(), _rust(), _calls(), _cache()]


def _compiler() -> Check:
    try:
        path = locate()
    except ToolchainError as error:
        return Check("zig", ok=False, value="not usable", todo=str(error))
    return Check("zig", ok=True, value=f"{zig_version(path)} at {path}")


def _rust() -> Check:
    try:
        rust = locate_rust()
    except ToolchainError as error:
        return Check("rust", ok=False, value="not installed", todo=str(error), core=False)
    return Check("rust", ok=True, value=f"{rust.release} at {rust.path}", core=False)


def _calls() -> Check:
    found = dispatcher.wait(limits.BUILD_WALL_SECONDS)
    return Check("dispatcher of calls", ok=found.made, value=found.how, todo=found.todo, core=False)


def _cache() -> Check:
    folder = cache_directory()
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    writable = os.access(place, os.W_OK | os.X_OK) and _is_folder(place)
    used = cache.used_bytes() / limits.MIB
    todo = (
        "" if writable else "it cannot be written, so builds last as long as a kernel: set PROJECT_O_CACHE to a folder"
    )
    return Check("build cache", ok=writable, value=f"{folder}, {used:.1f} MB", todo=todo, core=False)


def _is_folder(place: Path) -> bool:
    try:
        return place.is_dir()
    except OSError:
        return False
