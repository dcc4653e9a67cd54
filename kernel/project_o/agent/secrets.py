"""Secrets among the notebook's values: they reach no model, no turn that is kept, and no sandbox."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..history.redact import SECRET_CHARACTERS_MIN, SECRET_NAME

_WORD = re.compile(r"(PASSWORD|SECRET)$", re.IGNORECASE)
_MIXED = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])\S+", re.DOTALL)
_ITEMS_MAX = 200
_DEPTH_MAX = 50


def is_secret(name: object, value: object) -> bool:
    """Whether a value looks like a secret by its name. That of a KEY or TOKEN has letters and digits: many a ``key`` is
    just a word, and must not vanish from every message."""
    if not (isinstance(name, str) and isinstance(value, str) and len(value) >= SECRET_CHARACTERS_MIN):
        return False
    if not SECRET_NAME.search(name):
        return False
    return bool(_WORD.search(name) or _MIXED.fullmatch(value))


def holds_secret(name: object, value: object, known: Callable[[str], bool], depth: int = 0) -> bool:
    """Whether a value, or one inside of it, looks like a secret by its name, or is a text that is ``known`` as one."""
    if isinstance(value, str):
        return is_secret(name, value) or known(value)
    if type(value) is dict and depth < _DEPTH_MAX:
        return any(
            holds_secret("", key, known) or holds_secret(key, item, known, depth + 1) for key, item in value.items()
        )
    if type(value) in (list, tuple, set, frozenset) and depth < _DEPTH_MAX:
        return any(holds_secret(name, item, known, depth + 1) for item in value)  # type: ignore[attr-defined]
    return False


def secrets_in(names: Mapping[Any, Any]) -> list[str]:
    """The values that look like secrets, and those in small dicts among the values, longest first."""
    return sorted(set(_found(names)), key=lambda value: (-len(value), value))


def _found(names: Mapping[Any, Any], *, deeper: bool = True) -> Iterator[str]:
    for name, value in tuple(names.items()):
        if is_secret(name, value):
            yield value
        elif deeper and type(value) is dict and len(value) <= _ITEMS_MAX:
            yield from _found(value, deeper=False)
