"""Versions that were released and taken back: whoever proposes is told of them first, and none is tried again."""

from __future__ import annotations

from ..values import Finding, Proposal, Record
from .task import Task


def taken_back(task: Task) -> tuple[Record, ...]:
    """What was taken back, as trials that failed before the first of this run; their indices are below 0."""
    return tuple(
        _record(Proposal(index, task.program.with_source(source, ()), (), "an earlier run", "released"), why)
        for index, (_, source, why) in enumerate(task.lessons, -len(task.lessons))
    )


def refused(task: Task, proposal: Proposal) -> Record | None:
    """The record of a proposal that was taken back before; None for any other."""
    digest = proposal.program.cell_digest
    why = next((why for known, _, why in task.lessons if known == digest), "")
    return _record(proposal, why) if why else None


def _record(proposal: Proposal, why: str) -> Record:
    reason = f"it was released before, and taken back: {why}"
    return Record(proposal, "failed", reason, finding=Finding("performance", "failed", reason, why))
