"""Arguments that numpy makes and compiled code would misread, in both languages and on both ways of a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from project_o.deploy import NativeModule, Slot
from project_o.errors import InterfaceError
from project_o.toolchain import Version

ZIG = """const o = @import("o");
const Flag = struct { id: u16, on: bool };
const Word = struct { class: i32, from: i32 };
const Kind = enum { pass, stop };
const Odd = enum { _a, __b__, a, mro, name, value, None, __, real };
const Complex = struct { re: f64, im: f64 };
const Point = struct { x: f64, y: f64 };
pub fn conjugate(a: []Complex) void {
    for (a) |*z| z.im = -z.im;
}
pub fn power(a: []const Complex) f64 {
    var sum: f64 = 0;
    for (a) |z| sum += z.re * z.re + z.im * z.im;
    return sum;
}
pub fn times_i(z: Complex) Complex {
    return .{ .re = -z.im, .im = z.re };
}
pub fn first(a: []const Point) f64 {
    return a[0].x;
}
pub fn odd(k: Odd) Odd {
    return k;
}
pub fn count(a: []const bool) usize {
    var n: usize = 0;
    for (a) |x| {
        if (x) n += 1;
    }
    return n;
}
pub fn spots(v: o.View(bool, 2)) usize {
    var n: usize = 0;
    for (0..v.shape[0]) |i| {
        for (0..v.shape[1]) |j| {
            if (v.at(.{ i, j })) n += 1;
        }
    }
    return n;
}
pub fn on(a: []const Flag) usize {
    var n: usize = 0;
    for (a) |flag| {
        if (flag.on) n += flag.id;
    }
    return n;
}
pub fn total(a: []const f64) f64 {
    var sum: f64 = 0;
    for (a) |x| sum += x;
    return sum;
}
pub fn half(x: f64) f64 {
    return x / 2;
}
pub fn turned(w: Word) Word {
    return .{ .class = w.from, .from = w.class };
}
pub fn other(k: Kind) Kind {
    return if (k == .pass) .stop else .pass;
}
"""
RUST = """pub struct Complex { re: f64, im: f64 }
pub struct Point { x: f64, y: f64 }
pub fn conjugate(a: &mut [Complex]) { for z in a { z.im = -z.im } }
pub fn power(a: &[Complex]) -> f64 { a.iter().map(|z| z.re * z.re + z.im * z.im).sum() }
pub fn times_i(z: Complex) -> Complex { Complex { re: -z.im, im: z.re } }
pub fn first(a: &[Point]) -> f64 { a[0].x }
pub struct Flag { id: u16, on: bool }
pub struct Word { class: i32, from: i32 }
#[derive(Clone, Copy)] pub enum Kind { pass, stop }
#[derive(Clone, Copy)] pub enum Odd { _a, __b__, a, mro, name, value, None, __, real }
pub fn odd(k: Odd) -> Odd { k }
pub fn count(a: &[bool]) -> usize { a.iter().filter(|x| **x).count() }
pub fn spots(v: o::View<bool, 2>) -> usize {
    let mut n = 0;
    for i in 0..v.shape()[0] { for j in 0..v.shape()[1] { n += v[[i, j]] as usize } }
    n
}
pub fn on(a: &[Flag]) -> usize { a.iter().filter(|flag| flag.on).map(|flag| flag.id as usize).sum() }
pub fn total(a: &[f64]) -> f64 { a.iter().fold(0.0, |sum, x| sum + x) }
pub fn half(x: f64) -> f64 { x / 2.0 }
pub fn turned(w: Word) -> Word { Word { class: w.from, from: w.class } }
pub fn other(k: Kind) -> Kind { match k { Kind::pass => Kind::stop, Kind::stop => Kind::pass } }
"""


class Both(NamedTuple):
    module: NativeModule
    call: Callable[..., Any]
    """Through the dispatcher, if the arguments are fit for it, and the portable way: the same, or the same error."""


@pytest.fixture(scope="module", params=["zig", "rust"])
def native(request: pytest.FixtureRequest, made: Any) -> Both:
    how = "compiled" if request.param == "zig" else "compiled_rust"
    version = Version(request.getfixturevalue(how)(ZIG if request.param == "zig" else RUST))
    module = NativeModule(Slot("m", version))
    for name, args in (("count", [[True]]), ("spots", [np.ones((1, 1), bool)]), ("total", [[1.0]]), ("half", [1.0])):
        getattr(module, name)(*args)  # the first call goes the portable way

    def ended(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except InterfaceError as error:
            return str(error)

    def both(name: str, *args: Any) -> Any:
        first = ended(lambda: getattr(module, name)(*args))
        assert ended(lambda: version.call(name, args)) == first
        return first

    return Both(module, both)


@pytest.mark.parametrize("byte", [2, 3, 128, 255])
def test_bytes_that_are_no_bools_are_refused(native: Both, byte: int) -> None:
    """numpy takes each byte but 0 for True, and so does who made the view; compiled code looks at some of the bits."""
    flat = np.zeros(100, np.uint8)
    flat[70] = byte
    grid = flat.reshape(10, 10)
    flags = np.zeros(3, native.module.Flag)
    flags.view(np.uint8).reshape(3, -1)[1, flags.dtype.fields["on"][1]] = byte

    for name, array in (
        ("count", flat), ("spots", grid), ("spots", grid.T), ("spots", grid[::-3, ::2]), ("spots", grid[5:, :5]),
    ):  # fmt: skip
        given = array.view(bool)
        if (array == byte).any():
            assert "some bytes are neither 0 nor 1: pass .view('uint8') != 0" in native.call(name, given)
        fit = given.view("uint8") != 0
        assert native.call(name, fit) == int(fit.sum())
    assert "neither 0 nor 1" in native.call("on", flags)


def test_bools_that_are_bools_pass_in_any_order(native: Both) -> None:
    grid = np.arange(100).reshape(10, 10) % 3 == 0
    for array in (grid, grid.T, grid[::-2], grid[:0], np.asfortranarray(grid)):
        assert native.call("spots", array) == int(array.sum())
    assert native.call("count", grid.ravel()) == 34


def test_a_mask_is_not_overlooked(native: Both) -> None:
    masked = np.ma.masked_array([1.0, 100.0, 2.0], [False, True, False])
    assert "would not see this array's mask: pass .filled(...) or .compressed()" in native.call("total", masked)
    assert native.call("total", masked.compressed()) == 3.0


def test_other_subclasses_are_arrays(native: Both, tmp_path: Any) -> None:
    class Own(np.ndarray):
        """Somebody's own."""

    np.save(tmp_path / "a.npy", np.arange(3.0))
    for array in (np.arange(3.0).view(Own), np.load(tmp_path / "a.npy", mmap_mode="r")):
        assert native.call("total", array) == 3.0


def test_a_complex_number_is_a_struct_of_its_two_parts(native: Both) -> None:
    """Where they are called so: numpy's complex arrays lie in memory as these do."""
    spectrum = np.fft.fft(np.arange(8.0))
    mirrored = spectrum.copy()
    native.module.conjugate(mirrored)
    assert (mirrored == spectrum.conj()).all()
    assert native.call("power", spectrum) == pytest.approx((abs(spectrum) ** 2).sum())
    assert native.call("power", spectrum.view(native.module.Complex.dtype)) > 0
    assert native.call("power", [3 + 4j, 1]) == 26.0
    for number in (3 + 4j, np.complex64(3 + 4j), (3, 4)):
        assert native.call("times_i", number) == (-4.0, 3.0)

    assert native.call("power", spectrum.astype("c8")).endswith("got complex64: convert it with .astype('complex128')")
    assert native.call("power", spectrum[::2]).endswith("pass np.ascontiguousarray(...)")
    spectrum.flags.writeable = False
    assert "this array is read-only" in native.call("conjugate", spectrum)
    assert "wants a numpy array of Point, got complex128" in native.call("first", mirrored)


def test_records_are_not_rounded(native: Both) -> None:
    """numpy itself makes an integer of 1.7 where it stands in a tuple."""
    assert native.call("on", [(7, True), (5, False), {"id": 1, "on": True}]) == 8
    assert native.call("on", []) == 0
    assert native.call("on", list(np.array([(3, True)], native.module.Flag.dtype))) == 3
    for wrong, why in (
        ([(1.7, True)], "on: a0.id wants numbers of uint16, got a list of float64"),
        ([(70_000, True)], "on: a0.id wants numbers from 0 to 65535, got 70000"),
        ([(1, "yes")], "on: a0.on wants numbers of bool"),
        ([(1, 1)], "on: a0.on wants numbers of bool"),
        ([(1, True, 2)], "on: a0 wants a list of tuples of id, on"),
        ([{"id": 1}], "on: a0 wants a list of tuples of id, on"),
        ([3], "on: a0 wants a list of tuples of id, on"),
        ([([1, 2], True)], "on: a0.id wants one of uint16 in each element"),
    ):
        assert why in native.call("on", wrong)


def test_a_number_that_is_none_says_why(native: Both) -> None:
    class Broken:
        def __float__(self) -> float:
            raise RuntimeError("its own error")

    assert native.call("half", 10**400) == "half: a0 wants a float, got a number beyond the largest one"
    assert native.call("half", "1") == "half: a0 wants a float, got str"
    assert native.call("half", b"1") == "half: a0 wants a float, got bytes"
    with pytest.raises(RuntimeError, match="its own error"):
        native.call("half", Broken())


def test_a_wrong_name_of_a_parameter_is_named(native: Both) -> None:
    with pytest.raises(InterfaceError, match=r"^half\(a0\): got an unexpected keyword argument 'y'$"):
        native.module.half(y=1.0)
    with pytest.raises(InterfaceError, match=r"^half\(a0\): multiple values for argument 'a0'$"):
        native.module.half(1.0, a0=1.0)


def test_names_that_python_keeps_for_itself_have_a_line_behind_them(native: Both) -> None:
    word = native.module.turned((1, 2))
    assert (word.class_, word.from_) == (2, 1)
    assert native.module.turned(word) == (1, 2)
    assert native.module.turned(word._asdict()) == native.module.turned({"class": 2, "from": 1}) == (1, 2)
    assert native.module.other(native.module.Kind.pass_) is native.module.Kind.stop
    assert native.module.other("stop") is native.module.Kind.pass_
    found = [native.module.odd(name) for name in ("_a", "__b__", "a", "mro", "name", "value", "None", "__", "real")]
    assert [member.name for member in found] == ["a_", "b_", "a", "mro_", "name", "value", "None_", "line_", "real"]
    assert [native.module.odd(member) for member in found] == found == [native.module.odd(k) for k in range(9)]
    assert native.call("odd", "c").startswith("odd: a0 wants a Odd, one of _a, __b__")


def test_an_enum_of_more_numbers_than_names_takes_those_of_its_type(compiled: Callable[..., Any]) -> None:
    """Zig alone has these; a number beyond was cut off to one that is another's."""
    source = "".join(
        f"pub fn of_{tag}(k: enum({tag}) {{ one = 1, _ }}) {tag} {{\n    return @backingInt(k);\n}}\n"
        for tag in ("u8", "i8", "u64")
    )
    version = Version(compiled(source))
    for name, low, high in (("u8", 0, 255), ("i8", -128, 127), ("u64", 0, (1 << 64) - 1)):
        assert [version.call(f"of_{name}", [k]) for k in (low, 1, high)] == [low, 1, high]
        for wrong in (low - 1, high + 1, 1 << 70, "two", 1.0):
            with pytest.raises(InterfaceError, match=f"one of one, or a number from {low} to {high}"):
                version.call(f"of_{name}", [wrong])
