"""A job: code in one locked process, asked one question at a time."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import threading
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from .. import abi, limits
from ..errors import InterfaceError, SandboxError, UsageError
from . import wire
from .afterwards import afterwards
from .answer import Answer
from .arena import aligned
from .bounds import Reply
from .channel import Channel
from .lint import Denied, LintRules, told

UNTRUSTED = (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError, InterfaceError)
"""What reading an answer that was made to mislead may raise."""
_DENIED = re.compile(
    r"\b(?:AccessDenied|PermissionDenied|SystemResources)\b"
    r"|\(os error (?:1|11|13)\)|\bfailed to spawn thread\b|\bOs \{ code: 11,"
)
"""EPERM and EACCES, and a thread's EAGAIN, as Zig and Rust name them in an error and in the panic of who did not expect
one."""
_UNFORESEEN = "Unexpected"
"""Zig's name for an error number that its library did not foresee: the refusal of a call that never fails so."""
OFFSET_BYTES_MAX = 4096
REPEAT_MAX = 1_000_000


_WORDS_MAX, _WORD_CHARACTERS_MAX = 64, 200


def words(said: Any) -> tuple[str, ...]:
    """What the other side names. Who hides something there has still to be faster in processes of its own."""
    if said is not None and type(said) is not list:
        raise ValueError("words that are none")
    return tuple(wire.clean_text(str(word))[:_WORD_CHARACTERS_MAX] for word in (said or ())[:_WORDS_MAX])


def check_measured(repeat: int, offset_bytes: int) -> None:
    """Raise UsageError for a number of calls or a shift of the buffers that no measurement can mean."""
    if not 1 <= repeat <= REPEAT_MAX:
        raise UsageError(f"repeat must be from 1 to {REPEAT_MAX:,}, got {repeat}")
    if not 0 <= offset_bytes <= OFFSET_BYTES_MAX or offset_bytes % 8:
        raise UsageError(f"offset_bytes must be a multiple of 8 up to {OFFSET_BYTES_MAX}, got {offset_bytes}")


def arguments(args: Any) -> Sequence[Any]:
    """The arguments of a call, as they may be written."""
    return args if isinstance(args, Sequence) and not isinstance(args, (str, bytes, bytearray)) else [args]


def _takes_one(name: str, error: str) -> bool:
    """Whether Python refused to begin the call because the function takes one argument. No line of it was run."""
    many = r"takes (?:from )?1 (?:to \d+ )?positional arguments? but \d+ were given"
    return bool(re.match(rf"TypeError: {re.escape(name)}\(\) {many}", error))


class Job:
    """Made by ``Sandbox.python`` and ``Sandbox.native``. ``loaded`` tells how loading went. A context manager.

    Several threads may hold one job; their questions are put one after the other.
    """

    def __init__(self, channel: Channel, wall_seconds: float, box: object, *, finite: bool = False) -> None:
        self._channel = channel
        self._finite = finite
        self._box = box  # a box that nobody holds any more is closed, but not while a job of it lives
        self._wall_seconds = wall_seconds
        self._lock = threading.Lock()
        self._closed = False
        self.loaded = Answer(ok=True)
        if channel.ended:
            self.loaded = Answer(
                ok=False, ended=channel.ended, error=channel.error, log=channel.pop_log(), level=channel.level
            )

    @property
    def ended(self) -> str:
        """ "" while the process lives, else how it ended."""
        return self._channel.ended

    @property
    def level(self) -> str:
        """The sandbox level that holds for this job: "L3", "L2", "L1" or "L0"."""
        return self._channel.level

    @property
    def pid(self) -> int:
        """The process; it may be gone."""
        return self._channel.pid

    @property
    def peak_memory_bytes(self) -> int:
        """The largest resident size, known when the job has ended; 0 before."""
        return self._channel.peak_bytes

    @property
    def cpu_seconds(self) -> float:
        """What its process has used since it was forked, its setting up and loading included."""
        return self._channel.cpu()

    def refuse(self, denied: Sequence[Denied]) -> None:
        """End a job whose source the policy's lint does not allow, before any of it has run; nothing if it does."""
        if denied and self.loaded.ok:
            self._channel.end("denied", told(denied))
            self.loaded = Answer(ok=False, ended="denied", error=self._channel.error, level=self.level)

    def refuse_lisp(self, source: str, rules: LintRules) -> None:
        """The same for Lisp, read where it is to run: this side loads no Lisp, and there nothing has run yet."""
        if rules and self.loaded.ok:
            question = {"op": "lint", "source": source, "rules": rules.words()}
            reply = self._channel.exchange(question, self._wall_seconds)
            answer, body = self._begin(reply)
            if answer is not None:
                self.loaded = answer
            else:
                self.refuse([Denied(*item) for item in body["value"]])

    def load(self, question: dict[str, Any]) -> None:
        """Ask for the code to be loaded and keep the answer in ``loaded``; later questions to a failed load fail."""
        if self.loaded.ok:
            reply = self._channel.exchange(question, self._wall_seconds)
            answer, _ = self._begin(reply)
            self.loaded = answer if answer is not None else self._end(reply, ok=True)

    def ask(
        self,
        name: str,
        args: Any = (),
        *,
        seconds: float | None = None,
        repeat: int = 1,
        offset_bytes: int = 0,
    ) -> Answer:
        """Call the function ``name``. Never raises for what the code does: see ``Answer``.

        ``args`` are its arguments; what is no sequence, or a text, is the only one. So is a list of several
        for a function that takes one: ``ask("solve", [1, 2, 3])`` of ``def solve(xs)``.

        ``seconds`` bounds this question in place of the box's ``wall_seconds``; ``repeat`` and ``offset_bytes``
        are for native jobs. Raises UsageError for arguments that cannot cross, SandboxError where they are too
        large to be shared or the job was closed.
        """
        if repeat != 1 or offset_bytes:
            raise UsageError("repeat and offset_bytes are for native jobs: let the Python source repeat the call")
        given, seconds = arguments(args), seconds or self._wall_seconds
        with self._lock:
            refused = self._refused()
            if refused is not None:
                return refused
            answer = self._ask(name, given, seconds)
            if type(args) is not list or len(args) < 2 or not _takes_one(name, answer.error):
                return answer
            whole = self._ask(name, [args], seconds)
            return whole if whole.ok else answer

    @property
    def is_ours(self) -> bool:
        """Whether this process made it; a forked copy of that one cannot ask it."""
        return self._channel.owner == os.getpid()

    def _refused(self) -> Answer | None:
        """An answer without asking: the load failed or the process is gone."""
        if not self.is_ours:
            raise SandboxError("this job belongs to the process that made it: start a new one here")
        if self._closed:
            raise SandboxError("this job is closed: start a new one with box.python(...) or box.native(...)")
        if self._channel.ended:
            return Answer(ok=False, ended=self._channel.ended, error=self._channel.error, level=self.level)
        return None if self.loaded.ok else replace(self.loaded, log="")

    def _ask(self, name: str, args: Sequence[Any], seconds: float) -> Answer:
        arena = self._channel.arena
        offset = 0

        def store(array: Any) -> int:
            nonlocal offset
            at = offset
            arena.write(at, array)
            offset = aligned(at + array.nbytes)
            return at

        try:
            body = [wire.encode(item, store) for item in args]
        except TypeError as error:
            raise UsageError(f"the arguments of {name}: {error}") from None
        return self._put({"op": "ask", "fn": name, "args": body, "room": arena.size}, seconds)

    def _put(self, question: dict[str, Any], seconds: float) -> Answer:
        """Put a question, arguments encoded; its answer with the value decoded."""
        reply = self._channel.exchange(question, seconds)
        answer, body = self._begin(reply, seconds=seconds)
        if answer is not None:
            return answer
        try:
            value = wire.decode(body["value"], self._channel.arena.reader())
        except UNTRUSTED as error:
            return self._breach(reply, error)
        if self._finite and (found := wire.not_finite(value)):
            told = f"its answer holds {found}, which fools comparisons: return an array or None where that is meant"
            return self._end(reply, ok=False, error=told)
        return self._end(reply, ok=True, value=value)

    def _begin(self, reply: Reply, *, tail: int = 0, seconds: float = 0.0) -> tuple[Answer | None, dict[str, Any]]:
        """Either the final answer, or the body of a success, with all it points to in the arena."""
        body = reply.body
        if body is not None and body.get("ok") is True and "need" in body:
            body = self._make_room(body["need"], tail, seconds)
        if body is None:
            return self._end(reply, ok=False), {}
        if body.get("ok") is True and "value" in body:
            return None, body
        if body.get("ok") is True and "cells" in body:
            return None, body
        if body.get("ok") is not False:
            return self._breach(reply, "an answer that is none"), {}
        error = wire.clean_text(str(body.get("error", "")))[: limits.ERROR_TEXT_CHARACTERS_MAX]
        name = wire.clean_text(str(body.get("name", "")))[: limits.ERROR_TEXT_CHARACTERS_MAX]
        fault = _fault(body.get("fault"))
        answer = self._end(reply, ok=False, error=_say(fault) if fault else error)
        told = f"{name} {fault.get('message', '') if fault else ''}"
        denied = body.get("denied") is True or name == _UNFORESEEN or _DENIED.search(told) is not None
        meant = name != "" and body.get("meant", True) is True
        return replace(answer, denied=denied, error_name=name, meant=meant, fault=fault), body

    def _make_room(self, need: Any, tail: int, seconds: float) -> dict[str, Any] | None:
        """The result waits on the other side for memory: give it, and have the result copied."""
        most = self._channel.result_bytes_max(tail)
        if type(need) is not int or not 0 < need <= most:
            self._channel.end("result-cap", f"its result does not fit into {most:,} bytes")
            return None
        self._channel.arena.grow(tail + need)
        return self._channel.exchange({"op": "fetch", "tail": tail}, seconds).body

    def _breach(self, reply: Reply, why: object) -> Answer:
        self._channel.end("protocol", f"it broke the protocol: {why}")
        return self._end(reply, ok=False)

    def _end(self, reply: Reply, *, ok: bool, value: Any = None, error: str = "") -> Answer:
        channel = self._channel
        return Answer(
            ok=ok and not channel.ended,
            value=value,
            ended=channel.ended,
            error=channel.error if channel.ended else error,
            wall_seconds=reply.wall_seconds,
            cpu_seconds=reply.cpu_seconds,
            log=channel.pop_log(),
            denied=channel.ended == "signal SIGSYS",
            level=channel.level,
        )

    def close(self) -> None:
        """End the process and give everything back. Idempotent."""
        if not self._closed:
            self._closed = True
            self._channel.kill()  # a thread that waits for an answer sees the end and lets go of the lock
            with self._lock:
                self._channel.end("closed")

    def dismiss(self) -> None:
        """As ``close``, but nobody waits until the process is gone: another thread sees to that."""
        self._channel.kill()
        afterwards(limits.DISMISSED_SECONDS, self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # at the interpreter's end anything may be gone already
            self.close()


def _fault(body: Any) -> dict[str, Any] | None:
    """What the guard reported, from the bytes of its record; None if that is not what they are."""
    if not isinstance(body, str) or len(body) != 2 * abi.FAULT_BYTES:
        return None
    try:
        fault = abi.fault_from_bytes(bytes.fromhex(body))
    except UNTRUSTED:
        return None
    return {key: wire.clean_text(value) if isinstance(value, str) else value for key, value in fault.items()}


def _say(fault: dict[str, Any]) -> str:
    """The fault in one line."""
    if fault.get("message"):
        return f"{fault['kind']}: {fault['message']}"
    number = fault.get("signal", 0)
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    return f"{name} at address {fault.get('address', 0):#x}"
