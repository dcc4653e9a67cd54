"""What was tried, in order: records, elites, duplicates, lineage, and all that a run needs to be resumed."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from .. import limits
from ..errors import EvolutionError, UsageError
from ..languages import FILES, tools_for
from ..values import CheckStage, Finding, Program, Proposal, Record, plain
from .behaviour import same_as

FORMAT = 1
Status = Literal["baseline", "better", "no better", "duplicate", "failed"]


@dataclass(frozen=True)
class Lineage:
    """Who came from whom. ``digest`` identifies the run: with the same one, the same was tried with the same result.

    ``best`` is the trial that the verdict is about.
    """

    digest: str
    records: tuple[Record, ...]
    best: int | None = None

    def parents(self, digest: str) -> tuple[str, ...]:
        """The ancestors of the program with this digest, nearest first; empty for the baseline or a stranger."""
        parents = {record.proposal.program.digest: record.proposal.parents for record in reversed(self.records)}
        found: list[str] = []
        waiting = list(parents.get(digest, ()))
        while waiting:
            item = waiting.pop(0)
            if item not in found:
                found.append(item)
                waiting.extend(parents.get(item, ()))
        return tuple(found)


class Behaved:
    """Which trial below an index behaves so; for another process what was known of those when it is sent."""

    def __init__(self, archive: Archive, before: int) -> None:
        self._archive, self._before = archive, before

    def __call__(self, behaviour: str) -> int | None:
        """The trial, or None."""
        return self._archive.behaves(behaviour, self._before)

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self._archive.behaved(self._before), "get")


class Archive:
    """The records of one run, by index and without gaps. Not shared between threads: the loop alone writes."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._seen: dict[str, int] = {}
        self._does: dict[str, int] = {}

    @property
    def records(self) -> tuple[Record, ...]:
        """All records; the one with index i stands at i."""
        return tuple(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def twin(self, proposal: Proposal) -> int | None:
        """The index of the first proposal with the same code but for comments and layout; remembers this one if new."""
        first = self._seen.setdefault(fingerprint(proposal.program), proposal.index)
        return None if first == proposal.index else first

    def behaved(self, before: int) -> dict[str, int]:
        """The first trials of each behaviour, those below an index."""
        return {does: index for does, index in list(self._does.items()) if index < before}

    def behaves(self, behaviour: str, before: int) -> int | None:
        """The first trial that was seen to behave so, where it is one before this index."""
        found = self._does.get(behaviour)
        return found if found is not None and found < before else None

    def add(self, record: Record) -> Record:
        """The next record, as it is kept: who behaves as an earlier one is a duplicate, whatever it measured."""
        index = record.proposal.index
        assert index == len(self._records), "records come in the order of their proposals"
        if record.behaviour:
            first = self._does.setdefault(record.behaviour, index)
            if first != index and record.status in ("better", "no better"):
                record = replace(record, status="duplicate", reason=same_as(record.behaviour, first), finding=None)
        self._records.append(record)
        return record

    def elites(self, count: int) -> list[Record]:
        """The best candidates that were measured better than the baseline, best first; the earlier wins a tie."""
        better = [
            record for record in self._records[1:]
            if record.ratio is not None and record.ratio > 1.0 and record.status != "duplicate"
        ]  # fmt: skip
        return sorted(better, key=lambda record: (-(record.ratio or 0.0), record.proposal.index))[:count]

    def lineage(self, best: int | None = None) -> Lineage:
        """The lineage so far."""
        return Lineage(lineage_digest(self._records), self.records, best)


def fingerprint(program: Program) -> str:
    """SHA-256 of what a program is but for comments and layout; as it stands, where no parser should read it.

    It is asked before any check, of whatever was proposed.
    """
    normalised = program.source
    if len(normalised) <= limits.PROPOSED_SOURCE_BYTES_MAX:
        with suppress(UsageError, ValueError, RecursionError, MemoryError):
            normalised = tools_for(program.language).normalised(program.source)
    others = () if program.language == FILES else program.files[1:]  # which of several files the text has, too
    body = json.dumps([program.language, normalised, others, program.mode, program.options])
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()


def lineage_digest(records: Sequence[Record]) -> str:
    """SHA-256 over the proposals and what was recorded of them, in order.

    Texts of reasons and durations are left out: they may name a time. Measured costs and ratios are in it, so a
    timed run has a digest of its own, while a deterministic evaluator gives the same digest each time.
    """
    body = []
    for record in records:
        proposal = record.proposal
        body.append(
            [
                proposal.index,
                proposal.program.digest,
                list(proposal.parents),
                proposal.proposer,
                proposal.operator,
                plain(proposal.settings),
                record.status,
                record.cost,
                record.ratio,
                plain(record.metrics),
            ]
        )
    return hashlib.sha256(json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


def to_resume(records: Sequence[Record], *, seed: int, baseline: Program) -> dict[str, Any]:
    """What a later run needs to go on from here, as JSON-ready values."""
    rows = [row_of(record) for record in records]
    return {"format": FORMAT, "seed": seed, "baseline": baseline.digest, "records": rows}


def row_of(record: Record) -> dict[str, Any]:
    """What is kept of a trial, as JSON-ready values."""
    return {
        "program": record.proposal.program.digest,
        "settings": plain(record.proposal.settings),
        "parents": list(record.proposal.parents),
        "proposer": record.proposal.proposer,
        "operator": record.proposal.operator,
        "hypothesis": record.proposal.hypothesis,
        "status": record.status,
        "reason": record.reason,
        "cost": record.cost,
        "ratio": record.ratio,
        "metrics": plain(record.metrics),
        "seconds": record.seconds,
        "finding": plain(record.finding),
        **({"interval": list(record.interval)} if record.interval is not None else {}),
        **({"behaviour": record.behaviour} if record.behaviour else {}),
    }


class Recorded:
    """The records of an earlier run, to be matched with the same proposals again."""

    def __init__(self, body: dict[str, Any], *, seed: int, baseline: Program) -> None:
        if body.get("format") != FORMAT:
            raise EvolutionError(f"this run was recorded in format {body.get('format')}, not {FORMAT}: begin a new one")
        if body.get("seed") != seed or body.get("baseline") != baseline.digest:
            raise EvolutionError(
                "this run was recorded with another seed or another program: begin a new one, or give the same"
            )
        self._rows: list[dict[str, Any]] = body["records"]

    def __len__(self) -> int:
        return len(self._rows)

    def record(self, proposal: Proposal) -> Record | None:
        """What became of this proposal, None if it was not reached. Raises EvolutionError if another was made then."""
        if proposal.index >= len(self._rows):
            return None
        row = self._rows[proposal.index]
        if row["program"] != proposal.program.digest or row["status"] not in get_args(Status):
            raise EvolutionError(
                f"trial {proposal.index} was another one when this run was recorded: resume with the same proposer"
            )
        return Record(
            proposal,
            row["status"],
            row["reason"],
            row["cost"],
            row["ratio"],
            tuple((name, value) for name, value in row["metrics"]),
            row["seconds"],
            _finding(row.get("finding")),
            tuple(row["interval"]) if "interval" in row else None,
            row.get("behaviour", ""),
        )


def _finding(row: dict[str, Any] | None) -> Finding | None:
    """A finding as it was recorded; None where there was none, or where the run is older than findings."""
    if row is None:
        return None
    facts = tuple((name, value) for name, value in row["facts"])
    return Finding(row["stage"], row["outcome"], row["reason"], row["evidence"], facts, row["seconds"])


def rejected(records: Sequence[Record]) -> tuple[tuple[CheckStage, int], ...]:
    """How many candidates each stage rejected, in the order of the stages, without zeros."""
    counts = Counter(
        record.finding.stage for record in records if record.finding and record.finding.outcome == "failed"
    )
    return tuple((stage, counts[stage]) for stage in get_args(CheckStage) if counts[stage])
