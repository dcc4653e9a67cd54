"""The macros: deftool, defmemory, defagent, when->. Written in Python, so that they cost nothing to load.

Every name that an expansion introduces is a gensym or ``ROOM``, so no name of the user's can capture it.
This module loads Hy.

To add a form: a function from models to models, its line in ``MACROS``, and its example in docs/lisp.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import hy
from hy.errors import HyMacroExpansionError
from hy.models import Expression, Keyword, List, Object, String, Symbol

from . import words

ROOM = "__o_lisp__"
"""The name under which the functions that forms expand to stand in the cell's namespace."""

_AGENT_KEYS = ("tools", "memory", "model")
_MEMORY_KEYS = ("capacity", "embedding", "weight", "top", "block", "overlap", "ranking")


def deftool(*args: Any) -> Any:
    """``(deftool name [#^ int a  b] "What it does." body...)``"""
    name, rest = _named("deftool", args, "(deftool add [a b] (+ a b))")
    if not rest or not isinstance(rest[0], List):
        _misuse(f"deftool {name}: a list of parameters must follow the name, as in [#^ int a b]", (rest or [name])[0])
    doc, body = _documented(rest[1:])
    if not body:
        _misuse(f"deftool {name}: there is nothing to do behind the parameters: write its body", name)
    for item in rest[0]:
        _check_parameter(name, item)
    function = Expression([Symbol("fn"), rest[0], *body])
    return _definition(name, "define_tool", function, String(str(name)), doc, *_origin(name))


def defmemory(*args: Any) -> Any:
    """``(defmemory name "What for." :capacity 1000 :embedding "hash")``"""
    name, rest = _named("defmemory", args, "(defmemory notes :capacity 1000)")
    doc, rest = _documented(rest)
    values, body = _keywords("defmemory", name, rest, _MEMORY_KEYS)
    if body:
        _misuse(f"defmemory {name} has no body: give options only, as in :capacity 1000", body[0])
    pairs = [part for key, value in values.items() for part in (String(key), value)]
    source, line, _ = _origin(name)
    return _definition(name, "define_memory", String(str(name)), doc, hy.models.Dict(pairs), source, line)


def defagent(*args: Any) -> Any:
    """``(defagent name "System prompt." :tools [add] :memory notes body...)``"""
    name, rest = _named("defagent", args, '(defagent greeter "You greet people." (+ "Hello, " message))')
    prompt = rest and isinstance(rest[0], String)
    doc, rest = (rest[0], rest[1:]) if prompt else (String(""), rest)
    values, body = _keywords("defagent", name, rest, _AGENT_KEYS)
    pairs: list[Object] = []
    for key, value in values.items():
        pairs += [String(key), _names(name, value) if key == "tools" else _reference(name, key, value)]
    function: Object = Symbol("None")
    if body:
        local = [
            Expression([Symbol("setv"), Symbol(word), Expression([_room(word)])]) for word in ("message", "arguments")
        ]
        function = Expression([Symbol("fn"), List([]), *local, *body])
    label = String(str(name))
    return _definition(name, "define_agent", function, label, doc, hy.models.Dict(pairs), *_origin(name))


def when_thread(*args: Any) -> Any:
    """``(when-> x (f 1) g)``: None where x is, else ``(g (f x 1))``, stopping at the first None."""
    if not args:
        _misuse("when-> needs a value, as in (when-> message (.strip) (f 1))", _here())
    value, *steps = args
    functions = []
    for step in steps:
        given = hy.gensym("value")
        if isinstance(step, Expression) and step:
            call = Expression([step[0], given, *step[1:]])
        elif isinstance(step, Symbol) or (isinstance(step, Expression) and not step):
            call = Expression([step, given])
            if isinstance(step, Expression):
                _misuse("when->: () is no step: write a function, or a call as in (f 1)", step)
        else:
            _misuse(
                f"when->: {hy.repr(step).lstrip(chr(39))} is no step: write a function, or a call as in (f 1)", step
            )
        functions.append(Expression([Symbol("fn"), List([given]), call.replace(step, recursive=False)]))
    return Expression([_room("thread"), value, *functions])


MACROS: dict[str, Callable[..., Any]] = {
    hy.mangle(name): macro
    for name, macro in {
        "deftool": deftool,
        "defmemory": defmemory,
        "defagent": defagent,
        "when->": when_thread,
    }.items()
}


# ------------------------------------------------------------------------------- parts of an expansion


def _definition(name: Symbol, word: str, *args: Object) -> Expression:
    """``(setx name (define ...))``: the name changes only once all has worked.

    Each form around a body costs a walk through it, since Hy copies what a macro is given: these two are the fewest.
    """
    return Expression([Symbol("setx"), name, Expression([_room(word), *args])])


def _room(word: str) -> Expression:
    return Expression([Symbol("."), Symbol(ROOM), Symbol(word)])


def _named(form: str, args: Sequence[Any], example: str) -> tuple[Symbol, list[Any]]:
    if not args:
        _misuse(f"{form} needs a name, as in {example}", _here())
    name, *rest = args
    if not isinstance(name, Symbol):
        _misuse(f"{form}: {_shown(name)} is no name: write a symbol, as in {example}", name)
    return name, rest


def _documented(rest: Sequence[Any]) -> tuple[String, list[Any]]:
    """The documentation in front of something else, and what follows."""
    if rest and isinstance(rest[0], String) and (len(rest) > 1):
        return rest[0], list(rest[1:])
    return String(""), list(rest)


def _keywords(form: str, name: Symbol, rest: Sequence[Any], known: Sequence[str]) -> tuple[dict[str, Any], list[Any]]:
    """The options in front, and what follows them."""
    values: dict[str, Any] = {}
    rest = list(rest)
    while rest and isinstance(rest[0], Keyword):
        key = rest[0].name
        listed = ", ".join(f":{item}" for item in known)
        if key not in known:
            _misuse(f"{form} {name}: there is no option :{key}: it knows {listed}", rest[0])
        if key in values:
            _misuse(f"{form} {name}: :{key} is given twice", rest[0])
        if len(rest) < 2 or isinstance(rest[1], Keyword):
            _misuse(f"{form} {name}: :{key} has no value behind it", rest[0])
        values[key] = rest[1]
        rest = rest[2:]
    return values, rest


def _names(agent: Symbol, value: Any) -> Object:
    """``[add "mul"]``: tools by name; whether they exist is asked when the agent runs."""
    if not isinstance(value, List):
        _misuse(f"defagent {agent}: :tools must be a list of names, as in [add mul]", value)
    for item in value:
        if not isinstance(item, (Symbol, String)):
            _misuse(f"defagent {agent}: {_shown(item)} is no tool's name", item)
    return List([String(str(item)) for item in value])


def _reference(agent: Symbol, key: str, value: Any) -> Object:
    if not isinstance(value, String) and not (key == "memory" and isinstance(value, Symbol)):
        example = ":memory notes" if key == "memory" else ':model "openai:name"'
        _misuse(f"defagent {agent}: :{key} must be a name, as in {example}", value)
    return String(str(value))


def _check_parameter(tool: Symbol, item: Any) -> None:
    named = item
    while isinstance(named, (List, Expression)) and len(named) > 1:
        annotated = isinstance(named, Expression) and len(named) == 3 and named[0] == Symbol("annotate")
        if not annotated and not (isinstance(named, List) and len(named) == 2):
            break
        named = named[1] if annotated else named[0]
    if not isinstance(named, Symbol):
        _misuse(
            f"deftool {tool}: {_shown(item)} is no parameter: write a, [a 1] for a default, or #^ int a",
            item,
        )
    if str(named) == "/":
        _misuse(f"deftool {tool}: / makes arguments that have no name, and a model names them all", item)


def _here() -> Any:
    """The top-level form under way, where nothing nearer is known."""
    cell = words.cell_under_way()
    return cell.form if cell else None


def _shown(model: Any) -> str:
    return str(hy.repr(model)).lstrip("'")


def _misuse(message: str, model: Any) -> NoReturn:
    """Refuse, at the line of ``model``."""
    cell = words.cell_under_way()
    text = cell.text if cell else None
    raise HyMacroExpansionError(
        message, None, None, text, getattr(model, "start_line", 1), getattr(model, "start_column", 1)
    )


# ------------------------------------------------------------------------------- where a definition stands

_DEFINING = ("defn", "defmacro", "defclass", "setv", "import", "require")


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


def _origin(name: Symbol) -> tuple[Object, Object, Object]:
    """The form's own text, its line, and its normal form, as models."""
    cell = words.cell_under_way()
    form = _form_of(name, cell.form) if cell else None
    if cell is None or form is None:
        return String(""), hy.models.Integer(0), String("")
    return String(text_of(form, cell.text)), hy.models.Integer(form.start_line), String(normal_of(form[2:]))


def _form_of(name: Symbol, model: Any) -> Any:
    """The form whose second part is ``name``, found by its place."""
    if not isinstance(model, hy.models.Sequence):
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
