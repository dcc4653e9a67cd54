"""What the checks said: of the candidate of a verdict, and of those that they rejected, with the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from .. import limits
from ..values import CheckStage, Finding, Record, Trial
from . import numbers
from .display import Part, group
from .parts import Cell, Column, Tone, code, folded, note, table
from .text import counted

_TONES: dict[str, Tone] = {"passed": "good", "failed": "bad", "inconclusive": "warn"}
OTHERS = {"no better": "not better", "duplicate": "duplicate"}
_WORDS = {"inconclusive": "not decided"}


def checks_part(trial: Trial | None) -> Part | None:
    """Every check of a trial with what it said and how long it took; None where there was none."""
    if trial is None or not trial.findings:
        return None
    columns = (Column("check", "head"), Column("outcome"), Column("what it says"), Column("time", "number"))
    rows = [
        (
            one.stage,
            Cell(_WORDS.get(one.outcome, one.outcome), _TONES[one.outcome]),
            one.reason,
            numbers.seconds(one.seconds) if one.seconds else "",
        )
        for one in trial.findings
    ]
    shown = [evidence_part(one) for one in trial.findings if one.outcome == "failed"]
    return folded("checks", group([table(columns, rows), *shown]))


def rejected_part(records: Sequence[Record]) -> Part | None:
    """How many candidates each check rejected, cheapest first, and the evidence against the first one of each; then
    those that were not better, or did what another does.
    """
    failed = [
        (record, record.finding) for record in records if record.finding is not None and record.status == "failed"
    ]
    by_stage = [(stage, [item for item in failed if item[1].stage == stage]) for stage in get_args(CheckStage)]
    found = [(stage, those) for stage, those in by_stage if those]
    others = [(word, [one for one in records if one.status == status]) for status, word in OTHERS.items()]
    others = [(word, those) for word, those in others if those]
    if not found and not others:
        return None
    columns = (Column("check", "head"), Column("candidates", "number"), Column("the first one"), Column("why"))
    rows = [
        (stage, f"{len(those):,}", f"trial {those[0][0].proposal.index}", those[0][1].reason) for stage, those in found
    ]
    rows += [(word, f"{len(those):,}", f"trial {those[0].proposal.index}", those[0].reason) for word, those in others]
    shown = [evidence_part(those[0][1], f"trial {those[0][0].proposal.index}, ") for _, those in found]
    total = counted(len(failed), "candidate")
    told = [f"{sum(len(those) for _, those in others):,} otherwise"] if others else []
    none = f"rejected: {counted(sum(len(those) for _, those in others), 'candidate')}, none of them by the checks"
    head = ", ".join([f"rejected by the checks: {total}", *told]) if found else none
    return folded(head, group([table(columns, rows), *shown]))


def evidence_part(finding: Finding, whose: str = "") -> Part | None:
    """What goes back to whoever proposed it; None where that is no more than the reason."""
    if not finding.evidence or finding.evidence == finding.reason:
        return None
    text, most = finding.evidence, limits.TEXT_CHARACTERS_MAX
    shown = text if len(text) <= most else f"{text[:most]}\n..."
    return group([note(f"{whose}{finding.stage}:"), code(shown)])
