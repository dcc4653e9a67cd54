"""The copy's side of ``forked``: the steps, one after the other, with a program that is asked over there."""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import io
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from .. import limits
from .frames import where_it_failed
from .messages import packed, receive, send

_PDEATHSIG = 1


@dataclass(frozen=True)
class Step:
    """One thing to do in the copy: it takes the program, and raises where something is wrong.

    ``file`` is the one whose lines are told then; "" where it is that of ``run``.
    """

    name: str
    run: Callable[[Any], Any]
    file: str = ""


class Proxy:
    """The program as the copy sees it: its functions as attributes, and callable where there is just one."""

    def __init__(self, names: tuple[str, ...], ask: Callable[[Any], Any]) -> None:
        self._names = names
        self._send = ask

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_") or name not in self._names:
            raise AttributeError(f"the program has no function {name}: it has {', '.join(self._names)}")

        def call(*args: Any, **named: Any) -> Any:
            return self._ask(name, args, named)

        call.__name__ = name
        return call

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call the only function. Raises TypeError where there are several."""
        if len(self._names) != 1:
            raise TypeError(f"the program has {len(self._names)} functions: call one of {', '.join(self._names)}")
        return self._ask(self._names[0], args, named)

    def __dir__(self) -> list[str]:
        return sorted(self._names)

    def _ask(self, name: str, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        import numpy as np

        ok, value, arrays = self._send((name, args, named))
        if not ok:
            raise value
        for place, array in arrays:
            np.copyto(args[place] if isinstance(place, int) else named[place], array)
        return value


class Copy:
    """What goes on in the copy. Nothing of the kernel above its frame may go on there."""

    def __init__(
        self, steps: Sequence[Step], names: tuple[str, ...], first: Callable[[], None], *, go_on: bool
    ) -> None:
        self._steps, self._names, self._first, self._go_on = steps, names, first, go_on
        self._until = time.monotonic() + 2 * limits.SCENARIO_SECONDS_MAX  # the other side ends it earlier

    def run(self, channel: socket.socket, prints: int, others: Sequence[int]) -> NoReturn:
        """Never returns. ``prints`` takes what is printed, ``others`` are the other side's descriptors."""
        code = 1
        self._channel = channel
        try:
            os.setsid()
            _die_with_parent()
            gc.freeze()  # what was inherited is not ours to finalize
            for descriptor in others:
                os.close(descriptor)
            _print_to(prints)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            self._first()
            failures = self._carry_out()
            sys.stdout.flush()
            send(self._channel, ("done", failures), self._until)
            code = 0
        finally:
            os._exit(code)

    def _carry_out(self) -> list[tuple[int, str, str]]:
        failures = []
        for number, step in enumerate(self._steps):
            send(self._channel, ("step", number), self._until)
            try:
                step.run(Proxy(self._names, self._ask))
            except BaseException as raised:  # noqa: BLE001 - whatever it raises is the result
                failures.append((number, *where_it_failed(raised, step.file or step.run)))
                if not self._go_on:
                    break
        return failures

    def _ask(self, question: Any) -> Any:
        send(self._channel, ("call", packed(question)), self._until)
        answer = receive(self._channel, self._until)
        if answer is None:
            os._exit(1)
        return answer


def _print_to(descriptor: int) -> None:
    """All that is printed goes there: by Python, by extensions, by processes that are started."""
    for standard in (1, 2):
        os.dup2(descriptor, standard)
    os.close(descriptor)
    faulthandler.enable(2, all_threads=False)  # where it crashed is told as well
    raw = os.fdopen(1, "wb", buffering=0, closefd=False)
    sys.stdout = sys.stderr = io.TextIOWrapper(raw, "utf-8", "backslashreplace", write_through=True)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        # SAFETY: prctl with this option takes one number and touches no memory of ours.
        ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)
