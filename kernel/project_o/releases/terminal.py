"""Taking a version back from a terminal, where no kernel runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..deploy import LEDGER, Registry
from ..errors import DeployError
from ..history.newest import newest
from .candidates import nothing_is_called

if TYPE_CHECKING:
    from ..history import History
    from ..values import Deployment


def take_back(history: History, name: str, state: str | None = None) -> Deployment:
    """Let the version before this one, or that of ``state``, serve a name as soon as its cell is run again.

    For a terminal: a kernel that runs at this moment goes on with what serves there. Raises DeployError, HistoryError.
    """
    registry = Registry(nothing_is_called)
    if ledger := newest(history, LEDGER):
        registry.remember(ledger)
    release = None
    if state is not None:
        then, source = Registry(nothing_is_called), history.resolve(state)
        then.remember(history.read(source, LEDGER))
        release = then.remembered().get(name)
        if release is None:
            raise DeployError(f"nothing served {name} at {source.short}: `history {name}` lists its states")
    deployment = registry.take_back(name, release)
    path, source_text = registry.remembered()[name].program.files[0]
    files = {**registry.ledger(), f"programs/{name}/{path}": source_text}
    program = {"program": deployment.digest[:16], "language": deployment.language, "version": deployment.version}
    history.note_aside("rollback", name, f"{deployment.version or deployment.digest[:10]} serves again", program, files)
    return deployment
