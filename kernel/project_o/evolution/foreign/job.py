"""An evaluator's process as the rest of a run asks a process: about one candidate, by the name of a stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...errors import UsageError
from ...values import Artifact, Interface, Program

if TYPE_CHECKING:
    from ...sandbox import Answer, Answers, Asking, Sandbox
    from ...sandbox.evaluator import EvaluatorJob
    from .files import ForeignTask

LOADING = "the evaluator does not load: "
TOOLCHAIN = "evaluator"


class Evaluation:
    """One candidate before its evaluator; see ``sandbox.Asking``."""

    def __init__(self, job: EvaluatorJob, program: Program, task: ForeignTask) -> None:
        self._job, self._program, self._task = job, program, task

    def ask(
        self,
        name: str,
        args: Sequence[Any],
        *,
        repeat: int = 1,
        offset_bytes: int = 0,
        seconds: float | None = None,
    ) -> Answer:
        """What the evaluator's function ``name`` says of the candidate; ``args`` are empty."""
        assert not args, "an evaluator is given the candidate's path"
        assert (repeat, offset_bytes) == (1, 0), "an evaluator is asked once"
        if not self._job.loaded.ok:
            found = self._job.loaded
            return replace(found, error=f"{LOADING}{found.error or found.ended}", error_name="")
        named = self._task.settings.named if name == "evaluate" else {}
        (file, text), *others = self._program.files
        return self._job.evaluate(
            text, function=name, name=file, seconds=seconds or 0.0, named=named, beside=dict(others)
        )

    def ask_each(self, name: str, calls: Sequence[Sequence[Any]], **_: Any) -> Answers:
        """Raises UsageError: an evaluator is asked about one candidate at a time."""
        raise UsageError(f"{name} of an evaluator is asked about one candidate at a time, not with {len(calls)} inputs")

    def close(self) -> None:
        """End the process and all that it started."""
        self._job.close()


def opener(box: Sandbox, task: ForeignTask) -> Callable[[Artifact], Asking]:
    """How a candidate is put before the evaluator: in a fresh process, which no candidate before it has touched."""

    def open_job(artifact: Artifact) -> Asking:
        return Evaluation(box.evaluator(task.evaluator, task.files), artifact.program, task)

    return open_job


def build(program: Program) -> Artifact:
    """There is nothing to build: the evaluator is given the text."""
    size = len(program.source.encode("utf-8", "surrogatepass"))
    return Artifact(program, program.digest, "", Interface(()), TOOLCHAIN, (), size, 0.0, cached=True)
