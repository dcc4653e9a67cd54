"""What the defining forms are made of: their parts, what is wrong with them, and where they stand. Loads Hy."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from collections.abc import Sequence as Forms
from typing import Any, NoReturn

import hy
from hy.errors import HyMacroExpansionError
from hy.models import Expression, Integer, Keyword, List, Object, Sequence, String, Symbol

from . import quicker, words

ROOM = "__o_lisp__"
"""The name under which the functions that forms expand to stand in the cell's namespace."""


def definition(compiler: Any, name: Symbol, word: str, *args: Object) -> Any:
    """``(setx name (define ...))``: the name changes only once all has worked.

    Hy costs a search through its macros for each form, and a model for each text: so this is made of Python's syntax
    here, where there is a ``compiler``, and is a form only for those who expand without one.
    """
    if compiler is None:
        return Expression([Symbol("setx"), name, Expression([room_word(word), *args])])
    from hy.compiler import Result, asty

    at = compiler.this
    room = compiler.scope.access(asty.Name(at, id=ROOM, ctx=ast.Load()))
    made, values = Result(), []
    for arg in args:
        if type(arg) in (String, Integer):
            values.append(asty.Constant(at, value=str(arg) if isinstance(arg, str) else int(arg)))
        else:
            made += compiler.compile(placed(arg, at))
            values.append(made.force_expr)
    function = asty.Attribute(at, value=room, attr=word, ctx=ast.Load())
    made += asty.Call(at, func=function, args=values, keywords=[])
    target = compiler._storeize(name, compiler.compile(name))
    return made + asty.NamedExpr(name, target=target, value=made.force_expr)


def placed(model: Any, at: Any) -> Any:
    """A form that was made here, with the place of one that was written, as far as its parts have none of their own."""
    if not hasattr(model, "_start_line"):
        start, end = (at.start_line, at.start_column), (at.end_line, at.end_column)
        quicker.fill_places(model, start, end)
    return model


def room_word(word: str) -> Expression:
    """A function of ``words``, by a name that nothing can hide."""
    return Expression([Symbol("."), Symbol(ROOM), Symbol(word)])


def named(form: str, args: Forms[Any], example: str) -> tuple[Symbol, list[Any]]:
    """The name behind a form's word, and what follows."""
    if not args:
        misuse(f"{form} needs a name, as in {example}", here())
    name, *rest = args
    if not isinstance(name, Symbol):
        misuse(f"{form}: {shown(name)} is no name: write a symbol, as in {example}", name)
    return name, rest


def documented(rest: Forms[Any]) -> tuple[String, list[Any]]:
    """The documentation in front of something else, and what follows."""
    if rest and isinstance(rest[0], String) and (len(rest) > 1):
        return rest[0], list(rest[1:])
    return String(""), list(rest)


def keywords(form: str, name: Symbol, rest: Forms[Any], known: Forms[str]) -> tuple[dict[str, Any], list[Any]]:
    """The options in front, and what follows them."""
    values: dict[str, Any] = {}
    rest = list(rest)
    while rest and isinstance(rest[0], Keyword):
        key = rest[0].name
        listed = ", ".join(f":{item}" for item in known)
        if key not in known:
            misuse(f"{form} {name}: there is no option :{key}: it knows {listed}", rest[0])
        if key in values:
            misuse(f"{form} {name}: :{key} is given twice", rest[0])
        if len(rest) < 2 or isinstance(rest[1], Keyword):
            misuse(f"{form} {name}: :{key} has no value behind it", rest[0])
        values[key] = rest[1]
        rest = rest[2:]
    return values, rest


def tool_names(form: str, owner: Symbol, key: str, value: Any) -> Object:
    """``[add "mul"]``: names of tools or effects; whether those tools exist is asked when the agent runs."""
    example = "[add mul]" if key == "tools" else "[network files]"
    if not isinstance(value, List):
        misuse(f"{form} {owner}: :{key} must be a list of names, as in {example}", value)
    for item in value:
        if not isinstance(item, (Symbol, String)):
            misuse(f"{form} {owner}: {shown(item)} is no name: write {example}", item)
    return List([String(str(item)) for item in value])


_REFERENCES = {
    "doc": ':doc "You help."',
    "memory": ":memory notes",
    "model": ':model "openai:name"',
    "version": ':version "1.2"',
}


def reference(agent: Symbol, key: str, value: Any) -> Object:
    """A text, or for a memory its name."""
    if not isinstance(value, String) and not (key == "memory" and isinstance(value, Symbol)):
        kind = "text" if key in ("doc", "version") else "name"
        misuse(f"defagent {agent}: :{key} must be a {kind}, as in {_REFERENCES[key]}", value)
    return String(str(value))


def check_parameters(form: str, name: Symbol, rest: Forms[Any]) -> None:
    """The list of parameters that must stand behind a name."""
    if not rest or not isinstance(rest[0], List):
        misuse(f"{form} {name}: a list of parameters must follow the name, as in [#^ int a b]", (rest or [name])[0])
    for item in rest[0]:
        check_parameter(form, name, item)


def check_parameter(form: str, tool: Symbol, item: Any) -> None:
    """One parameter, with its annotation and its default."""
    named = item
    while isinstance(named, (List, Expression)) and len(named) > 1:
        annotated = isinstance(named, Expression) and len(named) == 3 and named[0] == Symbol("annotate")
        if not annotated and not (isinstance(named, List) and len(named) == 2):
            break
        named = named[1] if annotated else named[0]
    if not isinstance(named, Symbol):
        misuse(
            f"{form} {tool}: {shown(item)} is no parameter: write a, [a 1] for a default, or #^ int a",
            item,
        )
    if str(named) == "/":
        misuse(f"{form} {tool}: / makes arguments that have no name, and a model names them all", item)


def here() -> Any:
    """The top-level form under way, where nothing nearer is known."""
    cell = words.cell_under_way()
    return cell.form if cell else None


def shown(model: Any) -> str:
    """A model as it was written."""
    return str(hy.repr(model)).lstrip("'")


def misuse(message: str, model: Any) -> NoReturn:
    """Refuse, at the line of ``model``."""
    cell = words.cell_under_way()
    text = cell.text if cell else None
    raise HyMacroExpansionError(
        message, None, None, text, getattr(model, "start_line", 1), getattr(model, "start_column", 1)
    )


# ------------------------------------------------------------------------------- where a definition stands

_DEFINING = ("defn", "defmacro", "defclass", "defparam", "defworkflow", "setv", "import", "require")


def defined_by(form: Any) -> list[str]:
    """The names, as Python spells them, that a top-level form gives a meaning; none for our own definitions."""
    if not (isinstance(form, Expression) and len(form) > 1 and str(form[0]) in _DEFINING):
        return []
    match str(form[0]):
        case "setv":
            named = [form[k] for k in range(1, len(form), 2)]
        case "import" | "require":
            named = list(symbols_of(form[1:]))
        case _:
            named = [part for part in form[1:] if isinstance(part, Symbol)][:1]
    return [str(hy.mangle(name)) for name in named if isinstance(name, Symbol) and str(name).strip(".")]


def symbols_of(model: Any) -> Iterator[Symbol]:
    """Every symbol in a form, in order."""
    if isinstance(model, Symbol):
        yield model
    elif isinstance(model, (list, tuple)):
        for part in model:
            yield from symbols_of(part)


def origin(name: Symbol) -> tuple[Object, Object, Object]:
    """The form's own text, its line, and its normal form, as models."""
    cell = words.cell_under_way()
    form = _form_of(name, cell.form) if cell else None
    if cell is None or form is None:
        return String(""), hy.models.Integer(0), String("")
    return String(text_of(form, cell.text)), hy.models.Integer(form.start_line), String(normal_of(form[2:]))


def _form_of(name: Symbol, model: Any) -> Any:
    """The form whose second part is ``name``, found by its place."""
    if not isinstance(model, Sequence):
        return None
    if isinstance(model, Expression) and len(model) > 1 and _place(model[1]) == _place(name) != (None, None):
        return model
    return next((found for part in model if (found := _form_of(name, part)) is not None), None)


def _place(model: Any) -> tuple[int | None, int | None]:
    return getattr(model, "start_line", None), getattr(model, "start_column", None)


def text_of(form: Any, text: str) -> str:
    """The text between a form's ends, with a comment behind it: that may declare a parameter."""
    lines = text.split("\n")[form.start_line - 1 : form.end_line]
    tail = lines[-1][form.end_column :]
    lines[-1] = lines[-1][: form.end_column] + (tail.rstrip() if tail.lstrip().startswith(";") else "")
    lines[0] = lines[0][form.start_column - 1 :]
    return "\n".join(lines)


def normal_of(model: Any) -> str:
    """A form without comments, layout and spelling: ``-`` and ``_`` in names are equal, and 0x10 is 16."""
    if isinstance(model, Symbol):
        return str(hy.mangle(model)) if str(model).strip(".") else str(model)
    if isinstance(model, (list, tuple)) and not isinstance(model, (String, Keyword)):
        return f"{type(model).__name__}({' '.join(normal_of(part) for part in model)})"
    return str(hy.repr(model))
