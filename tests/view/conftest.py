"""One sample of every view; tests that take ``sample`` run once for each."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from project_o import errors, view
from project_o.lives import Found, Kept, MemoryLook, Moment
from project_o.population import Axis, Elite, Operator, Population
from project_o.values import (
    Artifact,
    Check,
    Deployment,
    Diagnostic,
    Finding,
    Interface,
    Measurement,
    NativeFunction,
    NativeType,
    Parameter,
    Program,
    Progress,
    Proposal,
    Record,
    State,
    ToolUse,
    Trial,
    Turn,
    Usage,
    Verdict,
)

SOURCE = """const std = @import("std");
const lanes = 8; // o: 4 8 16 32
const unroll = 1; // o: 1 2 4

/// Dot products of every query with every row.
pub fn scores(queries: []const f32, rows: []const f32, out: []f32) void {
    for (out, 0..) |*slot, k| slot.* = dot(queries, rows[k * 64 ..][0..64]);
}
"""
CHANGED = SOURCE.replace("lanes = 8", "lanes = 16").replace("unroll = 1", "unroll = 4")

LISTINGS = [
    (
        "scores",
        [(0, "arguments and result", ["push    rbp", "mov     rbp, rsp"]), (7, "", [".LBB0_2:", "jae     .LBB0_2"])],
    ),
    ("dot", [(7, "", ["vmulps  ymm0, ymm0, ymmword ptr [rdi + 4*rax]"])]),
]

F32 = NativeType("float", bits=32)
I64 = NativeType("int", bits=64, signed=True)
SLICE = NativeType("slice", const=True, child=F32)
OUT = NativeType("slice", const=False, child=F32)
MATRIX = NativeType("matrix", const=True, child=F32)


def program(source: str = SOURCE, **settings: int) -> Program:
    parameters = (
        Parameter("lanes", settings.get("lanes", 8), (4, 8, 16, 32), 2),
        Parameter("unroll", settings.get("unroll", 1), (1, 2, 4), 3),
    )
    return Program("top_k", "zig", (("cell.zig", source),), parameters)


def turn(reply: str = "It is <b>3</b>.", error: str = "") -> Turn:
    uses = (
        ToolUse("add", (("a", 1), ("b", 2)), "3", "", 0.0004),
        ToolUse("mul", (("a", "x"),), "", "a must be a number"),
    )
    states = ("idle", "thinking", "acting", "thinking", "idle")
    return Turn("calculator", "what is 1 + 2?", reply, uses, states, "scripted:m", Usage(2, 210, 18), 1.25, error=error)


def memory_look(question: str = "") -> MemoryLook:
    """A memory of three texts; with a question, two answers and one that was suppressed."""
    kept = tuple(
        Kept(
            f"{k:016x}", text, "the <b>manual</b>", 1_795_359_845.0 + k, 1_795_360_000.0, k, "ann" * k, 1.0 + k, k == 1
        )
        for k, text in enumerate(("The safe opens with 4711.", "The door sticks.", "A key lies under the mat."))
    )
    found = (
        Found(kept[0], 0.812, (("words", 0.301), ("meaning", 0.511)), ("safe", "opens")),
        Found(kept[2], 0.425, (("meaning", 0.225), ("teaching", 0.2))),
    )
    return MemoryLook(
        "notes",
        3,
        100,
        "hash-512+wordllama-256, 0.7 by meaning, sum",
        kept,
        question,
        found if question else (),
        (Found(kept[1], 0.425, (("meaning", 0.425),)),) if question else (),
        (("The safe opens with 4711.", "The safe opens with 0815."), ("old", "")),
        (("nobody asked for this", 1_795_359_000.0),),
    )


def moments(count: int = 12) -> list[Moment]:
    """Turns of two kinds, one that failed, thumbs, and a run."""
    made = []
    for k in range(count):
        acting = 0.3 * (k % 3)
        path = (
            ("idle", *("thinking", "acting") * (4 * (k % 3)), "thinking", "idle")
            if acting
            else ("idle", "thinking", "idle")
        )
        error = "ModelError: no answer within 60 s" if k == 4 else ""
        when = 1_795_359_845.0 + 60 * k
        what, state = f"caller: message {k}", f"{k:040x}"
        made.append(
            Moment("turn", what, when, state, path, 0.4 + 0.11 * k + acting, acting, k % 3, 210, 18, 1e-4, error)
        )
        if k % 4 == 2:
            made.append(Moment("feedback", "caller up: good", when + 1, thumb="up" if k < 9 else "down"))
    return [*made, Moment("evolve", "caller accepted", 1_795_370_000.0, "ab" * 20)]


def interface() -> Interface:
    return Interface(
        (
            NativeFunction(
                "scores", (("queries", MATRIX), ("rows", SLICE), ("out", OUT)), NativeType("void"), "Dot products.", 6
            ),
            NativeFunction("top_k", (("queries", SLICE), ("k", I64)), NativeType("error_union", child=OUT), "", 12),
        ),
        (("sort_by", "anytype parameter: give it a type"), ("Heap", "a type, not a function")),
    )


def artifact(*, cached: bool = False) -> Artifact:
    return Artifact(
        program(), "ab" * 32, "cache/ab.so", interface(), "zig 0.17.1", ("-O", "ReleaseSafe"), 7_612, 0.12, cached
    )


def measurement(metric: str = "time", ratio: float = 1.834) -> Measurement:
    return Measurement(
        metric,
        "s",
        240,
        0.0123,
        0.0123 / ratio,
        ratio,
        ratio * 0.976,
        ratio * 1.025,
        0.95,
        "block bootstrap of paired log ratios",
    )


def verdict(*, accepted: bool = True) -> Verdict:
    reasons = (
        ("agrees with the incumbent on 412 of 412 inputs", "lower bound 1.79 is above 1.02", "confirmed on fresh data")
        if accepted
        else ("agrees with the incumbent on 412 of 412 inputs", "lower bound 0.996 is not above 1.02")
    )
    findings = (
        Finding("types", "inconclusive", "there are no annotations, so nothing was checked"),
        Finding("build", "passed", "zig 0.17.1", seconds=0.4),
        Finding("generated", "passed", "it answers as the incumbent does on 412 inputs", seconds=0.84),
    )
    trial = Trial("passed", "L3", "", "", 0.84, 0.81, 412, 8, findings)
    confirmation = measurement(ratio=1.812) if accepted else None
    return Verdict(accepted, reasons, "L3", trial, (measurement(ratio=1.834 if accepted else 1.018),), confirmation)


def population(*, grid: bool = True) -> Population:
    """Twelve elites on two islands, over a grid of eight by four or none."""
    axes = (Axis("length", 100.0, 900.0, 8), Axis("memory", 1.0, 1e6, 4, logarithmic=True)) if grid else ()
    elites = [
        Elite(one, (k % 2,), (k % 8, k % 4) if grid else (), (100.0 + k, 10.0 * k) if grid else (), k % 3)
        for k, one in enumerate(one for one in records() if one.ratio is not None)
    ][:12]
    return Population(2, axes, tuple(sorted(elites, key=lambda one: -(one.record.ratio or 0))), 3)


def operators() -> tuple[Operator, ...]:
    return (
        Operator("crossover", "search", 12, 5, 2, 1, 0, 1.04, 1.83, 0.21),
        Operator("<b>one number</b>", "search", 30, 3, 0, 12, 4, None, None, 0.03),
    )


def records(count: int = 40, seed: int = 3) -> list[Record]:
    """A believable run: a baseline, rises, failures, duplicates, parents among the better ones."""
    rng = random.Random(seed)
    base = program()
    made = [Record(Proposal(0, base, (), "human", "baseline"), "baseline", "the first version", 0.0123, 1.0)]
    incumbent, best = base, 1.0
    for k in range(1, count):
        settings = (("lanes", rng.choice((4, 8, 16, 32))), ("unroll", rng.choice((1, 2, 4))))
        child = program(f"{SOURCE}// {k}")
        proposal = Proposal(k, child, (incumbent.digest,), "search", "tpe", "wider vectors help", settings)
        roll = rng.random()
        if roll < 0.12:
            reason = "panic: index out of bounds, line 7"
            stage = rng.choice(("generated", "build", "types"))
            finding = Finding(
                stage, "failed", reason, f"top_k([1.0, 2.0]) panics\n{reason} <b>", (("inputs", 3),), 0.02
            )
            made.append(Record(proposal, "failed", reason, finding=finding))
        elif roll < 0.22:
            made.append(Record(proposal, "duplicate", f"same source as #{rng.randrange(k)}", 0.012, 1.0))
        else:
            ratio = min(2.6, best * math.exp(rng.gauss(-0.12, 0.16)))
            better = ratio > best * 1.03
            status = "better" if better else "no better"
            made.append(Record(proposal, status, "" if better else "not above 1.02", 0.0123 / ratio, ratio))
            if better:
                incumbent, best = child, ratio
    return made


def best_of(made: list[Record]) -> int:
    rising = [one for one in made if one.status in ("baseline", "better")]
    return max(rising, key=lambda one: one.ratio or 0).proposal.index


def progress(*, finished: bool = False) -> Progress:
    history = ((0, 1.0), (1, 1.0), (3, 1.12), (8, 1.405), (9, 1.405), (17, 1.834), (24, 1.834))
    counts = (("better", 3), ("no better", 18), ("failed", 2), ("duplicate", 1))
    return Progress("top_k", 24, 60, 12.3, 30.0, 1.834, (("lanes", 16), ("unroll", 4)), counts, history, finished)


def compile_error() -> errors.CompileError:
    declared, called = SOURCE.split("\n")[5:7]
    note = Diagnostic("note", "parameter type declared here", 6, declared.index("[]const") + 1, declared, 11)
    return errors.CompileError(
        "the cell does not compile",
        (
            Diagnostic(
                "error", "expected type '[]const f32', found 'i32'", 7, called.index("queries") + 1, called, 7, (note,)
            ),
            Diagnostic("error", "unused local constant", 9, 8, "\tconst unused = 1; // tab before", 6),
            Diagnostic("error", "FileNotFound"),
        ),
    )


def states() -> list[State]:
    facts = (("verdict", "accepted"), ("ratio", "1.83x [1.79, 1.88]"), ("seed", "7"))
    return [
        State(
            f"{k:02x}" + "c0ffee" * 7 + "ab"[:0], k, "demo", kind, text, 1_795_359_845.0 + 17 * k, ("ab" * 20,), facts
        )
        for k, (kind, text) in enumerate(
            (
                ("cell", "%%zig top_k: 41 lines"),
                ("cell", "labels = model.predict(images)"),
                ("evolve", "top_k accepted"),
            )
        )
    ]


def deployments() -> list[Deployment]:
    old, new = program(), program(CHANGED)
    return [
        Deployment(
            "top_k", new.digest, "zig", ("scores", "top_k"), 0.9, 1_795_359_845.0, "c0ffee" * 7, "evolve", (old.digest,)
        ),
        Deployment("top_k", old.digest, "zig", ("scores", "top_k"), 0.1, 1_795_359_000.0),
    ]


def checks(*, ok: bool = True) -> list[Check]:
    return [
        Check("python", True, "3.11.7"),
        Check("zig", ok, "0.17.1" if ok else "not found", "" if ok else "pip install ziglang==0.17.1"),
        Check("sandbox", False, "L2", "Landlock is off in this kernel: L3 needs Linux 5.13 or newer", core=False),
        Check("history", True, ".o/store.git, 4.1 MB"),
    ]


LANES_DIFF = "--- a\n+++ b\n@@ -1,2 +1,2 @@\n-lanes = 8\n+lanes = 16\n unroll = 1\n"
CHANGES = [
    {"change": "changed", "id": "3", "outputs_changed": True, "diff": LANES_DIFF},
    {"change": "added", "id": "4", "diff": "@@ -0,0 +1 @@\n+print(1.83)\n"},
    {"change": "removed", "id": "5", "diff": "@@ -1 +0,0 @@\n--- not a header\n"},
]

SAMPLES: dict[str, Callable[[], view.Display]] = {
    "compile error": lambda: view.show_compile_error(compile_error()),
    "annotation": lambda: view.show_annotation("top_k", SOURCE, LISTINGS, detail="zig 0.17.1, safe"),
    "module": lambda: view.show_module("top_k", interface(), artifact(), notes=("scores replaces scores",)),
    "function": lambda: view.show_function(interface().functions[0], artifact(cached=True)),
    "program": lambda: view.show_program(program()),
    "diff": lambda: view.show_diff(SOURCE, CHANGED, before_name="top_k, first", after_name="top_k, accepted"),
    "changes": lambda: view.show_changes(CHANGES, before="ab" * 20, after="cd" * 20),
    "history diff": lambda: view.show_history_diff(
        SimpleNamespace(
            a=states()[0],
            b=states()[1],
            cells=[SimpleNamespace(id="7", change="changed", diff="", outputs_changed=True)],
            files=[SimpleNamespace(path="programs/top_k.zig", change="added", diff="@@ -0,0 +1 @@\n+const x = 1;\n")],
            moved=True,
        )
    ),
    "progress": lambda: view.show_progress(progress()),
    "progress finished": lambda: view.show_progress(progress(finished=True)),
    "run": lambda: view.show_run(
        "top_k",
        records(),
        verdict(),
        best=best_of(records()),
        seconds=58.31,
        seed=7,
        digest="9f" * 32,
        state="c0ffee" * 7,
    ),
    "run without gain": lambda: view.show_run("top_k", records(6, 5), verdict(accepted=False), seconds=7.0, seed=1),
    "turn": lambda: view.show_turn(turn()),
    "turn that failed": lambda: view.show_turn(turn(error="ModelError: no answer within 60 s", reply="")),
    "conversation": lambda: view.show_conversation([turn(), turn(error="ModelError: no", reply="")], name="calculator"),
    "conversation, nothing said": lambda: view.show_conversation([], name="calculator", state="idle"),
    "memory": lambda: view.show_memory(memory_look()),
    "memory, asked": lambda: view.show_memory(memory_look("how do I open the safe?")),
    "memory, empty": lambda: view.show_memory(MemoryLook("notes", 0, 100, "hash-512")),
    "moments": lambda: view.show_moments(moments(), name="caller", state="thinking"),
    "moments, one turn": lambda: view.show_moments([Moment("turn", "hi")], name="caller"),
    "moments, none": lambda: view.show_moments([], name="caller"),
    "measurements": lambda: view.show_measurements([measurement(), measurement("score", 1.018)]),
    "trials": lambda: view.show_trials(records(), best=best_of(records()), name="top_k"),
    "metrics": lambda: view.show_metrics(records(200), best=best_of(records(200)), name="top_k"),
    "archive": lambda: view.show_archive(population(), best=9, name="top_k"),
    "archive without a grid": lambda: view.show_archive(population(grid=False), name="top_k"),
    "archive, empty": lambda: view.show_archive(Population(), name="top_k"),
    "operators": lambda: view.show_operators(operators(), name="top_k"),
    "lineage": lambda: view.show_lineage(records(200), best=best_of(records(200)), name="top_k"),
    "history": lambda: view.show_history(states(), total=41),
    "state": lambda: view.show_state(states()[2], source="x = 1\n"),
    "serving": lambda: view.show_serving(deployments()),
    "life": lambda: view.show_life(states(), "dot"),
    "release": lambda: view.show_release("dot", "promoted", "dot 1.1.0 serves every call from now on"),
    "doctor": lambda: view.show_checks(checks()),
    "doctor broken": lambda: view.show_checks(checks(ok=False)),
    "config": lambda: view.show_table(
        "config", ("name", "value", "from"), [("trials", 60, "default"), ("seed", 7, "%config")]
    ),
    "cache": lambda: view.show_cache(12, 4_100_000, 512 << 20, "~/.cache/project-o", rows=[("zig", 12, 4_100_000)]),
    "panic": lambda: view.show_error(
        errors.NativePanic("index out of bounds: index 5, len 3", function="top_k", line=7)
    ),
    "usage": lambda: view.show_error(errors.UsageError("there is no top_q: the names served are top_k")),
}


def pytest_generate_tests(metafunc: Any) -> None:
    if "sample" in metafunc.fixturenames:
        metafunc.parametrize("sample", [pytest.param(make, id=name) for name, make in SAMPLES.items()])
