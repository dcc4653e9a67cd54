"""A job that holds a native library."""

from __future__ import annotations

import select
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NoReturn

from .. import abi
from ..errors import UsageError
from ..values import Interface, NativeFunction
from . import wire
from .answer import Answer, Answers
from .arena import aligned, lead, span
from .channel import Channel
from .fences import Fences
from .job import UNTRUSTED, Job, arguments, check_measured, words
from .quick import HEADER_BYTES, Asked, Asking

RESULT_BYTES = 2048
"""How large a result is taken to be where none was seen yet."""


class NativeJob(Job):
    """A job that holds a library of the shim ABI (see ``project_o.abi``)."""

    def __init__(self, channel: Channel, wall_seconds: float, box: object, interface: Interface) -> None:
        super().__init__(channel, wall_seconds, box)
        self._functions = {item.name: item for item in interface.functions}
        self._single = {
            item.name: tuple(replace(item, parameters=(parameter,)) for parameter in item.parameters)
            for item in interface.functions
        }
        self._hints: dict[str, int] = {}
        self._asking, self._first = Asking(channel), 0
        self._printed = select.poll()
        self._asked = {item.name: Asked(item, number) for number, item in enumerate(interface.functions)}

    @staticmethod
    def describe(interface: Interface) -> dict[str, Any]:
        """What the other side must know of each function."""
        return {
            item.name: {
                "ret": abi.result_cells(item),
                "handle": abi.handle_cell(item),
                "slices": abi.result_slices(item),
            }
            for item in interface.functions
        }

    def ask(
        self,
        name: str,
        args: Any = (),
        *,
        seconds: float | None = None,
        repeat: int = 1,
        offset_bytes: int = 0,
        fenced: bool = False,
    ) -> Answer:
        """Call the native function ``name`` ``repeat`` times on the same arguments; the last result is the value.

        ``offset_bytes`` (a multiple of 8) moves every array away from its 64-byte boundary; ``fenced`` puts each
        against a page that nobody may touch, so that the first byte beyond its end is a fault, whose ``beyond`` says
        of which argument. The clock covers the calls and one round trip, not the conversion of arguments and results.
        Raises InterfaceError for arguments that do not fit, UsageError for an unknown name, SandboxError for too large
        arrays.
        """
        function = self._function(name)
        check_measured(repeat, offset_bytes)
        given = arguments(args)
        if type(args) is list and len(args) > 1 == len(function.parameters):
            given = [args]
        with self._lock:
            refused = self._refused()
            if refused is not None:
                return refused
            fences = Fences() if fenced else None
            return self._call(function, given, seconds or self._wall_seconds, repeat, offset_bytes, fences)

    def quick(self, name: str, args: Sequence[Any], *, seconds: float) -> tuple[Any, Answer | None, str]:
        """Call a function of the ``isolate`` profile's: what it returned; where it did not, the whole answer; and what
        it has printed.

        What it has written to arrays is in them then. Raises as ``ask`` does.
        """
        if not self._first:
            self._first = HEADER_BYTES  # from now on the other side may look at what is before it
            if not self._channel.ended:
                self._printed.register(self._channel.log_fd, select.POLLIN)
        asked = self._asked.get(name)
        if asked is None or not asked.fits:
            return self._slowly(name, args, seconds)
        with self._lock:
            refused = self._refused()
            if refused is not None:
                return None, refused, refused.log
            channel = self._channel
            written, tail = asked.put(channel.arena, args)
            channel.arena.grow(tail + self._hints.get(name, 0))
            reply = self._asking.ask(asked.number, tail, seconds)
            if not channel.ended and self._printed.poll(0):  # to read in vain takes three times as long
                channel.take_log()
            if reply is not None:
                answer, body = self._begin(reply, tail=tail, seconds=seconds)
                if answer is not None:
                    return None, answer, answer.log
                (value,) = self._unpacked(asked.function, [body["cells"]])
            else:
                value = asked.value(channel.arena)
            for array, at in written:
                array[...] = channel.arena.view(at, array)
            return value, None, channel.pop_log() if channel.log else ""

    def _slowly(self, name: str, args: Sequence[Any], seconds: float) -> tuple[Any, Answer | None, str]:
        answer = self.ask(name, args, seconds=seconds)
        if not answer.ok:
            return None, answer, answer.log
        for index, left in answer.written:
            args[index][...] = left.reshape(args[index].shape)
        return answer.value, None, answer.log

    def ask_each(
        self, name: str, calls: Sequence[Sequence[Any]], *, seconds: float | None = None, offset_bytes: int = 0
    ) -> Answers:
        """Call the native function ``name`` once with each of several sets of arguments, in one question.

        It ends at the first call that fails. Raises as ``ask`` does.
        """
        function = self._function(name)
        check_measured(1, offset_bytes)
        with self._lock:
            refused = self._refused()
            if refused is not None:
                return Answers(refused)
            return self._call_each(function, calls, seconds or self._wall_seconds, offset_bytes)

    def _function(self, name: str) -> NativeFunction:
        if name not in self._functions:
            raise UsageError(f"the library has no function {name}: there are {', '.join(self._functions) or 'none'}")
        return self._functions[name]

    def _call_each(
        self, function: NativeFunction, calls: Sequence[Sequence[Any]], seconds: float, offset_bytes: int
    ) -> Answers:
        arena, tail = self._channel.arena, self._first
        sent, spans, placed = [], [], []
        for args in calls:
            cells, arrays, end = self._place(function, args, offset_bytes, tail)
            sent.append(cells)
            spans.append([tail, end - tail])
            placed.append(arrays)
            tail = end
        unknown = RESULT_BYTES if abi.result_slices(function) else 0
        arena.grow(tail + 2 * len(calls) * self._hints.get(function.name, unknown))
        question = {"op": "each", "fn": function.name, "calls": sent, "spans": spans, "tail": tail}
        reply = self._channel.exchange({**question, "room": arena.size - tail}, seconds)
        answer, body = self._begin(reply, tail=tail, seconds=seconds)
        if answer is not None:
            return Answers(answer)
        try:
            found = body["cells"]
            if type(found) is not list or len(found) != len(calls):
                raise ValueError("another number of results")
            values = self._unpacked(function, found)
        except UNTRUSTED as error:
            return Answers(self._breach(reply, error))
        whole = self._end(reply, ok=True)
        each = [Answer(ok=True, value=v, written=self._written(p)) for v, p in zip(values, placed, strict=True)]
        return Answers(whole, tuple(each))

    def _call(
        self,
        function: NativeFunction,
        args: Sequence[Any],
        seconds: float,
        repeat: int,
        offset_bytes: int,
        fences: Fences | None,
    ) -> Answer:
        arena = self._channel.arena
        cells, placed, tail = self._place(function, args, offset_bytes, self._first, fences)
        arena.grow(tail + self._hints.get(function.name, 0))
        question = {"op": "call", "fn": function.name, "cells": cells, "repeat": repeat, "tail": tail}
        question["fences"] = fences.pages if fences else []
        reply = self._channel.exchange({**question, "room": arena.size - tail}, seconds)
        if reply.body is not None and type(need := reply.body.get("need")) is int:
            self._hints[function.name] = min(max(0, need), self._channel.result_bytes_max(tail))
        answer, body = self._begin(reply, tail=tail, seconds=seconds)
        if answer is None:
            try:
                (value,), touched = self._unpacked(function, [body["cells"]]), words(body.get("touched"))
            except UNTRUSTED as error:
                return self._breach(reply, error)
            answer = replace(self._end(reply, ok=True, value=value), touched=touched)
        if answer.ended:
            return answer
        if fences is not None and answer.fault is not None:
            beyond = self._beyond(function, fences, answer.fault)
            said = f"{answer.error}, {beyond}" if beyond else answer.error
            answer = replace(answer, error=said, fault={**answer.fault, "beyond": beyond})
        return replace(answer, written=self._written(placed))

    def _beyond(self, function: NativeFunction, fences: Fences, fault: dict[str, Any]) -> str:
        """Where a fault at a fence was, in words."""
        found = fences.near(int(fault.get("address") or 0) - self._channel.base)
        if found is None:
            return ""
        (name, _), away = function.parameters[found[0]], found[1]
        if away < 0:
            return f"{-away} bytes before the beginning of {name}"
        return f"{f'{away} bytes' if away else 'right'} behind the end of {name}"

    def _unpacked(self, function: NativeFunction, results: Sequence[Any]) -> list[Any]:
        """The results of one answer."""
        read, base = self._channel.arena.reader(), self._channel.base

        def copy(at: int, size: int) -> bytes:
            return bytes(read(at - base, size))

        return [abi.unpack(function, _cells(cells, function), copy) for cells in results]

    def _written(self, placed: list[tuple[int, int, Any]]) -> tuple[tuple[int, Any], ...]:
        return tuple((index, _checked(self._channel.arena.view(at, like))) for index, at, like in placed)

    def _place(
        self,
        function: NativeFunction,
        args: Sequence[Any],
        offset_bytes: int,
        begin: int = 0,
        fences: Fences | None = None,
    ) -> tuple[list[int], list[tuple[int, int, Any]], int]:
        """The arguments' cells, the writable arrays as (argument, offset, array), and where free memory begins."""
        arena, base = self._channel.arena, self._channel.base
        offset = begin
        index = 0
        placed: list[tuple[int, int, Any]] = []

        def place(array: Any, writable: bool) -> int:  # noqa: FBT001 - the signature of abi.Place
            nonlocal offset
            at = fences.take(index, span(array)) if fences else aligned(offset) + offset_bytes
            if array.size:
                arena.write(at, array)
            if writable:
                placed.append((index, at, array))
            offset = fences.end if fences else at + span(array)
            return base + at + lead(array)

        singles = self._single[function.name]
        if len(args) != len(singles):
            abi.pack(function, args, _never_placed)  # raises, and says it best
        cells: list[int] = []
        for index, (single, value) in enumerate(zip(singles, args, strict=True)):  # noqa: B007 - read by place
            cells += abi.pack(single, (value,), place)
        return cells, placed, aligned(offset)


def _never_placed(array: Any, writable: bool) -> NoReturn:  # noqa: FBT001 - the signature of abi.Place
    raise AssertionError("the count of arguments is checked before any is placed")


def _checked(array: Any) -> Any:
    """A copy of what the job has written."""
    return wire.check_elements(array) if array.dtype.kind == "b" else array.copy()


def _cells(body: Any, function: NativeFunction) -> list[int]:
    if type(body) is not list or len(body) != abi.result_cells(function):
        raise ValueError("another number of cells")
    if not all(type(cell) is int and 0 <= cell < 1 << 64 for cell in body):
        raise ValueError("cells that are none")
    return body
