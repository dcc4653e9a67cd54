"""The defining forms of Lisp as Python functions: ``tool``, ``workflow``, ``param``. ``Agent`` is in ``agent``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from ..lisp.functions import parameters_of, tool_options
from ..lisp.specs import ParamSpec, Scalar, ToolSpec, WorkflowSpec
from . import agents as house
from .meaning import with_meaning
from .tools import python_tool, source_of
from .workflows import Workflow


def tool(
    function: Callable[..., Any] | None = None,
    *,
    unsafe: bool = False,
    timeout: float = 0.0,
    effects: Sequence[str] = (),
) -> Any:
    """A decorator: the function becomes a tool that any agent may name, as ``deftool`` makes it. It stays callable.

    ``unsafe``: it runs in the sandbox until it is approved; ``timeout``: in a process of its own, which is killed after
    so many seconds; ``effects``: what it touches beside its result. Raises UsageError.
    """

    def define(given: Callable[..., Any]) -> ToolSpec:
        made = python_tool(given, options=tool_options(given.__name__, unsafe, timeout, effects))
        house.current().specs.define(made)
        return made

    return define if function is None else define(function)


def workflow(function: Callable[..., Any]) -> Workflow:
    """A decorator: the function becomes a workflow, as ``defworkflow`` makes it. It calls ``step`` and ``parallel``."""
    name = function.__name__
    code = function.__code__
    doc = inspect.getdoc(function) or ""
    spec = WorkflowSpec(
        name, doc, parameters_of(function, name), function, source_of(function), line=code.co_firstlineno
    )
    made: Workflow = house.current().bind(with_meaning(spec))
    return made


def param(name: str, value: Scalar, doc: str = "", *, domain: Sequence[Scalar] | str) -> Any:
    """A named value and those that it may have, as ``defparam`` makes it. Returns the value."""
    values = domain if isinstance(domain, str) else tuple(domain)
    house.current().specs.define(ParamSpec(name, value, values, doc))
    return value
