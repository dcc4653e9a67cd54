"""Language models, behind one seam of five calls: chat, stream, tools, embed, usage.

    seam.py      the five calls, and the values that cross it; nothing above knows more
    opening.py   ``open_model``: from "provider:model" to a Model
    rounds.py    the loop of tools, the same for every model
    adapter.py   pydantic-ai behind the seam, loaded when a real model is opened
    scripted.py  a model that says what it was told to, for tests and lessons

Nothing here imports a provider's library before a model is opened.
"""

from __future__ import annotations

from .opening import CONFIGURE, PROVIDERS, missing_libraries, open_model
from .scripted import Asked, ScriptedModel
from .seam import Message, Model, Reply, Role, RunTool, ToolCall, ToolSpec

__all__ = [
    "CONFIGURE",
    "PROVIDERS",
    "Asked",
    "Message",
    "Model",
    "Reply",
    "Role",
    "RunTool",
    "ScriptedModel",
    "ToolCall",
    "ToolSpec",
    "missing_libraries",
    "open_model",
]
