"""A finished run: what was found, why it was or was not accepted, and what can be done with it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import DeployError, EvolutionError, UsageError
from ..languages.several import changed
from ..population import Operator, Population
from ..values import Measurement, Program, Progress, Record, State, Verdict, plain
from .archive import Lineage, to_resume
from .bandit import statistics
from .llm.exchange import Exchange, to_json

LOOK = "look at run.diff(), and take it with run.accept(self_reported=True)"
"""What a person does about a score that nobody but its evaluator vouches for."""


@dataclass(frozen=True)
class Run:
    """The result of ``run_evolution``.

    ``best`` is the accepted winner; where the run ended before it was confirmed, or its scores are self-reported, the
    leading candidate; where nothing was better, the baseline. ``measurement`` is the last one of the verdict (the
    confirmation, if there is one). ``exchanges`` are what a language model was asked and answered, ``notes`` what it
    cost. ``population`` are the elites that the archive holds at the end. ``seal`` says of what was judged by that it
    was as at the beginning, or not (see ``seal``). ``state`` is the commit that holds the run, once it is made.
    """

    program: Program
    best: Program
    verdict: Verdict
    trials: tuple[Record, ...]
    lineage: Lineage
    seed: int
    seconds: float
    progress: Progress
    objective: str = "time"
    stopped: str = ""
    state: State | None = None
    judge_source: Callable[[str, bool], tuple[Program, Verdict]] | None = None
    on_judged: Callable[[Run, Program, Verdict], Verdict] | None = None
    on_accept: Callable[[Run], Any] | None = None
    on_plot: Callable[[Run, str], Any] | None = None
    exchanges: tuple[Exchange, ...] = ()
    notes: tuple[str, ...] = ()
    population: Population = field(default_factory=Population)
    seal: str = ""

    @property
    def operators(self) -> tuple[Operator, ...]:
        """What each way to make proposals brought in this run, the most successful first."""
        return statistics(self.trials)

    @property
    def baseline(self) -> Program:
        """What served when the run began."""
        return self.program

    @property
    def measurement(self) -> Measurement | None:
        """The measurement that counts: the confirmation, else the one before it, else None."""
        return self.verdict.confirmation or (self.verdict.measurements[-1] if self.verdict.measurements else None)

    @property
    def best_index(self) -> int | None:
        """The trial that proposed ``best``."""
        return next((item.proposal.index for item in self.trials if item.proposal.program == self.best), None)

    @property
    def headline(self) -> str:
        """The outcome in one line."""
        found = self.measurement
        if self.verdict.accepted and found is not None:
            return (
                f"{found.ratio:.2f} times the baseline [{found.low:.2f}, {found.high:.2f}] in {found.metric}, "
                f"{len(self.trials)} trials"
            )
        return self.verdict.reasons[-1]

    def diff(self) -> str:
        """The change from the baseline to ``best`` as a unified diff; "" where there is none."""
        parts: list[str] = []
        for (name, old), (_, new) in zip(self.baseline.files, self.best.files, strict=True):
            for line in difflib.unified_diff(
                old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{name}", f"b/{name}"
            ):
                parts.append(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n")
        return "".join(parts)

    def propose(self, source: str | Mapping[str, str], *, trusted: bool = False) -> Verdict:
        """Judge a source of your own as one more candidate: built, checked, measured in pairs, confirmed. Of several
        files it is new texts by the names of those that change.

        It is compiled in the sandbox, as every text that is not your cell's, and may use no more than a machine's
        proposal: no files, no clock, nothing that tells where it runs. ``trusted`` says that you have read it: then
        it may, and it is compiled with your rights, so that it may read files as it is compiled. It is tried in the
        sandbox either way. Where a history is kept, the verdict's ``state`` is the commit that holds both.

        Raises UsageError for a change outside the EVOLVE blocks, CompileError if it does not compile.
        """
        if self.judge_source is None:
            raise EvolutionError("this run was read from the history: evolve again to propose to it")
        if not isinstance(source, (str, Mapping)):
            raise UsageError(f"propose wants a source as text, got {type(source).__name__}")
        if not isinstance(source, str):
            if unknown := [name for name in source if name not in dict(self.baseline.files)]:
                raise UsageError(f"{self.program.name} has no file {unknown[0]}, and none can be added")
            source = changed(self.baseline, source)
        program, verdict = self.judge_source(source, trusted)
        return verdict if self.on_judged is None else self.on_judged(self, program, verdict)

    def accept(self, *, self_reported: bool = False) -> Any:
        """Serve ``best`` under the program's name; of a program in a file, write it there.

        ``self_reported`` says that you have looked at ``diff()``, and take what an evaluator reported beside which the
        candidate ran. Raises DeployError where the verdict was to reject, or is self-reported and you do not say so.
        """
        if self.on_accept is None:
            raise EvolutionError("nothing serves this program here: build run.best with toolchain.build")
        if self.verdict.self_reported and not self_reported:
            raise DeployError(f"{self.program.name}: its score is self-reported: {LOOK}")
        return self.on_accept(self)

    def plot(self, what: str = "trials") -> Any:
        """The run in a picture: its ``trials``, ``archive``, ``operators`` or ``lineage``.

        Its ``figure`` is plotly's, and what a front end shows that draws such; anywhere else it is static.
        """
        if self.on_plot is None:
            raise EvolutionError("no view is connected to this run: look at run.trials")
        return self.on_plot(self, what)

    def with_state(self, state: State | None) -> Run:
        """The same run, and where it is recorded."""
        return replace(self, state=state)

    def facts(self) -> dict[str, str]:
        """What a commit's trailers say of this run."""
        facts = {
            "O-Verdict": "accepted" if self.verdict.accepted else "rejected",
            "O-Objective": self.objective,
            "O-Seed": str(self.seed),
            "O-Trials": str(len(self.trials)),
            "O-Lineage": self.lineage.digest,
            "O-Parent": self.baseline.digest[:16],
            "O-Sandbox": self.verdict.level,
            **({"O-Scores": "self-reported"} if self.verdict.self_reported else {}),
            "O-Candidate": self.best.digest[:16],
        }
        if self.best.language != self.program.language:  # a translation: how it is to be read back
            facts |= {"O-Language": self.best.language, "O-Mode": self.best.mode}
        if self.best_index is not None:
            facts["O-By"] = self.trials[self.best_index].proposal.proposer
        if self.exchanges:
            facts["O-Model"] = self.notes[0] if self.notes else ""
        if self.seal:
            facts["O-Seal"] = self.seal
        if (found := self.measurement) is not None:
            facts["O-Ratio"] = f"{found.ratio:.4f} [{found.low:.4f}, {found.high:.4f}]"
            facts["O-Pairs"] = str(found.pairs)
            facts["O-Metric"] = f"{found.metric} {found.baseline:.6g} -> {found.candidate:.6g} {found.unit}".rstrip()
        return facts

    def to_json(self) -> str:
        """The whole run as JSON: verdict, records, and what a later run needs to go on from here."""
        body = {
            "name": self.program.name,
            "verdict": plain(self.verdict),
            "objective": self.objective,
            "seconds": self.seconds,
            "best": self.best.digest,
            "lineage": self.lineage.digest,
            "resume": to_resume(self.trials, seed=self.seed, baseline=self.baseline),
        }
        if self.exchanges:
            body["model"] = to_json(self.exchanges)
        return json.dumps(body, ensure_ascii=False, indent=1, default=str) + "\n"

    def __repr__(self) -> str:
        return f"<run of {self.program.name}: {self.headline}>"
