"""What the tests of edited cells share: a flow, cells, what serves them, and an optimised build that waits."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from project_o.deploy import NativeModule
from project_o.flow import Flow
from project_o.toolchain.quick import desk as quick_desk
from project_o.toolchain.quick import tiers
from project_o.toolchain.recipe import recipe
from project_o.values import Program

NUMBERS = iter(range(1, 1_000_000))
DOT = """/// The dot product, and a number.
pub fn dot(a: []const f32, b: []const f32) f32 {{
    var sum: f32 = {number};
    for (a, b) |x, y| sum += x * y;
    return sum;
}}
"""
ROW = np.arange(8, dtype=np.float32)


@pytest.fixture(scope="module")
def flow(zig_there: Path) -> Flow:
    """A flow whose compiler server is at work already."""
    ready()
    return Flow()


def ready() -> None:
    """Until the compiler server answers."""
    program = Program("first", "zig", (("cell.zig", "pub fn first() void {}\n"),))
    quick_desk.desk().order(recipe(program), {}).result.result(120)


def cell(flow: Flow, source: str, name: str = "cell", **options: Any) -> NativeModule:
    return flow.cell("\n" + source, "zig", name, **options)


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


@pytest.fixture
def slow_optimised(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The optimised build comes only when the event is set."""
    gate = threading.Event()
    real = tiers.build

    def build(*args: Any, **named: Any) -> Any:
        assert gate.wait(60)
        return real(*args, **named)

    monkeypatch.setattr(tiers, "build", build)
    yield gate
    gate.set()


# ------------------------------------------------------------------------------- the swap


def commands() -> list[str]:
    """What runs for us: the command lines of this process' children."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if int((place / "stat").read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.append((place / "cmdline").read_text())
        except OSError:
            continue
    return found
