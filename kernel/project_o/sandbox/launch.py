"""One job of the warm process, and who uses that process."""

from __future__ import annotations

import itertools
from typing import Any

from ..errors import SandboxError
from . import helper
from .channel import Bounds, Channel, HelperGoneError
from .snapshot import Snapshot

users = itertools.count()
"""Each box, and each trial of the levels, is one user of the warm process: see ``helper.acquire``."""


def launch(
    user: int,
    config: dict[str, Any],
    bounds: Bounds,
    modules: tuple[str, ...] = (),
    snapshot: Snapshot | None = None,
) -> Channel:
    """One job of the warm process, which is started anew if it died."""
    for _ in range(2):
        try:
            return Channel(helper.acquire(user, modules), config, bounds, snapshot)
        except HelperGoneError:
            continue
    raise SandboxError("the sandbox's helper process ended twice while a job was to start: project-o doctor")
