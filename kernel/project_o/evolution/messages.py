"""Python objects over a socket between this process and a forked copy of it, whole, within a time."""

from __future__ import annotations

import io
import pickle
import select
import socket
import struct
import sys
import time
from collections import namedtuple
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from .. import limits

_LENGTH = struct.Struct("<Q")
_PART_BYTES = 1 << 20


def packed(message: Any) -> bytes:
    """A message as bytes. Errors cross whatever their constructor takes, and named tuples whose class was made here,
    as those of native structs are.

    Raises what pickling raises: TypeError, AttributeError, PicklingError.
    """
    buffer = io.BytesIO()
    _Pickler(buffer, protocol=5).dump(message)
    return buffer.getvalue()


def send(channel: socket.socket, message: Any, until: float) -> bool:
    """Whether it was taken whole before ``until``, on ``time.monotonic``. Raises what ``packed`` raises."""
    body = packed(message)
    data = memoryview(_LENGTH.pack(len(body)) + body)
    while data:
        if not _ready(channel, select.POLLOUT, until):
            return False
        try:
            data = data[channel.send(data) :]
        except OSError:
            return False
    return True


def receive(channel: socket.socket, until: float) -> Any:
    """The next message; None where the other side is gone, or it was not there whole before ``until``."""
    head = _exactly(channel, _LENGTH.size, until)
    if head is None:
        return None
    (size,) = _LENGTH.unpack(head)
    if size > limits.ARENA_BYTES_MAX:
        return None
    body = _exactly(channel, size, until)
    return None if body is None else pickle.loads(body)  # the copy runs the user's own code, as this process does


def _exactly(channel: socket.socket, size: int, until: float) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        if not _ready(channel, select.POLLIN, until):
            return None
        try:
            part = channel.recv(min(size - len(parts), _PART_BYTES))
        except OSError:
            return None
        if not part:
            return None
        parts += part
    return bytes(parts)


def _ready(channel: socket.socket, event: int, until: float) -> bool:
    poll = select.poll()
    poll.register(channel, event)
    return bool(poll.poll(1000 * max(0.0, until - time.monotonic())))


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        """Errors without their constructor; named tuples by their fields, where no name leads to their class."""
        kind = type(value)
        if isinstance(value, BaseException):
            return _error, (kind, value.args, vars(value))
        if not (issubclass(kind, tuple) and hasattr(kind, "_fields")) or _known(kind):
            return NotImplemented
        return _named, (kind.__name__, kind._fields, tuple(value))


def _error(kind: type[BaseException], args: tuple[Any, ...], attributes: dict[str, Any]) -> BaseException:
    error = kind.__new__(kind, *args)
    vars(error).update(attributes)
    return error


def _known(kind: type) -> bool:
    return getattr(sys.modules.get(kind.__module__), kind.__qualname__, None) is kind


def _named(name: str, fields: tuple[str, ...], values: tuple[Any, ...]) -> Any:
    return _class(name, fields)(*values)


@lru_cache(maxsize=256)
def _class(name: str, fields: tuple[str, ...]) -> Callable[..., Any]:
    return namedtuple(name, fields)
