"""Honest code is not disturbed, and its values come back as they were."""

import math
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project_o.errors import SandboxError, UsageError
from project_o.sandbox import Sandbox

sys.path.insert(0, str(Path(__file__).parent))
from honest import BODIES, SETTINGS, source


@pytest.fixture(scope="module")
def box():
    with Sandbox(wall_seconds=20, cpu_seconds=20, memory_bytes=512 << 20) as box:
        yield box


@pytest.fixture(scope="module")
def echo(box):
    with box.python("def echo(value): return value", finite=False) as job:
        yield job


def test_an_answer_says_what_happened(box):
    with box.python("def double(x):\n    print('doubling', x)\n    return 2 * x") as job:
        assert job.loaded.ok
        answer = job.ask("double", [21])
    assert (answer.ok, answer.value, answer.ended, answer.error) == (True, 42, "", "")
    assert answer.log == "doubling 21\n"
    assert answer.cpu_seconds > 0
    assert answer.wall_seconds > 0
    assert not answer.denied


def test_an_error_leaves_the_job_alive_and_its_traceback_in_the_log(box):
    with box.python("def half(x):\n    return x / 0\ndef fine(): return 1") as job:
        answer = job.ask("half", [1])
        assert answer.error == "ZeroDivisionError: division by zero"
        assert 'File "<candidate>", line 2, in half' in answer.log
        assert "worker.py" not in answer.log
        assert job.ask("fine").value == 1
        assert job.ask("absent").error == "NameError: the source defines no absent"
        assert job.ask("half", [1, 2, 3]).error.startswith("TypeError")


def test_a_source_that_does_not_load_says_so_at_each_question(box):
    with box.python("def broken(:") as job:
        assert job.loaded.error.startswith("SyntaxError")
        assert job.ask("broken").error == job.loaded.error


@pytest.fixture(scope="module", params=SETTINGS)
def any_box(request):
    with Sandbox(wall_seconds=60, cpu_seconds=60, memory_bytes=512 << 20, **SETTINGS[request.param]) as box:
        yield box


@pytest.mark.parametrize(("body", "value"), BODIES)
def test_honest_code_runs(any_box, body, value):
    with any_box.python(source(body)) as job:
        answer = job.ask("run")
    assert answer.ok, answer
    assert answer.value == value


@pytest.mark.parametrize("setting", [name for name in SETTINGS if "evaluator" not in name])
def test_honest_lisp_runs(setting):
    program = """
(import math json)
(defn squares [xs] (sorted (lfor x xs (* x x)) :reverse True))
(defmacro twice [form] `(+ ~form ~form))
(defn doubled [x] (twice x))
(defn big [n] (math.factorial n))
(defn text [s] (+ (.upper s) (json.dumps {"a" [1 None]})))
(defn recovered [] (try (bytearray (<< 1 40)) (except [MemoryError] "caught")))
"""
    with Sandbox(wall_seconds=60, **SETTINGS[setting]) as box, box.lisp(program) as job:
        assert job.loaded.ok, job.loaded
        assert job.ask("squares", [[1, 3, 2]]).value == [9, 4, 1]
        assert job.ask("doubled", [21]).value == 42
        assert job.ask("big", [30]).value == math.factorial(30)
        assert job.ask("text", ["äß"]).value == 'ÄSS{"a": [1, null]}'
        assert job.ask("recovered").value == "caught"


def test_honest_code_runs_in_a_kernel_with_busy_threads():
    stop = threading.Event()

    def spin():
        while not stop.wait(0.0001):
            sum(range(1000))

    threads = [threading.Thread(target=spin) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        with Sandbox(wall_seconds=60) as box:
            for n in range(10):
                with box.python("import numpy as np\ndef f(n): return float(np.arange(n).sum())") as job:
                    assert job.ask("f", [n * 1000]).value == float(np.arange(n * 1000).sum())
    finally:
        stop.set()
        for thread in threads:
            thread.join()


# ------------------------------------------------------------------------------- values

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**5000, max_value=10**5000 + 9)
    | st.floats()
    | st.text()
    | st.binary()
    | st.complex_numbers()
)
keys = st.text() | st.integers() | st.sampled_from(["$array", "$float", "$", "id"])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(keys, inner),
    max_leaves=20,
)


def same(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    if isinstance(a, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    return a == b


@settings(max_examples=150, deadline=None)
@given(values)
def test_values_cross_unchanged_both_ways(echo, value):
    answer = echo.ask("echo", [value])
    assert answer.ok, answer.error
    assert same(answer.value, value)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64", "float32", "float64", "complex128", "<U5", "S3"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (5, 0, 2), (40, 50), (30_000,)])
def test_arrays_cross_unchanged_both_ways(echo, dtype, shape):
    array = (np.random.default_rng(1).integers(0, 100, shape)).astype(dtype)
    answer = echo.ask("echo", [[array, {"again": array}]])
    first, again = answer.value[0], answer.value[1]["again"]
    for back in (first, again):
        assert (back.dtype, back.shape) == (array.dtype, array.shape)
        assert np.array_equal(back, array)
        assert back.flags.writeable


def test_arrays_of_any_layout_cross(echo):
    array = np.arange(12_000.0).reshape(100, 120)
    for view in (array.T, array[::2, ::-3], np.asfortranarray(array), np.broadcast_to(array[0], (3, 120))):
        assert np.array_equal(echo.ask("echo", [view]).value, view)
    special = np.array([np.nan, np.inf, -0.0] * 1000)
    assert special.tobytes() == echo.ask("echo", [special]).value.tobytes()


def test_the_callers_array_is_not_touched(box):
    array = np.zeros(2000)
    with box.python("def fill(xs):\n    xs[:] = 1\n    return xs") as job:
        assert job.ask("fill", [array]).value.sum() == 2000
    assert array.sum() == 0


def test_numpy_scalars_become_python_numbers(box):
    with box.python(
        "import numpy as np\ndef f(): return [np.float64(0.5), np.float32('nan'), np.int8(-1), np.bool_(True)]",
        finite=False,
    ) as j:
        half, nan, minus, true = j.ask("f").value
    assert (half, minus, true) == (0.5, -1, True)
    assert math.isnan(nan)
    assert type(half) is float


@pytest.mark.parametrize("value", ["float('nan')", "[1.0, float('inf')]", "{'a': (0, -1e308 * 10)}", "complex('nanj')"])
def test_an_answer_that_is_no_finite_number_is_refused_and_its_job_lives(box, value):
    source = f"import numpy as np\ndef f(): return {value}\ndef g(): return np.array([np.nan, 1.0])"
    with box.python(source) as job:
        refused, array = job.ask("f"), job.ask("g")
    assert not refused.ok
    assert refused.value is None
    assert "its answer holds" in refused.error
    assert array.ok, array.error
    assert np.isnan(array.value[0])


def test_what_cannot_cross_is_named(box, echo):
    with box.python("def f(): return (x for x in ())\ndef g():\n    a = []\n    a.append(a)\n    return a") as job:
        assert "a generator cannot cross" in job.ask("f").error
        assert job.ask("g").error.startswith("RecursionError")
    with pytest.raises(UsageError, match="native jobs"):
        echo.ask("echo", [1], repeat=2)
    with pytest.raises(UsageError, match="a range cannot cross"):
        echo.ask("echo", [range(3)])
    with pytest.raises(UsageError, match="masked array"):
        echo.ask("echo", [np.ma.masked_array([1.0, 2.0], [False, True])])
    assert echo.ask("echo", [{2, 1}]).value == {1, 2}
    assert echo.ask("echo", [frozenset({"a"})]).value == frozenset({"a"})
    with pytest.raises(UsageError, match="array of object"):
        echo.ask("echo", [np.array([object()])])


def test_arguments_beyond_the_shared_memory_are_refused(echo):
    huge = np.lib.stride_tricks.as_strided(np.zeros(1), (1 << 29,), (0,))
    with pytest.raises(SandboxError, match="do not fit"):
        echo._channel.arena.grow(huge.size * 8)
    assert echo.ask("echo", [1]).value == 1


def test_scratch_is_a_folder_of_ones_own_with_a_quota():
    import os

    source = """
import os
def where():
    open("note", "w").write("kept")
    os.mkdir("d")
    return os.getcwd(), open("note").read(), sorted(os.listdir("."))
def fill():
    for i in range(10_000):
        open(f"f{i}", "wb").write(b"x" * 50_000)
def outside(path): return open(path).read()
"""
    with Sandbox(scratch_bytes=4 << 20, wall_seconds=5) as box:
        job = box.python(source)
        folder, text, entries = job.ask("where").value
        assert (text, entries) == ("kept", ["d", "note"])
        assert job.ask("outside", ["/etc/passwd"]).denied
        assert job.ask("fill").ended == "scratch-quota"
        assert not os.path.exists(folder)
        other = box.python(source)
        folder, _, entries = other.ask("where").value
        assert entries == ["d", "note"]
    assert not os.path.exists(folder)


def test_the_isolate_profile_has_the_surroundings_of_the_kernel(tmp_path, monkeypatch):
    monkeypatch.setenv("O_TEST_MARK", "seen")
    monkeypatch.chdir(tmp_path)
    source = "import os\ndef look(): return os.environ['O_TEST_MARK'], os.getcwd()\ndef crash(): os.abort()\n"
    with Sandbox(profile="isolate", wall_seconds=5) as box:
        assert box.level == "L0"
        assert "isolate" in box.level_reason
        with box.python(source) as job:
            assert job.ask("look").value == ("seen", str(tmp_path))
            assert job.ask("crash").ended == "signal SIGABRT"
