"""The history from inside a real kernel: every cell a commit, verbs that work, and a store that may be broken."""

import subprocess
import time

import nbformat
import papermill
import pytest


def git(folder, *words):
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True).stdout


def sound(store):
    """Git finds nothing wrong; while a recorder writes or packs, fsck may miss what moves, so it is asked again."""
    for _ in range(5):
        found = subprocess.run(["git", "fsck", "--full"], cwd=store, capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return
        time.sleep(1)
    raise AssertionError(found.stdout + found.stderr)


@pytest.fixture
def repository(tmp_path):
    """A user's repository with something committed and something staged."""
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "config", "user.name", "Ada")
    git(tmp_path, "config", "user.email", "ada@example.org")
    (tmp_path / "a.txt").write_text("one\n")
    git(tmp_path, "add", "a.txt")
    git(tmp_path, "commit", "-q", "-m", "first")
    (tmp_path / "a.txt").write_text("two\n")
    git(tmp_path, "add", "a.txt")
    return tmp_path


def everything(folder):
    """All that the user could notice of a repository."""
    index = (folder / ".git" / "index").read_bytes()
    words = (
        ["for-each-ref"],
        ["config", "-l"],
        ["status", "--porcelain"],
        ["log", "--all", "--format=%H"],
        ["stash", "list"],
    )
    return index, (folder / ".git" / "HEAD").read_text(), [git(folder, *each) for each in words]


def test_every_cell_is_a_commit_and_the_users_repository_is_as_it_was(repository, start_kernel):
    before = everything(repository)
    kernel = start_kernel(repository)
    for k in range(5):
        kernel.run(f"print('hello {k}')")
    shown = kernel.run("states = %o history\nstates")

    assert shown.status == "ok", shown.text
    assert kernel.value("[dict(s.facts)['status'] for s in states][:5]") == "['ok', 'ok', 'ok', 'ok', 'ok']"
    store = kernel.value("get_ipython().run_line_magic('o', 'where')['store']").strip("'")
    assert store == str(repository / ".git" / "o")
    commit = kernel.value("states[0].id").strip("'")
    assert git(store, "cat-file", "-t", commit).strip() == "commit"
    assert git(store, "log", "-1", "--format=%an", commit).strip() == "Ada"
    sound(store)
    assert everything(repository) == before


def test_show_diff_save_and_restore(tmp_path, start_kernel):
    notebook = tmp_path / "work.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1", id="one")]), notebook)
    kernel = start_kernel(tmp_path, environment={"PROJECT_O_NOTEBOOK": str(notebook)})
    kernel.run("x = 1\nprint('one')")
    saved = kernel.run('saved = %o save "before the change"\nsaved')
    kernel.run("x = 2\nprint('two')")
    diff = kernel.run("%o diff before-the-change")
    shown = kernel.run("%o show before-the-change")
    restored = kernel.run("%o restore before-the-change")

    assert saved.status == "ok", saved.text
    assert "+print('two')" in diff.text
    assert "before the change" in shown.text
    assert restored.status == "ok", restored.text
    text = notebook.read_text()
    assert "print('one')" in text
    assert "print('two')" not in text
    assert kernel.value("x") == "2", "variables stay"
    assert "x = 2" in kernel.run("%o history").text, "nothing is rewound"


def test_off_stops_recording_on_starts_it_and_clean_removes_it(tmp_path, start_kernel):
    kernel = start_kernel(tmp_path)
    kernel.run("first = 1")
    kernel.run("%o off")
    kernel.run("secret_cell = 2")
    kernel.run("%o on")
    listed = kernel.run("%o history").text

    assert "first = 1" in listed
    assert "secret_cell" not in listed
    assert (tmp_path / ".o" / "store.git").is_dir()
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    assert git(tmp_path, "ls-files").strip() == ""
    cleaned = kernel.run("%o clean")
    assert cleaned.status == "ok", cleaned.text
    assert not (tmp_path / ".o" / "store.git").exists()
    assert kernel.run("still = 'running'").status == "ok"


def test_secrets_are_redacted_before_they_are_written(tmp_path, start_kernel):
    kernel = start_kernel(tmp_path, environment={"MY_API_KEY": "very-secret-value-123"})
    ran = kernel.run("import os; print(os.environ['MY_API_KEY'])")
    kernel.run("%o history")

    assert "very-secret-value-123" in ran.text, "the user still sees it"
    store = tmp_path / ".o" / "store.git"
    everything_stored = git(store, "log", "-p", "--all")
    assert "very-secret-value-123" not in everything_stored
    assert "[redacted" in everything_stored


def test_a_broken_store_warns_once_and_the_cells_run(tmp_path, start_kernel):
    (tmp_path / ".o").mkdir()
    (tmp_path / ".o" / "store.git").write_text("not a store")
    kernel = start_kernel(tmp_path, environment={"XDG_DATA_HOME": str(tmp_path / "data")})
    first = kernel.run("print('one')")
    second = kernel.run("print('two')")
    where = kernel.run("%o where")

    assert (first.status, second.status) == ("ok", "ok")
    assert "one" in first.text
    assert (first.text + second.text).count("HistoryWarning") == 1
    assert where.status == "ok"
    assert (tmp_path / ".o" / "store.git").read_text() == "not a store"


def test_a_kernel_that_is_killed_loses_no_cell(tmp_path, start_kernel):
    kernel = start_kernel(tmp_path)
    kernel.run("kept = 'every cell before'")
    kernel.run("import os")
    process = kernel.manager.provisioner.process
    kernel.client.execute("print('dying'); os.kill(os.getpid(), 9)")
    process.wait(timeout=30)
    later = start_kernel(tmp_path)
    later.run("1")
    listed = later.run("%o history").text

    assert "kept = " in listed
    assert "dying" in listed


def test_papermill_sends_no_ids_and_every_cell_is_there_all_the_same(tmp_path):
    cells = [
        nbformat.v4.new_code_cell(source) for source in ("%load_ext project_o", "print('same')", "print('same')", "4")
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "in.ipynb")
    papermill.execute_notebook(
        str(tmp_path / "in.ipynb"),
        str(tmp_path / "out.ipynb"),
        kernel_name="python3",
        cwd=str(tmp_path),
        progress_bar=False,
    )
    store = tmp_path / ".o" / "store.git"
    tip = git(store, "for-each-ref", "--format=%(refname)", "refs/o").split()[0]
    subjects = git(store, "log", "--format=%s", tip)

    assert subjects.count("same") == 2
    sound(store)
