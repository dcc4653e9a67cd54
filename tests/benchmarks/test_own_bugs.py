"""Faults in functions of ours: each breaks a promise that holds without it, and is repaired as it was."""

from __future__ import annotations

import random

import pytest
from benchmarks.own_bugs.faults import KINDS, drawn, faults
from benchmarks.own_bugs.measure import control, failures, fault_of, measured, subject_of, unseen_wrong
from benchmarks.own_bugs.properties import SUBJECTS


def test_functions_of_many_modules_keep_what_they_promise():
    assert len(SUBJECTS) >= 15
    assert len({subject.module.split(".")[0] for subject in SUBJECTS}) >= 6
    for subject in SUBJECTS:
        cases = subject.cases(15, 7)
        assert len({repr(args) for args, _ in cases}) == len(cases) >= 10, subject.name
        assert failures(subject, subject.carried.text, cases) == [], f"{subject.module}:{subject.name}"


def test_faults_are_of_every_kind_change_the_text_and_are_the_same_by_the_same_seed():
    kinds = set()
    for subject in SUBJECTS:
        every = faults(subject.carried.function)
        assert every, subject.name
        assert subject.carried.function not in {fault.text for fault in every}
        assert len({fault.text for fault in every}) == len(every)
        assert drawn(every, random.Random(3)) == drawn(every, random.Random(3))
        kinds |= {fault.kind for fault in every}
    assert kinds == set(KINDS)


@pytest.mark.parametrize("number", [1, 5, 6])
def test_a_fault_is_found_repaired_and_right_on_unseen_inputs(number, tmp_path):
    row = measured(number, tmp_path)

    assert row["failing"] > 0
    assert row["outcome"] == "repaired", row
    assert row["wrong of unseen"] == 0
    assert row["tried"] >= row["place"] > 0
    assert control(number, 0) == {"tries": 0, "outcome": "not repaired"}


def test_the_unseen_inputs_tell_what_was_learned_by_heart_and_what_is_still_wrong():
    subject = subject_of(1)
    table = {repr(args): answer for args, answer in subject.cases(100, 1)}
    by_heart = f"def _end(text, start, size):\n    return {table!r}.get(repr((text, start, size)), 0)\n"

    assert failures(subject, subject.carried.with_function(by_heart), subject.cases(100, 1)) == []
    assert unseen_wrong(subject, by_heart) > 100
    assert unseen_wrong(subject, fault_of(1)[0].text) > 0
    assert unseen_wrong(subject, subject.carried.function) == 0
