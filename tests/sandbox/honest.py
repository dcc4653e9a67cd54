"""Code that harms nobody, and what it answers, everywhere and for everybody. ``python -m honest`` says where not."""

from __future__ import annotations

import json
import math
from typing import Any

SETTINGS = {
    "strict in namespaces": {},
    "strict": {"deny": ("namespaces",)},
    "with a folder in namespaces": {"scratch_bytes": 64 << 20},
    "with a folder": {"scratch_bytes": 64 << 20, "deny": ("namespaces",)},
    "evaluator in namespaces": {"profile": "evaluator"},
    "evaluator": {"profile": "evaluator", "deny": ("namespaces",)},
    "without Landlock": {"deny": ("landlock", "namespaces")},
}
BODIES: list[tuple[str, Any]] = [
    ("float(np.linalg.solve(np.eye(40) * 2, np.ones(40)).sum())", 20.0),
    ("round(float(np.linalg.eigvalsh(np.diag([1.0, 2.0, 3.0])).max()), 9)", 3.0),
    ("float((np.ones((300, 300)) @ np.ones((300, 300)))[0, 0])", 300.0),
    ("int(np.sort(np.random.default_rng(0).integers(0, 10**6, 300_000))[0] >= 0)", 1),
    ("float(np.fft.fft(np.ones(64)).real[0])", 64.0),
    ("sum(sorted(range(100_000), key=lambda x: -x))", 4999950000),
    ("2 ** 20_000 % (10 ** 60)", 2**20_000 % 10**60),
    ("'äß漢\\U0001f600'.upper()", "ÄSS漢\U0001f600"),
    ("json.loads(json.dumps({'a': [1, None]}))", {"a": [1, None]}),
    ("str(decimal.Decimal(1) / 3)[:6]", "0.3333"),
    ("[m.group() for m in re.finditer('[a-z]', '1a2b')]", ["a", "b"]),
    ("datetime.date(2024, 2, 29).isoformat()", "2024-02-29"),
    ("hashlib.sha256(b'x').hexdigest()[:8]", "2d711642"),
    ("random.Random(5).randint(0, 9)", 9),
    ("heapq.nsmallest(2, [3, 1, 2])", [1, 2]),
    ("statistics.median([1, 3, 2])", 2),
    ("functools.reduce(lambda a, b: a * b, range(1, 11))", math.factorial(10)),
    ("recover(lambda: bytearray(1 << 40))", "MemoryError"),
    ("recover(lambda: [bytearray(1 << 34) for _ in range(9)])", "MemoryError"),
    ("len(bytearray(b'x') * (300 << 20)) >> 20", 300),
    ("np.linalg.svd(np.arange(12.0).reshape(3, 4), compute_uv=False).round(6).tolist()[2]", 0.0),
    ("np.polynomial.Polynomial([1, 2, 3])(2.0)", 17.0),
    ("unicodedata.normalize('NFC', 'e\\u0301') + 'i'.upper() + 'straße'.casefold()", "éIstrasse"),
    ("int('9' * 4000) % 97 + math.factorial(300) % 1009", int("9" * 4000) % 97 + math.factorial(300) % 1009),
    ("sum(itertools.islice(itertools.accumulate(range(10**6)), 5))", 20),
    ("''.join(sorted('Zürich äÖ', key=str.casefold))", "".join(sorted("Zürich äÖ", key=str.casefold))),
    ("recover(lambda: deep(0))", "RecursionError"),
    ("time.sleep(0.01) or 1", 1),
    ("f'{np.arange(3)}'", "[0 1 2]"),
    ("dataclasses.asdict(Point(2))", {"x": 2, "y": 0.5}),
    (
        "[field.type for field in dataclasses.fields(Point)][0] is int and typing.get_type_hints(Point)['y'] is float",
        True,
    ),
]
_AROUND = """
import numpy as np, datetime, decimal, functools, hashlib, heapq, itertools, json, math, random, re, statistics, time
import dataclasses, typing, unicodedata
@dataclasses.dataclass
class Point:
    x: int
    y: float = 0.5
def recover(attempt):
    try: attempt()
    except (MemoryError, RecursionError) as error: return type(error).__name__
def deep(n): return deep(n + 1)
def run(): return {body}
"""


def source(body: str) -> str:
    return _AROUND.replace("{body}", body)


def failures() -> list[str]:
    """Everything in every setting, and what did not answer as it should."""
    from project_o.sandbox import Sandbox

    found = []
    for name, options in SETTINGS.items():
        with Sandbox(wall_seconds=60, cpu_seconds=60, memory_bytes=512 << 20, **options) as box:
            for body, value in BODIES:
                with box.python(source(body)) as job:
                    answer = job.ask("run")
                    if not answer.ok or answer.value != value:
                        found.append(f"{name} at {box.level}: {body}: {answer}")
    return found


if __name__ == "__main__":
    print(json.dumps(failures()))
