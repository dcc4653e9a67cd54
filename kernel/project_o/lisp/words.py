"""The functions that a body may call, and what the defining forms expand to. No Hy is needed here."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError
from .arguments import written_arguments
from .context import current
from .functions import parameters_of, tool_of, tool_options
from .registry import Specs
from .specs import AgentSpec, MemorySpec, ParamSpec, Spec, ToolSpec, WorkflowSpec, canonical
from .workflow import parallel as parallel  # forms expand to these two
from .workflow import step as step


@dataclass
class Cell:
    """A cell under evaluation: where its definitions go, its text, and the form that is being evaluated."""

    specs: Specs
    text: str
    form: Any = None


_cell: ContextVar[Cell | None] = ContextVar("project_o_lisp_cell", default=None)


@contextmanager
def collecting(cell: Cell) -> Iterator[Cell]:
    """Definitions go to ``cell`` inside."""
    token = _cell.set(cell)
    try:
        yield cell
    finally:
        _cell.reset(token)


def cell_under_way() -> Cell | None:
    """The cell that is being evaluated here, if one is."""
    return _cell.get()


# ------------------------------------------------------------------------------- in a turn


def has_tool(name: Any) -> bool:
    """Whether the agent of this turn may use the tool."""
    return current().has_tool(_name(name))


def get_arg(name: Any, default: Any = None) -> Any:
    """A named argument of this turn: given by keyword, or written ``name: value`` or ``name=value`` in the message."""
    services = current()
    key = canonical(str(name))
    given = {canonical(str(item)): value for item, value in services.arguments.items()}
    if key in given:
        return given[key]
    return written_arguments(services.message).get(key, default)


def llm_respond(prompt: Any) -> str:
    """What the language model says to ``prompt``. Raises ModelMissing where none is configured."""
    return current().respond(str(prompt))


def remember(text: Any) -> None:
    """Keep a text in the agent's memory."""
    current().remember(str(text))


def recall(query: Any, top: int | None = None) -> list[str]:
    """The remembered texts that fit ``query`` best, best first; ``top`` of them, else as many as the memory says."""
    return current().recall(str(query), top)


def use(tool: Any, /, **arguments: Any) -> Any:
    """Call a tool of the agent with named arguments."""
    return current().use(_name(tool), {canonical(name): value for name, value in arguments.items()})


def _name(tool: Any) -> str:
    return tool.name if isinstance(tool, ToolSpec) else str(getattr(tool, "__name__", tool))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "has-tool?": has_tool,
    "has-tool": has_tool,
    "get-arg": get_arg,
    "llm-respond": llm_respond,
    "remember": remember,
    "recall": recall,
    "use": use,
}
"""By their Lisp names. A namespace in which a cell runs gets those that it has no name of its own for."""


# ------------------------------------------------------------------------------- what the forms expand to


def message() -> str:
    """The message of this turn."""
    return current().message


def arguments() -> dict[str, Any]:
    """The arguments of this turn that were given by name."""
    return dict(current().arguments)


def pipe(value: Any, *steps: Callable[[Any], Any]) -> Any:
    """``value`` through the steps, as long as it is not None."""
    for one in steps:
        if value is None:
            return None
        value = one(value)
    return value


def define_tool(
    run: Callable[..., Any], name: str, doc: str, values: dict[str, Any], source: str, line: int, normal: str
) -> Any:
    """What ``deftool`` binds its name to."""
    _check_free("tool", name)
    _call_it(run, name, doc)
    options = tool_options(name, **values)
    return _define(
        tool_of(run, name=name, doc=doc, source=source, language="lisp", line=line, normal=normal, options=options)
    )


def define_workflow(run: Callable[..., Any], name: str, doc: str, source: str, line: int, normal: str) -> Any:
    """What ``defworkflow`` binds its name to."""
    _check_free("workflow", name)
    _call_it(run, name, doc)
    parameters = parameters_of(run, name)
    return _define(WorkflowSpec(name, doc, parameters, run, source, language="lisp", line=line, normal=normal))


def define_param(value: Any, name: str, doc: str, domain: Any, source: str, line: int) -> Any:
    """What ``defparam`` binds its name to: the value."""
    _check_free("param", name)
    values = domain if isinstance(domain, str) else tuple(domain)
    _define(ParamSpec(name, value, values, doc, source, language="lisp", line=line))
    return value


def define_memory(name: str, doc: str, values: dict[str, Any], source: str, line: int) -> Any:
    """What ``defmemory`` binds its name to."""
    _check_free("memory", name)
    return _define(MemorySpec(name, doc=doc, source=source, language="lisp", line=line, **values))


def define_agent(
    body: Callable[[], Any] | None, name: str, doc: str, values: dict[str, Any], source: str, line: int, normal: str
) -> Any:
    """What ``defagent`` binds its name to."""
    _check_free("agent", name)
    if body is not None:
        _call_it(body, name, doc)
    tools = tuple(values.pop("tools", ()))
    return _define(
        AgentSpec(name, doc, tools, body=body, source=source, language="lisp", line=line, normal=normal, **values)
    )


def _call_it(function: Any, name: str, doc: str) -> None:
    """Let a function have the name of its definition, in the frames of its errors too."""
    named = canonical(name)
    function.__name__ = function.__qualname__ = named
    function.__doc__ = doc or None
    function.__code__ = function.__code__.replace(co_name=named, co_qualname=named)


def _define(spec: Spec) -> Any:
    cell = _cell.get()
    if cell is None:
        return spec
    return cell.specs.bound(cell.specs.define(spec))


def _check_free(what: str, name: str) -> None:
    if hasattr(builtins, canonical(name)):
        raise UsageError(f"a {what} called {name} would hide Python's own {canonical(name)}: call it my-{name}")
