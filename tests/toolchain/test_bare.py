"""Texts that do not name the standard library are compiled with less of it, and become what they would with all."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from project_o import toolchain
from project_o.errors import CompileError
from project_o.toolchain import bare, compiler, elf, locate
from project_o.values import Artifact, Mode, Program

OF_ALL_KINDS = """
const o = @import("o");
const Pair = struct { x: f32, n: i32 };
const Color = enum { red, green };
var calls: u64 = 0;
pub fn total(pairs: []const Pair) f32 {
    var sum: f32 = 0;
    for (pairs) |p| sum += p.x * @as(f32, @floatFromInt(p.n));
    return sum;
}
pub fn moved(p: Pair, by: f32) Pair {
    return .{ .x = p.x + by, .n = p.n };
}
pub fn next(c: Color) Color {
    return if (c == .red) .green else .red;
}
pub fn maybe(x: ?i32) ?i32 {
    return if (x) |v| v + 1 else null;
}
pub fn fails(x: i32) !i32 {
    return if (x < 0) error.Negative else x;
}
pub fn turned(a: [3]f16) [3]f16 {
    return .{ a[2], a[1], a[0] };
}
pub fn same(text: []const u8) []const u8 {
    calls += 1;
    return text;
}
pub fn trace(m: o.View(f32, 2)) f32 {
    var sum: f32 = 0;
    for (0..@min(m.shape[0], m.shape[1])) |i| sum += m.at(.{ i, i });
    return sum;
}
pub fn put(m: o.MatrixMut(f64), v: o.ViewMut(i16, 3)) void {
    m.row(0)[0] = m.at(1, 1);
    v.set(.{ 0, 0, 0 }, 1);
}
pub fn shifted(a: u32, by: u32) u32 {
    return a << @intCast(by);
}
pub fn wide(a: u128, b: ?i64) u128 {
    return a + @as(u128, @intCast(b.?));
}
pub fn divided(a: i64, b: i64) i64 {
    if (b == 7) @panic("seven");
    return @divTrunc(a, b);
}
"""


@pytest.fixture
def builds(zig_there: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Artifact, list[bool]]]:
    """Source -> the build, and of each run of the compiler whether it had less of the library."""

    def build(source: str, mode: Mode = "safe") -> tuple[Artifact, list[bool]]:
        runs: list[bool] = []

        def run(job: compiler.Job) -> compiler.Finished:
            runs.append("--zig-lib-dir" in job.argv)
            return compiler.run(job)

        return toolchain.build(Program("cell", "zig", (("cell.zig", source),), mode=mode), runner=run), runs

    return build


@pytest.mark.parametrize("mode", ["safe", "fast"])
def test_what_is_built_is_the_same_as_with_the_whole_library(
    builds: Callable[..., tuple[Artifact, list[bool]]], monkeypatch: pytest.MonkeyPatch, mode: Mode
) -> None:
    less, runs = builds(OF_ALL_KINDS, mode)
    assert runs == [True]
    digest, path = elf.Library(Path(less.path).read_bytes()).digest(), less.path
    shutil.rmtree(Path(path).parent)
    monkeypatch.setitem(toolchain.build.__globals__, "bare", lambda *_: ())
    whole, runs = builds(OF_ALL_KINDS, mode)
    assert (runs, whole.path) == ([False], path)
    assert elf.Library(Path(whole.path).read_bytes()).digest() == digest
    assert toolchain.load(whole).call("trace", [[[1.0, 2.0], [3.0, 4.0]]]) == 5.0


def test_texts_that_name_it_and_builds_that_are_not_optimised_have_the_whole(
    builds: Callable[..., tuple[Artifact, list[bool]]],
) -> None:
    named = 'const std = @import("std");\npub fn most(a: []const i32) i32 {\n    return std.mem.max(i32, a);\n}\n'
    assert builds(named)[1] == [False]
    assert not any(builds("pub fn one() i32 {\n    return 1;\n}\n", "debug")[1])


def test_an_error_of_the_text_is_looked_for_once(builds: Callable[..., tuple[Artifact, list[bool]]]) -> None:
    with pytest.raises(CompileError, match="line 2, column 12"):
        builds("pub fn one() i32 {\n    return oops;\n}\n")


def test_what_needs_more_of_it_is_compiled_with_the_whole(
    builds: Callable[..., tuple[Artifact, list[bool]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bare, "_KEPT", bare._KEPT - {"meta"})
    bare._text.cache_clear()
    try:
        built, runs = builds("pub fn two(a: i32) i32 {\n    return 2 * a;\n}\n")
    finally:
        bare._text.cache_clear()
    assert runs == [True, False]
    assert toolchain.load(built).call("two", [21]) == 42


def test_it_is_made_again_where_it_is_gone_and_not_made_without_a_library_beside_the_compiler(
    zig_there: Path, tmp_path: Path
) -> None:
    flags = ("-O", "safe")
    folder = Path(bare.bare(["pub fn f() void {}"], flags)[1])
    shutil.rmtree(folder)
    assert Path(bare.bare(["pub fn f() void {}"], flags)[1]) == folder
    assert (folder / "std" / "mem.zig").samefile(locate().resolve().parent / "lib" / "std" / "mem.zig")
    alone = tmp_path / "zig"
    alone.touch()
    assert bare._folder(alone, tmp_path) is None


@pytest.mark.parametrize("damage", ["rubbish", "empty", "a folder", "a link is gone", "a whole folder is gone"])
def test_it_is_made_again_where_something_of_it_is_torn(
    zig_there: Path, damage: str, builds: Callable[..., tuple[Artifact, list[bool]]]
) -> None:
    flags = ("-O", "safe")
    folder = Path(bare.bare(["pub fn f() void {}"], flags)[1])
    whole = (folder / "std" / "std.zig").read_bytes()
    match damage:
        case "rubbish":
            (folder / "std" / "std.zig").write_bytes(bytes(range(256)))
        case "empty":
            (folder / "std" / "std.zig").write_bytes(b"")
        case "a folder":
            (folder / "std" / "std.zig").unlink()
            (folder / "std" / "std.zig").mkdir()
        case "a link is gone":
            (folder / "std" / "mem.zig").unlink()
        case _:
            shutil.rmtree(folder / "std")
    bare._looked_at.clear()  # as in another process

    built, runs = builds(f"pub fn two(a: i32) i32 {{\n    return 2 * a; // {damage}\n}}\n")

    assert runs == [True]
    assert toolchain.load(built).call("two", [21]) == 42
    assert (folder / "std" / "std.zig").read_bytes() == whole
    assert not [item for item in folder.parent.iterdir() if item.name.startswith((".torn-", ".new-"))]
