"""What texts answer, in a process of its own: ``answers(texts, name, questions)``; run as a file it is that process.

A fault may loop or fill the memory: each call has so many seconds of the processor, and the process a gigabyte.
"""

from __future__ import annotations

import contextlib
import copy
import io
import pickle
import signal
import subprocess
import sys
from typing import Any

CALL_SECONDS = 0.2
LATE_MAX = 2
MEMORY_BYTES = 1 << 30
PROCESS_SECONDS = 60.0
Answer = tuple[str, Any]
"""("value", what came), ("raised", the error's name) or ("lost", "")."""


class _Late(BaseException):
    """A call that had its time."""


def answers(texts: list[str], name: str, questions: list[tuple[Any, ...]]) -> list[list[Answer]]:
    """For each text its answers."""
    order = pickle.dumps((texts, name, questions))
    try:
        done = subprocess.run(
            [sys.executable, __file__], input=order, capture_output=True, timeout=PROCESS_SECONDS, check=False
        )
        return pickle.loads(done.stdout)  # ours: the child sends plain data, and repr of what is none
    except (subprocess.TimeoutExpired, EOFError, pickle.UnpicklingError):
        return [[("lost", "")] * len(questions) for _ in texts]


def _of_one(text: str, name: str, questions: list[tuple[Any, ...]]) -> list[Answer]:
    space: dict[str, Any] = {"__name__": "carried"}
    found: list[Answer] = []
    late = 0
    signal.setitimer(signal.ITIMER_PROF, CALL_SECONDS)
    try:
        exec(compile(text, "<carried>", "exec"), space)
        for args in questions:
            signal.setitimer(signal.ITIMER_PROF, CALL_SECONDS)
            try:
                found.append(("value", _plain(space[name](*copy.deepcopy(args)))))
            except Exception as error:  # noqa: BLE001 - a fault may raise anything
                found.append(("raised", type(error).__name__))
            except _Late:
                found.append(("lost", ""))
                late += 1
            if late > LATE_MAX:
                break
    except _Late:
        pass
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return [*found, *[("lost", "")] * (len(questions) - len(found))]


def _plain(value: Any) -> Any:
    try:
        pickle.dumps(value)
    except Exception:  # noqa: BLE001 - what cannot be sent is told
        return repr(value)
    return value


def _late(*_: object) -> None:
    raise _Late


def _child() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    signal.signal(signal.SIGPROF, _late)
    texts, name, questions = pickle.loads(sys.stdin.buffer.read())
    with contextlib.redirect_stdout(io.StringIO()):
        found = [_of_one(text, name, questions) for text in texts]
    sys.stdout.buffer.write(pickle.dumps(found))


if __name__ == "__main__":
    _child()
