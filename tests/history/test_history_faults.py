"""Stores that cannot be used, secrets, and sizes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project_o.errors import HistoryWarning
from project_o.history import CellRun, open_history
from project_o.history.redact import Redactor, cut_text, mark, secret_values, shrink
from project_o.limits import OUTPUT_BYTES_MAX


@pytest.fixture(autouse=True)
def own_data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "data home"
    monkeypatch.setenv("XDG_DATA_HOME", str(home))
    return home


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "work"
    path.mkdir()
    return path


def lack(what: str) -> None:
    """Skip where the machine cannot stage a fault, unless the run demands it."""
    if "history-faults" in os.environ.get("PROJECT_O_REQUIRE", ""):
        pytest.fail(what)
    pytest.skip(what)


def used(folder: Path) -> Path:
    """A folder whose store was used once; its store."""
    history = open_history(folder)
    history.record(CellRun("a", "1"))
    history.flush()
    store = Path(history.where()["store"])
    history.close()
    deadline = time.monotonic() + 60
    while list((store / "journal").glob("*/*")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return store


def goes_elsewhere(folder: Path, home: Path, why: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", HistoryWarning)
        history = open_history(folder)
        history.record(CellRun("b", "2"))
        history.record(CellRun("c", "3"))
        assert [c.id for c in history.cells("@")] == ["b", "c"]
    assert [why in str(w.message) for w in caught if w.category is HistoryWarning] == [True]
    facts = history.where()
    assert facts["kind"] == "data"
    assert Path(facts["store"]).is_relative_to(home)
    assert why in facts["problem"]
    history.close()


@pytest.mark.parametrize(
    "damage",
    [
        lambda store: (store / "HEAD").write_bytes(b"\xff\x00garbage"),
        lambda store: (store / "project-o.json").write_text("{"),
        lambda store: shutil.rmtree(store / "objects"),
        lambda store: (shutil.rmtree(store / "refs"), (store / "refs").write_text("a file")),
        lambda store: (shutil.rmtree(store), store.write_text("a file")),
    ],
)
def test_a_corrupt_store_is_left_alone_and_the_history_goes_elsewhere(
    folder: Path, own_data_home: Path, damage
) -> None:
    store = used(folder)
    damage(store)
    goes_elsewhere(folder, own_data_home, str(store))


def test_a_foreign_store_is_left_alone(folder: Path, own_data_home: Path) -> None:
    if os.geteuid() != 0:
        lack("only root can give a folder to another user")
    store = used(folder)
    os.chown(store, 54321, 54321)
    before = sorted(p.name for p in store.rglob("*"))
    goes_elsewhere(folder, own_data_home, "belongs to another user")
    assert sorted(p.name for p in store.rglob("*")) == before


READ_ONLY = """
import sys, warnings
from project_o.history import CellRun, open_history
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    history = open_history(sys.argv[1])
    number = history.record(CellRun("a", "1"))
    state = history.note("save", "", "x", {}, {})
    facts = history.where()
print([str(w.message) for w in caught])
print(number, bool(state.id), facts["kind"], facts["lost"])
history.close()
"""


def without_rights(program: str, *arguments: str, **environment: str) -> str:
    """Run a program for which read-only means read-only, root or not."""
    before: list[str] = []
    if os.geteuid() == 0:
        tool = shutil.which("setpriv")
        if not tool:
            lack("setpriv is not installed: root ignores permissions")
        before = [str(tool), "--bounding-set=-all", "--inh-caps=-all"]
    done = subprocess.run(
        [*before, sys.executable, "-c", program, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_in_a_read_only_folder_the_history_goes_to_the_data_home(folder: Path, own_data_home: Path) -> None:
    folder.chmod(0o555)
    try:
        said, result = without_rights(READ_ONLY, str(folder)).splitlines()
    finally:
        folder.chmod(0o755)
    assert result == "1 True data 0"
    assert len(json.loads(said.replace("'", '"'))) == 1
    assert "cannot be written" in said
    assert list(folder.iterdir()) == []


def test_where_nothing_can_be_written_cells_run_and_the_loss_is_told(folder: Path, tmp_path: Path) -> None:
    sealed = tmp_path / "sealed"
    sealed.mkdir()
    for path in (folder, sealed):
        path.chmod(0o555)
    try:
        said, result = without_rights(READ_ONLY, str(folder), XDG_DATA_HOME=str(sealed / "deep")).splitlines()
    finally:
        for path in (folder, sealed):
            path.chmod(0o755)
    assert result == "0 False none 2"
    assert "nothing is recorded" in said


FULL = """
import sys, warnings
from project_o.history import CellRun, open_history
{limit}
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    history = open_history(sys.argv[1])
    numbers = []
    for n in range(200):
        output = {{"output_type": "stream", "name": "stdout", "text": str(n) * 2000}}
        numbers.append(history.record(CellRun("a", f"x = {{n}}", (output,))))
    {relief}
    facts = history.where()
print(len([w for w in caught if "could not be recorded" in str(w.message)]))
print(sum(map(bool, numbers)), facts["lost"], "could not be recorded" in facts["problem"])
history.close()
"""


def check_full(output: str) -> None:
    warned, counts = output.splitlines()
    kept, lost, told = counts.split()
    assert warned == "1"
    assert int(kept) + int(lost) == 200
    assert int(lost) > 0
    assert told == "True"


def test_when_files_may_not_grow_cells_run_and_the_loss_is_told_once(folder: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"
    program = FULL.format(limit=limit, relief="pass")
    done = subprocess.run([sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    check_full(done.stdout)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "disk"
    path.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(path)], capture_output=True, check=False
    )
    if done.returncode:
        lack("a small file system cannot be mounted here")
    yield path
    for _ in range(100):
        if subprocess.run(["umount", str(path)], capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.1)
    subprocess.run(["umount", "-l", str(path)], check=False)


def test_a_full_disk_loses_only_what_did_not_fit_and_what_did_is_committed_later(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(b"x" * 100_000)
    done = subprocess.run(
        [sys.executable, "-c", FULL.format(limit="", relief="pass"), str(small_disk)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    check_full(done.stdout)
    kept = int(done.stdout.splitlines()[1].split()[0])
    subprocess.run(["mount", "-o", "remount,size=30m", str(small_disk)], check=True)
    history = open_history(small_disk)
    deadline = time.monotonic() + 60
    while len(history.states(1000)) < kept and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(history.states(1000)) == kept
    history.close()


def test_a_note_on_a_full_disk_waits_for_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recorder cannot write its objects; the journal could: the state comes once there is room."""
    history = open_history(folder)
    history.record(CellRun("a", "1"))
    history.flush()
    objects = Path(history.where()["store"], "objects")
    moved = objects.rename(objects.with_name("gone"))
    with pytest.warns(HistoryWarning, match="stay in the journal"):
        state = history.note("evolve", "dot", "x", {}, {})
    assert state.id == ""
    moved.rename(objects)
    history.flush()
    assert [s.kind for s in history.states()] == ["evolve", "run"]
    history.close()


# ------------------------------------------------------------------------------------ secrets and sizes

TOKENS = {
    "openai": "sk-" + "Ab1" * 12,
    "github": "ghp_" + "a1B2" * 9,
    "aws": "AKIA" + "ABCD1234" * 2,
    "google": "AIza" + "Sy_x-" * 7,
    "slack": "xoxb-" + "1234567890-abc",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlc2ln",
    "key": "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
}


@pytest.mark.parametrize("name", TOKENS)
def test_tokens_are_replaced_and_equal_ones_stay_equal(name: str) -> None:
    token = TOKENS[name]
    clean = Redactor(()).text(f"a = {token!s} b\n{token}")
    assert token not in clean
    assert clean == f"a = {mark(token)} b\n{mark(token)}"


def test_ordinary_text_is_left_alone() -> None:
    text = "task-force ask-me sk-learn eyJ hf_model npm_run AKIAbut AIza git -----BEGIN CERTIFICATE-----"
    assert Redactor(()).text(text) == text


@given(secret=st.text(st.characters(codec="utf-8"), min_size=8, max_size=30), around=st.text(max_size=30))
def test_no_value_of_a_secret_variable_survives(secret: str, around: str) -> None:
    values = secret_values({"MY_API_KEY": secret, "PATH": "/usr/bin:/bin", "PIN_TOKEN": "short"})
    assert values == (secret,)
    clean = Redactor(values).value({"a": [around + secret + around], secret: 1})
    assert secret not in json.dumps(clean, ensure_ascii=False).replace(json.dumps(mark(secret))[1:-1], "")


def test_no_secret_reaches_the_store(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat

    token, value, late = TOKENS["github"], "correct horse battery", "set while running"
    monkeypatch.setenv("SERVICE_PASSWORD", value)
    history = open_history(folder, "n.ipynb")
    history.record(CellRun("first", "1"))
    history.flush()
    monkeypatch.setenv("LATE_SECRET", late)
    markdown = nbformat.v4.new_markdown_cell(f"{token} {value} {late}", id="m")
    nbformat.write(nbformat.v4.new_notebook(cells=[markdown]), folder / "n.ipynb")
    outputs = (
        {"output_type": "stream", "name": "stdout", "text": f"{token} {value} {late}"},
        {
            "output_type": "display_data",
            "data": {"text/html": f"<b>{value}</b>", "application/json": {late: [token]}},
            "metadata": {},
        },
        {"output_type": "error", "ename": "E", "evalue": value, "traceback": [f"line {token}"]},
    )
    cell = CellRun("a", f"key = '{token}'  # {value}", outputs)
    history.begin(cell)
    history.record(cell)
    history.note("evolve", "dot", f"with {late}", {"why": value}, {"programs/dot/cell.zig": f"// {token}"})
    assert mark(token) in history.cells("@")[-1].source
    store = Path(history.where()["store"])
    dump = b"".join(p.read_bytes() for p in (store / "journal").rglob("*") if p.is_file())
    names = subprocess.run(
        ["git", f"--git-dir={store}", "cat-file", "--batch-all-objects", "--batch"], capture_output=True, check=True
    ).stdout
    for secret in (token, value, late):
        assert secret.encode() not in dump + names
    history.close()


def test_large_text_is_cut_and_says_how_much(folder: Path) -> None:
    big = "x" * (OUTPUT_BYTES_MAX + 1)
    cut = cut_text(big)
    assert len(cut) < 200_000
    assert f"of {len(big)} bytes left out" in cut
    assert cut_text("y" * OUTPUT_BYTES_MAX) == "y" * OUTPUT_BYTES_MAX
    image = {"output_type": "display_data", "data": {"image/png": big}, "metadata": {}}
    assert "image/png" not in Redactor(()).outputs([image])[0]["data"]
    cell = shrink(
        {"source": "s", "outputs": [image, {"output_type": "stream", "name": "stdout", "text": "kept"}]}, 1000
    )
    assert cell["outputs"][1]["text"] == "kept"
    assert "left out of the history" in cell["outputs"][0]["text"]


def test_a_record_over_the_bound_is_shrunk_not_lost(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("project_o.history.recording.JOURNAL_RECORD_BYTES_MAX", 10_000)
    history = open_history(folder)
    outputs = tuple({"output_type": "stream", "name": name, "text": "z" * 9000} for name in ("stdout", "stderr"))
    assert history.record(CellRun("a", "1", outputs)) == 1
    assert "left out of the history" in str(history.cells("@")[0].outputs)
    history.close()
