"""``definitions.toml`` as values, checked: a mistake in the table is told before anything is measured."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

QUANTITIES = ("seconds", "mib")
FILE = Path(__file__).with_name("definitions.toml")


class DefinitionError(ValueError):
    """The table of benchmarks says something that cannot be meant."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One competitor of a benchmark.

    ``ratio_max`` is what was promised against the reference, ``p50_max`` and ``p95_max`` of the values themselves.
    """

    name: str
    engine: str
    options: Mapping[str, Any]
    ratio_max: float | None = None
    p50_max: float | None = None
    p95_max: float | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """One benchmark. ``unit`` is what one value is the time of, or, with another ``quantity``, the size."""

    name: str
    question: str
    unit: str
    reference: str
    rounds: int
    warmups: int
    entries: tuple[Entry, ...]
    per_minute: tuple[str, ...] = ()
    quantity: str = "seconds"


def read(path: Path = FILE) -> tuple[Definition, ...]:
    """Every benchmark of a table, in its order. Raises DefinitionError."""
    try:
        body = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"{path} is not valid TOML: {error}") from None
    return tuple(_definition(name, table) for name, table in body.items())


def chosen(all_of_them: tuple[Definition, ...], names: list[str]) -> tuple[Definition, ...]:
    """The named ones, or all without a name. Raises DefinitionError for an unknown name."""
    known = {definition.name: definition for definition in all_of_them}
    for name in names:
        if name not in known:
            raise DefinitionError(f"there is no benchmark {name!r}: there are {', '.join(known)}")
    return tuple(definition for definition in all_of_them if not names or definition.name in names)


def _definition(name: str, table: Mapping[str, Any]) -> Definition:
    try:
        definition = Definition(
            name=name,
            question=table["question"],
            unit=table["unit"],
            reference=table["reference"],
            rounds=table["rounds"],
            warmups=table["warmups"],
            entries=tuple(_entry(label, dict(options)) for label, options in table["engines"].items()),
            per_minute=tuple(table.get("per_minute", ())),
            quantity=table.get("quantity", "seconds"),
        )
    except KeyError as error:
        raise DefinitionError(f"[{name}] does not say {error}") from None
    if definition.reference not in {entry.name for entry in definition.entries}:
        raise DefinitionError(f"[{name}]: the reference {definition.reference!r} is none of its engines")
    if definition.rounds < 1 or definition.warmups < 0:
        raise DefinitionError(f"[{name}]: at least one round, and no fewer than 0 warm-ups")
    if definition.quantity not in QUANTITIES:
        raise DefinitionError(f"[{name}]: no such quantity as {definition.quantity}: there are {', '.join(QUANTITIES)}")
    return definition


def _entry(label: str, options: dict[str, Any]) -> Entry:
    promised = {key: options.pop(key, None) for key in ("ratio_max", "p50_max", "p95_max")}
    return Entry(label, options.pop("engine"), options=options, **promised)
