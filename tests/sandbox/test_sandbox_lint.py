"""Rules for imports and forms, read from the source: what is found, where, and what is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project_o.errors import UsageError
from project_o.sandbox import Denied, LintRules, lint

RULES = LintRules.of(deny=("import:random", "import:os.path", "form:eval", "form:while", "form:os.system"))


def whats(source, language, rules=RULES):
    return [(item.line, item.what) for item in lint(source, language, rules)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 1\nimport random as r", [(2, "import:random")]),
        ("from random import choice", [(1, "import:random.choice")]),
        ("from os import path", [(1, "import:os.path")]),
        ("from os import getcwd, sep", []),
        ("def f():\n    __import__('random')", [(2, "import:random")]),
        ("import importlib\nimportlib.import_module(name)", [(2, "import:(a computed name)")]),
        ("def f(x):\n    return (\n        eval)(x)", [(3, "form:eval")]),
        ("import builtins\nbuiltins.eval('1')", [(2, "form:eval")]),
        ("getattr(__builtins__, 'eval')('1')", [(1, "form:eval")]),
        ("while True: pass", [(1, "form:while")]),
        ("os.system('x')\nfrom os import system", [(1, "form:os.system"), (2, "form:os.system")]),
        ("import os as o\no.system('x')", [(2, "form:os.system")]),
        ("from os import system as s\ns('x')", [(1, "form:os.system"), (2, "form:os.system")]),
        ("for x in 'eval while': pass", []),
        ("def broken(", []),
    ],
)  # fmt: skip
def test_python(source, expected):
    assert whats(source, "python") == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("(import math)\n(import random)", [(2, "import:random")]),
        ("(import random [choice :as c])", [(1, "import:random.choice")]),
        ("(import math :as random)", []),
        ("(import os [path])", [(1, "import:os.path")]),
        ("(require random [x])", [(1, "import:random.x")]),
        ("(hy.I.random.random)", [(1, "import:random.random")]),
        ('(__import__ "random")', [(1, "import:random")]),
        ('(defn f []\n  (pys "x = 1\nimport random"))', [(3, "import:random")]),
        ("(while True)", [(1, "form:while")]),
        ("(map eval xs)", [(1, "form:eval")]),
        ('(f (os.system "x"))', [(1, "form:os.system")]),
        ("(import os :as o)\n(o.system 1)", [(2, "form:os.system")]),
        ("(import os [system :as s])\n(s 1)", [(1, "form:os.system"), (2, "form:os.system")]),
        ("(import os :as o)\n(.system o 1)", [(2, "form:os.system")]),
        ("'(eval x)", [(1, "form:eval")]),
        ('(print "while eval")', []),
        ("(f ]", [(1, "the source")]),
    ],
)
def test_lisp(source, expected):
    assert whats(source, "lisp") == expected


def test_a_list_of_imports_means_only_those():
    only = LintRules.of(allow=("import:math", "import:numpy.linalg"))
    assert whats("import math\nfrom numpy.linalg import norm\nimport numpy.linalg as la", "python", only) == []
    assert whats("import numpy\nfrom . import math", "python", only) == [(1, "import:numpy"), (2, "import:..math")]
    assert whats("(import math [sqrt] json)", "lisp", only) == [(1, "import:json")]
    (denied,) = lint("import os", "python", only)
    assert denied == Denied(1, "import:os", "only these imports are allowed: math, numpy.linalg")


def test_a_rule_may_have_its_own_reason():
    rules = LintRules.of(deny=("import:random",), reasons={"import:random": "results must repeat"})
    assert lint("import random", "python", rules) == (Denied(1, "import:random", "results must repeat"),)


@pytest.mark.parametrize(
    ("allow", "deny"),
    [((), ("import",)), ((), ("import:",)), ((), ("form:a b",)), (("form:eval",), ()), (("call:x",), ())],
)
def test_what_is_no_rule_is_refused(allow, deny):
    with pytest.raises(UsageError):
        LintRules.of(allow=allow, deny=deny)


def test_another_language_is_refused_and_no_rules_find_nothing():
    with pytest.raises(UsageError, match="zig"):
        lint("", "zig", RULES)
    assert lint("import random", "python", LintRules.of()) == ()
    assert not LintRules.of()


@given(st.text(), st.sampled_from(["python", "lisp"]))
def test_any_text_can_be_looked_at(text, language):
    assert all(item.line >= 1 for item in lint(text, language, RULES))
