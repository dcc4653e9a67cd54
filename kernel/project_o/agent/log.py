"""One line of JSON for each turn, with its state's id, in a file beside the store: for machines.

{"when": ..., "event": "turn", "agent": "helper", "state": "5f2c...", "seconds": 1.2, "dollars": 0.0002, ...}
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import limits
from ..errors import warn
from ..observe import EventLog
from ..values import ToolUse, Turn

TURNS = "turns.jsonl"


def write_turn(store: str, turn: Turn, state: str, redact: Callable[[str], str]) -> None:
    """What a turn was asked, did and cost; ``state`` is the id of the state that holds the whole of it, "" for none.

    Where it cannot be written that is said, and nothing else is lost.
    """
    path = Path(store, TURNS)
    try:
        if path.exists() and path.stat().st_size > limits.EVENTS_BYTES_MAX:
            path.replace(path.with_suffix(".1.jsonl"))
        with EventLog(path) as log:
            log.write(
                "turn",
                agent=turn.agent,
                state=state,
                states=list(turn.states),
                message=redact(turn.message[: limits.SUMMARY_CHARACTERS_MAX]),
                reply_characters=len(turn.reply),
                tools=[_use(use, redact) for use in turn.uses],
                model=turn.model,
                requests=turn.usage.requests,
                tokens_in=turn.usage.input_tokens,
                tokens_out=turn.usage.output_tokens,
                dollars=turn.usage.dollars,
                seconds=round(turn.seconds, 6),
                error=redact(turn.error),
            )
    except OSError as error:
        warn(f"turns are not written to {path}: {error}")


def _use(use: ToolUse, redact: Callable[[str], str]) -> dict[str, Any]:
    """A call without its result: the state has that."""
    arguments = _redacted(dict(use.arguments), redact)
    return {"name": use.name, "arguments": arguments, "error": redact(use.error), "seconds": round(use.seconds, 6)}


def _redacted(value: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: _redacted(item, redact) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redacted(item, redact) for item in value]
    return redact(value) if isinstance(value, str) else value
