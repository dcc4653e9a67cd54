"""A job that holds one Python function: arguments by shared memory, repeats for timing, writes seen from here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..errors import UsageError
from . import wire
from .answer import Answer
from .arena import aligned
from .job import UNTRUSTED, Job, check_measured


class FunctionJob(Job):
    """Made by ``Sandbox.function``."""

    def ask(
        self,
        name: str,
        args: Sequence[Any] = (),
        *,
        seconds: float | None = None,
        repeat: int = 1,
        offset_bytes: int = 0,
    ) -> Answer:
        """Call the function ``repeat`` times on the same arguments; the last result is the value.

        ``name`` only tells it in messages. Array arguments are shared, not sent: those that the call changed are in
        ``written``. ``offset_bytes`` (a multiple of 8) moves them away from their 64-byte boundaries. Raises
        UsageError for arguments that cannot cross, SandboxError where they are too large to be shared.
        """
        check_measured(repeat, offset_bytes)
        with self._lock:
            refused = self._refused()
            if refused is not None:
                return refused
            return self._call(name, args, seconds or self._wall_seconds, repeat, offset_bytes)

    def _call(self, name: str, args: Sequence[Any], seconds: float, repeat: int, offset_bytes: int) -> Answer:
        import numpy as np

        arena = self._channel.arena
        placed: list[tuple[int, int, Any]] = []
        tail = 0

        def store(array: Any) -> int:
            nonlocal tail
            at = aligned(tail) + offset_bytes
            arena.write(at, array)
            tail = at + array.nbytes
            return at

        body = []
        for index, item in enumerate(args):
            try:
                coded = wire.encode_exactly(item, store)
            except TypeError as error:
                raise UsageError(f"argument {index + 1} of {name}: {error}") from None
            if isinstance(item, np.ndarray) and item.size:
                whole = np.ascontiguousarray(item)
                at = coded["$array"][2]
                if isinstance(at, str):  # small enough to be sent, but a write must be seen from here
                    at = coded["$array"][2] = store(whole)
                placed.append((index, at, whole.reshape(item.shape)))
            body.append(coded)
        tail = aligned(tail)
        question = {"op": "run", "args": body, "repeat": repeat, "tail": tail, "room": max(0, arena.size - tail)}
        reply = self._channel.exchange(question, seconds)
        answer, body_ = self._begin(reply, tail=tail, seconds=seconds)
        if answer is None:
            try:
                answer = self._end(reply, ok=True, value=wire.decode(body_["value"], arena.read))
            except UNTRUSTED as error:
                return self._breach(reply, error)
        if answer.ended or not answer.ok:
            return answer
        return replace(answer, written=tuple(self._changed(placed)))

    def _changed(self, placed: list[tuple[int, int, Any]]) -> list[tuple[int, Any]]:
        """The array arguments whose bytes are not those that were given: this side looks, nobody tells it."""
        found = []
        for index, at, given in placed:
            left = self._channel.arena.read(at, given.nbytes)
            if left != given.data.cast("B") if given.flags.c_contiguous and given.ndim else left != given.tobytes():
                import numpy as np

                found.append((index, np.frombuffer(left, given.dtype).reshape(given.shape)))
        return found
