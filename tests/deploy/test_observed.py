"""What is remembered of the calls of a function that serves, what never is, and what remembering costs."""

from __future__ import annotations

import threading
import timeit
from collections import namedtuple
from enum import Enum
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from project_o import limits
from project_o.abi import dispatch
from project_o.deploy import NativeFunction, PythonFunction
from project_o.deploy.handles import Slot
from project_o.deploy.observed import Observed
from project_o.errors import InterfaceError, NativeError
from project_o.history.redact import holds_no_secret
from project_o.values import Interface


class Version:
    """A version whose functions are these; how real ones are called is tested elsewhere."""

    def __init__(self, **functions: Any) -> None:
        self.functions = functions
        self.function = next(iter(functions.values()))
        self.artifact = SimpleNamespace(interface=Interface(()))

    def call(self, name: str, args: Any) -> Any:
        return self.functions[name](*args)


def handle(function: Any) -> NativeFunction:
    return NativeFunction(Slot("program", Version(f=function)), "f")


def seen(called: Any) -> tuple[Any, ...]:
    return called.slot.observed.of("f", lambda text: True)


def test_the_first_call_that_returned_is_remembered_as_it_was() -> None:
    def fills(array: Any, times: int) -> None:
        if times < 0:
            raise InterfaceError("no")
        array += times

    called = handle(fills)
    array = np.zeros(3)
    with pytest.raises(InterfaceError):
        called(array, -1)
    assert seen(called) == ()

    called(array, 5)
    called(array, 7)
    ((kept, times),) = seen(called)
    assert (kept.tolist(), times) == ([0, 0, 0], 5)

    kept[0] = 9
    assert seen(called)[0][0][0] == 0, "who asks gets a copy"


def test_a_python_function_is_looked_at_as_well() -> None:
    def f(a: Any, b: Any = 1) -> Any:
        a.append(b)
        return a

    called = PythonFunction(Slot("f", Version(f=f)), f)
    with pytest.raises(AttributeError):
        called(1, b=2)
    assert seen(called) == ()
    assert called(b=2, a=[1]) == [1, 2]
    called([3], 4)

    assert seen(called) == (([1], 2),)


def test_what_can_only_be_given_by_name_is_not_remembered() -> None:
    def f(a: Any, *, b: Any = 1) -> Any:
        return a + b

    called = PythonFunction(Slot("f", Version(f=f)), f)
    assert (called(1, b=2), called(1)) == (3, 2)
    assert seen(called) == ()


def test_a_call_of_a_python_function_costs_next_to_nothing_more() -> None:
    """At most 60 ns on a quiet machine; whatever serves is put into the handle, and not looked up by each call.

    Asked here as a ratio, as a slow machine is slow for both: what it adds is less than a method that looks up what
    serves and passes the call on, which is the obvious way.
    """

    def f(a: Any) -> Any:
        return a

    slot = Slot("f", Version(f=f))
    called = PythonFunction(slot, f)
    called(1)

    class Obvious:
        def __call__(self, *args: Any, **named: Any) -> Any:
            return slot.version.function(*args, **named)

    def seconds(one: Any) -> float:
        return min(timeit.repeat(lambda: one(1), number=20_000, repeat=3)) / 20_000

    obvious, rounds = Obvious(), range(7)
    added = [(seconds(called) - (bare := seconds(f)), seconds(obvious) - bare) for _ in rounds]
    assert min(ours for ours, _ in added) < min(naive for _, naive in added), added
    slot.version = Version(f=lambda a: a + 1)
    assert called(1) == 2


@pytest.mark.parametrize(
    "secret",
    [
        "sk-" + "a" * 24,
        {"key": "ghp_" + "A1" * 20},
        [b"sk-" + b"b" * 24],
        np.array(["sk-" + "c" * 24]),
        ("hunter22hunter", 1),
    ],
    ids=["text", "in a dict", "bytes in a list", "in an array of text", "of the environment"],
)
def test_secrets_are_never_given_away(secret: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_PASSWORD", "hunter22hunter")
    called = handle(lambda *_: None)
    called(1, secret)

    assert called.slot.observed.of("f", holds_no_secret) == ()
    assert handle(lambda *_: None)(1, "plain") is None


class Text(str):
    """Who knows what it does when it is copied."""


@pytest.mark.parametrize(
    "value", [object(), Text("a"), print, np.array([object()]), [[{}, {"a": open}]], np.zeros(3, "V4")], ids=str
)
def test_only_plain_values_are_remembered(value: Any) -> None:
    called = handle(lambda *_: None)
    called(1, value)
    called(1, 2)

    assert seen(called) == ()


def test_what_is_remembered_is_bounded_over_all_functions_of_a_name() -> None:
    observed = Observed()
    part = np.zeros(limits.OBSERVED_BYTES_MAX // 3 // 8 - 100)
    for name in "abcd":
        observed.look(name, (part,))()

    assert [bool(observed.of(name, lambda text: True)) for name in "abcd"] == [True, True, True, False]
    observed.look("e", (list(range(limits.OBSERVED_BYTES_MAX // 8)),))()
    assert observed.of("e", lambda text: True) == ()


def test_a_structure_without_end_is_not_remembered() -> None:
    endless: list[Any] = []
    endless.append(endless)
    called = handle(lambda *_: None)
    called(endless)

    assert seen(called) == ()


def test_many_threads_remember_one_call_whole() -> None:
    called = handle(lambda *_: None)
    threads = [threading.Thread(target=called, args=(number, [number] * 100)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    ((number, numbers),) = seen(called)
    assert numbers == [number] * 100


def test_after_the_first_call_it_costs_next_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Below 100 ns, against the same call of a handle that looks at nothing, both without a dispatcher."""
    monkeypatch.setattr(dispatch, "_made", None)  # other tests may have made one
    looks = handle(lambda a: None)

    class Blind(NativeFunction):
        def __call__(self, *args: Any, **named: Any) -> Any:
            if type(self) is Blind and dispatch.made() is not None:
                return None
            version = self._slot._serving
            if named:
                return None
            try:
                return version.call(self.__name__, args)
            except (NativeError, InterfaceError) as error:
                raise error.with_traceback(None) from None

    blind = Blind(Slot("program", Version(f=lambda a: None)), "f")
    looks(1)
    blind(1)

    def seconds(called: Any) -> float:
        return min(timeit.repeat(lambda: called(1), number=20_000, repeat=9)) / 20_000

    cost = min(seconds(looks) - seconds(blind) for _ in range(3))
    assert cost < max(100e-9, seconds(blind) / 2), "or half of such a call, where a machine is slow"


def test_structured_arrays_members_of_enums_and_named_tuples_are_remembered() -> None:
    Pair = namedtuple("Pair", ["x", "y"])
    rows = np.zeros(2, [("x", "f8"), ("n", "i4", (3,))])
    called = handle(lambda *_: None)
    called(rows, Side.LEFT, Pair(1, np.float32(2.5)))
    rows["x"] = 7
    ((kept, side, pair),) = seen(called)

    assert kept["x"].tolist() == [0, 0]
    assert (side, pair) == (Side.LEFT, (1, 2.5))

    other = handle(lambda *_: None)
    other(np.zeros(2, [("x", "f8"), ("word", "U8")]))  # where a secret might be
    assert seen(other) == ()


class Side(Enum):
    LEFT = 1
