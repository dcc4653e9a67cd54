"""Cells that serve quickly: what the tests of them have in common."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from project_o.deploy import NativeModule
from project_o.flow import Flow
from project_o.toolchain.quick import desk as quick_desk
from project_o.toolchain.recipe import recipe
from project_o.values import Program

NUMBERS = iter(range(1, 1_000_000))
"""Each text is one that no cache has seen."""
DOT = """/// The dot product, and a number.
pub fn dot(a: []const f32, b: []const f32) f32 {{
    var sum: f32 = {number};
    for (a, b) |x, y| sum += x * y;
    return sum;
}}
"""
ROW = np.arange(8, dtype=np.float32)


def ready() -> None:
    """Until the compiler server answers."""
    program = Program("first", "zig", (("cell.zig", "pub fn first() void {}\n"),))
    quick_desk.desk().order(recipe(program), {}).result.result(120)


def cell(flow: Flow, source: str, name: str = "cell", language: str = "zig", **options: Any) -> NativeModule:
    return flow.cell("\n" + source, language, name, **options)


def tier(module: NativeModule) -> str:
    return str(module.slot.version.tier)  # type: ignore[attr-defined]  # a native version


def wait_until(what: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.005)


def let_come(gate: threading.Event, what: Callable[[], bool]) -> None:
    """Open the gate, and wait until it has come to that, and was told."""
    gate.set()
    wait_until(what)
    time.sleep(0.05)
