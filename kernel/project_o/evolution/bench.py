"""Two kinds of objective behind one face: what the loop asks without knowing how it is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from ..values import Artifact, Measurement, Trial
from .quiet import Quiet
from .task import Jobs

if TYPE_CHECKING:
    from .validate import Oracle


class MeasurementFailed(Exception):  # noqa: N818 - it tells what happened, and never leaves this room
    """A side failed while it was measured, or there was no time left; the text says which and how."""


class Defect(MeasurementFailed):
    """What was measured shows a fault of the candidate. ``name`` is the check's, by which a user may allow it."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


@dataclass(frozen=True)
class Outcome:
    """What screening says of a candidate. ``ratio`` is against the baseline of the run, above 1 the better;
    ``evidence`` is for whoever proposes next, ``interval`` bounds the ratio, ``behaviour`` see there."""

    status: Literal["baseline", "better", "no better", "failed"]
    reason: str
    cost: float | None = None
    ratio: float | None = None
    metrics: tuple[tuple[str, float], ...] = ()
    evidence: str = ""
    interval: tuple[float, float] | None = None
    behaviour: str = ""


class Bench(Protocol):
    """How candidates of one run are checked and compared."""

    threshold: float
    """The lower bound of the ratio that an accepted candidate must exceed."""

    quiet: Quiet
    """What keeps builds and checks away from timings."""

    def prepare(self, jobs: Jobs, artifact: Artifact) -> Outcome:
        """Learn what the baseline does. Raises EvolutionError where nothing can be compared with it."""

    def oracle(self, jobs: Jobs, *, fresh: bool = False) -> Oracle | None:
        """The incumbent's answers, with ``fresh`` to inputs that no candidate has seen; None where scores judge.

        Raises EvolutionError where too few of the fresh inputs are valid.
        """

    def check(self, jobs: Jobs, artifact: Artifact, *, fresh: bool = False) -> Trial:
        """Whether a candidate answers as it must; with ``fresh`` on inputs that no candidate has seen."""

    def behaviour(self, artifact: Artifact) -> str:
        """What a build does as far as it shows before it is measured, as one word; "" where it does not."""

    def screen(self, jobs: Jobs, artifact: Artifact, index: int) -> Outcome:
        """Measure a candidate cheaply, after it passed the other checks."""

    def compare(
        self, jobs: Jobs, artifact: Artifact, purpose: str, deadline: float | None, *, candidates: int = 1
    ) -> Measurement:
        """Measure a candidate properly, in fresh processes, on inputs of this purpose.

        ``deadline`` is on ``time.monotonic``. The error of the interval is that of a run shared by ``candidates``, so
        many as are looked at in this stage. Raises Defect where the gain is none, MeasurementFailed where the deadline
        leaves too little time or a side fails.
        """

    def comparison_seconds(self) -> float:
        """About how long ``compare`` takes, wall time."""

    def shortest_seconds(self) -> float:
        """About how long ``compare`` takes at the least, wall time."""
