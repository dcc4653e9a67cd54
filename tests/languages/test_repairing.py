"""Templates of repairs: what is right is among them, each can be parsed, and none is there twice."""

from __future__ import annotations

import ast

import pytest

from project_o.errors import UsageError
from project_o.languages.forms import parse
from project_o.languages.repairing import COSTS, fixes

PYTHON = [
    ("comparison", "    return [x for x in xs if x < n]", "    return [x for x in xs if x <= n]"),
    ("off by one", "    return xs[n]", "    return xs[n - 1]"),
    ("operator", "    n += 1\n    return n", "    n -= 1\n    return n"),
    ("swapped arguments", "    return divmod(n, 7)", "    return divmod(7, n)"),
    ("variable", "    m = 0\n    return n", "    m = 0\n    return m"),
    ("wrong branch", "    return 1 if n else 2", "    return 2 if n else 1"),
    ("and, or", "    return n and xs", "    return n or xs"),
    ("index", "    return xs[n][0]", "    return xs[0][n]"),
    ("slice bounds", "    return xs[n:]", "    return xs[n + 1:]"),
    ("method", "    xs.append(n)\n    return xs", "    xs.extend(n)\n    return xs"),
    ("missing call", "    return xs", "    return sorted(xs)"),
    ("missing term", "    return n", "    return n + xs"),
    ("initial value", "    m = 0\n    return m * n", "    m = []\n    return m * n"),
    ("missing statement", "    found = []\n    return found", "    found = []\n    found.append(n)\n    return found"),
    ("missing guard", "    m = 1\n    return m", "    m = 1\n    if not xs:\n        return m\n    return m"),
    ("missing base case", "    return xs[0]", "    if not xs:\n        return None\n    return xs[0]"),
    ("guard", "    while xs[n]:\n        n += 1", "    while n < len(xs) and xs[n]:\n        n += 1"),
    (
        "out of the block",
        "    for x in xs:\n        n += x\n        return n",
        "    for x in xs:\n        n += x\n    return n",
    ),
    ("range", "    return [i for i in range(n, 9)]", "    return [i for i in range(9 - 1, n - 1, -1)]"),
    ("swapped variables", "    m = 2\n    return n - 2 * m", "    m = 2\n    return m - 2 * n"),
    ("off by one", '    return f"{n + 1} of {len(xs)}"', '    return f"{n + 2} of {len(xs)}"'),
]
LISP = [
    ("(< (len message) 3)", "(<= (len message) 3)"),
    ('(if message "yes" "no")', '(if message "no" "yes")'),
    ("(+ 2 (len message))", "(- 2 (len message))"),
    ("(cut message 1 3)", "(cut message 1 4)"),
    ("(when (in \"a\" message) message)", "(when (not (in \"a\" message)) message)"),
]  # fmt: skip


def normalised(text):
    return ast.dump(ast.parse(text))


@pytest.mark.parametrize(("template", "wrong", "right"), PYTHON)
def test_the_right_text_is_among_the_repairs(template, wrong, right):
    head = "def f(xs, n):\n"
    found = fixes("python", f"{head}{wrong}\n")
    texts = [edit.applied(f"{head}{wrong}\n") for edit in found]

    assert len(set(texts)) == len(texts)
    assert normalised(head + right) in {normalised(text) for text in texts}, template
    assert {edit.operator for edit in found} <= set(COSTS)
    assert template in {edit.operator for edit in found}


@pytest.mark.parametrize(("wrong", "right"), LISP)
def test_the_right_lisp_is_among_the_repairs_and_brackets_stay_closed(wrong, right):
    source = f'(defagent a "One." {wrong})\n'
    found = fixes("lisp", source)

    assert source.replace(wrong, right) in {edit.applied(source) for edit in found}
    for edit in found:
        parse(edit.applied(source))


def test_what_cannot_be_read_or_has_no_templates_has_no_repairs():
    assert fixes("python", "def f(:\n") == []
    assert fixes("lisp", "(defagent") == []
    assert fixes("zig", "pub fn f() void {}") == []
    with pytest.raises(UsageError):
        parse("(defagent")


def test_a_repair_that_needs_a_backslash_in_a_hole_of_an_f_string_is_written_or_passed_over():
    source = 'def f(text):\n    parts = text.split("\\\\")\n    return f"{parts[0]} {text.strip()}"\n'
    found = [edit.applied(source) for edit in fixes("python", source)]

    holes = {ast.unparse(ast.parse(text).body[0].body[-1]) for text in found}
    assert "return f'{len(parts[0])} {text.strip()}'" in holes
