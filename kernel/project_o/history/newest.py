"""A file as the newest states hold it, whichever kernels wrote them."""

from __future__ import annotations

from ..errors import HistoryError, warn
from ..limits import ENDS_READ_MAX
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


def at_the_ends(history: History | None, path: str) -> list[str]:
    """Its texts where the notebook's newest lanes end, newest first, each once.

    Of two kernels beside each other the one that recorded last need not know what the other one did.
    """
    if history is None:
        return []
    found: dict[str, None] = {}
    try:
        for state in history.ends(ENDS_READ_MAX):
            if text := history.files(state, path).get(path, ""):
                found[text] = None
    except HistoryError as error:
        warn(f"{path} of the newest states cannot be read: {error}")
    return list(found)
