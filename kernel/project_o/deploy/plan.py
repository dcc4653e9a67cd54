"""How a canary is carried out: what share of the calls, for how long, and by what it is decided."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, fields
from typing import Any, Literal

from .. import limits
from ..errors import UsageError

_TABLE = 1 << 13


@dataclass(frozen=True, slots=True)
class Plan:
    """``share`` of the calls go to the new version, for ``calls`` calls of both or ``seconds``, what is over first.

    Where that does not decide it, it is extended as often as ``limits.CANARY_EXTENSIONS`` says. ``shadow``: the old
    version answers every call, and for a share of them the new one answers too, on copies, to be compared. Without
    ``timed`` latency has no say: what was repaired may take longer than what was wrong.
    """

    share: float = limits.CANARY_SHARE
    calls: int = limits.CANARY_CALLS
    seconds: float = limits.CANARY_SECONDS
    shadow: bool = False
    seed: int = 0
    timed: bool = True

    def __post_init__(self) -> None:
        """Raises UsageError for what cannot be meant."""
        if not 0.0 < self.share <= limits.CANARY_SHARE_MAX:
            raise UsageError(f"a share is above 0 and at most {limits.CANARY_SHARE_MAX:.0%}, not {self.share:.3%}")
        if not 1 <= self.calls <= limits.CANARY_CALLS_MAX:
            raise UsageError(f"calls are from 1 to {limits.CANARY_CALLS_MAX:,}, not {self.calls:,}")
        if not (self.seconds > 0.0 and math.isfinite(self.seconds)):
            raise UsageError(f"a canary lasts more than 0 seconds, not {self.seconds:g}")

    @property
    def pairs_max(self) -> int:
        """How many calls of the new version are compared at most, over all extensions."""
        wanted = math.ceil(self.calls * self.share * (1 + limits.CANARY_EXTENSIONS))
        return min(limits.CANARY_PAIRS_MAX, max(2 * limits.CANARY_PAIRS_MIN, wanted))

    def table(self) -> bytes:
        """For the number of a call, modulo its length: 1 where it goes to the new version. A hash of the seed."""
        draw = random.Random(f"canary {self.seed}")
        return bytes(draw.random() < self.share for _ in range(_TABLE))

    def to_json(self) -> dict[str, Any]:
        """As JSON has it."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Plan:
        """The inverse. Raises TypeError for what it does not know."""
        return cls(**body)


Outcome = Literal["promote", "rollback", "extend"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to become of a canary, and why in one line. ``shown``: the evidence says so, not that there is none."""

    outcome: Outcome
    reason: str
    shown: bool = True
