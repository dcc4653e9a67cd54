"""Both sides of a pair run on one processor: two that are not equally fast would make one side look better."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from project_o.evolution.inputs import Case
from project_o.evolution.measure import Plan, measure
from project_o.evolution.task import Handle
from project_o.observe import Design, paired_ratio
from project_o.sandbox import Answer
from project_o.values import NativeType

FLOAT = NativeType("float", bits=64)
SLOWER = 1.5
PROCESSES = 40


class Side:
    """A process whose processor is slower by a half where its number is odd."""

    def __init__(self, *, moves: bool) -> None:
        self.moves, self.wanted, self.now, self.seen = moves, 0, None, []

    def stay_on(self, processor: int) -> None:
        self.wanted = processor

    def renew(self) -> int:
        self.now = None
        return 0

    def used_seconds(self) -> float:
        return 0.0

    def ask(self, name: str, args: Any, **_: Any) -> Answer:
        if self.now is None:
            self.now = self.wanted if self.moves else 0
            self.seen.append(self.now)
        seconds = 0.004 * (SLOWER if self.now % 2 else 1.0)
        return Answer(ok=True, value=1.0, cpu_seconds=seconds, wall_seconds=seconds)


def measured(incumbent: Side, candidate: Side) -> Any:
    draw = lambda number: Case((1.0,), "one")  # noqa: E731 - the draw of an input
    plan, design = Plan("f", FLOAT, 1, 0.004), Design((2 * PROCESSES,), 0.95)
    return measure(incumbent, candidate, plan, draw, design, pairs_a_process=2, seed=1, purpose="x")


def test_where_processors_differ_the_ratio_of_equals_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 4})
    sides = Side(moves=True), Side(moves=True)
    found = measured(*sides)

    assert found.interval.low == found.interval.high == 1.0
    assert sides[0].seen == sides[1].seen
    assert 10 < sides[0].seen.count(3) < 30, "each of them has its turn"
    apart = measured(Side(moves=True), Side(moves=False))
    assert paired_ratio(*apart.series.cpu).estimate > 1.1, "a side that stays behind is seen to be faster"


def test_a_process_of_a_handle_starts_on_the_processor_that_was_said() -> None:
    processor = max(os.sched_getaffinity(0))
    for said in (False, True):
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
            job = SimpleNamespace(pid=process.pid, ask=lambda *_, **__: Answer(ok=True), close=process.kill)
            jobs = SimpleNamespace(start=lambda *_, job=job, **__: job, stopped=False, killed=0, forget=lambda _: None)
            with Handle(jobs, None, guarded=False) as handle:
                if said:
                    handle.stay_on(processor)
                handle.ask("f", ())
                assert os.sched_getaffinity(process.pid) == ({processor} if said else os.sched_getaffinity(0))
