"""Asking a Python function in the sandbox: arguments, what goes wrong there, and other texts of it."""

import numpy as np
import pytest

from project_o.errors import CompileError


def value(job, *args):
    answer = job.ask("f", args)
    assert answer.ok, answer.error
    return answer.value


# ------------------------------------------------------------------------------- arguments


def test_arguments_cross_and_writes_into_arrays_are_seen(sent):
    job = sent("def f(a, b, k):\n    a[0] = k\n    return b.sum()")
    a, b = np.zeros(3), np.ones((50, 40))[:, ::2]
    answer = job.ask("f", [a, b, 7.0], repeat=3, offset_bytes=16)

    assert answer.value == b.sum()
    assert [place for place, _ in answer.written] == [0]
    assert answer.written[0][1].tolist() == [7.0, 0.0, 0.0]
    assert a[0] == 0.0


def test_large_results_cross(sent):
    job = sent("import numpy as np\ndef f(a):\n    return a, np.ones(200_000), {1, 2}")
    a = np.arange(100_000.0)
    first, second, third = value(job, a)

    assert np.array_equal(first, a)
    assert second.sum() == 200_000
    assert third == {1, 2}


def test_repeated_calls_meet_the_same_process(sent):
    job = sent("calls = [0]\ndef f():\n    calls[0] += 1\n    return calls[0]")

    assert job.ask("f", repeat=100).value == 100


# ------------------------------------------------------------------------------- what goes wrong there


def test_prints_go_to_the_log(sent):
    answer = sent("def f():\n    print('hello')\n    return 1").ask("f")

    assert (answer.value, answer.log) == (1, "hello\n")


def test_files_network_and_further_modules_are_refused_and_it_says_so(sent):
    job = sent("""
        def f(what):
            if what == "file":
                open("/tmp/x", "w")
            if what == "network":
                import socket
                socket.create_connection(("127.0.0.1", 1))
            __import__("xmlrpc.client")
    """)

    for what in ("file", "network", "module"):
        answer = job.ask("f", [what])
        assert answer.denied, answer
        assert "(line " in answer.error


def test_no_end_and_too_much_memory_are_ended(sent):
    job = sent("def f(n):\n    while n: pass\n    return bytearray(4 << 30)")

    assert "MemoryError" in job.ask("f", [0]).error
    assert job.ask("f", [1], seconds=0.3).ended == "wall-time"


# ------------------------------------------------------------------------------- other texts


def test_a_text_that_does_not_parse_names_the_cells_line(sent):
    with pytest.raises(CompileError, match=r"line 5: ") as caught:
        sent("import math\n\n\ndef f(x):\n    return x\n", change=lambda text: text.replace("return x", "return ("))

    assert caught.value.diagnostics[0].line == 5


def test_a_text_without_the_function_does_not_compile(sent):
    with pytest.raises(CompileError, match="defines no function f"):
        sent("def f(x):\n    return x\n", change=lambda text: text.replace("def f", "def g"))


def test_a_text_that_uses_another_global_says_what_to_do(sent):
    with pytest.raises(CompileError, match="line 3: other is not among what f was sent with"):
        sent("other = 1\ndef f(x):\n    return x\n", change=lambda text: text.replace("return x", "return other"))


def test_a_text_may_bring_helpers_and_imports_of_its_own(sent):
    job = sent(
        "def f(x):\n    return x\n",
        change=lambda text: (
            "from math import sqrt\nHALF = 0.5\ndef g(x):\n    return sqrt(x) * HALF\n\ndef f(x):\n    return g(x)\n"
        ),
    )

    assert value(job, 16.0) == 2.0


def test_a_text_may_bring_classes_of_its_own(sent):
    brought = (
        "from dataclasses import dataclass\n\n@dataclass\nclass Line:\n    slope: float\n    height: float = 1.0\n"
        "    twice = 2 * len('a')\n    half = twice / 4\n\n"
        "    def at(self, x):\n        return self.slope * x + self.height\n"
        "    value = at\n\ndef f(x):\n    return Line(Line.half).value(x)\n"
    )

    assert value(sent("def f(x):\n    return x\n", change=lambda _: brought), 4.0) == 3.0


def test_a_class_that_reads_another_global_says_so_too(sent):
    text = "class Kept:\n    other = other\n\ndef f(x):\n    return Kept.other\n"

    with pytest.raises(CompileError, match="line 2: other is not among what f was sent with"):
        sent("def f(x):\n    return x\n", change=lambda _: text)
