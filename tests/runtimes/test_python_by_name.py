"""Parameters of Python functions that callers give by their names."""

import numpy as np
import pytest

from project_o.flow import Flow


@pytest.fixture
def flow():
    return Flow()


def test_parameters_that_are_given_by_name_alone_come_last_in_order(flow, notebook):
    names = notebook.run("def f(x, *, scale, shift=0):\n    n = 1  # o: 1 2\n    return x * scale * n + shift\n")
    told = []

    def evaluate(program):
        told.append((program(1, scale=3), program(1, shift=4, scale=3), program(1, 3, 4)))
        return {"score": float(program(x=1, scale=5))}

    run = flow.evolve(names["f"], evaluate, trials=2)
    assert told[0] == (3, 7, 7)
    run.accept()
    assert (names["f"](1, scale=3), names["f"](x=1, shift=1, scale=5)) == (6, 11)
    again = flow.evolve(names["f"], inputs=[(2.0, 3.0, 1.0)], trials=1)
    assert again.baseline.source == run.best.source


def test_a_text_whose_parameters_have_other_names_cannot_take_the_place(flow, notebook):
    names = notebook.run("def f(x, *, a, b):\n    n = 1  # o: 1 2\n    return sum(x) * n / n + a - b\n")
    run = flow.evolve(names["f"], inputs=[(np.arange(2000.0), 2.0, 1.0)], trials=1)
    for text in (
        "def f(x, *, b, a):\n    return x.sum() + b - a\n",
        "def f(y, *, a, b):\n    return y.sum() + a - b\n",
    ):
        verdict = run.propose(text)
        assert not verdict.accepted
        assert any("another signature" in reason for reason in verdict.reasons), verdict.reasons
