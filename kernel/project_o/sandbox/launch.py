"""One job of the warm process, and who uses that process."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from ..errors import SandboxError
from . import helper
from .bounds import Bounds
from .channel import Channel
from .snapshot import Snapshot

users = itertools.count()
"""Each box, and each trial of the levels, is one user of the warm process: see ``helper.acquire``."""


def launch(
    user: int,
    config: dict[str, Any],
    bounds: Bounds,
    kind: helper.Kind = helper.OUTSIDE,
    snapshot: Snapshot | None = None,
    files: Sequence[str] = (),
    *,
    more: bool = False,
) -> Channel:
    """One job of the warm process of that kind, which is started anew if it died. See ``Channel``."""
    for _ in range(2):
        found = helper.acquire(user, kind)
        try:
            return Channel(found, config, bounds, snapshot, files, more=more)
        except helper.HelperGoneError:
            found.lost = True  # what it ran in may take a moment longer to end
    raise SandboxError("the sandbox's helper process ended twice while a job was to start: project-o doctor")
