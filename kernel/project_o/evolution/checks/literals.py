"""Values as Python that can be typed in again: ``(array([0., -1.]), 3)``, with numpy's names and ``nan``, ``inf``."""

from __future__ import annotations

from typing import Any

from ... import limits


def literal(value: Any) -> str:
    """``value`` as an expression; containers may be nested, arrays are written whole."""
    import numpy as np

    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, np.generic):
        return f"{value.dtype.name}({value.item()!r})"
    if type(value) is tuple:
        inner = ", ".join(literal(item) for item in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if type(value) is list:
        return f"[{', '.join(literal(item) for item in value)}]"
    if type(value) is dict:
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if type(value) in (set, frozenset) and value:
        inner = "{" + ", ".join(sorted(literal(item) for item in value)) + "}"
        return inner if type(value) is set else f"frozenset({inner})"
    return repr(value)


def told(args: tuple[Any, ...], characters: int = limits.COUNTEREXAMPLE_CHARACTERS_MAX) -> str:
    """Arguments as an expression; where that is longer than ``characters``, how many values they hold."""
    if _values(args) <= characters:
        text = literal(args)
        if len(text) <= characters:
            return text
    return f"an input of {_values(args)} values"


def _array(array: Any) -> str:
    import numpy as np

    if array.size == 0 and array.shape != (0,):
        return f"zeros({array.shape}, dtype={array.dtype.name})"
    body = np.array2string(array, separator=", ", threshold=array.size + 1, floatmode="unique", max_line_width=1 << 30)
    body = " ".join(body.split()) if array.dtype.kind in "biufc" else body
    implied = array.size and array.dtype.name in ("float64", "int64", "bool", "complex128")
    return f"array({body})" if implied or array.dtype.kind in "US" else f"array({body}, dtype={_name(array.dtype)})"


def _name(dtype: Any) -> str:
    return repr(str(dtype)) if dtype.kind in "mM" else str(dtype.name)


def _values(value: Any) -> int:
    import numpy as np

    if isinstance(value, np.ndarray):
        return int(value.size)
    if isinstance(value, (str, bytes)):
        return len(value)
    if isinstance(value, dict):
        return sum(_values(key) + _values(item) for key, item in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return sum(_values(item) for item in value)
    return 1
