"""What an agent is doing, and which moves there are.

    idle ──> thinking ──> acting ──> thinking ──> idle
      └────> evolving ──> idle

Every way out of a turn, an error or Ctrl-C included, ends in idle.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

from ..errors import AgentError, warn

StateName = Literal["idle", "thinking", "acting", "evolving"]
Listener = Callable[[StateName, StateName], None]
"""Called after each move with the state before and the state after."""

MOVES: Mapping[StateName, frozenset[StateName]] = {
    "idle": frozenset({"thinking", "evolving"}),
    "thinking": frozenset({"acting", "idle"}),
    "acting": frozenset({"thinking", "idle"}),
    "evolving": frozenset({"idle"}),
}
"""The legal moves."""


class Machine:
    """The state of one agent. Safe to use from any thread; listeners run in the thread that moved."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._state: StateName = "idle"
        self._listeners: list[Listener] = []

    @property
    def state(self) -> StateName:
        """What the agent is doing now."""
        return self._state

    def move(self, to: StateName) -> None:
        """Go on to another state. Raises AgentError for a move that there is not; then nothing changes."""
        with self._lock:
            before = self.check(to)
            self._state = to
            listeners = tuple(self._listeners)
        self._tell(listeners, before, to)

    def check(self, to: StateName) -> StateName:
        """What it is now. Raises AgentError where there is no move from there to ``to``."""
        before = self._state
        if to not in MOVES[before]:
            raise AgentError(f"{self._name} is {before} and cannot go on to {to}: {_advice(before)}")
        return before

    def rest(self) -> None:
        """Come back to idle from wherever it is, whatever the listeners say."""
        with self._lock:
            before, self._state = self._state, "idle"
            listeners = tuple(self._listeners) if before != "idle" else ()
        self._tell(listeners, before, "idle")

    def _tell(self, listeners: tuple[Listener, ...], before: StateName, after: StateName) -> None:
        """A listener watches, and decides nothing: what it raises is a warning, and the agent goes on."""
        for listener in listeners:
            try:
                listener(before, after)
            except Exception as error:  # noqa: BLE001 - code of the user's own, in the middle of a turn
                warn(f"a listener of {self._name} failed as it went from {before} to {after}: {error!r}")

    @contextmanager
    def within(self, state: StateName) -> Iterator[None]:
        """``state`` for a while, then what was before; idle where that has ended meanwhile."""
        before = self._state
        self.move(state)
        try:
            yield
        finally:
            if self._state == state:
                self.move(before)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` after each move; the returned function ends that."""
        with self._lock:
            self._listeners.append(listener)

        def end() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return end


def _advice(state: StateName) -> str:
    if state == "evolving":
        return "wait for the run on it to end, or stop that run"
    return "wait for its turn to end, or interrupt it"
