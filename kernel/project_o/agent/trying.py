"""A proposed definition of Lisp on its way: program, checks, trial in the sandbox, verdict; nothing is evaluated here.

The checks are those of every candidate (syntax, security, types, build); then the text is opened in the sandbox, beside
what it would replace. Of an agent both are asked its last messages: one that only the new text fails on rejects it.
What it should answer nobody says here, so another answer is none: that is for the person who accepts.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .. import limits
from ..errors import AgentError, ProjectOError
from ..lisp.specs import AgentSpec, Spec, ToolSpec, canonical
from ..values import Finding, Program, Trial, Verdict

if TYPE_CHECKING:
    from ..evolution.checks.seam import Subject
    from ..evolution.task import Jobs
    from ..runtimes import LispRuntime
    from ..sandbox import Sandbox
    from .agents import Agents

STAND_IN = "proposed-definition"
_CALLED = "tried"


class Trying:
    """Tries proposed definitions of one kernel's Lisp."""

    def __init__(self, house: Agents) -> None:
        self._house = house
        self._made: tuple[Sandbox, LispRuntime] | None = None

    def judged(self, old: Spec, text: str) -> Verdict:
        """The verdict on a text in the place of a definition. Raises LispError where it cannot be read."""
        from ..evolution.task import Jobs, Task
        from ..lisp.reading import read

        read(text, f"<{old.name}>")
        box, runtime = self._opened()
        incumbent, candidate = self._program(old, old.source), self._program(old, text)
        task = Task(
            program=incumbent, build=runtime.build, box=box, open_job=runtime.opener(box), typed=runtime.typed(box)
        )
        jobs = Jobs(task)
        try:
            trial = self._linted(task, old, text, jobs) or self._tried(task, candidate, jobs, self._messages(old))
        finally:
            jobs.stop()
        if trial.outcome == "failed":
            bad = trial.findings[-1]
            return Verdict(False, (f"rejected by the check {bad.stage}: {bad.reason}",), level=box.level, trial=trial)
        return Verdict(True, (trial.findings[-1].reason, "accepted by a person"), level=box.level, trial=trial)

    @staticmethod
    def _linted(task: Any, old: Spec, text: str, jobs: Jobs) -> Trial | None:
        """The failed trial of a text that uses what its own old text did not: what its tools may is not its own."""
        from ..evolution.checks import Security
        from ..evolution.checks.seam import Subject, trial_of

        before, after = (Program(old.name, "lisp", (("definition.hy", one),)) for one in (old.source, text))
        found = Security().run(Subject(task, after, before, jobs, bench=None))  # type: ignore[arg-type]  # not timed
        return trial_of([found], task.level) if found.outcome == "failed" else None

    def _tried(self, task: Any, candidate: Program, jobs: Jobs, messages: Sequence[str]) -> Trial:
        from ..evolution.checks import Build, Cascade, Security, Syntax
        from ..evolution.checks.seam import Subject, together, trial_of
        from ..evolution.checks.types import Types

        subject = Subject(task, candidate, task.program, jobs, bench=None)  # type: ignore[arg-type]  # nothing is timed
        trial = Cascade([Syntax(), Security(), Types(task), Build()]).run(subject)
        if trial.outcome == "failed":
            return trial
        return together(trial, trial_of([self._asked(subject, messages)], task.level))

    @staticmethod
    def _asked(subject: Subject, messages: Sequence[str]) -> Finding:
        """Both are asked the same; what the old text cannot answer in the sandbox shows nothing of the new one."""
        from ..evolution.checks.seam import failed, passed

        answered = 0
        with subject.jobs.open(subject.artifact) as new, subject.jobs.open(subject.baseline) as old:
            for message in messages:
                found = new.ask(subject.program.name, [message, {}], seconds=limits.TRIAL_WALL_SECONDS)
                if found.ok:
                    answered += 1
                    continue
                before = old.ask(subject.incumbent.name, [message, {}], seconds=limits.TRIAL_WALL_SECONDS)
                if before.ok or message == _CALLED:
                    why = found.error or found.ended
                    return failed("tests", f"in the sandbox it fails on {message!r:.80}: {why}")
        count = len(messages)
        what = "it was evaluated" if messages == [_CALLED] else f"it answered {answered} of {count} messages"
        return passed("tests", f"{what} in the sandbox", facts={"inputs": count})

    # ------------------------------------------------------------------ programs

    def _program(self, old: Spec, text: str) -> Program:
        """The definition with what it uses: an agent's own program, else that of an agent that holds its text."""
        from ..runtimes import agent_program

        spec, tools = self._spec(old, text), self._tools(old)
        memory = self._house.specs.memory(spec.memory) if spec.memory else None
        helpers = {name: one for name, one in self._house.specs.helpers.items() if name != canonical(old.name)}
        try:
            return agent_program(
                spec, tools=tools, memory=memory, helpers=helpers, namespace=self._house.namespace,
                is_secret=self._house.is_secret,
            )  # fmt: skip
        except ProjectOError as error:
            raise AgentError(f"{old.name} cannot be tried in the sandbox: {error}") from error

    def _spec(self, old: Spec, text: str) -> AgentSpec:
        if isinstance(old, AgentSpec):
            tools, memory = options_of(text)
            return replace(old, source=text, tools=tools, memory=memory)
        source = f'{text}\n(defagent {STAND_IN} "It holds what was proposed." "{_CALLED}")\n'
        return AgentSpec(STAND_IN, body=lambda: None, source=source, language="lisp")

    def _tools(self, old: Spec) -> dict[str, ToolSpec]:
        """All that a text may name: an agent's own come first."""
        specs = self._house.specs
        found = {canonical(name): specs.tool(name) for name in specs.names("tool")}
        if isinstance(old, AgentSpec):
            found |= self._house.agent(old.name).tools
        found.pop(canonical(old.name), None)
        return found

    def _messages(self, old: Spec) -> list[str]:
        if not isinstance(old, AgentSpec):
            return [_CALLED]
        said = [turn.message for turn in self._house.agent(old.name).turns if not turn.error]
        return list(dict.fromkeys(said))[-limits.PROPOSAL_MESSAGES_ASKED :] or [""]

    def _opened(self) -> tuple[Sandbox, LispRuntime]:
        from ..runtimes import LispRuntime
        from ..sandbox import Sandbox

        if self._made is None:
            self._made = Sandbox(wall_seconds=limits.TRIAL_WALL_SECONDS), LispRuntime()
        return self._made


def options_of(text: str) -> tuple[tuple[str, ...], str]:
    """The tools and the memory that the text of a ``defagent`` names. Raises LispError where it cannot be read."""
    import hy.models

    from ..lisp.reading import read

    tools, memory = tuple[str, ...](), ""
    form = list(next(iter(read(text, "<proposed>"))))
    for key, value in itertools.pairwise(form):
        if key == hy.models.Keyword("tools") and isinstance(value, hy.models.List):
            tools = tuple(str(item) for item in value)
        elif key == hy.models.Keyword("memory"):
            memory = str(value)
    return tools, memory
