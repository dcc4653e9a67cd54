"""The folder of a job as the kernel reads it and takes it away: it is hostile."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from project_o.sandbox import Sandbox, scratch

MIB = 1 << 20


def deep(folder, levels, name="d" * 80):
    """A folder so deep that no path reaches its end."""
    at = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=at)
        below = os.open(name, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    Path(f"/proc/self/fd/{at}/end").write_bytes(b"x" * 100)
    os.close(at)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    yield folder
    subprocess.run(["rm", "-rf", folder], check=True)


def test_any_depth_is_removed(folder):
    deep(folder, 1200)
    scratch.remove(str(folder))
    assert not folder.exists()


def test_links_are_removed_and_what_they_lead_to_stays(folder, tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("kept")
    (folder / "below").mkdir()
    for place in (folder, folder / "below"):
        (place / "folder").symlink_to(kept)
        (place / "file").symlink_to(kept / "file")
        (place / "nothing").symlink_to("/nothing/here")
    os.mkfifo(folder / "below" / "fifo")
    assert scratch.used_bytes(str(folder), 10 * MIB) < MIB
    scratch.remove(str(folder))
    assert not folder.exists()
    assert (kept / "file").read_text() == "kept"
    (tmp_path / "link").symlink_to(kept)
    scratch.remove(str(tmp_path / "link"))
    scratch.remove(str(tmp_path / "never was"))
    assert (kept / "file").exists()


def test_locked_folders_are_counted_and_removed(ordinary_user):
    """As an ordinary user, from whom such a folder keeps its entries."""
    base = Path(tempfile.mkdtemp(prefix="o-test-"))
    inner = base / "locked" / "inner"
    inner.mkdir(parents=True)
    (inner / "file").write_bytes(b"x" * 3 * MIB)
    inner.chmod(0)
    inner.parent.chmod(0o300)
    assert scratch.used_bytes(str(base), 100 * MIB) > 3 * MIB
    inner.chmod(0)
    inner.parent.chmod(0)
    scratch.remove(str(base))
    assert not base.exists()


def test_what_cannot_be_counted_is_too_much(folder):
    deep(folder, scratch.DEPTH_MAX - 1)
    assert scratch.used_bytes(str(folder), 100 * MIB) < 10 * MIB
    deep(folder, scratch.DEPTH_MAX + 2, "other")
    assert scratch.used_bytes(str(folder), 100 * MIB) > 100 * MIB
    assert scratch.used_bytes(str(folder / "never was"), MIB) == 0


def test_counting_ends_where_it_is_enough(folder):
    for k in range(100):
        (folder / f"{k}").touch()
    assert (
        10 * scratch.ENTRY_BYTES < scratch.used_bytes(str(folder), 10 * scratch.ENTRY_BYTES) < 20 * scratch.ENTRY_BYTES
    )


DIGGER = """
import os
def dig(levels):
    at = os.open(".", os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d" * 80, dir_fd=at)
        below = os.open("d" * 80, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    return os.getcwd()
"""


@pytest.mark.parametrize("preload", [(), ("colorsys",)])
def test_a_job_that_dug_deep_is_ended_and_leaves_nothing(preload):
    """Deeper than this interpreter's own recursion, which shutil.rmtree takes for each level."""
    assert sys.getrecursionlimit() < 1200
    with Sandbox(scratch_bytes=8 * MIB, wall_seconds=5, preload=preload) as box:
        with box.python(DIGGER) as job:
            folder = job._channel.folder
            assert not job.ask("dig", [1200]).ok or job.ask("dig", [1]).ended == "scratch-quota"
        assert not os.path.lexists(folder)
    if preload:  # which no other box has: its warm process was its own, and so was the folder of that
        assert not os.path.lexists(os.path.dirname(folder))


HOLDER = """
import os, sys, time
def hold(mib, how, seconds):
    kept = []
    for k in range(mib):
        fd = os.open(f"f{k}", os.O_CREAT | os.O_RDWR)
        os.write(fd, bytes(1 << 20))
        os.unlink(f"f{k}")
        if how == "mapped":
            import mmap
            kept.append(mmap.mmap(fd, 1 << 20))
            os.close(fd)
        else:
            kept.append(fd)
    time.sleep(seconds)
    return sorted(os.listdir("."))
def later(mib):
    frame = sys._getframe()
    while "question" not in frame.f_locals: frame = frame.f_back
    os.write(4, b'{"id": "%s", "ok": true, "value": 1}\\n' % frame.f_locals["question"]["id"].encode())
    for k in range(mib): open(f"f{k}", "wb").write(bytes(1 << 20))
    time.sleep(60)
"""


@pytest.mark.parametrize("how", ["open", "mapped"])
@pytest.mark.parametrize("level", [(), ("namespaces",)])
def test_removed_files_that_are_held_count(how, level):
    with Sandbox(scratch_bytes=8 * MIB, wall_seconds=30, deny=level) as box:
        with box.python(HOLDER) as job:
            assert job.ask("hold", [4, how, 0.3]).value == []
        with box.python(HOLDER) as job:
            assert job.ask("hold", [30, how, 60]).ended == "scratch-quota"


def test_a_job_that_is_not_asked_is_watched_too():
    with Sandbox(scratch_bytes=8 * MIB, wall_seconds=30) as box, box.python(HOLDER) as job:
        assert job.ask("later", [40]).value == 1
        deadline = time.monotonic() + 30
        while os.path.exists(f"/proc/{job.pid}") and time.monotonic() < deadline:
            time.sleep(0.01)
        assert job.ask("later", [1]).ended == "scratch-quota"
