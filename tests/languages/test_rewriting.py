"""Edits of a Python text: each operator by what it makes of a text, and what holds for all of them."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

from project_o.languages.rewriting import edits

SOURCES = sorted((Path(__file__).parents[2] / "kernel" / "project_o").rglob("*.py"))
CASES = {
    "loop over elements": (
        "def f(a, b):\n    t = 0\n    for i in range(len(a)):  # each\n        t = t * 2 + a[i] - b[i]\n    return t\n",
        "for a_i, b_i in zip(a, b):\n        t = t * 2 + a_i - b_i\n",
        ([1, 2, 3], [4, 5, 7]),
    ),
    "sum of a loop": (
        "def f(a):\n    t = 0.0\n    for x in a:\n        if x > 1:\n            t += x / 2\n    return t\n",
        "    t = sum((x / 2 for x in a if x > 1), 0.0)\n    return t",
        ([1.0, 2.0, 3.0],),
    ),
    "list of a loop": (
        "def f(a):\n    r = []\n    for x in a:\n        r.append(x + 1)\n    return r\n",
        "    r = [x + 1 for x in a]\n    return r",
        ([1, 2, 3],),
    ),
    "set for membership": (
        "def f(a, b):\n    n = 0\n    for x in a:\n        if x not in b:\n            n += 1\n    return n\n",
        "    b_as_set = set(b)\n    for x in a:\n        if x not in b_as_set:\n",
        ([1, 2, 3], [2, 5]),
    ),
    "stop at the first": (
        "def f(a):\n    hit = False\n    for x in a:\n        if x == 2:\n            hit = True\n    return hit\n",
        "            hit = True\n            break\n",
        ([1, 2, 3],),
    ),
    "quicker expression": ("def f(a):\n    return sorted(a)[-1]\n", "return max(a)", ([3, 1, 2],)),
    "out of the loop": (
        "def f(a, b):\n    t = 0\n    for x in a:\n        t += x * max(b)\n    return t\n",
        "    fixed_1 = max(b)\n    for x in a:\n        t += x * fixed_1\n",
        ([1, 2, 3], [4, 5]),
    ),
    "whole arrays": (
        "def f(o, a, b):\n    for i in range(len(a)):\n        o[i] = a[i] * b[i] + 1\n    return o\n",
        "    o[:len(a)] = a[:len(a)] * b[:len(a)] + 1\n",
        (np.zeros(3), np.arange(3.0), np.arange(3.0)),
    ),
    "product of arrays": (
        "import numpy as np\ndef f(a, b):\n    return sum(x * y for x, y in zip(a, b))\n",
        "return np.dot(a, b)",
        (np.arange(4.0), np.arange(4.0)),
    ),
    "reduced by numpy": (
        "import numpy as np\ndef f(a, b):\n    return sum(x - 2 * y for x, y in zip(a, b))\n",
        "return np.sum((a - 2 * b))".replace("((", "(").replace("))", ")"),
        (np.arange(4.0), np.arange(4.0)),
    ),
    "product of matrices": (
        "def f(c, a, b):\n    for i in range(2):\n     for j in range(2):\n      for k in range(2):\n"  # noqa: ISC004
        "       c[i, j] += a[i, k] * b[k, j]\n    return c\n",
        "    c += a @ b\n",
        (np.zeros((2, 2)), np.arange(4.0).reshape(2, 2), np.eye(2) + 1),
    ),
    "loop order": (
        "def f(a):\n    for i in range(2):\n        for j in range(3):\n            a[i, j] += i - j\n    return a\n",
        "    for j in range(3):\n        for i in range(2):\n            a[i, j] +=",
        (np.zeros((2, 3)),),
    ),
    "transformed convolution": (
        "import numpy as np\ndef f(a, b):\n    return np.convolve(a, b)\n",
        "np.fft.irfft(",
        (np.arange(5.0), np.arange(3.0)),
    ),
}


def run(source: str, *args: object) -> object:
    space: dict[str, object] = {}
    exec(compile(source, "<cell>", "exec"), space)
    copies = [item.copy() if isinstance(item, np.ndarray) else item for item in args]
    return space["f"](*copies)  # type: ignore[operator]


@pytest.mark.parametrize("operator", CASES)
def test_it_says_the_same_in_another_way(operator: str) -> None:
    source, part, args = CASES[operator]
    made = [edit for edit in edits("python", source) if edit.operator == operator]
    assert made
    text = made[0].applied(source)
    assert part in text
    assert made[0].keeps
    np.testing.assert_allclose(run(text, *args), run(source, *args), atol=1e-12)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("operator", "source", "text"),
    [
        ("constant", "def f(a):\n    return a + 3  # so\n", "def f(a):\n    return a + 4  # so\n"),
        ("comparison", "def f(a):\n    return a < 3\n", "def f(a):\n    return (a <= 3)\n"),
        ("arithmetic", "def f(a):\n    return a - 3\n", "def f(a):\n    return (3 - a)\n"),
        ("argument", "def f(a):\n    return min(a, 3)\n", "def f(a):\n    return max(a, 3)\n"),
        ("condition", "def f(a, b):\n    return a and b\n", "def f(a, b):\n    return (a or b)\n"),
        ("statement", "def f(a):\n    a += 1\n    return a\n", "def f(a):\n    pass\n    return a\n"),
    ],
)
def test_it_says_something_else(operator: str, source: str, text: str) -> None:
    made = {edit.applied(source): edit for edit in edits("python", source) if edit.operator == operator}
    assert text in made
    assert not made[text].keeps


@pytest.mark.parametrize(
    ("operator", "source"),
    [
        ("loop over elements", "def f(a):\n    for i in range(len(a)):\n        a[i] = a[i] + 1\n"),
        ("loop over elements", "def f(a):\n    for i in range(len(a)):\n        print(i, a[i])\n"),
        ("sum of a loop", "def f(a):\n    t = 0\n    for x in a:\n        t += t + x\n    return t\n"),
        ("list of a loop", "def f(a):\n    r = []\n    for x in a:\n        r.append(len(r))\n    return r\n"),
        ("set for membership", "def f(a, b):\n    for x in a:\n        if x in b:\n            b.append(x)\n"),
        ("out of the loop", "def f(a):\n    for x in a:\n        print(x + 1)\n"),
        (
            "stop at the first",
            "def f(a):\n    n = 0\n    for x in a:\n        if x:\n            n = x\n    return n\n",
        ),
        ("loop order", "def f(a):\n    for i in a:\n        for j in i:\n            print(i, j)\n"),
        ("whole arrays", "def f(a):\n    for i in range(9):\n        a[i] = abs(a[i]) if a[i] else 1\n"),
        ("product of arrays", "def f(a, b):\n    return sum(x * y for x, y in zip(a, b))\n"),
    ],
)
def test_where_it_would_be_another_thing_nothing_is_said(operator: str, source: str) -> None:
    assert operator not in {edit.operator for edit in edits("python", source)}


@pytest.mark.parametrize("path", SOURCES[::25], ids=lambda path: path.stem)
def test_every_edit_of_a_real_text_can_be_read_and_touches_its_own_place_only(path: Path) -> None:
    source = path.read_text("utf-8")
    body = source.encode()
    for edit in edits("python", source):
        text = edit.applied(source)
        ast.parse(text)
        assert text.encode().startswith(body[: edit.start])
        assert text.encode().endswith(body[edit.end :])
        assert text != source
        assert 1 <= edit.line <= source.count("\n")


def test_letters_of_several_bytes_do_not_shift_it() -> None:
    source = "def f(a):\n    é = 'ü€😀'; ö = a < 3  # ß\n    return ö\n"
    assert "def f(a):\n    é = 'ü€😀'; ö = (a <= 3)  # ß\n    return ö\n" in {
        edit.applied(source) for edit in edits("python", source)
    }


@pytest.mark.parametrize("source", ["def f(:", "\0", "x = 1\n", ""])
def test_what_cannot_be_read_or_has_no_function_has_no_edits(source: str) -> None:
    assert edits("python", source) == ()


def test_a_language_without_operators_has_none() -> None:
    assert edits("text", "Answer in one sentence.") == ()
