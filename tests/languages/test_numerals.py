"""Numbers that may be changed: where they stand, and nothing else."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project_o.languages.meaning import meaning
from project_o.languages.numerals import numerals, spelled

PYTHON = '''
a = 1  # EVOLVE-BLOCK-START 7
def f(x=2.5, n=1_000):
    """Says 3."""
    return x[4] + 0x10 + 1e-3 + int("5") + -6j  # 8
# EVOLVE-BLOCK-END
b = 9
'''
ZIG = "const a = 1;\n// EVOLVE-BLOCK-START\nconst b: f32 = 2.5; // 3\nconst c = xs[4..n5]; // 6\n// EVOLVE-BLOCK-END\n"
LISP = '; EVOLVE-BLOCK-START 1\n(setv a 2.5 b "3")\n; EVOLVE-BLOCK-END\n(setv c 4)\n'
LUA = "-- EVOLVE-BLOCK-START 1\nx = 2.5 -- 3\ny = '4' .. 50\n-- EVOLVE-BLOCK-END\nz = 6\n"


@pytest.mark.parametrize(
    ("language", "source", "values"),
    [
        ("python", PYTHON, [2.5, 1000, 4, 1e-3]),
        ("zig", ZIG, [2.5]),
        ("lisp", LISP, [2.5]),
        ("text", LUA, [2.5, 50]),
        ("python", "x = 3\ny = 'no blocks, so all of it'\n", [3]),
        ("python", "def f(:", []),
        ("text", "# EVOLVE-BLOCK-START\n1", []),
    ],
)
def test_only_those_inside_the_blocks_and_outside_of_strings_and_comments(language, source, values):
    assert [item.value for item in numerals(language, source)] == values


@given(st.floats(0, 1e15), st.sampled_from(["3", "3.5"]))
def test_what_is_spelled_is_a_number_of_the_same_kind(value, kind):
    (like,) = numerals("python", f"x = {kind}\n")
    found = ast.literal_eval(spelled(value, like))

    assert type(found) is type(like.value)
    assert abs(found - value) <= max(0.5 if kind == "3" else 1e-5 * value, 1e-12)


@given(st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=5), st.integers(0, 4), st.floats(1e-6, 1e9))
def test_one_number_is_put_in_the_place_of_another_and_no_other_byte_changes(values, place, value):
    source = "é = 1\n" + "".join(f"x{k} = {number!r}  # ü {k}\r\n" for k, number in enumerate(values))
    found = numerals("python", source)
    number = found[1 + place % len(values)]
    text = spelled(value, number)
    changed = source[: number.start] + text + source[number.end :]

    assert changed.splitlines()[number.line - 1].startswith(f"x{place % len(values)} = {text}")
    assert len(numerals("python", changed)) == len(found)


@pytest.mark.parametrize(
    ("language", "left", "right", "same"),
    [
        ("python", "def f(x):\n    'Says.'\n    return (((x)))\n", "def f(x):\n    pass\n    return x  # so\n", True),
        ("python", "x = 1", "x = 1.0", False),
        ("python", "if a: pass\nelse: b()", "if a: pass", False),
        ("python", "def f(:", "def f( :", False),
        ("zig", "const a = 1; // so", "const a  = 1;", True),
        ("text", "a = 1  \n\n", "a = 1\n", True),
    ],
)
def test_texts_that_say_the_same_have_one_meaning(language, left, right, same):
    assert (meaning(language, left) == meaning(language, right)) is same
