"""Values as text: what a tool returns for whoever reads it, and what a body returns as the reply."""

from __future__ import annotations

import json
from typing import Any

from .. import limits
from ..errors import AgentError


def reply_of(agent: str, value: Any) -> str:
    """The reply that the value of a body is. Raises AgentError for none, and for one that is too long."""
    if value is None:
        raise AgentError(f"the body of {agent} returned nothing (None): let its last form be the reply")
    text = value if isinstance(value, str) else as_text(value)
    if len(text) > limits.REPLY_CHARACTERS_MAX:
        raise AgentError(
            f"the reply of {agent} has {len(text):,} characters, and a reply has at most "
            f"{limits.REPLY_CHARACTERS_MAX:,}: reply with a summary, and let a tool write the rest to a file"
        )
    return text


def as_text(value: Any) -> str:
    """A tool's result as a model reads it: text as it is, JSON where it can be, else ``str``; cut to the bound."""
    if isinstance(value, str):
        text = value
    else:
        try:
            text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            text = str(value)
    return cut(text, limits.TOOL_RESULT_CHARACTERS_MAX)


def cut(text: str, characters: int) -> str:
    """``text``, or its head and a note where it is longer than ``characters``."""
    if len(text) <= characters:
        return text
    return f"{text[:characters]}\n[... {len(text) - characters:,} of {len(text):,} characters left out]"
