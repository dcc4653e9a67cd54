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
from project_o.sandbox.calls import CALLS

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
    assert len(own_at) == 3
    assert all(at % 8 == 4 for at in own_at)
    calls = policy.allowed_calls(machine, wanted)
    assert len(calls) == len(set(calls))
    assert (machine.seccomp in calls) == (stage == "files")


class Asked:
    """What a filter says of one call: the instructions that ours are made of (bpf(4), seccomp(2))."""

    def __init__(self, machine, kept=0x7EFB):
        self.program = policy.filter_program(machine, policy.Filter("strict", kept=kept), 4711)
        self.machine, self.block = machine, kept << 32

    def __call__(self, name, *arguments):
        words = [CALLS[name][self.machine.column], self.machine.audit, 0, 0]
        for value in (*arguments, *[0] * (6 - len(arguments))):
            words += [value & 0xFFFFFFFF, value >> 32 & 0xFFFFFFFF]
        at, held, other = 0, 0, 0
        while True:
            code, if_true, if_false, k = self.program[at]
            at += 1
            if code == policy.RETURN:
                return k == policy.ALLOW
            if code == policy.LOAD:
                held = words[k // 4]
            elif code == policy.REMEMBER:
                other = held
            elif code == policy.AND:
                held &= k
            elif code == policy.ADD_REMEMBERED:
                held = (held + other) & 0xFFFFFFFF
            else:
                true = {
                    policy.JUMP_EQUAL: held == k,
                    policy.JUMP_AT_LEAST: held >= k,
                    policy.JUMP_SET: bool(held & k),
                    policy.JUMP_AT_LEAST_REMEMBERED: held >= other,
                }[code]
                at += if_true if true else if_false


@pytest.mark.parametrize("name", policy.MACHINES)
def test_what_is_shared_cannot_be_given_back(name):
    """No range that meets the block, from whichever side, and each that does not."""
    asked = Asked(policy.MACHINES[name])
    block, size, page = asked.block, 1 << 32, 4096
    inside = [
        (block, page), (block + size - page, page), (block - page, 2 * page), (block - size - page, size + 2 * page),
        (block - 3 * size, 9 * size), (block, 9 * size), (block - page, 10 * size), (page, block),
    ]  # fmt: skip
    outside = [
        (block - page, page), (block + size, page), (block - size, size - page), (block - size + page, page),
        (page, page), (block + size, 9 * size), (block - 3 * size, 2 * size), (page, block - page),
        (0x7FFFF0000000, page), (block - size + page, size - page),
    ]  # fmt: skip
    private, fixed, moved = 0x22, 0x10, 1 | policy.MREMAP_FIXED
    for at, many in inside:
        assert not asked("munmap", at, many), (hex(at), hex(many))
        assert not asked("mmap", at, many, 3, private | fixed)
        assert not asked("mremap", at, many, page, 1)
        assert not asked("mremap", page, page, many, moved, at)
    for at, many in outside:
        assert asked("munmap", at, many), (hex(at), hex(many))
        assert asked("mmap", at, many, 3, private | fixed)
        assert asked("mremap", at, many, page, 1)
        assert asked("mremap", page, page, many, moved, at)
    assert asked("mmap", block, page, 3, private)  # a wish, which covers nothing
    assert not asked("mmap", 0, page, 3, policy.MAP_SHARED_ANONYMOUS)
    assert not asked("mmap", 0, page, 3, private | policy.MAP_GROWS_DOWN)


@pytest.mark.parametrize("name", policy.MACHINES)
def test_of_others_nothing_is_told_by_clocks_and_locks(name):
    asked = Asked(policy.MACHINES[name])
    for call in ("clock_gettime", "clock_getres", "clock_nanosleep"):
        assert all(asked(call, number) for number in (0, 1, 2, 3, 7, -2, -6))
        assert not any(asked(call, (~pid << 3) | kind) for pid in (1, 4711) for kind in (2, 6))
    assert all(asked("futex", 0, operation) for operation in (0, 1, 128, 129, 9, 137, 10, 256 | 137, 5, 4, 3))
    assert not any(asked("futex", 0, operation) for operation in (6, 7, 8, 11, 12, 13, 134, 141))
    assert asked("sched_getaffinity", 0)
    assert asked("sched_getaffinity", 4711)
    assert not asked("sched_getaffinity", 1)


def test_strict_is_files_without_paths():
    for machine in policy.MACHINES.values():
        files, strict = (set(policy.allowed_calls(machine, policy.Filter(stage))) for stage in ("files", "strict"))
        assert strict < files
    assert platform.machine() in policy.MACHINES
