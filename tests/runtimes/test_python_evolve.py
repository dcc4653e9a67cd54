"""``evolve(f)`` from the function to what its name holds after ``accept``, with a real sandbox."""

import inspect
import os
import pickle
import subprocess
import sys
import types

import numpy as np
import pytest

from project_o import limits
from project_o.deploy import PythonFunction
from project_o.errors import DeployError, EvolutionError, InterfaceError, UsageError
from project_o.flow import Flow

CELL = """
import numpy as np
SHIFT = 1  # o: 1 2 3
BASE = 10

def f(x, extra=0):
    "Adds."
    return x + SHIFT + BASE + extra
"""


@pytest.fixture
def flow():
    return Flow()


def searchable(source):
    """The cell with a parameter in f, since a run without one is refused before anything else."""
    return source.replace("def f(x):\n", "def f(x):\n    n = 1  # o: 1 2\n")


def score(program):
    return {"score": float(program(1))}


def evolved(flow, notebook, cell=CELL):
    names = notebook.run(cell)
    run = flow.evolve(names["f"], score, trials=6)
    assert run.verdict.accepted, run.verdict.reasons
    return names, run


def test_the_name_follows_what_is_accepted_and_what_is_rolled_back(flow, notebook):
    names, run = evolved(flow, notebook)
    own = names["f"]
    run.accept()
    handle = names["f"]

    assert (handle(1), own(1), names["SHIFT"]) == (14, 12, 1)
    assert isinstance(handle, PythonFunction)
    assert (handle.__name__, handle.__doc__, handle.__wrapped__) == ("f", "Adds.", own)
    assert str(inspect.signature(handle)) == "(x, extra=0)"
    assert repr(handle) == "<python function f(x, extra=0), evolved>"
    assert handle(1, extra=5) == 19
    assert flow.serving("f")[0].origin == "accepted"

    flow.rollback("f")
    assert handle.function is own
    assert handle(1) == 12
    assert repr(handle).endswith("as written>")


def test_what_serves_sees_the_live_globals(flow, notebook):
    names, run = evolved(flow, notebook)
    run.accept()
    names["BASE"] = 100

    assert names["f"](1) == 104


def test_it_goes_on_from_what_serves(flow, notebook):
    names, run = evolved(flow, notebook)
    run.accept()
    names["BASE"] = 100
    again = flow.evolve(names["f"], score, trials=2)

    assert again.baseline.parameters[0].value == 3
    assert again.trials[0].metrics == (("score", 104.0),)
    assert again.baseline.cell_digest == run.best.cell_digest
    assert len(flow.registry.releases("f")) == 2


def test_the_same_cell_again_is_the_users_text_until_it_is_evolved_again(flow, notebook):
    names, run = evolved(flow, notebook)
    run.accept()
    names = notebook.run(CELL)
    assert type(names["f"]) is types.FunctionType
    assert names["f"](1) == 12

    again = flow.evolve(names["f"], score, trials=2)
    assert isinstance(names["f"], PythonFunction)
    assert (names["f"](1), again.baseline.parameters[0].value) == (14, 3)


def test_a_run_is_accepted_although_the_same_cell_was_run_again(flow, notebook):
    names, run = evolved(flow, notebook)
    notebook.run(CELL)
    run.accept()

    assert isinstance(names["f"], PythonFunction)
    assert names["f"](1) == 14


def test_a_run_is_not_accepted_for_a_function_that_was_defined_anew(flow, notebook):
    names, run = evolved(flow, notebook)
    notebook.run("def f(x):\n    return -1")
    with pytest.raises(DeployError, match="f has been defined anew since this run began: run %evolve f again"):
        run.accept()

    assert flow.serving("f")[0].origin == "cell"
    assert names["f"](1) == -1


def test_a_run_of_what_a_decorator_holds_says_what_to_do_with_its_winner(flow, notebook):
    decorated = "import functools\n" + CELL.replace("def f", "@functools.lru_cache\ndef f")
    names = notebook.run(decorated)
    run = flow.evolve(names["f"].__wrapped__, score, trials=6)
    with pytest.raises(DeployError, match=r"what a decorator made of the function: write run\.best\.source"):
        run.accept()

    assert "SHIFT = 3" in run.best.source


def test_a_changed_cell_is_a_new_text(flow, notebook):
    names, run = evolved(flow, notebook)
    run.accept()
    names = notebook.run(CELL.replace("x + SHIFT", "x * SHIFT"))
    again = flow.evolve(names["f"], score, trials=2)

    assert again.baseline.parameters[0].value == 1
    assert type(names["f"]) is types.FunctionType


def test_another_kernel_serves_it_again_when_it_is_evolved(flow, notebook):
    names, run = evolved(flow, notebook)
    run.accept()
    ledger = flow.registry.ledger()["deployments.json"]
    later = Flow()
    later.registry.remember(ledger)
    names = notebook.run(CELL)
    names["BASE"] = 50
    again = later.evolve(names["f"], score, trials=1)

    assert again.baseline.parameters[0].value == 3
    assert names["f"](1) == 54


def test_a_global_that_is_rebound_during_the_run_changes_nothing(flow, notebook):
    names = notebook.run(CELL)

    def evaluate(program):
        names["BASE"] += 1000
        return {"score": float(program(1))}

    run = flow.evolve(names["f"], evaluate, trials=4)
    assert run.trials[0].metrics == (("score", 12.0),)
    assert run.verdict.accepted, run.verdict.reasons


def test_an_evaluator_calls_it_with_names_and_defaults(flow, notebook):
    names = notebook.run(CELL)
    told = []

    def evaluate(program):
        told.append((program(1), program(x=1), program(1, extra=2), program(1, 2), program.f(1)))
        with pytest.raises(InterfaceError, match="pass x, extra instead of extra"):
            program(extra=2)
        return {"score": 0.0}

    flow.evolve(names["f"], evaluate, trials=1)
    assert told[0] == (12, 12, 14, 14, 12)


def test_writes_into_arrays_reach_the_evaluators_arrays(flow, notebook):
    names = notebook.run(searchable("def f(x):\n    x[::2] = 5.0\n"))

    def evaluate(program):
        x = np.zeros((4, 6))[:, :3]
        assert program(x) is None
        return {"score": float(x.sum())}

    assert flow.evolve(names["f"], evaluate, trials=1).trials[0].metrics == (("score", 30.0),)


def test_one_of_two_that_use_each_other_is_sent_as_it_serves(flow, notebook):
    names, run = evolved(flow, notebook, CELL + "\ndef g(x):\n    n = 1  # o: 1 2\n    return f(x)\n")
    run.accept()
    served = flow.evolve(names["g"], score, trials=1)

    assert served.trials[0].metrics == (("score", 14.0),)


# ------------------------------------------------------------------------------- time


SUM = """
import numpy as np
STEP = 1  # o: 1 50

def f(x):
    total = 0.0
    for k in range(0, len(x), STEP):
        total += float(x[k:k + STEP].sum())
    return total
"""


@pytest.mark.measured
def test_time_is_measured_on_varied_inputs_and_the_faster_one_accepted(flow, notebook):
    names = notebook.run(SUM)
    run = flow.evolve(names["f"], trials=2, inputs=(np.arange(200.0),))

    assert run.verdict.accepted, run.verdict.reasons
    assert run.measurement.ratio > 2
    assert "it answers as the incumbent does on" in run.verdict.reasons[0]


def test_a_text_of_ones_own_is_judged_and_serves(flow, notebook, accepted_soon):
    names = notebook.run(SUM)
    run = flow.evolve(names["f"], trials=1, inputs=(np.arange(200.0),))
    wrong = run.propose("import numpy as np\ndef f(x):\n    return float(x[1:].sum())\n")
    writes = run.propose("def f(x):\n    total = float(x.sum())\n    x[:1] = 1.5\n    return total\n")
    right = accepted_soon(lambda: run.propose("def f(x):\n    return float(x.sum())\n"))

    assert not wrong.accepted
    assert "instead of" in wrong.reasons[-1]
    assert "changed argument 1, which should stay as it is" in writes.reasons[-1]
    assert right.accepted, right.reasons
    with pytest.raises(UsageError, match="line 2: this is not Python"):
        run.propose("def f(x):\n    return (\n")


def test_blocks_are_enforced(flow, notebook):
    names = notebook.run(
        "def f(x):\n    # EVOLVE-BLOCK-START\n    y = 1  # o: 1 2\n    # EVOLVE-BLOCK-END\n    return x * y\n"
    )
    run = flow.evolve(names["f"], score, trials=1)
    with pytest.raises(UsageError, match="line 5: changed outside the EVOLVE blocks"):
        run.propose(run.baseline.source.replace("return x", "return 2 * x"))


def test_a_new_text_does_not_serve_where_no_sandbox_held(flow, notebook, monkeypatch):
    import project_o.sandbox

    names, run = evolved(flow, notebook)
    run.accept()
    program = run.best.with_source("def f(x, extra=0):\n    return 0\n", ())

    class Low:
        level = "L1"

    monkeypatch.setattr(project_o.sandbox, "shared", Low)
    with pytest.raises(DeployError, match="judged at sandbox level L2 or above, and this was L1"):
        flow.registry.accept(program, "", "")
    assert names["f"](1) == 14
    flow.rollback("f")  # the user's own text needs no sandbox
    assert names["f"](1) == 12


# ------------------------------------------------------------------------------- what is wrong is said


@pytest.mark.parametrize(
    ("source", "inputs", "says"),
    [
        (
            "def f(x):\n    return x\n",
            None,
            r"nothing says which arguments f\(x\) is meant for: show some with --inputs",
        ),
        ("def f(x):\n    return 1 / x\n", (0,), r"f itself fails on --inputs .ZeroDivisionError.*line 3"),
        ("def f(x):\n    return x\n", (1, 2), r"f itself fails on --inputs .TypeError: f"),
        ("def f(x):\n    return x\n", [(1,), (1, 2)], "all tuples must have as many arguments"),
        ("def f(x):\n    while x: pass\n", (1,), "longer than its time limit"),
        ("def f(x):\n    return bytearray(x)\n", (4 << 30,), "MemoryError"),
        ("def f(x):\n    open(x, 'w')\n", ("/tmp/x",), "needs what the sandbox refuses .PermissionError"),
        ("import time\ndef f(x):\n    return time.perf_counter()\n", (1,), "different answers to the same input"),
        ("def f(x):\n    return x\n", (object(),), "argument 1 of f: an? object cannot cross the sandbox"),
    ],
)
def test_a_function_or_input_that_is_not_fit(flow, notebook, monkeypatch, source, inputs, says):
    if "time limit" in says:  # the others have to be told in their own words, also where the machine pauses
        monkeypatch.setattr(limits, "TRIAL_WALL_SECONDS", 0.5)
    names = notebook.run(searchable(source))
    own = names["f"]
    with pytest.raises((EvolutionError, UsageError), match=says):
        flow.evolve(own, trials=2, inputs=inputs)
    assert names["f"] is own


def test_old_data_is_not_kept_for_ever(flow, notebook):
    names = notebook.run(searchable("import numpy as np\nW = np.zeros(1)\ndef f(x):\n    return W[0]\n"))
    run = flow.evolve(names["f"], score, trials=1)
    for number in range(limits.SNAPSHOTS_KEPT):
        names["W"] = np.full(1, number + 1.0)
        flow.evolve(names["f"], score, trials=1)
    told = run.propose("def f(x):\n    return 0\n")

    assert "is no longer kept: evolve it again" in told.reasons[-1]


# ------------------------------------------------------------------------------- a script

SCRIPT = """
import sys
from project_o import evolve

SIZE = 4  # o: 1..40
MODE = "a"  # o: "a" "b"

def f(x):
    return -abs(x - SIZE) + (MODE == "b")

if __name__ == "__main__":
    run = evolve(f, lambda program: {"score": program(17)}, trials=25, seed=3, workers=int(sys.argv[1]))
    run.accept()
    print(run.lineage.digest, f(17), SIZE)
"""


def test_a_script_gives_the_same_lineage_with_any_number_of_workers(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    told = [
        subprocess.run(
            [sys.executable, str(script), workers],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ,
            timeout=100,
        ).stdout.split()
        for workers in ("1", "2")
    ]

    assert told[0] == told[1]
    assert int(told[0][1]) > -5
    assert told[0][2] == "4"


def test_a_function_of_a_module_is_served_under_its_name_there(flow, tmp_path, monkeypatch):
    (tmp_path / "evolving_module.py").write_text("STEP = 1  # o: 1 2\n\n\ndef f(x):\n    return x + STEP\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import evolving_module

    flow.evolve(evolving_module.f, score, trials=2).accept()
    assert evolving_module.f(1) == 3
    assert pickle.loads(pickle.dumps(evolving_module.f)) is evolving_module.f
    assert [item.name for item in flow.serving()] == ["evolving_module.f"]
    flow.rollback("f")
    assert evolving_module.f(1) == 2


def test_a_traceback_of_what_serves_shows_its_own_lines(flow, notebook):
    import traceback

    names = notebook.run("\n\ndef f(x):\n    n = 1  # o: 1 2 3\n\n    return n / x\n")
    flow.evolve(names["f"], lambda program: {"score": program(1)}, trials=4).accept()
    try:
        names["f"](0)
    except ZeroDivisionError as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]

    assert (frame.name, frame.lineno, frame.line) == (
        "f",
        names["f"].__wrapped__.__code__.co_firstlineno + 3,
        "return n / x",
    )
