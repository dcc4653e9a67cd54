"""Sampling, suspicion, and what is made of it: what serves is held against its own past and the version before it."""

from __future__ import annotations

import gc
import random
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from project_o import limits
from project_o.deploy import NativeFunction, PythonFunction, Registry
from project_o.deploy.canaries import Canaries
from project_o.deploy.handles import Slot
from project_o.deploy.health import Signs
from project_o.deploy.leak import growth, leak
from project_o.deploy.plan import Plan
from project_o.deploy.registry import Release
from project_o.deploy.sampling import Sampled, plain
from project_o.errors import NativeFault, NativePanic
from project_o.limits import HEALTH_CALLS, SAMPLED_CALLS
from project_o.observe.metrics import Metrics
from project_o.releases import Releases
from project_o.releases.health import Health
from project_o.values import Interface, NativeType, Program
from project_o.values import NativeFunction as Signature

F64 = NativeType("float", bits=64)
SIGNATURE = Signature("total", (("xs", NativeType("slice", const=True, child=F64)),), F64)


class Version:
    def __init__(self, does, text):
        self.does, self.calls = does, 0
        program = Program("total", "zig", (("cell.zig", text),))
        self.artifact = SimpleNamespace(program=program, interface=Interface((SIGNATURE,)), path="")

    def call(self, name, args):
        self.calls += 1
        return self.does(*args)


def program(text):
    return Program("total", "zig", (("cell.zig", text),))


@pytest.fixture
def served():
    """A registry in which the text "cell" was served and "evolved" was accepted."""
    does = {"cell": lambda xs: float(xs.sum()), "evolved": lambda xs: float(xs.sum())}

    def opened(release, _cell):
        text = release.program.source

        def total(xs):
            return does[text](xs)

        return Version(total, text)

    registry = Registry(opened)
    slot, _ = registry.serve_cell(program("cell"))
    canaries = Canaries(registry, lambda a, b: "" if a == b else "differs")
    registry.accept(program("evolved"))
    health = Health(registry, Metrics(lambda: ""))
    return SimpleNamespace(
        registry=registry, slot=slot, canaries=canaries, health=health, does=does, total=NativeFunction(slot, "total")
    )


def test_a_few_calls_are_timed_and_the_place_is_given_back(served):
    serving = served.slot.version
    served.health.arm()
    assert isinstance(served.slot.version, Sampled)
    assert plain(served.slot.version) is serving
    for _ in range(SAMPLED_CALLS + 5):
        assert served.total(np.ones(4)) == 4.0

    assert served.slot.version is serving
    found = list(served.health._metrics._buffer)
    assert len(found) == SAMPLED_CALLS
    assert {row[1] for row in found} == {"total"}


def test_a_swap_while_calls_are_timed_is_not_undone(served):
    served.health.arm()
    served.total(np.ones(4))
    served.registry.rollback("total")
    for _ in range(SAMPLED_CALLS * 2):
        served.total(np.ones(4))
    assert served.slot.version.artifact.program.source == "cell"


def test_a_canary_is_not_timed_twice_and_begins_over_a_timed_version(served):
    served.health.arm()
    release = Release(program("new"), "canary", 0.0, level="L2")
    served.does["new"] = served.does["cell"]
    running = served.canaries.begin(release, Plan(share=0.5))
    assert running.canary.old.artifact.program.source == "evolved"
    assert not isinstance(running.canary.old, Sampled)
    served.health.arm()
    assert served.slot.version is running.canary


def test_a_python_function_is_timed_as_well():
    def double(x, *, by=2):
        return x * by

    version = SimpleNamespace(function=double, artifact=SimpleNamespace(program=program("p"), interface=Interface(())))
    seen = []
    slot = Slot("double", version)
    slot.version = Sampled(version, lambda *row: seen.append(row), lambda _: setattr(slot, "version", version))
    handle = PythonFunction(slot, double)
    assert [handle(3, by=k) for k in range(SAMPLED_CALLS + 2)] == [3 * k for k in range(SAMPLED_CALLS + 2)]
    assert len(seen) == SAMPLED_CALLS
    assert slot.version is version
    assert str(handle.__signature__) == "(x, *, by=2)"


def test_a_failing_call_is_a_sample_too(served):
    served.does["evolved"] = lambda xs: (_ for _ in ()).throw(NativePanic("bounds"))
    served.health.arm()
    for _ in range(3):
        with pytest.raises(NativePanic):
            served.total(np.ones(4))
    assert [row[5] for row in served.health._metrics._buffer] == [True] * 3


# ------------------------------------------------------------------------------------ suspicion


def signs_of(times, chance, failing=0.0):
    signs = Signs()
    for seconds in times:
        signs.call("f", seconds * chance.lognormvariate(0, 0.2), chance.random() < failing, 5)
    return signs


def test_what_is_as_it_was_is_not_suspected():
    for seed in range(50):
        chance = random.Random(seed)
        assert signs_of([1e-6] * 400, chance, failing=0.02).suspicion() == ""
        assert signs_of([1e-6] * 100 + [1.3e-6] * 100, chance).suspicion() == "", "a third is not worth a look"


def test_what_became_three_times_as_slow_is_suspected_and_then_judged_anew():
    for seed in range(20):
        signs = signs_of([1e-6] * 100 + [3e-6] * HEALTH_CALLS, random.Random(seed))
        assert "f takes" in signs.suspicion()
        signs.forget_recent()
        assert signs.suspicion() == ""


def test_what_fails_now_and_did_not_before_is_suspected():
    chance = random.Random(1)
    signs = signs_of([1e-6] * 200, chance)
    for _ in range(40):
        signs.call("f", 1e-6, chance.random() < 0.4, 5)
    assert "sampled calls failed" in signs.suspicion()


def test_the_past_of_earlier_kernels_counts():
    signs = Signs()
    signs.known([("f", 1e-6, False, 5)] * HEALTH_CALLS)
    for _ in range(HEALTH_CALLS):
        signs.call("f", 4e-6, False, 5)
    assert "took 1 us" in signs.suspicion()


def test_other_arguments_are_another_matter():
    signs = Signs()
    for _ in range(HEALTH_CALLS):
        signs.call("f", 1e-6, False, 5)
    for _ in range(3 * HEALTH_CALLS):
        signs.call("f", 9e-6, False, 9)
    assert signs.suspicion() == ""


# ------------------------------------------------------------------------------------ doubt


def test_a_doubted_version_that_is_slower_than_the_one_before_is_taken_back(served):
    def slow(xs):
        time.sleep(0.0004)
        return float(xs.sum())

    served.does["evolved"] = slow
    running = served.canaries.doubt("total", "total takes 400 us, and took 4 us")
    assert running.suspicion
    for _ in range(120):
        assert served.total(np.ones(4)) == 4.0

    (ended,) = served.canaries.take_ended()
    assert ended.decision.outcome == "rollback"
    assert ended.decision.shown
    assert served.slot.version.artifact.program.source == "cell"
    assert served.registry.current("total").origin == "rollback"


def test_a_doubted_version_that_is_as_good_goes_on_serving(served):
    served.canaries.doubt("total", "busy machine")
    served.canaries.of("total").canary.plan = Plan(share=0.5, calls=20)
    for _ in range(400):
        served.total(np.ones(4))
    ended = served.canaries.take_ended()
    assert len(ended) <= 1
    served.canaries._displaced("total")
    assert plain(served.slot.version).artifact.program.source in ("evolved",) or ended == []
    assert served.registry.current("total").digest == program("evolved").digest


def test_a_doubted_version_costs_no_call_that_the_one_before_answers(served):
    served.does["evolved"] = lambda xs: (_ for _ in ()).throw(NativePanic("bounds"))
    served.canaries.doubt("total", "it raised NativePanic: bounds")
    for _ in range(20):
        assert served.total(np.ones(4)) == 4.0
    assert served.slot.version.artifact.program.source == "cell"


def test_only_what_was_accepted_over_something_else_is_suspected(served):
    fault = NativeFault("total, line 3: SIGSEGV", function="total")
    name, why, enough = served.health.suspect_of(fault)
    assert (name, enough) == ("total", True)
    assert "SIGSEGV" in why
    assert served.health.suspect_of(NativePanic("bounds", function="total"))[2] is False
    assert served.health.suspect_of(NativePanic("bounds", function="total")) is None, "not again at once"
    served.registry.rollback("total")
    assert served.health.suspect_of(fault) is None, "the text of the cell is the user's own"
    assert served.health.suspect_of(ValueError("of somebody else's")) is None
    assert served.health.suspect_of(NativeFault("x", function="unknown")) is None


# ------------------------------------------------------------------------------------ memory

KEPT = []


def test_calls_that_keep_memory_are_found_in_a_copy_and_the_copy_alone_grows():
    def keeps():
        KEPT.append(np.ones(200_000))

    def drops():
        return np.ones(200_000)

    assert growth(keeps) > 1_000_000
    assert growth(drops) < 200_000
    assert KEPT == []
    assert "keeps" in leak(drops, keeps)
    assert leak(drops, drops) == ""
    assert leak(keeps, keeps) == "", "no more than before it"


def test_what_is_kept_is_found_where_much_memory_is_free():
    """As in a kernel that has let go of much: the allocator keeps that, and gives of it without growing."""
    np.ones(3_000_000)  # from its end on the allocator takes blocks of this size from its own memory
    many = [np.ones(200_000) for _ in range(60)]
    last = np.ones(200_000)  # what lies before it cannot go back by itself
    del many

    assert growth(lambda: KEPT.append(np.ones(200_000))) > 1_000_000
    assert last.size == 200_000


def test_a_call_that_does_not_return_is_given_up(monkeypatch):
    monkeypatch.setattr("project_o.limits.HEALTH_LEAK_SECONDS", 0.3)
    began = time.monotonic()
    assert growth(lambda: time.sleep(60)) is None
    assert time.monotonic() - began < 40


def test_growth_that_goes_on_is_seen():
    signs = Signs()
    for _ in range(9):
        signs.grew(8 << 20)
    assert not signs.grows()
    signs.grew(8 << 20)
    assert signs.grows()
    for _ in range(5):
        signs.grew(-(8 << 20))
    assert not signs.grows()


def opened(release, _cell):
    return Version(sum, release.program.text)


def test_watching_ends_with_what_is_watched(monkeypatch):
    monkeypatch.setattr(limits, "SAMPLE_SECONDS", 0.01)
    before = set(threading.enumerate())
    health = Health(Registry(opened), Metrics(lambda: ""))
    health.start()
    (thread,) = {one for one in set(threading.enumerate()) - before if one.name == "project-o-health"}
    thread.join(0.2)
    assert thread.is_alive()

    del health
    gc.collect()
    thread.join(30)
    assert not thread.is_alive()


@pytest.fixture
def closed_store(tmp_path):
    store = tmp_path / "closed" / "store.git"
    store.mkdir(parents=True)
    store.parent.chmod(0)
    yield store
    store.parent.chmod(0o700)


def test_a_store_that_may_not_be_looked_into_has_no_metrics_and_ends_nothing(closed_store, ordinary_user):
    history = SimpleNamespace(enabled=True, store=str(closed_store))
    releases = Releases(Registry(opened), history, bind=print, allow=bool, reach=print)
    releases.health.tick()
    assert releases.metrics.flush() == 0
