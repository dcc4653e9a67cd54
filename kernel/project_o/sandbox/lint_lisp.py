"""The imports and forms of a Lisp (Hy) source, by Hy's own reader. Importing this module imports Hy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hy
from hy.models import Expression, Keyword, List, Sequence, String, Symbol
from hy.reader.hy_reader import HyReader

from .lint import COMPUTED, Found, python_contents

_IMPORTERS = frozenset({"__import__", "importlib.import_module", "import_module"})
_ONE_SHOT = ("hy.I.", "hy.R.")
_NESTING_MAX = 200
_AS = Keyword("as")
_METHOD = "None."
"""Hy reads ``.name`` as ``(. None name)``."""


def lisp_contents(source: str, forms: tuple[str, ...]) -> list[Found]:
    """The imports and requires of a source, and those of ``forms`` that it contains, however deep or quoted."""
    wanted = {form: hy.mangle(form) for form in forms}
    try:
        read = list(hy.read_many(source, filename="<lint>", reader=HyReader(use_current_readers=False)))
        renamed = dict(pair for form in read for pair in _renamed(form, 0))
        return [item for form in read for item in _walk(form, forms, wanted, renamed, 0)]
    except Exception as error:  # noqa: BLE001 - whatever a hostile source makes the reader raise is what is said of it
        line = getattr(error, "lineno", None) or 1
        return [Found("unreadable", f"{type(error).__name__}: {error}".split("\n")[0][:200], int(line))]


def _renamed(form: Any, depth: int) -> Iterator[tuple[str, str]]:
    """What ``(import a :as b)`` and ``(import a [b :as c])`` call otherwise than it is called where it is."""
    if not isinstance(form, Sequence) or depth > _NESTING_MAX:
        return
    if isinstance(form, Expression) and len(form) and dotted(form[0]) == "import":
        for place, item in enumerate(form):
            module = dotted(item)
            if place and module and place + 2 < len(form) and form[place + 1] == _AS:
                yield dotted(form[place + 2]), module
            if place and isinstance(item, List):
                yield from _members(dotted(form[place - 1]), list(item))
    for item in form:
        yield from _renamed(item, depth + 1)


def _members(module: str, items: list[Any]) -> Iterator[tuple[str, str]]:
    for place, item in enumerate(items):
        if dotted(item) and not (place and items[place - 1] == _AS):
            other = items[place + 2] if place + 2 < len(items) and items[place + 1] == _AS else item
            yield dotted(other), f"{module}.{dotted(item)}"


def _walk(
    form: Any, forms: tuple[str, ...], wanted: dict[str, str], renamed: dict[str, str], depth: int
) -> Iterator[Found]:
    if depth > _NESTING_MAX:
        yield Found("import", COMPUTED, 1)  # too deep to be read: nothing can be said of what it imports
        return
    line = int(getattr(form, "start_line", None) or 1)
    path = dotted(form)
    if isinstance(form, Expression) and len(form) > 1 and dotted(form[0]).startswith(_METHOD):
        path = f"{dotted(form[1])}.{dotted(form[0]).removeprefix(_METHOD)}"  # (.system os) is (os.system)
    if path:
        head, dot, rest = path.partition(".")
        names = {path, path.rpartition(".")[2], renamed.get(head, head) + dot + rest}
        yield from (Found("form", name, line) for name, mangled in wanted.items() if names & {name, mangled})
        for prefix in _ONE_SHOT:
            if path.startswith(prefix):
                yield Found("import", path[len(prefix) :].replace("/", "."), line)
    if isinstance(form, Expression) and len(form):
        yield from _expression(form, forms, line)
    if isinstance(form, Sequence):
        for item in form:
            yield from _walk(item, forms, wanted, renamed, depth + 1)


def _expression(form: Expression, forms: tuple[str, ...], line: int) -> Iterator[Found]:
    head = dotted(form[0])
    if head in ("import", "require"):
        yield from (Found("import", name, line) for name in _modules(form[1:]))
    elif head in _IMPORTERS:
        first = form[1] if len(form) > 1 else None
        yield Found("import", str(first) if isinstance(first, String) else COMPUTED, line)
    elif head in ("py", "pys"):
        for text in form[1:]:
            if isinstance(text, String):
                yield from (item._replace(line=line + item.line - 1) for item in python_contents(str(text), forms))


def _modules(items: Any) -> Iterator[str]:
    """The modules of ``(import a.b [c d] e :as f)``; a name that is taken from one counts as ``a.b.c``."""
    items = list(items)
    for at, item in enumerate(items):
        name = dotted(item)
        if not name or (at and str(items[at - 1]) == ":as"):
            continue
        after = items[at + 1] if at + 1 < len(items) else None
        if isinstance(after, List):
            taken = [dotted(one) for k, one in enumerate(after) if not (k and str(after[k - 1]) == ":as")]
            yield from (f"{name}.{one}" for one in taken if one and one != "*")
            if not any(taken) or "*" in taken:
                yield name
        else:
            yield name


def dotted(form: Any) -> str:
    """A symbol, or ``a.b.c``, which Hy reads as ``(. a b c)``, as Python spells it; "" for anything else."""
    if isinstance(form, Symbol):
        text = str(form)
        return text if text in ("*", ".") else str(hy.mangle(text))
    if isinstance(form, Expression) and len(form) > 1 and form[0] == Symbol("."):
        parts = [dotted(part) for part in form[1:]]
        return ".".join(parts) if all(parts) else ""
    return ""
