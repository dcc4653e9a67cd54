"""Whether a run is a repair: somebody asks for one, or tests fail."""

from __future__ import annotations

from collections.abc import Sequence

from ... import limits
from ...errors import CompileError, EvolutionError
from ...languages.tried import Called
from ...values import Artifact, NativeFunction
from ..checks.build import first_diagnostic
from ..task import Task
from . import AUTO, REPAIR
from .cases import Case, Repairing, cases_of, divided


def to_repair(task: Task, proposer: object, seed: int) -> tuple[NativeFunction, Repairing] | None:
    """What is to be repaired, where ``proposer`` says so or tests of ``task`` fail; else None.

    Raises EvolutionError where a repair is asked for and there are no tests, or none of them fails.
    """
    if proposer not in (REPAIR, AUTO) or task.foreign is not None:
        return None
    wanted = proposer == REPAIR
    if not wanted and (task.trying is None or (task.tests is None and task.reference is None)):
        return None
    try:
        artifact = task.build(task.program)
    except CompileError as error:
        raise EvolutionError(
            f"{task.program.name} does not compile: {first_diagnostic(error)}: a repair begins with what runs"
        ) from error
    function = task.function_of(artifact)
    try:
        cases = cases_of(task, function, seed)
    except EvolutionError:
        if wanted:
            raise
        return None
    if wanted and not cases:
        raise EvolutionError(
            f"nothing says what {function.name} should do: give --tests NAME, functions that assert program(arguments) "
            "== expected, or a list of pairs (arguments, expected); or --reference NAME with --inputs"
        )
    before = _answers(task, artifact, cases)
    failing = [bool(case.wrong(given, function)) for case, given in zip(cases, before, strict=True)]
    if any(failing):
        return function, divided(cases, before, failing, seed)
    if wanted:
        raise EvolutionError(f"{function.name} passes all {len(cases)} tests: there is nothing to repair")
    return None


def _answers(task: Task, artifact: Artifact, cases: Sequence[Case]) -> list[Called]:
    """What serves now says to each case, within a number of lines."""
    if task.trying is None:
        raise EvolutionError(f"a program in {task.program.language} cannot be repaired: there are no templates for it")
    process = task.trying(artifact, [case.args for case in cases])
    try:
        (found,) = process.attempt([task.program.source], range(len(cases)), limits.REPAIR_LINES_MAX)
    finally:
        process.close()
    return found
