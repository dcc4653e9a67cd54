"""Semantic versions of what was promoted: read and compared by the rules of Semantic Versioning 2.0.0, and computed.

The first version of a program that is promoted is 1.0.0. From then on the number says what the promotion changed: the
interface (major), more or better with the same interface (minor), or neither (patch). Nobody chooses it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import total_ordering

from ..errors import HistoryError

_NUMBER = r"(0|[1-9][0-9]*)"
_FORM = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A version by its parts. Two that differ in ``build`` alone are neither above nor below each other, and equal."""

    major: int
    minor: int
    patch: int
    pre_release: tuple[str, ...] = ()
    build: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Version:
        """Raises HistoryError for what is no semantic version."""
        found = _FORM.fullmatch(text)
        pre = tuple(found[4].split(".")) if found and found[4] else ()
        if found is None or any(part.isdigit() and len(part) > 1 and part[0] == "0" for part in pre):
            raise HistoryError(f"{text!r} is no semantic version: it is MAJOR.MINOR.PATCH, as in 1.2.0")
        build = tuple(found[5].split(".")) if found[5] else ()
        return cls(int(found[1]), int(found[2]), int(found[3]), pre, build)

    def __str__(self) -> str:
        text = f"{self.major}.{self.minor}.{self.patch}"
        text += f"-{'.'.join(self.pre_release)}" if self.pre_release else ""
        return text + (f"+{'.'.join(self.build)}" if self.build else "")

    def _order(self) -> tuple[object, ...]:
        # Numbers stand below words, and a longer list above its own beginning; no pre-release above any.
        parts = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in self.pre_release)
        return self.major, self.minor, self.patch, not self.pre_release, parts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._order() == other._order()

    def __hash__(self) -> int:
        return hash(self._order())

    def __lt__(self, other: Version) -> bool:
        return self._order() < other._order()


def is_version(text: str) -> bool:
    """Whether ``Version.parse`` takes it."""
    try:
        Version.parse(text)
    except HistoryError:
        return False
    return True


def following(
    known: Sequence[str], before: Sequence[str], after: Sequence[str], *, better: bool
) -> tuple[Version, str]:
    """The version of a promotion, and why it is that one.

    ``known`` are all versions of the program so far, ``before`` and ``after`` the spelled functions of what served and
    of what serves now; ``better`` says that it was shown to be.
    """
    released = [version for version in map(Version.parse, known) if not version.pre_release]
    if not released:
        return Version(1, 0, 0), "the first version"
    last = max(released)
    gone = [name for name in before if name not in after]
    if gone and before:
        return Version(last.major + 1, 0, 0), f"the interface changed: {gone[0]} is no longer there"
    new = [name for name in after if name not in before]
    if new and before:
        return Version(last.major, last.minor + 1, 0), f"able to do more: {new[0]}"
    if better:
        return Version(last.major, last.minor + 1, 0), "better"
    return Version(last.major, last.minor, last.patch + 1), "no better, and the same interface"


def canary_of(version: Version, number: int, digest: str) -> Version:
    """The pre-release under which a version is tried: ``1.3.0-canary.2+ab12cd34ef``."""
    return Version(version.major, version.minor, version.patch, ("canary", str(number)), (digest[:10],))
