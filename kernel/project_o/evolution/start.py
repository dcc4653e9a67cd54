"""``run_evolution``: one run from a task to a verdict.

Who proposes and what measures is imported by the run that has it: all of them together are most of the engine.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .. import limits
from ..errors import CompileError, EvolutionError
from ..observe import EventLog
from ..values import Artifact, NativeFunction, Program, Progress, Proposal, Record, Verdict
from .archive import Archive, Recorded
from .bench import Bench, Outcome
from .checks import cascade_of
from .checks.build import first_diagnostic
from .executors import executing
from .islands import Islands
from .journal import TrialJournal
from .loop import INTERRUPTED, OVER_BUDGET, Loop
from .repair import AUTO, REPAIR
from .reporting import Clock, Reporter
from .run import Run
from .search import Nobody, Patient, Proposer, SearchProposer
from .task import Jobs, Stopped, Task
from .trial import Judge

if TYPE_CHECKING:
    from .llm.proposer import ModelProposer
    from .repair.cases import Repairing
    from .repair.proposer import RepairProposer

_human = itertools.count()
MakeProposer = Callable[[Task, int], Proposer]
"""(task, seed) -> who proposes."""


def run_evolution(
    task: Task,
    *,
    trials: int | None = None,
    budget_seconds: float | None = None,
    seed: int = 0,
    workers: int = 2,
    proposer: str | Proposer | MakeProposer = "search",
    executor: Executor | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    resume: dict[str, Any] | None = None,
    journal: TrialJournal | None = None,
    log: EventLog | None = None,
    accept: Callable[[Run], Any] | None = None,
    plot: Callable[[Run, str], Any] | None = None,
    patience: tuple[int, float] | None = None,
) -> Run:
    """Search for a better version of ``task.program`` and judge the best one found.

    ``trials`` counts the baseline, which is trial 0: with 1 nothing is searched, and ``run.propose`` judges what a
    person writes. ``budget_seconds`` is wall time and includes the confirmation.
    With neither, ``limits.TRIALS_DEFAULT`` trials are made. ``stop`` or Ctrl-C ends the run within a second and
    keeps what was found. ``resume`` is the ``resume`` part of an earlier run's JSON: its records are taken as they
    are where the proposer proposes the same again; ``journal`` keeps each record as it is made, and may have those of
    a run that was killed. ``patience`` ends the search after so many trials in which the best ratio has not grown by
    so much. No improvement is a normal verdict.

    Raises EvolutionError where a run cannot start: nothing to search, an incumbent that fails, unfit inputs.
    """
    trials = _bounded(trials, budget_seconds)
    clock = Clock(time.monotonic(), budget_seconds)
    archive = Archive()
    reporter = Reporter(task.program.name, clock, trials, progress or (lambda _: None))
    repair = _repair(task, proposer, seed)
    task = task if repair is None else replace(task, repairing=True)
    jobs = Jobs(task)
    islands = Islands(task.program, seed, task.islands, task.grid)
    chosen = _chosen(proposer, task, seed, islands, repair, workers) if trials != 1 else Nobody()
    model = _model(chosen, proposer)
    repairer = _repairer(chosen, repair)
    if patience is not None:
        chosen = Patient(chosen, *patience)
    recorded = _recorded(task, seed, resume, journal)
    bench = bench_of(task, seed, budget_seconds, repair)
    judge = Judge(task, bench, cascade_of(task), seed)
    parcel = task.parcel
    carried = (lambda: parcel(task, seed=seed, budget=budget_seconds, repair=repair)) if parcel is not None else None
    with executing(executor, workers, carried) as threads:
        loop = Loop(
            task, jobs, bench, judge, archive, chosen, threads, clock, reporter, stop or threading.Event(), workers,
            trials, recorded, lambda record: _kept(record, task.program.name, journal, log),
        )  # fmt: skip
        if model is not None:
            _listen(loop, model, journal)
        if repairer is not None:
            repairer.begin(lambda line: _look_at(loop, line))
        ended = _carry_out(loop, islands)
    run = _finished(loop, seed, model, *ended)
    return replace(run, on_accept=accept, on_plot=plot, population=islands.population(run.trials))


def _finished(
    loop: Loop, seed: int, model: ModelProposer | None, winner: Record | None, verdict: Verdict, stopped: str
) -> Run:
    if model is not None and model.trouble:
        verdict = replace(verdict, reasons=(model.trouble, *verdict.reasons))
    task, archive, reporter = loop.task, loop.archive, loop.reporter
    reporter.report(archive, verdict.reasons[-1], finished=True, winner=winner, stopped=stopped == INTERRUPTED)
    assert reporter.last is not None, "a finished run has reported"
    return Run(
        program=task.program,
        best=winner.proposal.program if winner else task.program,
        verdict=verdict,
        trials=archive.records,
        lineage=archive.lineage(winner.proposal.index if winner else None),
        seed=seed,
        seconds=loop.clock.elapsed,
        progress=reporter.last,
        objective=task.objective,
        stopped=stopped,
        judge_source=lambda source, trusted: _judge_human(loop.judge, source, trusted=trusted),
        exchanges=model.exchanges if model is not None else (),
        notes=(model.spent,) if model is not None and model.spent else (),
        seal=task.seal.told(),
    )


def _listen(loop: Loop, model: ModelProposer, journal: TrialJournal | None) -> None:
    """Let a model know when the run is over, and what was said before; keep what it says."""
    kept = (journal.exchanged, journal.exchanges) if journal is not None else ()
    model.begin(lambda line: _look(loop, line), *kept)
    loop.reporter.spent = lambda: model.spent


def _look(loop: Loop, line: str) -> bool:
    """While a model is waited for: show what it has cost so far; whether the run is over."""
    loop.reporter.report(loop.archive, f"asking a model ({line})" if line else "asking a model")
    return loop.stop.is_set() or loop.clock.search_is_over()


def _look_at(loop: Loop, line: str) -> bool:
    """While repairs are looked for: show how many there were; whether what is left is needed to judge them."""
    loop.reporter.report(loop.archive, line)
    budget = loop.clock.budget_seconds
    late = budget is not None and loop.clock.elapsed > limits.REPAIR_HUNT_SHARE * budget
    return loop.stop.is_set() or late or loop.clock.search_is_over()


def _carry_out(loop: Loop, islands: Islands) -> tuple[Record | None, Verdict, str]:
    """Baseline, search, verdict: the winner or leader, and why the run was stopped, if it was."""
    fresh = Jobs(loop.task)
    foreign = loop.task.foreign
    try:
        _baseline(loop)
        islands.must_measure(loop.archive.records[0])
        loop.search()
        over_budget = loop.clock.search_is_over()  # now: the verdict takes its own share of the time
        if loop.stop.is_set():
            raise KeyboardInterrupt
        loop.abandon()
        if foreign is None:
            winner, verdict = loop.conclude(fresh)
        else:
            from .foreign.word import by_word

            winner, verdict = loop.aside(lambda: by_word(loop, fresh), fresh, "evaluating the best again")
    except (KeyboardInterrupt, Stopped):
        loop.abandon()
        verdict = loop.unconfirmed(INTERRUPTED)
        if foreign is not None:
            from .foreign.word import marked

            verdict = marked(verdict)
        return loop.leader(), verdict, INTERRUPTED
    finally:
        loop.jobs.stop()
        fresh.stop()
    if loop.stop.is_set() and not verdict.accepted:
        return winner, verdict, INTERRUPTED
    return winner, verdict, OVER_BUDGET if over_budget else ""


def _baseline(loop: Loop) -> None:
    """Trial 0: what serves now. All else is compared with it."""
    task = loop.task
    settings = tuple((item.name, item.value) for item in task.program.parameters if len(item.domain) > 1)
    proposal = Proposal(0, task.program, (), "human", "baseline", "", settings)
    loop.archive.twin(proposal)
    started = time.monotonic()
    found = loop.aside(lambda: _prepared(loop), loop.jobs, "looking at what serves now")
    known = loop.recorded.record(proposal) if loop.recorded else None
    seconds = time.monotonic() - started
    loop.add(known or Record(proposal, "baseline", found.reason, found.cost, found.ratio, found.metrics, seconds,
                             behaviour=found.behaviour))  # fmt: skip
    loop.reporter.report(loop.archive)
    loop.reserve()


def _recorded(task: Task, seed: int, resume: dict[str, Any] | None, journal: TrialJournal | None) -> Recorded | None:
    if resume is None and journal is not None:
        resume = journal.earlier
    return Recorded(resume, seed=seed, baseline=task.program) if resume is not None else None


def _kept(record: Record, name: str, journal: TrialJournal | None, log: EventLog | None) -> None:
    if journal is not None:
        journal.add(record)
    if log is not None:
        log.write(
            "trial",
            run=name,
            index=record.proposal.index,
            operator=record.proposal.operator,
            settings=dict(record.proposal.settings),
            status=record.status,
            reason=record.reason,
            stage=record.finding.stage if record.finding else "",
            evidence=record.finding.evidence if record.finding else "",
            cost=record.cost,
            ratio=record.ratio,
            seconds=record.seconds,
        )


def _prepared(loop: Loop) -> Outcome:
    found = loop.bench.prepare(loop.jobs, _built(loop.task))
    if not loop.task.repairing:
        loop.judge.incumbent_must_pass(loop.jobs)
    loop.task.seal.settle()
    return found


def _built(task: Task) -> Artifact:
    try:
        return task.build(task.program)
    except CompileError as error:
        raise EvolutionError(
            f"{task.program.name} itself does not compile: {first_diagnostic(error)}: mend it first"
        ) from error


def _chosen(
    proposer: str | Proposer | MakeProposer,
    task: Task,
    seed: int,
    islands: Islands,
    repair: tuple[NativeFunction, Repairing] | None,
    workers: int,
) -> Proposer:
    if repair is not None:
        from .repair.proposer import RepairProposer

        return RepairProposer(task, _built(task), *repair, workers, seed)
    return _proposer(proposer, task, seed, islands)


def _proposer(proposer: str | Proposer | MakeProposer, task: Task, seed: int, islands: Islands) -> Proposer:
    if not isinstance(proposer, str):
        made = proposer if hasattr(proposer, "ask") else proposer(task, seed)
        if (model := _model(made, proposer)) is not None:
            model.islands = islands
        return made
    if task.to:
        from .crossing import crossing_proposer

        return crossing_proposer(proposer, task, seed)
    if proposer in ("search", AUTO):
        from .rewrite import RewriteProposer, is_rewritten
        from .tuning import Offline

        if task.numbers and not any(len(item.domain) > 1 for item in task.program.parameters):
            return Offline(task.program, seed, islands)
        if is_rewritten(task.program):
            return RewriteProposer(task.program, seed, islands, changing=task.evaluator is not None)
        return SearchProposer(task.program, seed, islands)
    raise EvolutionError(
        f"no proposer is called {proposer!r}: there are search, repair, auto, and llm, which needs a model"
    )


def _repair(task: Task, proposer: object, seed: int) -> tuple[NativeFunction, Repairing] | None:
    """What is to be repaired, where that is asked for, or may be meant."""
    if proposer not in (REPAIR, AUTO) or task.foreign is not None:
        return None
    from .repair.wanted import to_repair

    return to_repair(task, proposer, seed)


def _repairer(chosen: Proposer, repair: object) -> RepairProposer | None:
    if repair is None:
        return None
    from .repair.proposer import RepairProposer

    return chosen if isinstance(chosen, RepairProposer) else None


def _model(chosen: Proposer, proposer: object) -> ModelProposer | None:
    """Who asks a model; none of our words means one."""
    if isinstance(proposer, str):
        return None
    from .llm.proposer import ModelProposer

    return chosen if isinstance(chosen, ModelProposer) else None


def _bounded(trials: int | None, budget_seconds: float | None) -> int | None:
    """How many trials there are at most."""
    if trials is not None and not 1 <= trials <= limits.TRIALS_MAX:
        raise EvolutionError(f"trials must be from 1 to {limits.TRIALS_MAX}, not {trials}")
    if budget_seconds is not None and not 0 < budget_seconds < float("inf"):
        raise EvolutionError(f"a budget must be above 0 seconds, not {budget_seconds}")
    return limits.TRIALS_DEFAULT if trials is None and budget_seconds is None else trials


def _judge_human(judge: Judge, source: str, *, trusted: bool) -> tuple[Program, Verdict]:
    jobs = Jobs(judge.task)
    try:
        return judge.judge_source(jobs, source, f"human {next(_human)}", vouched=trusted)
    finally:
        jobs.stop()


def bench_of(
    task: Task, seed: int, budget_seconds: float | None, repair: tuple[NativeFunction, Repairing] | None = None
) -> Bench:
    """The bench of this task's objective. Raises EvolutionError for a metric that nobody measures."""
    if repair is not None:
        from .repair.bench import RepairBench

        return RepairBench(task, *repair)
    if task.foreign is not None:
        from .foreign.bench import ForeignBench

        return ForeignBench(task, seed, budget_seconds)
    if task.evaluator is not None:
        from .scoring import ScoreBench

        return ScoreBench(task, seed, budget_seconds)
    from .timing import TimeBench

    return TimeBench(task, seed, budget_seconds)
