"""What was measured is what is kept: a build that is another at its second measurement is not accepted."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from project_o.evolution import run_evolution
from project_o.evolution.bench import MeasurementFailed
from project_o.evolution.stored import Kept, stored_digest
from project_o.values import Artifact, Interface, Program

SUM = "pub fn sum(a: []const f32) f32 {\n    var total: f32 = 0;\n    for (a) |x| total += x;\n    return total;\n}\n"
FAST = """const lanes = 16; // o: 8 16
pub fn sum(a: []const f32) f32 {
    const V = @Vector(lanes, f32);
    var sums: V = @splat(0);
    var k: usize = 0;
    while (k + lanes <= a.len) : (k += lanes) sums += @as(V, a[k..][0..lanes].*);
    var total: f32 = @reduce(.Add, sums);
    while (k < a.len) : (k += 1) total += a[k];
    return total;
}
"""
X = np.arange(4096, dtype=np.float32) % 7


def artifact(path: Path | str, source: str = "x") -> Artifact:
    program = Program("p", "zig", (("cell.zig", source),))
    return Artifact(program, "key", str(path), Interface(()), "zig", (), 4, 0.0, False)


def test_the_digest_is_that_of_the_bytes_as_they_lie_there(tmp_path: Path) -> None:
    path = tmp_path / "lib.so"
    path.write_bytes(b"code")

    assert stored_digest(artifact(path)) == hashlib.sha256(b"code").hexdigest()
    assert stored_digest(artifact("", "a")) != stored_digest(artifact("", "b")), "without a build its files count"


def test_another_build_under_the_same_key_is_noticed(tmp_path: Path) -> None:
    path, kept = tmp_path / "lib.so", Kept()
    path.write_bytes(b"code")
    first = kept.same(artifact(path))

    assert kept.same(artifact(path)) == first
    path.write_bytes(b"other")
    with pytest.raises(MeasurementFailed, match="its stored build has changed since it was measured"):
        kept.same(artifact(path))


def test_a_build_that_is_gone_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(MeasurementFailed, match="cannot be read back"):
        stored_digest(artifact(tmp_path / "none.so"))


@pytest.mark.measured
def test_an_accepted_verdict_names_the_bytes_it_was_reached_with(make_task: Any) -> None:
    task = make_task(FAST.replace("lanes = 16; // o: 8 16", "lanes = 1; // o: 1 16"), inputs=(X,))
    run = run_evolution(task, trials=2)

    assert run.verdict.accepted, run.verdict.reasons
    best = task.build(run.best)
    assert run.verdict.confirmation is not None
    assert run.verdict.confirmation.stored == stored_digest(best)
    assert all(item.stored == stored_digest(best) for item in run.verdict.measurements[:1])


def test_a_build_that_is_swapped_before_its_confirmation_is_not_accepted(make_task: Any, tmp_path: Path) -> None:
    """The fast library is measured; before the second measurement another one lies under its name."""
    task = make_task(FAST.replace("lanes = 16; // o: 8 16", "lanes = 1; // o: 1 16"), inputs=(X,))
    honest, slow = task.build, task.build(task.program)
    built: dict[str, int] = {}

    def swapping(program: Any) -> Artifact:
        found = honest(program)
        if program.digest == task.program.digest:
            return found
        copy = tmp_path / f"{found.key}.so"
        built[found.key] = built.get(found.key, 0) + 1
        if not copy.exists():
            shutil.copy(found.path, copy)
        if built[found.key] == 3:  # screened, measured, and now to be confirmed
            copy.unlink()
            shutil.copy(slow.path, copy)
        return dataclasses.replace(found, path=str(copy))

    run = run_evolution(dataclasses.replace(task, build=swapping), trials=2)

    assert max(built.values()) >= 3
    assert not run.verdict.accepted
    assert "its stored build has changed since it was measured" in run.verdict.reasons[-1]
