"""What else a sandbox costs, and how exactly its bounds hold: further questions, arrays, limits of time and memory."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..harness import Sample, Visit, expect, timed

SOURCE = """
import numpy as np
def follow(number): return number + 1
def total(values): return float(values.sum())
def endless():
    while True: pass
def hoard():
    kept = []
    while True: kept.append(bytearray(1 << 20))
"""
WORKER = """
import json, sys
for line in sys.stdin:
    print(json.dumps(json.loads(line) + 1), flush=True)
"""
ADDER = """
import pickle, sys
import numpy as np
while True:
    try: values = pickle.load(sys.stdin.buffer)
    except EOFError: break
    pickle.dump(float(values.sum()), sys.stdout.buffer)
    sys.stdout.buffer.flush()
"""
LIMITED = """
import resource
in_use = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (in_use + {memory_bytes},) * 2)
try: hoard()
except MemoryError: pass
"""
DOUBLES = 100_000
WALL_SECONDS = 0.2
MEMORY_BYTES = 256 << 20


@contextmanager
def sandbox_call() -> Iterator[Visit]:
    """A question to a job that is there."""
    from project_o import Sandbox

    with Sandbox() as box, box.python(SOURCE) as job:
        yield _calling(lambda number: job.ask("follow", [number]).value)


@contextmanager
def worker_call() -> Iterator[Visit]:
    """A line of JSON to a Python process that waits for it, without any lock."""
    with _worker([sys.executable, "-I", "-S", "-u", "-c", WORKER]) as process:

        def ask(number: int) -> int:
            process.stdin.write(json.dumps(number).encode() + b"\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield _calling(ask)


def _calling(ask) -> Visit:
    numbers = iter(range(1 << 60))

    def visit() -> Sample:
        number = next(numbers)
        sample: dict[str, float] = {}
        with timed(sample):
            answer = ask(number)
        expect("follow", number + 1, answer)
        return sample

    return visit


@contextmanager
def sandbox_array() -> Iterator[Visit]:
    """Doubles through sealed shared memory, their sum back."""
    from project_o import Sandbox

    with Sandbox() as box, box.python(SOURCE) as job:
        yield _adding(lambda values: job.ask("total", [values]).value)


@contextmanager
def worker_array() -> Iterator[Visit]:
    """The same by pickle through pipes, to a Python process that waits for it; nobody may read such an answer."""
    with _worker([sys.executable, "-I", "-u", "-c", ADDER]) as process:

        def ask(values) -> float:
            pickle.dump(values, process.stdin, protocol=5)
            process.stdin.flush()
            return pickle.load(process.stdout)

        yield _adding(ask)


def _adding(ask) -> Visit:
    import numpy as np

    generator = np.random.default_rng(1)

    def visit() -> Sample:
        values = generator.random(DOUBLES)
        expected = float(values.sum())
        sample: dict[str, float] = {}
        with timed(sample):
            answer = ask(values)
        expect("total", expected, answer)
        return sample

    return visit


@contextmanager
def _worker(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process
        process.stdin.close()
        process.wait()


@contextmanager
def sandbox_overshoot() -> Iterator[Visit]:
    """How much later than its limit an endless job is gone, its process collected."""
    from project_o import Sandbox

    with Sandbox(wall_seconds=WALL_SECONDS, cpu_seconds=60) as box:

        def visit() -> Sample:
            job = box.python(SOURCE)
            began = time.perf_counter()
            answer = job.ask("endless")
            seconds = time.perf_counter() - began - WALL_SECONDS
            expect("how it ended", ("wall-time", False), (answer.ended, os.path.exists(f"/proc/{job.pid}")))
            return {"wall": seconds}

        yield visit


@contextmanager
def process_overshoot() -> Iterator[Visit]:
    """``subprocess.run(timeout=...)``, which kills and collects; the start of the process is in its limit."""
    command = [sys.executable, "-I", "-S", "-c", "while True: pass"]

    def visit() -> Sample:
        began = time.perf_counter()
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(command, timeout=WALL_SECONDS, check=False)
        return {"wall": time.perf_counter() - began - WALL_SECONDS}

    yield visit


@contextmanager
def sandbox_memory(namespaces: bool = True) -> Iterator[Visit]:
    """A job that takes all it can; the largest resident size beyond its limit."""
    from project_o import Sandbox

    with Sandbox(memory_bytes=MEMORY_BYTES, deny=() if namespaces else ("namespaces",)) as box:

        def visit() -> Sample:
            sample: dict[str, float] = {}
            with timed(sample):
                job = box.python(SOURCE)
                answer = job.ask("hoard")
                job.close()
            expect("how it ended", "MemoryError", answer.error.partition(":")[0])
            return {**sample, "excess": job.peak_memory_bytes - MEMORY_BYTES}

        yield visit


@contextmanager
def process_memory() -> Iterator[Visit]:
    """The same in a fresh Python with numpy, under RLIMIT_AS of the same size beyond what it has mapped."""
    code = SOURCE + LIMITED.format(memory_bytes=MEMORY_BYTES)

    def visit() -> Sample:
        sample: dict[str, float] = {}
        with timed(sample):
            process = subprocess.Popen([sys.executable, "-I", "-c", code])
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        expect("exit code", 0, process.returncode)
        return {**sample, "excess": usage.ru_maxrss * 1024 - MEMORY_BYTES}

    yield visit


@contextmanager
def warm_start(namespaces: bool = True) -> Iterator[Visit]:
    """From nothing to a warm process with numpy that takes jobs, and its end is not in it."""
    from project_o import Sandbox
    from project_o.sandbox import helper

    with Sandbox() as box:
        expect("the level", True, box.level in ("L3", "L2"))
        kind = helper.Kind(namespaces=namespaces and box.level == "L3")

        def visit() -> Sample:
            sample: dict[str, float] = {}
            with timed(sample):
                started = helper.Helper(kind)
            expect("numpy", True, started.facts["numpy"])
            started.close()
            return sample

        yield visit


@contextmanager
def python_start() -> Iterator[Visit]:
    """``python -c "import numpy"``, until it says so."""
    command = [sys.executable, "-I", "-c", "import numpy; print(1, flush=True); input()"]

    def visit() -> Sample:
        sample: dict[str, float] = {}
        with timed(sample):
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            line = process.stdout.readline()
        expect("numpy", b"1\n", line)
        process.communicate(b"\n")
        return sample

    yield visit
