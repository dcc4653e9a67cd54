"""What was asked of a model for one proposal, and what it answered: enough to have the run again without it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import EvolutionError
from ...values import Usage, plain

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request for the proposal ``index``, the ``attempt``-th, counted from 0.

    ``asked`` is the SHA-256 of the messages as they were sent, ``error`` why there is no reply. The messages themselves
    follow from the records of the run.
    """

    index: int
    attempt: int
    asked: str
    reply: str = ""
    finish: str = "stop"
    error: str = ""
    model: str = ""
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0


def to_json(exchanges: Iterable[Exchange]) -> dict[str, Any]:
    """As JSON-ready values."""
    return {"format": FORMAT, "exchanges": [plain(item) for item in exchanges]}


def from_json(body: Mapping[str, Any]) -> tuple[Exchange, ...]:
    """From what ``to_json`` gave. Raises EvolutionError for what is none."""
    try:
        if body["format"] != FORMAT:
            raise EvolutionError(f"what a model said is recorded in format {body['format']}, not {FORMAT}")
        return rows_read(body["exchanges"])
    except (KeyError, TypeError) as error:
        raise EvolutionError(f"what a model said cannot be read from this record: {error}") from None


def rows_read(rows: Iterable[Mapping[str, Any]]) -> tuple[Exchange, ...]:
    """From JSON-ready values. Raises EvolutionError for what is none."""
    try:
        return tuple(Exchange(**{**row, "usage": Usage(**row["usage"])}) for row in rows)
    except (KeyError, TypeError) as error:
        raise EvolutionError(f"what a model said cannot be read from this record: {error}") from None


def told(exchanges: Iterable[Exchange], price: tuple[float, float] | None = None) -> str:
    """Requests and tokens in one line, with their cost where a ``price`` is known: per million tokens in, and out."""
    every = list(exchanges)
    if not every:
        return ""
    total = sum((item.usage for item in every), Usage())
    names = ", ".join(dict.fromkeys(item.model for item in every if item.model)) or "no model answered"
    line = f"{names}: {len(every)} requests, {total.input_tokens:,} tokens in, {total.output_tokens:,} out"
    failed = sum(bool(item.error) for item in every)
    if failed:
        line += f", {failed} without an answer"
    if price is not None or total.dollars:
        line += f", {cost(total, price):.4f} for them"
    return line


def cost(usage: Usage, price: tuple[float, float] | None) -> float:
    """What these tokens cost at a price for a million in, and out; where none is given, by the provider's list."""
    if price is None:
        return usage.dollars
    return (usage.input_tokens * price[0] + usage.output_tokens * price[1]) / 1e6
