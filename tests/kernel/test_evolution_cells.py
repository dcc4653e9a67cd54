"""Evolving a native cell in a real kernel: search, verdict, acceptance, rollback, and a restart in between."""

import subprocess
import sys

import pytest

CELL = """%%zig kernels
const lanes = 1; // o: 1 4 8
const Vector = @Vector(lanes, f32);

/// The sum of the squares.
pub fn squares(a: []const f32) f32 {
    var sums: Vector = @splat(0);
    var i: usize = 0;
    while (i + lanes <= a.len) : (i += lanes) {
        const x: Vector = a[i..][0..lanes].*;
        sums += x * x;
    }
    var sum = @reduce(.Add, sums);
    for (a[i..]) |x| sum += x * x;
    return sum;
}
"""
SET_UP = """import numpy as np
from project_o import evolve
a = np.random.default_rng(1).integers(0, 16, 100_000).astype(np.float32)"""
EVOLVE = "run = %evolve kernels --trials 3 --seed 1 --inputs (a,)\nrun"


@pytest.fixture(scope="module")
def evolved(kernel):
    for code in (SET_UP, CELL):
        ran = kernel.run(code)
        assert ran.status == "ok", ran.text
    for _ in range(3):  # a measurement: a neighbour may spoil one of them
        ran = kernel.run(EVOLVE)
        assert ran.status == "ok", ran.text
        if kernel.value("run.verdict.accepted") == "True":
            break
    return kernel, ran


def test_a_run_shows_itself_and_its_verdict(evolved):
    kernel, ran = evolved

    assert kernel.value("run.lineage.best == run.best_index, dict(run.progress.best_settings)['lanes'] > 1") == (
        "(True, True)"
    )
    assert kernel.value("run.verdict.accepted, len(run.trials)") == "(True, 3)", ran.text
    assert "<svg" in ran.html
    assert "<script" not in ran.html
    assert "-const lanes = 1; // o: 1 4 8" in kernel.run("print(run.diff())").text


def test_it_is_accepted_taken_back_and_put_back_and_a_new_kernel_serves_it_again(evolved, start_kernel):
    kernel, _ = evolved
    total = kernel.value("kernels.squares(a)")
    assert kernel.run("release = run.accept()").status == "ok"
    assert kernel.value("kernels.squares(a)") == total
    assert kernel.value("release.origin, release.share") == "('accepted', 1.0)"
    assert kernel.run("%o rollback kernels").status == "ok"
    first = kernel.value("get_ipython().run_line_magic('o', 'serving')[0].digest == run.program.digest")
    assert first == "True"
    back = kernel.run("%o rollback kernels {release.state}")
    assert back.status == "ok", back.text
    assert kernel.value("get_ipython().run_line_magic('o', 'serving')[0].digest == run.best.digest") == "True"

    folder = kernel.value("__import__('os').getcwd()").strip("'")
    later = start_kernel(folder)
    ran = later.run(CELL)

    assert ran.status == "ok", ran.text
    assert "an evolved version serves, not the text of the cell" in ran.text
    serving = later.run("%o serving")
    assert serving.status == "ok", serving.text
    assert later.value("get_ipython().run_line_magic('o', 'serving')[0].state != ''") == "True"
    assert "const lanes = 1;" not in later.value("kernels.slot.version.artifact.program.source")
    told = subprocess.run(
        [sys.executable, "-m", "project_o.cli", "serving"], cwd=folder, capture_output=True, text=True, check=True
    )
    assert "kernels" in told.stdout, "the terminal knows it too"
    fresh = later.run(CELL.replace("%%zig kernels", "%%zig kernels --fresh"))
    assert fresh.status == "ok", fresh.text
    assert "const lanes = 1;" in later.value("kernels.slot.version.artifact.program.source")
    assert "an evolved version" not in fresh.text


def test_a_metric_of_ones_own_decides_with_an_evaluator_cell(evolved):
    kernel, _ = evolved
    cell = """%%evolve kernels --trials 3 --seed 3 --objective score
def evaluate(program):
    return {'score': float(program.squares(a[:7]) > 0)}"""
    ran = kernel.run(cell)

    assert ran.status == "ok", ran.text
    assert kernel.value("_.verdict.accepted") == "False"


def test_the_same_seed_is_the_same_lineage_with_one_worker_and_with_two(evolved):
    kernel, _ = evolved
    digests = []
    for workers in (1, 2):
        ran = kernel.run(
            "from project_o import evolve\n"
            "def evaluate(program): return {'score': program.squares(a[:9])}\n"
            f"found = evolve(kernels, evaluate, trials=3, seed=5, workers={workers})"
        )
        assert ran.status == "ok", ran.text
        digests.append(kernel.value("found.lineage.digest"))
    assert digests[0] == digests[1]


def test_ctrl_c_keeps_what_was_found(evolved):
    kernel, _ = evolved
    ran = kernel.run(
        "import os, signal, threading, time\n"
        "asked = []\n"
        "def slowly(program):\n"
        "    asked.append(program)\n"
        "    if len(asked) == 3:\n"
        "        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "    time.sleep(1)\n"
        "    return {'score': 1.0}\n"
        "stopped = evolve(kernels, slowly, trials=100, seed=1)"
    )
    assert ran.status == "ok", ran.text
    assert kernel.value("stopped.stopped != '', stopped.verdict.accepted") == "(True, False)"
    assert kernel.value("kernels.squares(a) > 0") == "True"


def test_restoring_a_state_from_before_the_acceptance_serves_the_cell_again(evolved):
    kernel, _ = evolved
    kernel.run("%o rollback kernels")
    kernel.run(CELL)
    kernel.run("%o save 'plain kernel'")
    kernel.run("again = evolve(kernels, trials=3, seed=1, inputs=(a,))\nagain.accept()")
    assert kernel.value("kernels.slot.version.artifact.program.digest == again.best.digest") == "True"
    restored = kernel.run("%o restore plain-kernel")

    assert restored.status == "ok", restored.text
    assert kernel.value("kernels.slot.version.artifact.program.digest == run.program.digest") == "True"
