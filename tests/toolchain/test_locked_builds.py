"""A locked build: the same library, errors and lines as an unlocked one, under a key of its own, and nothing shared."""

from __future__ import annotations

import os
import random
import shutil
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project_o import limits, sandbox, toolchain
from project_o.errors import CompileError, ToolchainError
from project_o.sandbox import build_memory
from project_o.toolchain import cache, elf
from project_o.values import Artifact, Program

Locked = Callable[..., Artifact]

SUMS = {
    "zig": "pub fn total(a: []const f64) f64 {\n    var sum: f64 = 0;\n    for (a) |x| sum += x;\n    return sum;\n}\n",
    "rust": "pub fn total(a: &[f64]) -> f64 {\n    let mut sum = 0.0;\n    for x in a { sum += x; }\n    sum\n}\n",
}
SORTS = {
    "zig": 'const std = @import("std");\n'
    "pub fn sorted(allocator: std.mem.Allocator, a: []const f64) ![]f64 {\n"
    "    const out = try allocator.dupe(f64, a);\n    std.sort.pdq(f64, out, {}, std.sort.asc(f64));\n"
    "    return out;\n}\n",
    "rust": "pub fn sorted(a: &[f64]) -> Vec<f64> {\n    let mut out = a.to_vec();\n"
    "    out.sort_by(f64::total_cmp);\n    out\n}\n",
}


@pytest.fixture(scope="module")
def box() -> Iterator[sandbox.Sandbox]:
    with sandbox.Sandbox(
        wall_seconds=limits.LOCKED_BUILD_WALL_SECONDS,
        cpu_seconds=limits.LOCKED_BUILD_CPU_SECONDS,
        memory_bytes=limits.LOCKED_BUILD_MEMORY_BYTES,
    ) as made:
        yield made


@pytest.fixture(scope="module")
def locked(box: sandbox.Sandbox, rust_there: str) -> Locked:
    """(language, source) -> Artifact, built as a text that nobody has read."""

    def build(language: str, source: str, **how: Any) -> Artifact:
        return toolchain.build(program(language, source), **{"box": box, **how})

    return build


def program(language: str, source: str) -> Program:
    return Program("cell", language, ((f"cell.{'zig' if language == 'zig' else 'rs'}", source),))


def section(path: str, name: str) -> bytes:
    from elftools.elf.elffile import ELFFile

    with open(path, "rb") as file:
        found = ELFFile(file).get_section_by_name(name)
        return bytes(found.data())


@pytest.mark.parametrize("source", [SUMS, SORTS], ids=["sum", "sort"])
@pytest.mark.parametrize("language", ["zig", "rust"])
def test_the_code_is_that_of_an_unlocked_build(locked: Locked, language: str, source: dict[str, str]) -> None:
    text = source[language] + f"// {random.random()}\n"
    own, proposed = locked(language, text, box=None), locked(language, text)

    for name in (".text", ".rodata"):
        assert section(own.path, name) == section(proposed.path, name)
    assert own.interface == proposed.interface


@pytest.mark.parametrize("language", ["zig", "rust"])
def test_it_runs(locked: Locked, language: str) -> None:
    values = np.array([3.0, -1.0, 2.0])

    assert toolchain.load(locked(language, SUMS[language])).call("total", [values]) == 4.0
    assert toolchain.load(locked(language, SORTS[language])).call("sorted", [values]).tolist() == [-1.0, 2.0, 3.0]


@pytest.mark.parametrize("language", ["zig", "rust"])
def test_it_has_a_key_of_its_own_and_says_how_it_was_built(locked: Locked, language: str) -> None:
    text = SUMS[language] + f"// {random.random()}\n"
    proposed = locked(language, text)
    own, again = locked(language, text, box=None), locked(language, text)

    assert (proposed.cached, own.cached, again.cached) == (False, False, True)
    assert own.key != proposed.key == again.key
    assert "locked" in proposed.flags
    assert "locked" not in own.flags
    assert proposed.flags[-1] == own.flags[-1] == "line-offset=0"


WRONG = [
    ("zig", "pub fn f(a: i32) i32 {\n    return missing + a;\n}\n"),
    ("zig", "pub fn f() void {\n    x();\n}\n\npub fn g() void {\n    y();\n}\nconst a = b;\n"),
    ("zig", 'const std = @import("std");\npub fn f() f32 {\n    return std.math.sqrt("two");\n}\n'),
    ("zig", "pub fn f() void {\n    const a = ;\n}\n"),
    ("zig", "fn g(a: i32) void {\n    _ = a;\n}\npub fn f() void {\n    g(1, 2);\n}\n"),
    ("zig", "fn f() void {}\n"),
    ("rust", "pub fn f(a: i32) -> i32 {\n    missing + a\n}\n"),
    ("rust", "pub fn f() -> i32 {\n    let a: &str = 1;\n    2\n}\npub fn g() { y() }\n"),
    ("rust", "pub fn f() {\n    let a = ;\n}\n"),
    ("rust", "pub fn f(a: Vec<String>) -> Vec<String> {\n    drop(a);\n    a\n}\n"),
    ("rust", "fn f() {}\n"),
]


@pytest.mark.parametrize(("language", "source"), WRONG)
def test_its_errors_are_those_of_an_unlocked_build(locked: Locked, language: str, source: str) -> None:
    with pytest.raises(CompileError) as own:
        locked(language, source, box=None, line_offset=1)
    with pytest.raises(CompileError) as proposed:
        locked(language, source, line_offset=1)

    assert proposed.value.diagnostics == own.value.diagnostics
    assert str(proposed.value) == str(own.value)
    assert proposed.value.language == own.value.language


@pytest.mark.parametrize("language", ["zig", "rust"])
def test_its_assembly_is_that_of_an_unlocked_build(box: sandbox.Sandbox, rust_there: str, language: str) -> None:
    wanted = program(language, SUMS[language])

    assert toolchain.annotate(wanted, box=box) == toolchain.annotate(wanted)


def test_what_the_compiler_itself_must_bring_is_linked(locked: Locked) -> None:
    source = (
        "pub fn f(a: f64, b: f64) f64 {\n    const x: u128 = @intFromFloat(a);\n    const y: u128 = @intFromFloat(b);\n"
        "    return @floatFromInt(x / y);\n}\n"
    )

    assert toolchain.load(locked("zig", source)).call("f", [1e30, 1e10]) == 1e20


def test_rust_is_linked_where_there_is_no_c_compiler(
    locked: Locked, rust_there: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from project_o.sandbox import build, build_places

    monkeypatch.setenv("RUSTC", rust_there)
    monkeypatch.setenv("PATH", "/nowhere")
    for module in (build, build_places):
        monkeypatch.setattr(module, "SEARCHED", ())
    assert shutil.which("cc") is None

    made = locked("rust", "pub fn f(x: i32) -> i32 { x + 5 }\n")

    assert toolchain.load(made).call("f", [1]) == 6


# ------------------------------------------------------------------------------- nothing is shared


def contents(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != "lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@pytest.mark.parametrize("language", ["zig", "rust"])
def test_what_compilers_keep_is_not_changed_by_a_locked_build(locked: Locked, build_cache: Path, language: str) -> None:
    locked(language, SORTS[language] + f"// {random.random()}\n")  # what must be there is there
    before = contents(build_cache / language)

    locked(language, SORTS[language] + f"// {random.random()}\n")

    assert contents(build_cache / language) == before


def test_rust_goes_on_from_the_users_own_text_and_makes_the_same_code(locked: Locked, rust_there: str) -> None:
    own = SUMS["rust"] + SORTS["rust"]
    proposed = own.replace("sum += x", "sum += x * 2.0") + f"// {random.random()}\n"
    locked("rust", own, box=None)
    shared = Path(build_memory.shared_folder() or "/nowhere")

    first = locked("rust", proposed)
    memories = contents(shared)
    second = locked("rust", proposed + "// once more\n")
    kept = contents(shared)
    own_build = locked("rust", proposed, box=None)

    assert section(first.path, ".text") == section(second.path, ".text") == section(own_build.path, ".text")
    assert shared.name == "nowhere" or any(name.startswith("memory-rust-") for name in memories)
    assert kept == memories, "a locked build has a copy"


def test_builds_of_one_name_at_the_same_time_work_in_places_of_their_own(locked: Locked, rust_there: str) -> None:
    own = SUMS["rust"] + SORTS["rust"]
    locked("rust", own, box=None)
    texts = [own.replace("sum += x", f"sum += x * {k}.0") + f"// {random.random()}\n" for k in range(6)]

    with ThreadPoolExecutor(6) as threads:
        built = list(threads.map(lambda text: locked("rust", text), texts))

    for k, artifact in enumerate(built):
        assert toolchain.load(artifact).call("total", [np.ones(3)]) == 3.0 * k


def test_a_damaged_copy_is_one_builds_own(locked: Locked, box: sandbox.Sandbox, build_cache: Path) -> None:
    """What a compiler that has been taken over does to its own cache reaches no other build."""
    from project_o.sandbox.build import Built

    class Spoils:
        level = box.level

        def build(self, argv: Any, files: Any, **how: Any) -> Built:
            spoilt = [name for name in os.listdir(build_cache / "zig" / "z") if not name.startswith(".")]
            more = {f"zig/z/{name}": b"spoilt" for name in spoilt[:50]}
            return box.build(argv, {**files, **more}, **how)

    first: Any = Spoils()
    text = SUMS["zig"] + f"// {random.random()}\n"
    with suppress(ToolchainError):  # that build may well fail
        toolchain.build(program("zig", text), box=first)

    assert toolchain.load(locked("zig", text + "\n")).call("total", [np.ones(3)]) == 3.0


# ------------------------------------------------------------------------------- what comes out is looked at


def test_a_library_that_the_program_does_not_name_is_refused(locked: Locked) -> None:
    source = (
        '#[link(name = "z")]\nunsafe extern "C" { fn zlibVersion() -> *const u8; }\n'
        "pub fn f() -> usize { unsafe { zlibVersion() as usize } }\n"
    )
    with pytest.raises(CompileError, match=r"it wants the library libz.so.1, which the program does not name.*--link"):
        locked("rust", source)
    named = Program("cell", "rust", (("cell.rs", source),), options=("link:z",))

    assert locked("rust", source, box=None).path
    assert toolchain.build(named, box=sandbox.shared_builder()).path


def test_a_function_that_is_not_declared_is_refused(locked: Locked) -> None:
    source = SUMS["rust"] + '#[unsafe(export_name = "o_cell_more")]\nextern "C" fn more() {}\n'

    with pytest.raises(ToolchainError, match=r"other functions than it has \(o_cell_more\)"):
        locked("rust", source)


def test_a_library_that_is_too_large_is_refused(locked: Locked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOCKED_LIBRARY_BYTES_MAX", 10_000)

    with pytest.raises(ToolchainError, match=r"at most 0 MiB are kept: make its tables smaller"):
        locked("zig", SUMS["zig"] + f"// {random.random()}\n")


@pytest.fixture(scope="module")
def one_library(locked: Locked) -> Path:
    return Path(locked("zig", SUMS["zig"]).path)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_damaged_file_is_refused_in_words(one_library: Path, data: st.DataObject) -> None:
    body = bytearray(one_library.read_bytes())
    headers = st.integers(0, 63) | st.integers(struct.unpack_from("<Q", body, 40)[0], len(body) - 1)
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(headers)] = data.draw(st.integers(0, 255))
    cut = data.draw(st.sampled_from([len(body), 63, 64, 200, len(body) // 2]))

    with suppress(ToolchainError, KeyError):
        assert isinstance(elf.Library(bytes(body[:cut])).content("o_description"), bytes)


def test_the_cache_says_nothing_of_a_locked_build_under_the_key_of_an_unlocked_one(locked: Locked) -> None:
    text = SUMS["zig"] + f"// {random.random()}\n"
    own = locked("zig", text, box=None)
    proposed = locked("zig", text)

    found = cache.find(proposed.key)
    assert found is not None
    assert found.folder != Path(own.path).parent
