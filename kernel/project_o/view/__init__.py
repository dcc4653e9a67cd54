"""Values in, displays out: how everything looks in a notebook, in a terminal, and in a saved page.

Each view is a function that takes values and returns a :class:`Display`: one text and one page of HTML with the
same numbers. The HTML holds no script, no link and no image; pictures are inline SVG with words beside them, so a
page reads the same under nbconvert with JavaScript off, on a code host, and by a screen reader.

Contents
    compiler   show_compile_error            errors in the cell's own lines
    annotation show_annotation               assembly beside the source
    native     show_module, show_function    signatures in Python's words, the build
    source     show_program, show_diff, show_diff_text
    changes    show_changes, show_history_diff    what differs between two states
    progress   show_progress                 a run under way
    verdict    show_verdict, show_measurements
    trials     show_trials                   what was tried
    metrics    show_metrics                  all trials in one picture
    lineage    show_lineage                  who came from whom
    archive    show_archive                  islands and grid, the elites
    operators  show_operators                what each operator brought
    figure     plotted, Plot                 the same as plotly figures, on request: metrics_figure, archive_figure,
                                             operators_figure
    run        show_run                      a finished run on one page
    history    show_history, show_life, show_state
    serving    show_serving, show_deployment, show_release
    checks     show_checks, show_table, show_cache
    turn       show_turn, turn_bundle        a message to an agent and what came of it
    conversation show_conversation           what was said to an agent and by it, tool calls folded
    memory     show_memory                   what it remembers, or would recall and why
    moments    show_moments                  its turns, feedback and runs over time
    markdown   safe_markdown                 a model's Markdown, in which nothing can act
    failure    show_error                    any exception of ours

and for the whole: :class:`Display` (what they return), :class:`Shown` (a base for values that show themselves),
:func:`bundle`, and :func:`show`, which finds the view of a value by its type; :data:`VIEWS` is the table it uses, for
whoever registers the types with a front end.

To add one more view: make a file named by its noun with one ``show_`` function that ends in
``page(...)``, built of the pieces in ``parts`` (``title``, ``line``, ``table``, ``figure``) so that text and HTML come
from the same call; write numbers with ``numbers``, colours with ``style``, pictures with ``chart``, and give each
picture its twin in words. Put the function here, in ``VIEWS`` if it takes one value, and a sample into
``tests/view/conftest.py``: the tests then check it for scripts, escapes, equal numbers and size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import CompileError, ProjectOError
from ..values import (
    Artifact,
    Check,
    Deployment,
    Interface,
    Measurement,
    NativeFunction,
    Program,
    Progress,
    State,
    Turn,
    Verdict,
)
from .annotation import show_annotation
from .archive import show_archive
from .changes import show_changes, show_history_diff
from .checks import show_cache, show_checks, show_table
from .compiler import show_compile_error
from .conversation import show_conversation
from .display import Display, Shown, bundle
from .failure import show_error
from .figure import Plot, archive_figure, metrics_figure, operators_figure, plotted
from .history import show_history, show_life, show_state
from .lineage import show_lineage
from .markdown import safe_markdown
from .memory import show_memory
from .metrics import show_metrics
from .moments import show_moments
from .native import show_function, show_module
from .operators import show_operators
from .progress import show_progress
from .run import show_run
from .serving import show_deployment, show_release, show_serving
from .source import show_diff, show_diff_text, show_program
from .trials import show_trials
from .turn import show_turn, turn_bundle
from .verdict import show_measurements, show_verdict

__all__ = [
    "VIEWS",
    "Display",
    "Plot",
    "Shown",
    "archive_figure",
    "bundle",
    "metrics_figure",
    "operators_figure",
    "plotted",
    "safe_markdown",
    "show",
    "show_annotation",
    "show_archive",
    "show_cache",
    "show_changes",
    "show_checks",
    "show_compile_error",
    "show_conversation",
    "show_deployment",
    "show_diff",
    "show_diff_text",
    "show_error",
    "show_function",
    "show_history",
    "show_history_diff",
    "show_life",
    "show_lineage",
    "show_measurements",
    "show_memory",
    "show_metrics",
    "show_module",
    "show_moments",
    "show_operators",
    "show_program",
    "show_progress",
    "show_release",
    "show_run",
    "show_serving",
    "show_state",
    "show_table",
    "show_trials",
    "show_turn",
    "show_verdict",
    "turn_bundle",
]

VIEWS: dict[type, Callable[[Any], Display]] = {
    Artifact: lambda artifact: show_module(artifact.program.name, artifact.interface, artifact),
    Check: lambda check: show_checks((check,), name=check.name),
    CompileError: show_compile_error,
    Deployment: show_deployment,
    Interface: lambda interface: show_module("", interface),
    Measurement: lambda measurement: show_measurements((measurement,)),
    NativeFunction: show_function,
    Program: show_program,
    Progress: show_progress,
    ProjectOError: show_error,
    State: show_state,
    Turn: show_turn,
    Verdict: show_verdict,
}
"""The view of each type that has one of its own."""


def show(value: Any) -> Display:
    """The view of ``value`` by its type. Raises TypeError for a type without one."""
    for kind in type(value).__mro__:
        if kind in VIEWS:
            return VIEWS[kind](value)
    raise TypeError(f"{type(value).__name__} has no view: add one to project_o.view.VIEWS, as its docstring tells")
