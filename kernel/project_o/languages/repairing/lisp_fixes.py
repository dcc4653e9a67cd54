"""All single repairs of a Lisp text."""

from __future__ import annotations

from collections.abc import Iterator

from ..rewriting.edits import Edit


def lisp_fixes(source: str) -> Iterator[Edit]:
    """Edits of every form."""
    return iter(())
