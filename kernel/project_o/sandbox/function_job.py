"""A job that holds one Python function: arguments by shared memory, repeats for timing, writes seen from here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import UsageError
from . import wire
from .answer import Answer, Answers
from .arena import aligned
from .job import UNTRUSTED, Job, check_measured, words

_PLAIN = {bool, int, float, str, bytes, type(None)}


@dataclass
class _Placed:
    """The arguments of one call: as they are sent, and the arrays among them by index and where they lie.

    ``containers`` are the arguments in which lists, dicts or sets are, as the other side gets them.
    """

    begin: int
    end: int
    body: list[Any] = field(default_factory=list)
    arrays: list[tuple[int, int, Any]] = field(default_factory=list)
    containers: dict[int, Any] = field(default_factory=dict)


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
        ``written``, and so are lists, dicts and sets that it changed. ``offset_bytes`` (a multiple of 8) moves arrays
        away from their 64-byte boundaries. Raises UsageError for arguments that cannot cross, SandboxError where they
        are too large to be shared.
        """
        check_measured(repeat, offset_bytes)
        with self._lock:
            refused = self._refused()
            if refused is not None:
                return refused
            return self._call(name, args, seconds or self._wall_seconds, repeat, offset_bytes)

    def ask_each(
        self, name: str, calls: Sequence[Sequence[Any]], *, seconds: float | None = None, offset_bytes: int = 0
    ) -> Answers:
        """Call the function once with each of several sets of arguments, in one question. Raises as ``ask`` does."""
        check_measured(1, offset_bytes)
        with self._lock:
            refused = self._refused()
            if refused is not None:
                return Answers(refused)
            return self._call_each(name, calls, seconds or self._wall_seconds, offset_bytes)

    def _call(self, name: str, args: Sequence[Any], seconds: float, repeat: int, offset_bytes: int) -> Answer:
        arena = self._channel.arena
        placed = self._place(name, args, 0, offset_bytes)
        tail = aligned(placed.end)
        question = {"op": "run", "args": placed.body, "repeat": repeat, "tail": tail}
        reply = self._channel.exchange({**question, "room": max(0, arena.size - tail)}, seconds)
        answer, body = self._begin(reply, tail=tail, seconds=seconds)
        if answer is None:
            try:
                answer = self._end(reply, ok=True, value=wire.decode(body["value"], arena.reader()))
                answer = replace(answer, touched=words(body.get("touched")))
            except UNTRUSTED as error:
                return self._breach(reply, error)
        if answer.ended or not answer.ok:
            return answer
        return self._left(replace(answer, written=self._changed(placed)), placed, tail, seconds, whole=repeat == 1)

    def _call_each(self, name: str, calls: Sequence[Sequence[Any]], seconds: float, offset_bytes: int) -> Answers:
        arena = self._channel.arena
        placed: list[_Placed] = []
        for args in calls:
            placed.append(self._place(name, args, aligned(placed[-1].end) if placed else 0, offset_bytes))
        tail = aligned(placed[-1].end) if placed else 0
        question = {
            "op": "each",
            "calls": [one.body for one in placed],
            "spans": [[one.begin, one.end - one.begin] for one in placed],
            "places": [list(one.containers) for one in placed],
            "tail": tail,
        }
        reply = self._channel.exchange({**question, "room": max(0, arena.size - tail)}, seconds)
        answer, body = self._begin(reply, tail=tail, seconds=seconds)
        if answer is not None:
            return Answers(answer)
        try:
            values = wire.decode(body["value"], arena.reader())
            if type(values) is not list or len(values) != len(calls):
                raise ValueError("another number of results")
            each = [self._each_answer(one, value) for one, value in zip(placed, values, strict=True)]
        except UNTRUSTED as error:
            return Answers(self._breach(reply, error))
        whole = self._end(reply, ok=True)
        return Answers(whole, tuple(each))

    def _each_answer(self, placed: _Placed, value: Any) -> Answer:
        """One of several. Raises as decoding does for what is no result with the containers that belong to it."""
        if not placed.containers:
            return Answer(ok=True, value=value, written=self._changed(placed))
        value, now = value
        changed = self._containers_changed(placed, now)
        written = tuple(sorted((*self._changed(placed), *changed), key=lambda pair: pair[0]))
        return Answer(ok=True, value=value, written=written)

    @staticmethod
    def _containers_changed(placed: _Placed, now: Any) -> list[tuple[int, Any]]:
        """The containers that are not as they were given. Raises ValueError where ``now`` is not one for each."""
        pairs = zip(placed.containers.items(), now, strict=True)
        return [(place, item) for (place, given), item in pairs if not _same(given, item)]

    def _place(self, name: str, args: Sequence[Any], begin: int, offset_bytes: int) -> _Placed:
        """Write the arrays into shared memory from ``begin`` on, and encode the rest."""
        import numpy as np

        arena = self._channel.arena
        placed = _Placed(begin, begin)

        def store(array: Any) -> int:
            at = aligned(placed.end) + offset_bytes
            arena.write(at, array)
            placed.end = at + array.nbytes
            return at

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
                placed.arrays.append((index, at, whole.reshape(item.shape)))
            elif _holds(item, (list, dict, set)):
                placed.containers[index] = wire.decode(coded, arena.read)
            placed.body.append(coded)
        return placed

    def _changed(self, placed: _Placed) -> tuple[tuple[int, Any], ...]:
        """The array arguments whose bytes are not those that were given: this side looks, nobody tells it."""
        found = []
        for index, at, given in placed.arrays:
            left = self._channel.arena.read(at, given.nbytes)
            if left != given.data.cast("B") if given.flags.c_contiguous and given.ndim else left != given.tobytes():
                import numpy as np

                found.append((index, np.frombuffer(left, given.dtype).reshape(given.shape)))
        return tuple(found)

    def _left(self, answer: Answer, placed: _Placed, tail: int, seconds: float, *, whole: bool) -> Answer:
        """The answer with the containers that the call changed, and whether its result lies in its arguments; with
        ``whole`` also how the result is held, and what else the call changed in its process.

        That is found out and not asked: this side writes over the arrays, the other one empties the containers, and
        then the result is asked for once more. It is not in the time of the answer: ``after_cpu_seconds`` has it.
        """
        if not whole and not placed.containers and not (placed.arrays and _holds(answer.value, _mutable())):
            return answer
        arena = self._channel.arena
        for _, at, given in placed.arrays:
            arena.invert(at, given.nbytes)
        places = list(placed.containers)
        question = {"op": "left", "places": places, "tail": tail, "room": max(0, arena.size - tail)}
        reply = self._channel.exchange(question, seconds)
        failed, body = self._begin(reply, tail=tail, seconds=seconds)
        if failed is not None:
            return replace(failed, wall_seconds=answer.wall_seconds, cpu_seconds=answer.cpu_seconds)
        try:
            now, held, around, value = wire.decode(body["value"], arena.reader())
            changed = self._containers_changed(placed, now)
            held, around = words(held), words(around)
        except UNTRUSTED as error:
            return self._breach(reply, error)
        written = tuple(sorted((*answer.written, *changed), key=lambda pair: pair[0]))
        shares = not _same(answer.value, value)
        answer = replace(answer, written=written, shares=shares, after_cpu_seconds=reply.cpu_seconds)
        if not whole:
            return answer
        return replace(answer, held=held, touched=(*answer.touched, *around))


def _mutable() -> tuple[type, ...]:
    import numpy as np

    return (np.ndarray, list, dict, set)


def _holds(value: Any, kinds: tuple[type, ...]) -> bool:
    """Whether the value is of one of these kinds, or a tuple in which such a value is."""
    return isinstance(value, kinds) or (isinstance(value, tuple) and any(_holds(item, kinds) for item in value))


def _same(left: Any, right: Any) -> bool:
    """Whether two values are the same to the last bit; not a number is itself."""
    if type(left) is not type(right):
        return False
    if isinstance(left, (list, tuple)):
        if _PLAIN.issuperset(map(type, left)) and left == right:
            return list(map(type, left)) == list(map(type, right))
        return len(left) == len(right) and all(_same(a, b) for a, b in zip(left, right, strict=True))
    if isinstance(left, dict):
        return list(left) == list(right) and all(_same(left[key], right[key]) for key in left)
    if hasattr(left, "tobytes"):
        return bool(left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes())
    return bool(left == right) or repr(left) == repr(right)
