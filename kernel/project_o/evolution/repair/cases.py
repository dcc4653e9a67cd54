"""The tests of a program as cases: arguments, and what is right on them. A part is shown, the rest is held out.

Cases come from the user's tests and from an evaluator, by carrying them out in a copy of this process with a program
that answers every call with a *probe*: comparing one with ``==`` says what was expected. So a table of cases in a loop
is read as well as one line for each. They also come from a reference on the user's inputs, and from pairs
``(arguments, expected)`` in a list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ... import limits
from ...errors import EvolutionError
from ...values import NativeFunction
from ..checks.literals import literal, told
from ..checks.reference import Right, fitted
from ..checks.tests import CELL, is_case, named_tests
from ..compare import difference
from ..forked import carry_out
from ..forked_copy import Step
from ..inputs import Inputs
from ..task import Answer, Task, generator

Args = tuple[Any, ...]


@dataclass(frozen=True)
class Case:
    """One call and what it should return."""

    name: str
    args: Args
    expected: Any

    def wrong(self, given: Answer, function: NativeFunction) -> str:
        """In words what is wrong with an answer; "" for nothing. A test says nothing of what a call writes."""
        value = fitted(self.expected, given.value) if given.ok else self.expected
        right = Right(value, 0.0, written=given.written, shares=given.shares)
        return difference(right, given, function.result)

    def told(self, given: Answer, function: NativeFunction) -> str:
        """The counterexample: the call, what was expected, what came."""
        got = f"is {shown(given.value)}" if given.ok else given.error or given.ended or f"raised {given.error_name}"
        call = f"{function.name}{told(self.args)}"
        return f"{call} should be {shown(self.expected)}, and {got.removeprefix('it ')}"


@dataclass(frozen=True)
class Repairing:
    """The cases of a run: those that proposers see, those that only the judge asks, and what serves now says to those
    of both that it gets wrong."""

    shown: tuple[Case, ...]
    held: tuple[Case, ...]
    failing: tuple[tuple[Case, Answer], ...]

    @property
    def every(self) -> tuple[Case, ...]:
        """All of them."""
        return (*self.shown, *self.held)


def shown(value: Any) -> str:
    """A value as a short expression."""
    try:
        text = literal(value)
    except ValueError:  # a whole number of more digits than Python writes
        return f"a {type(value).__name__} of very many digits"
    return text if len(text) <= limits.CELL_CHARACTERS_MAX else f"{text[: limits.CELL_CHARACTERS_MAX - 3]}..."


def cases_of(task: Task, function: NativeFunction, seed: int) -> tuple[Case, ...]:
    """All that the user says of what is right, in order. Raises EvolutionError for tests that are no cases."""
    found = [*_given(task.tests), *_of_reference(task, function, seed)]
    steps = _steps(task)
    if steps:
        found += _probed(task, steps, function)
    return tuple(found)


def divided(cases: Sequence[Case], before: Sequence[Answer], failing: Sequence[bool], seed: int) -> Repairing:
    """Half of the failing and half of the passing cases are held out, drawn by the seed; one that fails is shown."""
    held: set[int] = set()
    for kind in (True, False):
        places = [place for place, fails in enumerate(failing) if fails == kind]
        order = [places[int(k)] for k in generator(seed, "held out", kind).permutation(len(places))]
        held.update(order[: len(places) // 2])
    return Repairing(
        tuple(case for place, case in enumerate(cases) if place not in held),
        tuple(case for place, case in enumerate(cases) if place in held),
        tuple((case, given) for case, given, fails in zip(cases, before, failing, strict=True) if fails),
    )


def _given(tests: Any) -> Iterator[Case]:
    if isinstance(tests, (list, tuple)):
        for number, item in enumerate(tests):
            if is_case(item):
                yield Case(f"case {number + 1}", *item)


def _steps(task: Task) -> list[Step]:
    tests = task.tests
    if isinstance(tests, (list, tuple)):
        tests = [item for item in tests if not is_case(item)]
    steps = [] if tests is None or tests == CELL or tests == [] else named_tests(tests)
    if task.evaluator is not None:
        steps.append(Step("the evaluator", task.evaluator))
    return steps


def _of_reference(task: Task, function: NativeFunction, seed: int) -> Iterator[Case]:
    samples = task.samples()
    if task.reference is None or not samples:
        return
    import copy

    made = [(f"input {number + 1}", args) for number, args in enumerate(samples)]
    from ..infer import typed

    generated = Inputs(typed(function, samples), samples, seed).checks(limits.REPAIR_REFERENCE_CASES)
    made += [(case.label, case.args) for case in generated]
    for label, args in made:
        try:
            expected = task.reference(*copy.deepcopy(args))
        except Exception:  # noqa: BLE001 - what the reference refuses is out of its domain
            continue
        yield Case(label, args, expected)


# ------------------------------------------------------------------ tests that are carried out with probes

_compared: list[tuple[int, Any]] = []
"""In a copy: which probe was compared with what."""


class Probe:
    """What a call gives: who asks whether it is equal to something says what was expected. Nothing else is there."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Probe):
            raise TypeError("two answers are compared with each other: that is no case")
        _compared.append((self.number, other))
        return True

    def __hash__(self) -> int:
        raise TypeError("an answer is looked up: that is no case")

    def __bool__(self) -> bool:
        raise TypeError("an answer is taken for true or false: that is no case")


class _Recorder:
    """The program of the copy, on this side: it numbers the calls, and takes what was compared."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.calls: list[Args] = []
        self.expected: dict[int, list[Any]] = {}

    def __dir__(self) -> list[str]:
        return [self._name]

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return self._called

    def _called(self, *args: Any, **named: Any) -> Any:
        if "_o_compared" in named:
            for number, value in named["_o_compared"]:
                self.expected.setdefault(number, []).append(value)
            return None
        if named:
            raise TypeError("a test that names arguments is no case: pass them in order")
        self.calls.append(args)
        return Probe(len(self.calls) - 1)


def _tell(program: Any) -> None:
    found, _compared[:] = list(_compared), []
    program(_o_compared=found)


def _probed(task: Task, steps: Sequence[Step], function: NativeFunction) -> list[Case]:
    """The cases of these tests. Raises EvolutionError naming a test that is none."""
    found: list[Case] = []
    for step in steps:
        recorder = _Recorder(function.name)
        outcome = carry_out([step, Step("tell", _tell)], recorder, first=task.in_copy, go_on=True)
        failed = next((item for item in outcome.failures if item.step == 0), None)
        whole = all(len(recorder.expected.get(number, ())) == 1 for number in range(len(recorder.calls)))
        if outcome.ended or not recorder.calls or not whole or (failed and step.name != "the evaluator"):
            why = failed.reason if failed else outcome.ended or "it does not compare each answer once with =="
            raise EvolutionError(
                f"{step.name} cannot be read as cases ({why.strip(' :,')}): a repair needs tests of the form "
                f"assert program(arguments) == expected, or a list of pairs (arguments, expected)"
            )
        many = len(recorder.calls) > 1
        for number, args in enumerate(recorder.calls):
            name = f"{step.name} ({number + 1})" if many else step.name
            found.append(Case(name, args, recorder.expected[number][0]))
    return found
