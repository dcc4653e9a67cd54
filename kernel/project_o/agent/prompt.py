"""What of the notebook goes into a message: ``{name}``, ``{In[3]}``, ``{Out[3]}``, ``{Err[3]}``.

A name that is not there is left as it is, and so are doubled braces and the braces of JSON: only ``{`` directly before
a name, and ``}`` directly behind it, are ours. Nothing is evaluated: attributes and items are looked up, one by one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .. import limits
from ..errors import AgentError
from ..history.redact import SECRET_NAME, mark
from ..lisp.replies import cut

_STEP = r"(?:\.[A-Za-z]\w*|\[-?\d+\]|\['[^'\]\n]*'\]|\[\"[^\"\]\n]*\"\])"
_FIELD = re.compile(r"(?<!\{)\{([A-Za-z_]\w*)(" + _STEP + r"*)\}(?!\})")
_ONE_STEP = re.compile(_STEP)
_NOT_THERE = object()


def filled(message: str, namespace: Mapping[str, Any], redact: Callable[[str], str]) -> str:
    """``message`` with the values of the namespace in place of their names, without what looks like a secret.

    Raises AgentError for a message that is then empty, or larger than ``limits.MESSAGE_CHARACTERS_MAX``.
    """

    def put(match: re.Match[str]) -> str:
        value = _look_up(namespace, match[1], _ONE_STEP.findall(match[2]))
        if value is _NOT_THERE:
            return match[0]
        text = _text(value)
        if SECRET_NAME.search(match[1]) or any(SECRET_NAME.search(step.strip("[]'\".")) for step in _steps(match[2])):
            return mark(text)
        return cut(text, limits.INTERPOLATION_CHARACTERS_MAX)

    text = redact(_FIELD.sub(put, message))
    if not text.strip():
        raise AgentError("the message is empty: write below the line of the magic what the agent is to answer")
    if len(text) > limits.MESSAGE_CHARACTERS_MAX:
        raise AgentError(
            f"the message has {len(text):,} characters, and at most {limits.MESSAGE_CHARACTERS_MAX:,} are sent: "
            "put in a part or a summary of what it quotes"
        )
    return text


def _steps(text: str) -> list[str]:
    return _ONE_STEP.findall(text)


def _look_up(namespace: Mapping[str, Any], name: str, steps: list[str]) -> Any:
    value = namespace.get(name, _NOT_THERE)
    for step in steps:
        if value is _NOT_THERE:
            return value
        try:
            value = getattr(value, step[1:]) if step[0] == "." else value[_key(step[1:-1])]
        except Exception:  # noqa: BLE001 - whatever a lookup raises: the field is not there, and stays as written
            return _NOT_THERE
    return value


def _key(text: str) -> Any:
    return text[1:-1] if text[0] in "'\"" else int(text)


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - a value that cannot be shown is shown as that
        return f"[a {type(value).__name__} that cannot be shown: {type(error).__name__}]"
