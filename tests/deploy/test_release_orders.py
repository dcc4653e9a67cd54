"""Orders in which releases can happen: between two cells, before a build is ready, in two kernels at once."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from project_o.deploy import LEDGER, Registry
from project_o.deploy.ledgers import joined
from project_o.deploy.plan import Plan
from project_o.errors import DeployError
from project_o.history import CellRun, open_history
from project_o.history.newest import at_the_ends
from project_o.releases import Releases
from project_o.values import Interface, NativeType, Program
from project_o.values import NativeFunction as Signature

F64 = NativeType("float", bits=64)
SIGNATURE = Signature("half", (("x", F64),), F64)
EVERY_OTHER = Plan(share=0.5, calls=1_000_000)
CALLS_MAX = 4_000


class Version:
    """A version that takes as long as its text says."""

    def __init__(self, program):
        self.program = program
        self.artifact = SimpleNamespace(program=program, interface=Interface((SIGNATURE,)), path="")

    def call(self, name, args):
        time.sleep(0.0005 if "slow" in self.program.source else 0.0)
        return args[0] / 2


class Quick(Version):
    """One that serves until a better build is there."""

    def then(self, take):
        self.take = take


def text(source):
    return Program("half", "zig", (("cell.zig", source),))


def accepted(source):
    """A run that accepted this text."""
    verdict = SimpleNamespace(accepted=True, level="L2", reasons=("judged",))
    return SimpleNamespace(program=text(source), best=text(source), verdict=verdict, state=None, facts=dict)


class Kernel:
    """What a kernel does with releases, without Jupyter and compilers."""

    def __init__(self, folder, version=Version):
        self.history = open_history(folder, "n.ipynb")
        self.registry = Registry(lambda release, _cell: version(release.program))
        no = {"bind": lambda _: None, "allow": lambda: None, "reach": lambda _: None}
        self.releases = Releases(self.registry, self.history, **no)
        if ledger := joined(at_the_ends(self.history, LEDGER)):
            self.registry.remember(ledger)

    def cell(self, source):
        """The native cell is run."""
        self.registry.serve_cell(text(source))
        self.releases.served("half")
        self.history.stage(self.registry.ledger())
        return self.ends()

    def ends(self):
        """A cell has ended."""
        said = self.releases.settle()
        self.history.record(CellRun("a", "pass"))
        self.history.flush()
        return said

    @property
    def serves(self):
        return self.registry.slot("half").version.artifact.program.source


@pytest.fixture
def start(tmp_path):
    kernels = []

    def started(**options):
        kernels.append(Kernel(tmp_path, **options))
        return kernels[-1]

    yield started
    for kernel in kernels:
        kernel.history.close()


def test_what_was_decided_between_two_cells_is_not_said_of_an_edit(start):
    kernel = start()
    kernel.cell("slow")
    running = kernel.releases.canary("half", accepted("fast"), EVERY_OTHER)

    def serve():
        for _ in range(CALLS_MAX):
            if running.canary.winner is not None:
                return
            kernel.registry.slot("half").version.call("half", (1.0,))

    thread = threading.Thread(target=serve)
    thread.start()
    thread.join()
    assert kernel.serves == "fast", "decided in the very call"
    (said,) = kernel.cell("edited")

    assert kernel.serves == "edited"
    assert kernel.registry.current("half").version == ""
    assert said.what == "taken back"
    assert "something else serves" in said.text
    assert [state.kind for state in kernel.history.states(9, scope="half")].count("promote") == 0


def test_a_canary_waits_for_the_build_that_it_is_compared_with(start):
    kernel = start()
    kernel.cell("slow")
    kernel.releases.canary("half", accepted("fast"), EVERY_OTHER)
    kernel.registry.slot("half").version.call("half", (1.0,))
    known = kernel.releases.canaries.of("half").canary.evidence.to_json()
    kernel.ends()
    kernel.history.close()

    again = start(version=lambda program: (Quick if program.source == "slow" else Version)(program))
    again.cell("slow")
    assert again.releases.canaries.of("half") is None
    assert '"half"' in again.releases.canaries.to_json(), "it would go on in a third kernel"
    quick = again.registry.slot("half").version
    built = threading.Thread(target=quick.take, args=(Version(quick.program),))
    built.start()
    built.join()

    assert again.releases.canaries.of("half").canary.evidence.to_json() == known


def test_of_two_kernels_the_one_that_recorded_last_undoes_nothing_of_the_other(start):
    one, other = start(), start()
    one.cell("slow")
    other.cell("slow")
    one.releases.promote("half", accepted("fast"))
    one.ends()
    other.ends()

    third = start()
    third.cell("slow")
    assert third.serves == "fast"
    assert third.registry.current("half").version == "1.0.0"

    third.releases.rollback("half", reason="it is slower", learned=text("fast"))
    third.ends()
    other.ends()
    fourth = start()
    fourth.cell("slow")
    assert fourth.serves == "slow"
    with pytest.raises(DeployError, match="taken back before"):
        fourth.releases.canary("half", accepted("fast"), EVERY_OTHER)


def test_a_canary_that_another_kernel_took_back_is_not_taken_up(start):
    one = start()
    one.cell("slow")
    one.releases.canary("half", accepted("fast"), EVERY_OTHER)
    one.ends()
    one.history.close()
    two, three = start(), start()
    two.cell("slow")
    three.cell("slow")
    two.releases.rollback("half")
    two.history.note("note", "half", "why", {}, two.releases.lessons.learned("half", text("fast"), "it is slower"))
    two.ends()
    three.ends()

    four = start()
    four.cell("slow")
    assert four.releases.canaries.of("half") is None


@pytest.mark.parametrize("by_hand", ["rollback", "promote"])
def test_a_canary_that_another_kernel_ended_by_hand_does_not_come_back(start, by_hand):
    one = start()
    one.cell("slow")
    one.releases.canary("half", accepted("fast"), EVERY_OTHER)
    one.ends()
    one.history.close()
    two, three = start(), start()
    two.cell("slow")
    three.cell("slow")
    getattr(two.releases, by_hand)("half")
    two.ends()
    three.ends()  # it holds the canary, and speaks last

    four = start()
    four.cell("slow")
    assert four.releases.canaries.of("half") is None
    assert four.serves == ("fast" if by_hand == "promote" else "slow")


def test_a_canary_that_began_beside_another_kernel_goes_on_whichever_spoke_last(start):
    one, other = start(), start()
    one.cell("slow")
    other.cell("slow")
    one.releases.canary("half", accepted("fast"), EVERY_OTHER)
    for _ in range(10):
        one.registry.slot("half").version.call("half", (1.0,))
    known = one.releases.canaries.of("half").canary.evidence.to_json()
    one.ends()
    other.ends()

    third = start()
    third.cell("slow")
    assert third.releases.canaries.of("half").canary.evidence.to_json() == known
    third.releases.rollback("half")
    third.releases.canary("half", accepted("fast"), EVERY_OTHER)
    third.ends()
    other.ends()

    fourth = start()
    fourth.cell("slow")
    assert fourth.releases.canaries.of("half") is not None, "a later one is not the one that was ended"


def test_ledgers_are_joined_by_what_was_decided_last():
    def ledger(**names):
        rows = ", ".join(f'"{name}": [{{"since": {since}}}]' for name, since in names.items())
        return f'{{"format": 1, "names": {{{rows}}}}}'

    found = joined([ledger(a=1, b=5), "{", '{"format": 99, "names": {}}', ledger(a=2, b=4, c=3)])

    assert found == '{"format": 1, "names": {"a": [{"since": 2}], "b": [{"since": 5}], "c": [{"since": 3}]}}'
    assert joined([]) == ""
    assert joined(["{", ledger(a=1)]) == "{", "who takes it in says that the newest is damaged"
