"""What the tests of the compiler server share: one to ask, what it built, and whether a process lives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from project_o import toolchain
from project_o.abi import interface_from_json
from project_o.toolchain.quick.desk import Built, Desk
from project_o.toolchain.recipe import recipe
from project_o.values import Artifact, Program

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
