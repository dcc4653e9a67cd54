"""Very many random inputs, for a translation that is to take the place of a function in another language.

What serves and its candidates mostly share a text, and a few hundred inputs show where they differ. A translation
shares nothing but the meaning, so the one that is to win is asked ``limits.FUZZ_INPUTS``, of small sizes and drawn
values, and one difference refuses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ... import limits
from ...values import CheckStage, Finding
from ..compare import difference
from ..infer import typed
from ..inputs import Case, Inputs
from ..task import Answer, Handle, generator
from ..validate import unmeant
from .face import declines, too_many
from .literals import told
from .seam import INPUTS, OUT_OF_DOMAIN, Subject, failed, passed


class Fuzz:
    """The stage "generated", of a finalist alone."""

    stage: CheckStage = "generated"

    def run(self, subject: Subject) -> Finding:
        """Ask both; the first difference is told."""
        if not subject.fresh or not subject.task.crosses(subject.program):
            return passed("generated")
        task = subject.task
        function = typed(task.function_of(subject.baseline), task.samples())
        inputs = Inputs(function, task.samples(), subject.seed)
        rng = generator(subject.seed, "fuzz")
        asked = declined = left_out = batch = 0
        with subject.jobs.open(subject.baseline) as incumbent, subject.jobs.open(subject.artifact) as candidate:
            while asked < limits.FUZZ_INPUTS and left_out <= limits.FUZZ_INPUTS:
                count = min(limits.FUZZ_BATCH, limits.FUZZ_INPUTS - asked)
                cases = [_drawn(inputs, rng, uneven=batch < UNEVEN_BATCHES) for _ in range(count)]
                batch += 1
                answers = zip(
                    cases, _each(incumbent, function.name, cases), _each(candidate, function.name, cases), strict=True
                )
                for case, expected, answer in answers:
                    if answer.ok and not expected.ok and expected.error_name:
                        why = f"on {told(case.args)}: it answers where the Python function raises {expected.error_name}"
                        return failed("generated", why, facts={INPUTS: asked})
                    if unmeant(expected):
                        left_out += 1
                        continue
                    asked += 1
                    if declines(subject, answer):
                        declined += 1
                    elif found := difference(expected, answer, function.result):
                        task.kept.keep(function.name, case.args)
                        return failed("generated", f"on {told(case.args)}: {found}", facts={INPUTS: asked})
        if asked < limits.FUZZ_INPUTS:
            why = f"the Python function fails on {left_out:,} of {left_out + asked:,} random inputs: show with --inputs"
            return failed("generated", f"{why} what it is meant for", facts={INPUTS: asked})
        if why := too_many(declined, asked):
            return failed("generated", why, facts={INPUTS: asked})
        whom = f"{asked:,} random inputs" + (f", {declined:,} of which it left to it" if declined else "")
        facts = {INPUTS: asked, OUT_OF_DOMAIN: left_out, "declined": declined}
        return passed("generated", f"0 differences from the Python function on {whom}", facts=facts)


UNEVEN_BATCHES = 20
"""In the first of them, arrays that the samples show to be equally long are not: what raises there has to raise."""


def _drawn(inputs: Inputs, rng: np.random.Generator, *, uneven: bool) -> Case:
    """One input; sizes of 0 and 1 are among them."""
    sizes = [int(rng.integers(min(size, limits.FUZZ_SIZE_MAX) + 1)) for size in inputs.random_sizes(rng)]
    case = inputs.case(rng, sizes, "random")
    if uneven:
        cut = (item[: int(rng.integers(len(item) + 1))] if isinstance(item, np.ndarray) else item for item in case.args)
        return replace(case, args=tuple(cut))
    return case


def _each(side: Handle, name: str, cases: Sequence[Case]) -> Sequence[Answer]:
    """Its answers; one by one where they did not all come at once, because one of them is no value."""
    found = side.ask_each(name, [case.args for case in cases], seconds=limits.VALIDATION_CALL_SECONDS)
    if found.whole.ok and len(found.each) == len(cases):
        return found.each
    return [side.ask(name, case.args, seconds=limits.VALIDATION_CALL_SECONDS) for case in cases]
