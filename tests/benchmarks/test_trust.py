"""The benchmark of verdicts in small: it goes on where it was, and its record says what its lines say."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


@pytest.fixture
def trust():
    from benchmarks.trust import __main__ as module

    return module


def test_a_program_is_not_better_than_itself_and_one_that_does_less_is(trust, tmp_path, capsys):
    log, out = tmp_path / "log.jsonl", tmp_path / "record.json"
    for count in (1, 2):
        assert trust.main(["run", "same-quiet", "--count", str(count), "--log", str(log)]) == 0
    before = log.read_text()
    for _ in range(3):  # a neighbour's load may hide a gain, and makes none: of what is the same one verdict counts
        log.write_text(before)
        assert trust.main(["run", "gain-1.3", "--count", "1", "--log", str(log)]) == 0
        gain = json.loads(log.read_text().splitlines()[-1])
        if gain["accepted"] and 1.2 < gain["ratios"][0][0] < 1.4:
            break
    trust.main(["record", "--log", str(log), "--out", str(out)])
    trust.main(["status", "--log", str(log)])

    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["part"], line["number"], line["accepted"]) for line in lines] == [
        ("same-quiet", 0, False),
        ("same-quiet", 1, False),
        ("gain-1.3", 0, True),
    ]
    assert 1.2 < lines[2]["ratios"][0][0] < 1.4
    assert len(lines[0]["series"][0][0]) == len(lines[0]["series"][0][1]) == lines[0]["ratios"][0][3]
    body = json.loads(out.read_text())
    assert body["parts"]["same-quiet"]["all"]["n"] == 2
    assert body["parts"]["gain-1.3"]["zig"]["accepted"] == 1
    assert body["machine"]["cpu"]
    said = capsys.readouterr().out
    assert "same-quiet" in said
    assert "2 of  200, 0 accepted" in said


def test_a_run_of_candidates_that_change_nothing_accepts_none(trust, monkeypatch, tmp_path):
    from benchmarks.trust import parts

    monkeypatch.setattr(parts, "NULLS", 6)
    log = tmp_path / "log.jsonl"
    trust.main(["run", "nulls-quiet", "--count", "1", "--log", str(log)])
    trust.main(["run", "scores", "--count", "1", "--log", str(log)])

    nulls, scores = (json.loads(line) for line in log.read_text().splitlines())
    assert not nulls["accepted"], nulls["reasons"]
    assert len(nulls["screened"]) == 6
    assert not scores["accepted"]


def test_versions_that_change_nothing_are_all_different_and_do_the_same():
    from benchmarks.trust.subjects import LIST, NULLS, SUBJECTS

    for subject in SUBJECTS.values():
        texts = {subject.null(number) for number in range(1, NULLS + 1)} | {subject.source()}
        assert len(texts) == NULLS + 1
    answers = set()
    for number in range(6):
        names: dict[str, object] = {}
        exec(SUBJECTS["python"].null(number), names)
        answers.add(names["f"](*LIST))
    assert len(answers) == 1


@pytest.mark.parametrize(("hits", "n", "bound"), [(0, 200, 0.0149), (5, 200, 0.0518), (10, 200, 0.0833), (3, 3, 1.0)])
def test_the_bound_of_a_share_is_that_of_the_tables(hits, n, bound):
    from benchmarks.trust.summary import share_at_most

    assert share_at_most(hits, n) == pytest.approx(bound, abs=2e-4)


def test_runs_put_together_from_pairs_accept_next_to_none_of_the_same_and_most_of_the_better():
    from benchmarks.trust import simulate

    rng = np.random.default_rng(0)
    same, biased = (
        [(np.exp(0.03 * rng.standard_normal(80) + gain).tolist(), [1.0] * 80) for _ in range(40)] for gain in (0.0, 0.2)
    )
    found = simulate.runs(same, 200, seed=1)

    assert found["accepted"] == 0
    assert found["measured"] <= 0.05 * 200
    assert simulate.runs(biased, 50, seed=1)["accepted"] > 0, "whoever is better on one side of its pairs is accepted"
    assert simulate.recorded([{"series": [[[1.0] * 80, [1.0] * 80]]}, {"series": []}, {}]) == [([1.0] * 80, [1.0] * 80)]


def test_load_is_ended_with_what_it_was_for():
    from benchmarks.trust.parts import load

    with load(busy=True, cores=1):
        pass
    with load(busy=False):
        assert sys.executable


def test_the_documentation_tells_the_newest_record_of_each_part(trust):
    """Shares of false accepts, and beside them the power for a gain that is there."""
    table = trust.figures.figures(ROOT / "benchmarks" / "results")
    page = trust.figures.PAGE.read_text("utf-8")

    assert trust.figures.written(page, table) == page, "run: python -m benchmarks.trust figures"
    known = trust.figures.newest(ROOT / "benchmarks" / "results")
    assert {"same-quiet", "same-loaded", "nulls-quiet", "gain-1.1"} <= known.keys()


def test_of_two_records_of_a_part_the_newer_one_is_told(trust, tmp_path):
    for day, accepted in (("2020-01-02", 3), ("2020-01-01", 9)):
        numbers = {"n": 40, "accepted": accepted, "share_at_most": 0.5, "share_at_least": 0.25}
        body = {"date": f"{day}T00:00:00+00:00", "parts": {"gain-1.1": {"all": numbers}}}
        (tmp_path / f"{day}-trust.json").write_text(json.dumps(body))

    expected = "| a version that is truly 1.1 times as fast | 3 | 40 | at least 25% | 2020-01-02 |"
    assert trust.figures.figures(tmp_path).splitlines()[2:] == [expected]
