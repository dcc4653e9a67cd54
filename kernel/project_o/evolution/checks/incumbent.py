"""What serves now must pass the checks that the user gave, before anything is tried: else they say nothing."""

from __future__ import annotations

from typing import Any

from .seam import Cascade, Subject


def must_pass(cascade: Cascade, subject: Subject) -> None:
    """Let each check that can look at what serves. Raises EvolutionError where it does not pass.

    ``subject`` is the incumbent as a candidate of itself.
    """
    for check in cascade.checks:
        prepare: Any = getattr(check, "prepare", None)
        if prepare is not None:
            prepare(subject)
