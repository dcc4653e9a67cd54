"""``definitions.toml`` as values, checked: a mistake in the table is told before anything is measured."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("definitions.toml")


class DefinitionError(ValueError):
    """The table of benchmarks says something that cannot be meant."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One competitor of a benchmark. ``ratio_max`` is what was promised against the reference, or None.

    ``limits`` is what was promised of its medians: metric -> at most; ``limits_p95`` of what 95 % keep.
    ``added_max`` is what it was promised to add to the reference, in seconds, or None.
    """

    name: str
    engine: str
    options: Mapping[str, Any]
    ratio_max: float | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    limits_p95: Mapping[str, float] = field(default_factory=dict)
    added_max: float | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """One benchmark. ``unit`` is what one value, in seconds, is the time of; the metrics in ``bytes`` are bytes."""

    name: str
    question: str
    unit: str
    reference: str
    rounds: int
    warmups: int
    entries: tuple[Entry, ...]
    per_minute: tuple[str, ...] = ()
    bytes: tuple[str, ...] = ()


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
            bytes=tuple(table.get("bytes", ())),
        )
    except KeyError as error:
        raise DefinitionError(f"[{name}] does not say {error}") from None
    if definition.reference not in {entry.name for entry in definition.entries}:
        raise DefinitionError(f"[{name}]: the reference {definition.reference!r} is none of its engines")
    if definition.rounds < 1 or definition.warmups < 0:
        raise DefinitionError(f"[{name}]: at least one round, and no fewer than 0 warm-ups")
    return definition


def _entry(label: str, options: dict[str, Any]) -> Entry:
    def promised(*names: str) -> dict[str, float]:
        return {name.partition("_")[0]: options.pop(name) for name in names if name in options}

    limits = promised("wall_max", "hook_max", "optimised_max", "growth_max", "excess_max")
    limits_p95 = promised("wall_p95_max", "hook_p95_max")
    ratio_max, added_max = options.pop("ratio_max", None), options.pop("added_max", None)
    return Entry(label, options.pop("engine"), options, ratio_max, limits, limits_p95, added_max)
