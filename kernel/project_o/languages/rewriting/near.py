"""Numbers near to another one, for the operators that change constants."""

from __future__ import annotations


def near(value: float) -> list[int | float]:
    """The neighbours, the half and the double of a whole number; a little and much more or less of another one."""
    found: list[int | float]
    if isinstance(value, int):
        found = [value + 1, value - 1, value * 2, value // 2]
    else:
        found = [value * 1.1, value * 0.9, value * 2, value / 2] if value else [1.0]
    return [item for item in dict.fromkeys(found) if item != value and item >= 0]
