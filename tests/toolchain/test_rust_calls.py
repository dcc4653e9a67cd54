"""Every type that crosses into Rust and back, against a Python or numpy twin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from project_o import toolchain
from project_o.errors import InterfaceError, NativeResultError
from project_o.sandbox import Sandbox

INTEGERS = {
    "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64, "isize": np.int64,
    "u8": np.uint8, "u16": np.uint16, "u32": np.uint32, "u64": np.uint64, "usize": np.uint64,
}  # fmt: skip
FLOATS = {"f32": np.float32, "f64": np.float64}
NUMBERS = {**INTEGERS, **FLOATS}

SOURCE = r"""
use std::collections::HashMap;
type Real = f64;
type Pair<'a> = (&'a [Real], Real);
#[derive(Debug)]
pub enum Bad { Empty, TooBig { n: usize } }
struct Inner { n: usize }
struct Outer { inner: Inner, scale: Option<f64>, tag: [u8; 3] }
struct Weighted<'a> { data: &'a [f64], k: f64 }
struct Meters(f64);
const N: usize = 3;

pub fn flag(x: bool) -> bool { !x }
pub fn alias(x: Real) -> Real { x * 2.0 }
pub fn pair(p: Pair) -> (Real, usize) { (p.0.iter().sum::<f64>() * p.1, p.0.len()) }
pub fn outer(o: Outer) -> Outer {
    Outer { inner: Inner { n: o.inner.n + 1 }, scale: o.scale.map(|x| x * 2.0), tag: o.tag }
}
pub fn weighted(v: Weighted) -> f64 { v.data.iter().sum::<f64>() * v.k }
pub fn meters(m: Meters) -> Meters { Meters(m.0 + 1.0) }
pub fn lent(o: &Outer, v: &Vec<i32>, s: &String, t: &[f32; 4]) -> String {
    format!("{} {} {} {}", o.inner.n, v.len(), s, t[3])
}
pub fn longer<'a, 'b: 'a>(a: &'a [i32], b: &'b [i32]) -> &'a [i32] { if a.len() > b.len() { a } else { b } }
pub fn fixed(x: [i32; N]) -> [i32; N + 1] { [x[0], x[1], x[2], 9] }
pub fn reversed(s: &str) -> String { s.chars().rev().collect() }
pub fn shout(s: String) -> String { s.to_uppercase() }
pub fn upper(c: char) -> char { c.to_ascii_uppercase() }
pub fn bytes(b: &[u8]) -> Vec<u8> { b.iter().rev().copied().collect() }
pub fn not(b: &[bool]) -> Vec<bool> { b.iter().map(|x| !x).collect() }
pub fn r#type(r#fn: i32) -> i32 { r#fn }
pub fn nothing() {}
pub fn first(x: &[i32]) -> Option<&i32> { x.first() }
pub fn maybe(x: Option<f64>) -> Option<f64> { x.map(|x| x + 1.0) }
pub fn optional_text(x: Option<&str>) -> Option<String> { x.map(str::to_owned) }
pub fn evens(n: usize) -> Result<Vec<i64>, Bad> {
    match n {
        0 => Err(Bad::Empty),
        n if n > 100 => Err(Bad::TooBig { n }),
        n => Ok((0..n as i64).map(|k| 2 * k).collect()),
    }
}
pub fn text_error(s: &str) -> Result<(), &str> { Err(s) }
pub fn string_error(s: String) -> Result<i32, String> { Err(s) }
pub fn parse(s: &str) -> Result<i64, std::num::ParseIntError> { s.parse() }
pub fn boxed(s: &str) -> Result<f64, Box<dyn std::error::Error>> {
    let x: f64 = s.parse()?;
    if x < 0.0 { return Err("below \"zero\"".into()) }
    Ok(x)
}
pub fn split(x: &[f64]) -> (Vec<f64>, Box<[f64]>) {
    let (a, b) = x.split_at(x.len() / 2);
    (a.to_vec(), b.into())
}
pub fn rows(m: o::View2<f64>) -> Vec<f64> { m.iter().map(|row| row.iter().sum()).collect() }
pub fn trace(m: o::View2<'_, f64>) -> f64 { (0..m.rows()).map(|i| m[(i, i)]).sum() }
pub fn fill(mut m: o::ViewMut2<f64>, x: f64) { for i in 0..m.rows() { for v in m.row_mut(i) { *v = x } } }
pub fn corner(mut m: o::ViewMut2<f32>) -> f32 { m[(0, 0)] += 1.0; m.view()[(0, 0)] + m.cols() as f32 }
pub fn axpy(a: f64, x: &[f64], y: &mut [f64]) { for (y, x) in y.iter_mut().zip(x) { *y += a * x } }
pub fn sorted(mut x: Vec<i32>) -> Vec<i32> { x.sort_unstable(); x }
pub fn at(a0: i32, args: i32, out: i32) -> i32 { a0 + args + out }
type Eight = (i8, u8, i16, u16, u32, u64, isize, usize);
pub fn eight(a: i8, b: u8, c: i16, d: u16, e: u32, f: u64, g: isize, h: usize) -> Eight { (a, b, c, d, e, f, g, h) }
pub fn many(n: usize) -> usize { let m: HashMap<usize, usize> = (0..n).map(|k| (k, k)).collect(); m.len() }
"""
SAME = "".join(
    f"pub fn same_{name}(x: {name}) -> {name} {{ x }}\n"
    f"pub fn twice_{name}(x: &[{name}]) -> Vec<{name}> {{ x.iter().chain(x).copied().collect() }}\n"
    f"pub fn zero_{name}(x: &mut [{name}]) {{ x.fill(0 as {name}) }}\n"
    for name in NUMBERS
)


@pytest.fixture(scope="module")
def rust(loaded_rust: Callable[..., toolchain.Library]) -> toolchain.Library:
    return loaded_rust(SOURCE + SAME)


@pytest.fixture(scope="module")
def boxed(rust: toolchain.Library) -> Iterator[Any]:
    """The same library in the sandbox."""
    with Sandbox() as box, box.native(rust.artifact.path, rust.artifact.interface) as job:
        yield job


def same(a: Any, b: Any) -> bool:
    return bool(np.array_equal(a, b, equal_nan=True)) and a.dtype == b.dtype


@pytest.mark.parametrize("name", INTEGERS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_integers(name: str, rust: toolchain.Library, data: st.DataObject) -> None:
    info = np.iinfo(INTEGERS[name])
    number = data.draw(st.integers(int(info.min), int(info.max)))

    assert rust.call(f"same_{name}", [number]) == number
    for beyond in (int(info.min) - 1, int(info.max) + 1):
        with pytest.raises(InterfaceError, match="wants an int from"):
            rust.call(f"same_{name}", [beyond])


@settings(max_examples=50, deadline=None)
@given(number=st.floats())
def test_floats(rust: toolchain.Library, number: float) -> None:
    assert np.array_equal(rust.call("same_f64", [number]), number, equal_nan=True)
    with np.errstate(over="ignore"):
        assert np.array_equal(rust.call("same_f32", [number]), float(np.float32(number)), equal_nan=True)


@pytest.mark.parametrize("name", NUMBERS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_arrays(name: str, rust: toolchain.Library, data: st.DataObject) -> None:
    array = data.draw(hnp.arrays(NUMBERS[name], st.integers(0, 40)))

    assert same(rust.call(f"twice_{name}", [array]), np.concatenate([array, array]))
    rust.call(f"zero_{name}", [array])
    assert not array.any()


@settings(max_examples=60, deadline=None)
@given(text=st.text())
def test_text(rust: toolchain.Library, text: str) -> None:
    assert rust.call("reversed", [text]) == text[::-1]
    assert rust.call("reversed", [text.encode()]) == text[::-1]
    assert rust.call("shout", ["straße"]) == "STRASSE"
    with pytest.raises(NativeResultError) as caught:
        rust.call("text_error", [text[:50]])
    assert caught.value.name == text[:50]


@settings(max_examples=30, deadline=None)
@given(array=hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(-9, 9)))
def test_matrices(rust: toolchain.Library, array: Any) -> None:
    assert same(rust.call("rows", [array]), array.sum(axis=1))
    square = np.ascontiguousarray(array[:, : min(array.shape)])[: min(array.shape)]
    assert rust.call("trace", [square]) == np.trace(square)
    part = array[:, : max(1, array.shape[1] // 2)]
    rest = array[:, part.shape[1] :].copy()
    rust.call("fill", [part, 7.0])
    assert (part == 7.0).all()
    assert same(np.ascontiguousarray(array[:, part.shape[1] :]), rest)


@settings(max_examples=30, deadline=None)
@given(values=st.lists(st.integers(-(2**31), 2**31 - 1)))
def test_a_vector_is_the_functions_own(rust: toolchain.Library, values: list[int]) -> None:
    given_array = np.array(values, np.int32)
    kept = given_array.copy()

    assert rust.call("sorted", [given_array]).tolist() == sorted(values)
    assert same(given_array, kept)


TABLE: list[tuple[str, tuple[Any, ...], Any]] = [
    ("flag", (True,), False),
    ("alias", (1.5,), 3.0),
    ("pair", (([1.0, 2.0], 3.0),), (9.0, 2)),
    ("weighted", (([1.0, 2.0], 3.0),), 9.0),
    ("weighted", ({"data": [1.0, 2.0], "k": 3.0},), 9.0),
    ("meters", ((1.0,),), (2.0,)),
    ("lent", (((7,), None, b"abc"), [1, 2], "xy", [1, 2, 3, 4]), "7 2 xy 4"),
    ("upper", ("x",), "X"),
    ("type", (3,), 3),
    ("nothing", (), None),
    ("first", ([5, 6],), 5),
    ("first", ([],), None),
    ("maybe", (1.0,), 2.0),
    ("maybe", (None,), None),
    ("optional_text", ("ü",), "ü"),
    ("optional_text", (None,), None),
    ("parse", ("12",), 12),
    ("boxed", ("1.5",), 1.5),
    ("at", (1, 2, 3), 6),
    ("eight", (-1, 255, -2, 65535, 1, 2**64 - 1, -5, 5), (-1, 255, -2, 65535, 1, 2**64 - 1, -5, 5)),
    ("many", (1000,), 1000),
]


@pytest.mark.parametrize(("name", "args", "expected"), TABLE, ids=lambda item: item if isinstance(item, str) else "")
def test_a_value_comes_back(
    name: str, args: tuple[Any, ...], expected: Any, rust: toolchain.Library, boxed: Any
) -> None:
    assert rust.call(name, args) == expected
    answer = boxed.ask(name, args)
    assert answer.ok, answer.error
    assert answer.value == expected


def test_structs_are_named_tuples(rust: toolchain.Library) -> None:
    outer = rust.call("outer", [((1,), 2.0, b"abc")])

    assert outer._fields == ("inner", "scale", "tag")
    assert outer.inner.n == 2
    assert outer.scale == 4.0
    assert outer.tag.tolist() == list(b"abc")
    assert rust.call("outer", [{"inner": (1,), "scale": None, "tag": [1, 2, 3]}]).scale is None


def test_several_arrays_come_back(rust: toolchain.Library, boxed: Any) -> None:
    whole = np.arange(5.0)

    for found in (rust.call("split", [whole]), boxed.ask("split", [whole]).value):
        assert same(found[0], whole[:2])
        assert same(found[1], whole[2:])
    assert rust.call("fixed", [[1, 2, 3]]).tolist() == [1, 2, 3, 9]
    assert rust.call("longer", [[1], [2, 3]]).tolist() == [2, 3]
    assert rust.call("bytes", [b"abc"]).tolist() == list(b"cba")
    assert rust.call("not", [[True, False]]).tolist() == [False, True]
    assert rust.call("corner", [np.ones((2, 3), np.float32)]) == 5.0


ERRORS = [
    ("evens", (0,), "Empty", "Empty"),
    ("evens", (200,), "TooBig", "TooBig { n: 200 }"),
    ("parse", ("x",), "ParseIntError", "ParseIntError { kind: InvalidDigit }"),
    ("boxed", ("z",), "ParseFloatError", "ParseFloatError { kind: Invalid }"),
    ("boxed", ("-1",), 'below "zero"', 'below "zero"'),
    ("string_error", ("it's\nbad",), "it's\nbad", "it's\nbad"),
]


@pytest.mark.parametrize(("name", "args", "error", "text"), ERRORS)
def test_an_error_has_its_own_name(
    name: str, args: tuple[Any, ...], error: str, text: str, rust: toolchain.Library
) -> None:
    isolated = toolchain.Version(rust.artifact, isolate=True)
    for call in (rust.call, isolated.call):
        with pytest.raises(NativeResultError) as caught:
            call(name, args)
        assert caught.value.name == error
        assert str(caught.value) == f"{name} returned an error: {text}"
    isolated.close()


def test_arrays_that_share_memory_are_refused_where_one_is_written(rust: toolchain.Library) -> None:
    y = np.zeros(6)

    for x in (y, y[2:5], y[::-1][::-1]):
        with pytest.raises(InterfaceError, match=r"share memory, and one of them is written: pass a \.copy\(\)"):
            rust.call("axpy", [1.0, x, y])
    rust.call("axpy", [1.0, y[:3], y[3:]])
    assert rust.call("longer", [np.ones(2, np.int32)] * 2).tolist() == [1, 1]


def test_text_that_is_none(rust: toolchain.Library) -> None:
    with pytest.raises(InterfaceError, match="not UTF-8 text"):
        rust.call("reversed", [b"\xff"])
    with pytest.raises(InterfaceError, match="a char is one character"):
        rust.call("upper", ["ab"])


def test_memory_of_results_is_given_back(rust: toolchain.Library) -> None:
    array = np.ones(100_000)
    rust.call("twice_f64", [array])
    before = psutil.Process().memory_info().rss
    for _ in range(300):
        rust.call("twice_f64", [array])
        with pytest.raises(NativeResultError):
            rust.call("string_error", ["x" * 100_000])

    assert psutil.Process().memory_info().rss - before < 100 << 20


LENDING = """
pub struct Person { name: String, marks: Vec<f64> }
pub fn same(v: &Vec<f64>) -> &[f64] { v }
pub fn name(p: &Person) -> &str { &p.name }
pub fn best(p: &Person) -> (Option<&[f64]>, &str) { (Some(&p.marks[1..]), &p.name) }
"""


def test_what_a_result_borrows_of_an_argument_lives_until_it_is_read(
    loaded_rust: Callable[..., toolchain.Library],
) -> None:
    library = loaded_rust(LENDING)
    isolated = toolchain.Version(library.artifact, isolate=True)
    marks = np.arange(40.0)
    person = ("a name that is long enough for the heap", marks)

    for call in (library.call, isolated.call):
        for _ in range(50):
            assert same(call("same", [marks]), marks)
            assert call("name", [person]) == person[0]
            found = call("best", [person])
            assert same(found[0], marks[1:])
            assert found[1] == person[0]
    isolated.close()
