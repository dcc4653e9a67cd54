"""Proposals from a language model, through the one seam in ``models``.

choice      which of several models, and how much it may change at once
answers     from what a model wrote to a program's new text: SEARCH/REPLACE, or the block as a whole
context     what a model is told: parent, best, others, why others were rejected, what was taken back
exchange    what was asked and answered, kept so that a run can be had again with no model
proposer    asks, asks again with what was wrong, and never waits longer than the run may last

A candidate of a model goes through the same checks, the same measurements and the same rule as any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .exchange import Exchange

if TYPE_CHECKING:
    from .proposer import ModelProposer

__all__ = ["Exchange", "ModelProposer"]


def __getattr__(name: str) -> Any:
    """A run that is only read has exchanges, and asks no model."""
    if name != "ModelProposer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .proposer import ModelProposer

    return ModelProposer
