"""Foreign evaluators run as they are: each one here is written as evaluators elsewhere are, for nobody's sandbox."""

import contextlib
import errno
import fcntl
import os
import struct
import sys
import textwrap

import numpy as np
import pytest

from project_o.errors import SandboxError, UsageError
from project_o.sandbox import Sandbox

from ..evaluators import LOAD

MIB = 1 << 20
LEVELS = [(), ("namespaces",)]
IMPORT = "import os, sys, time, tempfile, traceback\n" + LOAD
CANDIDATE = "def search(n=10):\n    return sum(k * k for k in range(n))\n"
EVALUATORS = {
    "a thread with a time limit": """
        import concurrent.futures
        def evaluate(program_path):
            program = load(program_path)
            with concurrent.futures.ThreadPoolExecutor(max_workers=1) as executor:
                value = executor.submit(program.search).result(timeout=50)
            return {"score": float(value)}
    """,
    "a script of its own in another Python": """
        import pickle, subprocess
        def evaluate(program_path):
            with tempfile.NamedTemporaryFile(suffix=".py", delete=False, mode="w") as script:
                script.write(f'''
        import pickle, sys
        sys.path.insert(0, os.path.dirname({program_path!r})) if False else None
        import importlib.util
        spec = importlib.util.spec_from_file_location("program", {program_path!r})
        program = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(program)
        with open({script.name + ".results"!r}, "wb") as f: pickle.dump(program.search(), f)
        '''.replace("        ", ""))
            done = subprocess.run([sys.executable, script.name], capture_output=True, text=True, timeout=50)
            assert done.returncode == 0, done.stderr
            with open(script.name + ".results", "rb") as f: value = pickle.load(f)
            os.unlink(script.name)
            return {"score": float(value)}
    """,
    "a process with a queue": """
        import multiprocessing
        def work(path, queue): queue.put(load(path).search())
        def evaluate(program_path):
            queue = multiprocessing.Queue()
            process = multiprocessing.Process(target=work, args=(program_path, queue))
            process.start()
            value = queue.get(timeout=50)
            process.join(timeout=50)
            if process.is_alive(): process.terminate()
            return {"score": float(value)}
    """,
    "a pool of processes": """
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor, as_completed
        def work(item):
            path, n = item
            return load(path).search(n)
        def evaluate(program_path):
            with ProcessPoolExecutor(max_workers=2) as pool:
                futures = [pool.submit(work, (program_path, n)) for n in (9, 10)]
                values = [future.result(timeout=50) for future in as_completed(futures)]
            with multiprocessing.Pool(2) as pool:
                assert sorted(values) == sorted(pool.map(work, [(program_path, 9), (program_path, 10)]))
            return {"score": float(max(values))}
    """,
    "an alarm": """
        import signal
        def evaluate(program_path):
            def late(number, frame): raise TimeoutError("too slow")
            signal.signal(signal.SIGALRM, late)
            signal.alarm(50)
            try: return {"score": float(load(program_path).search())}
            finally: signal.alarm(0)
    """,
    "results with artifacts": """
        from openevolve.evaluation_result import EvaluationResult
        def evaluate(program_path) -> EvaluationResult:
            value = load(program_path).search()
            return EvaluationResult(metrics={"score": value}, artifacts={"path": os.path.basename(program_path)})
    """,
    "data and helpers beside it": """
        import json
        import helpers
        HERE = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(HERE, "data", "table.json")) as f: TABLE = json.load(f)
        def evaluate(program_path):
            with open("data/table.json") as f: assert json.load(f) == TABLE
            return {"score": helpers.double(load(program_path).search()) / 2 + sum(TABLE) - 6.0}
    """,
    "science": """
        import numpy as np
        import scipy.optimize, scipy.stats
        from sklearn.linear_model import LinearRegression
        from sklearn.model_selection import cross_val_score
        def evaluate(program_path):
            found = scipy.optimize.minimize(lambda x: (x[0] - 2) ** 2, [0.0]).x[0]
            X = np.arange(60.0).reshape(30, 2)
            scores = cross_val_score(LinearRegression(), X, X.sum(axis=1), cv=3, n_jobs=2)
            assert abs(found - 2) < 1e-3 and scores.min() > 0.99
            return {"score": np.float64(load(program_path).search())}
    """,
    "shared memory and temporary folders": """
        import ctypes, multiprocessing
        from multiprocessing import shared_memory
        def work(path, value, name):
            block = shared_memory.SharedMemory(name=name)
            block.buf[0] = 7
            block.close()
            value.value = load(path).search()
        def evaluate(program_path):
            block = shared_memory.SharedMemory(create=True, size=100)
            value = multiprocessing.Value(ctypes.c_double, 0.0)
            with tempfile.TemporaryDirectory() as folder:
                open(os.path.join(folder, "note"), "w").write("x")
                process = multiprocessing.Process(target=work, args=(program_path, value, block.name))
                process.start()
                process.join(50)
            seen = block.buf[0]
            block.close()
            block.unlink()
            return {"score": value.value if seen == 7 else 0.0}
    """,
    "an event loop with a program": """
        import asyncio
        async def count():
            process = await asyncio.create_subprocess_shell("echo 3 | cat", stdout=asyncio.subprocess.PIPE)
            return int((await process.communicate())[0])
        def evaluate(program_path):
            return {"score": load(program_path).search() + asyncio.run(count()) - 3.0}
    """,
    "its own candidate, started afresh and ended": """
        import subprocess
        def evaluate(program_path):
            try:
                subprocess.run([sys.executable, "-c", "import time; time.sleep(60)"], timeout=0.3)
            except subprocess.TimeoutExpired:
                slow = subprocess.Popen(["sleep", "60"], start_new_session=True)
                os.killpg(os.getpgid(slow.pid), 15)
                slow.wait(50)
                return {"score": float(load(program_path).search())}
    """,
    "many processes started afresh": """
        import subprocess
        def evaluate(program_path):
            script = '''
        import multiprocessing, sys
        sys.path.insert(0, FOLDER)
        import importlib
        program = importlib.import_module(NAME)
        if __name__ == "__main__":
            context = multiprocessing.get_context("spawn")
            with context.Pool(2) as pool: print(max(pool.map(program.search, [9, 10])))
        '''.replace("        ", "")
            folder, name = os.path.split(program_path)
            script = script.replace("FOLDER", repr(folder)).replace("NAME", repr(name[:-3]))
            open("main.py", "w").write(script)
            return {"score": float(subprocess.check_output([sys.executable, "main.py"], timeout=50))}
    """,
}
FILES = {"helpers.py": "def double(x): return 2 * x\n", "data/table.json": b"[1, 2, 3]"}


@pytest.fixture(scope="module", params=LEVELS, ids=["in namespaces", "without"])
def box(request):
    with Sandbox(profile="evaluator", wall_seconds=60, cpu_seconds=60, deny=request.param) as box:
        yield box


@pytest.mark.parametrize("name", [name for name in EVALUATORS if name != "science"])
def test_an_evaluator_runs_unchanged(box, name):
    assert scores(box, name) == {"score": 285.0}


def test_so_does_one_with_scientific_packages_and_their_processes():
    """Where less can be seen: without namespaces the list of processes is closed, which they look at."""
    with Sandbox(profile="evaluator", wall_seconds=60, cpu_seconds=60, deny=("namespaces",)) as box:
        assert scores(box, "science") == {"score": 285.0}
    with Sandbox(profile="evaluator", wall_seconds=60) as box, box.python("import scipy.stats, sklearn, psutil") as job:
        assert job.loaded.ok, job.loaded.error


def scores(box, name):
    with box.evaluator(IMPORT + textwrap.dedent(EVALUATORS[name]), FILES) as job:
        assert job.loaded.ok, job.loaded
        answer = job.evaluate(CANDIDATE)
    assert answer.ok, answer
    value = answer.value
    if "metrics" in value:
        assert value["artifacts"] == {"path": "initial_program.py"}
        value = value["metrics"]
    assert answer.level == box.level
    return value


def test_a_manager_needs_namespaces():
    """It listens on a local socket. Without namespaces such sockets would lead to those of the user."""
    source = IMPORT + textwrap.dedent(
        """
        import multiprocessing
        def work(path, results): results.append(load(path).search())
        def evaluate(program_path):
            with multiprocessing.Manager() as manager:
                results = manager.list()
                process = multiprocessing.Process(target=work, args=(program_path, results))
                process.start()
                process.join(5)
                return {"score": float(results[0])}
        """
    )
    with Sandbox(profile="evaluator", wall_seconds=20) as box, box.evaluator(source) as job:
        answer = job.evaluate(CANDIDATE)
        assert answer.value == {"score": 285.0} if box.level == "L3" else answer.error.startswith("EOFError")


def test_one_job_evaluates_several_candidates_in_stages(box):
    source = (
        IMPORT
        + "def evaluate_stage1(path): return {'runs': 1.0}\ndef evaluate(path): return {'score': load(path).run()}"
    )
    with box.evaluator(source) as job:
        assert job.evaluate("", function="evaluate_stage1").value == {"runs": 1.0}
        scores = [job.evaluate(f"def run(): return {k}.0", name="best.py").value for k in range(3)]
        assert scores == [{"score": 0.0}, {"score": 1.0}, {"score": 2.0}]
        broken = job.evaluate("def run(: return 1")
        assert broken.error.startswith("SyntaxError")
        assert not broken.denied
        assert job.evaluate("", function="absent").error == "NameError: the evaluator defines no absent"
        assert job.evaluate("import nothing_of_this_name").error == (
            "ModuleNotFoundError: No module named 'nothing_of_this_name'"
        )
        assert not job.evaluate("import nothing_of_this_name").denied
        assert job.evaluate("import time\ndef run(): time.sleep(60)", seconds=0.3).ended == "wall-time"


def test_python_is_asked_as_in_other_profiles(box):
    with box.python("import threading, subprocess\ndef f(xs):\n    print('seen')\n    return xs * 2") as job:
        answer = job.ask("f", [np.arange(10_000.0)])
    assert answer.value.sum() == np.arange(10_000.0).sum() * 2
    assert answer.log == "seen\n"


def test_what_the_policy_opens_can_be_read_and_nothing_beside_it(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "table.csv").write_text("1,2,3")
    (tmp_path / "secret").write_text("token")
    source = "def read(path): return open(path).read()\ndef write(path): open(path, 'w').write('x')"
    for deny in LEVELS:
        with (
            Sandbox(profile="evaluator", allow=(f"read:{tmp_path / 'data'}",), deny=deny) as box,
            box.python(source) as job,
        ):
            assert job.ask("read", [str(tmp_path / "data" / "table.csv")]).value == "1,2,3"
            for question in ("read", "write"):
                answer = job.ask(question, [str(tmp_path / "secret")])
                assert not answer.ok
                assert answer.denied
            assert job.ask("write", [str(tmp_path / "data" / "more")]).denied


def test_settings_of_the_installation_with_passwords_are_not_read(box):
    """pip.conf lies in a prefix, whose parts an evaluator needs."""
    source = "import sys, os\ndef look(prefix): return [os.path.exists(prefix), os.listdir(prefix)]"
    with box.python(source) as job:
        for prefix in {sys.prefix, sys.base_prefix} - {"/usr"}:
            answer = job.ask("look", [prefix])
            assert answer.denied or "pip.conf" not in answer.value[1], answer


def test_its_bounds_hold_for_all_its_processes_together():
    source = """
        import os, time, multiprocessing
        def eat(n):
            kept = []
            for _ in range(30):
                kept.append(bytearray(b"x") * (4 << 20))
                time.sleep(0.005)
            time.sleep(50)
        def hoard():
            for process in [multiprocessing.Process(target=eat, args=(k,)) for k in range(4)]: process.start()
            time.sleep(50)
        def spin():
            while True: pass
        def burn():
            for process in [multiprocessing.Process(target=spin) for _ in range(2)]: process.start()
            time.sleep(60)
        def swarm():
            for _ in range(200):
                if os.fork() == 0:
                    time.sleep(50)
                    os._exit(0)
            time.sleep(50)
        def fill():
            if os.fork() == 0:
                for k in range(1000): open(f"f{k}", "wb").write(bytes(1 << 20))
            time.sleep(50)
        def caught():
            try: bytearray(1 << 40)
            except MemoryError: return sum(bytearray(50 << 20))
    """
    bounds = {"memory_bytes": 300 * MIB, "scratch_bytes": 16 * MIB, "cpu_seconds": 1.0, "wall_seconds": 100}
    with Sandbox(profile="evaluator", **bounds) as box:
        for question, ended in (
            ("hoard", "memory"),
            ("burn", "cpu-time"),
            ("swarm", "processes"),
            ("fill", "scratch-quota"),
            ("caught", ""),
        ):
            with box.python(textwrap.dedent(source)) as job:
                answer = job.ask(question)
                assert answer.ended == ended, (question, answer)
                # Where the kernel counts a user's processes, what is too many is refused before it is seen.
                assert answer.ok == (question == "caught")


def test_without_landlock_there_is_no_evaluator():
    with Sandbox(profile="evaluator", deny=("landlock",)) as box, pytest.raises(SandboxError, match="L1"):
        box.python("")


def test_other_languages_and_other_profiles_say_what_to_do(tmp_path):
    with Sandbox(profile="evaluator") as box:
        assert box.scratch_bytes > 0
        with pytest.raises(UsageError, match="profile='strict'"):
            box.lisp("(defn f [] 1)")
        with pytest.raises(UsageError, match="text or bytes"):
            box.evaluator("", {"a": 1})
        with pytest.raises(UsageError, match="relative"):
            box.evaluator("", {"../a": ""})
    with Sandbox() as box, pytest.raises(UsageError, match="profile='evaluator'"):
        box.evaluator("")
    with pytest.raises(UsageError, match="profile"):
        Sandbox(profile="build")


def test_a_closed_job_leaves_no_process_and_no_file():
    source = """
import subprocess
def start(): return [subprocess.Popen(["sleep", "60"], start_new_session=True).pid for _ in range(5)]
"""
    with Sandbox(profile="evaluator", deny=("namespaces",)) as box:
        job = box.python(source)
        pids = job.ask("start").value
        folder = job._channel.folder
        assert all(os.path.exists(f"/proc/{pid}") for pid in pids)
        job.close()
        assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)
        assert not os.path.exists(folder)


def test_what_lies_outside_keeps_its_flags_and_the_shared_memory_its_size(tmp_path):
    """Who owns a file may set its flags though it was opened to be read: Landlock has no right for that."""
    given = tmp_path / "given"
    given.write_text("data")
    source = """
import fcntl, os, struct, sys
def flags(path):
    with open(path) as file:
        try: found = fcntl.ioctl(file, 0x80086601, bytes(8))
        except OSError: found = bytes(8)
        try: fcntl.ioctl(file, 0x40086602, struct.pack("q", struct.unpack("q", found)[0] | 0x40))
        except OSError as error: return type(error).__name__, error.errno
def seals():
    found = []
    for fd in range(3, 10):
        try: found.append(fcntl.fcntl(fd, 1033, 4))
        except OSError: pass
    return found
def terminal(): return sys.stdout.isatty(), os.get_blocking(1)
def double(values): return values * 2
"""
    options = {"profile": "evaluator", "allow": (f"read:{tmp_path}",), "deny": ("namespaces",)}
    with Sandbox(**options) as box, box.python(source) as job:
        assert job.ask("flags", [str(given)]).value == ("OSError", errno.ENOTTY)
        assert job.ask("seals").value == []
        assert job.ask("double", [np.ones(300_000)]).value.sum() == 600_000
        assert job.ask("terminal").value == (False, True)
    with given.open() as file, contextlib.suppress(OSError):  # not every file system has flags
        assert not struct.unpack("q", fcntl.ioctl(file, 0x80086601, bytes(8)))[0] & 0x40
