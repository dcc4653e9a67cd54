"""Releases and the history: what served, what serves next, and the states that say so."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .deploy import LEDGER, Registry
from .errors import DeployError
from .history.newest import newest

if TYPE_CHECKING:
    from .deploy.handles import Version
    from .deploy.registry import Release
    from .history import History
    from .values import Deployment, Program


def take_back(history: History, name: str, state: str | None = None) -> Deployment:
    """Let the version before this one, or that of ``state``, serve a name as soon as its cell is run again.

    For a terminal: a kernel that runs at this moment goes on with what serves there. Raises DeployError, HistoryError.
    """
    registry = Registry(_nothing_is_called)
    if ledger := newest(history, LEDGER):
        registry.remember(ledger)
    release = None
    if state is not None:
        then, source = Registry(_nothing_is_called), history.resolve(state)
        then.remember(history.read(source, LEDGER))
        release = then.remembered().get(name)
        if release is None:
            raise DeployError(f"nothing served {name} at {source.short}: `history {name}` lists its states")
    deployment = registry.take_back(name, release)
    path, source_text = registry.remembered()[name].program.files[0]
    files = {**registry.ledger(), f"programs/{name}/{path}": source_text}
    program = {"O-Program": deployment.digest[:16], "O-Language": deployment.language}
    history.note_aside("rollback", name, f"{deployment.digest[:10]} serves again", program, files)
    return deployment


def _nothing_is_called(release: Release, cell: Program | None) -> Version:
    raise DeployError(f"{release.program.name} is not called in process {os.getpid()}: run its cell in a notebook")
