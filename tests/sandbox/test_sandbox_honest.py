"""Honest code is not disturbed, and its values come back as they were."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project_o.errors import SandboxError, UsageError
from project_o.sandbox import Sandbox


@pytest.fixture(scope="module")
def box():
    with Sandbox(wall_seconds=20, cpu_seconds=20, memory_bytes=512 << 20) as box:
        yield box


@pytest.fixture(scope="module")
def echo(box):
    with box.python("def echo(value): return value") as job:
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


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("float(np.linalg.solve(np.eye(40) * 2, np.ones(40)).sum())", 20.0),
        ("round(float(np.linalg.eigvalsh(np.diag([1.0, 2.0, 3.0])).max()), 9)", 3.0),
        ("float((np.ones((300, 300)) @ np.ones((300, 300)))[0, 0])", 300.0),
        ("int(np.sort(np.random.default_rng(0).integers(0, 10**6, 300_000))[0] >= 0)", 1),
        ("float(np.fft.fft(np.ones(64)).real[0])", 64.0),
        ("sum(sorted(range(100_000), key=lambda x: -x))", 4999950000),
        ("2 ** 20_000 % (10 ** 60)", 2**20_000 % 10**60),
        ("'äß漢\\U0001f600'.upper()", "ÄSS漢\U0001f600"),
        ("json.loads(json.dumps({'a': [1, None]}))", {"a": [1, None]}),
        ("str(decimal.Decimal(1) / 3)[:6]", "0.3333"),
        ("[m.group() for m in re.finditer('[a-z]', '1a2b')]", ["a", "b"]),
        ("datetime.date(2024, 2, 29).isoformat()", "2024-02-29"),
        ("hashlib.sha256(b'x').hexdigest()[:8]", "2d711642"),
        ("random.Random(5).randint(0, 9)", 9),
        ("heapq.nsmallest(2, [3, 1, 2])", [1, 2]),
        ("statistics.median([1, 3, 2])", 2),
        ("functools.reduce(lambda a, b: a * b, range(1, 11))", math.factorial(10)),
        ("recover(lambda: bytearray(1 << 40))", "MemoryError"),
        ("recover(lambda: deep(0))", "RecursionError"),
        ("time.sleep(0.01) or 1", 1),
        ("f'{np.arange(3)}'", "[0 1 2]"),
    ],
)
def test_honest_code_runs(box, body, value):
    source = f"""
import numpy as np, datetime, decimal, functools, hashlib, heapq, json, random, re, statistics, time
def recover(attempt):
    try: attempt()
    except (MemoryError, RecursionError) as error: return type(error).__name__
def deep(n): return deep(n + 1)
def run(): return {body}
"""
    with box.python(source) as job:
        answer = job.ask("run")
    assert answer.ok, answer
    assert answer.value == value


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
        "import numpy as np\ndef f(): return [np.float64(0.5), np.float32('nan'), np.int8(-1), np.bool_(True)]"
    ) as j:
        half, nan, minus, true = j.ask("f").value
    assert (half, minus, true) == (0.5, -1, True)
    assert math.isnan(nan)
    assert type(half) is float


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
