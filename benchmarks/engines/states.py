"""What it costs a cell to have its state kept: ours, git by hand, GitPython, Kishu; and looking back."""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..harness import Sample, UnavailableError, Visit, expect, timed

PAUSE_SECONDS = 0.05
"""Between two cells: as long as a quick user takes, so that what works in the background is not felt by the next."""
FOREIGN = "import module_{0}\n\n\ndef function_{0}(x):\n    return module_{0}.value + x\n"
KISHU = """
import builtins, json, os, sys, time
from pathlib import Path
os.environ["KISHU_TEST_MODE"] = "1"
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
builtins.get_ipython = lambda: shell
from kishu.jupyterint import KishuForJupyter
from kishu.notebook_id import NotebookId
kishu = KishuForJupyter(NotebookId("benchmark", Path("n.ipynb").absolute(), "kernel"), shell)
spent = []
def timed(hook):
    def wrapper(*args):
        began = time.perf_counter()
        try:
            return hook(*args)
        finally:
            spent.append(time.perf_counter() - began)
    return wrapper
shell.events.register("pre_run_cell", timed(kishu.pre_run_cell))
shell.events.register("post_run_cell", timed(kishu.post_run_cell))
answers, sys.stdout = sys.stdout, open(os.devnull, "w")
print("ready", file=answers, flush=True)
for line in sys.stdin:
    shell.run_cell(line, store_history=True)
    print(json.dumps(sum(spent)), file=answers, flush=True)
    spent.clear()
"""


def _source(cell: int, number: int) -> str:
    return "".join(f"value_{line} = compute(data[{cell}], step={number + line})\n" for line in range(9))


def _outputs(number: int) -> tuple[dict[str, Any], ...]:
    lines = "".join(f"row {row:3}  {number * row % 997:8}  {number / (row + 1):12.6f}\n" for row in range(12))
    return ({"output_type": "stream", "name": "stdout", "text": lines},)


def _cell(cell: int, number: int) -> dict[str, Any]:
    body = {"cell_type": "code", "id": f"c{cell}", "metadata": {}, "execution_count": number}
    outputs = [{**output, "text": output["text"].splitlines(True)} for output in _outputs(number)]
    return {**body, "source": _source(cell, number).splitlines(True), "outputs": outputs}


def repository(folder: Path, foreign: int) -> None:
    """What lies in a folder, and ``foreign`` files of Python besides, as the first commit of a user's repository."""
    for number in range(foreign):
        place = folder / f"package_{number % 50}" / f"module_{number}.py"
        place.parent.mkdir(exist_ok=True)
        place.write_text(FOREIGN.format(number))
    _git(folder, "init", "-q", "-b", "main")
    _git(folder, "config", "user.name", "Benchmark")
    _git(folder, "config", "user.email", "benchmark@example.org")
    _git(folder, "config", "gc.auto", "0")
    _git(folder, "add", ".")
    _git(folder, "commit", "-q", "-m", "first")


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


class _Notebook:
    """A notebook in a user's repository, with ``foreign`` other files that are tracked there."""

    def __init__(self, folder: str, cells: int, foreign: int) -> None:
        self.folder = Path(folder)
        self.path = self.folder / "n.ipynb"
        self.body = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}}
        self.body["cells"] = [_cell(cell, 0) for cell in range(cells)]
        self.write()
        repository(self.folder, foreign)

    def run(self, cell: int, number: int) -> None:
        """The cell was run: its source and outputs are others now."""
        self.body["cells"][cell] = _cell(cell, number)

    def write(self) -> None:
        self.path.write_text(json.dumps(self.body, indent=1, ensure_ascii=False), "utf-8")

    def git(self, *words: str) -> str:
        return _git(self.folder, *words)


@contextmanager
def _visits(cells: int, foreign: int, keep: Callable[[_Notebook, int, int], None]) -> Iterator[Visit]:
    numbers = itertools.count(1)
    with tempfile.TemporaryDirectory(prefix="o-states-", ignore_cleanup_errors=True) as folder:
        notebook = _Notebook(folder, cells, foreign)

        def visit() -> Sample:
            number, cell = next(numbers), random.randrange(cells)
            notebook.run(cell, number)
            sample: dict[str, float] = {}
            with timed(sample):
                keep(notebook, cell, number)
            time.sleep(PAUSE_SECONDS)
            return sample

        yield visit


@contextmanager
def history_state(cells: int, foreign: int = 0) -> Iterator[Visit]:
    """Ours: the time on the cell's path, before it and after it."""
    from project_o.history import CellRun, open_history

    with tempfile.TemporaryDirectory(prefix="o-states-", ignore_cleanup_errors=True) as folder:
        notebook = _Notebook(folder, cells, foreign)
        history = open_history(folder, "n.ipynb")
        for cell in range(cells):
            history.record(CellRun(f"c{cell}", _source(cell, 0), _outputs(0), 0))
        history.flush(600.0)
        numbers = itertools.count(1)

        def visit() -> Sample:
            number, cell = next(numbers), random.randrange(cells)
            run = CellRun(f"c{cell}", _source(cell, number), _outputs(number), number, started=time.time())
            sample: dict[str, float] = {}
            with timed(sample):
                history.begin(run)
                sequence = history.record(run)
            time.sleep(PAUSE_SECONDS)
            expect("sequence number", cells + number, sequence)
            return sample

        try:
            yield visit
            expect("git status", "", notebook.git("status", "--porcelain"))
            expect("cells", cells, len(history.cells("@")))
        finally:
            history.close(60.0)


@contextmanager
def git_state(cells: int, foreign: int = 0) -> Iterator[Visit]:
    """By hand: the notebook is written, ``git add`` and ``git commit``."""

    def keep(notebook: _Notebook, cell: int, number: int) -> None:
        notebook.write()
        notebook.git("add", "n.ipynb")
        notebook.git("commit", "-q", "-m", f"cell {cell}, {number}")

    with _visits(cells, foreign, keep) as visit:
        yield visit


@contextmanager
def gitpython_state(cells: int, foreign: int = 0) -> Iterator[Visit]:
    """GitPython's own way: the notebook is written, ``index.add`` and ``index.commit``."""
    import git

    opened: dict[Path, Any] = {}

    def keep(notebook: _Notebook, cell: int, number: int) -> None:
        repository = opened.get(notebook.folder) or opened.setdefault(notebook.folder, git.Repo(notebook.folder))
        notebook.write()
        repository.index.add(["n.ipynb"])
        repository.index.commit(f"cell {cell}, {number}")

    with _visits(cells, foreign, keep) as visit:
        yield visit


@contextmanager
def kishu_state(cells: int, foreign: int = 0) -> Iterator[Visit]:
    """Kishu's hooks before and after a cell. It keeps variables as well, and reads the notebook's file each time."""
    python = os.environ.get("KISHU_PYTHON", sys.executable)
    found = subprocess.run([python, "-c", "import kishu.jupyterint"], capture_output=True, check=False)
    if found.returncode:
        raise UnavailableError("kishu is not installed; KISHU_PYTHON names a Python that has it")
    numbers = itertools.count(1)
    with tempfile.TemporaryDirectory(prefix="o-states-", ignore_cleanup_errors=True) as folder:
        _Notebook(folder, cells, foreign)
        with subprocess.Popen(
            [python, "-c", KISHU], cwd=folder, env={**os.environ, "HOME": folder},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        ) as process:  # fmt: skip
            assert process.stdin is not None
            assert process.stdout is not None
            expect("kishu", "ready\n", process.stdout.readline())

            def visit() -> Sample:
                process.stdin.write(f"x = {next(numbers)}; print(x)\n")
                process.stdin.flush()
                spent = float(process.stdout.readline())
                time.sleep(PAUSE_SECONDS)
                return {"wall": spent}

            yield visit
            process.stdin.close()


# --------------------------------------------------------------------------- looking back


@contextmanager
def _recorded(cells: int) -> Iterator[Any]:
    from project_o.history import CellRun, open_history

    with tempfile.TemporaryDirectory(prefix="o-states-", ignore_cleanup_errors=True) as folder:
        history = open_history(folder, "n.ipynb")
        for cell in range(cells):
            history.record(CellRun(f"c{cell}", _source(cell, 0), _outputs(0), 0))
        history.flush(600.0)
        for number in range(10):
            history.record(CellRun(f"c{number}", _source(number, 7), _outputs(7), number))
        history.flush(600.0)
        subprocess.run(["git", f"--git-dir={history.store}", "repack", "-adq"], check=True)
        try:
            yield history
        finally:
            history.close()


@contextmanager
def history_diff(cells: int) -> Iterator[Visit]:
    """Neighbouring states: what changed, sources first."""
    with _recorded(cells) as history:

        def visit() -> Sample:
            sample: dict[str, float] = {}
            with timed(sample):
                found = history.diff("@~1", "@")
            expect("changed cells", ["c9"], [one.id for one in found.cells])
            return sample

        yield visit


@contextmanager
def nbdime_diff(cells: int) -> Iterator[Visit]:
    """nbdime on the two notebooks as they are in memory."""
    import nbformat
    from nbdime import diff_notebooks

    with _recorded(cells) as history:
        old, new = (nbformat.from_dict(history._look().notebook_json(history.resolve(state))) for state in ("@~1", "@"))

        def visit() -> Sample:
            sample: dict[str, float] = {}
            with timed(sample):
                found = diff_notebooks(old, new)
            expect("differs", True, bool(found))
            return sample

        yield visit


@contextmanager
def history_restore(cells: int) -> Iterator[Visit]:
    """A state is written back to its notebook: what was there is kept first, and a state says so."""
    with _recorded(cells) as history:
        numbers, path, state = itertools.count(1), Path(history.notebook), history.resolve("@~10")
        history.restore(state)

        def visit() -> Sample:
            sample: dict[str, float] = {}
            edited = json.loads(path.read_text("utf-8"))
            edited["cells"][1]["source"] = f"edited {next(numbers)}"  # and not run: the file alone has it
            path.write_text(json.dumps(edited, indent=1, ensure_ascii=False), "utf-8")
            with timed(sample):
                restored = history.restore(state)
            expect("kept first", edited["cells"][1]["source"], history.cells(restored.replaced)[1].source)
            expect("written back", _source(1, 0), "".join(json.loads(path.read_text("utf-8"))["cells"][1]["source"]))
            return sample

        yield visit


@contextmanager
def git_restore(cells: int) -> Iterator[Visit]:
    """By hand: what is there is committed, and the file of an old commit is checked out."""
    with tempfile.TemporaryDirectory(prefix="o-states-", ignore_cleanup_errors=True) as folder:
        notebook = _Notebook(folder, cells, 0)
        numbers = itertools.count(1)

        def visit() -> Sample:
            number = next(numbers)
            notebook.run(number % cells, number)
            notebook.write()
            sample: dict[str, float] = {}
            with timed(sample):
                notebook.git("add", "n.ipynb")
                notebook.git("commit", "-q", "-m", "before")
                notebook.git("checkout", "-q", "HEAD~1", "--", "n.ipynb")
                notebook.git("commit", "-q", "-m", "restored")
            return sample

        yield visit
