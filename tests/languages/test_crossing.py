"""Two texts in one: cut where statements begin, and nothing outside of what differs is touched."""

from __future__ import annotations

import ast
import itertools
import random

import pytest

from project_o.languages import tools_for
from project_o.languages.crossing import crossed, pieces, places

PYTHON = '''# EVOLVE-BLOCK-START
def f(xs):
    total = sum(
        x
        for x in xs
    )
    text = """
    first
    """
    if total > {a}:
        total -= {b}
    return total * {c}
# EVOLVE-BLOCK-END
'''
ZIG = """// EVOLVE-BLOCK-START
pub fn f(x: i32) i32 {{
    const a = add(
        x,
        {a},
    );
    const b = {b};
    return a + b + {c};
}}
// EVOLVE-BLOCK-END
"""
RUST = """// EVOLVE-BLOCK-START
pub fn f(x: i32) -> i32 {{
    let a = add(
        x,
        {a},
    );
    let b = {b};
    a + b + {c}
}}
// EVOLVE-BLOCK-END
"""
LISP = """; EVOLVE-BLOCK-START
(defn f [x]
  (setv a {a})
  (setv b {b})
  (+ x a b {c}))
; EVOLVE-BLOCK-END
"""
TEXT = """-- EVOLVE-BLOCK-START
local a = {a}
local b = {b}
return a + b + {c}
-- EVOLVE-BLOCK-END
"""
SOURCES = {"python": PYTHON, "zig": ZIG, "rust": RUST, "lisp": LISP, "text": TEXT}


@pytest.mark.parametrize("language", SOURCES)
def test_a_child_has_each_place_from_one_of_both_and_keeps_to_the_blocks(language):
    first, second = (SOURCES[language].format(a=a, b=b, c=c) for a, b, c in ((1, 2, 3), (10, 20, 30)))
    ours, theirs = pieces(language, first), pieces(language, second)
    where = places(ours, theirs)
    made = {crossed(ours, theirs, list(zip(where, chosen, strict=True)))
            for chosen in itertools.product((False, True), repeat=len(where))}  # fmt: skip
    tools = tools_for(language)

    assert "".join(ours) == first
    assert {first, second} <= made
    assert len(made) == 2 ** len(where) >= 4
    for text in made:
        tools.inside_blocks(first, text)
        assert tools.with_source(tools.program("p", first), text).source == text


@pytest.mark.parametrize("language", ["python", "zig", "rust"])
def test_no_statement_is_torn_apart(language):
    found = pieces(language, SOURCES[language].format(a=1, b=2, c=3))

    assert any("x" in piece and piece.count("\n") >= 4 for piece in found), found
    if language == "python":
        assert any(piece.count('"""') == 2 for piece in found), found


def test_of_texts_that_differ_anywhere_every_child_is_the_text_of_one_or_the_other_there():
    rng = random.Random(7)
    lines = [f"x{k} = {k}\n" for k in range(12)]
    for _ in range(200):
        texts = []
        for _ in range(2):
            some = [rng.choice(["", line, line + line, f"y = {rng.randrange(9)}\n"]) for line in lines]
            texts.append("".join(some))
        ours, theirs = (pieces("python", text) for text in texts)
        taken = [(place, rng.random() < 0.5) for place in places(ours, theirs)]
        child = crossed(ours, theirs, taken)
        ast.parse(child)
        assert set(child.splitlines()) <= set(texts[0].splitlines()) | set(texts[1].splitlines())


def test_a_text_that_cannot_be_read_is_cut_into_lines():
    assert pieces("python", "def f(:\n  x\n") == ("def f(:\n", "  x\n")
    assert pieces("python", "") == ("",) or pieces("python", "") == ()
