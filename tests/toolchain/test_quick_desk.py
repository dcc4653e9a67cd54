"""The compiler server: every edit gives its own code, errors are those of a build of its own, and whatever befalls the
server costs the order at most."""

from __future__ import annotations

import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from project_o import limits, toolchain
from project_o.abi import interface_from_json
from project_o.errors import CompileError, NativePanic, NativeResultError
from project_o.languages import zig
from project_o.toolchain.quick.desk import Built, Desk
from project_o.toolchain.quick.server import ServerTrouble
from project_o.toolchain.recipe import recipe
from project_o.toolchain.server_lines import remember
from project_o.values import Artifact, Program

sys.path.insert(0, str(Path(__file__).parent))
from quick_edits import Call, edits

CELL = "pub fn value() i64 {{\n    return {number};\n}}\n"
LOOP = """pub fn f() void {
    comptime {
        @setEvalBranchQuota(4_000_000_000);
        var i: u64 = 0;
        while (i < 1 << 60) i += 1;
    }
}
"""


def program(source: str, mode: Any = "safe") -> Program:
    return Program("cell", "zig", (("cell.zig", source),), mode=mode)


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


def built(desk: Desk, source: str, mode: Any = "safe") -> Built:
    return desk.order(recipe(program(source, mode)), {}).result.result(60)


def quick_library(made: Built, source: str) -> toolchain.Library:
    interface = interface_from_json(made.description)
    key = f"{made.path}"
    return toolchain.load(Artifact(program(source), key, str(made.path), interface, "zig", (), 0, 0.0, cached=False))


def value(desk: Desk, number: int, mode: Any = "safe") -> Any:
    source = CELL.format(number=number)
    return quick_library(built(desk, source, mode), source).call("value", [])


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


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


# ------------------------------------------------------------------------------- what befalls it


def refused(desk: Desk, source: str) -> str:
    with pytest.raises(ServerTrouble) as caught:
        built(desk, source)
    return str(caught.value)


def when_busy(desk: Desk, act: Callable[[int], None]) -> threading.Thread:
    """``act`` on the server's process while it compiles a loop without end."""
    assert value(desk, 1) == 1
    server = desk.server
    assert server is not None
    pid = server.pid

    def wait_and_act() -> None:
        before = processor_ticks(pid)
        while processor_ticks(pid) < before + 5:
            time.sleep(0.01)
        act(pid)

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    return thread


def processor_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_a_server_that_is_killed_while_it_compiles_costs_one_order(desk: Desk) -> None:
    thread = when_busy(desk, lambda pid: os.kill(pid, signal.SIGKILL))

    assert "it is gone" in refused(desk, LOOP)
    thread.join()
    assert value(desk, 2) == 2


def test_a_keeper_that_is_killed_takes_the_server_with_it(desk: Desk) -> None:
    assert value(desk, 1) == 1
    server = desk.server
    assert server is not None
    os.kill(server._process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while alive(server.pid) and time.monotonic() < deadline:
        time.sleep(0.02)

    assert not alive(server.pid)
    assert "it is gone" in refused(desk, CELL.format(number=2))
    assert value(desk, 3) == 3


def test_a_server_that_is_stopped_meets_its_deadline(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert value(desk, 1) == 1
    server = desk.server
    assert server is not None
    monkeypatch.setattr(limits, "SERVER_UPDATE_SECONDS", 0.5)
    os.kill(server.pid, signal.SIGSTOP)

    assert refused(desk, CELL.format(number=2)) == "it did not answer in time"
    assert not alive(server.pid)
    assert value(desk, 3) == 3


def test_an_endless_loop_at_compile_time_meets_the_deadline(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert value(desk, 1) == 1
    monkeypatch.setattr(limits, "SERVER_UPDATE_SECONDS", 0.5)

    assert refused(desk, LOOP) == "it did not answer in time"
    assert value(desk, 2) == 2


def test_nobody_waits_for_an_order_that_was_abandoned(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert value(desk, 1) == 1
    monkeypatch.setattr(limits, "SERVER_GRACE_SECONDS", 0.3)
    order = desk.order(recipe(program(LOOP)), {})
    order.abandon()
    began = time.monotonic()

    assert value(desk, 2) == 2
    assert time.monotonic() - began < 10
    assert isinstance(order.result.exception(), ServerTrouble)


def test_a_bomb_at_compile_time_meets_the_limit_of_memory(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SERVER_MEMORY_BYTES", 1024 * limits.MIB)
    assert value(desk, 1) == 1
    source = """const bomb = blk: {
    @setEvalBranchQuota(1_000_000);
    var text: []const u8 = "boom";
    for (0..40) |_| text = text ++ text;
    break :blk text.len;
};
pub fn f() u64 {
    return bomb;
}
"""
    refused(desk, source)
    assert value(desk, 2) == 2


def test_a_server_that_has_grown_is_renewed_and_goes_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert value(desk, 1) == 1
    monkeypatch.setattr(limits, "SERVER_RESIDENT_BYTES_MAX", 1)
    server = desk.server
    assert value(desk, 2) == 2
    assert value(desk, 3) == 3
    assert desk.server is not server


def test_a_server_that_nobody_asks_ends_and_comes_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SERVER_IDLE_SECONDS", 0.2)
    assert value(desk, 1) == 1
    server = desk.server
    assert server is not None
    deadline = time.monotonic() + 10
    while alive(server.pid) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert not alive(server.pid)
    assert value(desk, 2) == 2


SPEAKS = {
    "garbage": "say(b'\\x07garbage' * 100)",
    "half a message": "say(pack('<II', 1, 100) + b'half')",
    "a message without end": "say(pack('<II', 2, 0xFFFFFFFF))",
    "errors that are none": "say(pack('<IIIIIIII', 1, 24, 4, 0, 9, 900, 0, 0))",
    "neither library nor error": "say(pack('<II', 1, 8) + bytes(8))",
    "a library that is not there": "say(pack('<II', 2, 17) + bytes(17) + pack('<II', 1, 8) + bytes(8))",
    "nothing, and goes": "sys.exit(3)",
    "nothing, and stays": "time.sleep(60)",
}


@pytest.mark.parametrize("speaks", SPEAKS)
def test_a_server_that_speaks_nonsense_is_not_believed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, speaks: str
) -> None:
    assert value(desk, 1) == 1
    script = tmp_path / "zig"
    script.write_text(
        f"#!{sys.executable} -IS\nimport sys, time\nfrom struct import pack\nsay = sys.stdout.buffer.write\n"
        "if sys.argv[1] == 'version': print('0.17.1'); sys.exit()\n"
        f"sys.stdin.buffer.read(8)\n{SPEAKS[speaks]}\nsys.stdout.flush()\ntime.sleep(60)\n"
    )
    script.chmod(stat.S_IRWXU)
    assert desk.server is not None
    os.kill(desk.server.pid, signal.SIGKILL)
    with monkeypatch.context() as patch:
        patch.setenv("PROJECT_O_ZIG", str(script))
        patch.setattr(limits, "SERVER_START_SECONDS", 1.0)
        refused(desk, CELL.format(number=2))  # the one that was killed
        refused(desk, CELL.format(number=3))  # the one that speaks nonsense
    desk._not_before = 0.0

    assert value(desk, 4) == 4


def test_after_repeated_trouble_it_is_tried_again_only_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PROJECT_O_ZIG", str(tmp_path / "nowhere"))
    refused(desk, CELL.format(number=1))
    refused(desk, CELL.format(number=1))

    assert "tried again later" in refused(desk, CELL.format(number=1))


def test_where_nothing_can_be_written_there_is_trouble_and_no_crash(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    assert "FileNotFoundError" in refused(desk, CELL.format(number=1))
    monkeypatch.undo()

    assert value(desk, 2) == 2
