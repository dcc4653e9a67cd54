"""Which notebook a kernel belongs to, and how that is known."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from project_o.history import find_notebook

NOWHERE: dict[str, str] = {}


def test_the_notebook_is_found_in_the_order_of_trust(tmp_path: Path) -> None:
    for name in ("own.ipynb", "in.ipynb", "out.ipynb", "lab.ipynb"):
        (tmp_path / name).write_text("{}")
    variables = {
        "PAPERMILL_INPUT_PATH": "in.ipynb",
        "PAPERMILL_OUTPUT_PATH": "out.ipynb",
        "__vsc_ipynb_file__": "/c/vs.ipynb",
    }
    environ = {"PROJECT_O_NOTEBOOK": "own.ipynb", "JPY_SESSION_NAME": "RTC:lab.ipynb"}
    found = []
    for drop in (
        "PROJECT_O_NOTEBOOK",
        "PAPERMILL_OUTPUT_PATH",
        "PAPERMILL_INPUT_PATH",
        "__vsc_ipynb_file__",
        "JPY_SESSION_NAME",
    ):
        path, how = find_notebook(variables, environ, str(tmp_path), NOWHERE)
        found.append(Path(path or "").name)
        assert drop in how
        variables.pop(drop, None)
        environ.pop(drop, None)
    assert found == ["own.ipynb", "out.ipynb", "in.ipynb", "vs.ipynb", "lab.ipynb"]
    assert find_notebook(variables, environ, str(tmp_path), NOWHERE) == (
        None,
        "no front end told the kernel its notebook",
    )


def test_a_session_name_that_is_no_file_or_inherited_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "lab.ipynb").write_text("{}")
    (tmp_path / "notes.txt").write_text("")
    for name in ("gone.ipynb", "notes.txt", "7d2f-uuid"):
        assert find_notebook({}, {"JPY_SESSION_NAME": name}, str(tmp_path), NOWHERE)[0] is None
    session = {"JPY_SESSION_NAME": "lab.ipynb"}
    assert find_notebook({}, session, str(tmp_path), session) == (
        None,
        "JPY_SESSION_NAME is inherited from the process that started this kernel",
    )


def test_inheritance_is_seen_in_the_real_parent(tmp_path: Path) -> None:
    (tmp_path / "lab.ipynb").write_text("{}")
    ask = "import os; from project_o.history import find_notebook; print(find_notebook({}, os.environ, os.getcwd())[0])"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {ask!r}], check=True)"
    environment = os.environ | {"JPY_SESSION_NAME": "lab.ipynb"}
    inherited = subprocess.run(
        [sys.executable, "-c", outer], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    own = subprocess.run(
        [sys.executable, "-c", ask], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert inherited.stdout.strip() == "None"
    assert own.stdout.strip() == str(tmp_path / "lab.ipynb")
