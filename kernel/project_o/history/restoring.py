"""Restoring a state: what is on the disk and in the open notebook is committed first, then the file is replaced."""

# Plain os.path, as in the rest of the history.
# ruff: noqa: PTH100, PTH110, PTH119

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..errors import HistoryError
from .filemerge import read_cells
from .notebook import write_atomically
from .pretty import pretty
from .records import Restored

if TYPE_CHECKING:
    from ..values import State
    from .history import History

_NOTHING_WRITTEN = "no notebook was written: its path is not known here; give one (restore STATE --to PATH)"


def restore_state(history: History, state: State | str, to: str | None) -> Restored:
    """Write a state's notebook and append a ``restore`` commit. Raises HistoryError; then nothing was replaced."""
    path = os.path.abspath(to) if to else history.notebook
    is_open = history.front_end is not None and path is not None and path == history.notebook
    # Without the history's lock: the answer arrives in another thread, which needs it.
    if is_open:
        assert history.front_end is not None
        history.front_end.ask()
        is_open = history.front_end is not None  # a page that is gone has not answered
    with history._lock:
        source = history.resolve(state) if isinstance(state, str) else state
        reader = history._look()
        # The recorder, a process of its own, commits what is there while this one makes the text that follows it.
        live = history._append_note("live", "", "what the open notebook showed", {}) if is_open else 0
        imported = append_import(history, path) if path and os.path.exists(path) else 0
        if imported or live:
            history._recording.hasten(imported or live)
        files, text = reader.kept_files(source), pretty(reader.notebook_json(source))
        shown = history._await_note(live) if live else None
        replaced = await_import(history, imported, path) if path and imported else None
        if path:
            try:
                write_atomically(path, text)
            except OSError as error:
                history._live.renew()
                raise HistoryError(f"the notebook {path} could not be written: {error}") from error
        facts = {"from": source.id} | ({"path": path} if path else {})
        new = history._note("restore", "", f"{source.short} {source.summary}", {"tree_of": source.id, "facts": facts})
        history._live.forget()
    note = f"state {source.short} was written to {path}" if path else _NOTHING_WRITTEN
    before = shown if shown is not None and shown.id else replaced
    undo = f"; %o restore {before.short} goes back" if before else ""
    reloads = is_open and history.front_end is not None and history.front_end.reload(f"Restored {source.short}{undo}")
    return Restored(new, source, path, files, note, replaced, shown if shown and shown.id else None, reloads)


def import_file(history: History, path: str) -> State:
    """Commit what a notebook file holds. Raises HistoryError: what is not safe is not overwritten."""
    return await_import(history, append_import(history, path), path)


def append_import(history: History, path: str) -> int:
    """Put what a notebook file holds into the journal; the sequence number. Raises HistoryError."""
    try:
        cells, metadata = read_cells(path, history._redact)
    except (OSError, ValueError) as error:
        raise HistoryError(f"{path} cannot be read as a notebook and is left as it is: {error}") from error
    extra = {"cells": cells, "metadata": metadata, "facts": {"path": path}}
    number = history._append_note("import", "", f"what {os.path.basename(path)} held", extra)
    if not number:
        raise HistoryError(_left_as_it_is(history, path))
    return number


def await_import(history: History, number: int, path: str) -> State:
    """The state that it became, once it is committed. Raises HistoryError where it is not."""
    state = history._await_note(number)
    if state is None:
        raise HistoryError(_left_as_it_is(history, path))
    return state


def _left_as_it_is(history: History, path: str) -> str:
    why = history.problem or "the history is off: `%o on` first"
    return f"{path} is left as it is, for its present content could not be committed: {why}"
