"""A Python function of the user's that says what is right. It runs in this process: it is the user's own."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..task import Answer


@dataclass(frozen=True)
class Right:
    """An answer as a job gives one, made in this process."""

    value: Any
    wall_seconds: float
    written: tuple[tuple[int, Any], ...] = ()
    ok: bool = True
    ended: str = ""
    error: str = ""
    error_name: str = ""
    meant: bool = True
    cpu_seconds: float = 0.0
    shares: bool = True  # it may, where nobody says otherwise
    held: tuple[str, ...] | None = None  # in any way


class Reference:
    """The function, and how its answers are made comparable."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.name = str(getattr(function, "__name__", "the reference"))

    def answer(self, args: tuple[Any, ...], *, like: Answer) -> Answer | None:
        """What is right on ``args``, in the types of ``like``, the answer of what serves.

        None where the reference raises: the input is out of its domain.
        """
        import numpy as np

        given = copy.deepcopy(args)
        try:
            with np.errstate(all="ignore"):  # the infinities among the inputs are ours: no warning of the user's
                value = self._function(*given)
        except Exception:  # noqa: BLE001 - an input that the reference refuses is no input; it is counted as left out
            return None
        written = tuple((place, fitted(given[place], array)) for place, array in like.written)
        return Right(fitted(value, like.value) if like.ok else value, like.wall_seconds, written, shares=like.shares)


def fitted(value: Any, like: Any) -> Any:
    """``value`` in the types of ``like`` where nothing is lost: 3 for 3.0, a list for an array, a plain number for
    one of numpy's."""
    import numpy as np

    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(like, np.ndarray) and isinstance(value, (np.ndarray, list, tuple)):
        array = np.asarray(value)
        fits = array.shape == like.shape and np.can_cast(array.dtype, like.dtype, "same_kind")
        return array.astype(like.dtype) if fits else array
    if isinstance(value, np.ndarray) and isinstance(like, (list, tuple)):
        value = value.tolist()
    if isinstance(like, tuple) and isinstance(value, (list, tuple)) and len(like) == len(value):
        parts = [fitted(item, one) for item, one in zip(value, like, strict=True)]
        return type(like)(*parts) if hasattr(like, "_fields") else tuple(parts)
    if isinstance(like, list) and isinstance(value, (list, tuple)) and len(like) == len(value):
        return [fitted(item, one) for item, one in zip(value, like, strict=True)]
    if isinstance(like, float) and type(value) is int:
        return float(value)
    return value
