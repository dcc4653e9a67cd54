"""Which version of an agent answers a turn while a canary of it is under way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, Protocol

from ..limits import CONVERSATION_TURNS_MAX
from .definition import Definition
from .turn import INTERRUPTED


class Split(Protocol):
    """Two versions at work beside each other; see ``deploy.conversations``."""

    old: Any
    new: Any

    def version_for(self, conversation: str) -> Any:
        """Which of them answers."""

    def answered(self, version: Any, seconds: float, error: str, message: str = "", reply: str = "") -> None:
        """How a turn went."""


_key: ContextVar[str] = ContextVar("project_o_conversation", default="")


@contextmanager
def conversation(key: str) -> Iterator[None]:
    """Messages inside are of one conversation: one version answers all of them."""
    token = _key.set(key)
    try:
        yield
    finally:
        _key.reset(token)


class Beside:
    """A new version of an agent beside the one that serves."""

    def __init__(self, split: Split, new: Definition) -> None:
        self._split = split
        self._new = new

    def chosen(self, serving: Definition, turns: int) -> Definition:
        """What answers a turn. ``turns`` were answered before it: they tell conversations apart that nobody named.

        An agent with a body answers each message by itself; for one whose model sees the turns before, those are one
        conversation as long as any of them is seen.
        """
        key = _key.get() or str(turns if serving.spec.body else turns // CONVERSATION_TURNS_MAX)
        version, began = self._split.version_for(key), time.perf_counter()
        chosen = self._new if version is self._split.new else serving

        def ended(problem: str, message: str, reply: str) -> None:
            if problem != INTERRUPTED:
                self._split.answered(version, time.perf_counter() - began, problem, message, reply)

        return replace(chosen, ended=ended)
