"""The profiles: for each, how a fresh process is locked, and what it does then.

To add one: write its lock-down (a function of the job's configuration that raises OSError when the kernel refuses a
step), add one line to ``PROFILES``, and say in ``box.Sandbox`` what it promises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import build_locks, locks

Configuration = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Profile:
    """``lock`` is called in the forked process before it reads a byte of what it is to run.

    ``run``, if there is one, then takes the place of answering questions, and does not return. ``descendants``:
    the process may have children, which are ended with it; ``supervised``: by a parent of its own.
    """

    lock: Callable[[Configuration], None]
    run: Callable[[Configuration], None] | None = None
    descendants: bool = False
    supervised: bool = False


PROFILES: dict[str, Profile] = {
    "strict": Profile(locks.lock_strict),
    "isolate": Profile(locks.lock_isolate, descendants=True),
    "evaluator": Profile(build_locks.lock_evaluator, descendants=True, supervised=True),
    "build": Profile(build_locks.lock_build, run=build_locks.run_build, descendants=True, supervised=True),
}
