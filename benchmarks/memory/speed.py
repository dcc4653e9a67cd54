"""How fast: the exact best ten of 100,000 vectors, and a million blocks on the disk."""

from __future__ import annotations

import random
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from project_o import limits
from project_o.agent.blocks.matrix import Matrix
from project_o.agent.memory import Memory
from project_o.lisp.specs import MemorySpec

WORDS = """
river cellar violin harbour ticket engine garden winter letter copper museum bridge anchor candle forest planet market
pillow rocket saddle tunnel valley window yellow zipper basket camera dragon flavor guitar hammer island
"""


def exact_top(rows: int = 100_000, dimension: int = 256, rounds: int = 60) -> dict[str, Any]:
    """Milliseconds of a search, beside a product and a full sort of the same vectors; the answers are compared."""
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((rows, dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    matrix = Matrix(dimension)
    matrix.extend(list(range(rows)), vectors, [0] * rows)
    ours, sorted_all = [], []
    for k in range(rounds):
        query = vectors[(k * 997) % rows] + 0.5 * vectors[(k * 31 + 7) % rows]
        began = time.perf_counter()
        found = matrix.top(query, 10)
        ours.append(1_000 * (time.perf_counter() - began))
        began = time.perf_counter()
        order = np.argsort(-(vectors @ query), kind="stable")[:10]
        sorted_all.append(1_000 * (time.perf_counter() - began))
        assert [number for number, _ in found] == order.tolist()
    return {
        "rows": rows,
        "dimension": dimension,
        "median_ms": statistics.median(ours),
        "p95_ms": sorted(ours)[int(0.95 * rounds)],
        "least_ms": min(ours),
        "sort_of_all_median_ms": statistics.median(sorted_all),
        "values_ms": ours,
    }


def many(count: int = 1_000_000) -> dict[str, Any]:
    """So many blocks in one file: written, opened, asked with the vectors held, and with none held."""
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "many.sqlite"))
        spec = MemorySpec("many", embedding="words", capacity=2 * count)
        notes = Memory(spec, path=path)
        began = time.perf_counter()
        notes.remember_all(f"{' '.join(rng.sample(WORDS.split(), 6))} number {k}" for k in range(count))
        written = time.perf_counter() - began
        notes.store.close()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        began = time.perf_counter()
        again = Memory(spec, path=path)
        opened = time.perf_counter() - began
        wanted = f"number {count - 7}"
        streamed = _with_matrix_bytes(0, lambda: _asked(again, wanted, 3))
        opened_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        held = _with_matrix_bytes(2 << 30, lambda: _asked(again, wanted, 10))
        size = Path(path).stat().st_size
        again.store.close()
    return {
        "blocks": count,
        "file_mib": size / 2**20,
        "write_seconds": written,
        "open_ms": 1_000 * opened,
        "recall_nothing_held_ms": streamed,
        "recall_first_then_held_ms": held,
        "peak_mib_after_writing": before,
        "peak_mib_after_recalls_with_nothing_held": opened_mib,
    }


def _asked(notes: Memory, query: str, times: int) -> list[float]:
    found = []
    for _ in range(times):
        began = time.perf_counter()
        assert notes.recall(query)
        found.append(1_000 * (time.perf_counter() - began))
    return found


def _with_matrix_bytes(size: int, do: Any) -> Any:
    usual, limits.MEMORY_MATRIX_BYTES_MAX = limits.MEMORY_MATRIX_BYTES_MAX, size
    try:
        return do()
    finally:
        limits.MEMORY_MATRIX_BYTES_MAX = usual
