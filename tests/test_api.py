"""The public functions as a person calls them: every word of the surface, by keyword, by position and left out."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from project_o import evolve, load, rust, zig
from project_o.errors import CompileError, UsageError
from project_o.toolchain import status

ADD = "pub fn add(a: i32, b: i32) i32 { return a + b; }"
COSINE = "extern fn cos(f64) f64;\npub fn c(x: f64) f64 { return cos(x); }"
FAILING = 'pub fn one() i32 { return 1; }\ntest "it" { try @import("std").testing.expect(one() == 2); }'


def step(x):
    n = 4  # o: 2 4 8
    return x * n


def score(program):
    return {"score": float(program(2))}


def test_evolve_has_the_signature_of_the_design():
    parameters = inspect.signature(evolve).parameters
    positional = [name for name, item in parameters.items() if item.kind is item.POSITIONAL_OR_KEYWORD]
    defaults = {name: item.default for name, item in parameters.items() if item.kind is item.KEYWORD_ONLY}

    assert positional == ["program", "evaluator"]
    assert defaults == {
        "trials": None, "budget": None, "seed": 0, "workers": 2, "proposer": "search", "executor": None,
    }  # fmt: skip


def test_a_run_from_python_is_the_same_with_its_defaults_said():
    said = evolve(
        program=step, evaluator=score, trials=4, budget="2m", seed=0, workers=2, proposer="search", executor=None
    )
    unsaid = evolve(step, score, trials=4, budget=120)

    assert said.lineage.digest == unsaid.lineage.digest == evolve(step, score, trials=4, seed=None).lineage.digest
    assert [one.proposal.settings for one in said.trials] == [one.proposal.settings for one in unsaid.trials]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"trials": "many"}, "trials is 'many': it wants a whole number"),
        ({"trials": 2.5}, "trials is 2.5"),
        ({"trials": True}, "trials is True"),
        ({"seed": "x"}, "seed is 'x'"),
        ({"workers": None}, "workers is None"),
        ({"budget": "soon"}, "'soon' is no duration"),
        ({"budget": [1]}, r"budget is \[1\]"),
        ({"nosuch": 1}, "evolve has no option nosuch"),
    ],
)
def test_what_a_run_cannot_mean_is_said_in_our_own_words(options, words):
    with pytest.raises(UsageError, match=words):
        evolve(step, score, **options)


def test_a_path_that_is_not_there_is_told_as_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for program in ("nosuch.py", "nosuch/initial.py", tmp_path / "nosuch.py"):
        with pytest.raises(UsageError, match=r"nosuch.*cannot be read: No such file"):
            evolve(program, score)


def test_a_task_keeps_its_own_seed_where_none_is_said(tmp_path):
    (tmp_path / "initial_program.py").write_text("# EVOLVE-BLOCK-START\ndef f():\n    return 3\n# EVOLVE-BLOCK-END\n")
    (tmp_path / "evaluator.py").write_text("def evaluate(path):\n    return {'combined_score': 1.0}\n")
    (tmp_path / "config.yaml").write_text("random_seed: 7\n")
    own = evolve(tmp_path, trials=3)

    assert own.seed == 7
    assert own.lineage.digest == evolve(tmp_path, trials=3, seed=7).lineage.digest
    assert evolve(tmp_path, trials=3, seed=0).seed == 0


@pytest.mark.parametrize("words", [{"links": "m"}, {"links": ["m"]}, {"link": ["m"]}, {"link": "m"}])
def test_a_library_is_linked_by_our_word_and_by_the_magics(words):
    assert zig(COSINE, "linked", **words).c(0.0) == 1.0


def test_every_flag_of_the_magic_can_be_said():
    for words in ({"nogil": True}, {"trial": False}, {"no_trial": True}, {"isolate": True}, {"mode": "fast"}):
        assert zig(ADD, "flagged", **words).add(1, 2) == 3
    assert zig(ADD).add(a=1, b=2) == zig(source=ADD, name="named").add(1, b=2) == 3


@pytest.mark.parametrize("word", ["test", "tests"])
def test_the_tests_of_a_source_run_on_request(word):
    with pytest.raises(CompileError, match="test 'it' failed"):
        zig(FAILING, **{word: True})
    assert zig(FAILING).one() == 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: zig(ADD, mode="quick"), "there is no mode 'quick': there are safe, fast, debug"),
        (lambda: load("counter", mode="quick"), "there is no mode 'quick'"),
        (lambda: zig(ADD, nosuch=1), "zig has no option nosuch: there are mode, isolate"),
        (lambda: zig(ADD, dep="x"), "zig has no option dep"),
        (lambda: zig(None), "zig wants its source as a str, got NoneType"),
        (lambda: rust(b"pub fn f() {}"), "rust wants its source as a str, got bytes"),
    ],
)
def test_what_a_cell_cannot_mean_is_said_in_our_own_words(call, words):
    with pytest.raises(UsageError, match=words):
        call()


def test_the_flags_of_rust_from_python(lacking):
    if not next(one for one in status() if one.name == "rust").ok:
        lacking("rust", "there is no rustc")
    module = rust("pub fn twice(x: i64) -> i64 { 2 * x }", "twice", dep=[], no_trial=True, nogil=True)

    assert module.twice(21) == 42


def test_the_example_of_a_library_module():
    vectors = load("vector_ops")
    a, b = np.random.default_rng(0).normal(size=(2, 1001)).astype(np.float32)
    scaled, added = a.copy(), a.copy()
    vectors.scale(scaled, 2.0)
    vectors.add_scaled(added, b, -0.5)
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)

    assert np.isclose(vectors.sum(a), wide_a.sum(), rtol=1e-12)
    assert np.isclose(vectors.dot(a, b), wide_a @ wide_b, rtol=1e-12)
    assert np.isclose(vectors.norm(a), np.linalg.norm(wide_a), rtol=1e-12)
    assert np.isclose(vectors.distance(a, b), np.linalg.norm(wide_a - wide_b), rtol=1e-12)
    assert np.isclose(vectors.cosine(a, a), 1.0, rtol=1e-12)
    assert (scaled == a * np.float32(2)).all()
    assert (added == a + np.float32(-0.5) * b).all()
    assert (vectors.sum([]), vectors.cosine([0], [1])) == (0.0, None)
    with pytest.raises(Exception, match="LengthMismatch"):
        vectors.dot(a, b[:3])


def test_a_cell_that_accepts_may_be_run_twice(tmp_path):
    from project_o.flow import Flow
    from project_o.history import open_history

    history = open_history(tmp_path, notebook=None, session="twice")
    flow = Flow(history)
    try:
        run = flow.evolve(step, score, trials=4)
        assert run.verdict.accepted
        first = run.accept()
        again = run.accept()
        assert (again, first.version) == (first, "1.0.0")
        assert [one.kind for one in history.states(50) if one.kind == "promote"] == ["promote"]
        flow.rollback("step")
        assert run.accept().digest == first.digest, "after a rollback it is a release again"
    finally:
        history.close()


def test_a_proposal_that_is_no_text_is_said():
    run = evolve(step, score, trials=2)

    with pytest.raises(UsageError, match="propose wants a source as text, got NoneType"):
        run.propose(None)
