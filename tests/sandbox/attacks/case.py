"""What an attack is: a hostile source, what it needs of the world, and an oracle that looks at the world afterwards.

To add an attack: write it in the file of its class with ``@attack``'s data beside it, and run
``python -m attacks NAME`` in ``tests/sandbox``: the control must succeed, every other setting must not.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

CLASSES = ("files", "processes", "signals", "network", "memory", "time", "results", "builds", "state", "output")


@dataclass
class Outcome:
    """What the evaluator, naive or not, made of a candidate; ``told`` is all that reached its user as text."""

    value: Any = None
    told: str = ""
    ended: str = ""
    error: str = ""
    verdict: bool = False
    claimed_seconds: float = 0.0
    seconds: float = 0.0
    failed: str = ""
    peak_bytes: int = 0
    facts: dict[str, Any] = field(default_factory=dict)


Oracle = Callable[[Any, Outcome], bool]


@dataclass(frozen=True)
class Case:
    """One attack. ``source`` defines ``attack(w)``, where ``w`` holds the ``needs`` of the world; for builds
    ``order`` makes of the world what is built, with ``compiler``.

    ``later`` is asked of the next candidate, in the same evaluator; ``watch`` looks at the world while the attack
    runs. ``result`` says how the naive evaluator reads the result. ``alone`` cases hit every process of the user:
    they run only as a user that was made for them. ``machines`` are those whose instructions the case is written in.
    ``whole_machine`` cases are judged by figures to which others add too: what they show must show three times.
    ``soft_limit``: the naive evaluator sets one on memory, as a candidate may raise.
    """

    name: str
    kind: str
    source: str
    oracle: Oracle
    language: str = "python"
    needs: tuple[str, ...] = ()
    later: str = ""
    watch: Callable[[Any, Outcome], bool] | None = None
    wall_seconds: float = 2.0
    cpu_seconds: float = 1.5
    result: str = "pickle"
    alone: bool = False
    machines: tuple[str, ...] = ()
    control_lacks: str = ""
    function: str = ""
    library: str = ""
    numbers: Callable[[Any], tuple[Any, ...]] | None = None
    scratch_only: bool = False
    evaluator_only: bool = False
    whole_machine: bool = False
    soft_limit: bool = False
    order: Callable[[Any], dict[str, Any]] | None = None
    compiler: str = ""

    @property
    def in_the_way(self) -> bool:
        """Whether another one like it could be taken for this one."""
        return self.whole_machine or bool({"fixed", "fixed_canary"} & set(self.needs))


CASES: dict[str, Case] = {}


def attack(name: str, kind: str, source: str, oracle: Oracle, **more: Any) -> None:
    """Register one case."""
    assert kind in CLASSES, kind
    assert name not in CASES, name
    CASES[name] = Case(name, kind, source, oracle, **more)


# Oracles that many share ------------------------------------------------------------------------------------------


def leaked(world: Any, outcome: Outcome) -> bool:
    """The random token has come out: whoever knows it has read what it was not to read."""
    return world.token in f"{outcome.value!r} {outcome.told} {outcome.error}"


def damaged(world: Any, outcome: Outcome) -> bool:
    """The canary, its folder, or what they are allowed to be is not as it was."""
    return world.fingerprint() != world.before


def reached(world: Any, outcome: Outcome) -> bool:
    """Something has come in at a listener."""
    return world.heard()


def victim_gone(world: Any, outcome: Outcome) -> bool:
    """A process that had nothing to do with it was ended, stopped or seized."""
    return soon(lambda: world.victim_state() not in ("S", "R"), 0.03)


def lives_on(world: Any, outcome: Outcome) -> bool:
    """What was to end did not: the candidate is there after its time, or whoever waited for it waited far too long."""
    return outcome.seconds > 3.5 or (outcome.ended != "" and outcome.facts["host"].alive())


def soon(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether it becomes true within these seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True


def marked(world: Any, outcome: Outcome) -> bool:
    """The file that only an escaped attack makes is there."""
    return world.appeared()
