"""Where in the user's own lines something was raised."""

from __future__ import annotations

import inspect
import linecache
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

_OURS = str(Path(__file__).parent.parent)


def where_it_failed(error: BaseException, code: Callable[..., Any] | str) -> tuple[str, str]:
    """The end of a reason (line, text, error), and the traceback's part that is the user's own.

    ``code`` is the function that was called, or the name of its file. Where no line of that file was reached, the
    lines of other files count that are not ours.
    """
    file = code if isinstance(code, str) else _file_of(code)
    every = traceback.extract_tb(error.__traceback__)
    frames = [frame for frame in every if frame.filename == file] or [
        frame for frame in every if not frame.filename.startswith(_OURS)
    ]
    told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    line = " ".join(told.split())
    if not frames:
        return f": {line}", told
    last = frames[-1]
    text = (last.line or linecache.getline(last.filename, last.lineno or 0)).strip()
    where = f", line {last.lineno}" + (f": {text}" if text else "")
    return where + (f": {line}" if line != "AssertionError" else ""), "".join(traceback.format_list(frames)) + told


def _file_of(code: Callable[..., Any]) -> str:
    plain = inspect.unwrap(getattr(code, "__func__", code))
    found = getattr(plain, "__code__", None)
    return str(found.co_filename) if found is not None else ""
