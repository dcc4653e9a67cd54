"""Compiling: errors at the cell's own lines and columns, names, options, bounds, and what can be missing."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from project_o import limits, toolchain, view
from project_o.errors import CompileError, ToolchainError, ToolchainMissing, UsageError
from project_o.toolchain import Finished, Job
from project_o.toolchain.build import found
from project_o.values import Artifact, Program

Build = Callable[..., Artifact]


def refused(compiled: Build, source: str, **how: Any) -> CompileError:
    with pytest.raises(CompileError) as caught:
        compiled(source, **how)
    return caught.value


@pytest.mark.parametrize("offset", [0, 1, 7])
def test_an_error_stands_at_its_own_line_and_column(compiled: Build, offset: int) -> None:
    source = 'pub fn f(a: i32) i32 {\n    _ = "ü"; return missing + a;\n}\n'
    error = refused(compiled, source, line_offset=offset)
    (found,) = error.diagnostics

    assert (found.line, found.column, found.width) == (2 + offset, 21, 7)
    assert found.source_line[found.column - 1 :].startswith("missing + a")
    assert found.severity == "error"
    assert found.message == "use of undeclared identifier 'missing'"
    assert str(error).startswith(f"line {2 + offset}, column 21: use of undeclared")


def test_several_errors_come_at_once(compiled: Build) -> None:
    error = refused(compiled, "pub fn f() void {\n    x();\n}\n\npub fn g() void {\n    y();\n}\nconst a = b;\n")

    assert [(item.line, item.column) for item in error.diagnostics] == [(2, 5), (6, 5), (8, 11)]
    assert "and 2 more errors" in str(error)


def test_a_name_that_is_not_used_is_an_error_in_zig(compiled: Build) -> None:
    error = refused(compiled, "pub fn f(a: i32) void {\n    const b = 1;\n}\n")

    assert [(item.line, item.column) for item in error.diagnostics] == [(1, 10), (2, 11)]


def test_notes_stand_beside_their_error(compiled: Build) -> None:
    error = refused(compiled, "fn g(a: i32) void {\n    _ = a;\n}\npub fn f() void {\n    g(1, 2);\n}\n")
    (found,) = error.diagnostics

    assert (found.line, found.column) == (5, 5)
    assert [(note.severity, note.line, note.message) for note in found.notes] == [("note", 1, "function declared here")]


def test_a_type_error_inside_a_function_that_only_the_shim_uses(compiled: Build) -> None:
    error = refused(compiled, 'pub fn f(a: i32) i32 {\n    const b: u8 = "text";\n    return a + b;\n}\n')

    assert (error.diagnostics[0].line, error.diagnostics[0].column) == (2, 19)


def test_a_syntax_error(compiled: Build) -> None:
    error = refused(compiled, "pub fn f() void {\n    const a = ;\n}\n", line_offset=1)

    assert (error.diagnostics[0].line, error.diagnostics[0].column) == (3, 15)
    assert "expected expression" in error.diagnostics[0].message


def test_an_error_in_the_standard_library_is_shown_where_the_cell_caused_it(compiled: Build) -> None:
    source = 'const std = @import("std");\npub fn f() f32 {\n    return std.math.sqrt("two");\n}\n'
    error = refused(compiled, source, line_offset=1)

    assert error.diagnostics[0].line == 4
    assert "sqrt" in error.diagnostics[0].message or "std/math" in error.diagnostics[0].message


def test_an_error_of_the_cells_own_making(compiled: Build) -> None:
    error = refused(compiled, 'comptime {\n    @compileError("not today");\n}\npub fn f() void {}\n')

    assert (error.diagnostics[0].line, error.diagnostics[0].message) == (2, "not today")


def test_a_bad_version_is_named(compiled: Build) -> None:
    error = refused(compiled, 'pub const o_version = "one";\npub fn f() void {}\n')

    assert 'o_version must read like "1.2.3", got "one"' in error.diagnostics[0].message


def test_windows_line_ends_change_nothing(compiled: Build) -> None:
    error = refused(compiled, "pub fn f() void {\r\n    x();\r\n}\r\n")

    assert (error.diagnostics[0].line, error.diagnostics[0].source_line) == (2, "    x();")


@pytest.mark.parametrize("source", ["", "\n\n", "fn f() void {}\n", "const a = 1;\n", "pub const a = 1;\n"])
def test_a_cell_without_a_public_function(compiled: Build, source: str) -> None:
    error = refused(compiled, source)

    assert "no public function: write `pub fn`" in str(error)


def test_a_cell_with_only_what_cannot_be_mapped_says_why(compiled: Build) -> None:
    source = "pub fn f(a: anytype) void {\n    _ = a;\n}\npub fn g(a: i129) void {\n    _ = a;\n}\n"
    error = refused(compiled, source, line_offset=1, names={"g": (("a",), "", 4)})

    assert "f (parameter 1: anytype" in str(error)
    assert "g (parameter 1: i129" in str(error)
    assert [item.line for item in error.diagnostics] == [0, 5]
    assert error.diagnostics[1].source_line == "pub fn g(a: i129) void {"
    assert error.diagnostics[1].column == 8


@pytest.mark.parametrize(
    ("source", "place"),
    [("pub fn f() void {}\n// \0\n", (2, 4)), ("// \udc80\npub fn f() void {}\n", (1, 4))],
)
def test_characters_that_are_no_text(compiled: Build, source: str, place: tuple[int, int]) -> None:
    error = refused(compiled, source)

    assert (error.diagnostics[0].line, error.diagnostics[0].column) == place
    assert "remove it" in str(error)


def test_a_source_that_is_too_large(compiled: Build) -> None:
    for filler in ("x", "ü"):
        with pytest.raises(UsageError, match="bytes"):
            compiled("pub fn f() void {}\n//" + filler * limits.SOURCE_BYTES_MAX)


def test_names_documentation_and_lines_are_merged(compiled: Build) -> None:
    names = {"f": (("left", "right"), "Adds.", 2), "g": (("too", "many"), "", 0), "gone": ((), "", 9)}
    source = "\npub fn f(a: i32, b: i32) i32 {\n    return a + b;\n}\npub fn g(a: i32) i32 {\n    return a;\n}\n"
    artifact = compiled(source, line_offset=1, names=names)
    f, g = artifact.interface.functions

    assert [name for name, _ in f.parameters] == ["left", "right"]
    assert (f.doc, f.line) == ("Adds.", 3)
    assert ([name for name, _ in g.parameters], g.line) == (["a0"], 0)


def test_what_is_in_the_cache_knows_its_names_without_the_text_being_read(compiled: Build) -> None:
    text = "/// Half of it.\npub fn half(whole: f64) f64 {\n    return whole / 2;\n}\n"
    program = Program("cell", "zig", (("cell.zig", text),))
    built = toolchain.build(program, names={"half": (("whole",), "Half of it.", 2)})
    kept = found(program, lambda: pytest.fail("its names were asked for"))
    assert kept is not None
    assert kept.interface == built.interface
    assert kept.interface.function("half").doc == "Half of it."
    assert [name for name, _ in kept.interface.function("half").parameters] == ["whole"]


def test_the_artifact_says_how_it_was_made(compiled: Build) -> None:
    source = "pub fn once() i32 {\n    return 41;\n}\n"
    first, second = compiled(source, "fast"), compiled(source, "fast")

    assert (first.cached, second.cached) == (False, True)
    assert first.seconds > 0.0 == second.seconds
    assert first.key == second.key
    assert first.toolchain == f"zig {toolchain.ZIG_VERSION}"
    assert first.size_bytes == Path(first.path).stat().st_size
    assert first.flags[:2] == ("-O", "fast")


def test_everything_that_changes_the_build_changes_the_key(compiled: Build) -> None:
    source = "pub fn f() i32 {\n    return 1;\n}\n"
    builds = [
        compiled(source),
        compiled(source, "fast"),
        compiled(source + "\n"),
        compiled(source, line_offset=1),
        compiled(source, options=("link:m",)),
    ]
    assert len({item.key for item in builds}) == len(builds)
    assert compiled(source, options=("isolate",)).key == builds[0].key


def test_libraries_are_linked(compiled: Build) -> None:
    source = "extern fn hypot(x: f64, y: f64) f64;\npub fn f(x: f64) f64 {\n    return hypot(3, x);\n}\n"

    assert toolchain.load(compiled(source, options=("link:m",))).call("f", [4.0]) == 5.0
    assert toolchain.load(compiled(source, options=("-lm",))).call("f", [4.0]) == 5.0


@pytest.mark.parametrize("colours", [False, True])
def test_a_library_that_is_not_there(compiled: Build, monkeypatch: pytest.MonkeyPatch, *, colours: bool) -> None:
    if colours:  # as a kernel asks for them
        for name in ("CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR"):
            monkeypatch.setenv(name, "1")
        monkeypatch.delenv("NO_COLOR", raising=False)
    with pytest.raises((CompileError, ToolchainError), match="--link nosuchlibrary: there is no library nosuch"):
        compiled("pub fn f() void {}\n", options=("link:nosuchlibrary",))


def test_a_symbol_that_is_nowhere(compiled: Build) -> None:
    source = "extern fn nowhere_at_all() void;\npub fn f() void {\n    nowhere_at_all();\n}\n"

    with pytest.raises(ToolchainError, match="nowhere_at_all"):
        toolchain.load(compiled(source))


@pytest.mark.parametrize("option", ["link:", "-l", "link:-o", "link:a b"])
def test_options_that_cannot_be_meant(compiled: Build, option: str) -> None:
    with pytest.raises(UsageError, match="names no library"):
        compiled("pub fn f() void {}\n", options=(option,))


def test_other_languages_are_refused() -> None:
    with pytest.raises(UsageError, match="only zig"):
        toolchain.build(Program("p", "python", (("p.py", ""),)))


def test_the_compilers_own_runtime_is_linked_where_it_is_needed(compiled: Build) -> None:
    """Division of 128 bits and a large stack frame both need it."""
    source = (
        "pub fn divide(a: u64, b: u64) u64 {\n    const x: u128 = @as(u128, a) << 64;\n"
        "    return @truncate(x / (@as(u128, b) << 3 | 1));\n}\n"
        "pub fn large(n: usize) u64 {\n    var a: [3000]u64 = undefined;\n    const v: []volatile u64 = &a;\n"
        "    v[n] = n;\n    return v[n];\n}\n"
    )
    library = toolchain.load(compiled(source))

    assert library.call("divide", [10, 3]) == ((10 << 64) // (3 << 3 | 1)) & ((1 << 64) - 1)
    assert library.call("large", [2999]) == 2999


def test_files_beside_the_cell(zig_there: Path) -> None:
    files = (
        ("cell.zig", 'pub const f = @import("more/other.zig").f;\n'),
        ("more/other.zig", "pub fn f() i32 { return 5; }"),
    )
    assert toolchain.load(toolchain.build(Program("p", "zig", files))).call("f", []) == 5

    broken = (files[0], ("more/other.zig", "pub fn f() i32 { return x; }"))
    with pytest.raises(CompileError, match="undeclared identifier 'x'") as caught:
        toolchain.build(Program("p", "zig", broken))
    assert "other.zig:1" in caught.value.diagnostics[0].message

    for name in ("../out.zig", "/out.zig", "cell.zig", ""):
        with pytest.raises(UsageError, match="cannot be the name"):
            toolchain.build(Program("p", "zig", (files[0], (name, ""))))


def test_no_compiler(compiled: Build, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept = compiled("pub fn kept() void {}\n")
    for path in (tmp_path / "missing", tmp_path):
        monkeypatch.setenv("PROJECT_O_ZIG", str(path))
        with pytest.raises(ToolchainMissing, match=r"pip install ziglang==0\.17\.1"):
            compiled(f"pub fn f() void {{}} // {path}\n")
    old = tmp_path / "zig"
    old.write_text("#!/bin/sh\necho 0.11.0\n")
    old.chmod(0o755)
    monkeypatch.setenv("PROJECT_O_ZIG", str(old))
    with pytest.raises(ToolchainMissing, match=r"is Zig 0\.11\.0, wanted is 0\.17\.1"):
        toolchain.locate()
    check, *_ = toolchain.status()
    assert not check.ok
    assert "pip install" in check.todo

    assert compiled("pub fn kept() void {}\n") == kept.__class__(
        **{**{name: getattr(kept, name) for name in kept.__dataclass_fields__}, "cached": True, "seconds": 0.0}
    ), "what is in the cache needs no compiler"


def test_no_place_to_build_or_load_in(compiled: Build, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    artifact = compiled("pub fn f() void {}\n// there\n")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(ToolchainError, match="no place to build in"):
        compiled("pub fn f() void {}\n// nowhere\n")
    assert toolchain.load(artifact).call("f", []) is None  # from memory

    def refuse(*_: Any) -> int:
        raise OSError("no memory files")

    monkeypatch.setattr(os, "memfd_create", refuse)
    with pytest.raises(ToolchainError, match="cannot be loaded"):
        toolchain.load(artifact)


def test_a_compiler_that_fails_is_not_the_cells_fault(zig_there: Path) -> None:
    def crashes(job: Job) -> Finished:
        return Finished(-11, "LLVM ERROR: out of everything", 0.1)

    with pytest.raises(ToolchainError, match=r"ended by signal 11, .*out of everything"):
        toolchain.build(Program("p", "zig", (("cell.zig", "pub fn f() void {} // crash"),)), runner=crashes)


def processes_of(pattern: str) -> dict[str, str]:
    """The command lines that name it, by their processes: an earlier cell's compiler server may be one."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().decode("utf-8", "replace")
            except OSError:
                continue
            if pattern in words:
                found[entry.name] = words
    return found


ENDLESS = """
comptime {
    @setEvalBranchQuota(4_000_000_000);
    var i: u64 = 0;
    while (true) i += 1;
}
pub fn f() void {}
"""


def test_a_loop_at_compile_time_meets_the_deadline(
    compiled: Build, monkeypatch: pytest.MonkeyPatch, build_cache: Path
) -> None:
    from project_o.toolchain.compiler import run

    def hurried(job: Job) -> Finished:
        return run(Job(job.argv, job.folder, job.environment, wall_seconds=1.0))

    before = processes_of(str(build_cache))
    with pytest.raises(ToolchainError, match="limit of 1 s: is there a loop at compile time"):
        compiled(ENDLESS, runner=hurried)
    assert processes_of(str(build_cache)).keys() <= before.keys()


def test_ctrl_c_ends_the_compiler(compiled: Build, build_cache: Path) -> None:
    started: list[set[str]] = []
    before = processes_of(str(build_cache))

    def interrupt() -> None:
        while not (found := processes_of(str(build_cache)).keys() - before.keys()):
            time.sleep(0.02)
        started.append(found)
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)

    def build() -> None:
        thread.start()
        compiled(ENDLESS)

    with pytest.raises(KeyboardInterrupt):
        build()
    thread.join()

    assert started
    assert processes_of(str(build_cache)).keys() <= before.keys()
    assert toolchain.load(compiled("pub fn after() i32 {\n    return 3;\n}\n")).call("after", []) == 3


def test_tests_of_the_cell_are_run(zig_there: Path) -> None:
    source = (
        'const std = @import("std");\npub fn f() i32 {\n    return 3;\n}\n'
        'test "good" {\n    try std.testing.expectEqual(3, f());\n}\n'
    )
    assert toolchain.run_tests(Program("p", "zig", (("cell.zig", source),))) == 1

    bad = source + 'test "bad" {\n    try std.testing.expectEqual(4, f());\n}\n'
    with pytest.raises(CompileError, match="test 'bad' failed: expected 4, found 3") as caught:
        toolchain.run_tests(Program("p", "zig", (("cell.zig", bad),)), line_offset=1)
    assert view.show_compile_error(caught.value).plain.startswith("zig: fails its own tests")
    assert [item.line for item in caught.value.diagnostics] == [10]


def test_the_doctors_facts(build_cache: Path, zig_there: Path) -> None:
    toolchain.warm()
    compiler, _, calls, cache = toolchain.status()

    assert (compiler.name, compiler.ok, compiler.core) == ("zig", True, True)
    assert str(zig_there) in compiler.value
    assert str(build_cache) in cache.value
    assert cache.ok
    assert (calls.name, calls.ok, calls.core) == ("dispatcher of calls", True, False)
