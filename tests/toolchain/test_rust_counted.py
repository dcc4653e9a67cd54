"""The lines that a Rust build reaches, from rustc's counters and its map, without any tool of LLVM's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from project_o import toolchain
from project_o.errors import ToolchainError, ToolchainMissing
from project_o.languages import tools_for
from project_o.sandbox import Sandbox
from project_o.toolchain.rust import counted
from project_o.values import Artifact

TEXT = """// what is never run
pub fn total(a: &[i64]) -> i64 {
    let mut sum = 0;
    for x in a {
        if *x > 100 {
            sum += double(*x);
        } else {
            sum += x;
        }
    }
    match a.len() {
        0 => -1,
        3 => generic(sum),
        _ => sum,
    }
}

fn double(x: i64) -> i64 {
    2 * x
}

fn generic<T>(x: T) -> T { x }

fn unused() -> i64 {
    5
}
"""
ALWAYS = {2, 3, 4, 5, 16}


@pytest.fixture(scope="module")
def build(lacking: Any) -> Any:
    try:
        toolchain.locate_rust()
    except ToolchainMissing as missing:
        lacking("rust", str(missing))
    program = tools_for("rust").program("total", TEXT)
    made = counted.with_counter(program)
    names = {name: (s.parameters, s.doc, s.line) for name, s in tools_for("rust").signatures(made.source).items()}
    return toolchain.build(made, names=names)


@pytest.fixture(scope="module")
def functions(build: Artifact) -> Any:
    return counted.read(Path(build.path).read_bytes())


def reached(build: Artifact, functions: Any, *calls: list[int]) -> tuple[set[int], set[int]]:
    with Sandbox() as box, box.native(build.path, build.interface, guard_path=toolchain.guard_path()) as job:
        for values in calls:
            assert job.ask("total", [np.array(values, np.int64)]).ok
        counts = job.ask(counted.FUNCTION, []).value
    lines, found = counted.lines(functions, [int(value) for value in counts], TEXT.count("\n"))
    return set(lines), set(found)


def test_each_line_is_reached_by_the_calls_that_run_it(build: Artifact, functions: Any) -> None:
    lines, none = reached(build, functions)
    assert none == set()
    assert lines >= {*ALWAYS, 6, 8, 12, 13, 14, 18, 19, 22, 24, 25}
    assert not lines & {1, 17, 21}
    assert not any(line > TEXT.count("\n") for line in lines), "what was put behind the text is none of it"

    assert reached(build, functions, [])[1] >= {2, 3, 4, 12}
    assert not reached(build, functions, [])[1] & {5, 6, 8, 13, 14, 19}
    assert reached(build, functions, [1, 2])[1] >= ALWAYS | {8, 14}
    assert not reached(build, functions, [1, 2])[1] & {6, 12, 13, 18, 19, 22}
    assert reached(build, functions, [1, 2], [1, 200, 3])[1] >= ALWAYS | {6, 8, 13, 14, 18, 19, 22}
    assert 25 not in reached(build, functions, [1, 2], [1, 200, 3])[1]


def test_a_build_that_counts_is_another_one_with_the_same_lines(build: Artifact) -> None:
    plain = toolchain.build(tools_for("rust").program("total", TEXT))

    assert plain.key != build.key
    assert set(build.flags) - set(plain.flags) == {"-Cinstrument-coverage"}
    with pytest.raises(counted.UnknownFormatError, match="no map of its lines"):
        counted.read(Path(plain.path).read_bytes())


def test_a_map_of_another_version_or_a_broken_one_is_said_never_guessed(build: Artifact) -> None:
    whole = Path(build.path).read_bytes()
    library = counted.Library(whole)
    covmap, covfun = (library.section(name)[1] for name in ("__llvm_covmap", "__llvm_covfun"))
    at = whole.index(covmap)
    newer = whole[: at + 12] + (20).to_bytes(4, "little") + whole[at + 16 :]
    with pytest.raises(counted.UnknownFormatError, match="version 21, which is not known here"):
        counted.read(newer)

    at = whole.index(covfun)
    rng = np.random.default_rng(1)
    for _ in range(60):
        broken = bytearray(whole)
        for place in rng.integers(0, len(covfun), 4):
            broken[at + int(place)] = int(rng.integers(256))
        try:
            for function in counted.read(bytes(broken)):
                counted.lines([function], [0] * 64, 100)
        except ToolchainError:
            continue
