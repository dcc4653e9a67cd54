"""What Hy does for each form, done once: three of its parts with quicker twins that answer the same. Loads Hy.

Hy tries every word as three kinds of number before it calls it a symbol, its own comparisons with ``'unpack-iterable``
too, and copies the whole tree below each form whenever a macro is given it or returns it, and once more as it is read.
A tree that was read has its places and is made of tuples: nothing can change it, so it may be shared.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from hy import models
from hy.models import Object, Symbol
from hy.reader import hy_reader

_ATOMS = frozenset({Symbol, models.String, models.Integer, models.Float, models.Complex, models.Bytes, models.Keyword})
_SEQUENCES = frozenset({models.Expression, models.List, models.Dict, models.Set, models.Tuple})
_WHOLE = "_o_whole"

# A word that can be no number: those begin with a digit, a sign or a point, or are "inf", "nan" and "j" with
# separators between. What has a point is left to Hy as well, since a dotted name is a form.
_WORD = re.compile(r"(?!inf|nan|j|i[_,]|in[_,]|n[_,]|na[_,])[a-z_][a-z0-9_?!*<>=/%&$+-]*", re.IGNORECASE | re.ASCII)
_SIGNS = frozenset({"+", "-", "*", "/", "=", "<", ">", "<=", ">=", "!=", "."})

hys_identifier: Callable[..., Any] = hy_reader.as_identifier
"""Hy's own ``as_identifier``."""


def identifier(ident: str, reader: Any = None) -> Any:
    """The symbol, number or dotted form that a word is, as Hy's ``as_identifier`` says."""
    if ident in _SIGNS or _WORD.fullmatch(ident):
        return Symbol(ident, from_parser=True)
    return hys_identifier(ident, reader)


def fill_places(model: Any, start: tuple[int, int], end: tuple[int, int]) -> bool:
    """Give what was just read its place, and its parts that have none; say whether it may be shared as it is."""
    model._start_line, model._start_column = start
    model._end_line, model._end_column = end
    kind = type(model)
    if kind in _ATOMS:
        return True
    if kind not in _SEQUENCES:
        return False
    whole = True
    for part in model:
        if not hasattr(part, "_start_line"):
            whole &= fill_places(part, start, end)
        elif type(part) not in _ATOMS:
            whole &= hasattr(part, _WHOLE)
    if whole:
        setattr(model, _WHOLE, True)
    return whole


def known_to_fill(model: Any) -> bool:
    """Whether ``fill_places`` can do what Hy's reader does: all but formatted strings and what reader macros make."""
    kind = type(model)
    return kind in _ATOMS or (
        kind in _SEQUENCES and all(isinstance(part, Object) and known_below(part) for part in model)
    )


def known_below(part: Object) -> bool:
    """The same of a part, which needs no look where it was read before."""
    return hasattr(part, "_start_line") or known_to_fill(part)


def _shared(copied: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda model: model if hasattr(model, _WHOLE) else copied(model)


def install() -> None:
    """Let Hy use them; once."""
    if hy_reader.as_identifier is identifier:
        return
    hy_reader.as_identifier = identifier
    for kind in _SEQUENCES:
        models._wrappers[kind] = _shared(models._wrappers[kind])
