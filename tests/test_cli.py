"""The command in a terminal: the verbs of %o, notebooks, and honest exit codes."""

import os
import subprocess
import sys

import nbformat
import pytest


def project_o(*words, cwd, **environment):
    return subprocess.run(
        [sys.executable, "-m", "project_o.cli", *words],
        cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip


def test_the_doctor_finds_a_working_installation(tmp_path):
    done = project_o("doctor", cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    for word in ("python", "zig", "sandbox", "history", "disk", "a native call"):
        assert word in done.stdout


def test_the_doctor_fails_without_a_compiler_and_says_what_to_do(tmp_path):
    done = project_o("doctor", cwd=tmp_path, PROJECT_O_ZIG=str(tmp_path / "none"), PROJECT_O_CACHE=str(tmp_path / "c"))

    assert done.returncode == 1
    assert "zig" in done.stdout
    assert "install" in done.stdout


@pytest.mark.parametrize(
    ("words", "code"), [(["dance"], 2), (["off"], 2), ([], 2), (["show", "nosuchstate"], 1), (["serving", "none"], 1)]
)
def test_what_fails_says_so_in_its_exit_code(tmp_path, words, code):
    done = project_o(*words, cwd=tmp_path)

    assert done.returncode == code
    assert "Traceback" not in done.stderr


def test_help_and_version(tmp_path):
    assert "history" in project_o("--help", cwd=tmp_path).stdout
    assert project_o("--version", cwd=tmp_path).stdout.strip().count(".") == 2


@pytest.mark.parametrize("verb", ["on", "history", "restore", "canary", "replay", "run", "evolve"])
def test_each_command_says_what_it_takes(tmp_path, verb):
    for word in ("--help", "-h"):
        done = project_o(verb, word, cwd=tmp_path)

        assert (done.returncode, done.stderr) == (0, "")
        assert verb in done.stdout
    assert list(tmp_path.iterdir()) == [], "nothing was done"


def test_every_verb_says_what_it_takes(tmp_path):
    from project_o.operations import VERBS, Context, run_verb

    for name, verb in VERBS.items():
        told = repr(run_verb(Context(None, {}, ""), [name, "--help"], "project-o"))
        assert verb.help in told
        for (flag, *_), options in verb.arguments:
            written = flag if flag.startswith("-") else "|".join(options.get("choices", [])) or flag.upper()
            assert written in told


def test_a_terminal_that_knows_ascii_only_gets_the_words(tmp_path):
    done = project_o("config", cwd=tmp_path, PYTHONIOENCODING="ascii")

    assert (done.returncode, done.stderr) == (0, "")
    assert "dispatcher" in done.stdout


def test_a_reader_that_has_seen_enough_is_no_failure(tmp_path):
    command = f"{sys.executable} -m project_o --help | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_notebook_that_names_no_kernel_runs_in_pythons(tmp_path):
    parameters = nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["parameters"]})
    cells = [parameters, nbformat.v4.new_code_cell("print(x)")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "in.ipynb")
    done = project_o("run", "in.ipynb", "out.ipynb", "-p", "x", "42", cwd=tmp_path)

    assert (done.returncode, done.stdout) == (0, "out.ipynb\n"), done.stderr
    assert nbformat.read(tmp_path / "out.ipynb", 4).cells[-1].outputs[0].text == "42\n"


def test_a_notebook_runs_with_parameters_and_its_history_can_be_read_in_the_terminal(tmp_path):
    parameters = nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["parameters"]})
    cells = [parameters, nbformat.v4.new_code_cell("%load_ext project_o\nprint('x is', x)")]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), tmp_path / "in.ipynb")
    done = project_o("run", "in.ipynb", "out.ipynb", "-p", "x", "42", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "x is 42" in (tmp_path / "out.ipynb").read_text()
    assert project_o("where", cwd=tmp_path).returncode == 0


def test_a_failing_notebook_fails_the_command(tmp_path):
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [nbformat.v4.new_code_cell("%load_ext project_o"), nbformat.v4.new_code_cell("%o dance")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), tmp_path / "in.ipynb")
    done = project_o("run", "in.ipynb", cwd=tmp_path)

    assert done.returncode == 1
    assert "dance" in done.stderr


def test_a_run_notebooks_cells_are_known_by_their_ids(tmp_path):
    cells = [nbformat.v4.new_code_cell("%load_ext project_o", id="first")]
    cells += [nbformat.v4.new_code_cell("print('twice')", id=name) for name in ("one", "two")]
    cells.append(nbformat.v4.new_code_cell("facts = %o where\nprint(facts['cells known by'])", id="last"))
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), tmp_path / "in.ipynb")
    done = project_o("run", "in.ipynb", "out.ipynb", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "the ids that the front end sends" in (tmp_path / "out.ipynb").read_text()
    from project_o.history import open_history

    history = open_history(tmp_path, "out.ipynb")
    states = [dict(state.facts).get("cell") for state in history.states()]
    assert states == ["last", "two", "one", "first"]
    assert [cell.id for cell in history.cells("@")] == ["first", "one", "two", "last"]
    history.close()
