"""An agent as text to read: its Lisp, or the Python that says the same."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Literal

from ..errors import AgentError
from ..lisp.specs import AgentSpec, MemorySpec, ToolSpec, canonical
from .meaning import function_of

if TYPE_CHECKING:
    from .agent import Agent


def source_of(agent: Agent, *, python: bool = False) -> tuple[str, Literal["lisp", "python"]]:
    """The definitions of an agent, of its memory and of its tools, and the language that they are in.

    Raises AgentError where a tool that it names is not defined.
    """
    spec, memory = agent.spec, agent.memory
    if not python and spec.language == "lisp":
        parts = [memory.spec.source if memory else "", *(tool.source for tool in agent.tools.values()), spec.source]
        return "\n\n".join(part for part in parts if part), "lisp"
    parts = ["from project_o import Agent"]
    words = [word for word in _WORDS if word in _text(spec, agent)]
    if memory is not None:
        words.append("MemorySpec")
    if words:
        parts[0] += f"\nfrom project_o.agent import {', '.join(words)}"
    parts += [_tool(tool) for tool in agent.tools.values()]
    parts.append(_agent(spec, agent.tools, memory.spec if memory else None))
    if spec.body is not None:
        parts.append(_body(spec))
    return "\n\n".join(parts), "python"


_WORDS = ("get_arg", "has_tool", "llm_respond", "recall", "remember", "use")


def _text(spec: AgentSpec, agent: Agent) -> str:
    sources = [spec.source, *(tool.source for tool in agent.tools.values())]
    return canonical("\n".join(sources))


def _tool(tool: ToolSpec) -> str:
    if tool.language == "python":
        return _undecorated(tool.source) or f"# {tool.name} is a function whose text Python does not know"
    return _as_python(tool.source, canonical(tool.name), tool.doc)


def _undecorated(source: str) -> str:
    """A function's text without its decorators: they name an agent that is only made below it."""
    return "\n".join(_parted(source)).lstrip("\n")


def _parted(source: str) -> tuple[str, str]:
    """The constants in front of a function, and the function without its decorators."""
    import ast
    import textwrap

    text = textwrap.dedent(source).strip()
    try:
        node = next(item for item in ast.parse(text).body if isinstance(item, ast.FunctionDef))
    except (SyntaxError, StopIteration):
        return "", text
    lines = text.splitlines()
    above = min([node.lineno, *(item.lineno for item in node.decorator_list)]) - 1
    return "\n".join(lines[:above]).rstrip(), "\n".join(lines[node.lineno - 1 :])


def _agent(spec: AgentSpec, tools: dict[str, ToolSpec], memory: MemorySpec | None) -> str:
    given = [repr(spec.name), repr(spec.doc)]
    if tools:
        given.append(f"tools=[{', '.join(canonical(name) for name in tools)}]")
    if memory is not None:
        options = [f"{name}={getattr(memory, name)!r}" for name in ("capacity", "embedding", "weight", "top")]
        given.append(f"memory=MemorySpec({', '.join([repr(memory.name), *options])})")
    if spec.model:
        given.append(f"model={spec.model!r}")
    return f"{canonical(spec.name)} = Agent({', '.join(given)})"


def _body(spec: AgentSpec) -> str:
    if spec.language == "python":
        constants, body = _parted(spec.source)
        if body:
            return f"{constants}\n\n@{canonical(spec.name)}.body\n{body}".lstrip("\n")
        return f"# the body of {spec.name} is a function whose text Python does not know"
    text = _as_python(spec.source, f"{canonical(spec.name)}_body", "")
    head, _, rest = text.partition("\n")
    return f"@{canonical(spec.name)}.body\n{head.replace('()', '(message, arguments)')}\n{rest}"


def _as_python(source: str, name: str, doc: str) -> str:
    """One form as a Python function. Raises AgentError where Hy cannot say it."""
    import ast

    try:
        function: Any = function_of(source)
    except Exception as error:
        raise AgentError(f"{name} cannot be shown as Python ({error}): %agent show NAME shows its Lisp") from error
    function.name = "".join(letter if letter.isalnum() or letter == "_" else "_" for letter in name)
    if doc:
        function.body.insert(0, ast.Expr(ast.Constant(inspect.cleandoc(doc))))
    return ast.unparse(ast.fix_missing_locations(function))
