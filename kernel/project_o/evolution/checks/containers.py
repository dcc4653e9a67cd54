"""Python values of any shape, varied: other lengths, repeated and edge members, in the same nesting and types.

A function that takes any values says nothing of them, so what is varied is what its samples show: a list of numbers
stays one, a dict keeps its keys where its values differ in type (a record), and may lose them where they do not (a
table).
"""

from __future__ import annotations

import math
from typing import Any

WORDS = (
    "", "a", "A b", "é", "e\u0301", "ß", "İ", "\U0001d518", "👩\u200d👩\u200d👧", "אב", "\t\r\n", "0", "-1.5", "ﬁΣς",
    "٣²½Ⅷ", "\x1c\u2028\xa0\u3000", "ªʰ_ǅ",
)  # fmt: skip
DEPTH_MAX = 8


def varied(rng: Any, value: Any, depth: int = 0) -> Any:
    """A neighbour of ``value``: of its type, with other members."""
    if depth > DEPTH_MAX:
        return value
    if isinstance(value, bool):
        return bool(rng.random() < 0.5)
    if isinstance(value, int):
        return _pick(
            rng, (value, value, 0, 1, -1, 2, value + 1, value - 1, -value, 64 * value + 1, (1 << 31) - 1, 1 << 63)
        )
    if isinstance(value, float):
        return _pick(rng, (value, value, 0.0, -0.0, 1.0, -1.0, -value, value / 2, math.nextafter(value, math.inf)))
    if isinstance(value, str):
        return _text(rng, value)
    if isinstance(value, bytes):
        return _pick(rng, (value, b"", value[:1], value + value, value[::-1], b"\x00\xff"))
    if type(value) in (list, tuple, set, frozenset):
        return _sequence(rng, value, depth)
    if type(value) is dict:
        return _mapping(rng, value, depth)
    return value


def pointed(value: Any) -> list[tuple[str, Any]]:
    """Lists of numbers that another type of number would round to one, or take for floats: (label, list)."""
    if type(value) not in (list, tuple) or not value:
        return []
    kinds = {type(item) for item in value}
    if kinds == {int}:
        wide = 1 << 53
        rounded = [wide + 1, wide, wide + 3, wide + 2, wide + 1]
        return [("beyond 2**53", type(value)(rounded)), ("beyond 2**63", type(value)([1 << 63, -1, (1 << 63) + 1, 0]))]
    if kinds == {float}:
        above = [math.nextafter(item, math.inf) for item in value[:2]]
        return [("next to each other", type(value)([*above, *value[:2], -0.0, 0.0]))]
    return []


def _text(rng: Any, value: str) -> str:
    word: str = _pick(rng, WORDS)
    cut = int(rng.integers(len(value) + 1))
    options = (value, word, value[:cut] + word + value[cut:], value + value, value[::-1], value.upper(), value[:cut])
    picked: str = _pick(rng, options)
    return picked


def _sequence(rng: Any, value: Any, depth: int) -> Any:
    items = list(value) if not isinstance(value, (set, frozenset)) else sorted(value, key=repr)
    if type(value) is tuple and len({type(item) for item in items}) > 1:
        return tuple(varied(rng, item, depth + 1) for item in items)  # a record: each place has its own meaning
    way = int(rng.integers(7))
    length = _pick(
        rng, (0, 1, len(items), len(items) + 1, 2 * len(items) + 1, 8 * len(items) + 5, int(rng.integers(1, 18)))
    )
    if not items or way == 0:
        found = items[: int(length)]
    elif way == 1:
        found = items[::-1]
    elif way == 2:
        found = [items[0]] * int(length)
    elif way == 3:
        found = items + items[:1]
    else:
        drawn = [items[int(place)] for place in rng.integers(len(items), size=int(length))]
        found = [varied(rng, item, depth + 1) if way > 4 else item for item in drawn]
    return type(value)(found)


def _mapping(rng: Any, value: dict[Any, Any], depth: int) -> dict[Any, Any]:
    """A table (all values of one type) may lose and gain rows; a record keeps its fields."""
    pairs = [(key, varied(rng, item, depth + 1) if rng.random() < 0.5 else item) for key, item in value.items()]
    table = len(pairs) > 1 and len({type(item) for item in value.values()}) == 1
    if table and rng.random() < 0.5:
        kept = int(rng.integers(len(pairs) + 1))
        pairs = pairs[:kept]
        if all(isinstance(key, str) for key in value) and pairs and rng.random() < 0.5:
            pairs.append((str(_pick(rng, WORDS)), pairs[0][1]))
    if rng.random() < 0.3:
        pairs.reverse()
    return dict(pairs)


def _pick(rng: Any, options: tuple[Any, ...]) -> Any:
    return options[int(rng.integers(len(options)))]
