"""A run in which every fourth candidate is a disaster: each is judged, no clean one is lost, nothing is left behind."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from project_o import limits
from project_o.evolution import run_evolution
from project_o.languages import tools_for
from project_o.values import Proposal, Record

CLEAN = "def f(x):\n    return x + {gain}\n"
# What a text may not say at all is refused before it runs; these reach for it by ways that no reading of a text finds.
REACH = """\
def f(x):
    for kind in (1).__class__.__base__.__subclasses__():
        names = getattr(getattr(kind, "__init__"), "__globals__", {{}})
        if "system" in names and "fork" in names:
            break
    else:
        import os
        names = vars(os)
    {deed}
    return x + 1000.0
"""
DEEDS = {
    "exit": "names['_exit'](0)",
    "detached child": "names['fork']() or names['setsid']() or names['execv']('/bin/sleep', ['sleep', '987'])",
    "write outside": "names['write'](names['open']({outside!r}, 66, 511), b'here')",
    "read of a secret": "return float(len(names['read'](names['open']({secret!r}, 0), 99)) * 1000)",
    "forged result": "[names['write'](k, b'{{\"ok\": true, \"value\": 1e9}}\\n') for k in range(12)]",
}
TEXTS = {
    "segfault": "def f(x):\n    import ctypes\n    ctypes.string_at(8)\n    return x + 1000.0\n",
    "memory bomb": "def f(x):\n    held = []\n    while True:\n        held.append(bytearray(1 << 26))\n",
    "network call": (
        "def f(x):\n    import socket\n    socket.create_connection(('127.0.0.1', {port}), 1).send(b'x')\n"
        "    return x + 1000.0\n"
    ),
}
LOOPS = (
    "def f(x):\n    while True:\n        pass\n",
    "def f(x):\n    return sum(iter(int, 1))\n",
    "def f(x):\n    return max(range(10**18)) + x\n",
    "def f(x):\n    while x:\n        try:\n            x += 0.0\n        except BaseException:\n            x = 1\n",
)


class Given:
    """Proposes texts in the order in which they were given."""

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts
        self.start: Any = None

    def ask(self, index: int, told: tuple[Record, ...]) -> Proposal | None:
        if index > len(self.texts):
            return None
        program = tools_for("python").with_source(self.start, self.texts[index - 1])
        return Proposal(index, program, (self.start.digest,), "given", "given")


def sleeping() -> list[str]:
    """Who runs the program of the detached child."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes() == b"sleep\x00987\x00":
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def test_forty_candidates_of_which_twelve_are_disasters(
    make_function_task: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TRIAL_WALL_SECONDS", 4.0)  # each of the loops lasts until then
    secret, outside = tmp_path / "secret", tmp_path / "outside"
    secret.write_text("hunter2" * 20)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.0)
        facts = {"port": server.getsockname()[1], "outside": str(outside), "secret": str(secret)}
        deeds = {name: REACH.format(deed=deed.format(**facts)) for name, deed in DEEDS.items()}
        texts = {name: text.format(**facts) for name, text in TEXTS.items()}
        bad = [*LOOPS, *deeds.values(), *texts.values()]
        assert len(bad) == 12
        clean = [CLEAN.format(gain=float(k)) for k in range(1, 29)]
        order = [*clean]
        for place, text in enumerate(bad):
            order.insert(3 * place + 1, text)
        assert len(order) == 40
        task = make_function_task("def f(x):\n    return x + 0.5\n", evaluator=lambda program: {"score": program(1.0)})
        given = Given(order)
        given.start = task.program
        began = time.monotonic()

        run = run_evolution(task, trials=41, proposer=given)

        with pytest.raises(BlockingIOError):
            server.accept()
    assert time.monotonic() - began < 240, "what hangs is ended"
    assert len(run.trials) == 41
    by_text = {record.proposal.program.source: record for record in run.trials[1:]}
    for gain, text in enumerate(clean, 1):
        assert dict(by_text[text].metrics) == {"score": 1.0 + gain}, by_text[text].reason
    for text in bad:
        assert by_text[text].status == "failed", text
        assert by_text[text].reason
    assert run.verdict.accepted, run.verdict.reasons
    assert run.best.source == clean[-1]
    assert not outside.exists()
    assert sleeping() == []
