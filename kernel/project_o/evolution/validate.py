"""Whether a candidate answers as the incumbent does, on generated inputs of many sizes.

Both run in sandboxed processes of their own. What the incumbent answered stays in this process: a candidate is
given arguments and nothing else. An input on which the incumbent panics, faults or runs out of time, or on which a
Python function falls over what nobody thought of, is out of its domain and left out; an error value that it returns, or
raises itself, is an answer like any other, but shows nothing of what the function computes, so it does not count
towards the share of valid inputs.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from .. import limits
from ..errors import EvolutionError
from ..values import Artifact, NativeFunction, Trial
from .compare import difference
from .inputs import Case
from .task import Answer, Jobs


def unmeant(answer: Answer) -> bool:
    """Whether this is no answer: the input is out of the function's domain."""
    return not answer.ok and not answer.meant


@dataclass(frozen=True)
class Oracle:
    """The incumbent's answers to the cases that are in its domain. It never crosses to a candidate's process."""

    function: NativeFunction
    known: tuple[tuple[Case, Answer], ...]
    left_out: int

    @property
    def first(self) -> Case:
        """The first case that it answers with a value."""
        return next(case for case, answer in self.known if answer.ok)


def consult(jobs: Jobs, artifact: Artifact, function: NativeFunction, cases: Sequence[Case], *, given: bool) -> Oracle:
    """Ask the incumbent each case twice, in two processes.

    Raises EvolutionError where it fails or is not deterministic on the user's own inputs (``given``), where too few
    inputs are valid, or where it never gives the same answer twice.
    """
    known: list[tuple[Case, Answer]] = []
    unstable = 0
    started = time.monotonic()
    with jobs.open(artifact) as first, jobs.open(artifact) as second:
        for number, case in enumerate(cases):
            answer = first.ask(function.name, case.args, seconds=limits.TRIAL_WALL_SECONDS if number == 0 else
                               limits.VALIDATION_CALL_SECONDS)  # fmt: skip
            if unmeant(answer):
                if given and case.label == "the sample":
                    if getattr(answer, "denied", False):
                        raise EvolutionError(
                            f"{function.name} needs what the sandbox refuses ({answer.error}): candidates have no "
                            "files, network, processes or further modules; do that before, and pass what comes of it"
                        )
                    raise EvolutionError(
                        f"{function.name} itself fails on --inputs ({answer.error}): mend one of the two"
                    )
                continue
            again = second.ask(function.name, case.args, seconds=limits.TRIAL_WALL_SECONDS)
            if difference(answer, again, function.result):
                unstable += 1
                continue
            known.append((case, answer))
            if time.monotonic() - started > limits.VALIDATION_TOTAL_SECONDS:
                cases = cases[: number + 1]
                break
    values = sum(1 for _, answer in known if answer.ok)
    if unstable and unstable >= values:
        raise EvolutionError(
            f"{function.name} gives different answers to the same input ({unstable} of {len(cases)}): nothing can be "
            "compared with it; give an evaluator instead"
        )
    if values < max(1, limits.VALID_INPUTS_SHARE_MIN * len(cases)):
        how = "show with --inputs which arguments it is meant for, as a tuple or a list of tuples"
        if given:
            how = "what is in them belongs together, and drawn anew it does not; an evaluator of yours can judge it"
        raise EvolutionError(
            f"{function.name} answers only {values} of {len(cases)} generated inputs with a value: {how}"
        )
    return Oracle(function, tuple(known), len(cases) - len(known))


def validate(jobs: Jobs, artifact: Artifact, oracle: Oracle, level: str) -> Trial:
    """Ask a candidate every case that the incumbent answered. A disagreement or a failure ends it: outcome "failed"."""
    wall = cpu = 0.0
    asked = 0
    with jobs.open(artifact) as job:
        for case, expected in oracle.known:
            allowed = max(limits.CANDIDATE_CALL_SECONDS_MIN, limits.CANDIDATE_SLOWER_FACTOR_MAX * expected.wall_seconds)
            answer = job.ask(oracle.function.name, case.args, seconds=allowed)
            asked += 1
            wall += answer.wall_seconds
            cpu += answer.cpu_seconds
            found = difference(expected, answer, oracle.function.result)
            if found:
                return Trial(
                    "failed", level, f"on {case.label}: {found}", answer.ended, wall, cpu, asked, oracle.left_out
                )
    return Trial("passed", level, "", "", wall, cpu, asked, oracle.left_out)
