"""The table of equivalences: each line is found where it stands, and both its sides say the same."""

from __future__ import annotations

import ast
import itertools
from typing import Any

import numpy as np
import pytest

from project_o.languages.rewriting import edits
from project_o.languages.rewriting.equivalences import EQUIVALENCES, Equivalence

_RNG = np.random.default_rng(5)
_VECTOR, _OTHER = _RNG.normal(size=12), _RNG.normal(size=12)
_MATRIX, _SECOND = _RNG.normal(size=(4, 4)) + 4 * np.eye(4), _RNG.normal(size=(4, 4))
_NUMBERS = [3, 1, 4, 1, 5, 9, 2, 6]
ARGUMENTS: tuple[tuple[Any, ...], ...] = (
    (_MATRIX, _SECOND, _VECTOR[:4]),
    (_VECTOR, _OTHER, 3),
    (_VECTOR[:4], _SECOND, 3),
    (np.abs(_VECTOR), _OTHER, 3),
    (_NUMBERS, 4, True),
    (_NUMBERS, [1, 2], True),
    (["a", "b", "a"], "b", True),
    ([[1, 2], [3]], [1], True),
    (4.0, 3.0, True),
)
"""What ``a_``, ``b_`` and ``c_`` may be: a line of the table holds for some of them."""
_GIVEN = {"a_": "a", "b_": "b", "c_": "c", "k_": "3", "n_": "len(a)", "m_": "'same'", "out_": "out", "r_": "r"}


def program(rule: Equivalence) -> str:
    """A function in which the old side stands, with plain names."""

    class Plain(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.AST:
            given = _GIVEN.get(node.id, node.id.rstrip("_"))
            return ast.Name(given, node.ctx) if given.isidentifier() else ast.parse(given, mode="eval").body

        def visit_arg(self, node: ast.arg) -> ast.AST:
            return ast.arg(node.arg.rstrip("_"))

    body = [Plain().visit(node) for node in ast.parse(rule.old).body]
    if isinstance(body[-1], ast.Expr):
        body[-1] = ast.Return(body[-1].value)
    head = "import collections, functools, heapq, itertools, math\nimport numpy, scipy.linalg, scipy.signal\n"
    start = "def f(a, b, c, out):\n"
    rest = "\n".join(
        f"    {line}" for line in ast.unparse(ast.fix_missing_locations(ast.Module(body, []))).splitlines()
    )
    return f"{head}{start}{rest}\n" + (
        "" if isinstance(body[-1], ast.Return) else "    return out, locals().get('r')\n"
    )


def answer(source: str, arguments: tuple[Any, ...], *, square: bool) -> Any:
    space: dict[str, Any] = {}
    exec(compile(source, "<cell>", "exec"), space)
    found = space["f"](*arguments, np.zeros(_shape(arguments) if square else 24))
    return [found(k) for k in range(3)] if callable(found) else found


def _shape(arguments: tuple[Any, ...]) -> tuple[int, ...]:
    sizes = tuple(len(item) for item in arguments[:2] if hasattr(item, "__len__"))
    return sizes if len(sizes) == 2 else (12,)


def equal(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    if isinstance(one, tuple):
        return all(equal(*pair) for pair in zip(one, other, strict=True))
    try:
        return bool(np.allclose(np.asarray(one, float), np.asarray(other, float), atol=1e-9, rtol=1e-9))
    except (TypeError, ValueError):
        return bool(one == other)


def test_there_are_many_and_no_line_twice() -> None:
    assert len({rule.name for rule in EQUIVALENCES}) >= 30
    assert len({rule.old for rule in EQUIVALENCES}) == len(EQUIVALENCES) >= 60


@pytest.mark.parametrize("rule", EQUIVALENCES, ids=lambda rule: rule.old.replace("\n", ";")[:50])
def test_it_is_found_and_says_the_same(rule: Equivalence) -> None:
    source = program(rule)
    texts = [edit.applied(source) for edit in edits("python", source) if edit.why == rule.name]
    assert texts, source
    agreed, square = 0, "[i_, j_]" in rule.old
    for arguments in ARGUMENTS:
        try:
            wanted = answer(source, arguments, square=square)
        except Exception:  # noqa: BLE001 - these arguments are of another kind
            continue
        agreed += any(_says(text, arguments, wanted, square=square) for text in texts)
    assert agreed, texts[0]


def _says(text: str, arguments: tuple[Any, ...], wanted: Any, *, square: bool) -> bool:
    try:
        return equal(wanted, answer(text, arguments, square=square))
    except Exception:  # noqa: BLE001 - as above
        return False


def test_what_it_needs_is_imported_where_the_function_begins() -> None:
    source = 'def f(a):\n    """What it is for."""\n    t = 1  # one\n    return sorted(a)[:t]\n'
    texts = [edit.applied(source) for edit in edits("python", source) if edit.operator == "library call"]
    assert (
        'def f(a):\n    """What it is for."""\n    import heapq\n    t = 1  # one\n    return heapq.nsmallest(t, a)\n'
        in texts
    )


def test_a_module_that_a_text_does_not_use_is_not_brought_in() -> None:
    source = "def f(a, b, convolve2d):\n    return convolve2d(a, b, mode='same')\n"
    assert not [edit for edit in edits("python", source) if edit.operator == "library call"]
    known = "from scipy.signal import convolve2d\n" + source.replace(", convolve2d)", ")")
    assert "fftconvolve" not in "".join(edit.new for edit in edits("python", known)), "only what it has is used"


def test_a_value_that_is_named_once_is_seen_through() -> None:
    source = "import numpy as np\ndef f(a, b):\n    p = a @ b  # all of it\n    return np.trace(p)\n"
    texts = [edit.applied(source) for edit in edits("python", source) if edit.why == "trace without the product"]
    assert texts == ["import numpy as np\ndef f(a, b):\n    return np.einsum('ij,ji->', a, b)\n"]


def test_the_same_text_has_the_same_edits() -> None:
    for rule in itertools.islice(EQUIVALENCES, 0, None, 9):
        assert edits("python", program(rule)) == edits("python", program(rule))
