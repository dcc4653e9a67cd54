"""One of our exceptions: its kind in words, its message, and what to do next."""

from __future__ import annotations

import re

from ..errors import (
    CompileError,
    DeployError,
    EvolutionError,
    HistoryError,
    InterfaceError,
    NativeFault,
    NativePanic,
    NativeResultError,
    ProjectOError,
    SandboxError,
    ToolchainMissing,
    UsageError,
)
from .compiler import show_compile_error
from .display import Display, page
from .parts import line, note, title
from .text import clean

_NEXT: tuple[tuple[type[ProjectOError], str], ...] = (
    (UsageError, "A question mark behind the magic, as in %evolve?, lists its options."),
    (InterfaceError, "The function's signature is in its help: name?"),
    (ToolchainMissing, "%o doctor names what is missing and how to get it."),
    (NativePanic, "The kernel and its variables are intact: mend the cell and run it again."),
    (NativeFault, "The kernel and its variables are intact. --mode safe finds most causes; --isolate survives all."),
    (NativeResultError, "The function returned this error itself: catch NativeResultError and look at its name."),
    (SandboxError, "%o doctor says which sandbox level holds here and why."),
    (EvolutionError, "What was found so far is kept; --resume goes on from there."),
    (HistoryError, "Cells run without it. %o doctor says what is wrong with the store."),
    (DeployError, "%o serving lists every name and what serves it."),
)


def show_error(error: BaseException, *, todo: str = "") -> Display:
    """An exception: kind, function and line where known, message, what next. ``todo`` replaces our own advice."""
    if isinstance(error, CompileError):
        return show_compile_error(error)
    function, at = getattr(error, "function", ""), getattr(error, "line", 0)
    where = ", ".join(text for text in (function and f"in {function}", at and f"line {at} of the cell") if text)
    advice = todo or next((words for kind, words in _NEXT if isinstance(error, kind)), "")
    return page(
        title("", words_of(type(error)), "bad", where),
        line(clean(error).strip() or "no message"),
        note(f"What next: {advice}") if advice else None,
    )


def words_of(kind: type[BaseException]) -> str:
    """A class name in words: ``Native panic``, ``Usage error``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.__name__)
    return words if kind.__name__.startswith("ProjectO") else words.capitalize()
