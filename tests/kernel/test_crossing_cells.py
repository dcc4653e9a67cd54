"""``%evolve f --to zig`` in real kernels: the compiled module serves, also after a restart and by a canary."""

import pytest

CELL = """\
def spread(xs, ys, limit):
    s = 0.0
    for i in range(len(xs)):
        d = xs[i] - ys[i]
        if abs(d) > limit:
            s += d * d
    return s"""
ARRAYS = "import numpy as np\nxs, ys = np.arange(3000.0) % 17, np.arange(3000.0) % 13"
SAME = "bool(abs(spread(xs, ys, 2.0) - sum((x - y) ** 2 for x, y in zip(xs, ys) if abs(x - y) > 2.0)) < 1e-6)"


@pytest.fixture
def crossed(tmp_path, start_kernel):
    kernel = start_kernel(tmp_path)
    kernel.run(ARRAYS)
    kernel.run(CELL)
    ran = kernel.run("run = %evolve spread --to zig --budget 40s --inputs (xs, ys, 2.0)")
    assert ran.status == "ok", ran.text
    assert kernel.value("run.verdict.accepted") == "True", kernel.value("run.verdict.reasons")
    return kernel


def language(kernel):
    return kernel.value("get_ipython().run_line_magic('o', 'serving spread')[0].language")


def test_it_serves_again_after_a_restart_and_python_is_behind_it(crossed, tmp_path, start_kernel):
    assert crossed.run("run.accept()").status == "ok"
    assert language(crossed) == "'zig'"
    assert crossed.value(SAME) == "True"
    crossed.close()

    kernel = start_kernel(tmp_path)
    kernel.run(ARRAYS)
    ran = kernel.run(CELL)
    assert ran.status == "ok", ran.text
    assert kernel.value(SAME) == "True"
    kernel.run("%evolve spread --trials 1 --inputs (xs, ys, 2.0)")  # a plain function is known by its first verb
    assert language(kernel) == "'zig'"
    assert kernel.value("spread([1.0, 5.0], [0.0, 1.0], 2.0)") == "16.0", "lists go to the Python function"
    assert kernel.run("%o rollback spread").status == "ok"
    assert language(kernel) == "'python'"
    assert kernel.value(SAME) == "True"


def test_a_canary_of_it_decides_by_the_calls(crossed):
    begun = crossed.run("%o canary spread --share 50%")
    assert begun.status == "ok", begun.text

    ran = crossed.run("for _ in range(400): spread(xs, ys, 2.0)")

    assert "serves every call from now on" in ran.text, ran.text
    assert language(crossed) == "'zig'"
