"""A finished run on one page: verdict, measurements, the picture of its trials, the leaders, the lineage."""

from __future__ import annotations

from collections.abc import Sequence

from ..population import Operator, Population
from ..values import Record, Verdict
from . import numbers
from .archive import archive_part
from .display import Display, page
from .findings import checks_part, rejected_part
from .lineage import lineage_part
from .metrics import metrics_part
from .operators import operators_part
from .parts import folded, note, section, title
from .source import diff_part
from .text import counted
from .trials import counts_text, leaders, trials_part
from .verdict import verdict_part


def show_run(
    name: str,
    records: Sequence[Record],
    verdict: Verdict | None,
    *,
    best: int | None = None,
    seconds: float | None = None,
    seed: int | None = None,
    digest: str = "",
    state: str = "",
    notes: Sequence[str] = (),
    population: Population | None = None,
    operators: Sequence[Operator] = (),
    diff: str = "",
) -> Display:
    """What a run found.

    ``best`` is the winner's trial index, ``seconds`` the wall time, ``digest`` the lineage's, ``state`` the commit
    that holds the accepted candidate, ``diff`` the change from the baseline to the best.
    """
    top = leaders(records)
    facts = [
        counted(len(records), "trial"),
        counts_text(records),
        numbers.seconds(seconds) if seconds is not None else "",
        f"seed {seed}" if seed is not None else "",
        f"lineage {numbers.short(digest)}" if digest else "",
        f"commit {numbers.short(state)}" if state else "",
    ]
    return page(
        verdict_part(verdict, name=name) if verdict else title(name, "no verdict", "warn"),
        note("; ".join(fact for fact in facts if fact)),
        *(note(text) for text in notes),
        metrics_part(records, best=best),
        section("leaders") if top else None,
        trials_part(top, best=best, rows_max=len(top)) if top else None,
        folded("from the baseline to the best", diff_part(diff)) if diff else None,
        checks_part(verdict.trial) if verdict else None,
        rejected_part(records),
        folded("archive", archive_part(population, best=best)) if population and population.elites else None,
        folded("operators", operators_part(operators)) if operators else None,
        folded("lineage", lineage_part(records, best=best)) if records else None,
    )
