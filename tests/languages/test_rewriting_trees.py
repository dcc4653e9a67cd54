"""Edits of Zig, Rust and Lisp texts: each operator by what it makes of a text, and what holds for all of them."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project_o.errors import EvolutionError
from project_o.evolution.rewrite import RewriteProposer
from project_o.languages import tools_for
from project_o.languages.readable import trouble
from project_o.languages.rewriting import Edit, edits

ROOT = Path(__file__).parents[2]
SUFFIXES = {".zig": "zig", ".rs": "rust"}
MAGIC = re.compile(r"%%(zig|rust|agent)\b[^\n]*\n")


@cache
def cells() -> tuple[tuple[str, str], ...]:
    """Programs of ours: the cells of the notebooks, the native modules, the texts and tasks of the benchmarks."""
    found = []
    for folder in ("native", "benchmarks/texts", "benchmarks/tasks", "tests/toolchain"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in SUFFIXES:
                found.append((SUFFIXES[path.suffix], path.read_text("utf-8")))
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "code" and (match := MAGIC.match(source)):
                found.append(({"agent": "lisp"}.get(match[1], match[1]), source[match.end() :]))
    return tuple(item for item in found if trouble(*item) is None and edits(*item))


def made(language: str, source: str) -> dict[str, Edit]:
    return {edit.applied(source): edit for edit in edits(language, source)}


def test_there_are_programs_of_each_language() -> None:
    assert {language for language, _ in cells()} == {"zig", "rust", "lisp"}
    assert len(cells()) > 30


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_is_proposed_can_be_read_and_touches_its_own_place_only(data: st.DataObject) -> None:
    language, source = data.draw(st.sampled_from(cells()))
    for _ in range(3):
        found = edits(language, source)
        if not found:
            break
        edit = data.draw(st.sampled_from(found))
        text, body = edit.applied(source), source.encode()
        assert trouble(language, text) is None, (edit, text)
        assert text.encode().startswith(body[: edit.start])
        assert text.encode().endswith(body[edit.end :])
        assert text != source
        assert 1 <= edit.line <= source.count("\n") + 1
        source = text


def test_the_same_text_has_the_same_edits() -> None:
    for language, source in cells()[::5]:
        assert edits(language, source) == edits(language, source + "") != ()


ZIG = "fn f(a: u32, b: u32) u32 {\n    // why\n    BODY\n}\n"
RUST = "fn f(a: u32, b: u32) -> u32 {\n    // why\n    BODY\n}\n"


@pytest.mark.parametrize(
    ("language", "operator", "old", "new"),
    [
        ("zig", "constant", "return a + 30; // so", "return a + 31; // so"),
        ("zig", "constant", "return a * 1.5;", "return a * 3.0;"),
        ("zig", "constant", "return g(true);", "return g(false);"),
        ("zig", "comparison", "return g(a < b);", "return g(a <= b);"),
        ("zig", "arithmetic", "return a /  b;", "return b /  a;"),
        ("zig", "arithmetic", "return a - (b - 1);", "return (b - 1) - a;"),
        ("zig", "arithmetic", "return a +% b;", "return a -% b;"),
        ("zig", "arithmetic", "x += 1;", "x -= 1;"),
        ("zig", "argument", "return g(a, // first\n        b);", "return g(b, // first\n        a);"),
        ("zig", "argument", "return @min(a, b);", "return @max(a, b);"),
        ("zig", "condition", "if (a == 0 and b == 0) return 1;", "if (a == 0 or b == 0) return 1;"),
        ("zig", "condition", "if (a == 0 and b == 0) return 1;", "if (b == 0) return 1;"),
        ("zig", "condition", "while (a < b) g();", "while (!(a < b)) g();"),
        ("zig", "statement", "g(a);\n    // kept\n    h(b);", "h(b);\n    // kept\n    g(a);"),
        ("zig", "statement", "g(a);\n    h(b);", "h(b);"),
        ("zig", "statement", "g(a);", "g(a);\n    g(a);"),
        ("zig", "loop order", "for (0..a) |i| {\n for (1..b) |j| g();\n}", "for (1..b) |j| {\n for (0..a) |i| g();\n}"),
        ("rust", "constant", "a + 30u32 // so", "a + 31u32 // so"),
        ("rust", "comparison", "g(a == b)", "g(a != b)"),
        ("rust", "arithmetic", "a % b", "b % a"),
        ("rust", "argument", "a.min(b)", "a.max(b)"),
        ("rust", "argument", "g(a, b)", "g(b, a)"),
        ("rust", "condition", "if a == 0 && b == 0 { return 1; }", "if a == 0 || b == 0 { return 1; }"),
        ("rust", "statement", "g(a);\n    /* kept */\n    h(b);", "h(b);\n    /* kept */\n    g(a);"),
        ("rust", "loop order", "for i in 0..a { for j in 1..b { g(); } }", "for j in 1..b { for i in 0..a { g(); } }"),
    ],
)  # fmt: skip
def test_what_an_operator_makes_of_zig_and_rust(language: str, operator: str, old: str, new: str) -> None:
    frame = ZIG if language == "zig" else RUST
    found = made(language, frame.replace("BODY", old))
    wanted = frame.replace("BODY", new)
    assert wanted in found
    assert found[wanted].operator == operator
    assert found[wanted].keeps == (operator == "loop order")


@pytest.mark.parametrize(
    ("operator", "old", "new"),
    [
        ("constant", "(+ a 30 ; so\n 1)", "(+ a 31 ; so\n 1)"),
        ("constant", "(g True)", "(g False)"),
        ("comparison", "(< a b)", "(<= a b)"),
        ("arithmetic", "(- a  b)", "(- b  a)"),
        ("arithmetic", "(* a b)", "(/ a b)"),
        ("argument", "(g a ; first\n b)", "(g b ; first\n a)"),
        ("argument", "(max a b)", "(min a b)"),
        ("condition", "(if (g) a b)", "(if (g) b a)"),
        ("condition", "(and a b (g))", "(and a (g))"),
        ("statement", "(g a) (h b) (k)", "(h b) (g a) (k)"),
        ("statement", "(g a) (h b)", "None (h b)"),
        ("loop order", "(for [i a] (for [j b] (g i j)))", "(for [j b] (for [i a] (g i j)))"),
        ("quicker expression", "(get (sorted a) 0)", "(min a)"),
        ("quicker expression", "(sum (lfor x a (* x x)))", "(sum (gfor x a (* x x)))"),
    ],
)
def test_what_an_operator_makes_of_lisp(operator: str, old: str, new: str) -> None:
    frame = '(defn f [a b]\n  "What it is for."\n  BODY)\n'
    found = made("lisp", frame.replace("BODY", old))
    wanted = frame.replace("BODY", new)
    assert wanted in found
    assert found[wanted].operator == operator
    assert found[wanted].keeps == (operator in ("loop order", "quicker expression"))


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("zig", "fn f(n: usize) void {\n    for (0..n) |i| {\n        for (0..i) |j| g(i, j);\n    }\n}\n"),
        ("rust", "fn f(n: usize) {\n    for i in 0..n { for j in i..n { g(i, j); } }\n}\n"),
        ("rust", "fn f(n: usize) {\n    for i in 0..n { for j in 0..n { if i == j { break; } } }\n}\n"),
        ("lisp", "(for [i a] (for [j i] (g i j)))\n"),
    ],
)
def test_loops_that_need_each_other_keep_their_order(language: str, source: str) -> None:
    assert not {"loop order", "tiles"} & {edit.operator for edit in edits(language, source)}


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("zig", "fn f(a: []f32) f32 {\n    var s: f32 = 0;\n    for (a) |x| s += @sqrt(x);\n    return s;\n}\n"),
        ("zig", "fn f(a: []f32, k: f32) f32 {\n    var s: f32 = 0;\n    for (a) |x| s += x * k;\n    return s;\n}\n"),
        ("rust", "fn f(a: &[f32]) -> f32 {\n    let mut s = 0.0;\n    for x in a { s += x.sqrt(); }\n    s\n}\n"),
    ],
)
def test_what_lanes_cannot_do_stays_a_loop(language: str, source: str) -> None:
    assert "vectors" not in {edit.operator for edit in edits(language, source)}


@pytest.mark.parametrize("language", ["zig", "rust", "lisp"])
def test_nothing_outside_of_an_evolve_block_is_proposed(language: str) -> None:
    sign = tools_for(language).comment
    inside = {
        "zig": "pub fn f(a: i32) i32 {\n    return a + 3;\n}\n",
        "rust": "pub fn f(a: i32) -> i32 {\n    a + 3\n}\n",
        "lisp": "(defn f [a]\n  (+ a 3))\n",
    }[language]
    outside = inside.replace("f", "g", 1) if language == "lisp" else inside.replace("fn f", "fn g")
    parts = [outside, f"{sign} EVOLVE-BLOCK-START\n", inside, f"{sign} EVOLVE-BLOCK-END\n", outside.replace("3", "4")]
    program = tools_for(language).program("f", "".join(parts))
    proposer = RewriteProposer(program, 0, changing=True)
    texts, index = [], 1
    try:
        while (proposal := proposer.ask(index, ())) is not None and index < 40:
            texts.append(proposal.program.source)
            index += 1
    except EvolutionError:
        pass
    assert len(texts) > 3
    assert all(text.startswith(parts[0] + parts[1]) and text.endswith(parts[3] + parts[4]) for text in texts)


@pytest.mark.parametrize(("language", "source"), [("zig", "fn f( {"), ("rust", "fn f( {"), ("lisp", "(defn f [a] ")])
def test_what_cannot_be_read_has_no_edits(language: str, source: str) -> None:
    assert edits(language, source) == ()
