"""The benchmarks' own machinery: a run writes a record, what is missing is told, what is wrong fails."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


def command(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def definition(*names, reference=None):
    from benchmarks.definitions import Definition, Entry

    entries = tuple(Entry(name, name, {}) for name in names)
    return Definition("example", "Which?", "visit", reference or names[-1], 6, 1, entries)


@contextmanager
def steady():
    yield lambda: {"wall": 0.25}


@contextmanager
def slow():
    yield lambda: {"wall": 0.5, "hook": 0.125}


@contextmanager
def wrong():
    from benchmarks.harness import expect

    yield lambda: expect("1 + 1", 2, 3)


@contextmanager
def absent():
    from benchmarks.harness import UnavailableError

    raise UnavailableError("no such compiler on this machine")
    yield


def test_one_command_measures_and_writes_a_record(tmp_path):
    out = tmp_path / "results" / "record.json"
    done = command("trial", "--rounds", "4", "--out", str(out))
    assert done.returncode == 0, done.stderr
    body = json.loads(out.read_text("utf-8"))
    assert body["format"] == 1
    assert body["date"].startswith("20")
    assert body["machine"]["cpu"]
    assert body["machine"]["packages"]["numpy"]
    (trial,) = body["benchmarks"]
    ours, reference = trial["engines"]
    assert [ours["name"], reference["name"]] == ["sandbox", "fresh Python process"]
    for engine in (ours, reference):
        assert engine["status"] == "measured"
        assert len(engine["metrics"]["wall"]["seconds"]) == 4
    ratio = ours["metrics"]["wall"]["ratio"]
    assert ratio["low"] <= ratio["estimate"] <= ratio["high"]
    assert "ratio" not in reference["metrics"]["wall"]
    assert "sandbox" in done.stdout
    assert str(out) in done.stdout


def test_without_gcc_its_engine_is_skipped_with_the_reason(tmp_path):
    from benchmarks.definitions import chosen, read
    from benchmarks.engines import ENGINES
    from benchmarks.harness import measure
    from benchmarks.report import summary, table

    (edit,) = chosen(read(), ["edit"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        others = dict.fromkeys(("numba_edit", "cython_edit", "peer_edit"), lambda **_: steady())
        ours = {"native_edit": lambda **_: nullcontext(lambda: {"wall": 0.25, "optimised": 0.5})}
        series = measure(edit, {**ENGINES, **others, **ours}, rounds=2)
    by_name = {one.entry.name: one for one in series}
    assert by_name["gcc -O3 by hand"].status == "skipped"
    text = table({"benchmarks": [summary(edit, series)]})
    assert "skipped: no gcc on this machine" in text
    assert by_name["zig cell"].samples == {"wall": [0.25, 0.25], "optimised": [0.5, 0.5]}


def test_a_ratio_is_the_engines_cost_over_the_references():
    from benchmarks.harness import measure
    from benchmarks.report import summary

    engines = {"slow": slow, "steady": steady}
    one = definition("slow", "steady")
    ours, reference = summary(one, measure(one, engines))["engines"]
    assert ours["metrics"]["wall"]["ratio"]["estimate"] == 2.0
    assert ours["metrics"]["wall"]["added_seconds"] == 0.25
    assert "ratio" not in ours["metrics"]["hook"]
    assert reference["metrics"]["wall"]["median_seconds"] == 0.25


def test_a_wrong_answer_fails_its_engine_and_keeps_the_others(capsys):
    from benchmarks.harness import measure
    from benchmarks.report import summary, table

    one = definition("wrong", "absent", "steady")
    series = measure(one, {"wrong": wrong, "absent": absent, "steady": steady})
    assert [each.status for each in series] == ["failed", "skipped", "measured"]
    assert series[0].reason == "WrongAnswerError: 1 + 1: 3 instead of 2"
    assert len(series[2].samples["wall"]) == 6
    body = summary(one, series)
    json.dumps(body, allow_nan=False)
    assert "failed: WrongAnswerError" in table({"benchmarks": [body]})


def test_too_few_rounds_bound_nothing_and_still_make_json():
    from benchmarks.harness import measure
    from benchmarks.report import summary, table

    one = definition("slow", "steady")
    body = summary(one, measure(one, {"slow": slow, "steady": steady}, rounds=1))
    json.dumps(body, allow_nan=False)
    assert "2 [?, ?] of steady" in table({"benchmarks": [body]})


def test_every_row_of_the_table_names_an_engine_that_is_there():
    import inspect

    from benchmarks.definitions import read
    from benchmarks.engines import ENGINES

    for one in read():
        for entry in one.entries:
            inspect.signature(ENGINES[entry.engine]).bind(**entry.options)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "there is no benchmark 'nothing': there are edit"),
        (["--rounds", "0"], "--rounds wants a whole number above 0"),
        (["--rounds", "many"], "invalid int value"),
    ],
)
def test_a_line_that_cannot_be_meant_is_told(arguments, words):
    done = command(*arguments)
    assert done.returncode == 2
    assert words in done.stderr


def test_a_table_that_cannot_be_meant_is_told(tmp_path):
    from benchmarks.definitions import DefinitionError, read

    path = tmp_path / "definitions.toml"
    path.write_text("[a]\nquestion = '?'\nunit = 'a'\nreference = 'b'\nrounds = 1\nwarmups = 0\nengines = {}\n")
    with pytest.raises(DefinitionError, match="the reference 'b' is none of its engines"):
        read(path)
    path.write_text("[a]\n")
    with pytest.raises(DefinitionError, match="does not say 'question'"):
        read(path)


def test_a_promise_may_be_about_what_most_values_keep():
    from benchmarks.definitions import Definition, Entry
    from benchmarks.harness import measure
    from benchmarks.report import summary, table

    entries = (
        Entry("steady", "steady", {}, limits={"wall": 0.25}, limits_p95={"wall": 0.3}),
        Entry("too slow", "slow", {}, limits_p95={"wall": 0.25}),
        Entry("slow", "slow", {}),
    )
    one = Definition("example", "Which?", "visit", "slow", 6, 1, entries)
    body = summary(one, measure(one, {"slow": slow, "steady": steady}))
    kept, broken, plain = (engine["metrics"]["wall"] for engine in body["engines"])
    assert kept["promise_p95"] == {"max": 0.3, "reached": 0.25, "kept": True}
    assert broken["promise_p95"] == {"max": 0.25, "reached": 0.5, "kept": False}
    assert "promise_p95" not in plain
    text = table({"benchmarks": [body]})
    assert "promised at most 250 ms: kept; 250 ms for 95 %, promised at most 300 ms: kept" in text
    assert "500 ms for 95 %, promised at most 250 ms: NOT KEPT" in text


def test_records_of_one_state_are_joined_and_others_refused(tmp_path, capsys):
    from benchmarks.__main__ import main

    from benchmarks import report

    engine = {"name": "one", "engine": "one", "options": {}, "status": "skipped", "reason": "not here"}
    body = {
        "format": report.FORMAT,
        "date": "2020-01-01T00:00:00+00:00",
        "machine": {"cpu": "one"},
        "load_average": {"before": [1], "after": [2]},
        "benchmarks": [{"name": "a", "question": "?", "engines": [engine]}],
    }
    other = {
        **body,
        "load_average": {"before": [3], "after": [4]},
        "benchmarks": [{**body["benchmarks"][0], "name": "b"}],
    }
    strange = {**other, "machine": {"cpu": "two"}}
    for name, one in (("a", body), ("b", other), ("c", strange)):
        (tmp_path / name).write_text(json.dumps(one))
    joined = tmp_path / "joined"
    paths = {name: str(tmp_path / name) for name in "abc"}

    assert main(["--join", paths["a"], paths["b"], "--out", str(joined)]) == 0
    found = json.loads(joined.read_bytes())
    assert [one["name"] for one in found["benchmarks"]] == ["a", "b"]
    assert found["load_average"] == {"before": [1], "after": [4]}
    for wrong, words in (((paths["a"], paths["c"]), "different machines"), ((paths["a"], paths["a"]), "in two of")):
        with pytest.raises(SystemExit):
            main(["--join", *wrong, "--out", str(joined)])
        assert words in capsys.readouterr().err
