"""What a model wrote becomes a text, or a sentence that says what is wrong with it; what may not change never does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project_o.evolution.llm.answers import Unusable, read
from project_o.languages import tools_for
from project_o.values import Program

PYTHON = """import math

# EVOLVE-BLOCK-START
def f(x):
    total = 0
    for item in x:
        total += item
    return total
# EVOLVE-BLOCK-END

def g(x):
    return f(x)
"""
ZIG = "const a = 1;\n// EVOLVE-BLOCK-START\npub fn f(x: i32) i32 {\n    return x + a;\n}\n// EVOLVE-BLOCK-END\n"
RUST = "// EVOLVE-BLOCK-START\npub fn f(x: i32) -> i32 {\n    x + 1\n}\n// EVOLVE-BLOCK-END\n"
LISP = "; EVOLVE-BLOCK-START\n(defn f [x] (+ x 1))\n; EVOLVE-BLOCK-END\n(setv y 1)\n"
LUA = "-- EVOLVE-BLOCK-START\nfunction f(x)\n  return x + 1\nend\n-- EVOLVE-BLOCK-END\nprint(f(1))\n"
SOURCES = {"python": PYTHON, "zig": ZIG, "rust": RUST, "lisp": LISP, "text": LUA}


def program(source: str = PYTHON, language: str = "python") -> Program:
    return tools_for(language).program("p", source)


def edit(search: str, replace: str) -> str:
    return f"<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE"


@pytest.mark.parametrize(
    ("language", "old", "new"),
    [
        ("python", "        total += item", "        total = total + item"),
        ("zig", "    return x + a;", "    return a + x;"),
        ("rust", "    x + 1", "    1 + x"),
        ("lisp", "(defn f [x] (+ x 1))", "(defn f [x] (+ 1 x))"),
        ("text", "  return x + 1", "  return 1 + x"),
    ],
)
def test_edits_in_every_language_change_what_they_name_and_nothing_else(language, old, new):
    source = SOURCES[language]
    found = read(f"The order is better.\n\n```\n{edit(old, new)}\n```\nThat is all.", program(source, language))

    assert found.source == source.replace(old, new)
    assert (found.form, found.reason) == ("edits", "The order is better. That is all.")


def test_several_edits_apply_in_their_order_and_may_lose_their_indentation():
    reply = edit("total += item", "total = total + item") + "\n" + edit("    total = 0\n", "    total = 0.0")
    found = read(reply, program())

    assert found.source == PYTHON.replace("total += item", "total = total + item").replace(
        "total = 0\n", "total = 0.0\n"
    )
    windows = PYTHON.replace("\n", "\r\n")
    assert read(edit("    return total", "    return +total"), program(windows)).source == windows.replace(
        "return total", "return +total"
    )


@pytest.mark.parametrize(
    "body",
    [
        "def f(x):\n    return sum(x)\n",
        "# EVOLVE-BLOCK-START\ndef f(x):\n    return sum(x)\n# EVOLVE-BLOCK-END\n",
        "import os\n# EVOLVE-BLOCK-START\ndef f(x):\n    return sum(x)\n# EVOLVE-BLOCK-END\ndef g(x):\n    return 9\n",
    ],
    ids=["alone", "with its markers", "with what is around it"],
)
def test_a_whole_block_takes_the_place_of_the_block_alone(body):
    found = read(f"Shorter:\n```python\n{body}```\n", program())
    old = PYTHON[PYTHON.index("def f") : PYTHON.index("# EVOLVE-BLOCK-END")]

    assert found.source == PYTHON.replace(old, "def f(x):\n    return sum(x)\n")
    assert found.form == "whole block"


def test_without_blocks_the_whole_text_is_new():
    assert read("```\nx = 2\n```", program("x = 1\n")).source == "x = 2\n"
    assert read("```\nx = 2\n```", program("x = 1")).source == "x = 2"


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("I cannot do that.", "neither a"),
        ("", "neither a"),
        (edit("    return total", "    return total"), "changes nothing"),
        (edit("    return total", "    return total  # so"), "changes nothing"),
        (edit("    return nothing", "    return 1"), "are not in the program"),
        (edit("    return f(x)", "    return 1"), "outside the EVOLVE blocks"),
        (edit("# EVOLVE-BLOCK-END", "x = 1\n# EVOLVE-BLOCK-END"), "outside the EVOLVE blocks"),
        (edit("    return total", "    return total\n# EVOLVE-BLOCK-END\n# EVOLVE-BLOCK-START"), "must keep its 1"),
        (edit("        total += item", "        total += ("), "cannot be read: line"),
        (edit("", "x"), "looks for nothing"),
        (edit("    return total", "    return 1")[:-10], "ends too early"),
        (edit("a", "b").replace("=======\n", ""), "has no line ======="),
        ("<<<<<<< SEARCH\n" + edit("a", "b"), "stands inside a block"),
        (">>>>>>> REPLACE", "without <<<<<<< SEARCH"),
        ("```python\ndef f(x):\n    return", "not closed"),
        ("```\n# EVOLVE-BLOCK-START\na = 1\n```", "EVOLVE-BLOCK-START has no"),
        (edit("    return total", "    return 'x" + "y" * 100_000 + "'"), "write less"),
        (edit("    return total", "    return '[redacted 0a1b2c3d]'"), "what you were not told"),
    ],
)
def test_what_cannot_be_used_says_why(reply, why):
    with pytest.raises(Unusable, match=why.replace("[", r"\[")):
        read(reply, program())


def test_lines_that_are_there_twice_need_more_around_them():
    source = "# EVOLVE-BLOCK-START\na = 1\nb = 2\na = 1\n# EVOLVE-BLOCK-END\na = 1\n"
    with pytest.raises(Unusable, match="are there 2 times"):
        read(edit("a = 1", "a = 3"), program(source))
    assert read(edit("b = 2\na = 1", "b = 2\na = 3"), program(source)).source.count("a = 3") == 1


def test_several_blocks_are_written_with_their_markers():
    source = "# EVOLVE-BLOCK-START\na = 1\n# EVOLVE-BLOCK-END\nb = 2\n# EVOLVE-BLOCK-START\nc = 3\n# EVOLVE-BLOCK-END\n"
    with pytest.raises(Unusable, match="has 2 EVOLVE blocks, and the answer 1"):
        read("```\na = 9\n```", program(source))
    assert read(f"```\n{source.replace('3', '4')}```", program(source)).source == source.replace("3", "4")


LINES = [
    *PYTHON.splitlines(),
    "<<<<<<< SEARCH",
    "=======",
    ">>>>>>> REPLACE",
    "```",
    "```python",
    "return 0",
    "    x = 1",
    "",
]


@pytest.mark.parametrize("language", SOURCES)
@given(st.lists(st.sampled_from(LINES) | st.text(max_size=12), max_size=14))
def test_whatever_is_written_nothing_outside_the_blocks_changes(language, lines):
    parent = program(SOURCES[language], language)
    try:
        found = read("\n".join(lines), parent)
    except Unusable:
        return
    tools_for(language).inside_blocks(parent.source, found.source)
    assert tools_for(language).normalised(found.source) != tools_for(language).normalised(parent.source)
