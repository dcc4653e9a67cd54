"""What a job's process is told to lock."""

from __future__ import annotations

from typing import Any

from .. import limits
from .rules import PLAIN, Rules


def configuration(
    *,
    memory_bytes: int,
    cpu_seconds: float,
    landlock: bool,
    seccomp: bool,
    stage: str,
    readable: list[str],
    scratch_bytes: int = 0,
    rules: Rules = PLAIN,
) -> dict[str, Any]:
    """What the child is told to lock: see ``locks.lock_strict``. With ``rules.files`` it may open files by name."""
    return {
        "profile": "strict",
        "memory_bytes": memory_bytes,
        # The kernel's side bounds each question; this bound is for a job that nobody asks any more.
        "cpu_backstop_seconds": max(1, int(cpu_seconds * limits.JOB_CPU_QUESTIONS_MAX)),
        "open_files": limits.OPEN_FILES_MAX,
        "landlock": landlock,
        "seccomp": seccomp,
        "stage": "files" if scratch_bytes or rules.files else stage,
        "readable": [*readable, *rules.read],
        "writable": list(rules.write),
        "file_bytes": max(scratch_bytes, limits.WRITTEN_FILE_BYTES_MAX if rules.write else 0),
        "calls": list(rules.allowed_calls),
        "denied": list(rules.denied_calls),
    }
