"""Functions of arrays of structs and of rows: what is right for as many elements as the sample has is found out."""

from __future__ import annotations

import numpy as np
import pytest

from project_o import evolve, zig

TOTAL = """
pub const P = struct { x: f64, y: f64 };
pub fn total(ps: []const ELEMENT) f64 {
    const block = 1; // o: 1 4
    const whole = ps.len / block * block;
    var sum: f64 = 0;
    var i: usize = 0;
    while (i < whole) : (i += block) {
        inline for (0..block) |k| sum += ps[i + k]FIELD;
    }
    return sum;
}
"""


@pytest.mark.parametrize(("element", "field"), [("P", ".x"), ("[2]f64", "[0]")])
def test_a_candidate_that_forgets_what_is_left_of_the_elements_is_rejected(element: str, field: str) -> None:
    cell = zig(TOTAL.replace("ELEMENT", element).replace("FIELD", field), f"records_{len(element)}")
    numbers = np.stack([np.arange(64.0), np.ones(64)], axis=1)
    sample = numbers if element != "P" else numbers.reshape(-1).view(cell.P.dtype)
    assert cell.total(sample) == 2016.0

    run = evolve(cell.total, inputs=[(sample,)], trials=3, seed=1)

    assert not run.verdict.accepted
    assert [trial.status for trial in run.trials] == ["baseline", "failed"]
    assert "returned" in run.trials[1].reason
