"""An edited Rust cell serves not optimised, and optimised soon after, under the rules of Zig's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from project_o.deploy import NativeModule
from project_o.errors import CompileError, NativePanic
from project_o.flow import Flow
from project_o.toolchain.quick import tiers

NUMBERS = iter(range(1, 1_000_000))
DOT = """/// The dot product, and a number.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {{
    let last = a[b.len() - 1];
    a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>() + {number} as f32 + last * 0.0
}}
"""
ROW = np.arange(8, dtype=np.float32)


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


def cell(source: str) -> NativeModule:
    return Flow().cell("\n" + source, "rust", "cell")


def tier(module: NativeModule) -> str:
    return str(module.slot.version.tier)  # type: ignore[attr-defined]  # a native version


def wait_until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.005)


def test_an_edit_serves_at_once_and_optimised_soon_after(rust_there: str, slow_optimised: threading.Event) -> None:
    number = next(NUMBERS)
    module = cell(DOT.format(number=number))
    expected = float(ROW @ ROW) + number

    assert tier(module).startswith("quick")
    assert module.dot(ROW, ROW) == expected
    assert module.dot.__doc__ == "The dot product, and a number."
    with pytest.raises(NativePanic, match="dot, line 4: index out of bounds"):
        module.dot(ROW[:2].copy(), ROW)
    slow_optimised.set()
    wait_until(lambda: tier(module) == "optimised")

    assert module.dot(ROW, ROW) == expected
    assert "quick" not in " ".join(module.slot.version.artifact.flags)
    with pytest.raises(NativePanic, match="dot, line 4: index out of bounds"):
        module.dot(ROW[:2].copy(), ROW)


def test_the_cells_own_errors_come_from_whichever_build_finds_them(
    rust_there: str, slow_optimised: threading.Event
) -> None:
    with pytest.raises(CompileError) as caught:
        cell("pub fn f() -> i32 {\n    missing\n}\npub fn g() -> i32 {\n    other\n}\n")
    assert [(item.line, item.column) for item in caught.value.diagnostics] == [(3, 5), (6, 5)]


def test_what_a_cell_keeps_is_never_lost(rust_there: str) -> None:
    number = next(NUMBERS)
    source = f"use std::sync::atomic::{{AtomicI64, Ordering}};\nstatic N: AtomicI64 = AtomicI64::new({number});\n"
    module = cell(source + "pub fn step() -> i64 {\n    N.fetch_add(1, Ordering::Relaxed) + 1\n}\n")
    version = module.slot.version

    assert tier(module) == "optimised"
    assert [module.step() for _ in range(3)] == [number + 1, number + 2, number + 3]
    time.sleep(0.2)
    assert module.slot.version is version


def test_an_unchanged_cell_comes_optimised_from_the_cache(rust_there: str) -> None:
    source = DOT.format(number=next(NUMBERS))
    module = cell(source)
    wait_until(lambda: tier(module) == "optimised")

    assert tier(cell(source)) == "optimised"
