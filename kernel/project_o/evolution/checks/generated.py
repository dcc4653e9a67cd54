"""Generated tests: a candidate against the incumbent, or against a reference that the user gave.

Asked in this order, until one shows a difference: the counterexamples that are kept of earlier candidates; the bench's
inputs, of many sizes; inputs at the edges of their types; neighbours of the arguments that were observed; inputs far
beyond the samples (``reach``). Screening and confirmation have different ones. On a difference the input is shrunk to a
minimal one, which is told as valid Python and kept. What the incumbent itself fails on, or answers in two ways, is out
of its domain.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ... import limits
from ...errors import EvolutionError, InterfaceError, ProjectOError
from ...values import CheckStage, Finding, NativeFunction, Scalar
from ..compare import difference, slack_of
from ..goals import ACCURACY
from ..infer import takes_any, typed
from ..inputs import Case, Inputs
from ..plausible import PRECISION
from ..task import Answer, Handle, Task, generator
from ..validate import unmeant
from .again import not_kept, not_lasting
from .constants import only_in
from .edges import edges
from .face import another_face, declines, too_many
from .literals import told
from .precision import ALL_DIGITS, Seen, lost
from .precision import cases as with_all_digits
from .reach import Reach
from .reference import Reference
from .rounding import is_rounding
from .seam import CPU_SECONDS, ENDED, INPUTS, OUT_OF_DOMAIN, WALL_SECONDS, Subject, failed, passed
from .shrink import shrink

KEPT = "a counterexample that is kept"
Pair = tuple[Case, Answer]


@dataclass(frozen=True)
class Known:
    """What is asked in one phase: the cases with their answers, and how many were out of the domain."""

    pairs: tuple[Pair, ...]
    left_out: int

    @property
    def by_case(self) -> Iterator[tuple[int, Pair]]:
        """The pairs by the identity of their case."""
        return ((id(pair[0]), pair) for pair in self.pairs)


class Generated:
    """The stage "generated". One object serves all candidates of a run."""

    stage: CheckStage = "generated"

    def __init__(self, task: Task) -> None:
        self._lock = threading.Lock()
        self._known: dict[bool, Known] = {}
        self._kept: dict[str, Pair | None] = {}
        self._reference = Reference(task.reference) if task.reference is not None else None

    def prepare(self, subject: Subject) -> None:
        """What serves must itself answer as the reference does. Raises EvolutionError."""
        if self._reference is None:
            return
        function = _function(subject)
        for case, answer in self._of(subject).pairs:
            with subject.jobs.open(subject.baseline) as incumbent:
                own = incumbent.ask(function.name, case.args, seconds=limits.VALIDATION_CALL_SECONDS)
            if found := difference(answer, own, function.result):
                raise EvolutionError(
                    f"{function.name} itself differs from {self._reference.name} on {told(case.args)}: {found}: "
                    "mend one of the two"
                )

    def run(self, subject: Subject) -> Finding:
        """Ask every case; a difference is shrunk, told and kept."""
        function = _function(subject)
        if why := another_face(subject, function.name):
            return failed("generated", why, why)
        kept, known = self._earlier(subject, function.name), self._of(subject)
        wall = cpu = 0.0
        asked = declined = 0
        seen: list[Seen] = []
        with subject.jobs.open(subject.artifact) as candidate:
            answered: list[Pair] = []
            for case, expected in (*kept, *known.pairs):
                moved = _offset(subject.task, case)
                answer = candidate.ask(
                    function.name, case.args, seconds=_allowed(expected), offset_bytes=moved, fenced=not moved
                )
                asked += 1
                wall, cpu = wall + answer.wall_seconds, cpu + answer.cpu_seconds
                if declines(subject, answer):
                    declined += 1
                    continue
                if case.label != KEPT:
                    answered.append((case, expected))
                if found := difference(expected, answer, function.result):
                    facts = facts_of(asked, wall, cpu) | {ENDED: answer.ended}
                    if finding := self._failed(subject, candidate, case, expected, answer, found, facts):
                        return finding
                elif case.label.startswith(ALL_DIGITS):
                    seen.append((case, expected, answer))
            if found := too_many(declined, asked) or self._digits_lost(subject, seen):
                return failed("generated", found, found, facts_of(asked, wall, cpu))
            if found := self._called_again(subject, candidate, answered):
                return failed("generated", found, found, facts_of(asked, wall, cpu))
            try:
                asked += self._far(subject, candidate, facts_of(asked, wall, cpu))
            except _Wrong as wrong:
                return wrong.finding
        told_facts = facts_of(asked, wall, cpu) | {OUT_OF_DOMAIN: known.left_out}
        whom = f"as {self._reference.name} does" if self._reference else "as the incumbent does"
        return passed("generated", f"it answers {whom} on {asked} inputs", facts=told_facts)

    def cases(self) -> list[Case]:
        """All that the candidates of this run are asked, in any of its phases so far."""
        with self._lock:
            known = [pair for found in self._known.values() for pair in found.pairs]
            kept = [pair for pair in self._kept.values() if pair is not None]
        return [case for case, _ in (*kept, *known)]

    def _digits_lost(self, subject: Subject, seen: Sequence[Seen]) -> str:
        """What the answers to inputs with all digits show together; "" where the user says how much accuracy counts."""
        task = subject.task
        named = {text.split(":")[0] for text in (task.objective, *task.also, *task.guards)}
        if PRECISION in task.allowed or ACCURACY in named or not seen:
            return ""
        function = _function(subject)
        with subject.jobs.open(subject.baseline) as first, subject.jobs.open(subject.baseline) as second:
            ask = self._asker(subject, first, second, limits.EDGE_CALL_SECONDS)
            found = lost(seen, function.result, lambda moved: ask(function.name, moved))
        return f"{found} (if this is meant, allow it by name: {PRECISION})" if found else ""

    @staticmethod
    def _called_again(subject: Subject, candidate: Handle, pairs: Sequence[Pair]) -> str:
        """What several calls show that one does not; very many only of the one that is to win."""
        function = _function(subject)
        with subject.jobs.open(subject.baseline) as incumbent:
            found = not_kept(candidate, incumbent, function.name, pairs, function.result)
        return found or (not_lasting(candidate, function.name, pairs, function.result) if subject.fresh else "")

    def _far(self, subject: Subject, candidate: Handle, facts: dict[str, Scalar]) -> int:
        """Inputs far beyond the samples: how many both answered. Raises _Wrong for one that is answered otherwise.

        The numbers of its text are tried of every candidate, the ladder of the one that is to win.
        """
        function = subject.oracle.function if subject.oracle else _function(subject)
        inputs = Inputs(function, subject.task.samples(), subject.seed)
        rng = generator(subject.seed, "far", subject.program.digest, subject.fresh)
        until = _Until(subject)
        asked = 0
        with subject.jobs.open(subject.baseline) as incumbent:

            def look(case: Case) -> float | None:
                nonlocal asked
                if until.over():
                    return None
                began = time.monotonic()
                try:
                    expected = self._right(incumbent, function, case)
                finally:
                    until.spent += time.monotonic() - began
                if expected is None:
                    return None
                asked += 1
                given = candidate.ask(
                    function.name, case.args, seconds=_allowed(expected), offset_bytes=_offset(subject.task, case)
                )
                slack = slack_of(_elements(case.args), function.result)
                if not declines(subject, given) and (found := difference(expected, given, function.result, slack)):
                    more = {**facts, ENDED: given.ended}
                    finding = self._failed(subject, candidate, case, expected, given, found, more)
                    if finding is not None:
                        raise _Wrong(finding)
                return max(expected.wall_seconds, time.monotonic() - began - given.wall_seconds)

            reach = Reach(inputs, rng, look)
            reach.at(only_in(subject.program.source, subject.incumbent.source))
            if subject.fresh:
                until = _Until(subject)
                reach.climb(until.over)
        return asked

    def _right(self, incumbent: Handle, function: NativeFunction, case: Case) -> Answer | None:
        """What is right on a large or a wild input; None where it is out of the domain, or takes too long."""
        try:
            answer = incumbent.ask(function.name, case.args, seconds=limits.REACH_ANSWER_SECONDS)
        except ProjectOError:
            return None  # it cannot be sent, or is larger than what can be shared
        if unmeant(answer) or answer.wall_seconds > limits.REACH_ANSWER_SECONDS:
            return None
        return self._reference.answer(case.args, like=answer) if self._reference else answer

    # ------------------------------------------------------------------ what is right

    def _of(self, subject: Subject) -> Known:
        """The cases of this phase with their answers: made once, by whoever comes first."""
        with self._lock:
            if subject.fresh not in self._known:
                self._known[subject.fresh] = self._made(subject)
            return self._known[subject.fresh]

    def _earlier(self, subject: Subject, name: str) -> list[Pair]:
        """The counterexamples that are kept, with what is right on them."""
        kept = subject.task.kept.of(name)
        with self._lock:
            new = [(digest, Case(args, KEPT)) for digest, args in kept if digest not in self._kept]
            answers = dict(self._answered(subject, [case for _, case in new]).by_case)
            self._kept |= {digest: answers.get(id(case)) for digest, case in new}
            return [pair for digest, _ in kept if (pair := self._kept.get(digest)) is not None]

    def _made(self, subject: Subject) -> Known:
        oracle = subject.oracle
        pairs: list[Pair] = list(oracle.known) if oracle else []
        left_out = oracle.left_out if oracle else 0
        function = oracle.function if oracle else _function(subject)
        purpose = "confirm" if subject.fresh else "screening"
        drawn = _drawn(subject, function, subject.task.samples(), purpose, whole=oracle is None)
        found = self._answered(subject, drawn)
        if self._reference is not None:
            mine = [(case, self._reference.answer(case.args, like=answer)) for case, answer in pairs]
            pairs = [(case, answer) for case, answer in mine if answer is not None]
        return Known((*pairs, *found.pairs), left_out + found.left_out)

    def _answered(self, subject: Subject, cases: Sequence[Case]) -> Known:
        """What is right on each case. Wild inputs may take long: what is not answered in time is left out."""
        pairs: list[Pair] = []
        if not cases:
            return Known((), 0)
        name = _function(subject).name
        until = time.monotonic() + limits.EDGE_TOTAL_SECONDS
        with subject.jobs.open(subject.baseline) as first, subject.jobs.open(subject.baseline) as second:
            ask = self._asker(subject, first, second, limits.EDGE_CALL_SECONDS)
            for case in cases:
                if time.monotonic() > until:
                    break
                answer = ask(name, case.args)
                if answer is not None:
                    pairs.append((case, answer))
        return Known(tuple(pairs), len(cases) - len(pairs))

    def _asker(
        self, subject: Subject, first: Handle, second: Handle, seconds: float
    ) -> Callable[[str, tuple[Any, ...]], Answer | None]:
        """What is right on some arguments; None where they are out of the domain."""
        result = _function(subject).result

        def ask(name: str, args: tuple[Any, ...]) -> Answer | None:
            try:
                answer = first.ask(name, args, seconds=seconds)
                if unmeant(answer):
                    return None
                if difference(answer, second.ask(name, args, seconds=seconds), result):
                    return None  # it is not one function of its arguments here
            except InterfaceError:
                return None
            return self._reference.answer(args, like=answer) if self._reference else answer

        return ask

    # ------------------------------------------------------------------ what is wrong

    def _failed(
        self,
        subject: Subject,
        candidate: Handle,
        case: Case,
        expected: Answer,
        answer: Answer,
        found: str,
        facts: dict[str, Scalar],
    ) -> Finding | None:
        """Shrink, tell, keep. None where the difference is what the rounding of the inputs brings."""
        function = _function(subject)
        how = _how(expected, answer)
        with subject.jobs.open(subject.baseline) as first, subject.jobs.open(subject.baseline) as second:
            ask = self._asker(subject, first, second, max(limits.EDGE_CALL_SECONDS, 2 * expected.wall_seconds))

            def other(right: Answer, given: Answer, args: tuple[Any, ...]) -> bool:
                return not is_rounding(right, given, function.result, args, lambda moved: ask(function.name, moved))

            if not other(expected, answer, case.args):
                return None

            def fails(args: tuple[Any, ...]) -> str:
                right = ask(function.name, args)
                if right is None:
                    return ""
                moved = _offset(subject.task, case)
                given = candidate.ask(
                    function.name, args, seconds=_allowed(right), offset_bytes=moved, fenced=not moved
                )
                text = difference(right, given, function.result) if _how(right, given) == how else ""
                return text if text and other(right, given, args) else ""

            small = shrink(case.args, found, fails)
        subject.task.kept.keep(function.name, small.args)
        text = told(small.args)
        label = f" ({case.label})" if case.label in (KEPT, "the sample") or text.startswith("an input") else ""
        evidence = f"{function.name}{_call(small.args)} {small.reason}"
        return failed(
            "generated", f"on {text}{label}: {small.reason}", evidence, {**facts, "shrunk with": small.questions}
        )


class _Wrong(Exception):  # noqa: N818 - it ends the ladder, and never leaves this file
    """An input far from the samples that is answered otherwise."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.reason)
        self.finding = finding


class _Until:
    """The time that inputs far from the samples may take of the incumbent: the candidate may take ten times as long."""

    def __init__(self, subject: Subject) -> None:
        self.seconds = limits.REACH_SECONDS
        if subject.deadline is not None:
            left = max(0.0, subject.deadline - time.monotonic())
            self.seconds = min(self.seconds, limits.REACH_BUDGET_SHARE * left)
        self.spent = 0.0

    def over(self, share: float = 1.0) -> bool:
        """Whether this share of it is used up."""
        return self.spent > share * self.seconds


def _elements(args: tuple[Any, ...]) -> int:
    return sum(int(getattr(item, "size", 0)) or (len(item) if isinstance(item, (list, dict)) else 0) for item in args)


def _drawn(
    subject: Subject, function: NativeFunction, samples: Sequence[tuple[Any, ...]], purpose: str, *, whole: bool
) -> list[Case]:
    """Edge cases, and neighbours of what was observed; with ``whole`` the ordinary cases too."""
    inputs = Inputs(function, samples, subject.seed)
    cases = inputs.checks(limits.VALIDATION_CASES, f"generated {purpose}") if whole else []
    cases += with_all_digits(inputs, generator(subject.seed, "all digits", purpose))
    cases += edges(inputs, generator(subject.seed, "edges", purpose))
    if subject.task.inputs is None and subject.task.observed:
        try:
            near = Inputs(typed(_declared(subject), subject.task.observed), subject.task.observed, subject.seed)
        except EvolutionError:
            return cases  # they were observed with another signature
        seen = near.checks(limits.VALIDATION_CASES // 2, f"observed {purpose}")
        cases += [replace(case, label=f"observed: {case.label}") for case in seen]
    return cases


def _declared(subject: Subject) -> NativeFunction:
    return subject.task.function_of(subject.baseline)


def _function(subject: Subject) -> NativeFunction:
    """The function that is tested, with types where its samples show them."""
    function = _declared(subject)
    return typed(function, subject.task.samples()) if takes_any(function) and subject.task.samples() else function


def facts_of(asked: int, wall: float, cpu: float) -> dict[str, Scalar]:
    """The facts that add up over the checks of a trial."""
    return {INPUTS: asked, WALL_SECONDS: wall, CPU_SECONDS: cpu}


def _allowed(expected: Answer) -> float:
    return max(limits.CANDIDATE_CALL_SECONDS_MIN, limits.CANDIDATE_SLOWER_FACTOR_MAX * expected.wall_seconds)


def _offset(task: Task, case: Case) -> int:
    return case.offset_bytes if task.program.language in ("zig", "rust", "python") else 0


def _how(expected: Answer, answer: Answer) -> tuple[bool, bool, bool]:
    """The kind of a difference: what is shrunk must stay of one kind."""
    return expected.ok, answer.ok, bool(answer.error_name)


def _call(args: tuple[Any, ...]) -> str:
    text = told(args, limits.EVIDENCE_CHARACTERS_MAX)
    return (
        f"({text[1:-2] if len(args) == 1 and text.endswith(',)') else text[1:-1]})" if text[0] == "(" else f": {text}:"
    )
