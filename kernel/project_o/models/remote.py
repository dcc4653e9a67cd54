"""A model that answers over a connection: attempts, limits and usage, over any wire.

A ``Wire`` makes one attempt and knows one provider's library; this knows when to try again, when to stop, and how to
say what went wrong. To add another library: a Wire.
"""

from __future__ import annotations

import asyncio
import random
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from ..errors import ModelError
from ..values import Usage
from . import pump
from .endpoint import Endpoint, Patience
from .rounds import InRounds
from .seam import Message, Reply, ToolSpec
from .trouble import Trouble, error_of


class Sink:
    """Where a wire puts an answer as it comes: pieces of text, the weight of everything else, and what it cost."""

    def __init__(self, emit: Callable[[str], None], characters_max: int) -> None:
        self.pieces: list[str] = []
        self.usage = Usage()
        self._emit = emit
        self._room = characters_max

    def text(self, piece: str) -> None:
        """One piece of text. Raises Trouble where the answer grows too long."""
        if piece:
            self.weigh(len(piece))
            self.pieces.append(piece)
            self._emit(piece)

    def weigh(self, characters: int) -> None:
        """Count what is no text but part of the answer: arguments of calls, thoughts."""
        self._room -= characters
        if self._room < 0:
            raise Trouble("long")

    def spend(self, usage: Usage) -> None:
        """What this attempt cost, known or so far."""
        self.usage = usage


class Wire(Protocol):
    """One provider's library. It raises Trouble for what it knows can happen; it is used on one event loop only."""

    async def answer(self, messages: Sequence[Message], tools: Sequence[ToolSpec], sink: Sink) -> Reply:
        """One attempt at an answer, put into ``sink`` as it comes."""

    async def embed(self, texts: Sequence[str]) -> tuple[list[list[float]], Usage]:
        """One attempt at the vectors of ``texts``."""

    async def close(self) -> None:
        """Close the connections."""


class RemoteModel(InRounds):
    """A Model over a wire. Threads may share it; it holds no conversation."""

    def __init__(self, endpoint: Endpoint, wire: Callable[[], Wire], patience: Patience) -> None:
        self.name = endpoint.name
        self.patience = patience
        self._endpoint = endpoint
        self._make_wire = wire
        self._wires: dict[asyncio.AbstractEventLoop, Wire] = {}  # one: another only after a fork
        self._usage = Usage()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<{self._endpoint}>"

    def stream(self, messages: Sequence[Message], tools: Sequence[ToolSpec] = ()) -> Iterator[str | Reply]:
        """Pieces of text as they arrive, then the Reply. Closing the iterator ends the request."""
        messages, tools = tuple(messages), tuple(tools)
        yield from pump.pieces(lambda emit: self._answered(messages, tools, emit))

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text. Raises ModelError where the model has none or their number or lengths are wrong."""
        texts = tuple(texts)
        return pump.result(lambda: self._embedded(texts)) if texts else []

    def usage(self) -> Usage:
        """What was asked of this object so far; a request that was refused counts nothing."""
        with self._lock:
            return self._usage

    async def _answered(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], emit: Callable[[str], None]
    ) -> Reply:
        for attempt in range(self.patience.retries + 1):
            sink = Sink(emit, self.patience.reply_characters)
            try:
                async with asyncio.timeout(self.patience.reply_seconds):
                    return await self._wire().answer(messages, tools, sink)
            except Trouble as caught:
                trouble = caught
            except TimeoutError:
                trouble = Trouble("slow")
            finally:
                self._spend(sink.usage)
            await self._wait_or_raise(trouble, attempt, started=bool(sink.pieces))
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _embedded(self, texts: Sequence[str]) -> list[list[float]]:
        for attempt in range(self.patience.retries + 1):
            try:
                async with asyncio.timeout(self.patience.reply_seconds):
                    vectors, usage = await self._wire().embed(texts)
                self._spend(usage)
                if len(vectors) != len(texts) or len({len(vector) for vector in vectors}) != 1 or not vectors[0]:
                    shapes = sorted({len(vector) for vector in vectors})
                    raise Trouble("malformed", f"{len(vectors)} vectors of lengths {shapes} for {len(texts)} texts")
                return vectors
            except Trouble as caught:
                trouble = caught
            except TimeoutError:
                trouble = Trouble("slow")
            await self._wait_or_raise(trouble, attempt, started=False)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _wait_or_raise(self, trouble: Trouble, attempt: int, *, started: bool) -> None:
        """Wait before the next attempt, or raise: text that was shown is not shown twice, long waits are the user's."""
        too_long = trouble.after_seconds > self.patience.retry_after_seconds
        if started or too_long or not trouble.passing or attempt >= self.patience.retries:
            raise self._error(trouble, attempt + 1)
        pause = self.patience.backoff_seconds * 2**attempt
        # Spread, so that many workers that were refused together do not come back together.
        await asyncio.sleep(trouble.after_seconds or pause * random.uniform(0.75, 1.25))

    def _error(self, trouble: Trouble, attempts: int) -> ModelError:
        return error_of(trouble, self._endpoint, self.patience, attempts)

    def _wire(self) -> Wire:
        """The wire of the running loop, made at its first use. Runs on that loop only, so nothing races."""
        loop = asyncio.get_running_loop()
        if loop not in self._wires:
            wire = self._make_wire()
            self._wires = {loop: wire}
            closing = weakref.finalize(self, _close, wire, loop)
            closing.atexit = False  # the process's end closes its connections
        return self._wires[loop]

    def _spend(self, usage: Usage) -> None:
        with self._lock:
            self._usage += usage


def _close(wire: Wire, loop: asyncio.AbstractEventLoop) -> None:
    pump.spawn(wire.close(), loop)
