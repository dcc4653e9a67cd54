"""What a kernel says of itself in a front end's status item."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ..errors import ProjectOError
from ..flow import Flow
from ..limits import SERVING_SHOWN_MAX


def light(flow: Flow) -> dict[str, Any]:
    """What is cheap enough to look at after each cell."""
    history = flow.history
    # A flow makes its registry with the first program: before that, nothing serves in this kernel.
    serving = flow.registry.serving() if "registry" in vars(flow) else ()
    return {
        "recording": history.enabled,
        "problem": history.problem,
        "serving": [
            {"name": item.name, "language": item.language, "origin": item.origin, "digest": item.digest[:10]}
            for item in serving[:SERVING_SHOWN_MAX]
        ],
    }


def details(flow: Flow) -> dict[str, Any]:
    """What takes a look at the disk: for somebody who asks."""
    where = flow.history.where()
    return {"store": str(where["store"]), "states": where["recorded"]}


class SandboxLevel:
    """The sandbox's level, found once in a thread of its own: trying it takes a part of a second."""

    def __init__(self, found: Callable[[], None]) -> None:
        self.name = ""
        self.reason = ""
        self._found = found
        self._thread: threading.Thread | None = None

    def look(self) -> None:
        """Begin to find it, unless that was begun before."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._try, name="project-o-sandbox-level", daemon=True)
            self._thread.start()

    def _try(self) -> None:
        from ..sandbox import probe

        try:
            level = probe()
        except (ProjectOError, OSError) as error:
            self.reason = f"it could not be tried: {error}"
        else:
            self.name, self.reason = level.name, level.reason
        self._found()

    @property
    def facts(self) -> dict[str, str]:
        """The level, "" until it is found, and why it is not higher."""
        return {"level": self.name, "level_reason": self.reason}
