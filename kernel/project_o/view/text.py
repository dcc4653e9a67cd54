"""Text that is safe to show: no terminal codes, no hidden direction marks, bounded, aligned by what the eye sees."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from .. import hidden, limits

ELLIPSIS = "…"
TAB_COLUMNS = 4


def clean(text: object) -> str:
    """``text`` as it may be shown: terminal codes are dropped, other hidden characters spelled out as ``\\x07``."""
    return hidden.replace(str(text).replace("\r\n", "\n"), _spell_out)


def _spell_out(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def clip(text: str, characters_max: int = limits.CELL_CHARACTERS_MAX) -> str:
    """``text`` in one line of at most ``characters_max`` characters, with an ellipsis where something is left out."""
    line = " ".join(text.split())
    return line if len(line) <= characters_max else line[: characters_max - 1].rstrip() + ELLIPSIS


def expand(text: str) -> str:
    """A line with its tabs as spaces, so that a caret below it stands where it should."""
    return text.expandtabs(TAB_COLUMNS)


def columns(text: str) -> int:
    """How many terminal columns ``text`` takes: East Asian wide characters two, combining ones none."""
    total = 0
    for character in text:
        if unicodedata.combining(character):
            continue
        total += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return total


def pad(text: str, width: int, *, right: bool = False) -> str:
    """``text`` filled with spaces to ``width`` columns, on the left where ``right`` aligns it."""
    space = " " * max(0, width - columns(text))
    return space + text if right else text + space


def grid(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]) -> str:
    """A plain table: a heading, a rule, rows; ``right`` says which columns are aligned to the right."""
    widths = [max(columns(line[k]) for line in (head, *rows)) for k in range(len(head))]
    lines = [head, ["─" * width for width in widths], *rows]
    return "\n".join(
        "  ".join(pad(cell, width, right=at_right) for cell, width, at_right in zip(line, widths, right, strict=True))
        .rstrip()
        for line in lines
    )  # fmt: skip


def indent(text: str, by: int = 2) -> str:
    """Every line of ``text`` moved to the right by ``by`` spaces."""
    return "\n".join((" " * by + line).rstrip() for line in text.split("\n"))


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 trial``, ``12 trials``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
