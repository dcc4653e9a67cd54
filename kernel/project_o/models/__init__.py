"""Language models, behind one seam of five calls: chat, stream, tools, embed, usage.

    seam.py      the five calls, and the values that cross it; nothing above knows more
    opening.py   ``open_model``: from "provider:model" to a Model
    endpoint.py  where a model answers, how patient we are, and the key, which no text shows
    rounds.py    the loop of tools, the same for every model
    remote.py    a model over a connection: attempts, limits, usage
    pump.py      asynchronous work from synchronous code, ended at once by Ctrl-C
    trouble.py   what can go wrong, and the one error that says so
    adapter.py   pydantic-ai behind the seam, loaded when a real model is opened
    several.py   several models as one: the first that answers does
    tape.py      record and replay: a file of what was asked and answered
    scripted.py  a model that says what it was told to, for tests and lessons

Nothing here imports a provider's library before a model is opened.
"""

from __future__ import annotations

from .endpoint import Patience
from .opening import CONFIGURE, PROVIDERS, endpoint_of, missing_libraries, names_in, open_configured, open_model
from .scripted import Asked, ScriptedModel
from .seam import Finish, Message, Model, Reply, Role, RunTool, ToolCall, ToolSpec
from .several import SeveralModels
from .tape import Tape, TapedModel

__all__ = [
    "CONFIGURE",
    "PROVIDERS",
    "Asked",
    "Finish",
    "Message",
    "Model",
    "Patience",
    "Reply",
    "Role",
    "RunTool",
    "ScriptedModel",
    "SeveralModels",
    "Tape",
    "TapedModel",
    "ToolCall",
    "ToolSpec",
    "endpoint_of",
    "missing_libraries",
    "names_in",
    "open_configured",
    "open_model",
]
