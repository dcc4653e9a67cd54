"""What a candidate does, as one word: two that do the same need one measurement.

Where an evaluator calls the candidate it is the SHA-256 of all that it answered in one evaluation, with the metrics
that came of it: an evaluator that is deterministic asks the same as long as the answers are the same, and one that
looks at a clock gives other metrics. Where time is measured it is the machine code of the build: the answers are the
incumbent's for every candidate, and what the compiler made of two texts is either the same or not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ToolchainError
from ..values import Artifact

if TYPE_CHECKING:
    from .candidate import Rules
    from .task import Answer

ANSWERS, CODE = "answers", "code"
WORDS = {ANSWERS: "the same answers as", CODE: "the same machine code as"}


class Traced:
    """Rules that also listen: ``rules`` decide, and each answer goes into the digest."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._digest = hashlib.sha256()
        self._can_tell = True

    def offence(self, name: str, answer: Answer) -> str:
        """See ``candidate.Rules``."""
        from ..sandbox import wire

        said = [name, answer.ok, answer.error_name or answer.error, answer.value, list(answer.written)]
        try:
            self._digest.update(json.dumps(wire.encode(said, _large)).encode("utf-8", "surrogatepass"))
        except (TypeError, ValueError, RecursionError):
            self._can_tell = False
        return self._rules.offence(name, answer)

    def behaviour(self, metrics: Mapping[str, float]) -> str:
        """The word; "" where an answer was something that has none."""
        if not self._can_tell:
            return ""
        self._digest.update(repr(sorted(metrics.items())).encode())
        return f"{ANSWERS} {self._digest.hexdigest()}"


def machine_code(artifact: Artifact) -> str:
    """The word for a build; "" where there is no library, or none that can be read."""
    from ..toolchain.elf import digest_of

    if not artifact.path:
        return ""
    try:
        return f"{CODE} {digest_of(artifact.path, Path(artifact.path).stat().st_mtime_ns)}"
    except (OSError, ToolchainError):
        return ""


def same_as(behaviour: str, index: int) -> str:
    """The reason for a duplicate, in words."""
    whom = f"trial {index}" if index else "the baseline"
    return f"{WORDS[behaviour.partition(' ')[0]]} {whom}"


def _large(array: Any) -> int:
    """A large array by its content."""
    return int.from_bytes(hashlib.sha256(array.tobytes()).digest()[:8], "little")
