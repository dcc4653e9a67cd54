"""The levels, tried once a process: throw-away children attempt what no candidate may do."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from .. import limits
from ..errors import SandboxError
from . import helper, locks
from .bounds import Bounds
from .configure import configuration
from .helper import OUTSIDE, Kind
from .launch import launch, users
from .level import Level, judge
from .namespaces import ADVICE, MISSING, find_bubblewrap


@dataclass(frozen=True, slots=True)
class Tried:
    """What the throw-away children found: with Landlock alone, with the strict filter alone, with namespaces alone.

    ``why`` says why there are no namespaces; "" where there are.
    """

    files_only: dict[str, bool] | None
    strict: dict[str, bool] | None
    namespaces: dict[str, bool] | None
    landlock_version: int
    why: str = ""


_lock = threading.RLock()
_tried: dict[bool, Tried] = {}


def try_once(*, namespaces: bool = True, user: int | None = None) -> Tried:
    """What holds here, in or without namespaces, tried when it is first asked for.

    ``user`` goes on using the warm process that was started for it. Raises SandboxError where nothing can be tried.
    """
    with _lock:
        if namespaces not in _tried:
            _tried[namespaces] = _within(user) if namespaces else _try(OUTSIDE, user)
        return _tried[namespaces]


def _within(user: int | None) -> Tried:
    """In namespaces where they work; without them, and why, where they do not."""
    if not find_bubblewrap():
        return replace(try_once(namespaces=False, user=user), why=MISSING)
    try:
        return _try(Kind(namespaces=True), user)
    except SandboxError as error:
        return replace(try_once(namespaces=False, user=user), why=f"{error}. {ADVICE}")


def _try(kind: Kind, user: int | None) -> Tried:
    number = next(users) if user is None else user
    try:
        version = int(helper.acquire(number, kind).facts["landlock"])
        with tempfile.NamedTemporaryFile() as canary, socket.create_server(("127.0.0.1", 0)) as listener:
            question = {"op": "probe", "canary": canary.name, "port": listener.getsockname()[1], "pid": os.getpid()}
            return Tried(
                _attempt(number, question, kind, ("landlock",)) if version else None,
                _attempt(number, question, kind, ("seccomp",)),
                _attempt(number, question, kind, ()) if kind.namespaces else None,
                version,
            )
    finally:
        if user is None:
            helper.release(number)


def _attempt(user: int, question: dict[str, Any], kind: Kind, layers: tuple[str, ...]) -> dict[str, bool] | None:
    """What a child with these layers alone could not do; None if it could not be locked."""
    config = configuration(
        memory_bytes=limits.TRIAL_MEMORY_BYTES,
        cpu_seconds=limits.TRIAL_CPU_SECONDS,
        landlock="landlock" in layers,
        seccomp="seccomp" in layers,
        stage="strict",
        readable=list(locks.SYSTEM_LIBRARIES),
    )
    channel = launch(user, config, Bounds(), kind)
    reply = None if channel.ended else channel.exchange(question, limits.TRIAL_WALL_SECONDS).body
    channel.end("closed")
    return {str(k): v is True for k, v in reply["value"].items()} if reply and reply.get("ok") else None


def found(deny: Collection[str] = (), user: int | None = None) -> Level:
    """The level that holds without the layers of ``deny``; L0 with the reason where nothing can be tried."""
    try:
        tried = try_once(namespaces="namespaces" not in deny, user=user)
    except SandboxError as error:
        return Level("L0", str(error), 0)
    return judge(
        None if "landlock" in deny else tried.files_only,
        None if "seccomp" in deny else tried.strict,
        tried.landlock_version,
        tried.namespaces,
        "the policy denies namespaces" if "namespaces" in deny else tried.why,
    )


def holds(layer: str, deny: Collection[str], user: int | None = None) -> bool:
    """Whether this layer is to be applied: it is there, and not denied."""
    if layer in deny:
        return False
    tried = try_once(namespaces="namespaces" not in deny, user=user)
    there = {"landlock": tried.files_only, "seccomp": tried.strict, "namespaces": tried.namespaces}
    return there[layer] is not None


def known(deny: Collection[str]) -> bool:
    """Whether what holds was tried already, so that asking for it takes no time."""
    return ("namespaces" not in deny) in _tried


def probe() -> Level:
    """What holds on this machine, found by trying once a process: for ``project-o doctor``."""
    return found()


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()


os.register_at_fork(after_in_child=_after_fork)
