"""``box.lisp``: Lisp in the sandbox."""

from __future__ import annotations

import re

import pytest

from project_o import Sandbox


@pytest.fixture(scope="module")
def box():
    with Sandbox(wall_seconds=3) as made:
        yield made


def test_what_the_source_defines_can_be_asked(box):
    with box.lisp('(import math) (defn double-it [x] (* 2 x))\n(defn root [x] (math.sqrt x)) (setv k "v")') as job:
        assert job.loaded.ok
        assert job.ask("double-it", [21]).value == 42
        assert job.ask("double_it", [[1, 2]]).value == [1, 2, 1, 2]
        assert job.ask("root", [9]).value == 3.0
        assert "defines no other" in job.ask("other", []).error


def test_a_python_job_of_the_same_box_works_beside_it(box):
    with box.lisp("(defn f [] 1)") as lisp, box.python("def f(): return 2") as python:
        assert (lisp.ask("f").value, python.ask("f").value) == (1, 2)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("(defn f [x]\n (+ x 1)", "PrematureEndOfInput"),
        ("1\n(/ 1 0)", r"ZeroDivisionError: division by zero \(line 2\)"),
        ("(defmacro m [] '(m 1 2))\n(m)", "m"),
        ('(import os)\n(os.listdir "/")', r"PermissionError.*line 2"),
        ('(open "/etc/passwd")', "PermissionError"),
        ("(import sqlite3)", "ModuleNotFoundError"),
        ('(import socket)\n(socket.create-connection #("127.0.0.1" 9))', "PermissionError"),
    ],
)
def test_what_goes_wrong_is_an_answer(box, source, expected):
    with box.lisp(source) as job:
        assert not job.loaded.ok
        assert job.ask("f", [1]).ok is False
        assert re.search(expected, job.loaded.error)


def test_an_expansion_without_end_meets_the_clock():
    with Sandbox(wall_seconds=0.5) as box, box.lisp("(defmacro m [] '(m)) (m)") as job:
        assert job.loaded.ended == "wall-time"


def test_an_error_names_the_line_of_the_source(box):
    with box.lisp("(defn div [x]\n  (/ 1 x))") as job:
        assert job.ask("div", [0]).error == "ZeroDivisionError: division by zero (line 2)"


def test_what_the_policy_denies_is_told_by_line_and_the_rest_runs():
    with Sandbox(wall_seconds=3, deny=("import:json", "form:while")) as strict:
        for source, expected in (
            ("\n(import json)\n(defn f [] 1)", "line 2: import:json is denied"),
            ("(defn f [] (while True 1))", "line 1: form:while is denied"),
        ):
            with strict.lisp(source) as job:
                assert (job.loaded.ok, job.loaded.ended) == (False, "denied")
                assert job.loaded.error.startswith(expected), job.loaded.error
        with strict.lisp("(import math) (defn f [] (math.sqrt 9))") as job:
            assert job.ask("f").value == 3.0


def test_an_error_without_a_text_ends_with_its_name(box):
    with box.lisp("(defn f [] (raise (MemoryError)))") as job:
        assert job.ask("f").error.startswith("MemoryError")
        assert "MemoryError:" not in job.ask("f").error
