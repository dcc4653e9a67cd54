"""Metamorphic relations that the user declares: what must hold between answers where nobody knows the right one.

    permutation:xs        the answer stays the same when xs is shuffled; several names are shuffled alike (xs,ys)
    scaling:x             f(k x) is k f(x); scaling:x:2 is k**2 f(x), scaling:x:0 does not depend on the scale
    idempotence           f(f(x)) is f(x); idempotence:xs names the argument that takes the answer
    a function            relation(call, args) -> bool, where call(*args) asks the program

They are checked on generated inputs of finite values, within the tolerance of ``compare``. What serves now must
satisfy them first. They are worth most beside an evaluator, where no answer of the incumbent says what is right.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ... import limits
from ...errors import EvolutionError, InterfaceError, UsageError
from ...values import CheckStage, Finding, NativeFunction, Scalar
from ..compare import difference
from ..frames import where_it_failed
from ..infer import takes_any, typed
from ..inputs import Case, Inputs
from ..task import Answer, Handle, Stopped, Task, generator
from .literals import told
from .reference import Right
from .scales import scaled
from .seam import INPUTS, Subject, failed, passed
from .shrink import shrink

Args = tuple[Any, ...]
Ask = Callable[[Args], Answer]
Own = Callable[[Callable[..., Any], Args], Any]
FACTORS = (2, 4)


@dataclass(frozen=True)
class Relation:
    """A relation by its name; ``holds`` says what is wrong on some arguments, "" where nothing is."""

    name: str
    holds: Callable[[Ask, Args, NativeFunction, int], str]


@dataclass(frozen=True)
class Valid:
    """The inputs of one relation that what serves answers, by their number; and one on which it broke it itself."""

    relation: Relation
    cases: tuple[tuple[int, Case], ...]
    drawn: int
    broken: str


class NoInput(Exception):  # noqa: N818 - it says what the arguments are, and never leaves this file
    """The program does not answer these arguments: they are out of its domain."""


def relation(given: Any, function: NativeFunction) -> Relation:
    """A declared relation. Raises UsageError with what could be meant."""
    if callable(given):
        return Relation(str(getattr(given, "__name__", "relation")), _own(given))
    kind, _, rest = str(given).partition(":")
    names = [name for name, _ in function.parameters]
    if kind == "idempotence":
        place = _places(rest, names, given)[0] if rest else 0
        return Relation(str(given), _idempotence(place))
    if kind == "permutation" and rest:
        return Relation(str(given), _permutation(_places(rest, names, given)))
    if kind == "scaling" and rest:
        part, _, degree = rest.partition(":")
        try:
            power = int(degree or 1)
            if power < 0:
                raise ValueError
        except ValueError:
            raise UsageError(f"--relation {given}: the degree after the second colon must be 0, 1, 2 ...") from None
        return Relation(str(given), _scaling(_places(part, names, given), power))
    raise UsageError(
        f"--relation {given} is none: write permutation:{names[0] if names else 'x'}, scaling:"
        f"{names[0] if names else 'x'}, idempotence, or the name of a function relation(call, args) -> bool"
    )


def _places(text: str, names: Sequence[str], given: Any) -> list[int]:
    wanted = [item.strip() for item in text.split(",")]
    if unknown := [item for item in wanted if item not in names]:
        raise UsageError(
            f"--relation {given}: there is no parameter {unknown[0]}: there are {', '.join(names) or 'none'}"
        )
    return [names.index(item) for item in wanted]


class Relations:
    """The stage "relations". One object serves all candidates of a run."""

    stage: CheckStage = "relations"

    def __init__(self, task: Task) -> None:
        self._task = task
        self._lock = threading.Lock()
        self._valid: dict[bool, list[Valid]] = {}

    def prepare(self, subject: Subject) -> None:
        """What serves now must satisfy every relation, and answer enough inputs. Raises EvolutionError, UsageError."""
        for fresh in (False, True):
            found = self._of(subject, fresh=fresh)
            for item in found:
                if item.broken:
                    raise EvolutionError(
                        f"the relation {item.relation.name} does not hold for what serves: {item.broken}"
                    )
                if len(item.cases) < max(1, limits.VALID_INPUTS_SHARE_MIN * item.drawn):
                    raise EvolutionError(
                        f"{self._function(subject).name} answers only {len(item.cases)} of {item.drawn} inputs of the "
                        f"relation {item.relation.name}: show with --inputs which arguments it is meant for"
                    )

    def run(self, subject: Subject) -> Finding:
        """Every relation on every input that what serves answers; a breach is shrunk and told."""
        function = self._function(subject)
        found = self._of(subject, fresh=subject.fresh)
        asked = 0
        with subject.jobs.open(subject.artifact) as handle, subject.jobs.open(subject.baseline) as incumbent:
            ask, asks_incumbent = _asker(handle, function), _asker(incumbent, function)
            for item in found:
                name = item.relation.name
                for number, case in item.cases:
                    asked += 1
                    facts: dict[str, Scalar] = {INPUTS: asked, "relation": name}
                    try:
                        why = item.relation.holds(ask, case.args, function, number)
                    except NoInput as error:
                        reason = f"{name}: on {told(case.args)} or its relative there is no answer: {error}"
                        return failed("relations", reason, reason, facts)
                    if not why:
                        continue

                    def fails(args: Args, number: int = number, relation: Relation = item.relation) -> str:
                        broken = _breach(relation, asks_incumbent, args, function, number)
                        return "" if broken is None or broken else _breach(relation, ask, args, function, number) or ""

                    small = shrink(case.args, why, fails)
                    reason = f"{name} does not hold on {told(small.args)}: {small.reason}"
                    return failed("relations", reason, reason, facts)
        names = ", ".join(item.relation.name for item in found)
        return passed("relations", f"{names}: held on {asked} inputs", facts={INPUTS: asked})

    def _function(self, subject: Subject) -> NativeFunction:
        function = self._task.function_of(subject.baseline)
        samples = self._task.samples() or self._task.observed
        return typed(function, samples) if takes_any(function) else function

    def _of(self, subject: Subject, *, fresh: bool) -> list[Valid]:
        """The inputs of this phase that what serves answers, for each relation: found once."""
        with self._lock:
            if fresh not in self._valid:
                function = self._function(subject)
                cases = self._drawn(subject, function, "relations confirm" if fresh else "relations screening")
                with subject.jobs.open(subject.baseline) as handle:
                    ask = _asker(handle, function)
                    relations = [relation(item, function) for item in self._task.relations]
                    self._valid[fresh] = [_valid(item, ask, cases, function) for item in relations]
            return self._valid[fresh]

    def _drawn(self, subject: Subject, function: NativeFunction, purpose: str) -> list[Case]:
        samples = self._task.samples() or (
            self._task.observed if takes_any(self._task.function_of(subject.baseline)) else ()
        )
        drawn = Inputs(function, samples, subject.seed).checks(3 * limits.RELATION_CASES, purpose)
        finite = [case for case in drawn if _finite(case.args)]
        order = generator(subject.seed, purpose).permutation(len(finite))[: limits.RELATION_CASES]
        return [finite[place] for place in sorted(order.tolist())]


def _valid(item: Relation, ask: Ask, cases: Sequence[Case], function: NativeFunction) -> Valid:
    valid: list[tuple[int, Case]] = []
    broken = ""
    for number, case in enumerate(cases):
        found = _breach(item, ask, case.args, function, number)
        if found == "":
            valid.append((number, case))
        elif found:
            broken = broken or f"on {told(case.args)}: {found}"
    return Valid(item, tuple(valid), len(cases), broken)


def _asker(handle: Handle, function: NativeFunction) -> Ask:
    def ask(args: Args) -> Answer:
        try:
            answer = handle.ask(function.name, args, seconds=limits.VALIDATION_CALL_SECONDS)
        except InterfaceError as error:
            raise NoInput(str(error)) from error
        return answer

    return ask


def _breach(item: Relation, ask: Ask, args: Args, function: NativeFunction, number: int) -> str | None:
    """What is wrong, "" where nothing is; None where the arguments are out of the program's domain."""
    try:
        return item.holds(ask, args, function, number) if _finite(args) else None
    except NoInput:
        return None


def _first_answer(ask: Ask, args: Args) -> Answer:
    answer = ask(args)
    if not answer.ok:
        raise NoInput(answer.error or answer.error_name or answer.ended)
    return answer


# ------------------------------------------------------------------ the relations


def _permutation(places: Sequence[int]) -> Callable[..., str]:
    """A drawn order, and the reverse one, since a drawn one may leave a short input, or the ends, as they were."""
    import numpy as np

    def holds(ask: Ask, args: Args, function: NativeFunction, number: int) -> str:
        lengths = {len(args[place]) if hasattr(args[place], "__len__") else -1 for place in places}
        if len(lengths) != 1 or -1 in lengths:
            raise NoInput("what is shuffled together has one length")
        drawn = generator(number, "permutation").permutation(lengths.pop())
        first = _first_answer(ask, args)
        for order, how in ((drawn, "shuffled"), (np.arange(len(drawn))[::-1], "reversed")):
            other = tuple(_reordered(value, order) if place in places else value for place, value in enumerate(args))
            if found := difference(first, ask(other), function.result):
                return f"{how}, {found}"
        return ""

    return holds


def _scaling(places: Sequence[int], degree: int) -> Callable[..., str]:
    def holds(ask: Ask, args: Args, function: NativeFunction, number: int) -> str:
        factor = FACTORS[number % len(FACTORS)]
        try:
            other = tuple(scaled(value, factor) if place in places else value for place, value in enumerate(args))
            first = _first_answer(ask, args)
            wanted = Right(
                scaled(first.value, factor**degree),
                first.wall_seconds,
                tuple((place, scaled(array, factor**degree)) for place, array in first.written),
            )
        except OverflowError:
            raise NoInput from None
        return _told(difference(wanted, ask(other), function.result), f"{factor} times as large")

    return holds


def _idempotence(place: int) -> Callable[..., str]:
    def holds(ask: Ask, args: Args, function: NativeFunction, number: int) -> str:
        del number
        first = _first_answer(ask, args)
        if first.value is None and first.written:  # it works in place
            changed = dict(first.written)
            again = tuple(changed.get(index, value) for index, value in enumerate(args))
        else:
            again = tuple(first.value if index == place else value for index, value in enumerate(args))
        return _told(difference(first, ask(again), function.result), "applied again")

    return holds


def _own(given: Own) -> Callable[..., str]:
    def holds(ask: Ask, args: Args, function: NativeFunction, number: int) -> str:
        del number

        def call(*values: Any) -> Any:
            return _first_answer(ask, values).value

        try:
            fits = given(call, args)
        except (NoInput, Stopped):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a relation raises says that it does not hold
            return f"it raised{where_it_failed(error, given)[0]}"
        return "" if fits is None or bool(fits) else "it returned False"

    return holds


def _told(found: str, how: str) -> str:
    return f"{how}, {found}" if found else ""


def _reordered(value: Any, order: Any) -> Any:
    import numpy as np

    if isinstance(value, np.ndarray):
        return np.ascontiguousarray(value[order])
    if isinstance(value, str):
        return "".join(value[place] for place in order.tolist())
    if isinstance(value, bytes):
        return bytes(value[place] for place in order.tolist())
    return type(value)(value[place] for place in order.tolist())


def _finite(value: Any) -> bool:
    import math

    import numpy as np

    if isinstance(value, np.ndarray):
        return value.dtype.kind not in "fc" or bool(np.isfinite(value).all())
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, (list, tuple)):
        return all(_finite(item) for item in value)
    return True
