"""A compiler that never ends, or takes all memory, is ended by the build's own limits, in words that help."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from project_o import limits, sandbox, toolchain
from project_o.errors import CompileError, SandboxError
from project_o.sandbox import build_memory, build_tree
from project_o.values import Program

SECONDS = 2
LOOPS = {
    "zig": "comptime {\n    @setEvalBranchQuota(4294967295);\n    var x: u64 = 0;\n    while (true) x +%= 1;\n}\n"
    "pub fn f() void {}\n",
    "rust": "const fn g() -> u64 {\n    let mut x = 0u64;\n    loop { x = x.wrapping_add(1); if x == 0 { break; } }\n"
    "    x\n}\npub const X: u64 = g();\npub fn f() -> u64 { X }\n",
}
MEMORY = {
    "zig": "const big: [1 << 26]u64 = blk: {\n    @setEvalBranchQuota(4294967295);\n"
    "    var a: [1 << 26]u64 = @splat(1);\n    for (&a, 0..) |*x, k| x.* = k;\n    break :blk a;\n};\n"
    "pub fn f(i: usize) u64 { return big[i]; }\n",
    "rust": "macro_rules! m { ($($t:tt)*) => { m!{$($t)* $($t)* x} } }\nm!{x}\npub fn f() -> u64 { 1 }\n",
}


@pytest.fixture(scope="module")
def box(rust_there: str) -> Iterator[sandbox.Sandbox]:
    with sandbox.Sandbox(wall_seconds=30, cpu_seconds=SECONDS, memory_bytes=256 << 20) as made:
        yield made


def program(language: str, source: str) -> Program:
    return Program("cell", language, ((f"cell.{'zig' if language == 'zig' else 'rs'}", source),))


def compilers() -> list[int]:
    """The living compilers below this process."""
    found, waiting = [], [os.getpid()]
    while waiting:
        for pid in build_tree.children(waiting.pop()):
            waiting.append(pid)
            with suppress(OSError):
                if Path(f"/proc/{pid}/comm").read_text().strip() in ("zig", "rustc", "cc", "ld"):
                    found.append(pid)
    return found


@pytest.mark.parametrize("language", LOOPS)
def test_a_loop_at_compile_time_ends_at_its_limit_and_leaves_nothing(box: sandbox.Sandbox, language: str) -> None:
    toolchain.build(program(language, "pub fn f() void {}\n" if language == "zig" else "pub fn f() {}\n"), box=box)
    before = compilers()  # the kernel's own compiler server may be there
    began = time.process_time()

    with pytest.raises(CompileError) as caught:
        toolchain.build(program(language, LOOPS[language]), box=box)

    assert str(caught.value) == (
        f"the build was stopped: it used more than {SECONDS} s of processor time: is there a loop at compile time?"
    )
    assert caught.value.language == language
    assert [item.message for item in caught.value.diagnostics] == [str(caught.value)]
    assert time.process_time() - began < SECONDS, "waiting for it costs nothing"
    assert set(compilers()) <= set(before)
    folder = build_memory.shared_folder()
    assert not folder or not [name for name in os.listdir(folder) if name.startswith("o-build-")]


@pytest.mark.parametrize("language", MEMORY)
def test_a_text_that_fills_the_memory_is_ended_and_costs_itself_only(box: sandbox.Sandbox, language: str) -> None:
    with pytest.raises(CompileError, match="more memory than 256 MiB: make what is computed at compile time smaller"):
        toolchain.build(program(language, MEMORY[language]), box=box)

    good = "pub fn f() i32 { return 3; }\n" if language == "zig" else "pub fn f() -> i32 { 3 }\n"
    assert toolchain.load(toolchain.build(program(language, good), box=box)).call("f", []) == 3


def test_a_wall_limit_ends_it_too(box: sandbox.Sandbox) -> None:
    with sandbox.Sandbox(wall_seconds=1, cpu_seconds=60) as hasty:
        toolchain.build(program("zig", "pub fn f() void {}\n"), box=box)

        began = time.monotonic()
        with pytest.raises(CompileError, match=r"it took longer than 1 s: is there a loop at compile time\?"):
            toolchain.build(program("zig", LOOPS["zig"] + "// again\n"), box=hasty)
        assert time.monotonic() - began < 40


@pytest.mark.parametrize(
    ("bound", "value", "text", "says"),
    [
        ("BUILD_SCRATCH_BYTES", 16 << 20, "pub fn f() void {}\n", "it wrote more than 16 MiB: make what is computed"),
        (
            "BUILD_FILES_BYTES_MAX",
            1000,
            "pub fn f() i8 { return 1; }\n",
            "more than 1,000 bytes: make its tables smaller",
        ),
        ("BUILD_FLOOD_BYTES_MAX", 10, "pub fn f() void { x(); }\n", "it printed more than .* let it print less"),
    ],
)
def test_every_end_says_what_to_do(
    box: sandbox.Sandbox, monkeypatch: pytest.MonkeyPatch, bound: str, value: int, text: str, says: str
) -> None:
    monkeypatch.setattr(limits, bound, value)

    with pytest.raises(CompileError, match=says):
        toolchain.build(program("zig", text + f"// {bound}\n"), box=box)


def test_where_nothing_can_be_locked_nothing_is_built(rust_there: str) -> None:
    text = "pub fn f() i16 {\n    return 9;\n}\n"
    with sandbox.Sandbox(deny=("landlock", "namespaces")) as low:
        assert "only level L1 holds here" in low.build_refusal
        with pytest.raises(SandboxError, match="at level L1"):
            toolchain.build(program("zig", text), box=low)
    with sandbox.Sandbox(profile="isolate") as none, pytest.raises(SandboxError, match="isolate profile locks nothing"):
        toolchain.build(program("zig", text), box=none)


def test_the_first_version_of_landlock_is_too_old(monkeypatch: pytest.MonkeyPatch, rust_there: str) -> None:
    from project_o.sandbox import locks

    with sandbox.Sandbox() as box:
        assert box.build_refusal == ""
        monkeypatch.setattr(locks, "landlock_version", lambda: 1)

        assert "locked builds need Linux 5.19 or newer" in box.build_refusal
        with pytest.raises(SandboxError, match=r"Linux 5\.19 or newer"):
            toolchain.build(program("zig", "pub fn f() u16 {\n    return 9;\n}\n"), box=box)
