"""A text with macro calls in it, and back: only what is replaced changes, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..forms import Form, Text, parse
from .trees import HOLE, Macro, Tree, bound_by, made, tree

Edit = tuple[int, int, str]


def size_of(source: str) -> int:
    """How many nodes a text has."""
    return sum(tree(form).size for form in parse(source).forms)


def rewritten(source: str, macros: Sequence[Macro]) -> str:
    """The text with a call wherever a macro's template fits. A form with a comment in it stays as it is written."""
    for macro in macros:
        text = parse(source)
        edits = [edit for form in text.forms for edit in _edits(form, macro, source, text)]
        for begin, end, new in sorted(edits, reverse=True):
            source = source[:begin] + new + source[end:]
    return source


def _edits(form: Form, macro: Macro, source: str, text: Text) -> Iterator[Edit]:
    whole = tree(form)
    bound = bound_by(macro.template, whole) if whole.head == macro.template.head else None
    if bound is None or any(form.start < begin < form.end for begin, _ in text.comments):
        for part in form.children:
            yield from _edits(part, macro, source, text)
        return
    places = dict(_places(macro.template, form))
    args = []
    for number in range(macro.holes):
        argument = places[str(number)]
        inner = list(_edits(argument, macro, source, text))
        args.append(_edited(source, argument.start, argument.end, inner))
    yield form.start, form.end, f"({' '.join((macro.name, *args))})"


def _edited(source: str, begin: int, end: int, edits: Sequence[Edit]) -> str:
    found = source[begin:end]
    for first, last, new in sorted(edits, reverse=True):
        found = found[: first - begin] + new + found[last - begin :]
    return found


def _places(template: Tree, form: Form) -> Iterator[tuple[str, Form]]:
    """Where the holes are in a form that fits."""
    if template.kind == HOLE:
        yield template.text, form
    for pattern, part in zip(template.parts, form.children, strict=False):
        yield from _places(pattern, part)


def expanded(source: str, macros: Sequence[Macro]) -> list[Tree]:
    """The forms of a text with every call replaced by what it stands for: those of the text before it was rewritten."""
    forms = [tree(form) for form in parse(source).forms]
    for macro in reversed(macros):
        forms = [_expand(form, macro) for form in forms]
    return forms


def _expand(form: Tree, macro: Macro) -> Tree:
    if form.head == macro.name:
        given = {str(k): _expand(item, macro) for k, item in enumerate(form.parts[1:])}
        return _filled(macro.template, given)
    return made(form.kind, form.text, tuple(_expand(part, macro) for part in form.parts)) if form.parts else form


def _filled(template: Tree, given: dict[str, Tree]) -> Tree:
    if template.kind == HOLE:
        return given[template.text]
    return made(template.kind, template.text, tuple(_filled(part, given) for part in template.parts))
