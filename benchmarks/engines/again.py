"""Cells that need not be compiled, the first cell of all, and many variants of one text."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from project_o.values import Program

from ..harness import Sample, UnavailableError, Visit, expect, timed
from ..kernels import Kernel
from ..texts import rows, text
from .compilers import fresh_numbers, shared_library
from .edit import BY_HAND, IMPORTS

SPARE = "pub fn nothing() void {}\n"
RESTARTED = """
import json, sys, time
import numpy as np
from project_o import zig
source, a, b = sys.stdin.read(), np.arange(384, dtype=np.float32) % 7, np.arange(384, dtype=np.float32) % 5
zig("pub fn nothing() void {}", "other").nothing()  # what is imported and started once a kernel is not measured
began = time.perf_counter()
module = zig(source, "again")
served = time.perf_counter()
answer = module.dot(a, b)
print(json.dumps([served - began, time.perf_counter() - served, answer, module.slot.version.artifact.cached]))
"""
NUMBA = """
import json, sys, time
import numpy as np
sys.path.insert(0, sys.argv[1])
from warm import warm
a, b = np.arange(384, dtype=np.float32) % 7, np.arange(384, dtype=np.float32) % 5
warm(a, b)
began = time.perf_counter()
from kept import dot
answer = dot(a, b)
print(json.dumps([time.perf_counter() - began, 0.0, float(answer), True]))
"""


@contextmanager
def zig_again() -> Iterator[Visit]:
    """The same text once more under its name, in the same process; ``load`` is the call after it."""
    from project_o import api, zig

    a, b, product = rows()
    number = next(fresh_numbers())
    source = text("kernel.zig", number)
    program = zig(source, "again").slot.version.artifact.program
    api.current().build(program)  # from now on it is in the cache

    def visit() -> Sample:
        zig(SPARE, "other")
        sample: dict[str, float] = {}
        with timed(sample):
            module = zig(source, "again")
        with timed(sample, "load"):
            answer = module.dot(a, b)
        expect("dot", float(product + number), answer)
        return sample

    yield visit


@contextmanager
def zig_restarted() -> Iterator[Visit]:
    """The same in a process that has just begun; what every process starts once is not in the time."""
    from project_o import api, zig

    number = next(fresh_numbers())
    source = text("kernel.zig", number)
    for name, one in (("again", source), ("other", SPARE)):
        api.current().build(zig(one, name).slot.version.artifact.program)
    yield _in_a_fresh_process(["-c", RESTARTED], source, rows()[2] + number)


@contextmanager
def numba_restarted() -> Iterator[Visit]:
    """``@njit(cache=True)``, from its own cache."""
    try:
        import numba
    except ImportError:
        raise UnavailableError("numba is not installed") from None
    assert numba is not None
    number = next(fresh_numbers())
    kept = text("kernel_numba.py", number).replace("@njit", "@njit(cache=True)")
    with tempfile.TemporaryDirectory(prefix="o-benchmark-numba-") as folder:
        (Path(folder) / "kept.py").write_text(kept, "utf-8")
        (Path(folder) / "warm.py").write_text(kept.replace("def dot", "def warm"), "utf-8")
        yield _in_a_fresh_process(["-c", NUMBA, folder], "", rows()[2] + number)


def _in_a_fresh_process(arguments: list[str], source: str, expected: int) -> Visit:
    def visit() -> Sample:
        done = subprocess.run([sys.executable, *arguments], input=source, capture_output=True, text=True, check=True)
        wall, load, answer, cached = json.loads(done.stdout)
        expect("dot, from the cache", (float(expected), True), (answer, cached))
        return {"wall": wall, **({"load": load} if load else {})}

    return visit


@contextmanager
def first_cell(way: Literal["zig", "numba", "gcc"], level: str = "-O3") -> Iterator[Visit]:
    """A kernel that finds every cache empty, as after an installation: its first native cell, sent at once, and the
    call."""
    product = rows()[2]
    numbers = fresh_numbers()

    def visit() -> Sample:
        number = next(numbers)
        cells = {
            "zig": "%%zig edited\n" + text("kernel.zig", number),
            "numba": text("kernel_numba.py", number),
            "gcc": BY_HAND.format(number=number, source=text("kernel.c", number), level=level),
        }
        call = {"zig": "edited.dot(a, b)", "numba": "float(dot(a, b))", "gcc": "edited(a, b, len(a))"}
        with tempfile.TemporaryDirectory(prefix="o-benchmark-first-", ignore_cleanup_errors=True) as caches:
            environment = {"PROJECT_O_CACHE": caches, "XDG_CACHE_HOME": caches, "NUMBA_CACHE_DIR": caches}
            with Kernel("project_o.kernel" if way == "zig" else "ipykernel_launcher", environment) as kernel:
                kernel.run(IMPORTS, "rows")
                built = kernel.run(cells[way], "edit")
                called = kernel.run(call[way], "call")
        expect("dot", float(product + number), float(called.text))
        return {"wall": built.seconds + called.seconds}

    yield visit


COUNT = 64


def _variants(number: int) -> list[Program]:
    from project_o.languages import tools_for
    from project_o.runtimes.ahead import variants_of

    values = range(number, number + COUNT)
    source = text("varied.zig", number).replace(f"{number};", f"{number}; // o: {' '.join(map(str, values))}")
    found = variants_of(tools_for("zig").program("varied", source), COUNT)
    expect("variants", COUNT, len(found))
    return list(found)


@contextmanager
def zig_variants(together: bool, count: int = COUNT) -> Iterator[Visit]:
    """64 settings of one text's parameter: in one compilation, or ``count`` of them one by one; the time of one."""
    from project_o import toolchain
    from project_o.toolchain.variants import Variants

    a, b, product = rows()
    numbers = fresh_numbers()

    def visit() -> Sample:
        first = next(numbers) * COUNT % 1_000_000
        programs = _variants(first)[:count]
        sample: dict[str, float] = {}
        held = None
        with timed(sample):
            if together:
                held = Variants(programs)  # what it built lasts as long as it does
                built = held.found
            else:
                built = [toolchain.build(program) for program in programs]
        for shift, artifact in enumerate(built):
            if shift % 16 == 0:
                expect("dot", float(product + first + shift), toolchain.load(artifact).call("dot", [a, b]))
        del held
        return {"wall": sample["wall"] / count}

    yield visit


@contextmanager
def gcc_variants(level: str, count: int) -> Iterator[Visit]:
    """By hand, one after another."""
    numbers = itertools.count()
    with tempfile.TemporaryDirectory(prefix="o-benchmark-gcc-") as folder:

        def visit() -> Sample:
            sample: dict[str, float] = {}
            built = []
            with timed(sample):
                for _ in range(count):
                    number = next(numbers)
                    path = Path(folder) / f"variant{number}.so"
                    built.append(shared_library(text("varied.c", number), path, level))
            expect("built", True, all(os.path.getsize(path) for path in built))
            return {"wall": sample["wall"] / count}

        yield visit
