"""An agent left alone: it perceives what is worst, says what it thinks is the cause, and sends that through the flow.

    perceive -> hypothesis -> run (proposals, sandbox, tests, measurement, verdict) -> canary -> verdict -> learned

Nothing here changes anything by itself: a version is judged by a run as one that a person asked for, and then serves a
share of the calls until they have decided. What was tried in vain is not tried again before its sign changes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import limits
from ..errors import DeployError, EvolutionError, ProjectOError, UsageError
from .watched import Case, Metric, Sign, Watched, watched

if TYPE_CHECKING:
    from ..evolution import Run
    from ..flow import Flow

Choose = Callable[[Sequence[Sign]], Sign | None]
"""(what was perceived, the worst first) -> what to look into, or None."""


@dataclass(frozen=True)
class Deed:
    """One thing that was looked into: the sign, the hypothesis, the run, what became of it, and the sign afterwards."""

    sign: Sign
    hypothesis: str
    run: Run | None
    outcome: str
    after: Sign

    @property
    def recovered(self) -> float:
        """Which share of the loss is gone, at most 1."""
        return 1.0 - self.after.loss / self.sign.loss if self.sign.loss else 1.0

    def __str__(self) -> str:
        return f"{self.sign}. {self.hypothesis} {self.outcome} Now: {self.after}."


def worst(signs: Sequence[Sign]) -> Sign | None:
    """The sign with the largest loss, where it is more than noise."""
    return signs[0] if signs and signs[0].loss >= limits.SIGN_LOSS_MIN else None


class Improver:
    """Looks after things by name and makes them better by itself, through ``flow`` and within bounds."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._watched: dict[str, Watched] = {}
        self._in_vain: dict[str, str] = {}
        self.deeds: list[Deed] = []

    def watch(
        self,
        target: Any,
        cases: Sequence[Case] = (),
        *,
        metric: Metric | None = None,
        layer: str = "",
        find: Callable[[], Any] | None = None,
    ) -> Sign:
        """Look after a function or an agent; how it is now is its past.

        ``cases`` are pairs of arguments and what is right, ``metric`` a number of it of which more is better, ``layer``
        what it is told as (its language), and ``find`` gives what its user calls so now, where that may be defined
        anew. Raises UsageError where there is nothing to ask it, and for what cannot be evolved.
        """
        one = watched(self._flow, target, cases, metric, layer, find)
        self._watched[one.name] = one
        return one.sign()

    def changed(self, target: Any) -> None:
        """A thing that is looked after was defined anew: from now on that is asked. Raises UsageError for another."""
        name, _ = self._flow._named(target)
        if name not in self._watched:
            raise UsageError(f"{name} is not looked after: watch({name}, cases) begins that")
        self._watched[name].target = target

    def perceive(self) -> tuple[Sign, ...]:
        """What everything that is looked after is like now, the worst first."""
        return tuple(sorted((one.sign() for one in self._watched.values()), key=lambda sign: -sign.loss))

    def improve(self, seconds: float = 60.0, *, seed: int = 0, choose: Choose = worst) -> tuple[Deed, ...]:
        """For so many seconds: look into what is worst, and into the next, until nothing is or time is over.

        Raises EvolutionError where nothing may change itself here.
        """
        self._flow._allow_change()
        until, done = time.monotonic() + seconds, list[Deed]()
        while (left := until - time.monotonic()) > limits.DEED_SECONDS_MIN:
            signs = [sign for sign in self.perceive() if self._in_vain.get(sign.name) != str(sign.kind)]
            sign = choose(signs)
            if sign is None:
                break
            done.append(self._look_into(sign, left, seed))
        self.deeds += done
        return tuple(done)

    # ------------------------------------------------------------------ one deed

    def _look_into(self, sign: Sign, left: float, seed: int) -> Deed:
        one, run = self._watched[sign.name], None
        hypothesis, wishes = self._hypothesis(one, sign)
        try:
            run = self._flow.evolve(one.target, seed=seed, budget=left * limits.DEED_RUN_SHARE, **wishes)
            outcome = self._release(one, sign, run, left)
        except ProjectOError as error:
            outcome = f"It could not be tried: {error}."
        after = next(item for item in self.perceive() if item.name == sign.name)
        deed = Deed(sign, hypothesis, run, outcome, after)
        if deed.recovered < limits.DEED_RECOVERED_MIN:
            self._in_vain[sign.name] = sign.kind
        return deed

    def _hypothesis(self, one: Watched, sign: Sign) -> tuple[str, dict[str, Any]]:
        """What may be the cause, in words, and the run that would show it."""
        inputs = [args for args, _ in one.cases]
        agent = hasattr(one.target, "turns")
        if sign.kind == "failures":
            text = f"Its {one.layer} has a fault that its cases show: a repair makes them pass."
            language = self._flow.registry.releases(one.name)[-1].program.language
            if language != ("lisp" if agent else "python"):  # there are templates for functions, and for agents in Lisp
                return text, {"evaluator": _share_right(one), "objective": "score"}
            return text, {"tests": [(args, right) for args, right in one.cases], "proposer": "repair"}
        if sign.kind == "score":
            return f"The settings of its {one.layer} do not fit: others score better.", {
                "evaluator": lambda program: {"score": float(one.metric(program))},  # type: ignore[misc]
                "objective": "score",
            }
        text = f"Its {one.layer} does more work than it has to: a faster text answers the same."
        if agent:
            return text, {"evaluator": _timed(one), "objective": "seconds"}
        return text, {"inputs": inputs}

    def _release(self, one: Watched, sign: Sign, run: Run, left: float) -> str:
        """An accepted version serves: by a canary where calls can decide it, at once where only a score can."""
        if not run.verdict.accepted:
            return f"Nothing better was found: {run.verdict.reasons[-1]}."
        if sign.kind == "score" or hasattr(one.target, "turns"):
            run.accept()
            return f"A version was accepted: {run.verdict.reasons[-1]}."
        from ..deploy.plan import Plan

        right = {_key(args): answer for args, answer in one.cases}
        metrics = {"right": lambda value, *args: float(_same(right.get(_key(args)), value))}
        plan = Plan(0.5, limits.DEED_CANARY_CALLS, seconds=max(1.0, left), timed=sign.kind == "time")
        traffic = one.traffic()
        try:
            self._flow.releases.canary(one.name, run, plan, metrics if sign.kind == "failures" else None)
        except (DeployError, EvolutionError) as error:  # a build that is not optimised yet, say
            run.accept()
            return f"A version was accepted without a canary ({error}): {run.verdict.reasons[-1]}."
        said = self._drive(one, traffic, time.monotonic() + max(1.0, left * (1 - limits.DEED_RUN_SHARE)))
        return said or "Its canary goes on: the calls that follow decide it."

    def _drive(self, one: Watched, traffic: Sequence[tuple[Any, ...]], until: float) -> str:
        """The probe's calls are the canary's first traffic, until they have decided it or time is over."""
        releases = self._flow.releases
        while releases.canaries.of(one.name) is not None and time.monotonic() < until:
            for args in traffic:
                try:
                    one.call(*args)
                except Exception:  # noqa: BLE001 - the canary counts what fails
                    continue
        return " ".join(f"{said.text}." for said in releases.settle() if said.name == one.name)


def _share_right(one: Watched) -> Callable[[Any], Mapping[str, float]]:
    def evaluate(program: Any) -> dict[str, float]:
        return {"score": sum(_answers(program, args, right) for args, right in one.cases) / len(one.cases)}

    return evaluate


def _timed(one: Watched) -> Callable[[Any], Mapping[str, float]]:
    def evaluate(program: Any) -> dict[str, float]:
        began = time.perf_counter()
        right = sum(_answers(program, args, expected) for args, expected in one.cases)
        return {"seconds": time.perf_counter() - began, "right": right / len(one.cases)}

    return evaluate


def _answers(program: Any, args: tuple[Any, ...], right: Any) -> bool:
    try:
        return _same(right, program(*args))
    except Exception:  # noqa: BLE001 - a candidate that raises does not answer
        return False


def _same(right: Any, value: Any) -> bool:
    from ..evolution.compare import values_differ

    return not values_differ(right, str(value) if isinstance(value, str) else value)


def _key(args: Sequence[Any]) -> str:
    return repr(args)
