"""Generic loops over arguments of some types, as Python texts that have a translation.

    map  reduce  mean  dot  scan  windowed  pairwise  histogram  argmin  argmax  minimum  maximum

None of them is made from any function: they are what a proposer can offer that has not read one. To add one: a function
here that yields (word, body), and its name in ``_LOOPS``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from . import Argument

Loop = tuple[str, str]


class _Loops(Protocol):
    def __call__(self, arrays: Sequence[str], floats: Sequence[str], wholes: Sequence[str]) -> Iterator[Loop]: ...


def templates(name: str, arguments: Mapping[str, Argument]) -> Iterator[Loop]:
    """Each loop with its word, as the text of a Python function ``name`` of these arguments."""
    arrays = [item for item, kind in arguments.items() if kind.array and kind.kind.__name__ != "bool"]
    floats = [item for item, kind in arguments.items() if not kind.array and kind.kind is float]
    wholes = [item for item, kind in arguments.items() if not kind.array and kind.kind is int]
    if not arrays:
        return
    head = f"def {name}({', '.join(arguments)}):\n"
    for loops in _LOOPS:
        for word, body in loops(arrays, floats, wholes):
            lines = body.strip("\n").split("\n")
            yield word, head + "".join(f"    {line}\n" for line in lines)


def _elements(arrays: Sequence[str], floats: Sequence[str]) -> list[str]:
    """What an element may become."""
    single = [[f"{a}[i]", f"{a}[i] * {a}[i]", f"abs({a}[i])"] for a in arrays]
    scaled = [[f"{a}[i] * {k}", f"{a}[i] - {k}"] for a in arrays for k in floats]
    both = [
        [f"{a}[i] * {b}[i]", f"{a}[i] - {b}[i]", f"{a}[i] + {b}[i]", f"abs({a}[i] - {b}[i])",
         f"({a}[i] - {b}[i]) * ({a}[i] - {b}[i])"]
        for a, b in itertools.combinations(arrays, 2)
    ]  # fmt: skip
    return [item for group in (*single, *scaled, *both) for item in group]


def _maps(arrays: Sequence[str], floats: Sequence[str], wholes: Sequence[str]) -> Iterator[Loop]:
    n = arrays[0]
    for one in _elements(arrays, floats):
        yield "map", f"out = np.zeros(len({n}))\nfor i in range(len({n})):\n    out[i] = {one}\nreturn out"
        running = f"s = 0.0\nout = np.zeros(len({n}))\nfor i in range(len({n})):\n    s += {one}\n    out[i] = s"
        yield "scan", f"{running}\nreturn out"


def _reductions(arrays: Sequence[str], floats: Sequence[str], wholes: Sequence[str]) -> Iterator[Loop]:
    n = arrays[0]
    for one in _elements(arrays, floats):
        word = "dot" if one.count("[i]") == 2 and " * " in one else "reduce"
        total = f"s = 0.0\nfor i in range(len({n})):\n    s += {one}"
        yield word, f"{total}\nreturn s"
        yield "mean", f"{total}\nreturn s / len({n})"
        yield word, f"{total}\nreturn math.sqrt(s)"


def _extremes(arrays: Sequence[str], floats: Sequence[str], wholes: Sequence[str]) -> Iterator[Loop]:
    for a, (sign, word) in itertools.product(arrays, (("<", "min"), (">", "max"))):
        search = f"best = 0\nfor i in range(1, len({a})):\n    if {a}[i] {sign} {a}[best]:\n        best = i"
        yield f"arg{word}", f"{search}\nreturn best"
        yield f"{word}imum", f"{search}\nreturn {a}[best]"


def _windows(arrays: Sequence[str], floats: Sequence[str], wholes: Sequence[str]) -> Iterator[Loop]:
    for a, k in itertools.product(arrays, wholes):
        for result in ("s", f"s / {k}"):
            yield (
                "windowed",
                (
                    f"out = np.zeros(len({a}) - {k} + 1)\nfor i in range(len({a}) - {k} + 1):\n    s = 0.0\n"
                    f"    for j in range({k}):\n        s += {a}[i + j]\n    out[i] = {result}\nreturn out"
                ),
            )


def _pairs(arrays: Sequence[str], floats: Sequence[str], wholes: Sequence[str]) -> Iterator[Loop]:
    for a in arrays:
        loops = f"s = 0.0\nfor i in range(len({a})):\n    for j in range(i + 1, len({a})):"
        yield "pairwise", f"{loops}\n        s += abs({a}[i] - {a}[j])\nreturn s"
        for r in floats:
            count = loops.replace("s = 0.0", "s = 0")
            yield "pairwise", f"{count}\n        if abs({a}[i] - {a}[j]) < {r}:\n            s += 1\nreturn s"


def _histograms(arrays: Sequence[str], floats: Sequence[str], wholes: Sequence[str]) -> Iterator[Loop]:
    for a, k in itertools.product(arrays, wholes):
        for low, high in itertools.permutations(floats, 2):
            yield (
                "histogram",
                (
                    f"out = np.zeros({k}, dtype=np.int64)\nfor x in {a}:\n    if x >= {low} and x < {high}:\n"
                    f"        out[int((x - {low}) / ({high} - {low}) * {k})] += 1\nreturn out"
                ),
            )


_LOOPS: tuple[_Loops, ...] = (_maps, _reductions, _extremes, _windows, _pairs, _histograms)
