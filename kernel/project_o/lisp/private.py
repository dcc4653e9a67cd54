"""A module whose own names are private, and which finds every other name where it was defined: in the notebook."""

from __future__ import annotations

import builtins
import sys
import types
from collections.abc import Mapping
from typing import Any

from .words import FUNCTIONS

_MACROS = ("_hy_macros", "_hy_reader_macros")


class _Beneath(dict[str, Any]):
    """Python's own names, with the notebook's in front of them, as they are at each look-up.

    They stand where a module's builtins stand: Python asks there for every name that the module has not, in functions
    and classes alike, and by ``[]`` where that is no plain dict. (For globals it does so in functions only.)
    """

    def __init__(self, names: Mapping[str, Any]) -> None:
        super().__init__(vars(builtins))
        self._names = names

    def __getitem__(self, name: str) -> Any:
        try:
            return self._names[name]
        except KeyError:
            return super().__getitem__(name)


def private_module(name: str, names: Mapping[str, Any]) -> types.ModuleType:
    """A new module that Python knows as ``name``, in the place of an earlier one, on top of ``names``.

    Whatever is defined or set in it stays in it. It begins with the macros of ``names``, and with those words of a
    body that mean something else there.
    """
    import hy

    made = sys.modules[name] = types.ModuleType(name)
    space = vars(made)
    space["__builtins__"] = _Beneath(names)
    space.update({kind: dict(names[kind]) for kind in _MACROS if kind in names})
    space.update({word: names[word] for word in map(hy.mangle, FUNCTIONS) if word in names})
    return made
