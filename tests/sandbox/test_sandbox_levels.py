"""What holds on this machine, found by trying, and what is refused where it does not hold."""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from project_o.errors import SandboxError, UsageError
from project_o.sandbox import Sandbox, box, helper, level, policy, probe

KERNEL = Path(helper.__file__).resolve().parents[2]


# ------------------------------------------------------------------------------- levels


def test_the_level_is_found_by_trying():
    found = probe()
    assert found.name in ("L2", "L3"), found.reason
    assert (found.reason == "") == (found.name == "L3")
    assert all(stopped for _, stopped in found.tried)
    assert {"connect", "start a process", "signal another process"} <= {what for what, _ in found.tried}


def test_without_landlock_native_code_and_scratch_are_refused():
    with Sandbox(deny=("landlock",)) as box:
        assert box.level == "L1"
        assert "landlock" in box.level_reason
        with box.python("def f(): return 1\ndef g(): return open('/etc/passwd')") as job:
            assert job.ask("f").value == 1
            assert job.ask("g").denied
        with pytest.raises(SandboxError, match="native code is refused"):
            box.native(shutil.which("true"), None)
    with Sandbox(deny=("landlock",), scratch_bytes=1 << 20) as box, pytest.raises(SandboxError, match="scratch"):
        box.python("")


def test_without_anything_candidates_are_refused_unless_allowed():
    with Sandbox(deny=("landlock", "seccomp")) as box:
        assert box.level == "L0"
        assert "unsafe" in box.level_reason
        with pytest.raises(SandboxError, match="unsafe"):
            box.python("def f(): return 1")
    with Sandbox(deny=("landlock", "seccomp"), allow=("unsafe",)) as box:
        assert box.level == "L0"
        with box.python("def f(): return 1") as job:
            assert job.ask("f").value == 1


def test_what_was_not_stopped_lowers_the_level():
    good = dict.fromkeys(("open a file outside", "write a file outside", "connect", "start a process"), True)
    assert level.judge(good, good, 7).name == "L2"
    inside = dict.fromkeys(level.NAMESPACE_TRIES, True)
    assert level.judge(good, good, 7, inside).name == "L3"
    seen = level.judge(good, good, 7, {**inside, "see a file outside": False})
    assert (seen.name, "see a file outside" in seen.reason) == ("L2", True)
    assert level.judge({**good, "write a file outside": False}, good, 7, inside).name == "L1"
    assert level.judge({**good, "write a file outside": False}, good, 7).name == "L1"
    assert level.judge(None, good, 0).name == "L1"
    lost = level.judge(good, {**good, "connect": False}, 7)
    assert lost.name == "L0"
    assert "connect" in lost.reason
    assert level.judge(good, None, 7).name == "L0"


def test_a_lock_that_fails_is_a_failed_job(monkeypatch):
    """Fail closed: the source is never run."""
    real = box.configuration
    monkeypatch.setattr(box, "configuration", lambda **more: {**real(**more), "readable": ["/dev/null/nothing"]})
    with Sandbox() as sandbox, sandbox.python("print('ran')\ndef f(): return 1") as job:
        assert job.loaded.ended == "setup"
        assert "NotADirectoryError" in job.loaded.error
        answer = job.ask("f")
        assert (answer.ok, answer.ended, answer.log) == (False, "setup", "")


def test_unknown_words_are_refused():
    for more in ({"profile": "loose"}, {"allow": ("everything",)}, {"deny": ("time",)}, {"wall_seconds": 0}):
        with pytest.raises(UsageError):
            Sandbox(**more)
    with pytest.raises(UsageError, match="scratch_bytes"):
        Sandbox(scratch_bytes=-1)
    with pytest.raises(SandboxError, match="no library"), Sandbox() as box:
        box.native("/nothing/here.so", None)


OTHER_USER = 65534


@pytest.fixture
def other_users_python(lacking):
    """(an interpreter, a folder with our package) that a user without rights can read."""
    environment = {"PATH": "/usr/bin:/bin"}
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    for candidate in (Path(sys.executable).resolve(), *map(Path, ("/usr/bin/python3", "/usr/local/bin/python3"))):
        try:
            subprocess.run([candidate, "-c", check], user=OTHER_USER, cwd="/", env=environment, check=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        break
    else:
        lacking("other-user", "there is no Python 3.11 or newer that another user may run")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(KERNEL / "project_o", Path(folder) / "project_o", ignore=shutil.ignore_patterns("*.pyc"))
        os.chmod(folder, 0o755)
        yield candidate, folder


def test_an_ordinary_user_has_the_same_level(other_users_python, lacking):
    if os.geteuid() != 0:
        lacking("root", "only the superuser may become another user; the other tests run as one already")
    program = """
import os, sys
sys.path.insert(0, sys.argv[1])
from project_o.sandbox import Sandbox
assert os.geteuid() != 0
with Sandbox() as box, box.python("def f(x): return 2 * x\\ndef g(): return open('/etc/passwd')") as job:
    print(box.level, job.ask("f", [21]).value, job.ask("g").denied)
"""
    python, folder = other_users_python
    command = [python, "-S", "-c", program, folder]
    finished = subprocess.run(
        command,
        user=OTHER_USER,
        group=OTHER_USER,
        extra_groups=[],
        text=True,
        capture_output=True,
        cwd="/",
        check=False,
    )
    assert finished.stdout in ("L2 42 True\n", "L3 42 True\n"), finished.stderr


# ------------------------------------------------------------------------------- tables


@pytest.mark.parametrize("name", policy.MACHINES)
@pytest.mark.parametrize("stage", ["files", "strict"])
def test_filters_are_well_formed(name, stage):
    machine = policy.MACHINES[name]
    wanted = policy.Filter(stage, allowed=("sched_setaffinity", "umask"), denied=("getrandom", "fcntl"))
    program = policy.filter_program(machine, wanted, 4711)
    assert program[-1] == (policy.RETURN, 0, 0, policy.REFUSE_EPERM)
    for at, (code, if_true, if_false, _) in enumerate(program):
        if code in (policy.JUMP_EQUAL, policy.JUMP_AT_LEAST, policy.JUMP_SET):
            assert at + 1 + max(if_true, if_false) < len(program)
    code, own_at = policy.encoded_program(machine, wanted)
    assert len(code) == 8 * len(program)
    assert len(own_at) == 2
    assert all(at % 8 == 4 for at in own_at)
    calls = policy.allowed_calls(machine, wanted)
    assert len(calls) == len(set(calls))
    assert (machine.seccomp in calls) == (stage == "files")


def test_strict_is_files_without_paths():
    for machine in policy.MACHINES.values():
        files, strict = (set(policy.allowed_calls(machine, policy.Filter(stage))) for stage in ("files", "strict"))
        assert strict < files
    assert platform.machine() in policy.MACHINES
