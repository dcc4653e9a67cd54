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
        files, text = reader.kept_files(source), pretty(reader.notebook_json(source))
        shown = history._note("live", "", "what the open notebook showed", {}) if is_open else None
        replaced = import_file(history, path) if path and os.path.exists(path) else None
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
    try:
        cells, metadata = read_cells(path, history._redact)
    except (OSError, ValueError) as error:
        raise HistoryError(f"{path} cannot be read as a notebook and is left as it is: {error}") from error
    extra = {"cells": cells, "metadata": metadata, "facts": {"path": path}}
    state = history._note("import", "", f"what {os.path.basename(path)} held", extra)
    if not state.id:
        why = history.problem or "the history is off: `%o on` first"
        raise HistoryError(f"{path} is left as it is, for its present content could not be committed: {why}")
    return state
