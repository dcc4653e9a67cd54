"""Back to what served at a state: in one call, soon, and also where its build is lost or comes out different."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from project_o import toolchain
from project_o.deploy.handles import is_provisional
from project_o.flow import Flow
from project_o.history import CellRun, open_history

CELL = "pub fn answer() i32 {{\n    return {number};\n}}\n"


def settled(module):
    """What serves is the build that stays, and not the quick one of an edit."""
    deadline = time.monotonic() + 60
    while is_provisional(module.slot.version):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def own_builds(tmp_path, monkeypatch, own_cache):
    """A cache that the test may empty."""
    monkeypatch.setenv("PROJECT_O_CACHE", own_cache(tmp_path / "builds"))


@pytest.fixture
def served(tmp_path):
    """A flow with a history, its module, and the states at which 1, 2 and 3 were the answer."""
    history = open_history(tmp_path / "book", "n.ipynb")
    flow, states = Flow(history), {}
    for number in (1, 2, 3):
        module = flow.cell(CELL.format(number=number), "zig", "work")
        assert module.answer() == number
        settled(module)
        history.record(CellRun("cell", CELL.format(number=number)))
        history.flush()
        states[number] = history.states(1)[0].id
    yield flow, module, states
    history.close()


@pytest.mark.measured
def test_back_and_forth_within_a_second(served):
    flow, module, states = served
    took = []
    for number in (1, 3, 2, 1):
        began = time.perf_counter()
        deployment = flow.rollback("work", states[number])
        took.append(time.perf_counter() - began)
        assert module.answer() == number
        assert deployment.origin == "rollback"
    assert sorted(took)[1] < 1.0


def test_a_build_that_is_lost_is_made_again(own_builds, served):
    flow, module, states = served
    assert toolchain.clear() > 0

    flow.rollback("work", states[1])

    assert module.answer() == 1
    assert "library" not in dict(flow.history.states(1)[0].facts), "the same text, the same library"


def test_a_library_that_comes_out_different_is_said(served, monkeypatch):
    flow, module, states = served
    found = flow.releases.candidates.served_at

    def another(name, text):
        release, state = found(name, text)
        return replace(release, library="f" * 64), state

    monkeypatch.setattr(flow.releases.candidates, "served_at", another)
    flow.rollback("work", states[2])

    assert module.answer() == 2
    assert dict(flow.history.states(1)[0].facts)["library"].startswith("built again: ffffffffffff then, ")


def test_a_call_under_way_ends_on_the_version_it_began_with(tmp_path):
    flow = Flow(open_history(tmp_path, "n.ipynb"))
    slow = "pub fn spin(turns: u64) u64 {{\n    var x: u64 = {number};\n    var i: u64 = 0;\n"
    slow += "    while (i < turns) : (i += 1) x = (x *% 31) | 1;\n    return {number} + 0 * x;\n}}\n"
    module = flow.cell(slow.format(number=1), "zig", "work")
    assert module.spin(1) == 1
    answers, begun = [], threading.Event()

    def call():
        begun.set()
        answers.append(module.spin(400_000_000))

    caller = threading.Thread(target=call)
    caller.start()
    begun.wait()
    time.sleep(0.3)
    flow.cell(slow.format(number=2), "zig", "work")
    assert module.spin(1) == 2
    caller.join()
    assert answers == [1]
    flow.history.close()


def test_what_is_not_tried_again_outlives_going_back_to_a_state_before_it(served, tmp_path):
    flow, _, states = served
    program = flow.registry.releases("work")[-1].program
    flow.releases.rollback("work", reason="it is slower", learned=program)
    assert flow.restore(states[1])["serving again"] == "work"
    flow.history.record(CellRun("cell", "pass"))
    flow.history.flush()
    flow.history.close()

    again = Flow(open_history(tmp_path / "book", "n.ipynb"))

    assert again.releases.lessons.knows("work", program)
    again.history.close()
