"""Variants of the user's own text are built ahead, together; what serves is built alone."""

from __future__ import annotations

import numpy as np
import pytest

from project_o.errors import CompileError
from project_o.evolving import Wishes
from project_o.flow import Flow
from project_o.languages import tools_for
from project_o.runtimes.ahead import Ahead, variants_of
from project_o.toolchain import variants as batches

KERNEL = """const lanes = 1; // o: 1 2 4 8 16
const twice = false; // o: false true

pub fn total(a: []const f32) f32 {
    var sums: @Vector(lanes, f32) = @splat(0);
    var i: usize = 0;
    while (i + lanes <= a.len) : (i += lanes) sums += a[i..][0..lanes].*;
    var sum = @reduce(.Add, sums);
    while (i < a.len) : (i += 1) sum += a[i];
    return if (twice) sum + 0 else sum;
}
"""
TOOLS = tools_for("zig")
PROGRAM = TOOLS.program("kernel", KERNEL, mode="fast")


def test_only_a_space_that_a_run_sees_most_of_is_built_ahead():
    assert len(variants_of(PROGRAM, 60)) == 10
    assert len(variants_of(PROGRAM, None)) == 10
    assert variants_of(PROGRAM, 4) == ()
    assert variants_of(TOOLS.program("k", KERNEL.replace("1 2 4 8 16", "1 2")), 60) == ()
    assert variants_of(TOOLS.program("k", KERNEL.replace("1 2 4 8 16", "1..100")), 60) == ()
    assert variants_of(TOOLS.program("k", "pub fn f() void {}\n"), None) == ()


def test_anything_but_a_variant_is_left_to_its_own_build():
    asked = []
    ahead = Ahead(variants_of(PROGRAM, None), {}, asked.append)
    other = TOOLS.with_source(PROGRAM, KERNEL.replace("sum + 0", "sum * 1"))

    ahead(other)

    assert asked == [other]


def test_the_error_of_a_variant_is_its_own():
    source = KERNEL.replace("var i: usize = 0;", 'var i: usize = if (lanes == 4) @compileError("not four") else 0;')
    program = TOOLS.program("kernel", source)
    ahead = Ahead(variants_of(program, None), {}, lambda other: pytest.fail(f"{other.name} is built alone"))

    assert ahead(program).interface.functions[0].name == "total"
    with pytest.raises(CompileError, match="line 6, column 36: not four"):
        ahead(TOOLS.with_settings(program, {"lanes": 4, "twice": True}))


@pytest.mark.measured
def test_a_run_looks_at_many_from_one_compilation_and_serves_a_build_of_its_own(monkeypatch):
    compilations, real = [], batches.run
    monkeypatch.setattr(batches, "run", lambda job: (compilations.append(job), real(job))[1])
    flow = Flow()
    module = flow.cell(KERNEL, "zig", "kernel", mode="fast")
    a = np.ones(50_000, np.float32)

    run = flow.evolve(module, trials=10, seed=1, inputs=(a,))

    assert len(compilations) == 1
    assert all(record.status != "failed" for record in run.lineage.records)
    assert run.verdict.accepted
    run.accept()
    served = module.slot.version.artifact
    assert served.program == run.best
    assert served.key == flow.build(run.best).key, "not what was measured with the others"
    assert module.total(a) == 50_000


def test_a_proposed_text_beside_the_variants_is_built_locked(monkeypatch):
    flow, asked = Flow(), []
    flow.cell(KERNEL, "zig", "kernel", mode="fast")
    monkeypatch.setattr(flow, "build", lambda program, proposed=False: asked.append((program, proposed)))
    look = flow._task("kernel", None, Wishes()).build_ahead
    proposed = TOOLS.with_source(PROGRAM, KERNEL.replace("sum + 0", "sum * 1"))

    look(proposed)
    look(TOOLS.with_settings(proposed, {"lanes": 4}))

    assert [is_proposed for _, is_proposed in asked] == [True, True]


def test_the_variants_of_a_text_that_was_proposed_are_built_one_by_one(monkeypatch):
    monkeypatch.setattr(batches, "run", lambda _job: pytest.fail("several at once"))
    flow = Flow()
    module = flow.cell(KERNEL, "zig", "kernel", mode="fast")
    proposed = TOOLS.with_source(PROGRAM, KERNEL.replace("sum + 0", "sum * 1"))
    flow.registry.accept(proposed, level="L3")

    run = flow.evolve(module, trials=3, seed=1, inputs=(np.ones(5_000, np.float32),))

    assert len(run.lineage.records) == 3
