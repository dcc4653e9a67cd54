"""What is learned from versions that were taken back: they are not tried again, and whoever proposes next hears why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .. import limits
from ..errors import DeployError
from ..history.newest import at_the_ends

if TYPE_CHECKING:
    from ..history import History
    from ..values import Program

FORMAT = 1

Lesson = tuple[str, str, str]
"""(digest of the text, whatever variables held; the text; why it was taken back)."""


class Lessons:
    """By program, and kept with it in the history: in this kernel, and in those before it."""

    def __init__(self, history: History | None) -> None:
        self._history = history
        self._taken_back: dict[str, tuple[Lesson, ...]] = {}

    def of(self, name: str) -> tuple[Lesson, ...]:
        """Versions of a program that were taken back by what was measured while they served, oldest first."""
        if name not in self._taken_back:
            found: dict[str, Lesson] = {}
            for text in reversed(at_the_ends(self._history, _file(name))):
                found |= {lesson[0]: lesson for lesson in _read(text)}
            self._taken_back[name] = tuple(found.values())
        return self._taken_back[name]

    def knows(self, name: str, program: Program) -> bool:
        """Whether a version was taken back, by this kernel or by one beside it."""
        return any(digest == program.cell_digest for digest, _, _ in self.of(name))

    def refuse(self, name: str, program: Program) -> None:
        """Raises DeployError for a version that was taken back."""
        for digest, _, why in self.of(name):
            if digest == program.cell_digest:
                raise DeployError(f"this version of {name} was taken back before and is not tried again: {why}")

    def learned(self, name: str, program: Program, reason: str) -> dict[str, str]:
        """The file that says what is not tried again."""
        kept = [lesson for lesson in self.of(name) if lesson[0] != program.cell_digest]
        kept.append((program.cell_digest, program.source, reason))
        self._taken_back[name] = tuple(kept[-limits.LESSONS_KEPT_MAX :])
        return self.files(name)

    def files(self, *names: str) -> dict[str, str]:
        """The files that say so, as they are; none where there is nothing to say."""
        return {_file(name): self._text(name) for name in names if self.of(name)}

    def _text(self, name: str) -> str:
        rows = [{"program": digest, "reason": why, "source": text} for digest, text, why in self._taken_back[name]]
        return json.dumps({"format": FORMAT, "taken_back": rows}, ensure_ascii=False, indent=1) + "\n"


def _read(text: str) -> tuple[Lesson, ...]:
    try:
        rows = json.loads(text)["taken_back"] if text else []
        return tuple((str(row["program"]), str(row["source"]), str(row["reason"])) for row in rows)
    except (ValueError, KeyError, TypeError):
        return ()  # damaged: a version is tried once more


def _file(name: str) -> str:
    return f"programs/{name}/lessons.json"
