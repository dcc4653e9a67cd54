"""One line of JSON for each release, with its state, in a file beside the store: for machines."""

from __future__ import annotations

from pathlib import Path

from .. import limits
from ..errors import warn
from ..history.redact import Redactor
from ..observe import EventLog
from ..values import State

EVENTS = "events.jsonl"


def write_event(store: str, kind: str, name: str, state: State) -> None:
    """What was released, promoted or taken back. Where it cannot be written that is said, and nothing else is lost."""
    if not state.id or not store:
        return
    path = Path(store, EVENTS)
    try:
        if path.exists() and path.stat().st_size > limits.EVENTS_BYTES_MAX:
            path.replace(path.with_suffix(".1.jsonl"))
        with EventLog(path) as log:
            told = Redactor().value({"summary": state.summary, **dict(state.facts)})
            log.write(kind, name=name, state=state.id, **told)
    except OSError as error:
        warn(f"releases are not written to {path}: {error}")
