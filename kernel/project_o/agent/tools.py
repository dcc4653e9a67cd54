"""Tools: from a Python function to the same plain value that ``deftool`` builds, and calls that are checked first."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import AgentError, UsageError, a_kind
from ..lisp.functions import tool_of
from ..lisp.specs import ToolSpec, canonical
from .meaning import with_meaning

_FITS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list, tuple),
    "object": (dict,),
}


def python_tool(
    function: Callable[..., Any], name: str = "", text: str = "", options: Mapping[str, Any] | None = None
) -> ToolSpec:
    """A tool from a Python function: its name, its docstring, its parameters by signature and annotations.

    ``text`` is its source where that is more than Python knows; ``options`` as in ``lisp.functions.tool_of``.

    Raises UsageError for what is no function, and for parameters that cannot be given by name.
    """
    function = getattr(function, "as_tool", function)  # a workflow knows itself what it is as a tool
    if isinstance(function, ToolSpec):
        return function
    if not callable(function):
        raise UsageError(f"{a_kind(function)} cannot be a tool: give a function, or the name of a tool")
    code = getattr(function, "__code__", None)
    try:
        spec = tool_of(
            function,
            name=name or getattr(function, "__name__", type(function).__name__),
            source=text or source_of(function),
            line=code.co_firstlineno if code else 0,
            options=options,
        )
    except (TypeError, ValueError) as error:
        raise UsageError(f"the parameters of {function!r} are not known ({error}): wrap it in a def") from None
    return with_meaning(spec)


def source_of(function: Callable[..., Any]) -> str:
    """The function's own text; "" where Python does not know it."""
    try:
        return textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return ""


# ------------------------------------------------------------------ calls


def check(tool: ToolSpec, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by the parameters' own names. Raises AgentError, saying what the tool wants."""
    known = {canonical(item.name): item for item in tool.parameters}
    arguments = {canonical(str(name)): value for name, value in given.items()}
    unknown = sorted(set(arguments) - set(known))
    if unknown:
        raise AgentError(f"{tool.name} takes no {', '.join(unknown)}: {wants(tool)}")
    missing = [name for name, item in known.items() if item.required and name not in arguments]
    if missing:
        raise AgentError(f"{tool.name} needs {', '.join(missing)}: {wants(tool)}")
    for name, value in arguments.items():
        item = known[name]
        optional = not item.required and value is None
        if not optional and not _fits(item.type, value):
            raise AgentError(f"{tool.name}: {name} must be {item.type}, not {type(value).__name__}: {wants(tool)}")
        if not optional and item.items != "any" and not all(_fits(item.items, part) for part in value):
            raise AgentError(f"{tool.name}: {name} must be {item.wanted}, not {value!r:.40}: {wants(tool)}")
        if not optional and item.choices and value not in item.choices:
            raise AgentError(f"{tool.name}: {name} must be {item.wanted}, not {value!r:.40}: {wants(tool)}")
    return arguments


def _fits(kind: str, value: Any) -> bool:
    if kind == "any":
        return True
    if isinstance(value, bool):
        return kind == "boolean"
    if kind in ("integer", "number") and not isinstance(value, _FITS[kind]):
        return _is_scalar_of(kind, value)
    return isinstance(value, _FITS[kind])


def _is_scalar_of(kind: str, value: Any) -> bool:
    """Numbers that are not Python's own, such as numpy's: they say themselves what they can be."""
    return hasattr(value, "__index__") or (kind == "number" and hasattr(value, "__float__"))


def wants(tool: ToolSpec) -> str:
    """One line on what a tool takes."""
    shown = [
        f"{canonical(item.name)}: {item.wanted}" + ("" if item.required else f" = {item.default!r}")
        for item in tool.parameters
    ]
    return f"it takes {', '.join(shown)}" if shown else "it takes no arguments"
