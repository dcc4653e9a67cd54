"""The compiler server: every edit gives its own code, and errors and lines are those of a build of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from project_o import limits, toolchain
from project_o.errors import CompileError, NativePanic, NativeResultError
from project_o.languages import zig
from project_o.toolchain.quick.desk import Desk
from project_o.toolchain.recipe import recipe
from project_o.toolchain.server_lines import remember
from project_o.values import Artifact

sys.path.insert(0, str(Path(__file__).parent))
from quick_builds import CELL, alive, built, program, quick_library, value
from quick_edits import Call, edits


@pytest.fixture
def desk(zig_there: Path) -> Iterator[Desk]:
    made = Desk()
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared_desk(zig_there: Path) -> Iterator[Desk]:
    made = Desk()
    yield made
    made.close()


# ------------------------------------------------------------------------------- edits


def test_every_edit_gives_its_own_code_though_functions_come_and_go_and_some_cells_do_not_compile(
    shared_desk: Desk,
) -> None:
    wrong, asked = [], 0
    for source, calls in edits(seed=20, count=40):
        if calls is None:
            with pytest.raises(CompileError):
                built(shared_desk, source)
            continue
        library = quick_library(built(shared_desk, source), source)
        asked += len(calls)
        wrong += [(call, found) for call in calls if (found := answer(library, call)) != told(call.expected)]

    assert not wrong
    assert asked > 100


def answer(library: toolchain.Library, call: Call) -> Any:
    args = [item.copy() if isinstance(item, np.ndarray) else item for item in call.args]
    try:
        value = library.call(call.function, args)
    except NativeResultError as error:
        return f"!{error.name}"
    return told(args[0] if call.function == "order" else value)


def told(value: Any) -> Any:
    return list(value) if isinstance(value, (np.ndarray, tuple)) else value


def test_a_function_that_went_and_came_back_is_the_new_one(desk: Desk) -> None:
    assert value(desk, 1) == 1
    built(desk, "pub fn other() void {}\n")
    assert value(desk, 2) == 2
    with pytest.raises(CompileError):
        built(desk, "pub fn other() void { missing(); }\n")
    assert value(desk, 3) == 3


def test_a_build_stays_what_it_was_when_the_cell_is_edited_again(shared_desk: Desk) -> None:
    source = CELL.format(number=1)
    first = built(shared_desk, source)
    library = quick_library(first, source)

    assert value(shared_desk, 2) == 2
    assert library.call("value", []) == 1
    assert quick_library(first, source).call("value", []) == 1


def test_each_mode_finds_itself_in_the_text(desk: Desk) -> None:
    source = 'const builtin = @import("builtin");\npub fn mode() []const u8 { return @tagName(builtin.mode); }\n'
    found = [
        quick_library(built(desk, source, mode), source).call("mode", []) for mode in ("safe", "fast", "debug", "safe")
    ]

    assert found == ["safe", "fast", "debug", "safe"]


def test_cells_of_several_modes_that_are_edited_in_turn_have_servers_that_stay(desk: Desk) -> None:
    pids = []
    for number in range(4):
        mode = ("safe", "fast")[number % 2]
        assert value(desk, number, mode) == number
        assert desk.server is not None
        pids.append(desk.server.pid)

    assert pids[:2] == pids[2:]
    assert pids[0] != pids[1]


def test_there_are_never_more_servers_than_the_limit(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SERVERS_MAX", 2)
    pids = []
    for number, mode in enumerate(("safe", "fast", "safe", "debug", "fast")):
        assert value(desk, number, mode) == number
        assert desk.server is not None
        pids.append(desk.server.pid)

    assert pids[0] == pids[2]
    assert pids[1] != pids[4]
    assert not alive(pids[1])


def test_a_text_that_needs_the_compilers_own_runtime_gets_it(desk: Desk) -> None:
    assert value(desk, 5) == 5
    source = (
        "pub fn half(a: u64) u64 {\n    const wide: u128 = @as(u128, a) * a;\n    return @intCast(wide / (a + 1));\n}\n"
    )
    library = quick_library(built(desk, source), source)

    assert library.call("half", [1 << 40]) == (1 << 80) // ((1 << 40) + 1)
    assert value(desk, 6) == 6


# ------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    "source",
    [
        "pub fn f() void {\n    x();\n}\n\npub fn g() void {\n    y();\n}\nconst a = b;\n",
        "pub fn f(a: i32) void {\n    const b = 1;\n}\n",
        "fn g(a: i32) void {\n    _ = a;\n}\npub fn f() void {\n    g(1, 2);\n}\n",
        'pub fn f(a: i32) i32 {\n    _ = "ü"; return missing + a;\n}\n',
        'pub fn f(a: i32) i32 {\n\tconst b: u8 = "text";\n\treturn a + b;\n}\n',
        "pub fn f() void {\n    const a = ;\n}\n",
        'const std = @import("std");\npub fn f() f32 {\n    return std.math.sqrt("two");\n}\n',
        'comptime {\n    @compileError("not\\ntoday");\n}\npub fn f() void {}\n',
        "const S = struct { a: i32 };\npub fn f() i32 {\n    const s: S = .{ .b = 1 };\n    return s.a;\n}\n",
        "pub fn f() i32 {\n    @compileLog(1 + 1);\n    return 2;\n}\n",
    ],
)
def test_errors_are_those_of_a_build_of_its_own(
    shared_desk: Desk, compiled: Callable[..., Artifact], source: str
) -> None:
    with pytest.raises(CompileError) as alone:
        compiled(source, line_offset=1)
    with pytest.raises(CompileError) as served:
        shared_desk.order(recipe(program(source), 1), {}).result.result(60)

    assert served.value.diagnostics == alone.value.diagnostics
    assert str(served.value) == str(alone.value)


def test_after_an_error_the_mended_cell_is_built(shared_desk: Desk) -> None:
    for number in range(5):
        with pytest.raises(CompileError):
            built(shared_desk, CELL.format(number="missing"))
        assert value(shared_desk, number) == number


def test_a_cell_without_a_function_says_so(shared_desk: Desk) -> None:
    with pytest.raises(CompileError, match="no public function: write `pub fn`"):
        built(shared_desk, "const a = 1;\n")


# ------------------------------------------------------------------------------- lines

PANICS = """const Pair = struct {
    x: u8,
    fn plain(self: Pair, k: u8) u8 {
        return self.x * k;
    }
    inline fn bump(self: Pair, k: u8) u8 {
        const sum = self.x + k;
        return sum;
    }
    inline fn twice(self: Pair, k: u8) u8 {
        _ = self.bump(0);
        return self.bump(k) -
            self.bump(0);
    }
};
fn next(comptime T: type, a: T) T {
    return a + 1;
}
inline fn through(a: []const u8, i: usize) u8 {
    return a[i];
}
pub fn method(a: u8) u8 {
    const p: Pair = .{ .x = a };
    return p.plain(2);
}
pub fn inlined(a: u8) u8 {
    const p: Pair = .{ .x = a };
    return p.bump(
        200,
    );
}
pub fn deeper(a: u8) u8 {
    const p: Pair = .{ .x = a };
    return p.twice(200);
}
pub fn generic(a: u8) u8 {
    if (a < 3)
        return next(u8, a);
    return next(u8, next(u8, a));
}
pub fn indexed(a: []const u8) u8 {
    var sum: u8 = 0;
    for (a, 0..) |x, i| {
        sum +%= x;
        if (i == 2)
            sum +%= through(a, i + 5);
    }
    return sum;
}
pub fn library(a: []const u8) u8 {
    var fixed: [2]u8 = undefined;
    @memcpy(fixed[0..],
        a);
    return fixed[0];
}
"""
ASKED: dict[str, list[Any]] = {
    "method": [200],
    "inlined": [100],
    "deeper": [100],
    "generic": [254],
    "indexed": [b"abc"],
    "library": [b"abc"],
}


def test_a_panic_has_the_line_that_a_build_of_its_own_gives_it_wherever_the_text_moves(
    shared_desk: Desk, loaded: Callable[..., toolchain.Library]
) -> None:
    alone, found = {}, {}
    for moved in (0, 3, 1):
        source = "// a line\n" * moved + PANICS + CELL.format(number=moved)
        program_ = program(source)
        made = shared_desk.order(recipe(program_), {}).result.result(60)
        remember(made.path, zig.functions(source))
        library = quick_library(made, source)
        own = loaded(source) if moved == 0 else None
        for name, args in ASKED.items():
            found[name, moved] = panic(library, name, args)
            if own is not None:
                alone[name] = panic(own, name, args)

    assert {name: line for (name, moved), line in found.items() if moved == 0} == alone
    assert {key: line - key[1] for key, line in found.items()} == {key: alone[key[0]] for key in found}


def panic(library: toolchain.Library, name: str, args: list[Any]) -> int:
    with pytest.raises(NativePanic) as caught:
        library.call(name, args)
    return caught.value.line
