"""Two versions at work beside each other: who answers what, on which arguments, and what is never lost."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from project_o import limits
from project_o.deploy import NativeFunction, PythonFunction, Registry
from project_o.deploy.canaries import Canaries
from project_o.deploy.canary import Canary
from project_o.deploy.handles import Slot
from project_o.deploy.plan import Plan
from project_o.deploy.registry import Release
from project_o.errors import DeployError, InterfaceError, NativeFault, NativePanic
from project_o.values import Interface, NativeType, Program
from project_o.values import NativeFunction as Signature

F64 = NativeType("float", bits=64)
READ = NativeType("slice", const=True, child=F64)
WRITTEN = NativeType("slice", child=F64)
SIGNATURE = Signature("scale", (("xs", READ), ("out", WRITTEN)), F64)
MIXED = Plan(share=0.5, calls=1_000_000)


class Version:
    """A native version that does what a Python function says; real builds are tested in a real kernel."""

    def __init__(self, does, signature=SIGNATURE, text="v"):
        self.does, self.calls = does, 0
        program = Program("scale", "zig", (("cell.zig", text),))
        self.artifact = SimpleNamespace(program=program, interface=Interface((signature,)), path="")

    def call(self, name, args):
        self.calls += 1
        return self.does(*args)


def equal(expected, given):
    return "" if np.array_equal(expected, given) else f"returned {given} instead of {expected}"


def beside(old, new, plan=MIXED, **options):
    decided = []
    canary = Canary(old, new, plan, differ=equal, decided=lambda _, found: decided.append(found), **options)
    return canary, decided


def doubled(xs, out):
    out[:] = 2 * xs
    return float(out.sum())


def test_the_calls_are_split_by_the_share_and_all_answered(monkeypatch):
    monkeypatch.setattr(limits, "CANARY_SLOWER", 1e9)  # whatever the machine does meanwhile, nothing is decided
    old, new = Version(doubled), Version(doubled)
    canary, _ = beside(old, new, Plan(share=0.1, calls=1_000_000))
    xs, out = np.arange(3.0), np.zeros(3)
    for _ in range(1_000):
        assert canary.call("scale", (xs, out)) == 6.0

    assert old.calls + new.calls == 1_000
    assert 60 <= new.calls <= 140


def broken(error):
    def does(xs, out):
        out[:] = -1.0  # half written
        raise error

    return does


@pytest.mark.parametrize("error", [NativeFault("segv"), NativePanic("bounds"), ValueError("x")])
def test_a_call_that_the_new_version_cannot_answer_is_answered_by_the_old_one_on_untouched_arguments(error):
    def checked(xs, out):
        assert out.tolist() == [7.0, 7.0, 7.0]
        return doubled(xs, out)

    old, new = Version(checked), Version(broken(error))
    canary, decided = beside(old, new)
    for _ in range(40):
        out = np.full(3, 7.0)
        assert canary.call("scale", (np.arange(3.0), out)) == 6.0
        assert out.tolist() == [0.0, 2.0, 4.0]

    assert [one.outcome for one in decided] == ["rollback"]
    crash = isinstance(error, (NativeFault, NativePanic))
    assert new.calls == 1 if crash else 3 <= new.calls <= 10
    assert canary.winner is old


def test_where_both_fail_the_old_ones_error_is_raised_and_nothing_is_decided_by_one_call():
    canary, decided = beside(Version(broken(ValueError("old"))), Version(broken(ValueError("new"))))
    for _ in range(6):
        with pytest.raises(ValueError, match="old") as raised:
            canary.call("scale", (np.arange(3.0), np.zeros(3)))
        assert raised.value.__context__ is None

    assert decided == []


def test_arguments_that_do_not_fit_are_nobodys_failure():
    canary, _ = beside(Version(broken(InterfaceError("no"))), Version(broken(InterfaceError("no"))))
    for _ in range(20):
        with pytest.raises(InterfaceError):
            canary.call("scale", (np.arange(3.0), np.zeros(3)))

    assert canary.evidence.errors_new == canary.evidence.errors_old == 0


def test_ctrl_c_is_nobodys_failure():
    canary, _ = beside(Version(broken(KeyboardInterrupt())), Version(broken(KeyboardInterrupt())))
    with pytest.raises(KeyboardInterrupt):
        canary.call("scale", (np.arange(3.0), np.zeros(3)))
    assert canary.evidence.errors_new == canary.evidence.errors_old == 0


def test_a_call_whose_arguments_cannot_be_copied_is_kept_from_the_new_version(monkeypatch):
    monkeypatch.setattr("project_o.limits.CANARY_COPY_BYTES_MAX", 1_000)
    old, new = Version(doubled), Version(broken(NativeFault("segv")))
    canary, decided = beside(old, new, Plan(share=0.5, calls=50))
    for _ in range(400):
        canary.call("scale", (np.arange(1_000.0), np.zeros(1_000)))

    assert new.calls == 0
    assert [one.outcome for one in decided] == ["rollback"]
    assert "no call could be given to it" in decided[0].reason


def test_in_the_shadow_the_old_version_answers_and_the_new_one_touches_nothing():
    seen = []

    def late(xs, out):
        seen.append(out.copy())
        return doubled(xs, out)

    old, new = Version(doubled), Version(late)
    canary, decided = beside(old, new, Plan(share=0.5, shadow=True, calls=1_000_000))
    for number in range(40):
        out = np.full(3, float(number))
        assert canary.call("scale", (np.arange(3.0), out)) == 6.0
        assert out.tolist() == [0.0, 2.0, 4.0]

    assert old.calls == 40
    assert 5 <= new.calls <= 35
    assert all(len(set(one.tolist())) == 1 for one in seen), "it always saw the arguments as they were"
    assert all("differ" not in one.reason for one in decided)


@pytest.mark.parametrize(
    ("does", "why"),
    [
        (lambda xs, out: 7.0, "answers differ"),
        (lambda xs, out: doubled(xs, np.zeros(3)), "answers differ"),
        (broken(NativeFault("segv")), "ended a call"),
    ],
    ids=["another answer", "another array", "a crash"],
)
def test_in_the_shadow_what_differs_is_taken_back_and_costs_no_call(does, why):
    canary, decided = beside(Version(doubled), Version(does), Plan(share=0.5, shadow=True))
    for _ in range(40):
        assert canary.call("scale", (np.arange(3.0), np.full(3, 5.0))) == 6.0

    assert [one.outcome for one in decided] == ["rollback"]
    assert why in decided[0].reason


def test_a_call_from_inside_a_call_stays_on_its_side():
    sides = []

    def on(side):
        def does(xs, out):
            sides.append(side)
            return canary.call("inner", (xs, out)) if len(sides) % 2 else 0.0

        return does

    canary, _ = beside(Version(on("old")), Version(on("new")))
    for _ in range(30):
        canary.call("scale", (np.arange(3.0), np.zeros(3)))

    pairs = list(zip(sides[::2], sides[1::2], strict=True))
    assert {a == b for a, b in pairs} == {True}
    assert {a for a, _ in pairs} == {"old", "new"}


def test_time_is_the_outer_bound_also_where_little_is_called():
    now = [0.0]
    canary, decided = beside(Version(doubled), Version(doubled), Plan(seconds=300), clock=lambda: now[0])
    canary.call("scale", (np.arange(3.0), np.zeros(3)))
    for expected in (1, 2, 3):
        now[0] += 10_000  # a night: one extension, however long
        canary.look()
        assert canary.extensions == expected
    now[0] += 299
    canary.look()
    assert decided == []
    now[0] += 2
    canary.look()
    assert [(one.outcome, one.shown) for one in decided] == [("rollback", False)]


def test_threads_may_call_while_it_is_decided():
    new = Version(lambda xs, out: 6.0)
    canary, decided = beside(Version(doubled), new, Plan(share=0.5, calls=200))
    wrong = []

    def call():
        for _ in range(300):
            if canary.call("scale", (np.arange(3.0), np.zeros(3))) != 6.0:
                wrong.append(1)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert wrong == []
    assert len(decided) <= 1


# ------------------------------------------------------------------------------------ names


def release(text, level="L2"):
    return Release(Program("scale", "zig", (("cell.zig", text),)), "canary", 0.0, level=level)


@pytest.fixture
def served():
    """A registry whose versions do what their text says, the canaries of it, and a handle."""
    does = {"old": doubled, "new": doubled, "bad": broken(NativeFault("segv")), "other": doubled}
    registry = Registry(lambda item, _cell: Version(does[item.program.source], text=item.program.source))
    canaries = Canaries(registry, equal)
    slot, _ = registry.serve_cell(Program("scale", "zig", (("cell.zig", "old"),)))
    return SimpleNamespace(registry=registry, canaries=canaries, slot=slot, scale=NativeFunction(slot, "scale"))


def call(served, times=1):
    for _ in range(times):
        assert served.scale(np.arange(3.0), np.zeros(3)) == 6.0


def test_a_reference_taken_before_follows_canary_promotion_and_rollback(served):
    call(served)
    served.canaries.begin(release("new"), MIXED)
    call(served, 20)
    assert served.registry.current("scale").digest == release("old").program.digest
    (beside_it,) = served.canaries.deployments()
    assert (beside_it.share, beside_it.origin) == (0.5, "canary")

    ended = served.canaries.end("scale", promoted=True, reason="by hand")

    assert ended.decision.outcome == "promote"
    assert served.registry.current("scale").digest == release("new").program.digest
    assert served.slot.version.artifact.program.source == "new"
    call(served)
    served.registry.rollback("scale")
    assert served.slot.version.artifact.program.source == "old"
    call(served)


def test_a_crash_of_the_new_version_costs_no_call_and_ends_it(served):
    served.canaries.begin(release("bad"), MIXED)
    call(served, 30)

    (ended,) = served.canaries.take_ended()
    assert ended.decision.outcome == "rollback"
    assert served.slot.version.artifact.program.source == "old"
    assert served.canaries.running() == ()


def test_only_one_at_a_time_and_only_what_is_new_and_fits(served):
    with pytest.raises(DeployError, match="nothing to compare"):
        served.canaries.begin(release("old"), MIXED)
    served.canaries.begin(release("new"), MIXED)
    with pytest.raises(DeployError, match="under way"):
        served.canaries.begin(release("other"), MIXED)
    served.canaries.end("scale", promoted=False, reason="by hand")
    with pytest.raises(DeployError, match="no canary"):
        served.canaries.end("scale", promoted=False, reason="by hand")
    wide = Version(doubled, Signature("scale", (("xs", READ),), F64), "wide")
    served.registry._open = lambda item, cell: wide
    with pytest.raises(DeployError, match="another interface"):
        served.canaries.begin(release("wide"), MIXED)


def test_running_the_unchanged_cell_again_leaves_the_canary_and_an_edit_ends_it(served):
    served.canaries.begin(release("new"), MIXED)
    canary = served.slot.version
    served.registry.serve_cell(Program("scale", "zig", (("cell.zig", "old"),)))
    assert served.slot.version is canary

    served.registry.serve_cell(Program("scale", "zig", (("cell.zig", "other"),)))

    assert served.slot.version.artifact.program.source == "other"
    (ended,) = served.canaries.take_ended()
    assert ended.decision.outcome == "rollback"
    assert not ended.decision.shown


def test_the_next_kernel_goes_on_where_this_one_ended(served):
    served.canaries.begin(release("new"), Plan(share=0.5, calls=1_000_000, seed=9))
    call(served, 60)
    text, known = served.canaries.to_json(), served.canaries.of("scale").canary.evidence.to_json()

    registry = Registry(lambda item, _cell: Version(doubled, text=item.program.source))
    canaries = Canaries(registry, equal)
    canaries.remember([text])
    registry.serve_cell(Program("scale", "zig", (("cell.zig", "old"),)))
    resumed = canaries.resume("scale")

    assert resumed.canary.evidence.to_json() == known
    assert resumed.plan.seed == 9
    assert canaries.resume("scale") is None


def test_a_metric_that_the_next_kernel_lacks_is_waited_for_until_the_time_is_over(served):
    served.canaries.begin(release("new"), Plan(share=0.5, calls=40, seed=9), {"worth": lambda answer, *_: answer})
    call(served, 10)
    text, user, clock = served.canaries.to_json(), {}, SimpleNamespace(now=0.0)
    registry = Registry(lambda item, _cell: Version(doubled, text=item.program.source))
    canaries = Canaries(registry, equal, lambda: clock.now, find=user.get)
    canaries.remember([text])
    slot, _ = registry.serve_cell(Program("scale", "zig", (("cell.zig", "old"),)))
    canary = canaries.resume("scale").canary
    known = canary.evidence.calls

    assert canary.waits_for == ("worth",)
    for _ in range(1_000):
        slot.version.call("scale", (np.arange(3.0), np.zeros(3)))
    assert (canary.evidence.calls, canary.new.calls) == (known, 0)
    assert canaries.to_json(), "and it would go on in a third kernel"
    user["worth"] = lambda answer, *_: answer
    slot.version.call("scale", (np.arange(3.0), np.zeros(3)))
    assert (canary.evidence.calls, canary.waits_for) == (known + 1, ())
    del user["worth"]
    canaries.remember([text])
    for _ in range(1 + limits.CANARY_EXTENSIONS):
        clock.now += 301
        canaries.look()
    (ended,) = canaries.take_ended()
    assert ended.decision.outcome == "rollback"


def test_the_next_kernel_begins_no_canary_against_another_version(served):
    served.canaries.begin(release("new"), MIXED)
    text = served.canaries.to_json()
    registry = Registry(lambda item, _cell: Version(doubled, text=item.program.source))
    canaries = Canaries(registry, equal)
    canaries.remember([text])
    registry.serve_cell(Program("scale", "zig", (("cell.zig", "edited"),)))
    assert canaries.resume("scale") is None

    third = Canaries(registry, equal)
    third.remember([canaries.to_json(), text])
    assert third.resume("scale") is None
    assert "base" not in third.to_json(), "it is forgotten for good, whichever kernel speaks last"


@pytest.mark.parametrize("text", ["{", "{}", '{"format": 99, "canaries": {}}', '{"format": 1, "canaries": 3}'])
def test_a_damaged_record_of_canaries_is_one_clear_error(served, text):
    with pytest.raises(DeployError, match=r"canaries\.json"):
        served.canaries.remember([text])


class PythonVersion:
    """A version of a Python function."""

    def __init__(self, function):
        self.function = function
        signature = Signature(function.__name__, (("xs", NativeType("any")),), NativeType("any"))
        program = Program(function.__name__, "python", (("cell.py", function.__name__),))
        self.artifact = SimpleNamespace(program=program, interface=Interface((signature,)), path="")


def test_a_python_function_is_split_too_and_keeps_its_signature():
    def total(xs, *, bias=0):
        """Add up."""
        return sum(xs) + bias

    def better(xs, *, bias=0):
        xs.append(1_000)
        raise RuntimeError("half done")

    canary, decided = beside(PythonVersion(total), PythonVersion(better))
    handle = PythonFunction(Slot("total", canary), total)
    for _ in range(40):
        xs = [1, 2, 3]
        assert handle(xs, bias=4) == 10
        assert xs == [1, 2, 3]

    assert str(handle.__signature__) == "(xs, *, bias=0)"
    assert [one.outcome for one in decided] == ["rollback"]
    assert "RuntimeError: half done" in decided[0].reason
