"""Whole runs over real Zig programs in the real sandbox."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from project_o import limits
from project_o.errors import CompileError, EvolutionError, UsageError
from project_o.evolution import Run, run_evolution
from project_o.evolution.loop import NONE_TRIED
from project_o.languages import tools_for
from project_o.observe import EventLog
from project_o.values import Progress, Proposal

DOT = """
const lanes = 1; // o: 1 4 8 16
pub fn dot(a: []const f32, b: []const f32) f32 {
    const V = @Vector(lanes, f32);
    var acc: V = @splat(0);
    var i: usize = 0;
    while (i + lanes <= a.len) : (i += lanes) {
        const x: V = a[i..][0..lanes].*;
        const y: V = b[i..][0..lanes].*;
        acc += x * y;
    }
    var total: f32 = @reduce(.Add, acc);
    while (i < a.len) : (i += 1) total += a[i] * b[i];
    return total;
}
"""

X = np.arange(4096, dtype=np.float32) % 7

FAULTY = """
const way = 0; // o: 0 1 2 3 4 5
pub fn sum(a: []const f32) f32 {
    if (way == 5) @compileError("no such way");
    var total: f32 = 0;
    for (a) |item| total += item;
    if (way == 1 and a.len > 2) { var p: *allowzero volatile u8 = @ptrFromInt(a.len * 0); p.* = 1; p = undefined; }
    if (way == 2 and a.len > 2) { var k: usize = 1; while (k > 0) { k = (k *% 3) | 1; std.mem.doNotOptimizeAway(k); } }
    if (way == 3 and a.len > 2) return total + 1;
    if (way == 4 and a.len > 2) @panic("enough");
    return total;
}
const std = @import("std");
"""


def score_of(values: dict[int, float]) -> Any:
    """An evaluator of a program ``get`` that returns its parameter."""
    return lambda program: {"score": values[program()]}


GET = "const k = 0; // o: 0..11\npub fn get() i64 { return k; }\n"


@pytest.mark.measured
def test_a_kernel_with_better_lanes_is_found_confirmed_and_shown(make_task: Any, tmp_path: Path) -> None:
    seen: list[Progress] = []
    accepted: list[Run] = []
    with EventLog(tmp_path / "log.jsonl") as log:
        run = run_evolution(
            make_task(DOT, inputs=(X, X.copy())), trials=10, progress=seen.append, log=log, accept=accepted.append
        )

    assert run.verdict.accepted, run.verdict.reasons
    assert run.measurement is not None
    assert run.measurement is run.verdict.confirmation
    assert run.measurement.low > 1.02
    assert [item.status for item in run.trials][:1] == ["baseline"]
    assert len(run.trials) == 4  # the space has no more points
    assert "-const lanes = 1; // o: 1 4 8 16" in run.diff()
    assert run.best.parameters[0].value in (4, 8, 16)
    assert run.lineage.parents(run.best.digest) == (run.baseline.digest,)
    assert seen[-1].finished
    assert seen[-1] == run.progress
    assert run.facts()["O-Verdict"] == "accepted"
    assert json.loads(run.to_json())["resume"]["records"][0]["status"] == "baseline"
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 4
    run.accept()
    assert accepted == [run]
    assert run.with_state(None).verdict == run.verdict


def test_a_parameter_that_does_not_matter_is_no_improvement(make_task: Any) -> None:
    source = DOT.replace("const lanes = 1; // o: 1 4 8 16", "const lanes = 8;\nconst unused = 1; // o: 1 2 3 4")
    run = run_evolution(make_task(source, inputs=(X, X.copy())), trials=4, seed=1)

    assert not run.verdict.accepted
    assert "no improvement" in run.verdict.reasons[-1]
    assert run.best == run.baseline
    assert run.diff() == ""
    assert "no improvement" in run.headline


def test_a_budget_that_is_over_at_once_says_so(make_task: Any) -> None:
    run = run_evolution(make_task(DOT, inputs=(X, X.copy())), budget_seconds=1e-3)

    assert [item.status for item in run.trials] == ["baseline"]
    assert run.verdict.reasons[-1] == f"no improvement: {NONE_TRIED}"


@pytest.mark.measured
def test_a_run_of_the_baseline_alone_needs_nothing_to_search(make_task: Any) -> None:
    """So that a person's own candidates can be judged."""
    source = DOT.replace("const lanes = 1; // o: 1 4 8 16", "const lanes = 1;")
    run = run_evolution(make_task(source, inputs=(X, X.copy())), trials=1)

    assert [item.status for item in run.trials] == ["baseline"]
    verdict = run.propose(source.replace("lanes = 1", "lanes = 8"))
    assert verdict.accepted, verdict.reasons
    plain = "pub fn f(x: i32) i32 { return x; }"
    with pytest.raises(EvolutionError, match="nothing in its text that could be said in another way"):
        run_evolution(make_task(plain, inputs=(1,)), trials=2)
    assert len(run_evolution(make_task(plain, inputs=(1,)), trials=1).trials) == 1


def test_faulty_candidates_cost_only_themselves(make_task: Any) -> None:
    run = run_evolution(make_task(FAULTY, inputs=(X,)), trials=6)

    reasons = {item.proposal.settings[0][1]: item.reason for item in run.trials}
    assert [item.status for item in run.trials] == ["baseline"] + ["failed"] * 5
    assert "should return a value" in reasons[1]
    assert "time" in reasons[2]
    assert "instead of" in reasons[3]
    assert "enough" in reasons[4] or "panic" in reasons[4]
    assert "no such way" in reasons[5]
    assert not run.verdict.accepted


def test_the_same_seed_gives_the_same_lineage_with_one_and_two_workers(make_task: Any) -> None:
    score = score_of({k: -((k - 6) ** 2) for k in range(12)})
    runs = [
        run_evolution(make_task(GET, evaluator=score, objective="score"), trials=9, seed=5, workers=workers)
        for workers in (1, 2, 2, 1)
    ]
    other = run_evolution(make_task(GET, evaluator=score), trials=9, seed=6)
    with ThreadPoolExecutor(3) as threads:
        runs.append(run_evolution(make_task(GET, evaluator=score), trials=9, seed=5, workers=3, executor=threads))

    assert len({run.lineage.digest for run in runs}) == 1
    assert len({tuple(item.proposal.settings for item in run.trials) for run in runs}) == 1
    assert other.lineage.digest != runs[0].lineage.digest
    assert runs[0].verdict.accepted
    assert runs[0].best.parameters[0].value == 6


def test_a_run_resumed_from_its_records_is_the_straight_run(make_task: Any) -> None:
    score = score_of({k: k for k in range(12)})
    straight = run_evolution(make_task(GET, evaluator=score), trials=11, seed=2)
    half = run_evolution(make_task(GET, evaluator=score), trials=6, seed=2)
    kept = json.loads(half.to_json())["resume"]

    resumed = run_evolution(make_task(GET, evaluator=score), trials=11, seed=2, resume=kept)

    assert resumed.lineage.digest == straight.lineage.digest
    with pytest.raises(EvolutionError, match="another seed"):
        run_evolution(make_task(GET, evaluator=score), trials=11, seed=3, resume=kept)


def test_a_metric_that_is_a_cost_is_minimised(make_task: Any) -> None:
    run = run_evolution(
        make_task(GET, evaluator=lambda program: {"train_loss": 12.0 - program()}, objective="train_loss"), trials=12
    )

    assert run.verdict.accepted
    assert run.best.parameters[0].value == 11
    assert run.measurement is not None
    assert run.measurement.ratio == pytest.approx(12.0)


def test_an_evaluators_faults_cost_only_the_candidate(make_task: Any) -> None:
    def evaluate(program: Any) -> dict[str, float]:
        k = program()
        if k == 1:
            raise RuntimeError("broken here")
        if k == 2:
            return {"score": float("nan")}
        if k == 3:
            raise SystemExit(1)
        return {"score": 0.0 if k != 5 else 1.0, "note": "text"}  # type: ignore[dict-item]

    run = run_evolution(make_task(GET, evaluator=evaluate), trials=12)

    reasons = {item.proposal.settings[0][1]: (item.status, item.reason) for item in run.trials}
    assert reasons[1] == ("failed", "the evaluator raised RuntimeError: broken here")
    assert reasons[2] == ("failed", "the evaluator gave score = nan, not a finite number")
    assert reasons[3] == ("failed", "the evaluator raised SystemExit: 1")
    assert run.best.parameters[0].value == 5


def test_a_noisy_evaluator_is_not_believed(make_task: Any) -> None:
    rng = np.random.default_rng(0)
    run = run_evolution(make_task(GET, evaluator=lambda program: {"score": float(rng.normal(10, 1))}), trials=12)

    assert not run.verdict.accepted


def test_a_stop_reaches_the_baseline_too(make_task: Any) -> None:
    stop = threading.Event()
    timer = threading.Timer(0.5, stop.set)
    timer.start()
    body = "{ var k: usize = n; while (k != 0) k = (k +% 2) | 1; a[0] = 0; }"
    loop = f"const n = 1; // o: 1 2\npub fn f(a: []f32) void {body}"

    run = run_evolution(make_task(loop), stop=stop)

    assert run.trials == ()
    assert run.best == run.baseline
    assert run.seconds < 0.8 * limits.TRIAL_WALL_SECONDS, "the build comes first, and its own limit would come later"


@pytest.mark.parametrize("how", ["event", "interrupt"])
def test_a_stop_ends_the_run_within_a_second_and_keeps_what_was_found(make_task: Any, how: str) -> None:
    """A machine under load may need half a second more, and another try."""
    assert any(took_to_stop(make_task, how) < 1.0 + 0.5 for _ in range(3))


def took_to_stop(make_task: Any, how: str) -> float:
    stop = threading.Event()
    stopped_at: list[float] = []

    def evaluate(program: Any) -> dict[str, float]:
        time.sleep(0.05)
        return {"score": float(program())}

    def progress(found: Progress) -> None:
        if found.done >= 3 and not stopped_at and not found.finished:
            stopped_at.append(time.monotonic())
            if how == "interrupt":
                raise KeyboardInterrupt
            stop.set()

    run = run_evolution(make_task(GET, evaluator=evaluate), trials=12, stop=stop, progress=progress)
    took = time.monotonic() - stopped_at[0]

    assert 3 <= len(run.trials) < 12
    assert not run.verdict.accepted
    assert "stopped" in run.verdict.reasons[0]
    assert run.best.parameters[0].value > 0
    assert run.stopped
    return took


@pytest.mark.measured
def test_a_stop_reaches_a_candidate_that_never_ends(make_task: Any) -> None:
    stop = threading.Event()
    stopped_at: list[float] = []

    def evaluate(program: Any) -> dict[str, float]:
        if stopped_at:  # the baseline has been evaluated twice by then
            threading.Timer(0.3, stop_now).start()
        elif len(calls) == 1:
            stopped_at.append(0.0)
        calls.append(1)
        return {"score": program(X)}

    def stop_now() -> None:
        stopped_at[0] = time.monotonic()
        stop.set()

    calls: list[int] = []
    task = make_task(FAULTY.replace("o: 0 1 2 3 4 5", "o: 0 2"), evaluator=evaluate)
    run = run_evolution(task, budget_seconds=60, stop=stop)

    assert time.monotonic() - stopped_at[0] < 1.0 + 0.5
    assert [item.status for item in run.trials] == ["baseline"]
    assert "stopped before anything better was found" in run.verdict.reasons[0]


@pytest.mark.measured
def test_a_budget_includes_the_confirmation(make_task: Any) -> None:
    make_task(DOT).build(make_task(DOT).program)
    began = time.monotonic()
    run = run_evolution(make_task(DOT, inputs=(X, X.copy())), budget_seconds=6)

    assert run.trials[0].status == "baseline"
    assert time.monotonic() - began < 6 + 3  # what is under way at the end may finish
    assert not run.progress.stopped, "a budget that is used up is how such a run ends"


def test_a_persons_version_is_judged_like_any_other(make_task: Any, accepted_soon: Any) -> None:
    source = "// EVOLVE-BLOCK-START" + DOT + "// EVOLVE-BLOCK-END\n"
    run = run_evolution(make_task(source, inputs=(X, X.copy())), trials=1)

    good = accepted_soon(lambda: run.propose(source.replace("lanes = 1;", "lanes = 16;")))
    wrong = run.propose(source.replace("acc += x * y", "acc += x + y"))

    assert good.accepted, good.reasons
    assert not wrong.accepted
    assert "does not answer" in wrong.reasons[0]
    with pytest.raises(UsageError, match="outside the EVOLVE blocks"):
        run.propose(source + "const more = 1;\n")
    with pytest.raises(CompileError):
        run.propose(source.replace("acc += x * y", "acc += x * z"))
    with pytest.raises(EvolutionError, match=r"toolchain\.build"):
        run.accept()


@pytest.mark.parametrize(
    ("source", "fields", "says"),
    [
        ("pub fn f() i32 { return 1; }", {}, "nothing in its text that could be said in another way"),
        (DOT, {"inputs": (X,)}, "takes 2 arguments, not 1"),
        (DOT, {"inputs": (X, X.astype(np.float64))}, "numpy array of float32"),
        (DOT, {"inputs": [X, X]}, "list of such tuples"),
        (DOT, {"function": "other"}, "no function other"),
        (DOT + "pub fn second() void {}\n", {}, "has 2 functions"),
        (DOT, {"objective": "score"}, "needs an evaluator"),
        (DOT, {"inputs": (X, X[:3])}, "itself fails on --inputs"),
        (DOT.replace("return total", "return totals"), {}, "itself does not compile: line 14"),
        (GET, {"evaluator": lambda program: {"accuracy": 1.0}}, "returns no metric score"),
        (GET, {"evaluator": lambda program: 1.0}, "not a dict of numbers"),
        (GET, {"evaluator": lambda program: {"score": 1 / 0}}, "cannot judge the baseline"),
    ],
)
def test_a_run_that_cannot_start_says_why(make_task: Any, source: str, fields: dict[str, Any], says: str) -> None:
    with pytest.raises(EvolutionError, match=says):
        run_evolution(make_task(source, **fields), trials=2)


@pytest.mark.parametrize(
    "options", [{"trials": 0}, {"budget_seconds": -1.0}, {"workers": 0}, {"proposer": "magic"}, {"trials": 10**9}]
)
def test_options_that_cannot_be_meant_are_refused(make_task: Any, options: dict[str, Any]) -> None:
    with pytest.raises(EvolutionError):
        run_evolution(make_task(DOT), **options)


class Curious:
    """Proposes a text that has the compiler read a file."""

    def ask(self, index: int, told: Any) -> Proposal | None:
        if index > 1:
            return None
        text = GET.replace("return k", 'return @embedFile("kernel.zig").len')
        return Proposal(index, tools_for("zig").program("kernel", text), (), "human", "edit", "", {})


def test_a_proposed_text_that_reads_files_while_it_is_compiled_is_not_built(make_task: Any) -> None:
    run = run_evolution(make_task(GET, evaluator=lambda program: {"score": float(program())}), proposer=Curious())

    assert [record.status for record in run.trials] == ["baseline", "failed"]
    assert "line 2: @embedFile: a proposed text is compiled where no files" in run.trials[1].reason
