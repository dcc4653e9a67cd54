"""What differs between two states: cells and files, each with its diff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import limits
from . import numbers, style
from .display import Display, Part, group, page
from .markup import tag
from .parts import left_out, line, note, title
from .source import diff_part
from .text import clean

_MARKS = {"added": "+", "removed": "-"}


def show_changes(
    changes: Sequence[Any], *, files: Sequence[Any] = (), before: str = "", after: str = "", moved: bool = False
) -> Display:
    """The cells, and the ``files``, that differ between the states ``before`` and ``after``.

    A change is an object or dict with ``change`` (``added``, ``removed``, ``changed``), ``id`` of a cell or ``path``
    of a file, ``diff`` (unified text, empty where the source is the same), ``outputs_changed``, and ``outputs_diff``
    where it was asked how those differ. ``moved`` says that the order of the cells differs.
    """
    every = [("cell", one) for one in changes] + [("file", one) for one in files]
    kinds = [str(_field(one, "change", "changed")) for _, one in every]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    names = " to ".join(numbers.short(name) for name in (before, after) if name)
    shown = every[: limits.TABLE_ROWS_MAX]
    return page(
        title(names, counts or "" if every or moved else "no difference"),
        line("the order of the cells differs") if moved else None,
        *(_change_part(kind, one) for kind, one in shown),
        left_out(len(every) - len(shown)),
    )


def show_history_diff(diff: Any) -> Display:
    """The difference between two states as the history gives it: ``a``, ``b``, ``cells``, ``files``, ``moved``."""
    return show_changes(diff.cells, files=diff.files, before=diff.a.id, after=diff.b.id, moved=diff.moved)


def _field(change: Any, name: str, default: object) -> Any:
    return change.get(name, default) if isinstance(change, dict) else getattr(change, name, default)


def _change_part(noun: str, change: Any) -> Part:
    kind = str(_field(change, "change", "changed"))
    mark = _MARKS.get(kind, "~")
    name = f"{noun} {_field(change, 'path' if noun == 'file' else 'id', '')}"
    head = Part(
        f"\n{mark} {clean(name)}: {clean(kind)}",
        tag("p", tag("code", mark, style=style.CODE), f" {name}: ", tag("strong", kind), style=style.SECTION),
    )
    text = str(_field(change, "diff", ""))
    outputs, told = _field(change, "outputs_changed", False), str(_field(change, "outputs_diff", ""))
    return group(
        [
            head,
            diff_part(text) if text.strip() else None,
            note("its outputs differ" if text.strip() else "only its outputs differ") if outputs else None,
            diff_part(told) if told else None,
        ]
    )
