"""Every mapped type: one table of calls, and for each function a twin in Zig, in Rust, and in plain Python and numpy.

Each call is made in four ways: through the dispatcher, through cffi, in the sandbox, and by the twin, which says what
is right. To add a type: a function in all three, and rows in CASES.
"""

from __future__ import annotations

import enum
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from project_o.deploy import NativeModule, Slot
from project_o.errors import InterfaceError, NativeResultError
from project_o.sandbox import Sandbox
from project_o.toolchain import Version
from project_o.values import Artifact

sys.path.insert(0, str(Path(__file__).parent))
from held import resident_growth

HERE = Path(__file__).parent
WIDTHS = [f"{sign}{bits}" for sign in "iu" for bits in (8, 16, 32, 64, 128)]
ELEMENTS = {"i8": "i1", "u8": "u1", "i16": "i2", "u16": "u2", "i32": "i4", "u32": "u4", "i64": "i8", "u64": "u8",
            "f16": "f2", "f32": "f4", "f64": "f8", "bool": "?"}  # fmt: skip

ZIG = (HERE / "types.zig").read_text() + "".join(
    f"pub fn same_{t}(a: {t}) {t} {{\n    return a;\n}}\n" for t in WIDTHS
) + "".join(
    f"pub fn copy_{t}(gpa: Allocator, a: []const {t}) ![]{t} {{\n    return gpa.dupe({t}, a);\n}}\n"
    f"pub fn reverse_{t}(a: []{t}) void {{\n    std.mem.reverse({t}, a);\n}}\n" for t in ELEMENTS
)  # fmt: skip

RUST = (HERE / "types.rs").read_text() + "".join(
    f"pub fn same_{t}(a: {t}) -> {t} {{ a }}\n" for t in WIDTHS
) + "".join(
    f"pub fn copy_{t}(a: &[{u}]) -> Vec<{u}> {{ a.to_vec() }}\npub fn reverse_{t}(a: &mut [{u}]) {{ a.reverse() }}\n"
    for t, u in ((t, "o::F16" if t == "f16" else t) for t in ELEMENTS)
)  # fmt: skip


class Color(enum.IntEnum):
    red, green, blue = range(3)


class Level(enum.IntEnum):
    low, high = -300, 300


PARTICLE = np.dtype([("x", "f4"), ("id", "u8"), ("v", "f4", (3,)), ("on", "?")], align=True)


class Particle(NamedTuple):
    x: Any
    id: Any
    v: Any
    on: Any


class ErrorValue(Exception):
    """What a twin raises where native code returns an error of this name."""


def _half(a: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.float16(a))


def _text(a: Any) -> bytes:
    return a.encode() if isinstance(a, str) else bytes(a)


def _told(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _stamp(v: np.ndarray) -> int:
    for index in np.ndindex(v.shape):
        v[index] = index[0] * 100 + index[1] * 10 + index[2]
    return v.size


def _fold(a: Any, factor: Any) -> Any:
    a = np.asarray(a)
    found = a.dtype.type(0)
    for x in a.ravel():
        found = found * factor + x
    return float(found)


def _move(p: np.ndarray, dx: float) -> None:
    p["x"] += np.float32(dx)
    p["v"][:, 2] = dx


def _cloud(n: int) -> np.ndarray:
    out = np.zeros(n, PARTICLE)
    out["x"], out["id"], out["v"], out["on"] = 0.5, np.arange(n), (1, 2, 3), np.arange(n) % 2 == 0
    return out


def _pick(p: Any, i: int) -> Any:
    p = np.asarray(p, PARTICLE)
    if i >= len(p):
        raise ErrorValue("Missing")
    if not p[i]["on"]:
        raise ErrorValue("Off")
    return Particle(*(p[i][name] for name in PARTICLE.names))


def _root(a: float) -> float | None:
    if a < 0:
        raise ErrorValue("Negative")
    return math.sqrt(a) if a else None


PYTHON: dict[str, Callable[..., Any]] = {
    "negate": lambda a: not a,
    "half": _half,
    "single": lambda a: float(np.float32(a)),
    "double": float,
    "nothing": lambda: None,
    "shout": lambda a: _told(_text(a)[:3]),
    "grow": lambda a: _told(_text(a) * 2),
    "total": lambda v: _fold(v, 3.0),
    "stamp": _stamp,
    "rows": lambda m: _fold(m, np.float32(2)),
    "dot": lambda a, b: float(np.dot(a, b)),
    "cross": lambda a: np.array([a[1], a[2], a[0]], "f8"),
    "swap": lambda p: (p[1], p[0]) if isinstance(p, tuple) else (p["high"], p["low"]),
    "inner": lambda d: d,
    "both": lambda t: (t[1], t[0]),
    "next": lambda c: Color((Color[c] if isinstance(c, str) else int(c)) + 1 if str(c) not in ("blue", "2") else 0),
    "level": lambda a: None if a is None else Level[a] if isinstance(a, str) else Level(a),
    "ids": lambda p: int(np.asarray(p, PARTICLE)["id"][np.asarray(p, PARTICLE)["on"]].sum()),
    "move": _move,
    "cloud": _cloud,
    "pick": _pick,
    "root": _root,
    "centre": lambda p: np.asarray(p, "f8").reshape(-1, 3).sum(0),
    "shift": lambda p, by: np.copyto(p[:, 1], p[:, 1] + np.int16(by)),
    "above": lambda p, least: np.asarray(p, "u1").reshape(-1, 4) > least,
    "corners": lambda p: None if p is None else np.array(p, "f4").reshape(-1, 2),
    "first": lambda a: None if a is None or len(a) == 0 else float(a[0]),
    "range": lambda n: np.arange(n, dtype="u4"),
    **{f"same_{t}": int for t in WIDTHS},
    **{f"copy_{t}": lambda a, d=d: _copied(a, d) for t, d in ELEMENTS.items()},
    **{f"reverse_{t}": lambda a: a.__setitem__(slice(None), a[::-1].copy()) for t in ELEMENTS},
}


def _copied(a: Any, dtype: str) -> Any:
    return np.frombuffer(a, dtype).copy() if isinstance(a, bytes) else np.array(a, dtype)


def _edges(t: str) -> list[int]:
    bits, signed = int(t[1:]), t[0] == "i"
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    return [low, low + 1, 0, 1, high - 1, high]


GRID = np.arange(24.0).reshape(4, 6)
CUBE = np.zeros((4, 6, 2), np.int16)
LARGE = _cloud(5)
# As arrays are that came in a message: behind a head of some length, and no multiple of their elements' size.
BYTES = np.zeros(65, "u1")[1:]
SENT = {t: np.frombuffer(b"." + np.arange(5).astype(d).tobytes(), d, offset=1) for t, d in ELEMENTS.items()}
SENT_ROWS = np.frombuffer(b"." + np.arange(6.0).tobytes(), "f8", offset=1).reshape(-1, 3)
GAPS = np.array([[(1.5, 2), (3.0, 4)], [(-1.0, 6), (0.5, 8)]], [("a", "f8"), ("b", "u1")])["a"]
CASES: list[tuple[str, tuple[Any, ...]]] = [
    *[(f"same_{t}", (value,)) for t in WIDTHS for value in _edges(t)],
    *[(f"copy_{t}", (np.arange(n).astype(d),)) for t, d in ELEMENTS.items() for n in (0, 1, 100)],
    *[(f"copy_{t}", (list(np.arange(3).astype(d).tolist()),)) for t, d in ELEMENTS.items()],
    *[(f"reverse_{t}", (np.arange(n).astype(d),)) for t, d in ELEMENTS.items() for n in (0, 1, 7)],
    *[("centre", (p,)) for p in (GRID.reshape(-1, 3), GRID[:0, :3], [[1, 2, 3], [4.5, 5, 6]], [], SENT_ROWS)],
    *[("shift", (np.arange(2 * n).astype("i2").reshape(-1, 2), 32_760)) for n in (0, 1, 9)],
    *[("above", (p, 2)) for p in (np.arange(40).astype("u1").reshape(-1, 4), [[1, 2, 3, 4]], np.zeros((0, 4), "u1"))],
    *[("corners", (p,)) for p in (None, [[0.5, 1.5]], np.zeros((0, 2), "f4"))],
    *[(f"copy_{t}", (array,)) for t, array in SENT.items()], ("total", (GAPS,)), ("total", (GAPS.T[::-1],)),
    ("copy_u8", (b"\0\xff",)), ("reverse_f64", (np.zeros((3, 4))[1],)), ("nothing", ()),
    *[("negate", (a,)) for a in (True, False, np.True_)],
    *[(name, (a,)) for name in ("half", "single", "double")
      for a in (0.1, -0.0, 1e-8, 70_000.0, 1, math.inf, math.nan)],
    *[("shout", (a,)) for a in ("", "zig", "rusty", b"\xff\xfe", b"", bytearray(b"abcd"), np.array([65, 66], "u1"))],
    *[("grow", (a,)) for a in ("", "a", "größer", b"raw")],
    *[("total", (a,)) for a in (GRID, GRID.T, GRID[::-1, ::-2], GRID[1:3, ::3], GRID[:0], GRID[:, :0], GRID[:1],
                                np.asfortranarray(GRID), np.broadcast_to(GRID[0], (3, 6)), [[1.0, 2.0], [3.0, 4.0]])],
    *[("stamp", (a,)) for a in (CUBE.copy(), CUBE.copy().T, CUBE.copy()[::-2, 1:5:3, ::-1], CUBE.copy()[:, :0])],
    *[("rows", (a,)) for a in (GRID.astype("f4"), GRID.astype("f4")[1:3, 2:5], np.zeros((0, 3), "f4"))],
    ("dot", ([1, 2, 3], (0.5, 0.5, 2))), ("dot", (GRID[0, :3], GRID[:3, 0].copy())), ("cross", ([1, 2, 3],)),
    ("swap", ((1.0, 2.0),)), ("swap", ({"low": 3.0, "high": 4.0},)), ("both", ((-7, True),)),
    *[("inner", (((1.0, 2.0), name, maybe),)) for name in ("", "name") for maybe in (None, -1)],
    *[("next", (c,)) for c in (*Color, "red", "blue", 0, 2)],
    *[("level", (a,)) for a in (None, *Level, "low", 300)],
    *[("ids", (p,)) for p in (LARGE, LARGE[:0], LARGE[1:3], [(0, 9, (1, 2, 3), True)])],
    ("move", (LARGE.copy(), 1.5)), ("move", (LARGE.copy()[1:4], -1.0)), ("cloud", (0,)), ("cloud", (3,)),
    *[("pick", (LARGE, i)) for i in (0, 1, 4, 5)],
    *[("root", (a,)) for a in (4.0, 0.0, -1.0)],
    *[("first", (a,)) for a in (None, GRID[0], GRID[0, :0], [2.5])],
    *[("range", (n,)) for n in (0, 1, 70_000)],
]  # fmt: skip
IDS = [f"{name}-{k}" for k, (name, _) in enumerate(CASES)]


class Implementation(NamedTuple):
    """One language's cell, and the ways to call it."""

    language: str
    module: NativeModule
    job: Any


@pytest.fixture(scope="module", params=["zig", "rust"])
def native(request: pytest.FixtureRequest, made: Any) -> Iterator[Implementation]:
    how = "compiled" if request.param == "zig" else "compiled_rust"
    artifact: Artifact = request.getfixturevalue(how)(ZIG if request.param == "zig" else RUST)
    assert artifact.interface.skipped == ()
    with Sandbox() as box, box.native(artifact.path, artifact.interface) as job:
        yield Implementation(request.param, NativeModule(Slot("types", Version(artifact))), job)


def _fresh(args: tuple[Any, ...], native: Implementation) -> list[Any]:
    """Copies in the layout of the original; arrays of structs as this language lays them out."""

    def one(item: Any) -> Any:
        if not isinstance(item, np.ndarray):
            return item
        if item.dtype.names:
            whole = np.zeros(item.shape, native.module.Particle)
            for name in item.dtype.names:
                whole[name] = item[name]
            return whole
        if item.base is None or not item.flags.writeable or 0 in item.strides:
            return item.copy() if item.flags.writeable else item
        root = item
        while isinstance(root.base, np.ndarray):
            root = root.base
        copy = root.copy()
        start = item.__array_interface__["data"][0] - root.__array_interface__["data"][0]
        return np.ndarray(item.shape, item.dtype, copy.data, start, item.strides)

    return [one(item) for item in args]


def _same(value: Any) -> Any:
    """A value to compare: types, bits and shapes; named tuples and structs by their fields."""
    if isinstance(value, np.ndarray) and value.dtype.names:
        return [_same(tuple(row[name] for name in value.dtype.names)) for row in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return str(value.dtype), np.shape(value), np.asarray(value).tobytes()
    if isinstance(value, tuple):
        return tuple(_same(item.item() if isinstance(item, np.generic) else item) for item in value)
    if isinstance(value, enum.Enum):
        return type(value).__name__, value.name, int(value)
    return type(value), "nan" if value != value else value.hex() if isinstance(value, float) else value


def _ended(call: Callable[[], Any], args: list[Any]) -> Any:
    """What a call gave, and what it left in the arrays that it was given."""
    try:
        value = _same(call())
    except NativeResultError as error:
        value = ("error", error.name)
    except ErrorValue as error:
        value = ("error", str(error))
    return value, [_same(item) for item in args if isinstance(item, np.ndarray)]


@pytest.mark.parametrize(("name", "args"), CASES, ids=IDS)
def test_all_twins_agree(native: Implementation, name: str, args: tuple[Any, ...]) -> None:
    mine = [item.copy() if isinstance(item, np.ndarray) and item.flags.writeable else item for item in args]
    expected = _ended(lambda: PYTHON[name](*mine), mine)
    function, version = getattr(native.module, name), native.module.slot.version
    for _ in range(2):  # the first call of a function goes the portable way
        given = _fresh(args, native)
        assert _ended(lambda: function(*given), given) == expected  # noqa: B023 - called at once
    given = _fresh(args, native)
    assert _ended(lambda: version.call(name, given), given) == expected


@pytest.mark.parametrize("fenced", [False, True], ids=["as it comes", "against fences"])
@pytest.mark.parametrize(("name", "args"), CASES, ids=IDS)
def test_the_sandbox_agrees(native: Implementation, name: str, args: tuple[Any, ...], fenced: bool) -> None:
    mine = [item.copy() if isinstance(item, np.ndarray) and item.flags.writeable else item for item in args]
    expected = _ended(lambda: PYTHON[name](*mine), mine)
    given = _fresh(args, native)
    answer = native.job.ask(name, given, fenced=fenced)
    if not answer.ok:
        assert answer.error_name, answer
        assert (
            ("error", answer.error_name),
            [_same(item) for item in given if isinstance(item, np.ndarray)],
        ) == expected
        return
    for index, left in answer.written:
        np.copyto(given[index], left)
    assert (_same(answer.value), [_same(item) for item in given if isinstance(item, np.ndarray)]) == expected


READ_ONLY = np.frombuffer(bytes(8), "i2")
PACKED = np.zeros(3, [("x", "f4"), ("id", "u8"), ("v", "f4", (3,)), ("on", "?")])
REFUSED: list[tuple[str, tuple[Any, ...], str]] = [
    ("copy_f64", (np.zeros(4, "f4"),), "wants a numpy array of float64, got float32: convert it"),
    ("copy_f32", (np.float32(1),), "wants a numpy array of float32, got one float32: put it into a list"),
    ("copy_f32", (np.zeros(4, ">f4"),), "wants a numpy array of float32, got >f4: convert it"),
    ("copy_i64", (np.zeros(4, "i8")[::2],), r"contiguous array: pass np\.ascontiguousarray"),
    ("reverse_i16", (BYTES[:16].view("i2"),), r"aligned to its elements: pass a \.copy"),
    ("copy_u8", ("half \ud800",), "not Unicode text"),
    ("copy_i8", ([300],), "numbers from -128 to 127, got 300"),
    ("copy_i16", ([1.5],), "wants numbers of int16, got a list of float64"),
    ("reverse_i16", (READ_ONLY,), r"read-only: pass a \.copy"),
    ("reverse_i16", ([1, 2],), "is written by the function: pass a numpy array of int16"),
    ("reverse_i16", (np.zeros(4, "i2")[::-1],), "contiguous array"),
    ("same_i128", (1 << 127,), f"wants an int from {-(1 << 127)} to {(1 << 127) - 1}"),
    ("same_u64", (-1,), "wants an int from 0 to"),
    ("total", (GRID[0],), "wants a 2-d array, got 1-d"),
    ("total", (GRID.astype("f4"),), "wants a numpy array of float64"),
    ("stamp", (np.zeros((2, 2, 2), [("a", "i2"), ("b", "u1")])["a"],), r"aligned to its elements: pass a \.copy"),
    *[("centre", (np.zeros(n),), f"{w}$") for n, w in ((6, r"e\(-1, 3\)"), ((3, 2), r"\.T\)"), ((6, 2), r"6, 2\)"))],
    ("shift", ([[1, 2]], 1), "is written by the function: pass a numpy array of int16"),
    ("stamp", (np.broadcast_to(np.int16(1), (2, 2, 2)),), "read-only"),
    ("rows", (GRID.astype("f4").T,), "rows of contiguous elements"),
    ("dot", ([1, 2], [1, 2, 3]), "wants 3 elements, got 2"),
    ("next", ("pink",), "one of red, green, blue: got 'pink'"),
    ("next", (3,), "one of red, green, blue: got 3"),
    ("next", (Level.low,), "one of red, green, blue"),
    ("level", (0,), "one of low, high: got 0"),
    ("ids", (PACKED,), r"wants a numpy array of Particle, got .*convert it with \.astype\(Particle\.dtype\)"),
    ("ids", ([(1, 2)],), "wants a list of tuples of x, id, v, on"),
    ("swap", ((1.0,),), "wants a tuple or dict of low, high"),
    ("both", ((1, 1),), "wants a bool, got int"),
    ("root", ("4",), "wants a float, got str"),
    ("negate", (1,), "wants a bool, got int"),
]


@pytest.mark.parametrize(
    ("name", "args", "why"), REFUSED, ids=[f"{name}-{k}" for k, (name, _, _) in enumerate(REFUSED)]
)
def test_what_does_not_fit_is_refused_in_words(native: Implementation, name: str, args: Any, why: str) -> None:
    """A TypeError that names the parameter and says what to do; the same from each way of a call."""
    function, version = getattr(native.module, name), native.module.slot.version
    said = []
    for call in (lambda: function(*args), lambda: version.call(name, args), lambda: native.job.ask(name, args)):
        with pytest.raises(TypeError, match=why) as caught:
            call()
        assert isinstance(caught.value, InterfaceError)
        said.append(str(caught.value))
    assert len(set(said)) == 1
    assert said[0].startswith(f"{name}: ")


def test_a_library_has_classes_for_its_own_types(native: Implementation) -> None:
    """Made once, so that what one call gives is what the next one takes."""
    module = native.module
    assert module.next(module.Color.red) is module.Color.green
    assert isinstance(module.Color.red, enum.IntEnum)
    assert module.level(module.Level.high) is module.Level.high
    pair = module.swap(module.Pair(low=1, high=2))
    assert (type(pair), pair.low) == (module.Pair, 2.0)
    swarm = np.zeros(3, module.Particle)
    swarm["id"], swarm["on"] = 7, True
    assert module.ids(swarm) == 21
    assert module.cloud(2).dtype == swarm.dtype
    assert (module.pick(swarm, 1).id, module.pick(list(swarm), 2).id) == (7, 7)
    assert {"Color", "Level", "Pair", "Particle", "next"} <= set(dir(module))
    assert "Color" not in list(module)
    with pytest.raises(AttributeError, match="no function Colour"):
        _ = module.Colour


def test_results_leak_nothing(native: Implementation) -> None:
    """Returned slices, vectors, text, structs and errors: 100,000 calls, and the process has not grown."""
    module = native.module
    text = "a text that does not fit into one small block of memory" * 4

    def call(times: int) -> None:
        for k in range(times):
            module.range(256)
            module.grow(text)
            if k % 10 == 0:
                module.cloud(16)
                with pytest.raises(NativeResultError):
                    module.pick(LARGE_OF[native.language], 9)

    LARGE_OF[native.language] = module.cloud(4)
    call(2_000)
    assert resident_growth(lambda: call(50_000), 1 << 20) < 1 << 20


LARGE_OF: dict[str, Any] = {}
