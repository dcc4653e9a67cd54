"""The changelog of what was released: written from the states of promotions and rollbacks, never by hand."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..values import State

RELEASES = {"promote": "promoted", "rollback": "rolled back"}
_HEAD = """\
# Changelog

What was promoted and what was taken back, newest first, as the history has it. Versions follow
[Semantic Versioning](https://semver.org/): the number says what a promotion changed.
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One release. ``metrics`` are those before and after, in words; ``by`` is who proposed it."""

    program: str
    version: str
    when: float
    type: str
    description: str
    by: str
    commit: str
    digest: str
    metrics: str
    reason: str


def entries(states: Iterable[State], program: str | None = None) -> list[Entry]:
    """The releases among these states, in their order; of one program if it is named."""
    found = []
    for state in states:
        facts = dict(state.facts)
        name = facts.get("scope", "")
        if state.kind not in RELEASES or (program is not None and name != program):
            continue
        found.append(
            Entry(
                program=name,
                version=facts.get("version", ""),
                when=state.when,
                type=RELEASES[state.kind],
                description=state.summary,
                by=facts.get("by", ""),
                commit=state.id,
                digest=facts.get("program", ""),
                metrics="; ".join(facts[key] for key in ("metric", "canary") if facts.get(key)),
                reason=facts.get("reason", "") or facts.get("version_reason", ""),
            )
        )
    return found


def markdown(found: Sequence[Entry]) -> str:
    """The file ``CHANGELOG.md``."""
    return "\n".join([_HEAD, *map(_section, found)]) if found else f"{_HEAD}\nNothing was released yet.\n"


def _section(one: Entry) -> str:
    day = time.strftime("%Y-%m-%d", time.gmtime(one.when))
    clock = time.strftime("%H:%M:%S UTC", time.gmtime(one.when))
    rows: list[tuple[str, Any]] = [
        ("type", one.type),
        ("time", f"{day} {clock}"),
        ("author", one.by),
        ("changed", f"{one.program} {one.digest}".strip()),
        ("metrics", one.metrics),
        ("reason", one.reason),
        ("commit", one.commit),
    ]
    title = f"## {_plain(one.program)} {one.version or '(the text of its cell)'} - {day}"
    lines = [title, "", f"{_plain(one.description)}", ""]
    lines += [f"- {key}: {_plain(str(value))}" for key, value in rows if value]
    return "\n".join([*lines, ""])


def _plain(text: str) -> str:
    """A text from a commit as Markdown shows it: nothing of it is markup."""
    escaped = "".join(f"\\{character}" if character in "\\`*_{}[]<>#|" else character for character in text)
    return " ".join(escaped.split())
