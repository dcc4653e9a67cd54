"""The macros: deftool, defmemory, defagent, defparam, when->. Written in Python, so that they cost nothing to load.

Every name that an expansion introduces is a gensym or ``expansion.ROOM``, so no name of the user's can capture it.
``workflow_forms`` has one more. This module loads Hy.

To add a form: a function from models to models, its line in ``MACROS``, and its example in docs/lisp.md. One whose
first parameter is called ``_hy_compiler`` is given Hy's compiler, or None where it is only expanded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hy
from hy.models import Expression, Float, Integer, List, Object, String, Symbol

from .expansion import (
    check_parameters,
    definition,
    documented,
    here,
    keywords,
    misuse,
    named,
    origin,
    reference,
    room_word,
    shown,
    tool_names,
)
from .workflow_forms import defworkflow

AGENT_KEYS = ("version", "doc", "model", "tools", "memory")
MEMORY_KEYS = ("capacity", "embedding", "weight", "top", "block", "overlap", "ranking")
TOOL_KEYS = ("unsafe", "timeout", "effects")


def deftool(_hy_compiler: Any, *args: Any) -> Any:
    """``(deftool name [#^ int a  b] "What it does." :timeout 5 body...)``"""
    name, rest = named("deftool", args, "(deftool add [a b] (+ a b))")
    check_parameters("deftool", name, rest)
    doc, rest_of = documented(rest[1:])
    values, body = keywords("deftool", name, rest_of, TOOL_KEYS)
    if not body:
        misuse(f"deftool {name}: there is nothing to do behind the parameters: write its body", name)
    pairs: list[Object] = []
    for key, value in values.items():
        pairs += [String(key), tool_names("deftool", name, key, value) if key == "effects" else value]
    function = Expression([Symbol("fn"), rest[0], *body])
    return definition(
        _hy_compiler, name, "define_tool", function, String(str(name)), doc, hy.models.Dict(pairs), *origin(name)
    )


def defmemory(_hy_compiler: Any, *args: Any) -> Any:
    """``(defmemory name "What for." :capacity 1000 :embedding "hash")``"""
    name, rest = named("defmemory", args, "(defmemory notes :capacity 1000)")
    doc, rest = (rest[0], []) if len(rest) == 1 and isinstance(rest[0], String) else documented(rest)
    values, body = keywords("defmemory", name, rest, MEMORY_KEYS)
    if body:
        misuse(f"defmemory {name} has no body: give options only, as in :capacity 1000", body[0])
    pairs = [part for key, value in values.items() for part in (String(key), value)]
    source, line, _ = origin(name)
    return definition(_hy_compiler, name, "define_memory", String(str(name)), doc, hy.models.Dict(pairs), source, line)


def defagent(_hy_compiler: Any, *args: Any) -> Any:
    """``(defagent name "System prompt." :tools [add] :memory notes body...)``"""
    name, rest = named("defagent", args, '(defagent greeter "You greet people." (+ "Hello, " message))')
    prompt = rest and isinstance(rest[0], String)
    doc, rest = (rest[0], rest[1:]) if prompt else (String(""), rest)
    values, body = keywords("defagent", name, rest, AGENT_KEYS)
    if "doc" in values:
        if prompt:
            misuse(f"defagent {name}: its prompt is given twice, behind the name and as :doc", values["doc"])
        doc = reference(name, "doc", values.pop("doc"))
    pairs: list[Object] = []
    for key, value in values.items():
        is_tools = key == "tools"
        pairs += [String(key), tool_names("defagent", name, key, value) if is_tools else reference(name, key, value)]
    function: Object = Symbol("None")
    if body:
        local = [
            Expression([Symbol("setv"), Symbol(word), Expression([room_word(word)])])
            for word in ("message", "arguments")
        ]
        function = Expression([Symbol("fn"), List([]), *local, *body])
    label = String(str(name))
    return definition(_hy_compiler, name, "define_agent", function, label, doc, hy.models.Dict(pairs), *origin(name))


def defparam(_hy_compiler: Any, *args: Any) -> Any:
    """``(defparam depth 2 "How deep." :domain [1 2 4])``: the name is bound to the value."""
    example = "(defparam depth 2 :domain [1 2 4])"
    name, rest = named("defparam", args, example)
    if not rest or not (isinstance(rest[0], (Integer, Float, String)) or str(rest[0]) in ("True", "False")):
        misuse(
            f"defparam {name}: its value must stand behind its name, a number, a text, True or False: {example}", name
        )
    doc, behind = documented(rest[1:])
    values, body = keywords("defparam", name, behind, ("domain",))
    domain = values.get("domain")
    if body or not isinstance(domain, (List, String)):
        misuse(f'defparam {name}: write the values that it may have, as in :domain [1 2 4] or :domain "1..16"', name)
    source, line, _ = origin(name)
    return definition(_hy_compiler, name, "define_param", rest[0], String(str(name)), doc, domain, source, line)


def when_thread(*args: Any) -> Any:
    """``(when-> x (f 1) g)``: None where x is, else ``(g (f x 1))``, stopping at the first None."""
    if not args:
        misuse("when-> needs a value, as in (when-> message (.strip) (f 1))", here())
    value, *steps = args
    functions = []
    for step in steps:
        given = hy.gensym("value")
        if isinstance(step, Expression) and step:
            call = Expression([step[0], given, *step[1:]])
        elif isinstance(step, Symbol) or (isinstance(step, Expression) and not step):
            call = Expression([step, given])
            if isinstance(step, Expression):
                misuse("when->: () is no step: write a function, or a call as in (f 1)", step)
        else:
            misuse(f"when->: {shown(step)} is no step: write a function, or a call as in (f 1)", step)
        functions.append(Expression([Symbol("fn"), List([given]), call.replace(step, recursive=False)]))
    return Expression([room_word("pipe"), value, *functions])


MACROS: dict[str, Callable[..., Any]] = {
    hy.mangle(name): macro
    for name, macro in {
        "deftool": deftool,
        "defmemory": defmemory,
        "defagent": defagent,
        "defparam": defparam,
        "defworkflow": defworkflow,
        "when->": when_thread,
    }.items()
}
