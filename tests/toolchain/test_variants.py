"""Several variants of one text in one compilation: each answers as its own build does, and its errors are its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from project_o import limits, toolchain
from project_o.errors import CompileError, NativePanic
from project_o.languages import tools_for
from project_o.toolchain.variants import Variants, _parts
from project_o.values import Artifact, Program

KERNEL = """const lanes = 1; // o: 1 2 4 8
const shift = 0; // o: 0 1 2

/// The sum of a row, moved.
pub fn total(a: []const f32) f32 {
    var sums: @Vector(lanes, f32) = @splat(0);
    var i: usize = 0;
    while (i + lanes <= a.len) : (i += lanes) sums += a[i..][0..lanes].*;
    var sum = @reduce(.Add, sums);
    while (i < a.len) : (i += 1) sum += a[i];
    return sum + shift;
}
pub fn at(a: []const f32, i: usize) f32 {
    return a[i + shift];
}
"""
TOOLS = tools_for("zig")


def variants(source: str, mode: str = "safe", **domains: tuple[object, ...]) -> list[Program]:
    program = TOOLS.program("kernel", source, mode=mode)  # type: ignore[arg-type]  # one of the three
    values = itertools.product(*domains.values())
    return [TOOLS.with_settings(program, dict(zip(domains, row, strict=True))) for row in values]  # type: ignore[arg-type]


@pytest.mark.usefixtures("zig_there")
@pytest.mark.parametrize("together", [limits.VARIANTS_TOGETHER_MIN, 5])
def test_every_variant_answers_with_its_own_constants(together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "VARIANTS_TOGETHER_MIN", together)
    programs = variants(KERNEL, lanes=(1, 2, 4, 8), shift=(0, 1, 2))
    built = Variants(programs, {"total": (("row",), "The sum of a row, moved.", 5)})
    row = np.arange(37, dtype=np.float32)

    for program, artifact in zip(programs, built.found, strict=True):
        assert isinstance(artifact, Artifact)
        assert artifact.program == program
        function = artifact.interface.function("total")
        assert (function.parameters[0][0], function.doc) == ("row", "The sum of a row, moved.")
        library = toolchain.load(artifact)
        shift = {item.name: item.value for item in program.parameters}["shift"]
        assert library.call("total", [row]) == row.sum() + shift
        with pytest.raises(NativePanic, match=f"index {36 + int(shift) + 1}, len 37"):
            library.call("at", [row, 37])
    assert len({artifact.key for artifact in built.found if isinstance(artifact, Artifact)}) == 12


@pytest.mark.parametrize(("processors", "expected"), [(1, 1), (2, 2), (3, 3), (64, 4)])
def test_many_are_shared_out_among_the_processors(
    processors: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: set(range(processors)), raising=False)

    parts = _parts(range(limits.VARIANTS_MAX))

    assert len(parts) == expected
    assert sorted(k for part in parts for k in part) == list(range(limits.VARIANTS_MAX))
    assert min(map(len, parts)) >= limits.VARIANTS_TOGETHER_MIN
    assert _parts([3]) == [[3]]
    assert _parts([]) == [[]]


@pytest.mark.usefixtures("zig_there")
def test_the_errors_of_a_variant_are_its_own_and_the_others_go_on(compiled: Callable[..., Artifact]) -> None:
    source = KERNEL.replace("return sum + shift;", 'if (shift == 1) @compileError("not one");\n    return sum + shift;')
    programs = variants(source, lanes=(1, 2), shift=(0, 1))
    with pytest.raises(CompileError) as alone:
        toolchain.build(programs[1])

    found = Variants(programs).found

    assert [type(item) for item in found] == [Artifact, CompileError, Artifact, CompileError]
    assert isinstance(found[1], CompileError)
    assert found[1].diagnostics == alone.value.diagnostics
    assert str(found[1]) == str(alone.value)


@pytest.mark.usefixtures("zig_there")
def test_where_only_variant_compiles_it_is_built_alone() -> None:
    source = KERNEL.replace("return sum + shift;", 'if (shift > 0) @compileError("not it");\n    return sum + shift;')
    found = Variants(variants(source, shift=(0, 1, 2))).found

    assert [type(item) for item in found] == [type(None), CompileError, CompileError]


@pytest.mark.usefixtures("zig_there")
def test_a_variant_that_offers_something_else_is_built_alone() -> None:
    source = KERNEL + "pub const more = if (shift == 1) struct {\n    pub fn x() void {}\n}.x else 3;\n"
    found = Variants(variants(source, shift=(0, 1, 2))).found

    assert [type(item) for item in found] == [Artifact, type(None), Artifact]


@pytest.mark.usefixtures("zig_there")
def test_what_needs_the_compilers_own_runtime_gets_it() -> None:
    source = "const by = 3; // o: 3 5 7\npub fn part(a: u64, b: u64) u64 {\n"
    source += "    return @truncate(((@as(u128, a) << 64) / (b + 1)) / by);\n}\n"
    built = Variants(variants(source, by=(3, 5, 7)))
    for by, artifact in zip((3, 5, 7), built.found, strict=True):
        assert isinstance(artifact, Artifact)
        assert toolchain.load(artifact).call("part", [9, 10]) == ((9 << 64) // 11 // by) & ((1 << 64) - 1)


@pytest.mark.usefixtures("zig_there")
def test_the_files_go_with_the_object() -> None:
    built = Variants(variants(KERNEL, lanes=(1, 2)))
    paths = [Path(item.path) for item in built.found if isinstance(item, Artifact)]
    assert all(path.is_file() for path in paths)
    del built

    assert not any(path.exists() for path in paths)
