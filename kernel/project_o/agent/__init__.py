"""Agents: what answers messages with tools, a memory and a model, and can be evolved.

    agent.py      Agent: one object, whether Lisp or Python defined it
    agents.py     the agents of a kernel, and what they share: tools, memories, models
    states.py     idle, thinking, acting, evolving: the table of legal moves
    turn.py       one message being answered
    tools.py      Python functions as tools; calls are checked before they are made
    memory.py     what is remembered; embedders.py finds it again without a network, blocks/ keeps it
    following.py  a memory's strategy with a name; retrieval.py judges one; preferences.py learns a taste
    prompt.py     {name}, {In[3]}, {Out[3]}, {Err[3]} in a message
    defining.py   tools, workflows and parameters as Python defines them
    workflows.py  workflows and their runs, which a later kernel can resume
    meaning.py    equal digests for Lisp and Python that mean the same; tree.py the shape that is compared
    python.py     an agent as text to read, in Lisp or in Python
    place.py      where Agent(...) finds the agents of its kernel
    store.py      turns, feedback and memories in the history
    reply.py      what an agent answers
    looking.py    an agent's life and its memory as values to be shown
    improving.py  an agent left alone: what is worst, why that may be, and a run; watched.py how it is seen
    macros.py     macros that the agents' texts are made shorter with, and taken back

The words of a body are functions here too, for bodies in Python: ``get_arg``, ``has_tool``, ``llm_respond``,
``pipe`` (``when->``), ``recall``, ``remember``, ``use``. Nothing heavy is loaded before an agent is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..lisp.specs import MemorySpec, ToolSpec
    from ..lisp.words import get_arg, has_tool, llm_respond, pipe, recall, remember, use
    from ..lisp.workflow import parallel, step
    from .agent import Agent
    from .agents import Agents
    from .defining import param, tool, workflow
    from .memory import Memory
    from .preferences import Preferences
    from .reply import Reply
    from .retrieval import Retrieval
    from .workflows import Workflow

__all__ = [
    "Agent",
    "Agents",
    "Memory",
    "MemorySpec",
    "Preferences",
    "Reply",
    "Retrieval",
    "ToolSpec",
    "Workflow",
    "get_arg",
    "has_tool",
    "llm_respond",
    "parallel",
    "param",
    "pipe",
    "recall",
    "remember",
    "step",
    "tool",
    "use",
    "workflow",
]

_WORDS = ("get_arg", "has_tool", "llm_respond", "pipe", "recall", "remember", "use")
_HOMES = {
    "Agent": "project_o.agent.agent",
    "Agents": "project_o.agent.agents",
    "Memory": "project_o.agent.memory",
    "MemorySpec": "project_o.lisp.specs",
    "Preferences": "project_o.agent.preferences",
    "Reply": "project_o.agent.reply",
    "Retrieval": "project_o.agent.retrieval",
    "ToolSpec": "project_o.lisp.specs",
    "Workflow": "project_o.agent.workflows",
    **dict.fromkeys(("parallel", "step"), "project_o.lisp.workflow"),
    **dict.fromkeys(("param", "tool", "workflow"), "project_o.agent.defining"),
    **dict.fromkeys(_WORDS, "project_o.lisp.words"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"project_o.agent has no name {name!r}: there are {', '.join(__all__)}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
