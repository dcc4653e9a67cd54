"""What came of one question to a sandboxed process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, or why there is none.

    ``ended`` is "" while the job lives, else how it ended: "wall-time", "cpu-time", "memory", "protocol",
    "log-cap", "result-cap", "scratch-quota", "hidden", "setup", "helper", "closed", "interrupted", "denied" (by the
    policy's lint, before anything ran), "exit N" or "signal NAME". Seconds are on the kernel's clocks;
    ``cpu_seconds`` is read from the child's CPU clock. ``level`` is the sandbox level that held.
    ``written`` holds the writable array arguments of a native call as the callee left them, by argument index; of a
    Python function the arguments that it changed. ``shares`` says that its result lies in its arguments, so that it
    changes when these do. ``held`` says how else it is held that its caller may notice (see ``parts``), ``touched``
    names what a Python function changed for all code in its process, both where it was called once;
    ``after_cpu_seconds`` is what it took to fetch what the call left in lists and dicts. ``fault`` is what the
    guard reported, ``error_name`` the error value that a native function returned, or the class of what a Python
    function raised; ``meant`` says that this is an answer: of Python, that a ``raise`` in its own text raised it.
    ``denied`` says that the sandbox refused an operation, so that the outcome says nothing about the code. ``log``
    is what the job printed, cleaned.
    """

    ok: bool
    value: Any = None
    ended: str = ""
    error: str = ""
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    log: str = ""
    written: tuple[tuple[int, Any], ...] = ()
    shares: bool = False
    after_cpu_seconds: float = 0.0
    touched: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    fault: dict[str, Any] | None = None
    denied: bool = False
    error_name: str = ""
    meant: bool = False
    level: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """What came of one question that called a function once with each of several sets of arguments.

    ``whole`` has the time of all calls together, or why there are no answers; ``each`` then is empty, and else has for
    each call what it returned and wrote.
    """

    whole: Answer
    each: tuple[Answer, ...] = ()
