"""What texts of Lisp come to once every macro in them is expanded: for proofs that two of them are the same.

Loads Hy, and is loaded into the warm process of the sandbox in which macros are tried.
"""

from __future__ import annotations

import ast
import hashlib
import re
import types
from collections.abc import Sequence
from typing import Any

import hy
from hy.compiler import hy_compile
from hy.reader.hy_reader import HyReader

_MADE = re.compile(r"_hy_\w+?_\d+|_hy_anon_var_\d+")


def digests(macros: Sequence[str], texts: Sequence[str]) -> list[list[Any]]:
    """For each text whether it can be compiled with these macros, and a SHA-256 of what it becomes, or why not.

    What it becomes is Python's syntax tree without places: macros are gone, those of our language too.
    """
    module = types.ModuleType("project_o_compared")
    namespace = vars(module)
    namespace["hy"] = hy
    _require(module)
    for source in macros:
        for form in _read(source):
            hy.eval(form, globals=namespace, module=module)
    return [_digest(text, module) for text in texts]


def _digest(text: str, module: types.ModuleType) -> list[Any]:
    try:
        parts = [ast.dump(hy_compile(form, module, import_stdlib=False)) for form in _read(text)]
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a text is what is told of it
        return [False, f"{type(error).__name__}: {error}".splitlines()[0]]
    return [True, hashlib.sha256(_renumbered("\n".join(parts)).encode("utf-8", "surrogatepass")).hexdigest()]


def _renumbered(dump: str) -> str:
    """Names that macros made new, by the order in which they appear."""
    seen: dict[str, str] = {}
    return _MADE.sub(lambda found: seen.setdefault(found[0], f"_hy_{len(seen)}"), dump)


def _require(module: types.ModuleType) -> None:
    from .forms import MACROS

    vars(module)["_hy_macros"] = {**getattr(module, "_hy_macros", {}), **MACROS}


def _read(source: str) -> Any:
    return hy.read_many(source, filename="<compared>", reader=HyReader(use_current_readers=False))


digests(["(defmacro twice [x] `(+ ~x ~x))"], ['(deftool warm [a] "A tool." (twice a))'])
