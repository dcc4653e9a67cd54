"""Candidates that try to break out. Success is judged out here: by canaries, listeners, victims and later answers."""

import os
import select
import signal
import socket
import subprocess
import time

import pytest

from project_o.sandbox import Sandbox

FORGE = """
import json, os, sys
def forge(value):
    frame = sys._getframe()
    while "question" not in frame.f_locals or "id" not in frame.f_locals["question"]:
        frame = frame.f_back
    body = {"id": frame.f_locals["question"]["id"], "ok": True, "value": "VALUE"}
    os.write(4, json.dumps(body).replace('"VALUE"', value).encode() + b"\\n")
"""


@pytest.fixture(scope="module")
def box():
    with Sandbox(wall_seconds=5, cpu_seconds=4, memory_bytes=256 << 20) as box:
        assert box.level in ("L2", "L3"), box.level_reason
        yield box


@pytest.fixture
def ask(box):
    """Load a source, ask its function ``attack``, end the job."""

    def ask(source, *args, **more):
        with box.python(source) as job:
            return job.ask("attack", args, **more)

    return ask


@pytest.fixture
def victim():
    """A process of the same user, which no candidate may touch."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_the_attacks_are_live(tmp_path, victim):
    """The control: without the locks they succeed, so it is the locks that stop them."""
    canary = tmp_path / "canary"
    canary.write_text("the secret")
    source = """
import os, socket, subprocess
def read(path): return open(path).read()
def write(path): open(path, "w").write("changed")
def connect(port): socket.create_connection(("127.0.0.1", port)).close()
def fork(): return subprocess.run(["true"]).returncode
def kill(pid): os.kill(pid, 9)
"""
    with Sandbox(profile="isolate") as box, box.python(source) as job:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            assert job.ask("connect", [listener.getsockname()[1]]).ok
        assert job.ask("read", [str(canary)]).value == "the secret"
        assert job.ask("write", [str(canary)]).ok
        assert job.ask("fork").value == 0
        assert job.ask("kill", [victim.pid]).ok
    assert canary.read_text() == "changed"
    assert victim.wait(5) == -signal.SIGKILL


# ------------------------------------------------------------------------------- files, secrets


def test_a_file_outside_cannot_be_read(ask, tmp_path):
    canary = tmp_path / "canary"
    canary.write_text("the secret of the canary")
    for body in (
        "open(path).read()",
        "os.read(os.open(path, os.O_RDONLY), 99)",
        "os.stat(path).st_size",
        "os.listdir(os.path.dirname(path))",
        "os.readlink('/proc/self/exe')",
        "__import__('ctypes').CDLL(path)",
    ):
        answer = ask(f"import os\ndef attack(path): return {body}", str(canary))
        assert not answer.ok
        assert answer.denied, body
        assert "the secret" not in repr(answer)


def test_a_file_outside_cannot_be_written_or_made(ask, tmp_path):
    canary = tmp_path / "canary"
    canary.write_text("as it was")
    for body in (
        "open(path, 'w')",
        "open(path + '.new', 'w')",
        "os.unlink(path)",
        "os.mkdir(path + '.d')",
        "os.symlink('/', path + '.l')",
        "os.rename(path, path + '.moved')",
        "os.chmod(path, 0)",
        "os.utime(path)",
        "os.truncate(path, 0)",
    ):
        assert ask(f"import os\ndef attack(path): return {body}", str(canary)).denied, body
    assert canary.read_text() == "as it was"
    assert [entry.name for entry in tmp_path.iterdir()] == ["canary"]


def test_the_environment_of_the_kernel_is_not_there(monkeypatch):
    monkeypatch.setenv("O_TEST_TOKEN", "token-in-the-kernel")
    with Sandbox() as box, box.python("import os\ndef attack(): return dict(os.environ)") as job:
        answer = job.ask("attack")
    assert answer.ok
    assert "O_TEST_TOKEN" not in answer.value


@pytest.mark.parametrize("name", ["environ", "mem", "maps", "root", "fd"])
def test_the_kernel_cannot_be_seen_through_proc(ask, name):
    source = f"def attack(pid): return open(f'/proc/{{pid}}/{name}', 'rb').read(10)"
    assert ask(source, os.getpid()).denied


# ------------------------------------------------------------------------------- network, processes, signals


def test_no_connection_reaches_a_listener(ask, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket(socket.AF_UNIX) as local:
        local.bind(str(tmp_path / "s"))
        local.listen()
        port = listener.getsockname()[1]
        for body in (
            f"socket.create_connection(('127.0.0.1', {port}))",
            f"socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port}))",
            f"socket.socket(socket.AF_UNIX).connect({str(tmp_path / 's')!r})",
            "socket.socketpair()",
        ):
            assert ask(f"import socket\ndef attack(): return {body}").denied, body
        assert select.select([listener, local], [], [], 0.05)[0] == []


@pytest.mark.parametrize(
    "body",
    [
        "os.fork()",
        "os.forkpty()",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.execv('/bin/true', ['true'])",
        "os.system('true') and 1/0",
        "ctypes.CDLL(None, use_errno=True).syscall(435, 0, 0) and 1/0",
        "threading.Thread(target=print).start()",
    ],
)
def test_no_process_and_no_thread_can_be_made(ask, body):
    answer = ask(f"import os, ctypes, threading\ndef attack(): return {body}")
    assert not answer.ok
    assert answer.ended == ""


def test_others_cannot_be_signalled_or_limited(ask, victim):
    for body in (
        "os.kill(pid, 9)",
        "os.killpg(0, 9)",
        "os.kill(-1, 9)",
        "os.kill(os.getppid(), 9)",
        "signal.pidfd_send_signal(os.pidfd_open(pid), 9)",
        "resource.prlimit(pid, resource.RLIMIT_CPU, (0, 0))",
        "os.sched_setaffinity(pid, [0])",
        "os.setpriority(os.PRIO_PROCESS, pid, 19)",
        "fcntl.fcntl(4, 8, pid) or fcntl.fcntl(4, 10, 9)",
    ):
        source = f"import os, signal, resource, fcntl\ndef attack(pid): return {body}"
        answer = ask(source, victim.pid)
        assert not answer.ok, body
        assert answer.ended == "", body
    assert victim.poll() is None


def test_system_calls_that_reach_around_are_refused(ask, victim):
    """ptrace, process_vm_readv, memfd_create, io_uring_setup, shmget, userfaultfd, bpf, unshare, mount."""
    source = """
import ctypes
def attack(pid, numbers):
    libc = ctypes.CDLL(None, use_errno=True)
    got = {}
    for number in numbers:
        ctypes.set_errno(0)
        got[str(number)] = (libc.syscall(number, 16, pid, 0, 0, 0, 0), ctypes.get_errno())
    return got
"""
    answer = ask(source, victim.pid, [101, 310, 319, 425, 29, 323, 321, 272, 165, 434, 438, 317, 157])
    assert answer.ok, answer
    assert set(answer.value.values()) == {(-1, 1)}


def test_limits_cannot_be_raised(ask):
    for body in (
        "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
        "resource.setrlimit(resource.RLIMIT_CPU, (1000, 1000))",
        "resource.prlimit(0, resource.RLIMIT_CORE, (-1, -1))",
    ):
        assert not ask(f"import resource\ndef attack(): return {body}").ok


# ------------------------------------------------------------------------------- time, memory, output


@pytest.mark.parametrize(
    ("body", "ended"),
    [
        ("while True: pass", "cpu-time"),
        ("import time; time.sleep(60)", "wall-time"),
        ("import signal; signal.raise_signal(signal.SIGSTOP)", "wall-time"),
        ("import signal; [signal.signal(s, signal.SIG_IGN) for s in (2, 15, 24)]\n    while True: pass", "cpu-time"),
        ("while True:\n      try:\n        while True: pass\n      except BaseException: pass", "cpu-time"),
        ("9**9**9", "cpu-time"),
    ],
)
def test_what_does_not_stop_is_killed(body, ended):
    wall, cpu = (30, 0.3) if ended == "cpu-time" else (0.5, 30)
    with Sandbox(wall_seconds=wall, cpu_seconds=cpu) as box:
        job = box.python(f"def attack():\n    {body}")
        answer = job.ask("attack")
        assert (answer.ok, answer.ended) == (False, ended)
        assert job.ask("attack").ended == ended
        assert not os.path.exists(f"/proc/{job.pid}")


def test_a_limit_of_time_is_hardly_passed():
    with Sandbox(wall_seconds=0.2) as box:
        asked = (box.python("def attack():\n    while True: pass").ask("attack") for _ in range(40))
        assert any(answer.ended == "wall-time" and 0.2 <= answer.wall_seconds < 0.25 for answer in asked)


def test_an_endless_load_is_a_failed_job():
    with Sandbox(wall_seconds=0.3) as box, box.python("while True: pass") as job:
        assert job.loaded.ended == "wall-time"
        assert job.ask("attack").ended == "wall-time"


def test_memory_is_bounded(box):
    with box.python("def attack():\n    hold = []\n    while True: hold.append(bytearray(1 << 20))") as job:
        answer = job.ask("attack")
        assert answer.error.startswith("MemoryError")
        assert job.ask("attack").error.startswith("MemoryError")
    assert job.peak_memory_bytes < box.memory_bytes + (32 << 20)


def test_the_shared_memory_cannot_be_resized(ask):
    """Shrunk, it would end the kernel by SIGBUS; grown, it would be memory beyond the limit."""
    source = """
import os
def attack(xs):
    got = []
    for attempt in (lambda: os.ftruncate(5, 0), lambda: os.pwrite(5, b'x' * 4096, 1 << 30)):
        try: got.append(attempt())
        except OSError: got.append("refused")
    return got
"""
    import numpy as np

    assert ask(source, np.zeros(10_000)).value == ["refused", "refused"]


@pytest.mark.parametrize(
    ("body", "ended"),
    [
        ("while True: print('x' * 100_000)", "log-cap"),
        ("return 'x' * (2 << 20)", "result-cap"),
        ("return list(range(1_000_000))", "result-cap"),
        ("os._exit(0)", "exit 0"),
        ("os._exit(71)", "exit 71"),
        ("os.abort()", "signal SIGABRT"),
        ("ctypes.string_at(0)", "signal SIGSEGV"),
        ("os.close(4)\n    while True: pass", "protocol"),
    ],
)
def test_how_a_job_ends_is_said(ask, body, ended):
    answer = ask(f"import os, ctypes\ndef attack():\n    {body}")
    assert (answer.ok, answer.ended) == (False, ended)
    assert answer.error


# ------------------------------------------------------------------------------- the protocol


def test_an_answer_before_the_question_is_a_breach(box):
    line = '{"id": "1", "ok": true, "value": 42}'
    with box.python(f"import os\nos.write(4, b'{line}\\n')\ndef attack(): return 1") as job:
        assert job.loaded.ended == "protocol"
        assert job.ask("attack").ended == "protocol"


def test_an_answer_for_the_next_question_is_a_breach(box):
    """A candidate that finds the id of its question answers that question, which is its right, and no other."""
    with box.python(FORGE + "def attack():\n    forge('1')\n    return 2") as job:
        assert job.ask("attack").value == 1
        assert job.ask("attack").ended == "protocol"


@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "Infinity",
        '{"$float": "9"}',
        '{"$array": ["|O8", [1], "AAAAAAAAAAA="]}',
        '{"$array": ["<f8", [4], 1099511627776]}',
        '{"$array": ["<f8", [-1], 0]}',
        '{"$array": ["<f8", [99999999999999], 0]}',
        '{"$pickle": "x"}',
        "9" * 5000,
        "[" * 50_000 + "]" * 50_000,
        "{",
    ],
)
def test_a_forged_value_is_a_breach(ask, value):
    answer = ask(FORGE + f"def attack():\n    forge({value!r})\n    return 2")
    assert (answer.ok, answer.ended) == (False, "protocol")


def _ticks(pid):
    with open(f"/proc/{pid}/stat") as f:
        return sum(map(int, f.read().rpartition(")")[2].split()[11:13]))


def test_working_on_after_the_answer_is_a_breach(box):
    """It would slow the incumbent that is measured next to it."""
    with box.python(FORGE + "def attack():\n    forge('1')\n    while True: pass") as job:
        assert job.ask("attack").value == 1
        end = time.monotonic() + 20
        while _ticks(job.pid) < 0.3 * os.sysconf("SC_CLK_TCK") and time.monotonic() < end:
            time.sleep(0.05)
        assert job.ask("attack").ended == "protocol"


def test_patched_tools_of_the_child_hurt_only_itself(ask):
    answer = ask("import json\njson.dumps = json.JSONEncoder.encode = lambda *a, **k: '{}'\ndef attack(): return 1")
    assert answer.ended == "protocol"


def test_text_is_cleaned(ask):
    source = r"""
def attack():
    print('\x1b]8;;http://x\x07click\x1b[31m\u202e\x00')
    raise ValueError('\x1b[2J\u202eevil')
"""
    answer = ask(source)
    assert "click" in answer.log
    assert "evil" in answer.error
    assert not any(c in answer.log + answer.error for c in "\x1b\u202e\x00\x07")


def test_a_hostile_error_is_an_answer(ask):
    source = "class E(Exception):\n    def __str__(self): raise E\ndef attack(): raise E('x')"
    answer = ask(source)
    assert not answer.ok
    assert answer.error.startswith("E ")
    assert answer.ended == ""


# ------------------------------------------------------------------------------- between jobs


def test_one_job_cannot_reach_another(box):
    with box.python("secret = 41\ndef pid():\n    import os\n    return os.getpid()") as first:
        other = first.ask("pid").value
        with box.python("import os\ndef attack(pid):\n    os.kill(pid, 9)") as second:
            assert second.ask("attack", [other]).denied
        with box.python("def attack(pid): return open(f'/proc/{pid}/mem')") as second:
            assert second.ask("attack", [other]).denied
        with box.python("def attack(): return sorted(globals())") as second:
            assert "secret" not in second.ask("attack").value
        assert first.ask("pid").value == other


def test_a_daemon_of_an_isolated_job_does_not_survive(tmp_path):
    mark = tmp_path / "pid"
    source = f"""
import os, time
def attack():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            open({str(mark)!r}, "w").write(str(os.getpid()))
            time.sleep(60)
        os._exit(0)
    while not os.path.exists({str(mark)!r}) or not open({str(mark)!r}).read(): time.sleep(0.005)
    return True
"""
    with Sandbox(profile="isolate") as box, box.python(source) as job:
        assert job.ask("attack").ok
        daemon = int(mark.read_text())
        os.kill(daemon, 0)
        job.close()
        with pytest.raises(ProcessLookupError):
            os.kill(daemon, signal.SIGKILL)
