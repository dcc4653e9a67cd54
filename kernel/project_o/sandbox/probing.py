"""The levels, tried once a process: throw-away children attempt what no candidate may do."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from .. import limits
from ..errors import SandboxError
from . import helper, locks
from .channel import Bounds
from .configure import configuration
from .launch import launch, users
from .level import Level, judge


@dataclass(frozen=True, slots=True)
class Tried:
    """What the throw-away children found: with Landlock alone, with the strict filter alone."""

    files_only: dict[str, bool] | None
    strict: dict[str, bool] | None
    landlock_version: int


_lock = threading.Lock()
_tried: Tried | None = None


def try_once() -> Tried:
    """What holds here, tried when it is first asked for. Raises SandboxError where nothing can be tried."""
    global _tried
    with _lock:
        if _tried is None:
            user = next(users)
            try:
                _tried = _try(user)
            finally:
                helper.release(user)
        return _tried


def _try(user: int) -> Tried:
    version = int(helper.acquire(user).facts["landlock"])
    with tempfile.NamedTemporaryFile() as canary, socket.create_server(("127.0.0.1", 0)) as listener:
        question = {"op": "probe", "canary": canary.name, "port": listener.getsockname()[1]}
        files_only = _attempt(user, question, landlock=True) if version else None
        return Tried(files_only, _attempt(user, question, landlock=False), version)


def _attempt(user: int, question: dict[str, Any], *, landlock: bool) -> dict[str, bool] | None:
    """What a child with one of the two layers could not do; None if it could not be locked."""
    config = configuration(
        memory_bytes=limits.TRIAL_MEMORY_BYTES,
        cpu_seconds=limits.TRIAL_CPU_SECONDS,
        landlock=landlock,
        seccomp=not landlock,
        stage="strict",
        readable=list(locks.SYSTEM_LIBRARIES),
    )
    channel = launch(user, config, Bounds())
    reply = None if channel.ended else channel.exchange(question, limits.TRIAL_WALL_SECONDS).body
    channel.end("closed")
    return {str(k): v is True for k, v in reply["value"].items()} if reply and reply.get("ok") else None


def found(deny: Collection[str] = ()) -> Level:
    """The level that holds without the layers of ``deny``; L0 with the reason where nothing can be tried."""
    try:
        tried = try_once()
    except SandboxError as error:
        return Level("L0", str(error), 0)
    return judge(
        None if "landlock" in deny else tried.files_only,
        None if "seccomp" in deny else tried.strict,
        tried.landlock_version,
    )


def holds(layer: str, deny: Collection[str]) -> bool:
    """Whether this layer is to be applied: it is there, and not denied."""
    if layer in deny:
        return False
    tried = try_once()
    return (tried.files_only if layer == "landlock" else tried.strict) is not None


def probe() -> Level:
    """What holds on this machine, found by trying once a process: for ``project-o doctor``."""
    return found()


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
