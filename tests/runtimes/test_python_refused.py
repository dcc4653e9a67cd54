"""What is not sent, with its name, its type, the reason, and what to do instead."""

import functools

import numpy as np
import pytest

from project_o.errors import UsageError


def refused(notebook, runtime, source, name="f"):
    names = notebook.run(source)
    with pytest.raises(UsageError) as caught:
        runtime.subject(names[name])
    return str(caught.value)


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize(
    ("make", "says"),
    [
        ("import threading; K = threading.Lock()", "K is a lock, part of this process"),
        ("import io; K = io.TextIOWrapper(io.BytesIO())", "K is a TextIOWrapper, an open file: read it before"),
        ("K = (x for x in ())", "K is a generator, used up"),
        ("import socket; K = socket.socket(); K.close()", "K is a socket, a connection"),
        ("import sqlite3; K = sqlite3.connect(':memory:')", "K is a Connection, a connection"),
        ("K = object()", "K is an object, neither plain data"),
        ("K = {'a': [1, {2: object()}]}", "K['a'][1][2] is an object"),
        ("import numpy as np; K = np.array([object()])", "K is an array of object: use numbers"),
        ("import numpy as np; K = np.zeros(2, 'f8,i4')", "a plain array for each field"),
        ("import numpy as np; K = np.ma.masked_array([1.0])", "K is a MaskedArray, an array with a mask"),
        ("import numpy as np; K = np.matrix([[1.0]])", "K is a matrix, a special array: use np.asarray"),
        ("import numpy as np; K = np.random.default_rng(0)", "make it inside the function, from a seed"),
        ("from collections import namedtuple; P = namedtuple('P', 'x'); K = P(1)", "K is a P, neither plain data"),
        ("K = []; K.append(K)", "K is nested more than 50 deep"),
        ("K = [0] * 300_000", "K holds more than 200,000 items: make it a numpy array"),
        ("import project_o as K", "K is the module project_o, which is not in the sandbox"),
        ("import types; K = types.ModuleType('made_up')", "K is the module made_up, which is not in the sandbox"),
        ("class C:\n    def m(self): return 1\nK = C().m", "K is a method of a C"),
        ("K = [print]", "K[0] is a builtin_function_or_method, and inside of lists and dicts only data"),
        ("K = eval('lambda: 1')", "the function K has no source here"),
        ("def make(n):\n    def g(): return n\n    return g\nK = make(1)", "g uses local variables of the function"),
    ],
)
def test_a_global_that_cannot_be_sent_is_named_with_the_reason(notebook, runtime, make, says):
    told = refused(notebook, runtime, f"{make}\ndef f():\n    return K")

    assert told.startswith("f uses what cannot be sent into the sandbox: ")
    assert says in told


def test_all_that_is_refused_is_said_at_once(notebook, runtime):
    told = refused(
        notebook, runtime, "A = object()\nB = (x for x in ())\ndef g(): return B\ndef f():\n    return A, g()"
    )

    assert "A is an object" in told
    assert "B is a generator" in told


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("f = lambda x: x", "a lambda has no name"),
        ("def f():\n    yield 1", "f is a generator"),
        ("async def f():\n    return 1", "f is async"),
        ("def make(n):\n    def f(): return n\n    return f\nf = make(1)", "f uses local variables of the function"),
        ("import functools\ndef g(): return 1\n@functools.wraps(g)\ndef f(): return 2", "f.__wrapped__|g.__wrapped__"),
        ("import functools\n@functools.lru_cache\ndef f(): return 2", "f is wrapped by a decorator"),
        ("import functools\ndef g(a): return a\nf = functools.partial(g, 1)", "evolve its .func"),
        ("def f(*xs, n): return n", "f takes n by name alone, behind any number of arguments"),
        ("class f: pass", "f is a class"),
        ("f = [].append", "append is built into Python"),
        ("class C:\n    def m(self): return 1\nf = C().m", "m is a method"),
        ("import numpy as np\nf = np.sin", "sin is built into Python or an extension"),
        ("import numpy as np\nf = np.dot", "dot is built into Python or an extension"),
        ("f = 3", None),
    ],
)
def test_a_target_that_cannot_be_evolved_is_refused(notebook, runtime, source, says):
    if says is None:
        assert runtime.subject(notebook.run(source)["f"]) is None
        return
    told = refused(notebook, runtime, source)

    assert any(part in told for part in says.split("|"))


def test_a_function_without_source_is_refused(runtime):
    made = {}
    exec("def f(): return 1", made)
    with pytest.raises(UsageError, match="the source of f is not known"):
        runtime.subject(made["f"])


def test_a_source_that_changed_since_is_refused(runtime, tmp_path, monkeypatch):
    import importlib

    file = tmp_path / "changing_module.py"
    file.write_text("def f(x):\n    return x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("changing_module")
    assert runtime.subject(module.f).program.name == "changing_module.f"
    file.write_text("import math\n\n\ndef f(x):\n    return x\n")
    with pytest.raises(UsageError, match="the source of f has changed since"):
        runtime.subject(module.f)


def test_a_native_function_as_a_global_says_where_it_can_be_used(notebook, runtime):
    from project_o.deploy import NativeModule

    notebook.names["kernels"] = NativeModule.__new__(NativeModule)
    told = refused(notebook, runtime, "def f():\n    return kernels.add(1, 2)")

    assert "kernels is a NativeModule, native code" in told


def test_functions_of_the_notebooks_own_packages_are_not_sent_by_their_source(notebook, runtime):
    told = refused(
        notebook,
        runtime,
        "from project_o import evolve\nfrom IPython.display import display\n"
        "def g(x):\n    return x\ndef f():\n    return display(evolve(g))",
    )

    assert "evolve belongs to project_o, which is not in the sandbox" in told
    assert "display belongs to IPython, which is not in the sandbox" in told


def test_a_module_that_fails_when_the_function_imports_it_is_told(notebook, runtime, tmp_path, monkeypatch):
    (tmp_path / "bad_tools.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    told = refused(notebook, runtime, "def f():\n    import bad_tools\n    return 1")

    assert "the module bad_tools fails to import (ZeroDivisionError: division by zero)" in told


def test_arguments_that_cannot_cross_are_named(sent):
    job = sent("def f(x):\n    return x")
    with pytest.raises(UsageError, match="argument 1 of f: a masked array cannot cross"):
        job.ask("f", [np.ma.masked_array([1.0, 2.0])])
    with pytest.raises(UsageError, match="argument 1 of f: a partial cannot cross"):
        job.ask("f", [functools.partial(print)])


def test_results_that_cannot_cross_are_named(sent):
    answer = sent("def f():\n    return (x for x in ())").ask("f")

    assert "a generator cannot cross" in answer.error


def test_a_named_tuple_that_was_made_by_a_call_says_how_to_write_it(notebook, runtime):
    cell = "from collections import namedtuple\nP = namedtuple('P', 'a b')\ndef f():\n    return P(1, 2).a"

    assert "write `class P(NamedTuple)` with fields a: Any; b: Any" in refused(notebook, runtime, cell)
    runtime.subject(
        notebook.run(
            "from typing import Any, NamedTuple\nclass P(NamedTuple):\n    a: Any\n    b: Any\n"
            "def f():\n    return P(1, 2).a"
        )["f"]
    )
