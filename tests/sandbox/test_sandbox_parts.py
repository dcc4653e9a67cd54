"""How an answer is held, and what a call changes for all code in its process: what is told of it, and what is not."""

import json
import math
import sys
import types

import numpy as np
import pytest

from project_o.sandbox import Sandbox, parts
from project_o.sandbox.process_state import Names, rounding, surroundings

KEPT_LIST, KEPT_ARRAY = [1, 2], np.zeros(4)


class Mine(np.ndarray):
    """A class of its own."""


Number = type("Number", (int,), {"__module__": "candidate"})
Text = type("Text", (str,), {"__module__": "candidate"})


def answers():
    """(A function that makes the answer, what is to be said of it.)"""
    row = [0, 0]
    return {
        "rows that are one": (lambda: [[0, 0]] * 3, {parts.ONE_OBJECT}),
        "rows": (lambda: [[0, 0] for _ in range(3)], set()),
        "a value twice": (lambda: ["a", "a", 1000, 1000, (1, 2)], set()),
        "a list it keeps": (lambda: KEPT_LIST, {parts.KEPT}),
        "a list with what it keeps": (lambda: {"k": (row, 1)}, {parts.KEPT}),
        "an array it keeps": (lambda: KEPT_ARRAY, {parts.KEPT}),
        "a part of an array that it keeps": (lambda: KEPT_ARRAY[1:], {parts.KEPT}),
        "a part of an array": (lambda: np.zeros(9)[1:], set()),
        "two parts of an array": (lambda: tuple(np.zeros((9, 2)).T), set()),
        "every second one, backwards": (lambda: np.arange(9.0)[::-2], set()),
        "the same array twice": (lambda: (lambda a: [a, a])(np.zeros(3)), {parts.ONE_OBJECT}),
        "one element for all": (lambda: np.broadcast_to(np.ones(1), (5,)), {parts.READ_ONLY, parts.ONE_PLACE}),
        "one of which none is there": (lambda: np.zeros((0, 4)), set()),
        "a class of its own": (lambda: np.zeros(3).view(Mine), {"an array of the class Mine"}),
        "a list whose maker has a cycle": (in_a_cycle, set()),
        "a number of a class of its own": (lambda: Number(3), {"a value of its own class Number"}),
        "texts of a class of its own": (lambda: {"k": ["a", Text("b")]}, {"a value of its own class Text"}),
        "a number of numpy's": (lambda: [np.float64(3), np.int8(1)], set()),
        "numbers": (lambda: 3.5, set()),
        "many": (lambda: list(range(10_000)), set()),
    }


def in_a_cycle():
    found = []

    def add(depth):
        found.append([depth])
        return add(depth - 1) if depth else None

    add(3)
    return found


@pytest.mark.parametrize("name", answers())
def test_of_an_answer_is_told_what_its_caller_may_notice(name):
    make, expected = answers()[name]

    held = [make()]  # not within the assertion: pytest would keep what it compares
    found = set(parts.marks(held))

    assert expected == found


def test_a_name_that_stands_for_something_else_is_told_and_a_new_one_is_not(monkeypatch):
    names = Names()
    assert names.changed() == []
    monkeypatch.setattr(math, "a_new_one", 1, raising=False)
    monkeypatch.setattr(json.decoder.JSONDecoder, "decode", lambda self, text: {})
    monkeypatch.setattr(math, "sqrt", lambda x: 1.0)
    monkeypatch.setitem(sys.modules, "time", math)

    assert names.changed() == ["the module time", "json.decoder.JSONDecoder.decode", "math.sqrt"]


def test_of_a_module_of_the_users_only_what_can_be_called_is_looked_at(monkeypatch):
    own = types.ModuleType("counting")
    own.count, own.twice = 0, len
    monkeypatch.setitem(sys.modules, "counting", own)
    names = Names(["counting"])
    own.count = 1
    assert names.changed() == []
    own.twice = print
    assert names.changed() == ["counting.twice"]


def test_the_rounding_of_the_processor_is_seen():
    import ctypes

    libm = ctypes.CDLL("libm.so.6")
    usual = rounding()
    found = {}
    try:
        for mode in (0x400, 0x800, 0xC00) if sys.maxsize > 2**32 else ():
            libm.fesetround(mode)
            found[mode] = rounding()
    finally:
        libm.fesetround(0)

    assert rounding() == usual
    assert len({usual, *found.values()}) == 1 + len(found)


def test_the_surroundings_are_what_they_were_where_nothing_was_changed():
    assert surroundings() == surroundings()


CHANGES = {
    "numpy's treatment of errors": "np.seterr(all='ignore')",
    "numpy's print options": "np.set_printoptions(precision=1)",
    "the warnings' filters": "warnings.simplefilter('ignore')",
    "the environment": "os.environ['A'] = 'B'",
    "the signal handlers": "signal.signal(10, lambda *a: None)",
    "the recursion limit": "sys.setrecursionlimit(5000)",
    "the limit of digits": "sys.set_int_max_str_digits(0)",
    "the search for modules": "sys.path.append('/x')",
    "the hooks of the interpreter": "setattr(sys, 'excepthook', print)",
    "what runs at the end": "atexit.register(print)",
    "what the collector calls": "gc.callbacks.append(lambda *a: None)",
    "how numbers are rounded": "ctypes.CDLL(None).fesetround(0x400)",
    "the context of decimals": "setattr(decimal.getcontext(), 'prec', 4)",
    "builtins.sorted": "setattr(builtins, 'sorted', list)",
}


@pytest.fixture(scope="module")
def box():
    with Sandbox() as box:
        yield box


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_function_changes_for_all_is_in_its_answer(box, name):
    text = f"def f(x):\n    {CHANGES[name]}\n    return x\n"
    modules = ("atexit", "builtins", "ctypes", "decimal", "gc", "os", "signal", "sys", "warnings")
    program = {
        "name": "f", "text": text, "first_line": 1, "sources": [], "aliases": [], "names": [], "values": [0, 0],
        "modules": [*((module, module) for module in modules), ("np", "numpy")],
    }  # fmt: skip
    with box.function(program) as job:
        assert name in job.ask("f", [1]).touched
    for line in ("pass", "import weakref; weakref.finalize({1}, print)"):
        with box.function({**program, "text": f"def f(x):\n    {line}\n    return x\n"}) as job:
            assert job.ask("f", [1]).touched == (), line
