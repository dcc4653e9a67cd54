"""Python functions in Zig: each answers as Python does, on random inputs, edges, and what Python raises."""

import inspect
import math
import warnings

import numpy as np
import pytest

from project_o import zig
from project_o.errors import NativeResultError
from project_o.languages.translating import Argument, TranslationError, argument_of, translate
from project_o.languages.translating.templates import templates

COUNT = 40


def distance(a, b):
    s = 0.0
    for i in range(len(a)):
        d = a[i] - b[i]
        s += d * d
    return math.sqrt(s)


def total(xs):
    total = 0
    for x in xs:
        total += x
    return total


def moving(xs, k):
    out = np.zeros(len(xs) - k + 1)
    for i in range(len(xs) - k + 1):
        s = 0.0
        for j in range(k):
            s += xs[i + j]
        out[i] = s / k
    return out


def histogram(xs, low, high, k):
    counts = np.zeros(k, dtype=np.int64)
    for x in xs:
        if x >= low and x < high:
            counts[int((x - low) / (high - low) * k)] += 1
    return counts


def argmin(xs):
    best = 0
    for i in range(1, len(xs)):
        if xs[i] < xs[best]:
            best = i
    return best


def decayed(xs, low):
    out = np.empty_like(xs)
    s = 0.0
    for i, x in enumerate(xs):
        s = s * low + x
        out[i] = s
    return out


def pairs(xs, high):
    n = 0
    for i in range(len(xs)):
        for j in range(i + 1, len(xs)):
            if abs(xs[i] - xs[j]) < high:
                n += 1
    return n


def scaled(a, b, low):
    return low * a + b


def softmax(xs):
    e = np.exp(xs - np.max(xs))
    return e / e.sum()


def kept(xs, low):
    return sum(x * low for x in xs if x > 0.0)


def clipped(xs, low, high):
    return np.where(xs < low, low, np.where(xs > high, high, xs))


def collatz(k):
    steps = 0
    while k != 1:
        k = k // 2 if k % 2 == 0 else 3 * k + 1
        steps += 1
    return steps


def signs(k, low):
    return (k // -3) + (-7 % (k * k + 2)) + low % 3.5 - low // 2.5


def negative(xs, k):
    return xs[-1] + xs[k - 3]


def backwards(xs):
    out = np.zeros(len(xs))
    for i in range(len(xs) - 1, -1, -1):
        if xs[i] < -1.0:
            continue
        out[len(xs) - 1 - i] = xs[i]
    return out


def names(xs, test, i8):
    var = test * 2
    error = i8 + 1
    return xs[0] * var + error


def share(xs, low):
    s = 0.0
    for x in xs:
        if x > low:
            s += x
    return s / len(xs)


def inverse(xs, k):
    return xs[0] / (k - 3) + 1 / (k - 4)


EVERY = [distance, total, moving, histogram, argmin, decayed, pairs, scaled, softmax, kept, clipped, collatz, signs,
         negative, backwards, names, share, inverse]  # fmt: skip


def drawn(function, rng):
    n = int(rng.choice([0, 1, 2, 5, 17, 40]))
    values = {"xs": rng.normal(size=n), "a": rng.normal(size=n), "b": rng.normal(size=n), "k": int(rng.integers(1, 9)),
              "low": float(rng.normal()), "high": 1.5, "test": int(rng.integers(-9, 9)), "i8": 3}  # fmt: skip
    if rng.random() < 0.15 and n:
        values["xs"][int(rng.integers(n))] = rng.choice([np.nan, np.inf, 0.0])
    return tuple(values[name] for name in inspect.signature(function).parameters)


def made(function, args):
    found = list(inspect.signature(function).parameters)
    types = {name: argument_of(value, name) for name, value in zip(found, args, strict=True)}
    return translate(inspect.getsource(function), function.__name__, types)


def answer(call, args):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return call(*args)
        except NativeResultError as error:
            return error.name
        except (ArithmeticError, LookupError, ValueError) as error:
            return type(error).__name__


@pytest.mark.parametrize("function", EVERY, ids=lambda item: item.__name__)
def test_it_answers_as_python_does(function):
    rng = np.random.default_rng(7)
    compiled = zig(made(function, drawn(function, rng)).source, f"t_{function.__name__}", mode="debug", trial=False)
    native = getattr(compiled, function.__name__)
    told = 0
    for _ in range(COUNT):
        args = drawn(function, rng)
        expected, given = answer(function, args), answer(native, args)
        if isinstance(given, str) and given == "PythonAnswers":
            told += 1
            continue
        if isinstance(expected, str) or isinstance(given, str):
            assert expected == given
        else:
            np.testing.assert_allclose(given, expected, rtol=1e-10, atol=1e-12)
            assert np.shape(given) == np.shape(expected)
    assert told <= COUNT // 2


def test_whole_numbers_that_outgrow_64_bits_are_left_to_python():
    def power(k):
        return k * k * k + (k - 1)

    source = inspect.getsource(power).replace("    def", "def", 1).replace("        ", "    ")
    native = zig(translate(source, "power", {"k": Argument(int)}).source, "t_power", mode="debug", trial=False).power

    assert native(1000) == 1000**3 + 999
    with pytest.raises(NativeResultError, match="PythonAnswers"):
        native(1 << 40)


def test_sums_in_lanes_are_the_same_sums():
    args = (np.arange(1.0, 102.0), np.zeros(101))
    text = made(distance, args).source
    assert "const lanes = 1; // o: 1 2 4 8 16" in text

    for lanes in (1, 4, 16):
        source = text.replace("const lanes = 1;", f"const lanes = {lanes};")
        native = zig(source, f"t_lanes{lanes}", mode="debug", trial=False).distance
        assert native(*args) == pytest.approx(distance(*args), rel=1e-12)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("    return np.convolve(xs, xs)", "line 2: np.convolve"),
        ("    n = 3\n    xs[0] = n\n    return n", "line 3: it writes into its argument xs"),
        ("    for x in sorted(xs):\n        return x\n    return 0.0", r"line 2: a loop over sorted\(xs\)"),
        ("    print(len(xs))\n    return 1", "line 2: `print"),
        ("    if len(xs) > 2:\n        y = 1.0\n    return y", "line 4: y may not be set here"),
        ("    return xs[1:]", "line 2: "),
        ("    return {1: 2}", "line 2: "),
        ("    return y", "line 2: y is not a parameter"),
        ("    y = True\n    y = 2.0\n    return y", "line 3: one variable is"),
        ("    if len(xs) > 2:\n        return 1.0", "line 2: it may end without `return`"),
        ("    return xs", "line 2: xs itself is returned"),
        ("    try:\n        return 1\n    except ValueError:\n        return 2", "line 2: `try:`"),
        ("    return 'text'", "line 2: 'text' is no number"),
        ("    a = [x for x in xs]\n    return a[0]", "line 2: "),
    ],
)
def test_what_has_no_translation_is_said_with_its_line(body, told):
    with pytest.raises(TranslationError, match=told):
        translate(f"def f(xs):\n{body}\n", "f", {"xs": Argument(np.float64, array=True)})


@pytest.mark.parametrize("value", [[1.0], "text", None, np.zeros((2, 2)), np.float64(1.0), np.zeros(2, complex), {}])
def test_arguments_of_other_types_are_refused(value):
    with pytest.raises(TranslationError, match=r"xs|complex128"):
        argument_of(value, "xs")


def test_there_are_generic_loops_of_each_kind_and_each_has_a_translation():
    types = {"xs": Argument(np.float64, array=True), "ys": Argument(np.float64, array=True), "k": Argument(int),
             "low": Argument(float), "high": Argument(float)}  # fmt: skip
    found = list(templates("f", types))

    assert {word for word, _ in found} == {
        "map", "scan", "reduce", "dot", "mean", "argmin", "argmax", "minimum", "maximum", "windowed", "pairwise",
        "histogram",
    }  # fmt: skip
    assert len({text for _, text in found}) == len(found) > 60
    assert all("pub fn f(" in translate(text, "f", types).source for _, text in found)
