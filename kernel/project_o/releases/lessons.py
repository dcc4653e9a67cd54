"""What is learned from versions that were taken back: they are not tried again, and whoever proposes next hears why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .. import limits
from ..errors import DeployError
from ..history.newest import newest

if TYPE_CHECKING:
    from ..history import History
    from ..values import Program


class Lessons:
    """By program, and kept with it in the history: in this kernel, and in those before it."""

    def __init__(self, history: History | None) -> None:
        self._history = history
        self._taken_back: dict[str, dict[str, str]] = {}

    def of(self, name: str) -> dict[str, str]:
        """Versions of a program that were taken back by what was measured while they served, and why."""
        if name not in self._taken_back:
            text = newest(self._history, _file(name))
            try:
                found = {item["program"]: item["reason"] for item in json.loads(text)["taken_back"]} if text else {}
            except (ValueError, KeyError, TypeError):
                found = {}
            self._taken_back[name] = found
        return dict(self._taken_back[name])

    def refuse(self, name: str, program: Program) -> None:
        """Raises DeployError for a version that was taken back."""
        if why := self.of(name).get(program.cell_digest):
            raise DeployError(f"this version of {name} was taken back before and is not tried again: {why}")

    def learned(self, name: str, program: Program, reason: str) -> dict[str, str]:
        """The file that says what is not tried again. A version is known by its text, whatever variables hold."""
        known, digest = self.of(name), program.cell_digest
        known.pop(digest, None)
        known[digest] = reason
        self._taken_back[name] = known
        rows = [{"program": key, "reason": why} for key, why in known.items()][-limits.LESSONS_KEPT_MAX :]
        return {_file(name): json.dumps({"format": 1, "taken_back": rows}, indent=1) + "\n"}


def _file(name: str) -> str:
    return f"programs/{name}/lessons.json"
