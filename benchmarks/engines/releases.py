"""What it costs that a name can be replaced while it is in use: a call where no canary runs, and a metric of one."""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

from ..harness import Sample, UnavailableError, Visit, expect

LOOPS = 20
CALLS = 1_000
"""A visit makes some short loops and gives the quietest: what is looked for is smaller than what load adds."""
RECORDS = 2_000
ROWS = 20
"""Of SQLite a visit writes few: each is a transaction of its own, as it has to be to outlive a kill."""
CELL = "pub fn add(a: f64, b: f64) f64 {\n    return a + b;\n}\n"
OTHER = "pub fn add(a: f64, b: f64) f64 {\n    return b + a;\n}\n"
NAME = "work"


def _visits(call: Callable[[float, float], Any]) -> Iterator[Visit]:
    for _ in range(CALLS):  # whatever looks at first calls has looked
        call(1.5, 2.25)

    def visit() -> Sample:
        quietest = float("inf")
        for _ in range(LOOPS):
            began = time.perf_counter()
            for _ in range(CALLS):
                call(1.5, 2.25)
            quietest = min(quietest, time.perf_counter() - began)
        expect("the sum", 3.75, call(1.5, 2.25))
        return {"wall": quietest / CALLS}

    yield visit


@contextmanager
def released_call(released: bool) -> Iterator[Visit]:
    """A native function; ``released``: its version came by a canary, and its calls were timed for a while."""
    from project_o.flow import Flow
    from project_o.toolchain import dispatcher

    made = dispatcher.wait(120)
    if not made.made:
        raise UnavailableError(f"no dispatcher: {made.how}")
    flow = Flow()
    flow.quick = lambda: False  # a canary compares optimised builds, and so do we
    module = flow.cell(OTHER, "zig", NAME)
    if released:
        other = module.slot.version.artifact.program
        flow.cell(CELL, "zig", NAME)
        _release(flow, other, lambda: module.add(1.5, 2.25))
        flow.releases.health.arm()
        for _ in range(100):
            module.add(1.5, 2.25)
    if not hasattr(module.slot.version, "entry"):
        raise AssertionError("something is still at work on the path of the call")
    yield from _visits(module.add)


def _release(flow: Any, program: Any, call: Callable[[], Any]) -> None:
    """A canary of ``program``, some calls, and its promotion."""
    from project_o.deploy.plan import Plan
    from project_o.deploy.registry import Release

    release = Release(program, "canary", 0.0, level="L2")
    flow.releases.canaries.begin(release, Plan(share=0.5, calls=1_000_000))
    for _ in range(30):
        call()
    if flow.releases.canaries.of(NAME) is not None:
        flow.releases.canaries.end(NAME, promoted=True, reason="")


class _Version:
    """A version of a Python function: what the names below follow."""

    def __init__(self, function: Callable[..., Any]) -> None:
        from project_o.values import Interface

        self.artifact: Any = SimpleNamespace(interface=Interface(()))
        self.function = function

    def call(self, name: str, args: Any) -> Any:
        return self.function(*args)


class _Object:
    """As one would write it first."""

    def __init__(self, slot: Any) -> None:
        self.slot = slot

    def __call__(self, *args: Any, **named: Any) -> Any:
        return self.slot.version.function(*args, **named)


@contextmanager
def python_handle(way: Literal["follows", "swapped", "closure", "object", "plain"]) -> Iterator[Visit]:
    """A Python function, and names that follow what serves in ways that one could think of."""
    from project_o.deploy import PythonFunction, Slot

    def add(a: float, b: float) -> float:
        return a + b

    slot = Slot(NAME, _Version(add))

    def closure(*args: Any, **named: Any) -> Any:
        return slot.version.function(*args, **named)  # type: ignore[attr-defined]  # as above

    def follows() -> Any:
        made = PythonFunction(slot, add)
        if way == "swapped":
            slot.version = _Version(lambda a, b: made.slot.name and a + b)
            made(1.5, 2.25)
            slot.version = _Version(add)
        return made

    ways: dict[str, Callable[[], Any]] = {
        "follows": follows, "swapped": follows, "closure": lambda: closure, "object": lambda: _Object(slot),
        "plain": lambda: add,
    }  # fmt: skip
    yield from _visits(ways[way]())


@contextmanager
def metric_record(way: Literal["ours", "json", "sqlite", "prometheus"]) -> Iterator[Visit]:
    """The time of one call, kept with its name, its version, its function and its size."""
    row = (NAME, "a" * 64, "add", 1.5e-6, False, 7)
    with tempfile.TemporaryDirectory(prefix="o-metric-") as folder:
        if way == "ours":
            from project_o.observe.metrics import Metrics

            metrics = Metrics(lambda: str(Path(folder, "metrics.sqlite")))
            yield _records(lambda: metrics.record(*row), RECORDS, metrics.flush)
        elif way == "json":
            with Path(folder, "metrics.jsonl").open("w", encoding="utf-8") as file:
                yield _records(lambda: file.write(json.dumps((time.time(), *row)) + "\n"), RECORDS, file.flush)
        elif way == "sqlite":
            with closing(sqlite3.connect(Path(folder, "m.sqlite"), isolation_level=None)) as connection:
                connection.execute("CREATE TABLE calls (at, name, program, function, seconds, failed, size)")
                insert = "INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?, ?)"
                yield _records(lambda: connection.execute(insert, (time.time(), *row)), ROWS, lambda: None)
        else:
            try:
                from prometheus_client import CollectorRegistry, Histogram
            except ImportError:
                raise UnavailableError("prometheus_client is not installed") from None
            names = ["name", "program", "function", "failed", "size"]
            histogram = Histogram("call", "Seconds.", names, registry=CollectorRegistry())
            labels = (*row[:3], str(row[4]), str(row[5]))
            yield _records(lambda: histogram.labels(*labels).observe(row[3]), RECORDS, lambda: None)


def _records(record: Callable[[], Any], count: int, after: Callable[[], Any]) -> Visit:
    """``after`` is what is done once in a while, off the path of a call."""

    def visit() -> Sample:
        began = time.perf_counter()
        for _ in range(count):
            record()
        took = time.perf_counter() - began
        after()
        return {"wall": took / count}

    return visit
