"""Rounds: every engine once in each, in random order, so that a burst of load meets them all."""

from __future__ import annotations

import random
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Literal

from .definitions import Definition, Entry

Sample = Mapping[str, float | list[float]]
"""What one visit took: metric -> seconds, or each of several. Every engine gives ``wall``, one value of it."""
Visit = Callable[[], Sample]
Engine = Callable[..., AbstractContextManager[Visit]]
"""Options of the table -> what is set up once, visited every round, and taken down."""


class UnavailableError(Exception):
    """Something that this engine needs is not on this machine; the message names it."""


class WrongAnswerError(Exception):
    """An engine gave another answer than the known one: its time means nothing."""


@dataclass(slots=True)
class Series:
    """What one engine gave: its values in order of measurement, or why there are none."""

    entry: Entry
    status: Literal["measured", "skipped", "failed"] = "measured"
    reason: str = ""
    samples: dict[str, list[float]] = field(default_factory=dict)


def measure(
    definition: Definition,
    engines: Mapping[str, Engine],
    rounds: int | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> list[Series]:
    """All rounds of one benchmark. An engine that is not available or fails is left out, with its reason."""
    order = random.Random(definition.name)
    series = [Series(entry) for entry in definition.entries]
    with ExitStack() as stack:
        visits: dict[str, Visit] = {}
        for one in series:
            say(f"{definition.name}: setting up {one.entry.name}")
            with _reported(one):
                visits[one.entry.name] = stack.enter_context(engines[one.entry.engine](**one.entry.options))
        total = rounds or definition.rounds
        for number in range(-definition.warmups, total):
            say(f"{definition.name}: round {number + 1} of {total}")
            running = [one for one in series if one.status == "measured"]
            order.shuffle(running)
            for one in running:
                with _reported(one):
                    sample = visits[one.entry.name]()
                    if number >= 0:
                        for metric, seconds in sample.items():
                            values = seconds if isinstance(seconds, list) else [seconds]
                            one.samples.setdefault(metric, []).extend(values)
    return series


@contextmanager
def _reported(one: Series) -> Iterator[None]:
    try:
        yield
    except UnavailableError as missing:
        one.status, one.reason = "skipped", str(missing)
    except Exception as error:  # noqa: BLE001 - one broken engine must not lose the others; it fails the command
        one.status, one.reason = "failed", f"{type(error).__name__}: {error}"
        traceback.print_exc()


def expect(what: str, expected: object, actual: object) -> None:
    """Raise WrongAnswerError unless both are equal."""
    if actual != expected:
        raise WrongAnswerError(f"{what}: {actual!r} instead of {expected!r}")


@contextmanager
def timed(sample: dict[str, float], metric: str = "wall") -> Iterator[None]:
    """Put the seconds of the body into ``sample``."""
    began = time.perf_counter()
    yield
    sample[metric] = time.perf_counter() - began
