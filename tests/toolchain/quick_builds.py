"""Quick builds by a desk of a test's own, loaded and called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from project_o import toolchain
from project_o.abi import interface_from_json
from project_o.toolchain.quick.desk import Built, Desk
from project_o.toolchain.recipe import recipe
from project_o.values import Artifact, Program

CELL = "pub fn value() i64 {{\n    return {number};\n}}\n"


def program(source: str, mode: Any = "safe") -> Program:
    return Program("cell", "zig", (("cell.zig", source),), mode=mode)


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
