"""An agent as a program that evolution may change: the text of its definitions, and back from that text to the agent.

The program holds what the agent's Lisp cells defined at their top level, then its memory, its tools and the agent
itself. Constants with a declared domain (``; o: 1 2 3``) are its parameters. What is written in Python cannot go with
it: such agents, and such tools, are evolved as the Python functions they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import AgentError, UsageError
from ..lisp.specs import AgentSpec, MemorySpec, Spec, Specs, ToolSpec, canonical

if TYPE_CHECKING:
    from ..values import Program
    from .agents import Agents


def program_of(spec: AgentSpec, specs: Specs) -> Program:
    """The program of an agent. Raises UsageError for what was written in Python, AgentError for a missing tool."""
    from ..languages import tools_for

    if spec.language != "lisp":
        raise UsageError(
            f"{spec.name} was made in Python, and its source does not travel as one text: evolve its functions "
            f"(%evolve FUNCTION), or define it in a %%agent cell with (defagent {spec.name} ...)"
        )
    parts: list[Spec] = [specs.memory(spec.memory)] if spec.memory else []
    parts += [specs.tool(name) for name in spec.tools]
    python = [part.name for part in parts if not isinstance(part, MemorySpec) and part.language != "lisp"]
    if python:
        raise UsageError(
            f"{spec.name} uses the Python function {', '.join(python)}, which its program cannot take along: "
            "write it as a deftool, or evolve it by itself"
        )
    texts = [*specs.helpers.values(), *(_text(part) for part in parts), spec.source]
    return tools_for("lisp").program(canonical(spec.name), "\n".join(texts) + "\n")


def _text(spec: Spec) -> str:
    if spec.source:
        return spec.source
    assert isinstance(spec, MemorySpec), "a tool in Lisp has its text"
    values = f':capacity {spec.capacity} :embedding "{spec.embedding}" :weight {float(spec.weight)} :top {spec.top}'
    return f"(defmemory {spec.name} {values})"


def parts_of(program: Program, name: str, agents: Agents) -> tuple[AgentSpec, dict[str, ToolSpec]]:
    """What a version of the program defines: the agent, and its tools by canonical name.

    The names of the notebook stay bound to what they are bound to; what its cells define besides (functions, values)
    gets this version's values. Raises LispError, AgentError.
    """
    from ..lisp.cell import evaluate
    from .meaning import with_meaning

    space = agents.namespace

    def bound(spec: Spec) -> object:
        return space.get(canonical(spec.name), spec)

    specs = Specs(bound)
    evaluate(program.source, agents.module or space, f"<{program.name} {program.digest[:8]}>", specs)
    if not specs.has("agent", name):
        raise AgentError(f"the version {program.digest[:10]} of {name} defines no agent of that name")
    tools = {canonical(tool): with_meaning(specs.tool(tool)) for tool in specs.names("tool")}
    if specs.names("memory"):
        agents.memory(specs.memory(specs.names("memory")[0]))
    return with_meaning(specs.agent(name)), tools
