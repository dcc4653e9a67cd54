"""Real kernels: how long a start takes, and what the extension and the history add to a cell."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from ..harness import Sample, Visit, expect
from ..kernels import Kernel
from .states import repository

BURST = 10
SETTLE_SECONDS = 0.3
"""After a burst its own background work comes to an end, and is not felt by the next engine."""

TIMED = """
import time as _time
# Else the 1,000th result makes IPython drop 200 old ones, with a warning among the outputs.
get_ipython().displayhook.cache_size = 1_000_000
_spent = []
def _timed(look):
    def wrapper(*args, **named):
        began = _time.perf_counter()
        try:
            return look(*args, **named)
        finally:
            _spent.append(_time.perf_counter() - began)
    return wrapper
def _take():
    spent = sum(_spent)
    _spent.clear()
    return spent
"""
HOOKED = """
_capture = get_ipython().kernel.session.send.__self__
_capture._look = _timed(_capture._look)
"""
"""The capture looks at each message that the kernel sends; what that takes is our time on the cell's path. A cell's
last message comes after its expressions are evaluated, so its share is counted with the next cell."""


@contextmanager
def cells(extension: bool, history: bool, cells: int, foreign: int = 0) -> Iterator[Visit]:
    """A burst of short cells, sent back to back, from a notebook of so many; ``hook`` is our time in each.

    With ``foreign`` the notebook lies in a repository beside so many other files.
    """
    module = "project_o.kernel" if extension else "ipykernel_launcher"
    numbers = itertools.count()

    def prepare(folder: Path) -> None:
        if foreign:
            repository(folder, foreign)

    with Kernel(module, {"PROJECT_O_HISTORY": "on" if history else "off"}, prepare) as kernel:
        kernel.run(TIMED + (HOOKED if extension else ""), "timed")

        def one(cell: int) -> dict[str, float]:
            number = next(numbers)
            ran = kernel.run(f"print({number})\n{number} * 2", f"cell-{cell}", {"hook": "_take()"})
            expect("cell", f"{number}\n{number * 2}", ran.text)
            return {"wall": ran.seconds} | ({"hook": float(ran.expressions["hook"])} if extension else {})

        for cell in range(cells):
            one(cell)

        def visit() -> Sample:
            burst = [one(random.randrange(cells)) for _ in range(BURST)]
            time.sleep(SETTLE_SECONDS)
            wall = median(sample["wall"] for sample in burst)
            return {"wall": wall} | ({"hook": [sample["hook"] for sample in burst]} if extension else {})

        yield visit


@contextmanager
def kernel_start(module: str) -> Iterator[Visit]:
    """A kernel in a folder of its own: process, connection, answer to the first question; then ended."""

    def visit() -> Sample:
        with Kernel(module) as kernel:
            expect("1 + 1", "2", kernel.run("1 + 1").text)
            return {"wall": kernel.start_seconds}

    yield visit
