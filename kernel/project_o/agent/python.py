"""Definitions as text to read: their Lisp, or the Python that builds the same, with the same digest."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from ..errors import AgentError
from ..lisp.specs import AgentSpec, MemorySpec, ParamSpec, Spec, ToolSpec, WorkflowSpec, canonical
from .meaning import function_of

if TYPE_CHECKING:
    from .agent import Agent
    from .agents import Agents

_IMPORTED = (
    "MemorySpec", "get_arg", "has_tool", "llm_respond", "parallel", "param", "pipe", "recall", "remember", "step",
    "tool", "use", "workflow",
)  # fmt: skip


def source_of(agent: Agent, *, python: bool = False) -> tuple[str, Literal["lisp", "python"]]:
    """The definitions of an agent, of its memory, its tools, and the workflows and parameters that these name, and the
    language that they are in.

    Raises AgentError where a tool that it names is not defined.
    """
    spec, memory, tools = agent.spec, agent.memory, agent.tools
    further = agent.further
    if not python and spec.language == "lisp":
        before = [memory.spec if memory is not None else None, *further, *tools.values(), spec]
        return "\n\n".join(one.source for one in before if one is not None and one.source), "lisp"
    known = {canonical(one.name) for one in further}
    parts = [_part(one) for one in further] + [_tool(one) for name, one in tools.items() if name not in known]
    parts.append(_agent(spec, tools, memory.spec if memory is not None else None))
    if spec.body is not None:
        parts.append(_body(spec))
    return _text(parts, agent=True), "python"


def shown(agents: Agents, name: str, *, python: bool = False) -> tuple[str, Literal["lisp", "python"]]:
    """An agent with all that it uses, or one other definition by its name, and the language of the text.

    Raises AgentError where nothing has that name, and as ``source_of``.
    """
    spec = agents.definition(name)
    if spec is None or isinstance(spec, AgentSpec) or any(canonical(name) == canonical(one.name) for one in agents):
        return source_of(agents.agent(name), python=python)
    if spec.language == "lisp" and not python:
        return spec.source, "lisp"
    return text_of(spec), "python"


def text_of(spec: Spec) -> str:
    """One definition as Python, with its imports. Raises AgentError where Hy cannot say it in Python."""
    return _text([_part(spec)], agent=isinstance(spec, AgentSpec))


def _part(spec: Spec) -> str:
    if isinstance(spec, ToolSpec):
        return _tool(spec, always=True)
    if isinstance(spec, WorkflowSpec):
        return "@workflow\n" + _function(spec)
    if isinstance(spec, ParamSpec):
        domain = spec.domain if isinstance(spec.domain, str) else list(spec.domain)
        doc = f", {spec.doc!r}" if spec.doc else ""
        return f"{canonical(spec.name)} = param({spec.name!r}, {spec.value!r}{doc}, domain={domain!r})"
    if isinstance(spec, MemorySpec):
        return f"{canonical(spec.name)} = {_memory(spec)}"
    return _agent(spec, {}, None) + ("\n\n" + _body(spec) if spec.body is not None else "")


def _text(parts: Iterable[str], *, agent: bool) -> str:
    """The parts below the imports that they need."""
    text = "\n\n".join(parts)
    names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    imports = ["from project_o import Agent"] if agent else []
    if words := [word for word in _IMPORTED if word in names]:
        imports.append(f"from project_o.agent import {', '.join(words)}")
    return "\n".join(imports) + "\n\n" + text


def _tool(tool: ToolSpec, *, always: bool = False) -> str:
    options = [f"unsafe={tool.unsafe}"] if tool.unsafe else []
    options += [f"timeout={tool.timeout_seconds!r}"] if tool.timeout_seconds else []
    options += [f"effects={list(tool.effects)!r}"] if tool.effects else []
    decorator = f"@tool({', '.join(options)})\n" if options else "@tool\n" if always else ""
    return decorator + _function(tool)


def _function(spec: ToolSpec | WorkflowSpec) -> str:
    if spec.language == "python":
        return _undecorated(spec.source) or f"# {spec.name} is a function whose text Python does not know\n..."
    return _as_python(spec.source, canonical(spec.name), spec.doc)


def _undecorated(source: str) -> str:
    """A function's text without its decorators: they name an agent that is only made below it."""
    return "\n".join(_parted(source)).lstrip("\n")


def _parted(source: str) -> tuple[str, str]:
    """The constants in front of a function, and the function without its decorators."""
    import textwrap

    text = textwrap.dedent(source).strip()
    try:
        node = next(item for item in ast.parse(text).body if isinstance(item, ast.FunctionDef))
    except (SyntaxError, StopIteration):
        return "", text
    lines = text.splitlines()
    above = min([node.lineno, *(item.lineno for item in node.decorator_list)]) - 1
    return "\n".join(lines[:above]).rstrip(), "\n".join(lines[node.lineno - 1 :])


def _memory(memory: MemorySpec) -> str:
    options = [f"{name}={getattr(memory, name)!r}" for name in ("capacity", "embedding", "weight", "top")]
    options += [f"doc={memory.doc!r}"] if memory.doc else []
    return f"MemorySpec({', '.join([repr(memory.name), *options])})"


def _agent(spec: AgentSpec, tools: dict[str, ToolSpec], memory: MemorySpec | None) -> str:
    given = [repr(spec.name), repr(spec.doc)]
    if tools:
        given.append(f"tools=[{', '.join(canonical(name) for name in tools)}]")
    if memory is not None:
        given.append(f"memory={_memory(memory)}")
    given += [f"model={spec.model!r}"] if spec.model else []
    given += [f"version={spec.version!r}"] if spec.version else []
    return f"{canonical(spec.name)} = Agent({', '.join(given)})"


def _body(spec: AgentSpec) -> str:
    if spec.language == "python":
        constants, text = _parted(spec.source)
        if body := _defined(text, f"{canonical(spec.name)}_body"):
            return f"{constants}\n\n@{canonical(spec.name)}.body\n{body}".lstrip("\n")
        return f"# the body of {spec.name} is a function whose text Python does not know"
    text = _as_python(spec.source, f"{canonical(spec.name)}_body", "")
    head, _, rest = text.partition("\n")
    return f"@{canonical(spec.name)}.body\n{head.replace('()', '(message, arguments)')}\n{rest}"


def _defined(text: str, name: str) -> str:
    """The text of a function; of the one lambda in a statement the function that it is; "" where there is neither."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return ""
    if any(isinstance(item, ast.FunctionDef) for item in tree.body):
        return text
    lambdas = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]
    if len(lambdas) != 1:
        return ""
    made = ast.FunctionDef(_plain(name), lambdas[0].args, [ast.Return(lambdas[0].body)], [])
    return ast.unparse(ast.fix_missing_locations(made))


def _plain(name: str) -> str:
    """A name that Python takes."""
    return "".join(letter if letter.isalnum() or letter == "_" else "_" for letter in name)


def _as_python(source: str, name: str, doc: str) -> str:
    """One form as a Python function. Raises AgentError where Hy cannot say it."""
    try:
        function = function_of(source)
    except Exception as error:
        raise AgentError(f"{name} cannot be shown as Python ({error}): %agent show NAME shows its Lisp") from error
    function.name = _plain(name)
    if doc:
        function.body.insert(0, ast.Expr(ast.Constant(inspect.cleandoc(doc))))
    return ast.unparse(ast.fix_missing_locations(function))
