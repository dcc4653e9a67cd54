"""A Python function as a task whose candidates are its translations: ``evolve(f, to="zig")``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..values import DATA

if TYPE_CHECKING:
    from ..evolution import Task
    from ..languages.translating import Argument
    from ..values import Mode, Program

TARGETS = ("zig",)
MODES: tuple[Mode, ...] = ("safe", "fast")
"""All checks of a translation are in its text, so that it means the same in both modes."""


def crossing(task: Task, language: str) -> Task:
    """The task with programs of ``language`` as what is searched; as it is where none is said.

    The types are those of the inputs, of observed calls, or of the annotations. Raises UsageError.
    """
    if not language:
        return task
    if language not in TARGETS:
        raise UsageError(f"nothing is translated to {language!r}: there is {', '.join(TARGETS)}")
    if task.program.language != "python" or task.function is None:
        why = f"{task.program.name} is served by {task.program.language}"
        raise UsageError(f"{why}, and only Python functions are translated: %o rollback {task.program.name} goes back")
    if task.evaluator is not None or task.scenario is not None:
        raise UsageError("a translation is judged by its answers and its time: leave the evaluator and scenario out")
    samples = task.samples() or task.observed
    inputs: Any = list(samples) if samples else annotated(task.program, task.function)
    types = types_of(task.program, task.function, inputs)
    translations, why = _translated(task.program, task.function, types)
    return replace(
        task,
        inputs=inputs,
        to=language,
        translations=translations,
        untranslated=why,
        templates=_templates(task.program.name, task.function, types),
        typed=None,
        covering=None,
        build_ahead=None,
        parcel=None,
    )


def _translated(program: Program, function: str, types: Mapping[str, Argument]) -> tuple[tuple[Program, ...], str]:
    """The translations, and why there are none where there are none: the line is the cell's own."""
    from ..languages.translating import TranslationError, translate

    try:
        found = translate(program.source, function, types)
    except TranslationError as error:
        line = f"line {error.line + _lines_above(program)}: " if error.line else ""
        return (), f"{function} has no translation: {line}{error.what}"
    return tuple(_program(program.name, found.source, mode) for mode in MODES), ""


def _lines_above(program: Program) -> int:
    """The lines of the cell above the function's text."""
    try:
        return int(json.loads(dict(program.files)[DATA])["first_line"]) - 1
    except (KeyError, ValueError, TypeError):
        return 0


def _templates(name: str, function: str, types: Mapping[str, Argument]) -> tuple[Program, ...]:
    from ..languages.translating import TranslationError, translate
    from ..languages.translating.templates import templates

    made = []
    for word, text in templates(function, types):
        try:
            source = translate(text, function, types).source
        except TranslationError:
            continue  # a loop over whole numbers, say, whose sum is a float
        said = "".join(f"// {line}\n" for line in text.strip().split("\n")[1:])
        made.append(_program(name, f"{source}{said}// {word}\n", MODES[0]))
    return tuple(made)


def _program(name: str, source: str, mode: Mode) -> Program:
    from ..languages import tools_for

    return tools_for("zig").program(name, source, mode=mode)


def types_of(program: Program, function: str, samples: Sequence[tuple[Any, ...]]) -> dict[str, Argument]:
    """The types of a function's arguments in these samples. Raises UsageError."""
    from ..languages.translating import argument_of

    names = parameters_of(program.source, function)
    types: dict[str, Argument] = {}
    for sample in samples:
        if len(sample) != len(names):
            raise UsageError(f"{function}({', '.join(names)}) was shown {len(sample)} arguments: show all of them")
        for name, value in zip(names, sample, strict=True):
            found = argument_of(value, name)
            if types.setdefault(name, found) != found:
                raise UsageError(f"{name} is of several types in these inputs: a translation takes one")
    return types


def parameters_of(source: str, function: str) -> list[str]:
    """The names of a function's parameters."""
    import ast

    nodes = (item for item in ast.parse(source).body if isinstance(item, ast.FunctionDef) and item.name == function)
    node = next(nodes, None)
    return [] if node is None else [item.arg for item in (*node.args.posonlyargs, *node.args.args)]


def annotated(program: Program, function: str) -> list[tuple[Any, ...]]:
    """Inputs of the types that a function's annotations say: float, int, bool, NDArray[np.float64] and the like.

    Raises UsageError where a parameter says nothing that is known.
    """
    import ast

    import numpy as np

    node = next(item for item in ast.parse(program.source).body if getattr(item, "name", "") == function)
    assert isinstance(node, ast.FunctionDef), "a program has its function"
    rng = np.random.default_rng(len(program.source))
    made: list[Any] = []
    for item in (*node.args.posonlyargs, *node.args.args):
        text = "" if item.annotation is None else ast.unparse(item.annotation).replace("numpy.", "np.")
        kind = text.removesuffix("]").rpartition("NDArray[np.")[2] if text.endswith("]") else text
        plain = {"float": float(rng.normal()), "int": int(rng.integers(2, 12)), "bool": True}
        if text in plain:
            made.append(plain[text])
        elif text != kind and (dtype := _dtype(kind)) is not None:
            whole = dtype.kind in "iu"
            made.append(
                (rng.integers(0, 100, SPECIFIED_LENGTH) if whole else rng.normal(size=SPECIFIED_LENGTH)).astype(dtype)
            )
        else:
            raise UsageError(
                f"nothing says what {item.arg} of {function} is: show arguments with --inputs, or annotate it as "
                "float, int, bool or NDArray[np.float64]"
            )
    return [tuple(made)]


SPECIFIED_LENGTH = 4096


def _dtype(name: str) -> Any:
    import numpy as np

    try:
        return np.dtype(name)
    except TypeError:
        return None
