"""What of a Python function reaches the sandbox, and how."""

import numpy as np
import pytest


def value(job, *args):
    answer = job.ask("f", args)
    assert answer.ok, answer.error
    return answer.value


# ------------------------------------------------------------------------------- data


@pytest.mark.parametrize(
    "text",
    [
        "None", "True", "3", "-(1 << 80)", "0.1", "float('inf')", "2j", "'grün'", "b'\\x00'", "[1, [2.0, 'a']]",
        "(1, 2)", "{'a': [1], 2: (3,)}", "{1, 2}", "frozenset({'x'})", "[]", "{}", "np.float32(0.1)", "np.int64(7)",
        "np.bool_(True)",
    ],
)  # fmt: skip
def test_plain_data_arrives_as_it_is(sent, text):
    job = sent(f"import numpy as np\nK = {text}\ndef f():\n    return repr(K), type(K).__name__")

    expected = eval(text, {"np": np})
    assert value(job) == (repr(expected), type(expected).__name__)


@pytest.mark.parametrize(
    "text",
    [
        "np.arange(6.0)", "np.arange(100_000.0)", "np.array(5.0)", "np.arange(12, dtype='i2').reshape(3, 4)",
        "np.arange(20.0)[::2]", "np.asfortranarray(np.ones((300, 7)))", "np.array(['a', 'bc'])", "np.zeros((0, 3))",
        "np.array(['2026-01-01'], 'M8[D]')", "np.array([1 + 2j])", "np.array([True, False])",
    ],
)  # fmt: skip
def test_arrays_arrive_with_their_dtype_and_shape(sent, text):
    job = sent(f"import numpy as np\nW = {text}\ndef f():\n    return W, W.flags.writeable, W.flags.c_contiguous")

    array, writeable, contiguous = value(job)
    expected = eval(text, {"np": np})
    assert (array.dtype, array.shape, writeable, contiguous) == (expected.dtype, expected.shape, True, True)
    assert np.array_equal(array, expected)


def test_arrays_inside_of_containers_arrive(sent):
    job = sent("""
        import numpy as np
        layers = [np.ones((200, 30)), {"bias": np.arange(900.0)}]
        def f():
            return layers[0].sum() + layers[1]["bias"][-1]
    """)

    assert value(job) == 6000.0 + 899.0


def test_two_names_of_one_array_stay_one(sent):
    job = sent("""
        import numpy as np
        a = np.zeros(10_000)
        b = a
        def f():
            a[0] = 1.0
            return b[0]
    """)

    assert value(job) == 1.0


def test_other_names_of_functions_and_lists_mean_the_same(sent):
    job = sent("""
        class A: pass
        B = A
        kept = also = []
        def g(x): return x + 1
        h = g
        class C(B): pass
        def f(x):
            kept.append(x)
            return h(x) + g(x), also, issubclass(C, A)
    """)

    assert value(job, 1) == (4, [1], True)


def test_a_large_array_is_neither_copied_for_a_candidate_nor_changed_by_one(notebook, runtime, box):
    names = notebook.run("""
        import numpy as np
        W = np.ones(12_500_000)
        def f(x):
            W[0] += x
            return W[0]
    """)
    artifact = runtime.build(runtime.subject(names["f"]).program)
    open_job = runtime.opener(box)
    with open_job(artifact) as first, open_job(artifact) as second:
        assert value(first, 5.0) == 6.0
        assert value(first, 5.0) == 11.0
        assert value(second, 1.0) == 2.0
    assert names["W"][0] == 1.0
    assert second.peak_memory_bytes < 100_000_000


# ------------------------------------------------------------------------------- source


def test_functions_and_classes_it_uses_come_along(sent):
    job = sent("""
        from dataclasses import dataclass
        from functools import lru_cache
        import math

        SCALE = 3

        @dataclass
        class Point:
            x: float
            y: float = SCALE

            def norm(self):
                return math.hypot(self.x, self.y)

        @lru_cache(maxsize=None)
        def fib(n):
            return n if n < 2 else fib(n - 1) + fib(n - 2)

        def deeper(point, scale=SCALE):
            return point.norm() * scale

        def f(n):
            return [deeper(Point(4.0)) + k for k in range(1)][0] + (lambda: fib(n))()
    """)

    assert value(job, 30) == 15.0 + 832040


def test_a_class_without_methods_is_found_in_its_newest_cell(notebook, sent):
    notebook.run("from dataclasses import dataclass\n@dataclass\nclass Pair:\n    a: int\n    b: int = 1\n")
    notebook.run("from enum import Enum\nclass Color(Enum):\n    RED = 1\n")
    notebook.run("class Fault(Exception):\n    pass\n")
    job = sent("""
        def f(x):
            try:
                raise Fault("no")
            except Fault:
                return Pair(x).b + Color.RED.value
    """)

    assert value(job, 5) == 2


def test_helpers_that_call_it_back_meet_the_candidate(sent):
    job = sent(
        """
        def down(n):
            return f(n - 1)
        def f(n):
            return 0 if n <= 0 else 1 + down(n)
        """,
        change=lambda text: text.replace("1 +", "10 +"),
    )

    assert value(job, 3) == 30


def test_recursion_stays_inside_the_candidate(sent):
    job = sent("def f(n):\n    return 1 if n < 2 else n * f(n - 1)")

    assert value(job, 20) == 2432902008176640000


def test_decorators_of_the_function_itself_stay_here(sent):
    job = sent("""
        registered = []
        def register(function):
            registered.append(function)
            return function

        @register
        def f():
            return 1
    """)

    assert value(job) == 1


def test_an_error_names_the_line_of_the_cell(sent):
    job = sent("""
        import math

        K = 0


        def f(x):
            y = x + 1

            return y / K
    """)

    assert job.ask("f", [1]).error == "ZeroDivisionError: division by zero (line 9)"


def test_a_name_of_a_builtin_that_the_notebook_took_is_the_notebooks(sent):
    job = sent("sum = 5\ndef list(x):\n    return x + 1\ndef f():\n    return list(sum)")

    assert value(job) == 6


def test_a_function_inside_of_another_is_moved_to_the_margin(sent):
    job = sent("""
        def make():
            def f(x):
                if x:

                    return x + 1
                return 0
            return f
        f = make()
    """)

    assert value(job, 2) == 3


def test_annotations_are_not_evaluated_there(sent):
    job = sent("""
        class Never: pass
        thing = Never()
        def f(x: "Unknown", y: type(thing) = 2) -> Never:
            z: Never = x
            return z + y
    """)

    assert value(job, 1) == 3


# ------------------------------------------------------------------------------- modules


def test_modules_and_what_was_imported_from_them(sent):
    job = sent("""
        import math as m
        import numpy as np
        import os.path
        from collections import Counter, deque
        from math import sqrt
        from random import random
        from numpy import dot, sin
        from numpy.linalg import norm

        def f(x):
            random(); os.path.join("a", "b"); deque([1])
            return m.pi > 3, sqrt(4.0), float(sin(0.0)), float(dot(x, x)), float(norm(x)), Counter("aab")["a"], np.e > 2
    """)

    assert value(job, np.array([3.0, 4.0])) == (True, 2.0, 0.0, 25.0, 5.0, 2, True)


def test_a_module_of_the_users_own_is_loaded_before_any_candidate(sent, tmp_path, monkeypatch):
    (tmp_path / "own_tools.py").write_text("import wave\ndef twice(x):\n    return 2 * x\n")
    (tmp_path / "own_package").mkdir()
    (tmp_path / "own_package" / "__init__.py").write_text("")
    (tmp_path / "own_package" / "inner.py").write_text("def thrice(x):\n    return 3 * x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    job = sent("""
        import own_tools
        import own_package.inner
        from own_tools import twice
        def f(x):
            return own_tools.twice(x) + twice(x) + own_package.inner.thrice(x)
    """)

    assert value(job, 1) == 7


def test_what_it_imports_when_it_is_called_is_loaded_before_any_candidate(sent, tmp_path, monkeypatch):
    (tmp_path / "late_tools").mkdir()
    (tmp_path / "late_tools" / "__init__.py").write_text("")
    (tmp_path / "late_tools" / "inner.py").write_text("import wave\ndef thrice(x):\n    return 3 * x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    job = sent("""
        import late_tools.inner
        del late_tools
        def helper(x):
            from late_tools import inner
            return inner.thrice(x)
        def f(x):
            import xmlrpc.client as client
            try:
                import no_module_has_this_name
            except ImportError:
                return helper(x) if client.MAXINT > 0 else 0
    """)

    assert value(job, 1) == 3


def test_the_notebooks_open_is_the_builtin(sent, notebook):
    from IPython.core import interactiveshell

    notebook.names["open"] = interactiveshell._modified_open
    job = sent("def f(x):\n    return open('/etc/hostname') if x else 0")

    assert value(job, 0) == 0
    assert job.ask("f", [1]).denied
