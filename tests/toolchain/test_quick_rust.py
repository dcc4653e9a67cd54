"""An edited Rust cell serves not optimised, and optimised soon after, under the rules of Zig's."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from project_o.errors import CompileError, NativePanic
from project_o.flow import Flow

sys.path.insert(0, str(Path(__file__).parent))
from quick_cells import NUMBERS, ROW, cell, tier, wait_until

DOT = """/// The dot product, and a number.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {{
    let last = a[b.len() - 1];
    a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>() + {number} as f32 + last * 0.0
}}
"""


def test_an_edit_serves_at_once_and_optimised_soon_after(rust_there: str, slow_optimised: threading.Event) -> None:
    number = next(NUMBERS)
    module = cell(Flow(), DOT.format(number=number), language="rust")
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
        cell(Flow(), "pub fn f() -> i32 {\n    missing\n}\npub fn g() -> i32 {\n    other\n}\n", language="rust")
    assert [(item.line, item.column) for item in caught.value.diagnostics] == [(3, 5), (6, 5)]


def test_what_a_cell_keeps_is_never_lost(rust_there: str) -> None:
    number = next(NUMBERS)
    source = f"use std::sync::atomic::{{AtomicI64, Ordering}};\nstatic N: AtomicI64 = AtomicI64::new({number});\n"
    module = cell(
        Flow(), source + "pub fn step() -> i64 {\n    N.fetch_add(1, Ordering::Relaxed) + 1\n}\n", language="rust"
    )
    build = module.slot.version.artifact.key

    assert tier(module) == "optimised"
    assert [module.step() for _ in range(3)] == [number + 1, number + 2, number + 3]
    time.sleep(0.2)
    assert module.slot.version.artifact.key == build


def test_an_unchanged_cell_comes_optimised_from_the_cache(rust_there: str) -> None:
    source = DOT.format(number=next(NUMBERS))
    module = cell(Flow(), source, language="rust")
    wait_until(lambda: tier(module) == "optimised")

    assert tier(cell(Flow(), source, language="rust")) == "optimised"
