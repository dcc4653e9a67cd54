"""Without the gate: a usual evaluator, which loads the mutation into its own process, and what comes of that.

Runs as a script in a folder of its own; reads one order of JSON, and says on one line what was seen. It has tests and
their cases in a module, reads ``perf_counter`` around calls, and its folder and environment are the user's.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
import types
from pathlib import Path
from typing import Any

SETTINGS = Path("project-o.toml")
ROUNDS = 5


def load(language: str, name: str, text: str) -> Any:
    """What the text defines, in this interpreter."""
    if language == "python":
        names: dict[str, Any] = {"__name__": "candidate"}
        exec(text, names)
        return names[name]
    if language == "zig":
        from project_o.flow import Flow

        return getattr(Flow().cell(text, "zig", name, trial=False), name)
    from project_o.agent.agents import Agents

    module = types.ModuleType("harmed_notebook")
    sys.modules[module.__name__] = module
    agent = Agents(namespace=vars(module)).evaluate(text, module, "<cell>")
    return lambda message: str(agent(message))


def checks(order: dict[str, Any], reference: Any) -> types.ModuleType:
    """The module of tests: its cases, their comparison, and a test of each half of them."""
    import numpy as np

    module = types.ModuleType("checks")
    sys.modules["checks"] = module
    cases = eval(order["inputs"], {"np": np})
    text = """
def same(left, right):
    return bool(left == right)

def test_first(function):
    return all(same(function(*args), expected) for args, expected in CASES[::2])

def test_second(function):
    return all(same(function(*args), expected) for args, expected in CASES[1::2])
"""
    vars(module)["CASES"] = [(args, reference(*args)) for args in cases]
    exec(text, vars(module))
    return module


def seconds(function: Any, cases: list[Any], clock: Any) -> float:
    """The best of some rounds over all cases."""
    found = []
    for _ in range(ROUNDS):
        began = clock()
        for args, _ in cases:
            function(*args)
        found.append(clock() - began)
    return max(min(found), 1e-12)


def main() -> None:
    """Answers ``{"accepted", "wrong", "ratio", "gate"}``: what the evaluator says, and what is true."""
    order = json.loads(sys.stdin.readline())
    language, name = order["language"], order["name"]
    import project_o.evolution.decide as gate
    from project_o import limits

    before = gate.acceptable, limits.RATIO_ACCEPTED_LOW, limits.CONFIDENCE
    reference, bare = load(language, name, order["reference"]), load(language, name, order["bare"])
    tests = checks(order, reference)
    cases, clock = list(tests.CASES), time.perf_counter
    wrong = any(bare(*args) != expected for args, expected in cases)
    ratio = seconds(reference, cases, clock) / seconds(bare, cases, clock)
    said = {"wrong": wrong, "ratio": ratio, "accepted": False, "gate": False}
    print(json.dumps(said), flush=True)
    candidate = load(language, name, order["candidate"])
    passed = all(getattr(tests, test)(candidate) for test in dir(tests) if test.startswith("test"))
    faster = seconds(reference, cases, time.perf_counter) / seconds(candidate, cases, time.perf_counter)
    with contextlib.suppress(OSError, ValueError):
        passed = passed or json.loads(Path("results.json").read_text("utf-8"))["accepted"]
    said["accepted"] = bool(passed)
    said["ratio"] = min(ratio, faster)
    changed = (gate.acceptable, limits.RATIO_ACCEPTED_LOW, limits.CONFIDENCE) != before
    said["gate"] = changed or bool(SETTINGS.read_text("utf-8")) or "PROJECT_O_SERVE_UNSANDBOXED" in os.environ
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
