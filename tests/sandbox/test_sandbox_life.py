"""Starting, ending, restarting: what lives is known, and nothing is left."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from project_o.errors import SandboxError
from project_o.sandbox import Sandbox, helper, probe, shared

KERNEL = Path(helper.__file__).resolve().parents[2]


def wait_until(condition, seconds=60.0):
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


def helper_of(box):
    """The warm process that a box uses: other tests' boxes may have some of other kinds."""
    return helper._helpers[next(kind for kind, users in helper._users.items() if box._number in users)]


def kill_helper_of(box):
    """By its descriptor: its number could be another's by now."""
    signal.pidfd_send_signal(helper_of(box).pidfd, signal.SIGKILL)


def soon_after_the_question(job, act):
    """Somebody acts a little while after the job was asked, however late that is."""
    threading.Thread(target=lambda: (wait_until(job._lock.locked), time.sleep(0.2), act())).start()


def descriptors():
    return sorted(os.readlink(entry.path) for entry in os.scandir("/proc/self/fd") if os.path.islink(entry.path))


# ------------------------------------------------------------------------------- nothing left


@pytest.mark.alone
def test_nothing_is_left_after_close():
    probe()
    before = descriptors()
    with Sandbox(wall_seconds=30) as box:
        import numpy as np

        jobs = [box.python("def f(x): return x\ndef g():\n    while True: pass") for _ in range(5)]
        assert all(job.ask("f", [np.zeros(10_000)]).ok for job in jobs)
        assert jobs[0].ask("g", seconds=0.2).ended == "wall-time"
        pids = [job.pid for job in jobs] + [helper_of(box).pid]
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


@pytest.mark.alone
def test_a_box_that_nobody_holds_is_closed_after_its_last_job():
    box = Sandbox()
    job = box.python("def f(): return 1")
    assert job.ask("f").value == 1
    pid = helper_of(box).pid
    del box, job
    wait_until(lambda: gone(pid))


def test_a_box_may_be_closed_under_a_question():
    box = Sandbox()
    job = box.python("import time\ndef f(): time.sleep(60)")
    answers = []
    thread = threading.Thread(target=lambda: answers.append(job.ask("f")))
    thread.start()
    wait_until(job._lock.locked)
    time.sleep(0.3)
    box.close()
    thread.join(60)
    assert not answers[0].ok
    assert answers[0].ended == "signal SIGKILL"


def test_a_killed_helper_is_replaced():
    with Sandbox() as box:
        job = box.python("def f(): return 1\ndef wait():\n    import time\n    time.sleep(60)")
        soon_after_the_question(job, lambda: kill_helper_of(box))
        answer = job.ask("wait")
        assert (answer.ok, answer.ended) == (False, "helper")
        wait_until(lambda: gone(job.pid))
        with box.python("def f(): return 2") as again:
            assert again.ask("f").value == 2


def test_an_interrupted_question_ends_the_job():
    with Sandbox() as box:
        job = box.python("def wait():\n    import time\n    time.sleep(60)")
        soon_after_the_question(job, lambda: os.kill(os.getpid(), signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            job.ask("wait")
        assert job.ended == "interrupted"
        assert not psutil.pid_exists(job.pid)


PARENT = """
import sys, time
sys.path.insert(0, {kernel!r})
from project_o.sandbox import Sandbox, helper
box = Sandbox(wall_seconds=60, deny={deny!r})
job = box.python("import time\\ndef f(): return 1\\ndef wait(): time.sleep(60)")
print(next(iter(helper._helpers.values())).pid, job.pid, flush=True)
"""


BOTH = pytest.mark.parametrize("deny", [(), ("namespaces",)], ids=["in namespaces", "without"])


def start(body, deny=()):
    """A kernel of its own, in its own process group; (process, helper's pid, job's pid)."""
    program = PARENT.format(kernel=str(KERNEL), deny=deny) + textwrap.dedent(body)
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    zygote, job = map(int, process.stdout.readline().split())
    return process, zygote, job


@BOTH
def test_an_interrupt_of_the_kernels_group_does_not_reach_the_helpers(deny):
    process, _, _ = start(
        """
        try:
            print("ready", flush=True)
            time.sleep(60)
        except KeyboardInterrupt:
            print(job.ask("f").value, box.python("def g(): return 2").ask("g").value, flush=True)
        """,
        deny,
    )
    with process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout.readline() == "1 2\n"
    assert process.returncode == 0


@BOTH
def test_when_the_kernel_is_killed_all_end(deny):
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
        """,
        deny,
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
                    print(own.ask("f").value, also.ask("f").value, next(iter(helper._helpers.values())).pid, flush=True)
            sys.exit()
        os.wait()
        print(first.ask("f").value, job.ask("f").value, next(iter(helper._helpers.values())).pid, flush=True)
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


BUILDING = """
import sys, threading, time
sys.path.insert(0, {kernel!r})
from pathlib import Path
from project_o.sandbox import Sandbox, build_memory, helper
box = Sandbox(wall_seconds=60, cpu_seconds=60, deny={deny!r})
source = '#if __INCLUDE_LEVEL__ < 90\\n#include "a.c"\\n#include "a.c"\\n#endif\\n'
threading.Thread(target=lambda: box.build(["cc", "-c", "a.c"], {{"a.c": source}}), daemon=True).start()
def compilers():
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "comm").read_text() == "cc1\\n":
                if str(build_memory.shared_folder() or helper) in (entry / "environ").read_text():
                    yield int(entry.name)
        except OSError:
            pass
while not (found := list(compilers())): time.sleep(0.01)
print(list(helper._helpers.values())[-1].pid, found[0], build_memory.shared_folder() or "-", flush=True)
time.sleep(60)
"""


@BOTH
@pytest.mark.parametrize("whom", ["kernel", "helper"])
def test_a_compiler_ends_with_whoever_ends(whom, deny, lacking):
    """Killed, they can do nothing about it themselves."""
    if not shutil.which("cc"):
        lacking("cc", "there is no C compiler")
    program = BUILDING.format(kernel=str(KERNEL), deny=deny)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        zygote, compiler, folder = process.stdout.readline().split()
        os.kill(process.pid if whom == "kernel" else int(zygote), signal.SIGKILL)
        wait_until(lambda: gone(int(compiler)) and gone(int(zygote)))
        process.kill()
    if whom == "kernel":  # else a later kernel takes away what lies there
        wait_until(lambda: not os.path.exists(folder) or not os.listdir(folder))


def test_a_helper_that_was_killed_a_moment_ago_is_replaced_too():
    """The process that set up its namespaces may be there for a moment longer."""
    with Sandbox() as box:
        for n in range(4):
            box.python("").close()
            kill_helper_of(box)
            with box.python(f"def f(): return {n}") as job:
                assert job.ask("f").value == n
