"""Which lines of a program were reached by calls of it, and who finds that out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..sandbox import Asking
    from ..values import Artifact


@dataclass(frozen=True)
class Covered:
    """Of one text the cell's lines on which there is something to run, and those of them that were reached.

    ``name`` is that of its function where a program has several texts, "" where it has one.
    """

    name: str
    statements: frozenset[int]
    reached: frozenset[int]

    @property
    def missing(self) -> tuple[int, ...]:
        """The lines that were not reached, in order."""
        return tuple(sorted(self.statements - self.reached))


class Covering(Protocol):
    """Processes of a build that count their lines. What each of them reached is asked for when it is closed."""

    def open(self, artifact: Artifact) -> Asking:
        """One of them. It answers as any other does, and slower."""

    def found(self) -> tuple[Covered, ...]:
        """What all that are closed by now have reached, for each text; () where none of them told."""


class NotMeasured(Exception):  # noqa: N818 - it is no fault
    """Why the lines of a program are not counted, in words."""
