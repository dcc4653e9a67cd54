"""The Lisp of agents: Hy, our forms for tools, memories and agents, and the plain objects that they build.

``specs`` are those objects (the same ones that Python decorators build) and their registry, ``context`` is the turn
that a body runs in, ``cell`` evaluates a cell with true lines, ``forms`` are the macros and functions, ``embedding``
ranks texts without a network. Hy is imported when the first form is read, not before.
"""

from __future__ import annotations

from .context import Services, current, running
from .registry import Specs
from .specs import AgentSpec, MemorySpec, ParamSpec, Spec, ToolParameter, ToolSpec, WorkflowSpec

__all__ = [
    "AgentSpec",
    "MemorySpec",
    "ParamSpec",
    "Services",
    "Spec",
    "Specs",
    "ToolParameter",
    "ToolSpec",
    "WorkflowSpec",
    "current",
    "running",
]
