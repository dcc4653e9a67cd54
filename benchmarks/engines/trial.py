"""One trial of code that nobody has read: in the sandbox, and in a Python process of its own without any locks."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ..harness import Sample, Visit, expect, timed

PLAIN = "def solve(values):\n    return sorted(values)\n"
NUMPY = "import numpy as np\n\ndef solve(values):\n    return np.sort(values).tolist()\n"
ASK = "import json, sys\nprint(json.dumps(solve(json.load(sys.stdin))))\n"
VALUES = 100


def _question() -> tuple[list[int], list[int]]:
    values = random.sample(range(10_000), VALUES)
    return values, sorted(values)


@contextmanager
def sandbox(numpy: bool, namespaces: bool = True) -> Iterator[Visit]:
    """A fork of the warm process: limits, Landlock, seccomp; JSON answer; killed and reaped."""
    from project_o import Sandbox

    source = NUMPY if numpy else PLAIN
    with Sandbox(deny=() if namespaces else ("namespaces",)) as box:

        def visit() -> Sample:
            values, expected = _question()
            sample: dict[str, float] = {}
            with timed(sample):
                job = box.python(source)
                answer = job.ask("solve", [values])
                job.close()
            expect("solve", (True, expected), (answer.ok, answer.value))
            return sample

        yield visit


@contextmanager
def fresh_python(numpy: bool) -> Iterator[Visit]:
    """``python -I -S -c``, JSON through pipes; no locks, no limits. ``-S`` only where the code imports nothing."""
    source = (NUMPY if numpy else PLAIN) + ASK
    command = [sys.executable, "-I", *([] if numpy else ["-S"]), "-c", source]

    def visit() -> Sample:
        values, expected = _question()
        sample: dict[str, float] = {}
        with timed(sample):
            done = subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, check=True)
            answer = json.loads(done.stdout)
        expect("solve", expected, answer)
        return sample

    yield visit
