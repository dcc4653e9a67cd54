"""One fault in a function of ours: found by its property tests, repaired, and judged on inputs that nobody has seen.

The finder and the repair know the properties alone: cases (arguments, answer), of which a run shows its proposer half.
The function as it was is asked twice: before, whether a fault changes any answer at all (one that changes none is drawn
again), and at the end, whether the repaired one answers unseen inputs as it did. If not, the repair is over-fitted.
"""

from __future__ import annotations

import ast
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

from project_o import evolve
from project_o.errors import EvolutionError
from project_o.evolution.compare import values_differ
from project_o.evolution.repair.hunt import Hunt, Repair

from ..repair.measure import loaded
from .answers import Answer, answers
from .faults import Fault, drawn, faults
from .properties import SUBJECTS, Case, Subject

CASES, DIFFERENTIAL_CASES, UNSEEN_CASES = 100, 400, 200  # a hundred is what Hypothesis draws, too
DIFFERENTIAL_SEED, UNSEEN_SEED, GIVEN_SEED = 1, 2, 100
BUDGET_SECONDS = 30.0
DRAWS_MAX = 60


def subject_of(number: int) -> Subject:
    """Whose turn it is: each of the functions once, and then again."""
    return SUBJECTS[number % len(SUBJECTS)]


@cache
def fault_of(number: int) -> tuple[Fault, int]:
    """The fault of that number, and how many were drawn before it that change no answer."""
    subject = subject_of(number)
    own, every = subject.carried, faults(subject.carried.function)
    rng = random.Random(f"own bug {number}")
    questions, right = _judged(subject, DIFFERENTIAL_CASES, DIFFERENTIAL_SEED)
    for again in range(DRAWS_MAX):
        fault = drawn(every, rng)
        (given,) = answers([own.with_function(fault.text)], own.name, questions)
        if wrong_of(right, given):
            return fault, again
    raise ValueError(f"{DRAWS_MAX} faults of {subject.module}:{subject.name} change nothing")


@cache
def _judged(subject: Subject, count: int, seed: int) -> tuple[list[tuple[Any, ...]], list[Answer]]:
    """Questions, and what the function as it is answers."""
    questions = [args for args, _ in subject.cases(count, seed)]
    (right,) = answers([subject.carried.text], subject.name, questions)
    return questions, right


def wrong_of(right: list[Answer], given: list[Answer]) -> int:
    """How many answers differ."""
    return sum(a[0] != b[0] or bool(values_differ(a[1], b[1])) for a, b in zip(right, given, strict=True))


def measured(number: int, folder: Path, budget: float = BUDGET_SECONDS) -> dict[str, Any]:
    """What becomes of the fault of that number. The files of the repository are read, never written."""
    subject, (fault, again) = subject_of(number), fault_of(number)
    row: dict[str, Any] = {
        "number": number, "function": f"{subject.module}:{subject.name}", "kind": fault.kind, "line": fault.line,
        "before": fault.before, "after": fault.after, "drawn again": again,
    }  # fmt: skip
    cases = subject.cases(CASES, GIVEN_SEED + number)
    wrong_text = subject.carried.with_function(fault.text)
    failing = failures(subject, wrong_text, cases)
    row |= {"cases": len(cases), "failing": len(failing)}
    if not failing:
        return {**row, "outcome": "not found"}
    path = folder / f"own_bug_{number}.py"
    path.write_text(wrong_text, "utf-8")
    program, began = getattr(loaded(path), subject.name), time.monotonic()
    try:
        with counting() as hunted:
            run = evolve(program, tests=cases, proposer="repair", budget=budget, seed=number)
    except EvolutionError as error:
        return {**row, "outcome": "not repaired", "reason": str(error)}
    row |= {"seconds": round(time.monotonic() - began, 1), "tried": sum(hunt.tried for hunt in hunted)}
    if not run.verdict.accepted:
        return {**row, "outcome": "not repaired", "reason": run.verdict.reasons[-1]}
    wrong = unseen_wrong(subject, run.best.source)
    same = ast.dump(ast.parse(run.best.source)) == ast.dump(ast.parse(subject.carried.function))
    winner = next(item.proposal for item in run.trials if item.proposal.program == run.best)
    row |= {
        "place": place_of(hunted[0], run.best.source),
        "wrong of unseen": wrong,
        "as it was": same,
        "template": winner.operator,
        "why": winner.hypothesis,
    }
    return {**row, "outcome": "over-fitted" if wrong else "repaired"}


def control(number: int, tries: int) -> dict[str, Any]:
    """So many mutations drawn by chance, by the same operators as the faults, anywhere in the function: the first that
    passes every case is taken, and judged alike."""
    subject, (fault, _) = subject_of(number), fault_of(number)
    own, cases = subject.carried, subject.cases(CASES, GIVEN_SEED + number)
    failing = failures(subject, own.with_function(fault.text), cases)
    every, rng = faults(fault.text), random.Random(f"control {number}")
    first_at: dict[str, int] = {}
    for at in range(1, tries + 1):
        first_at.setdefault(own.with_function(drawn(every, rng).text), at)
    texts = list(first_at)
    first = [failing[0], *(case for case in cases if case is not failing[0])]
    for some in (first[:1], first):  # the one that fails first: most are out at once
        rows = answers(texts, own.name, [args for args, _ in some])
        texts = [text for text, given in zip(texts, rows, strict=True) if not _wrong(some, given)]
    if not texts:
        return {"tries": tries, "outcome": "not repaired"}
    questions, right = _judged(subject, UNSEEN_CASES, UNSEEN_SEED)
    (given,) = answers(texts[:1], own.name, questions)
    outcome = "over-fitted" if wrong_of(right, given) else "repaired"
    return {"tries": tries, "place": first_at[texts[0]], "outcome": outcome}


def failures(subject: Subject, text: str, cases: list[Case]) -> list[Case]:
    """The cases that a text gets wrong, by the property alone."""
    (given,) = answers([text], subject.name, [args for args, _ in cases])
    return _wrong(cases, given)


def unseen_wrong(subject: Subject, function: str) -> int:
    """How many unseen inputs a text of the function answers in another way than the function as it was."""
    questions, right = _judged(subject, UNSEEN_CASES, UNSEEN_SEED)
    (given,) = answers([subject.carried.with_function(function)], subject.name, questions)
    return wrong_of(right, given)


@contextmanager
def counting() -> Iterator[list[Hunt]]:
    """The hunts of the runs inside: a run itself does not say how many texts it tried."""
    found: list[Hunt] = []
    plain = Hunt.run

    def run(hunt: Hunt) -> list[Repair]:
        found.append(hunt)
        return plain(hunt)

    with mock.patch.object(Hunt, "run", run):
        yield found


def place_of(hunt: Hunt, text: str) -> int:
    """How many texts the hunt had tried when it came to this one."""
    order = [item.text for item in hunt._ordered(hunt.artifact.program.source)]
    return order.index(text) + 1


def _wrong(cases: list[Case], given: list[Answer]) -> list[Case]:
    pairs = zip(cases, given, strict=True)
    return [case for case, (kind, value) in pairs if kind != "value" or values_differ(case[1], value)]
