"""A program of several files before an evaluator in OpenEvolve's form: found, judged, resumed, and written back."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from project_o import evolve
from project_o.errors import DeployError, EvolutionError, UsageError
from project_o.evolution import run_evolution
from project_o.evolution.foreign import read_task
from project_o.evolution.journal import TrialJournal
from project_o.evolving.files import _replace, foreign_task
from project_o.sandbox import Sandbox

from ...evaluators import LOAD

MAIN = """import helper

# EVOLVE-BLOCK-START
def level():
    return helper.step(2.0)
# EVOLVE-BLOCK-END
"""
HELPER = """from deep import fixed
# EVOLVE-BLOCK-START
def step(x):
    return x * 3.0 + fixed.HALF
# EVOLVE-BLOCK-END
"""
FILES = {"main.py": MAIN, "helper.py": HELPER, "deep/fixed.py": "HALF = 0.5\n"}
EVALUATOR = LOAD + "def evaluate(path): return {'combined_score': -abs(load(path).level() - 60.0)}\n"


def put(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def task(tmp_path):
    """The folder of a task, in which ``initial_program`` is a folder."""
    put(tmp_path / "task" / "initial_program", FILES)
    put(tmp_path / "task", {"evaluator.py": EVALUATOR})
    return tmp_path / "task"


def test_a_folder_and_paths_are_the_same_program_and_the_same_seed_the_same_run(task, tmp_path):
    inner = task / "initial_program"
    elsewhere = put(tmp_path / "elsewhere", {"evaluator.py": EVALUATOR}) / "evaluator.py"
    runs = [
        evolve(task, trials=10, seed=3, workers=2),
        evolve(task, trials=10, seed=3, workers=1),
        evolve(inner, elsewhere, trials=10, seed=3),
        evolve([inner / name for name in ("main.py", "helper.py", "deep/fixed.py")], elsewhere, trials=10, seed=3),
    ]
    assert {run.program.name for run in runs} == {"task"}
    assert sorted(runs[0].program.files) == sorted(FILES.items())
    assert len({run.lineage.digest for run in runs[:3]}) == 1
    assert runs[3].baseline.files[1][0] == "helper.py"  # in the order in which they were named
    touched = {name for item in runs[0].trials for name, text in item.proposal.program.files if text != FILES[name]}
    assert touched == {"main.py", "helper.py"}  # the search offline edits the blocks of every file
    assert any("helper.py, line 4" in item.proposal.hypothesis for item in runs[0].trials)
    assert {item.proposal.operator for item in runs[0].trials} >= {"one number", "constant"}
    assert runs[0].measurement.candidate > runs[0].measurement.baseline


@pytest.mark.alone  # a copy of a process with many threads may wait for what one of them held
def test_other_processes_judge_it_as_this_one_does(task):
    here = evolve(task, trials=8, seed=2)
    with ProcessPoolExecutor(2) as processes:
        assert evolve(task, trials=8, seed=2, executor=processes).lineage.digest == here.lineage.digest


def test_a_run_that_was_cut_off_goes_on_and_one_that_is_replayed_is_the_same(task, tmp_path):
    def run(*, resume: bool, replay=None):
        made = foreign_task(read_task(task), None)
        journal = TrialJournal(tmp_path / "runs", {"seed": 1, "baseline": made.program.digest}, str, resume=resume)
        try:
            return run_evolution(made, trials=8, seed=1, journal=None if replay else journal, resume=replay)
        finally:
            journal.close()

    first = run(resume=False)
    (path,) = (tmp_path / "runs").iterdir()
    lines = path.read_bytes().splitlines(keepends=True)
    for kept in (1, 5):
        path.write_bytes(b"".join(lines[:kept]) + lines[0][:9])
        assert run(resume=True).lineage.digest == first.lineage.digest
    replay = json.loads(first.to_json())["resume"]
    assert run(resume=False, replay=replay).lineage == first.lineage
    (task / "initial_program" / "deep" / "fixed.py").write_text("HALF = 0.25\n")
    with pytest.raises(EvolutionError, match="another seed or another program"):
        run(resume=False, replay=replay)


def test_nothing_is_written_where_any_of_the_files_has_changed(task):
    run = evolve(task, trials=8, seed=3)
    inner = task / "initial_program"
    for name in FILES:
        before = (inner / name).read_text()
        (inner / name).write_text(before + "# mine\n")
        with pytest.raises(DeployError, match=rf"{Path(name).name} has changed since.*run\.diff\(\)"):
            run.accept(self_reported=True)
        (inner / name).write_text(before)
    (inner / "helper.py").unlink()
    with pytest.raises(DeployError, match="cannot be written"):
        run.accept(self_reported=True)
    put(inner, FILES)
    (inner / "helper.py").rename(task / "moved.py")
    (inner / "helper.py").symlink_to(task / "moved.py")
    with pytest.raises(DeployError, match="has become a link"):
        run.accept(self_reported=True)
    assert (inner / "main.py").read_text() == MAIN
    assert (task / "moved.py").read_text() == HELPER


def test_where_one_file_cannot_take_its_place_the_others_get_their_texts_back(tmp_path, monkeypatch):
    put(tmp_path, {"a.py": "a", "b.py": "b"})
    replaced = Path.replace

    def replace(path, target):
        if target.name == "b.py":
            raise OSError("the disk is gone")
        return replaced(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(OSError, match="disk is gone"):
        _replace({tmp_path / "a.py": "new", tmp_path / "b.py": "new"})
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.py": "a", "b.py": "b"}


def test_what_cannot_be_a_program_says_why(task, tmp_path):
    inner = task / "initial_program"
    (inner / "link.py").symlink_to(inner / "helper.py")
    put(tmp_path, {"outside.py": "", "task/initial_program/.hidden.py": "", "task/initial_program/my_secrets.py": ""})
    (inner / "data.bin").write_bytes(b"\xff\x00")
    for files, told in (
        (["main.py", "link.py"], "is a link"),
        (["main.py", "../../outside.py"], "lies outside"),
        (["main.py", "/etc/hostname"], "lies outside"),
        (["main.py", ".hidden.py"], "may hold secrets"),
        (["main.py", "my_secrets.py"], "may hold secrets"),
        (["main.py", "absent.py"], "cannot be read"),
        (["main.py", "data.bin"], "no text in UTF-8"),
        (["main.py", "main.py"], "one name"),
        (["deep/fixed.py", "../initial_program/deep/fixed.py"], "one name"),
        (["main.py", "../evaluator.py"], "lies outside"),
    ):
        with pytest.raises(UsageError, match=told):
            evolve([inner / name for name in files], task / "evaluator.py", trials=1)
    with pytest.raises(UsageError, match=r"link.py is a link"):
        evolve(task, trials=1)
    (inner / "link.py").unlink()
    with pytest.raises(UsageError, match="no text in UTF-8"):
        evolve(task, trials=1)
    (inner / "data.bin").unlink()
    put(inner, {"a/b/c/d/e.py": ""})
    with pytest.raises(UsageError, match="deeper than 4 folders"):
        evolve(task, trials=1)
    with pytest.raises(UsageError, match="is the evaluator, and cannot be"):
        evolve([inner / "main.py", inner / "helper.py"], inner / "helper.py", trials=1)
    put(inner, {"main.zig": "// EVOLVE-BLOCK-START\n// EVOLVE-BLOCK-END\n"})
    with pytest.raises(UsageError, match=r"main.zig is no Python"):
        evolve([inner / "main.py", inner / "main.zig"], lambda program: {"score": 1.0}, trials=1)


def test_an_evaluator_of_our_own_form_judges_it_and_its_verdict_counts(task):
    """The functions of the first file are called here; in the sandbox it imports the others, as it does on the disk."""

    def judge(program):
        return {"score": 100.0 - abs(program.level() - 60.0)}

    run = evolve(task, confirm=judge, trials=8, seed=3)
    assert run.verdict.accepted
    assert run.verdict.reasons[0].startswith("self-reported: combined_score")
    assert run.best.files != run.baseline.files

    inner = task / "initial_program"
    paths = [inner / name for name in FILES]
    alone = evolve(paths, judge, trials=8, seed=3)
    assert alone.verdict.accepted
    written = alone.accept()
    assert {path.name for path in written} <= {"main.py", "helper.py"}
    assert evolve(paths, judge, trials=1).baseline.files == alone.best.files

    (inner / "helper.py").write_text(HELPER.replace("return x", "return undefined"))
    with pytest.raises(EvolutionError, match=r"NameError.*undefined"):
        evolve(paths, judge, trials=1)


def test_the_choices_that_any_of_the_files_declares_are_searched(tmp_path):
    main = "import helper\n# EVOLVE-BLOCK-START\nlanes = 1  # o: 1 2 4\n# EVOLVE-BLOCK-END\n"
    put(tmp_path, {
        "main.py": f"{main}def level(): return 10 * lanes + helper.lanes\n",
        "helper.py": "# EVOLVE-BLOCK-START\nlanes = 5  # o: 5 6\n# EVOLVE-BLOCK-END\n",
    })  # fmt: skip
    paths = [tmp_path / "main.py", tmp_path / "helper.py"]
    run = evolve(paths, lambda program: {"score": float(program.level())}, trials=20, seed=1)

    assert len(run.trials) == 6  # all that there are
    assert dict(run.trials[run.best_index].proposal.settings) == {"lanes": 4, "helper.py:lanes": 6}
    assert "lanes = 4" in dict(run.best.files)["main.py"]
    assert "lanes = 6" in dict(run.best.files)["helper.py"]


def test_a_file_beside_the_evaluator_never_stands_for_the_candidates(tmp_path):
    """An evaluator that imports a file of the program would judge that, and not what the candidate made of it."""
    flat = put(tmp_path / "flat", {**FILES, "evaluator.py": "import helper\n" + EVALUATOR})
    with pytest.raises(EvolutionError, match="No module named 'helper'"):
        evolve([flat / name for name in FILES], flat / "evaluator.py", trials=1)
    other = put(tmp_path / "other", {"evaluator.py": EVALUATOR, "helper.py": "def step(x): return 60.0\n"})
    with pytest.raises(UsageError, match="another one lies beside the evaluator"):
        evolve([flat / name for name in FILES], other / "evaluator.py", trials=1)


def test_a_candidate_after_another_in_one_process_imports_its_own_files():
    with Sandbox(profile="evaluator") as box:
        job = box.evaluator(LOAD + "def evaluate(path): return {'level': load(path).level()}\n")
        found = [
            job.evaluate(MAIN, name="main.py", beside={"helper.py": f"def step(x): return {k}.0\n"}).value["level"]
            for k in (1, 2)
        ]
        assert found == [1.0, 2.0]
        refused = job.evaluate(MAIN, name="main.py")
        assert "No module named 'helper'" in refused.error
        with pytest.raises(UsageError, match="relative"):
            job.evaluate(MAIN, name="main.py", beside={"../x.py": ""})


C_FILES = {
    "main.c": """#include "step.h"
// EVOLVE-BLOCK-START
int level(void) { return step(2); }
// EVOLVE-BLOCK-END
""",
    "step.h": "/* EVOLVE-BLOCK-START */\nstatic int step(int x) { return x + 3; }\n/* EVOLVE-BLOCK-END */\n",
}
ZIG_FILES = {
    "main.zig": 'const other = @import("parts/other.zig");\nexport fn level() i32 {\n    return other.step(2);\n}\n',
    "parts/other.zig": "pub fn step(x: i32) i32 {\n    return x + 3;\n}\n",
}
COMPILED = """
import ctypes, subprocess, sys, tempfile
def evaluate(path):
    place = tempfile.mkdtemp()
    library = place + "/library.so"
    if path.endswith(".c"):
        words = ["gcc", "-shared", "-fPIC", path, "-o", library]
    else:
        caches = ["--cache-dir", place, "--global-cache-dir", place]
        words = [sys.executable, "-m", "ziglang", "build-lib", "-dynamic", *caches, "-femit-bin=" + library, path]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {"combined_score": ctypes.CDLL(library).level()}
"""


def test_what_the_evaluator_compiles_finds_the_other_files(tmp_path, lacking):
    """A language that nobody here reads: the numbers in the blocks of both files are searched."""
    if shutil.which("gcc") is None:
        lacking("gcc", "there is no C compiler")
    put(tmp_path / "task" / "initial_program", C_FILES)
    run = evolve(put(tmp_path / "task", {"evaluator.py": COMPILED}), trials=5, seed=1)

    assert dict(run.trials[0].metrics)["combined_score"] == 5.0
    assert dict(run.trials[run.best_index].metrics)["combined_score"] > 5.0
    told = " ".join(item.proposal.hypothesis for item in run.trials)
    assert "main.c, line 3" in told
    assert "step.h, line 2" in told


def test_zig_is_there_for_an_evaluator_and_imports_the_other_file():
    with Sandbox(profile="evaluator", wall_seconds=60.0, cpu_seconds=60.0) as box:
        (main, text), *others = ZIG_FILES.items()
        answer = box.evaluator(COMPILED).evaluate(text, name=main, beside=dict(others))
    assert answer.value == {"combined_score": 5}, answer


def test_in_a_terminal_killed_in_the_middle_it_goes_on_and_every_file_is_written(task):
    slow = EVALUATOR.replace("def evaluate(path): ", "def evaluate(path):\n    time.sleep(0.15)\n    ")
    (task / "evaluator.py").write_text(f"import time\n{slow}")
    inner, best = task / "initial_program", task.parent / "best"
    paths = [f"initial_program/{name}" for name in FILES]
    words = [sys.executable, "-m", "project_o.cli", "evolve", *paths, "evaluator.py", "--trials", "6", "--seed", "3"]

    def lineage(*more):
        record = task.parent / "run.json"
        done = subprocess.run(
            [*words, "--record", str(record), *more], cwd=task, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(record.read_text())["lineage"], done.stdout

    killed = subprocess.Popen(words, cwd=task, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while max((path.read_bytes().count(b"\n") for path in task.rglob("*.trials")), default=0) < 3:
            assert time.monotonic() < until
            time.sleep(0.02)
    finally:
        killed.kill()
        killed.wait()
    again, told = lineage("--resume", "--accept", "--out", str(best))
    changed = [name for name, text in FILES.items() if (inner / name).read_text() != text]
    assert changed
    assert all(str(inner / name) in told for name in changed)
    assert {name: (best / name).read_text() for name in FILES} == {name: (inner / name).read_text() for name in FILES}
    put(inner, FILES)
    assert lineage()[0] == again
