"""A file as the newest state holds it, whichever kernel wrote it."""

from __future__ import annotations

from ..errors import HistoryError, warn
from .history import History


def newest(history: History | None, path: str) -> str:
    """Its text; "" where there is none. Where the store cannot be read that is said as a warning."""
    if history is None:
        return ""
    try:
        return next((history.files(state, path).get(path, "") for state in history.states(1)), "")
    except HistoryError as error:
        warn(f"{path} of the newest state cannot be read: {error}")
        return ""
