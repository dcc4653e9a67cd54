"""The set of programs to be repaired: every bug stands where it is said, and the cases come from the right text."""

from __future__ import annotations

import ast

from benchmarks.repair.classics import BUGS
from benchmarks.repair.injected import injected


def test_there_are_fifty_programs_and_twenty_bugs_more():
    assert len({bug.name for bug in BUGS}) == len(BUGS) == 50
    assert len({bug.name for bug in injected()}) == 20
    assert len({bug.kind for bug in BUGS}) >= 20


def test_every_bug_changes_its_program_and_has_cases_enough():
    for bug in (*BUGS, *injected()):
        assert ast.dump(ast.parse(bug.source)) != ast.dump(ast.parse(bug.right_source)), bug.name
    for bug in BUGS:
        cases = bug.cases(40, 0)
        assert cases == bug.cases(40, 0), bug.name
        assert len({repr(args) for args, _ in cases}) == 40, bug.name
        assert len({repr(expected) for _, expected in cases}) > 1, bug.name
