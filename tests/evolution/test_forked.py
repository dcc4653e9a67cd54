"""The user's code in a forked copy of this process: what it may do, what stays as it was, and how it is ended."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
import time
from collections import namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from project_o import limits
from project_o.errors import NativeResultError
from project_o.evolution.forked import Outcome, carry_out
from project_o.evolution.forked_copy import Step


class Program:
    """Functions as a candidate has them, answered in this process."""

    def __init__(self, **functions: Callable[..., Any]) -> None:
        self.__dict__.update(functions)
        self._names = sorted(functions)

    def __dir__(self) -> list[str]:
        return self._names


def add(a: Any, b: Any = 1) -> Any:
    return a + b


def run(*scenarios: Callable[[Any], Any], program: Any = None, **options: Any) -> Outcome:
    steps = [Step(f"step {number}", scenario) for number, scenario in enumerate(scenarios)]
    return carry_out(steps, program or Program(add=add), **options)


held = {"count": 0}


def test_variables_stay_as_they_are() -> None:
    def scenario(program: Any) -> None:
        held["count"] = program(41)
        assert held["count"] == 42

    found = run(scenario)

    assert (found.failures, found.ended, found.calls) == ((), "", 1)
    assert held == {"count": 0}


def test_all_that_is_printed_is_kept() -> None:
    def scenario(program: Any) -> None:
        print("from Python")
        print("to stderr, é", file=sys.stderr)
        os.write(1, b"from below\n")
        subprocess.run([sys.executable, "-c", "print('from a process')"], check=True)

    found = run(scenario)

    assert found.output == "from Python\nto stderr, é\nfrom below\nfrom a process\n"


def test_of_endless_output_the_beginning_is_kept() -> None:
    def scenario(program: Any) -> None:
        for number in range(100_000):
            print(f"line {number}")

    found = run(scenario)

    assert found.ended == ""
    assert found.output.startswith("line 0\nline 1\n")
    assert len(found.output) == limits.SCENARIO_OUTPUT_BYTES_MAX


@pytest.mark.parametrize(
    ("what", "ended", "printed"),
    [
        (lambda: os._exit(0), "its process ended", ""),
        (lambda: os.kill(os.getpid(), 9), "its process ended", ""),
        (lambda: ctypes.string_at(0), "its process ended", "Segmentation fault"),
        (lambda: threading.Event().wait(), "it was not done after 2 s", ""),
    ],
    ids=["os._exit", "killed", "a crash", "an endless wait"],
)
def test_however_it_ends_what_was_printed_and_where_is_known(what: Any, ended: str, printed: str) -> None:
    def first(program: Any) -> None:
        assert program(1) == 2

    def second(program: Any) -> None:
        print("here")
        what()

    found = run(first, second, seconds=2 if "not done" in ended else 20)

    assert (found.ended, found.step, found.calls) == (ended, 1, 1)
    assert found.output.startswith("here\n")
    assert printed in found.output
    assert found.seconds < 19


@pytest.mark.measured
def test_it_is_stopped_within_a_second() -> None:
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    began = time.monotonic()
    run(lambda program: threading.Event().wait(), stopped=stop.is_set)

    assert time.monotonic() - began < 1.0


def test_processes_that_it_started_end_with_it(tmp_path: Path) -> None:
    def scenario(program: Any) -> None:
        child = subprocess.Popen(["sleep", "60"])
        (tmp_path / "pid").write_text(str(child.pid))
        threading.Event().wait()

    run(scenario, seconds=2)  # it has told its number by then
    pid = int((tmp_path / "pid").read_text())

    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text():
            return
        time.sleep(0.02)
    pytest.fail("a process of the scenario lives on")


def test_the_first_failure_ends_it_or_all_are_told() -> None:
    def bad(program: Any) -> None:
        assert program(1) == 3, "three"

    def good(program: Any) -> None:
        assert program(1) == 2

    first = run(good, bad, good, bad)
    every = run(good, bad, good, bad, go_on=True)

    assert [item.step for item in first.failures] == [1]
    assert [item.step for item in every.failures] == [1, 3]
    assert "assert program(1) == 3" in first.failures[0].reason
    assert f'File "{__file__}"' in first.failures[0].trace
    assert (first.calls, every.calls) == (2, 4)


def test_each_step_begins_over_here_before_its_first_call() -> None:
    told: list[Any] = []
    program = Program(add=lambda a: told.append(a) or a)
    run(lambda p: p("a"), lambda p: p("b"), program=program, begin=told.append)

    assert told == [0, "a", 1, "b"]


# ------------------------------------------------------------------ what crosses


Point = namedtuple("Point", "x y")
Hidden = namedtuple("Hidden", "x y")
Hidden.__qualname__ = "nowhere"  # as the classes of native structs, which no name leads to


@pytest.mark.parametrize(
    "value",
    [1.5, "text", [1, {"a": (2,)}], None, b"\0", np.arange(6).reshape(2, 3), Point(1, 2), Hidden(1, 2), {1, 2}],
    ids=repr,
)
def test_values_cross_both_ways(value: Any) -> None:
    def scenario(program: Any) -> None:
        given = program(value)
        assert np.array_equal(given, value)
        assert type(given).__name__ == type(value).__name__
        assert getattr(given, "_fields", ()) == getattr(value, "_fields", ())

    found = run(scenario, program=Program(same=lambda item: item))

    assert found.failures == ()


def test_what_is_written_into_arrays_comes_back() -> None:
    def fill(a: Any, b: Any = None) -> None:
        a[...] = 7
        b[1] = 8

    def scenario(program: Any) -> None:
        a, b = np.zeros(3), np.zeros(3)
        assert program.fill(a, b=b) is None
        assert a.tolist() == [7, 7, 7]
        assert b.tolist() == [0, 8, 0]

    assert run(scenario, program=Program(fill=fill)).failures == ()


def test_errors_are_raised_where_it_was_called() -> None:
    def fails() -> None:
        raise NativeResultError("no", name="Nothing", function="fails")

    def scenario(program: Any) -> None:
        with pytest.raises(NativeResultError, match="no") as raised:
            program()
        assert raised.value.name == "Nothing"
        with pytest.raises(AttributeError, match="the program has no function other: it has fails"):
            program.other()

    assert run(scenario, program=Program(fails=fails)).failures == ()


def test_an_error_that_cannot_cross_crosses_as_words() -> None:
    class Odd(Exception):
        def __init__(self, one: int, two: int) -> None:
            super().__init__(f"{one} and {two}")

    def fails() -> None:
        raise Odd(1, 2)

    def scenario(program: Any) -> None:
        with pytest.raises(RuntimeError, match="Odd: 1 and 2"):
            program()

    assert run(scenario, program=Program(fails=fails)).failures == ()


def test_arguments_that_cannot_cross_are_the_callers_fault() -> None:
    def scenario(program: Any) -> None:
        class Local:
            pass

        with pytest.raises((AttributeError, TypeError), match=r"pickle"):
            program(Local())
        vars(sys.modules["__main__"])["Made"] = type("Made", (), {"__module__": "__main__"})
        with pytest.raises(AttributeError, match="Made"):
            program(vars(sys.modules["__main__"])["Made"]())
        assert program(1) == 2

    assert run(scenario).failures == ()


# ------------------------------------------------------------------ a kernel has threads


@pytest.fixture
def busy() -> Iterator[None]:
    """Threads that hold locks, print, allocate and compute, as those of a kernel do."""
    done = threading.Event()
    lock = threading.Lock()

    def work() -> None:
        values = np.random.default_rng(0)
        while not done.is_set():
            with lock:
                values.random(10_000).sort()
            [str(number) for number in range(1000)]

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    yield
    done.set()
    for thread in threads:
        thread.join()


def test_a_copy_of_a_process_with_threads_does_its_work(busy: None) -> None:
    def scenario(program: Any) -> None:
        values = np.random.default_rng(1).random((64, 64))
        print(float((values @ values).sum()))
        assert program(1) == 2

    for _ in range(10):
        found = run(scenario, seconds=10)
        assert (found.failures, found.ended) == ((), "")


def test_two_at_once_do_not_hold_one_another(busy: None) -> None:
    outcomes: list[Outcome] = []

    def several(wait: float) -> None:
        for _ in range(4):
            outcomes.append(run(lambda program: (time.sleep(wait), os._exit(0)), seconds=10))

    threads = [threading.Thread(target=several, args=(wait,)) for wait in (0.0, 0.05, 0.3)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {item.ended for item in outcomes} == {"its process ended"}
    assert min(item.seconds for item in outcomes) < 0.3, "the end of one is seen while another goes on"
    assert time.monotonic() - began < 40, "a limit is ten seconds: nobody waits for that"
