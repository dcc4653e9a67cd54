"""Run asynchronous work from synchronous code, also where an event loop runs already, and end it at once.

A Jupyter kernel runs an event loop in its main thread, where cells run too: work that needs a loop cannot be run
there. So one loop lives in a thread of its own, started at the first use and shared by all models of the process,
so that connections are kept from one request to the next. What the work emits arrives through a queue, whose wait
Ctrl-C interrupts; leaving the iteration in any way cancels the work, which closes its connection.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from .. import limits

T = TypeVar("T")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


@dataclass(frozen=True, slots=True)
class _Done(Generic[T]):
    value: T


@dataclass(frozen=True, slots=True)
class _Failed:
    error: BaseException


def pieces(work: Callable[[Callable[[str], None]], Coroutine[Any, Any, T]]) -> Iterator[str | T]:
    """What ``work(emit)`` emits, as it is emitted, and at the end what it returns; raises what it raises.

    The work is cancelled when the iteration is left, by Ctrl-C, by an exception or by ``close``, and has then ended,
    or has had ``limits.MODEL_STOP_SECONDS`` to end.
    """
    box: SimpleQueue[str | _Done[T] | _Failed] = SimpleQueue()
    ended = threading.Event()
    future: Future[None] | None = None
    try:
        future = asyncio.run_coroutine_threadsafe(_carried_out(work, box.put, ended), _running_loop())
        while True:
            item = box.get()
            if isinstance(item, _Done):
                yield item.value
                return
            if isinstance(item, _Failed):
                raise item.error
            yield item
    finally:
        if future is not None and not future.done():
            future.cancel()
            ended.wait(limits.MODEL_STOP_SECONDS)


def result(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What ``work()`` returns; raises what it raises. Ctrl-C cancels it."""
    for item in pieces(lambda _emit: work()):
        value = item
    return value  # type: ignore[return-value]  # nothing is emitted, so the one item is the result


def spawn(work: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop) -> None:
    """Let ``work`` run on ``loop`` in its own time; where that loop has ended the work is dropped."""
    if loop.is_closed() or loop is not _loop:
        work.close()
        return
    asyncio.run_coroutine_threadsafe(work, loop)


async def _carried_out(
    work: Callable[[Callable[[str], None]], Coroutine[Any, Any, T]],
    put: Callable[[str | _Done[T] | _Failed], None],
    ended: threading.Event,
) -> None:
    try:
        value = await work(put)
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - carried to the thread that waits, and raised there
        put(_Failed(error))
    else:
        put(_Done(value))
    finally:
        ended.set()


def _running_loop() -> asyncio.AbstractEventLoop:
    global _loop
    with _lock:
        if _loop is None:
            loop = asyncio.new_event_loop()
            # A daemon: a request that is under way when the process ends keeps nothing alive.
            threading.Thread(target=loop.run_forever, name="project-o models", daemon=True).start()
            _loop = loop
        return _loop


def _forget() -> None:
    """In a forked child the loop's thread does not exist: the child starts its own when it needs one."""
    global _lock, _loop
    _lock = threading.Lock()
    _loop = None


os.register_at_fork(after_in_child=_forget)
