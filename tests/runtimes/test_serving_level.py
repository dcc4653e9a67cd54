"""Where a new text may serve in the kernel: only from sandbox level L2 on, unless the user says so by name."""

from dataclasses import replace

import pytest

from project_o.errors import DeployError
from project_o.flow import Flow
from project_o.values import Verdict

CELL = """pub fn scale(x: i64) i64 {
    const factor = 2; // o: 2 3
    return x * factor;
}
"""
NEW = CELL.replace("return x * factor", "return factor * x")


@pytest.fixture
def flow():
    return Flow()


class Judged:
    """A run whose verdict was reached at a level of the test's choice."""

    def __init__(self, program, level):
        self.program, self.state, self.headline = program, None, "better"
        self.best = program.with_source(NEW, program.parameters)
        self.verdict = Verdict(accepted=True, reasons=("accepted",), level=level)

    def facts(self):
        return {}


def serving(flow):
    module = flow.cell(CELL, "zig", "scaler")
    return module, flow.registry.releases("scaler")[-1].program


@pytest.mark.parametrize("level", ["L0", "L1"])
def test_native_code_that_was_judged_below_l2_does_not_serve(flow, level):
    module, program = serving(flow)

    with pytest.raises(DeployError, match=f"this was {level}.*serve_unsandboxed"):
        flow.accept(Judged(program, level))

    assert flow.serving("scaler")[0].digest == program.digest
    assert module.scale(4) == 8


def test_it_serves_where_the_user_takes_the_risk_by_name(flow):
    _, program = serving(flow)
    flow.unsandboxed = lambda: True

    assert flow.accept(Judged(program, "L1")).level == "L1"


@pytest.mark.parametrize("level", ["L2", "L3"])
def test_the_level_is_kept_with_what_was_accepted_and_outlives_the_kernel(flow, level):
    _, program = serving(flow)
    assert flow.accept(Judged(program, level)).level == level

    later = Flow()
    later.registry.remember(flow.registry.ledger()["deployments.json"])
    assert later.registry.waiting()[0].level == level
    later.cell(CELL, "zig", "scaler")
    assert "factor * x" in later.registry.releases("scaler")[-1].program.source


def test_settings_of_the_users_own_text_need_no_level(flow):
    module, program = serving(flow)
    run = Judged(program, "L0")
    run.best = program.with_source(CELL.replace("factor = 2", "factor = 3"), program.parameters)
    run.best = replace(run.best, parameters=tuple(replace(item, value=3) for item in program.parameters))

    flow.accept(run)
    assert module.scale(4) == 12


def test_in_a_later_kernel_the_cells_own_text_serves_instead_and_says_why(flow):
    _, program = serving(flow)
    flow.unsandboxed = lambda: True
    flow.accept(Judged(program, "L1"))

    later = Flow()
    later.registry.remember(flow.registry.ledger()["deployments.json"])
    module = later.cell(CELL, "zig", "scaler")

    assert later.registry.releases("scaler")[-1].program.source == CELL
    assert "this was L1" in later.registry.slot("scaler").note
    assert module.scale(4) == 8
