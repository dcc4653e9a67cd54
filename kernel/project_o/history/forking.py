"""Forking: a notebook of its own that goes on from an old state, beside the one that went on from there already."""

# Plain os.path, as in the rest of the history.
# ruff: noqa: PTH100, PTH108, PTH111, PTH112, PTH118, PTH119, PTH120

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from ..errors import HistoryError
from .aside import commit_aside
from .lane import tag_state
from .places import create_store
from .pretty import pretty
from .records import Forked

if TYPE_CHECKING:
    from ..values import State
    from .history import History

SUFFIX = ".ipynb"


def fork_state(history: History, state: State | str, to: str | None) -> Forked:
    """Write a state as a new notebook whose history begins there. Raises HistoryError; then nothing was written."""
    with history._lock:
        source = history.resolve(state) if isinstance(state, str) else state
        path = _path(history, source, to)
        reader, store = history._look(), history._recording.place.path
        try:
            create_store(store)
            _write_new(path, pretty(reader.notebook_json(source)))
        except OSError as error:
            raise HistoryError(f"the notebook {path} could not be written: {error}") from error
        name = os.path.basename(path).removesuffix(SUFFIX)
        record = {"k": "note", "when": time.time(), "kind": "fork", "scope": "", "tree_of": source.id}
        record |= {"summary": f"{name}: {source.short} {source.summary}", "facts": {"from": source.id, "path": path}}
        try:
            commit = commit_aside(
                store, path, os.path.dirname(path), record, parent=source.id, session=f"fork of {source.lane}"
            )
        except (HistoryError, OSError) as error:
            with contextlib.suppress(OSError):
                os.unlink(path)
            raise HistoryError(f"no fork was made: {error}") from error
        tag_state(store, name, commit)
        return Forked(history._look().state(commit), source, path)


def _path(history: History, source: State, to: str | None) -> str:
    known = history.notebook or history.notebook_of(source)
    folder = os.path.dirname(known) if known and os.path.isdir(os.path.dirname(known)) else history.directory
    stem = os.path.basename(known).removesuffix(SUFFIX) if known else "notebook"
    name = to or f"{stem}-from-{source.short}"
    path = os.path.abspath(os.path.join(folder, os.path.expanduser(name.removesuffix(SUFFIX) + SUFFIX)))
    if os.path.lexists(path):
        raise HistoryError(f"there is {path} already: give another name (fork STATE NAME)")
    return path


def _write_new(path: str, text: str) -> None:
    with open(path, "x", encoding="utf-8", errors="surrogatepass") as file:
        file.write(text)
