"""Starting, ending, restarting: what lives is known, and nothing is left."""

import functools
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from project_o.errors import SandboxError, UsageError
from project_o.sandbox import Sandbox, box, helper, level, policy, probe, shared

KERNEL = Path(helper.__file__).resolve().parents[2]


def wait_until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def gone(pid):
    """No process of that number, or one that only waits for the machine's first process to take note of its end."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def descriptors():
    return sorted(os.readlink(entry.path) for entry in os.scandir("/proc/self/fd") if os.path.islink(entry.path))


# ------------------------------------------------------------------------------- levels


def test_the_level_is_found_by_trying():
    found = probe()
    assert found.name == "L2", found.reason
    assert found.reason == ""
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
    assert level.judge({**good, "write a file outside": False}, good, 7).name == "L1"
    assert level.judge(None, good, 0).name == "L1"
    lost = level.judge(good, {**good, "connect": False}, 7)
    assert lost.name == "L0"
    assert "connect" in lost.reason
    assert level.judge(good, None, 7).name == "L0"


def test_a_lock_that_fails_is_a_failed_job(monkeypatch):
    """Fail closed: the source is never run."""
    real = box.configuration
    monkeypatch.setattr(box, "configuration", lambda **more: {**real(**more), "readable": ["/etc/passwd/nothing"]})
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
    assert finished.stdout == "L2 42 True\n", finished.stderr


# ------------------------------------------------------------------------------- nothing left


def alone(test):
    """Run a test in a process of its own: what other tests hold open in this one is none of its business."""

    @functools.wraps(test)
    def wrapper():
        if "PROJECT_O_TEST_ALONE" in os.environ:
            test()
            return
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"{__file__}::{test.__name__}"]
        answer = subprocess.run(
            command, env={**os.environ, "PROJECT_O_TEST_ALONE": "1"}, capture_output=True, text=True, check=False
        )
        assert answer.returncode == 0, answer.stdout

    return wrapper


@alone
def test_nothing_is_left_after_close():
    probe()
    before = descriptors()
    with Sandbox(wall_seconds=0.2) as box:
        import numpy as np

        jobs = [box.python("def f(x): return x\ndef g():\n    while True: pass") for _ in range(5)]
        assert all(job.ask("f", [np.zeros(10_000)]).ok for job in jobs)
        jobs[0].ask("g")
        pids = [job.pid for job in jobs] + [helper._current.process.pid]
        jobs[1].close()
        jobs[1].close()
        with pytest.raises(SandboxError, match="closed"):
            jobs[1].ask("f", [1])
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert descriptors() == before
    assert not psutil.Process().children(recursive=True)
    with pytest.raises(SandboxError, match="closed"):
        box.python("")
    box.close()


def test_a_forgotten_job_is_ended():
    with Sandbox() as box:
        pid = box.python("").pid
        wait_until(lambda: not psutil.pid_exists(pid))


@alone
def test_a_box_that_nobody_holds_is_closed_after_its_last_job():
    job = Sandbox().python("def f(): return 1")
    assert job.ask("f").value == 1
    pid = helper._current.process.pid
    del job
    wait_until(lambda: gone(pid))


def test_a_box_may_be_closed_under_a_question():
    box = Sandbox()
    job = box.python("import time\ndef f(): time.sleep(60)")
    answers = []
    thread = threading.Thread(target=lambda: answers.append(job.ask("f")))
    thread.start()
    time.sleep(0.1)
    box.close()
    thread.join(10)
    assert not answers[0].ok
    assert answers[0].ended == "signal SIGKILL"


def test_a_killed_helper_is_replaced():
    with Sandbox() as box:
        job = box.python("def f(): return 1\ndef wait():\n    import time\n    time.sleep(60)")
        threading.Timer(0.2, lambda: os.kill(helper._current.process.pid, signal.SIGKILL)).start()
        answer = job.ask("wait")
        assert (answer.ok, answer.ended) == (False, "helper")
        wait_until(lambda: gone(job.pid))
        with box.python("def f(): return 2") as again:
            assert again.ask("f").value == 2


def test_an_interrupted_question_ends_the_job():
    with Sandbox() as box:
        job = box.python("def wait():\n    import time\n    time.sleep(60)")
        threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            job.ask("wait")
        assert job.ended == "interrupted"
        assert not psutil.pid_exists(job.pid)


PARENT = """
import sys, time
sys.path.insert(0, {kernel!r})
from project_o.sandbox import Sandbox, helper
box = Sandbox(wall_seconds=60)
job = box.python("import time\\ndef f(): return 1\\ndef wait(): time.sleep(60)")
print(helper._current.process.pid, job.pid, flush=True)
"""


def start(body):
    """A kernel of its own, in its own process group; (process, helper's pid, job's pid)."""
    program = PARENT.format(kernel=str(KERNEL)) + textwrap.dedent(body)
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    zygote, job = map(int, process.stdout.readline().split())
    return process, zygote, job


def test_an_interrupt_of_the_kernels_group_does_not_reach_the_helpers():
    process, _, _ = start(
        """
        print("ready", flush=True)
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            print(job.ask("f").value, box.python("def g(): return 2").ask("g").value, flush=True)
        """
    )
    with process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout.readline() == "1 2\n"
    assert process.returncode == 0


def test_when_the_kernel_is_killed_all_end():
    """Also with a forked copy of the kernel that still holds the control socket."""
    process, zygote, job = start(
        """
        import os
        copy = os.fork()
        if copy:
            print(copy, flush=True)
        else:
            time.sleep(60)
        job.ask("wait")
        """
    )
    with process:
        copy = int(process.stdout.readline())
        process.kill()
        wait_until(lambda: gone(zygote) and gone(job))
        os.kill(copy, signal.SIGKILL)


def test_a_thread_that_started_the_helper_may_end():
    """A parent-death signal would come when the thread ends."""
    with Sandbox() as box:
        jobs = []
        thread = threading.Thread(target=lambda: jobs.append(box.python("def f(): return 1")))
        thread.start()
        thread.join()
        time.sleep(0.1)
        assert jobs[0].ask("f").value == 1


def test_a_forked_copy_of_the_kernel_has_its_own():
    process, zygote, _ = start(
        """
        import os
        from project_o.errors import SandboxError
        from project_o.sandbox import shared
        first = shared().python("def f(): return 1")
        if os.fork() == 0:
            with shared().python("def f(): return 2") as own, box.python("def f(): return 3") as also:
                try:
                    first.ask("f")
                except SandboxError as error:
                    print(own.ask("f").value, also.ask("f").value, helper._current.process.pid, flush=True)
            sys.exit()
        os.wait()
        print(first.ask("f").value, job.ask("f").value, helper._current.process.pid, flush=True)
        """
    )
    with process:
        a, b, other = map(int, process.stdout.readline().split())
        c, d, mine = map(int, process.stdout.readline().split())
    assert (a, b, c, d) == (2, 3, 1, 1)
    assert mine == zygote != other
    wait_until(lambda: gone(zygote) and gone(other))


def test_shared_is_one_and_made_again_after_close():
    one = shared()
    assert shared() is one
    one.close()
    assert shared() is not one
    shared().close()


# ------------------------------------------------------------------------------- concurrency


def test_jobs_do_not_wait_for_each_other():
    with Sandbox(wall_seconds=30) as box, box.python("import time\ndef f(): time.sleep(20)") as slow:
        thread = threading.Thread(target=slow.ask, args=("f",))
        thread.start()
        for n in range(5):
            with box.python("def f(x): return x") as job:
                assert job.ask("f", [n]).value == n
        assert thread.is_alive()
        os.kill(slow.pid, signal.SIGKILL)
        thread.join()
        assert slow.ended == "signal SIGKILL"


def test_many_threads_share_a_box():
    def work(n):
        with box.python(f"def f(x): return x + {n}") as job:
            return [job.ask("f", [k]).value for k in range(20)]

    with Sandbox() as box, ThreadPoolExecutor(8) as pool:
        got = list(pool.map(work, range(40)))
    assert got == [[n + k for k in range(20)] for n in range(40)]


def test_threads_may_share_a_job():
    with Sandbox() as box, ThreadPoolExecutor(8) as pool, box.python("def f(x): return x") as job:
        assert list(pool.map(lambda n: job.ask("f", [n]).value, range(200))) == list(range(200))


# ------------------------------------------------------------------------------- tables


@pytest.mark.parametrize("name", policy.MACHINES)
@pytest.mark.parametrize("stage", ["files", "strict"])
def test_filters_are_well_formed(name, stage):
    machine = policy.MACHINES[name]
    program = policy.filter_program(machine, stage, 4711)
    assert program[-1] == (policy.RETURN, 0, 0, policy.REFUSE_EPERM)
    for at, (code, if_true, if_false, _) in enumerate(program):
        if code in (policy.JUMP_EQUAL, policy.JUMP_AT_LEAST, policy.JUMP_SET):
            assert at + 1 + max(if_true, if_false) < len(program)
    code, at = policy.encoded_program(machine, stage)
    assert len(code) == 8 * len(program)
    assert at % 8 == 4
    calls = policy.allowed_calls(machine, stage)
    assert len(calls) == len(set(calls))
    assert (machine.seccomp in calls) == (stage == "files")


def test_strict_is_files_without_paths():
    for machine in policy.MACHINES.values():
        files, strict = (set(policy.allowed_calls(machine, stage)) for stage in ("files", "strict"))
        assert strict < files
    assert platform.machine() in policy.MACHINES
