"""The values that a parameter may take, as its author wrote them behind ``o:``.

    o: 4 8 16 32          these (commas are allowed)
    o: 1..16              every integer from 1 to 16; for a float, 17 evenly spaced values
    o: log 1..1024        1 and its doublings up to 1024; for a float, 17 geometrically spaced values
    o: true false         both
    o: .fast .small       enum literals, with their dot
    o: "row" "column"     strings

The values must be of the constant's own kind, and the constant's current value must be one of them. A range
contains every number between its bounds, so there the current value joins the grid.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Literal, NoReturn

from ..errors import UsageError
from ..limits import DOMAIN_VALUES_MAX
from ..values import Scalar

Kind = Literal["int", "float", "bool", "string", "enum"]

FLOAT_GRID_POINTS = 17

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'|([^\s,]+)|[\s,]+')
_RANGE = re.compile(r"(.+?)\.\.(.+)")
_INTEGER = re.compile(r"-?(?:0x[0-9a-fA-F_]+|0o[0-7_]+|0b[01_]+|[0-9][0-9_]*)")
_OCTAL_OF_C = re.compile(r"-?0\d+")
ENUM_LITERAL = re.compile(r"\.[A-Za-z_]\w*")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def parse(text: str, kind: Kind, value: Scalar, name: str, line: int) -> tuple[Scalar, ...]:
    """The domain written in ``text`` for the constant ``name`` whose value is ``value``.

    Order is the author's; repeated values count once. Raises UsageError naming ``line`` (1-based).
    """
    words = [_word(match) for match in _TOKEN.finditer(text) if match.lastindex]
    if not words:
        _refuse(name, line, "lists no values: write them behind 'o:', as in 'o: 4 8 16'")
    values: list[Scalar] = []
    logarithmic = False
    ranged = False
    for quoted, word in words:
        if word == "log" and not quoted and kind in ("int", "float"):
            logarithmic = True
            continue
        bounds = None if quoted or kind not in ("int", "float") else _RANGE.fullmatch(word)
        if bounds is not None:
            low, high = (_number(part, kind, name, line) for part in bounds.groups())
            grid = _grid(low, high, kind, logarithmic, name, line)
            values.extend(grid)
            if low <= float(value) <= high and value not in grid:
                values.append(value)
            ranged, logarithmic = True, False
        else:
            values.append(_single(word, quoted, kind, name, line))
    if logarithmic:
        _refuse(name, line, "has 'log' without a range behind it: write 'log 1..1024'")
    if ranged:
        values.sort()
    unique = tuple(dict.fromkeys(values))
    if len(unique) > DOMAIN_VALUES_MAX:
        _refuse(name, line, f"has {len(unique)} values, {DOMAIN_VALUES_MAX} is the most: use 'log' or a list")
    if value not in unique:
        shown = " ".join(str(item) for item in unique[:12])
        _refuse(name, line, f"is {value}, which is not among its own values ({shown}): add it to them")
    return unique


def read_integer(text: str) -> int | None:
    """An integer literal (decimal, 0x, 0o, 0b, underscores), or None if it is none."""
    if not _INTEGER.fullmatch(text) or _OCTAL_OF_C.fullmatch(text):
        return None
    try:
        return int(text.replace("_", ""), 0)
    except ValueError:  # no digits behind 0x, or more of them than Python reads
        return None


def _word(match: re.Match[str]) -> tuple[bool, str]:
    double, single, bare = match.groups()
    if bare is not None:
        return False, bare
    return True, _ESCAPED.sub(r"\1", double if double is not None else single)


def _single(word: str, quoted: bool, kind: Kind, name: str, line: int) -> Scalar:  # noqa: FBT001 - a parsed token
    match kind:
        case "string" if quoted:
            return word
        case "enum" if not quoted and ENUM_LITERAL.fullmatch(word):
            return word
        case "bool" if not quoted and word.lower() in ("true", "false"):
            return word.lower() == "true"
        case "int" | "float" if not quoted:
            return _number(word, kind, name, line)
    wanted = {"string": 'strings in quotes, as in "row"', "enum": "enum literals, as in .fast", "bool": "true or false"}
    return _refuse(name, line, f"cannot be {word!r}: its values must be {wanted.get(kind, f'of kind {kind}')}")


def _number(word: str, kind: Kind, name: str, line: int) -> int | float:
    if kind == "int":
        number = read_integer(word)
        if number is None:
            _refuse(name, line, f"cannot be {word!r}: it is an integer, so its values must be integers")
        return number
    try:
        real = float(word.replace("_", ""))
    except ValueError:
        _refuse(name, line, f"cannot be {word!r}: its values must be numbers")
    if not math.isfinite(real):
        _refuse(name, line, f"cannot be {word!r}: its values must be finite")
    return real


def _grid(low: float, high: float, kind: Kind, logarithmic: bool, name: str, line: int) -> Sequence[Scalar]:  # noqa: FBT001
    if low >= high:
        _refuse(name, line, f"has an empty range {low}..{high}: write the smaller bound first")
    if logarithmic and low <= 0:
        _refuse(name, line, f"has a logarithmic range from {low}: it must begin above 0")
    if kind == "int":
        first, last = int(low), int(high)
        if not logarithmic:
            # One more than allowed is enough for the caller to refuse it without building the whole range.
            return list(range(first, min(last, first + DOMAIN_VALUES_MAX) + 1))
        doublings = [first << k for k in range(last.bit_length()) if first << k <= last]
        return [*doublings, *([last] if doublings[-1] != last else [])]
    steps = FLOAT_GRID_POINTS - 1
    if logarithmic:
        ratio = high / low
        return [float(f"{low * ratio ** (k / steps):.6g}") for k in range(steps)] + [high]
    return [float(f"{low + (high - low) * k / steps:.12g}") for k in range(steps)] + [high]


def _refuse(name: str, line: int, why: str) -> NoReturn:
    raise UsageError(f"line {line}: parameter {name} {why}")
