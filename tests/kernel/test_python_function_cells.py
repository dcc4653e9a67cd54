"""Python functions in a real kernel: ``%evolve f``, what its name holds, and what a bad one says."""

import re
from pathlib import Path

import pytest

CELL = """
import numpy as np
W = np.arange(20_000.0)
STEP = 1  # o: 1 50

def total(x):
    "The sum."
    found = W[1]
    for k in range(0, len(x), STEP):
        found += float(x[k:k + STEP].sum())
    return found
"""


@pytest.mark.measured
def test_a_function_is_evolved_served_and_taken_back(kernel):
    assert kernel.run(CELL).status == "ok"
    assert kernel.run("x = np.arange(300.0)").status == "ok"
    ran = kernel.run("run = %evolve total --trials 2 --inputs (x,)\nrun")
    assert ran.status == "ok", ran.text
    assert kernel.value("run.verdict.accepted") == "True", kernel.value("run.verdict.reasons")

    ran = kernel.run("run.accept()")
    assert ran.status == "ok", ran.text
    assert kernel.value("total") == "<python function total(x), evolved>"
    assert kernel.value("(float(total(x)), STEP, total.__doc__, total.__name__)") == "(44851.0, 1, 'The sum.', 'total')"
    assert kernel.run("W[1] = 0.0").status == "ok"
    assert kernel.value("float(total(x))") == "44850.0"
    assert "total" in kernel.run("%o serving").text

    assert kernel.run("%o rollback total").status == "ok"
    assert kernel.value("total") == "<python function total(x), as written>"
    assert kernel.value("total.function is total.__wrapped__") == "True"


def test_a_run_that_fails_is_not_shown_as_running(kernel):
    assert kernel.run("def seven(x):\n    k = 1  # o: 1 2\n    return x * k").status == "ok"
    ran = kernel.run("%evolve seven --trials 2 --inputs (1.0,) --relation permutation:nope")
    assert "there is no parameter nope" in ran.error
    shown = [content["data"]["text/plain"] for _, content in ran.outputs if "data" in content][-1]
    assert shown.startswith("seven: stopped"), shown
    assert "ended by the UsageError below" in shown


@pytest.mark.measured
def test_a_function_that_declares_nothing_is_edited(kernel):
    kernel.run(
        "def common(xs, ys):\n    found = []\n    for x in xs:\n        if x in ys:\n            found.append(x)\n"
        "    return found\n"
        "lists = ([k * 7 % 1201 for k in range(500)], [k * 11 % 1301 for k in range(500)])"
    )
    ran = kernel.run("run = %evolve common --trials 5 --inputs lists\nrun")
    assert ran.status == "ok", ran.text
    assert kernel.value("run.verdict.accepted") == "True", kernel.value("run.verdict.reasons")
    assert "set(ys)" in kernel.value("run.best.source")
    assert kernel.run("run.accept()").status == "ok"
    assert kernel.value("(common([1, 2, 3], [3, 1]), common.function is common.__wrapped__)") == "([1, 3], False)"


def test_an_evaluator_cell_judges_it(kernel):
    assert kernel.run("def f(x):\n    n = 1  # o: 1 2 3\n    return n * x\n").status == "ok"
    ran = kernel.run("%%evolve f --trials 5\ndef evaluate(program):\n    return {'score': program(2), 'other': 1}")
    assert ran.status == "ok", ran.text
    assert kernel.value("(_.verdict.accepted, _.best.parameters[0].value)") == "(True, 3)"


def test_running_the_cell_again_gives_the_users_text(kernel):
    cell = "def g(x):\n    n = 1  # o: 1 2 3\n    return n * x\n"
    kernel.run(cell)
    kernel.run("%%evolve g --trials 5\ndef evaluate(program):\n    return {'score': program(2)}")
    kernel.run("_.accept()")
    assert kernel.value("g(1)") == "3"
    kernel.run(cell)
    assert kernel.value("(g(1), type(g).__name__)") == "(1, 'function')"
    kernel.run("%%evolve g --trials 1\ndef evaluate(program):\n    return {'score': program(2)}")
    assert kernel.value("(g(1), type(g).__name__)") == "(3, 'PythonFunction')"


def test_an_error_of_the_function_names_its_line_and_nothing_is_lost(kernel):
    kernel.run("import threading\nguard = threading.Lock()\nkept = 5")
    kernel.run("def bad(x):\n    n = 1  # o: 1 2\n    with guard:\n        return x\n")
    ran = kernel.run("%evolve bad --trials 2 --inputs (1,)")
    assert ran.status == "error"
    assert "guard is a lock" in ran.error

    kernel.run("def bad(x):\n    n = 1  # o: 1 2\n\n    return 1 / x\n")
    ran = kernel.run("%evolve bad --trials 2 --inputs (0,)")
    assert "ZeroDivisionError: division by zero (line 4)" in ran.error
    ran = kernel.run("%evolve bad --trials 2")
    assert "show some with --inputs" in ran.error
    assert kernel.value("kept") == "5"


def test_another_kernel_serves_what_was_accepted_when_it_is_evolved_again(start_kernel, tmp_path):
    first = start_kernel(tmp_path)
    cell = "def h(x):\n    n = 1  # o: 1 2 3\n    return n * x\n"
    judged = "%%evolve h --trials 5\ndef evaluate(program):\n    return {'score': program(2)}"
    first.run(cell)
    assert first.run(judged).status == "ok"
    assert first.run("release = _.accept()").status == "ok"  # its state is in the store when the cell ends

    second = start_kernel(tmp_path)
    second.run(cell)
    assert second.value("h(1)") == "1"
    assert second.run(judged.replace("5", "1")).status == "ok"
    assert second.value("h(1)") == "3"
    second.run("%o rollback h")
    assert second.value("h(1)") == "1"


def test_the_example_of_the_guide_runs_as_it_stands(start_kernel, tmp_path):
    guide = (Path(__file__).parents[2] / "docs" / "python-functions.md").read_text("utf-8")
    define, evolve, *_ = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    kernel = start_kernel(tmp_path)
    for cell in (define, evolve):
        ran = kernel.run(cell)
        assert ran.status == "ok", ran.text

    assert kernel.value("total").startswith("<python function total(x), evolved>")
    assert kernel.run("%o rollback total").status == "ok"
    assert kernel.value("total").endswith("as written>")


def test_a_dotted_name_is_what_it_means_in_the_notebook(start_kernel, tmp_path):
    (tmp_path / "tools.py").write_text("def double(x):\n    n = 1  # o: 1 2\n    return 2 * x * n / n\n")
    kernel = start_kernel(tmp_path)
    kernel.run("import tools\nclass Thing:\n    def m(self, x):\n        return x\nthing = Thing()")
    ran = kernel.run("run = %evolve tools.double --trials 1 --inputs (1.5,)")
    assert ran.status == "ok", ran.text
    assert kernel.value("run.best.name") == "'tools.double'"
    assert "m is a method, and its object cannot be sent along" in kernel.run("%evolve thing.m").error
    assert "nothing serves 'thing.nope'" in kernel.run("%evolve thing.nope").error
