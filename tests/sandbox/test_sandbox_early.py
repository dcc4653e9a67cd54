"""A job that waits for its library: what it answers is what a job of that library answers, and nobody has to ask."""

import time
from pathlib import Path

import numpy as np
import pytest

from project_o import limits
from project_o.errors import SandboxError
from project_o.sandbox import Sandbox
from project_o.toolchain import build, guard_path
from project_o.values import Program

CELL = """
pub fn total(a: []const f64) f64 {
    var sum: f64 = 0;
    for (a) |x| sum += x;
    return sum;
}
pub fn fails(a: []const f64) f64 {
    return a[a.len];
}
"""


@pytest.fixture(scope="module")
def artifact():
    return build(Program("early", "zig", (("cell.zig", CELL),)))


@pytest.fixture(scope="module", params=[(), ("namespaces",)], ids=["in namespaces", "without"])
def box(request, artifact):
    with Sandbox(wall_seconds=5, deny=request.param) as box:
        with box.native(artifact.path, artifact.interface) as job:  # from now on there is a warm process
            assert job.loaded.ok
        yield box


def test_it_answers_as_a_job_that_was_made_for_its_library(box, artifact):
    early = box.early(guard_path())
    with early.native(artifact.path, artifact.interface) as job:
        assert job.ask("total", [np.arange(5.0)], fenced=True).value == 10.0
        assert job.ask("fails", [np.arange(5.0)]).fault["kind"] == "panic"
        assert job.level == box.level

    assert early.native(artifact.path, artifact.interface) is None


def test_it_finds_what_it_is_given_and_nothing_else(box, artifact, tmp_path):
    elsewhere = tmp_path / "other.so"
    elsewhere.write_bytes(Path(artifact.path).read_bytes())
    early = box.early(guard_path())
    channel = early._channel
    answer = channel.exchange({"op": "guard", "path": str(elsewhere)}, 5.0).body
    early.close()

    assert answer["ok"] is False


def test_it_ends_by_itself_and_with_its_box(box, artifact, monkeypatch):
    monkeypatch.setattr(limits, "EARLY_SECONDS", 0.1)
    early = box.early(guard_path())
    pid = early._channel.pid
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)

    assert not Path(f"/proc/{pid}").exists()
    assert early.native(artifact.path, artifact.interface) is None

    with Sandbox(deny=box._deny) as other:
        pid = other.early(guard_path())._channel.pid
    assert not Path(f"/proc/{pid}").exists()


def test_there_is_none_where_it_would_have_to_be_waited_for(artifact):
    with Sandbox(profile="isolate") as box:
        assert box.early(guard_path()) is None
    box = Sandbox(preload=("fractions",))  # a warm process of its own, which nobody has started
    assert box.early(guard_path()) is None
    box.close()
    assert box.early(guard_path()) is None


def test_a_library_that_is_gone_is_said_and_leaves_nothing(box, artifact):
    early = box.early(guard_path())
    pid = early._channel.pid
    with pytest.raises(SandboxError, match="cannot be tried"):
        early.native("/nowhere/at/all.so", artifact.interface)

    assert not Path(f"/proc/{pid}").exists()


def test_a_dismissed_job_is_gone_soon_and_nobody_waits(box, artifact):
    job = box.native(artifact.path, artifact.interface)
    pid = job.pid
    job.dismiss()
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)

    assert not Path(f"/proc/{pid}").exists()
