"""defworkflow, and the two forms that mean something in it: step and parallel. This module loads Hy.

A workflow is a function; ``step`` and ``parallel`` are calls of ``workflow``'s functions with what they do as a
function of its own, so that conditions and loops are Lisp's.
"""

from __future__ import annotations

from typing import Any

import hy
from hy.models import Expression, Keyword, List, Object, Sequence, String, Symbol

from .expansion import check_parameters, definition, documented, misuse, named, origin, placed, room_word, shown

STEP_KEYS = ("retries", "pause")
_STEP_EXAMPLE = "(step found (search topic) :retries 2)"


def defworkflow(_hy_compiler: Any, *args: Any) -> Any:
    """``(defworkflow name [topic] "What it does." (step found (search topic)) (step text (sum-up found)))``"""
    name, rest = named("defworkflow", args, f"(defworkflow research [topic] {_STEP_EXAMPLE})")
    check_parameters("defworkflow", name, rest)
    doc, body = documented(rest[1:])
    if not body:
        misuse(f"defworkflow {name}: there are no steps behind the parameters: write {_STEP_EXAMPLE}", name)
    function = Expression([Symbol("fn"), rest[0], *(with_steps(form) for form in body)])
    return definition(_hy_compiler, name, "define_workflow", function, String(str(name)), doc, *origin(name))


def with_steps(form: Any) -> Any:
    """A form of a workflow with its ``step`` and ``parallel`` forms as the calls that they mean."""
    if not isinstance(form, Sequence) or isinstance(form, hy.models.FString):
        return form
    if isinstance(form, Expression) and form:
        word = str(form[0])
        if word in ("quote", "quasiquote", "defworkflow"):
            return form
        if word == "step":
            return _step(form)
        if word == "parallel":
            return _parallel(form)
    parts = [with_steps(part) for part in form]
    if all(new is old for new, old in zip(parts, form, strict=True)):
        return form  # as it was read, so that Hy need not copy it
    return type(form)(parts).replace(form, recursive=False)


def _step(form: Expression) -> Any:
    """``(step name work)`` sets the name; ``(step "name" work)`` is the value."""
    label, call = _step_call(form)
    made = Expression([Symbol("setv"), label, call]) if isinstance(label, Symbol) else call
    return placed(made, form)


def _step_call(form: Expression) -> tuple[Any, Object]:
    if len(form) < 3 or not isinstance(form[1], (Symbol, String)):
        misuse(f"step needs a name and what to do, as in {_STEP_EXAMPLE}", form)
    work: list[Any] = []
    options: list[Any] = []
    rest = list(form[2:])
    while rest:
        part = rest.pop(0)
        if not isinstance(part, Keyword):
            work.append(with_steps(part))
        elif part.name not in STEP_KEYS:
            misuse(f"step {form[1]}: there is no option :{part.name}: it knows :retries, :pause", part)
        elif not rest:
            misuse(f"step {form[1]}: :{part.name} has no value behind it", part)
        else:
            options += [part, with_steps(rest.pop(0))]
    if not work:
        misuse(f"step {form[1]} does nothing: write what it does, as in {_STEP_EXAMPLE}", form)
    function = Expression([Symbol("fn"), List([]), *work])
    call = Expression([room_word("step"), String(str(form[1])), function, *options])
    return form[1], placed(call, form)


def _parallel(form: Expression) -> Object:
    """``(parallel (step a ...) (step b ...))`` sets the names; other branches, and named by text, give a list."""
    branches = list(form[1:])
    if not branches or any(isinstance(branch, Keyword) for branch in branches):
        what = shown(form) if branches else "(parallel)"
        misuse(f'{what[:40]}: parallel needs branches, as in (parallel (step "a" (f x)) (step "b" (g x)))', form)
    steps = [b for b in branches if isinstance(b, Expression) and len(b) > 1 and str(b[0]) == "step"]
    naming = len(steps) == len(branches) and all(isinstance(step[1], Symbol) for step in steps)
    calls = [_step_call(branch)[1] if naming else with_steps(branch) for branch in branches]
    call = Expression([room_word("parallel"), *(Expression([Symbol("fn"), List([]), one]) for one in calls)])
    if naming:
        call = Expression([Symbol("setv"), List([step[1] for step in steps]), call])
    return placed(call, form)
