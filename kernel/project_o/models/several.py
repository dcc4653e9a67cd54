"""Several models as one: the first that answers does; one that could not be asked rests for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence

from .. import limits
from ..errors import ModelError, ModelMissing
from ..values import Usage
from .rounds import InRounds
from .seam import Message, Model, Reply, ToolSpec


class SeveralModels(InRounds):
    """A Model over others, in order. The next one is asked where one cannot be opened, or fails before its first word.

    ``models`` pairs names with what opens them, at the first use. What was shown is not taken back: a model that breaks
    off in the middle of its answer is an error. Raises ModelError with what each of them said, and ModelMissing where
    none could be opened.
    """

    def __init__(
        self, models: Sequence[tuple[str, Callable[[], Model]]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = ", ".join(name for name, _ in models)
        self._open = dict(models)
        self._clock = clock
        self._opened: dict[str, Model] = {}
        self._rests: dict[str, float] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<the first that answers of {self.name}>"

    def stream(self, messages: Sequence[Message], tools: Sequence[ToolSpec] = ()) -> Iterator[str | Reply]:
        """The pieces of the first model that answers."""
        failures: list[Exception] = []
        for name in self._order():
            started = False
            try:
                pieces = self._model(name).stream(messages, tools)
                try:
                    for piece in pieces:
                        started = True
                        yield piece
                    return
                finally:
                    close = getattr(pieces, "close", None)
                    if close is not None:
                        close()
            except (ModelError, ModelMissing) as error:
                if started:
                    raise
                self._failed(name, error, failures)
        raise _all_failed(failures)

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """The vectors of the first model alone: those of two models have nothing in common."""
        return self._model(next(iter(self._open))).embed(texts)

    def usage(self) -> Usage:
        """What was asked of all of them."""
        with self._lock:
            return sum((model.usage() for model in self._opened.values()), Usage())

    def _model(self, name: str) -> Model:
        with self._lock:
            if name not in self._opened:
                self._opened[name] = self._open[name]()
            return self._opened[name]

    def _order(self) -> list[str]:
        """As they were named; those that rest come last."""
        now = self._clock()
        return sorted(self._open, key=lambda name: self._rests.get(name, now) > now)

    def _failed(self, name: str, error: Exception, failures: list[Exception]) -> None:
        failures.append(error)
        self._rests[name] = self._clock() + limits.MODEL_REST_SECONDS


def _all_failed(failures: list[Exception]) -> Exception:
    if all(isinstance(error, ModelMissing) for error in failures):
        return failures[0]
    told = "\n".join(f"- {error}" for error in failures)
    return ModelError(f"none of {len(failures)} models has answered:\n{told}")
