"""How few bins a packing needs: each instance in a process of its own, several at once, through temporary files."""

import json
import math
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from instances import instances
from openevolve.evaluation_result import EvaluationResult


def packed(program_path, sizes):
    """The number of bins that it used. Raises where it did not pack them."""
    with tempfile.TemporaryDirectory() as folder:
        given, found = os.path.join(folder, "given.json"), os.path.join(folder, "found.json")
        with open(given, "w") as file:
            json.dump(sizes, file)
        done = subprocess.run(
            [sys.executable, program_path, given, found], capture_output=True, text=True, timeout=20, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "it failed")
        with open(found) as file:
            where = json.load(file)
    assert len(where) == len(sizes), "a size has no bin"
    loads = {}
    for size, number in zip(sizes, where):
        loads[number] = loads.get(number, 0.0) + size
    assert max(loads.values()) <= 1.0 + 1e-9, "a bin holds too much"
    return len(loads)


def evaluate_stage1(program_path):
    sizes = instances(1, 12)[0]
    try:
        packed(program_path, sizes)
    except Exception as error:
        return EvaluationResult(metrics={"packs": 0.0}, artifacts={"stderr": str(error)})
    return EvaluationResult(metrics={"packs": 1.0}, artifacts={})


def evaluate_stage2(program_path):
    given = instances(3, 60)
    with ThreadPoolExecutor(max_workers=2) as threads:
        used = list(threads.map(lambda sizes: packed(program_path, sizes), given))
    least = [math.ceil(sum(sizes) - 1e-9) for sizes in given]
    fill = sum(a / b for a, b in zip(least, used)) / len(used)
    return EvaluationResult(metrics={"fill": fill}, artifacts={"bins": str(used), "least": str(least)})


def evaluate(program_path):
    return evaluate_stage2(program_path)
