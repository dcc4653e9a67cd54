"""An agent left alone: it sees what is worst, and what it does about it goes through the flow."""

import itertools
import linecache
import sys
import types

import pytest
from benchmarks.alone.workspace import LISP as STEPS
from benchmarks.alone.workspace import PYTHON as LONGEST

from project_o.agent.agents import Agents
from project_o.agent.improving import Improver
from project_o.errors import EvolutionError, UsageError
from project_o.flow import Flow

COUNT = """def count(values):
    found = 0
    for value in values:
        if value > 2:
            found += 1
    return found
"""
LISTS = [[], [1], [1, 2], [2, 1], [3, 3, 1, 4], [5, 1, 2, 2, 9], [1, 2, 3, 2, 3, 4, 5], [9, 8, 7], [1, 1, 1, 1]]
_cells = itertools.count()


@pytest.fixture
def space():
    made = types.ModuleType(f"improved_{next(_cells)}")
    sys.modules[made.__name__] = made
    yield made
    del sys.modules[made.__name__]


@pytest.fixture
def define(space):
    def define(text):
        file = f"<improved {next(_cells)}>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        exec(compile(text, file, "exec"), vars(space))
        return vars(space)[text.split("(")[0].removeprefix("def ")]

    return define


def cases_of(function):
    return [((values,), function(values)) for values in LISTS]


def test_the_worst_is_perceived_first_and_a_fault_weighs_more_than_noise(define):
    improver = Improver(Flow())
    longest, count = define(LONGEST), define(COUNT)
    for function in (count, longest):
        assert improver.watch(function, cases_of(function)).loss == 0.0
    improver.changed(define(LONGEST.replace(">=", ">")))

    first, second = improver.perceive()

    assert (first.name.rpartition(".")[2], first.kind) == ("longest", "failures")
    assert first.loss > 2 > second.loss
    assert "fails" in str(first)


def test_what_fails_is_repaired_serves_by_a_canary_and_is_as_it_was(define, space):
    improver = Improver(Flow())
    longest = define(LONGEST)
    improver.watch(longest, cases_of(longest))
    improver.changed(define(LONGEST.replace(">=", ">")))

    deeds = improver.improve(50, seed=1)

    assert deeds, "the fault is seen"
    assert deeds[0].hypothesis.endswith("a repair makes them pass.")
    assert "serves every call from now on" in deeds[0].outcome, str(deeds[0])
    assert space.longest([1, 1, 1, 1]) == 4
    sign = improver.perceive()[0]
    assert sign.kind != "failures" or sign.loss == 0.0
    assert improver.deeds == list(deeds)


def test_an_agent_in_lisp_that_fails_is_repaired(space):
    flow, house = Flow(), Agents(namespace=vars(space))
    improver = Improver(flow)
    steps = house.evaluate(STEPS, space, "<steps>")
    improver.watch(steps, [((str(n),), str(steps(str(n)))) for n in (1, 2, 6, 7, 9, 27)], layer="lisp")
    improver.changed(house.evaluate(STEPS.replace("(+= count 1)", "(+= count 2)"), space, "<steps again>"))

    deed, *_ = improver.improve(50, seed=1)

    assert deed.hypothesis.endswith("a repair makes them pass.")
    assert deed.recovered > 0.8, str(deed)
    assert str(steps("27")) == "111"


def test_a_repair_that_takes_longer_than_what_was_wrong_is_kept(define, space):
    """What is wrong can be quick about it: its canary is about what is right."""
    improver = Improver(Flow())
    good = (
        "def capped(values):\n    total = 0\n    for value in values:\n        total += value\n"
        "    return total if len(values) > 1 else -1\n"
    )
    capped = define(good)
    improver.watch(capped, cases_of(capped))
    improver.changed(define(good.replace("> 1 else", "> 2 else")))

    deed, *_ = improver.improve(50, seed=1)  # where others are at work, it may then look for a quicker one

    assert "serves every call from now on: right is better" in deed.outcome, str(deed)
    assert space.capped([2, 1]) == 3


def test_a_score_is_searched_for_and_the_settings_that_fit_are_taken(define, space):
    improver = Improver(Flow())
    good = "def settings():\n    width = 3  # o: 0 1 2 3 4\n    return {'width': width}\n"
    improver.watch(define(good), metric=lambda program: 10.0 - abs(3 - program()["width"]))
    improver.changed(define(good.replace("width = 3 ", "width = 0 ")))

    (deed,) = improver.improve(40, seed=1)

    assert deed.recovered == 1.0, str(deed)
    assert space.settings() == {"width": 3}


def test_what_was_tried_in_vain_is_not_tried_again_and_where_nothing_is_wrong_nothing_is_done(define):
    improver = Improver(Flow())
    fixed = "def odd(n):\n    return {}\n"
    odd = define(fixed.format("n % 2 == 1"))
    improver.watch(odd, [((n,), odd(n)) for n in range(8)])
    assert improver.improve(30) == ()
    improver.changed(define(fixed.format("'n' == 'm' + 'k'")))

    first = improver.improve(8, seed=1)
    again = improver.improve(8, seed=1)

    assert len(first) == 1
    assert first[0].recovered in (0.0, 1.0)
    assert again == () or first[0].recovered == 1.0


def test_where_nothing_may_change_itself_nothing_is_looked_into_and_what_cannot_be_meant_is_said(define):
    flow = Flow()
    improver = Improver(flow)
    count = define(COUNT)
    with pytest.raises(UsageError, match="nothing to look at"):
        improver.watch(count)
    for cases in (5, [1, 2], [((1,), 2, 3)]):
        with pytest.raises(UsageError, match="a list of pairs"):
            improver.watch(count, cases)
    with pytest.raises(UsageError, match="the arguments are a tuple"):
        improver.watch(count, [([1], 0)])
    with pytest.raises(UsageError, match="not looked after"):
        improver.changed(count)
    flow.forbidden = lambda: "evolution is off"
    with pytest.raises(EvolutionError, match="off"):
        improver.improve(5)
