"""How numbers are written, once for all views: ``1.83x [1.79, 1.88]``, ``12.3 ms``, ``4.1 MB``, short ids."""

from __future__ import annotations

import math
from datetime import UTC, datetime

SHORT_ID_DIGITS = 10
MISSING = "-"

_SECOND_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_BYTE_UNITS = ("B", "kB", "MB", "GB", "TB")


def number(value: float) -> str:
    """Three significant digits, thousands separated, whole numbers as they are: ``0.979``, ``12.3``, ``1,797``."""
    if isinstance(value, bool):
        return str(value)
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: "-∞"}.get(value, "not a number")
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    size = abs(value)
    if size >= 1e15 or size < 1e-4:
        return f"{value:.2e}"
    return f"{value:,.{_decimals(size)}f}"


def _decimals(size: float) -> int:
    """The decimals that leave three significant digits of a positive number once it is rounded."""
    decimals = max(0, 2 - math.floor(math.log10(size)))
    rounded = round(size, decimals)
    return max(0, 2 - math.floor(math.log10(rounded))) if rounded else decimals


def ratio(value: float | None) -> str:
    """``1.83x``, ``12.4x``, ``180x``."""
    return MISSING if value is None or math.isnan(value) else f"{_fixed(value, _ratio_decimals(value))}x"


def interval(value: float, low: float, high: float) -> str:
    """``1.83x [1.79, 1.88]``; three decimals near 1, where a verdict is decided: ``1.018x [0.994, 1.043]``."""
    decimals = 3 if 0.9 <= value <= 1.1 else _ratio_decimals(value)
    return f"{_fixed(value, decimals)}x [{_fixed(low, decimals)}, {_fixed(high, decimals)}]"


def _ratio_decimals(value: float) -> int:
    if not math.isfinite(value):
        return 2
    return 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0


def _fixed(value: float, decimals: int) -> str:
    return f"{value:,.{decimals}f}" if math.isfinite(value) else number(value)


def seconds(value: float | None) -> str:
    """``780 ns``, ``12.3 ms``, ``0.12 s``, ``4.56 s``, ``3 min 20 s``, ``2 h 05 min``."""
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return number(value)
    if value < 0:
        return f"-{seconds(-value)}"
    if value >= 59.95:
        minutes, rest = divmod(round(value), 60)
        return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
    if value == 0:
        return "0 s"
    if 0.0995 <= value < 1:
        return f"{value:.2f} s"
    for size, unit in _SECOND_UNITS:
        if value >= size * 0.9995:
            return f"{number(value / size)} {unit}"
    return f"{number(value / 1e-9)} ns"


def size(value: float) -> str:
    """Bytes in decimal units: ``412 B``, ``7.6 kB``, ``4.1 MB``."""
    rest = float(value)
    for unit in _BYTE_UNITS:
        if abs(rest) < 999.5 or unit == _BYTE_UNITS[-1]:
            break
        rest /= 1000
    if unit == "B":
        return f"{rest:.0f} B"
    return f"{rest:.1f} {unit}" if abs(rest) < 99.95 else f"{rest:.0f} {unit}"


def quantity(value: float, unit: str) -> str:
    """A value with its unit; seconds and bytes take the prefix that suits them."""
    if unit in ("s", "seconds"):
        return seconds(value)
    if unit in ("B", "bytes"):
        return size(value)
    return f"{number(value)} {unit}".rstrip()


def share(value: float) -> str:
    """A fraction as a percentage: ``10 %``."""
    return f"{value * 100:.3g} %"


def short(identity: str) -> str:
    """The first ten digits of a commit id or content hash."""
    return identity[:SHORT_ID_DIGITS]


def when(epoch_seconds: float) -> str:
    """``2026-11-22 15:04:05``, UTC, so that a saved page reads the same everywhere."""
    try:
        return datetime.fromtimestamp(epoch_seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return MISSING


def scalar(value: object) -> str:
    """A parameter's value: floats short, everything else as Python writes it without quotes."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)
