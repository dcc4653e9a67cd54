"""Candidates a minute: one native function with declared parameters, by %evolve's own machinery and by hand."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..harness import Sample, Visit, expect, timed
from .compilers import fresh_numbers, gcc, shared_library

LENGTH = 4096
ZIG = """const lanes = 1; // o: 1 2 4 8 16 32
const unroll = 1; // o: 1 2 3 4 6 8

/// The dot product of two rows, and a constant that makes every round's builds new.
pub fn dot(a: []const f32, b: []const f32) f32 {{
    if (a.len != b.len) @panic("rows of two lengths");
    var sums: [unroll]@Vector(lanes, f32) = @splat(@splat(0));
    const step = lanes * unroll;
    var i: usize = 0;
    while (i + step <= a.len) : (i += step) {{
        inline for (0..unroll) |k| {{
            const x: @Vector(lanes, f32) = a[i + k * lanes ..][0..lanes].*;
            const y: @Vector(lanes, f32) = b[i + k * lanes ..][0..lanes].*;
            sums[k] += x * y;
        }}
    }}
    var sum: f32 = {number};
    inline for (sums) |part| sum += @reduce(.Add, part);
    while (i < a.len) : (i += 1) sum += a[i] * b[i];
    return sum;
}}
"""
C = """float dot(const float *a, const float *b, long n) {{
    float sums[STEP] = {{0}};
    long i = 0;
    for (; i + STEP <= n; i += STEP)
        for (int k = 0; k < STEP; k++) sums[k] += a[i + k] * b[i + k];
    float sum = {number};
    for (int k = 0; k < STEP; k++) sum += sums[k];
    for (; i < n; i++) sum += a[i] * b[i];
    return sum;
}}
"""
CHECK = """import ctypes, json, sys, timeit
import numpy as np
a = np.arange({length}, dtype=np.float32) % 3
b = np.arange({length}, dtype=np.float32) % 5
dot = ctypes.CDLL(sys.argv[1]).dot
dot.restype = ctypes.c_float
dot.argtypes = [np.ctypeslib.ndpointer(np.float32), np.ctypeslib.ndpointer(np.float32), ctypes.c_long]
print(json.dumps([dot(a, b, {length}), min(timeit.repeat(lambda: dot(a, b, {length}), number=200, repeat=5))]))
"""
STEPS = (1, 2, 4, 8, 16, 32, 64, 128)


def _rows() -> tuple[np.ndarray, np.ndarray, int]:
    a = np.arange(LENGTH, dtype=np.float32) % 3
    b = np.arange(LENGTH, dtype=np.float32) % 5
    return a, b, int((a * b).sum())


@contextmanager
def evolution(workers: int, trials: int) -> Iterator[Visit]:
    """A whole run: build, agreement on generated inputs, pairs, finalists, confirmation in a fresh process."""
    from project_o import evolve, zig

    a, b, product = _rows()
    numbers, seeds = fresh_numbers(), itertools.count()

    def visit() -> Sample:
        number = next(numbers)
        sample: dict[str, float] = {}
        module = zig(ZIG.format(number=number), "candidates", mode="fast")
        expect("dot", float(product + number), module.dot(a, b))
        with timed(sample):
            run = evolve(module, trials=trials, seed=next(seeds), workers=workers, inputs=(a, b))
        tried = [record for record in run.lineage.records if record.status not in ("baseline", "duplicate")]
        expect("candidates that failed", 0, sum(record.status == "failed" for record in tried))
        return {"wall": sample["wall"] / len(tried)}

    yield visit


@contextmanager
def by_hand(candidates: int) -> Iterator[Visit]:
    """A shell loop: gcc with another -DSTEP, then a fresh Python that loads, checks one answer, times 5 x 200 calls."""
    gcc()
    product = _rows()[2]
    numbers = fresh_numbers()
    with tempfile.TemporaryDirectory(prefix="o-benchmark-hand-") as folder:

        def visit() -> Sample:
            number = next(numbers)
            sample: dict[str, float] = {}
            with timed(sample):
                for step in STEPS[:candidates]:
                    path = Path(folder) / f"dot{number}-{step}.so"
                    library = shared_library(C.format(number=number), path, f"-DSTEP={step}")
                    command = [sys.executable, "-c", CHECK.format(length=LENGTH), str(library)]
                    done = subprocess.run(command, capture_output=True, text=True, check=True)
                    expect("dot", float(product + number), json.loads(done.stdout)[0])
            return {"wall": sample["wall"] / len(STEPS[:candidates])}

        yield visit
