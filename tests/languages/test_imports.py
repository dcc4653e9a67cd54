"""Which other programs a text imports, by its syntax: not by what stands in comments, strings, or a name of its own."""

from __future__ import annotations

import pytest

from project_o.languages.imports import imports

ZIG = [
    ('const a = @import("stats");', [("stats", 1, 20)]),
    ('\nfn f() void { _ = @import("stats").mean(); _ = @import("stats"); }', [("stats", 2, 28)]),
    (
        'const std = @import("std"); const o = @import("o"); const b = @import("builtin"); const r = @import("root");',
        [],
    ),
    ('const a = @import("helper.zig"); const b = @import("build.zon");', []),
    ('// @import("stats")\nconst s = "@import(\\"stats\\")";', []),
    ('const é = 1; const a = @import("stats");', [("stats", 1, 33)]),
    ('const a = @import("b c");', []),
    ('const a = @import("stats"', []),
    ("const a = @import(", []),
    ("", []),
]
RUST = [
    ("use stats;", [("stats", 1, 5)]),
    ("use stats::mean;\nuse stats::{variance};", [("stats", 1, 5)]),
    ("use ::stats::mean;", [("stats", 1, 7)]),
    ("pub use stats::mean as average;", [("stats", 1, 9)]),
    ("use {stats::mean, other};", [("stats", 1, 6), ("other", 1, 19)]),
    ("fn f() { use stats::*; }", [("stats", 1, 14)]),
    ("use std::fs; use core::mem; use crate::x; use self::y; use super::z; use o::View2; use alloc::vec;", []),
    ("mod inner { pub fn f() {} } use inner::f; enum E { A } use E::A;", []),
    ('// use stats;\nconst S: &str = "use stats;";', []),
    ("use", []),
    ("use stats::{", []),
]


@pytest.mark.parametrize(("source", "expected"), ZIG)
def test_zig(source, expected):
    assert [tuple(item) for item in imports("zig", source)] == expected


@pytest.mark.parametrize(("source", "expected"), RUST)
def test_rust(source, expected):
    assert [tuple(item) for item in imports("rust", source)] == expected


def test_other_languages_import_nothing_by_name():
    assert imports("python", "import stats") == ()
