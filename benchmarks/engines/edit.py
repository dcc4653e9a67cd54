"""Edit to first result: a native function gets another constant, is built, called on two arrays, and checked."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from project_o.values import Mode

from ..harness import Sample, Visit, expect, timed
from ..kernels import Kernel
from .compilers import fresh_numbers, gcc, shared_library

LENGTH = 384
ZIG = """/// The dot product of two rows, and a constant that every edit changes.
pub fn dot(a: []const f32, b: []const f32) f32 {{
    var sum: f32 = {number};
    for (a, b) |x, y| sum += x * y;
    return sum;
}}
"""
C = """float dot(const float *a, const float *b, long n) {{
    float sum = {number};
    for (long i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}}
"""
ROWS = f"""import numpy as np
a = np.arange({LENGTH}, dtype=np.float32) % 7
b = np.arange({LENGTH}, dtype=np.float32) % 5
"""
BY_HAND = """
import ctypes, subprocess
open("dot{number}.c", "w").write({source!r})
subprocess.run(["gcc", "-O3", "-shared", "-fPIC", "-o", "./dot{number}.so", "dot{number}.c"], check=True)
edited = ctypes.CDLL("./dot{number}.so").dot
edited.restype = ctypes.c_float
edited.argtypes = [np.ctypeslib.ndpointer(np.float32), np.ctypeslib.ndpointer(np.float32), ctypes.c_long]
"""


def _rows() -> tuple[np.ndarray, np.ndarray, int]:
    a = np.arange(LENGTH, dtype=np.float32) % 7
    b = np.arange(LENGTH, dtype=np.float32) % 5
    return a, b, int((a * b).sum())


@contextmanager
def zig_edit(mode: Mode = "safe", trial: bool = True) -> Iterator[Visit]:
    """``project_o.zig``: interface by reflection, guard, first call tried in the sandbox."""
    from project_o import zig

    a, b, product = _rows()
    numbers = fresh_numbers()

    def visit() -> Sample:
        number = next(numbers)
        sample: dict[str, float] = {}
        with timed(sample):
            answer = zig(ZIG.format(number=number), "edited", mode=mode, trial=trial).dot(a, b)
        expect("dot", float(product + number), answer)
        return sample

    yield visit


@contextmanager
def gcc_edit() -> Iterator[Visit]:
    """gcc, ``ctypes.CDLL``, argument types by hand; no checks, no guard, no trial."""
    gcc()
    a, b, product = _rows()
    numbers = fresh_numbers()
    with tempfile.TemporaryDirectory(prefix="o-benchmark-gcc-") as folder:

        def visit() -> Sample:
            number = next(numbers)
            sample: dict[str, float] = {}
            with timed(sample):
                library = shared_library(C.format(number=number), Path(folder) / f"dot{number}.so")
                # SAFETY: dot reads LENGTH floats from either row, and both rows have that many and outlive the call.
                dot = ctypes.CDLL(str(library)).dot
                dot.restype = ctypes.c_float
                dot.argtypes = [np.ctypeslib.ndpointer(np.float32), np.ctypeslib.ndpointer(np.float32), ctypes.c_long]
                answer = dot(a, b, LENGTH)
            expect("dot", float(product + number), answer)
            return sample

        yield visit


@contextmanager
def zig_cell() -> Iterator[Visit]:
    """Two cells in a project-o kernel that records its history: ``%%zig``, and the call."""
    yield from _in_kernel(
        "project_o.kernel", lambda number: "%%zig edited\n" + ZIG.format(number=number), "edited.dot(a, b)"
    )


@contextmanager
def gcc_cell() -> Iterator[Visit]:
    """Two cells in a plain kernel: gcc and ctypes, and the call."""
    gcc()
    yield from _in_kernel(
        "ipykernel_launcher",
        lambda number: BY_HAND.format(number=number, source=C.format(number=number)),
        f"edited(a, b, {LENGTH})",
    )


def _in_kernel(module: str, edit: Callable[[int], str], call: str) -> Iterator[Visit]:
    product = _rows()[2]
    numbers = fresh_numbers()
    with Kernel(module) as kernel:
        kernel.run(ROWS, "rows")

        def visit() -> Sample:
            number = next(numbers)
            built = kernel.run(edit(number), "edit")
            called = kernel.run(call, "call")
            expect("dot", float(product + number), float(called.text))
            return {"wall": built.seconds + called.seconds}

        yield visit
