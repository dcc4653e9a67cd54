"""``project-o evolve``: a task in OpenEvolve's form from the terminal, with honest exit codes."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

TASK = Path(__file__).resolve().parents[1] / "benchmarks" / "tasks" / "bin_packing"
INTERRUPTIBLE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have had it ignored
from project_o.cli import main
sys.exit(main())
"""
COMMAND = [sys.executable, "-m", "project_o.cli"]


def project_o(*words, cwd):
    done = subprocess.run([*COMMAND, *words], cwd=cwd, capture_output=True, text=True, timeout=200, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_a_task_runs_unchanged_and_the_history_holds_it(tmp_path):
    shutil.copytree(TASK, tmp_path / "task")
    first = (tmp_path / "task" / "initial_program.py").read_text()
    words = ["evolve", "task/initial_program.py", "task/evaluator.py", "--trials", "3", "--out", "best.py"]
    done = project_o(*words, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("task: self-reported")
    assert done.stdout.splitlines()[-1] == "best.py"
    assert "ALMOST_FULL = 5.0" in (tmp_path / "best.py").read_text()
    assert (tmp_path / "task" / "initial_program.py").read_text() == first
    assert "self-reported: mean_of_metrics" in project_o("history", cwd=tmp_path).stdout

    done = project_o("evolve", "task", "--iterations", "2", "--accept", "--workers", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "ALMOST_FULL = 5.0" in (tmp_path / "task" / "initial_program.py").read_text()
    assert "accepted by a person: initial_program.py" in project_o("history", cwd=tmp_path).stdout


def test_what_fails_says_so_in_its_exit_code(tmp_path):
    (tmp_path / "initial_program.py").write_text("x = 1\n")
    (tmp_path / "evaluator.py").write_text("def evaluate(path): raise ValueError('no data')\n")
    done = project_o("evolve", "initial_program.py", "evaluator.py", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") <= 2
    assert "the evaluator cannot judge the baseline: evaluate raised ValueError: no data" in done.stderr

    for words in (
        ["absent.py", "evaluator.py"],
        ["initial_program.py", "absent.py"],
        ["initial_program.py", "--budget", "x"],
    ):
        assert project_o("evolve", *words, cwd=tmp_path).returncode == 2

    done = project_o("evolve", ".", "--trials", "1", "--accept", cwd=tmp_path)
    assert done.returncode == 1


def test_ctrl_c_ends_a_run_and_keeps_what_it_found(tmp_path):
    (tmp_path / "initial_program.py").write_text("level = 3.0\n")
    (tmp_path / "evaluator.py").write_text(
        "import time\n"
        "def evaluate(path):\n"
        "    names = {}\n"
        "    exec(open(path).read(), names)\n"
        "    time.sleep(0.2)\n"
        "    return {'combined_score': names['level']}\n"
    )
    words = [sys.executable, "-c", INTERRUPTIBLE, "evolve", ".", "--trials", "5000", "--seed", "1"]
    run = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        seen = []
        for line in run.stderr:
            seen.append(line)
            if " trials" in line and "ratio 1.000" not in line:
                break
        asked = time.monotonic()
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=60)
    finally:
        run.kill()
    assert run.returncode == 130, (seen, err)
    assert time.monotonic() - asked < 30
    assert "leads with ratio" in out
    assert out.startswith(f"{tmp_path.name}: self-reported")
