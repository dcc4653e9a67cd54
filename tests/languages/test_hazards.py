"""What a text uses beyond computing: found in its code, at its line, and never in a comment or a string."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project_o.languages import python_hazards, rust_hazards, tools_for, zig_hazards
from project_o.languages.hazards import hazards


def uses(language, source):
    return [(item.line, item.what) for item in hazards(language, source)]


def denied(language, source):
    return {item.what for item in hazards(language, source) if item.denied}


def reported(language, source):
    return {item.what for item in hazards(language, source) if not item.denied}


# ------------------------------------------------------------------------------- what is found

ZIG_STD = 'const std = @import("std");\n'
ZIG = [
    ('pub fn f() usize { return @embedFile("a").len; }', "@embedFile"),
    ('const c = @cImport(@cInclude("math.h"));', "@cImport"),
    ('pub fn f() void { asm volatile ("nop"); }', "asm"),
    ("pub fn f() *u8 { return @ptrFromInt(16); }", "@ptrFromInt"),
    ("extern fn getenv(name: [*:0]const u8) ?[*:0]const u8;", "extern"),
    ('extern "c" fn getenv(name: [*:0]const u8) ?[*:0]const u8;', "extern"),
    ("export fn malloc(n: usize) ?*u8 { _ = n; return null; }", "export"),
    ('const x = @import("other.zig");', '@import("other.zig")'),
    ('const x = @import("root");', '@import("root")'),
    (ZIG_STD + "pub fn f() void { std.process.exit(0); }", "std.process"),
    (ZIG_STD + "const s = std;\nconst fs = s.fs;\npub fn f() void { _ = fs.cwd(); }", "std.fs"),
    ('const os = @import("std").os;\npub fn f() i32 { return os.linux.getpid(); }', "std.os"),
    (ZIG_STD + 'pub fn f() void { _ = @field(std, "fs"); }', "std"),
    (ZIG_STD + "const T = std.Io.Threaded;\npub fn f() void { _ = T.init; }", "std.Io.Threaded"),
    (ZIG_STD + "pub fn f() i64 { return std.Io.Timestamp.now(std.Options.debug_io, .real).s; }", "std.Options"),
    (ZIG_STD + "const O = std.Options;\npub fn f() bool { return O.debug_io.userdata == null; }", "std.Options"),
    (ZIG_STD + "const C = std.Io.Clock;\npub fn f(io: std.Io) i64 { return C.real.now(io).s; }", "std.Io.Clock"),
    (ZIG_STD + "pub fn f() void { std.debug.attachSegfaultHandler(); }", "std.debug.attachSegfaultHandler"),
    (ZIG_STD + "pub fn f() void { _ = std.testing.io_instance.io(); }", "std.testing.io_instance"),
]
RUST = [
    ('pub fn f() -> usize { include_str!("a").len() }', "include_str!"),
    ('pub fn f() -> usize { include_bytes ! ("a").len() }', "include_bytes!"),
    ('pub fn f() -> usize { include!("a") }', "include!"),
    ('pub fn f() -> &str { env!("HOME") }', "env!"),
    ('pub fn f() -> usize { r#option_env!("HOME").map_or(0, str::len) }', "option_env!"),
    ('macro_rules! m { ($i:ident) => { $i!("a") } } pub fn f() -> usize { m!(include_str).len() }', "include_str!"),
    ('macro_rules! m { ($i:ident) => { $i!("a") } } pub fn f() -> usize { m!(env).len() }', "env!"),
    ('use std::env as e; pub fn f() -> usize { e!("HOME").len() }', "std::env"),
    ('core::arch::global_asm!(".data"); pub fn f() -> usize { 1 }', "asm!"),
    ('#[path = "a"] mod m; pub fn f() -> usize { 1 }', "mod"),
    ('#[cfg_attr(all(), path = "a")]\nmod m; pub fn f() -> usize { 1 }', "mod"),
    ('extern "C" { fn getpid() -> i32; }', "extern"),
    ("pub fn f() { std::process::exit(0) }", "std::process"),
    ("pub fn f() { ::core::os::raw() }", "std::os"),
    ("use std::{collections::HashMap, fs::{self, File}}; pub fn f() {}", "std::fs"),
    ("use std as s; pub fn f() { s::process::exit(0) }", "std"),
    ("use std::*; pub fn f() { process::exit(0) }", "std::*"),
    ("#[unsafe(no_mangle)] pub extern fn malloc() {}", "#[no_mangle]"),
    ('#[cfg_attr(all(), link_section = ".init_array")] static F: fn() = f; fn f() {}', "#[link_section]"),
    ("macro_rules! m { () => { ::std::process::abort() } } pub fn f() { m!() }", "std::process"),
]
PYTHON = [
    ("import os\n", "import os"),
    ("from os.path import join\n", "import os"),
    ("import numpy.ctypeslib as c\n", "import numpy.ctypeslib"),
    ("def f(x):\n    import subprocess\n    return x\n", "import subprocess"),
    ("def f(x):\n    return __import__('o' + 's')\n", "import (a computed name)"),
    ("import importlib\nm = importlib.import_module('socket')\n", "import socket"),
    ("def f(x):\n    return open(x).read()\n", "open"),
    ("def f(x):\n    return np.load(x)\n", "np.load"),
    ("def f(x):\n    return eval(x)\n", "eval"),
    ("def f(x):\n    return x.flags.owndata\n", "owndata"),
    ("import sys\ndef f(x):\n    return sys.getrefcount(x)\n", "getrefcount"),
    ("def f(x):\n    return ().__class__.__base__.__subclasses__()\n", "__subclasses__"),
    ("def f(x):\n    try:\n        os.getcwd()\n    except NameError:\n        return x\n", "os"),
    ("import sys\ndef f(x):\n    return 0 if 'IPython' in sys.modules else x\n", "sys (where it runs)"),
    ("import sys as s\ndef f(x):\n    return vars(s)['argv']\n", "sys (where it runs)"),
    ("from sys import modules\ndef f(x):\n    return x\n", "sys (where it runs)"),
    ("import collections\ndef f(x):\n    return collections._sys.modules\n", "sys (where it runs)"),
    ("def f(x):\n    return x if __name__ == 'candidate' else 0\n", "__name__ (where it runs)"),
    ("try:\n    import curses\nexcept ImportError:\n    curses = None\n", "an import that may fail"),
    ("import random\ndef f(x):\n    return random._os.environ\n", "_os"),
    ("import threading as t\ndef f(x):\n    t.Thread(target=f).start()\n", "Thread"),
    ("import time as t\ndef f(x):\n    return x if t.time() < 1e10 else 0\n", "time.time"),
    ("from time import time as t\ndef f(x):\n    return x if t() < 1e10 else 0\n", "time.time"),
    ("import datetime as d\ndef f(x):\n    return d.date.today()\n", "datetime.date.today"),
    ("def f(x):\n    return globals()['__name__']\n", "globals"),
]
LISP = [
    ("(import os)", "import os"),
    ("(import os [getcwd])", "import os"),
    ("(import subprocess :as s)", "import subprocess"),
    ('(setv x (open "a"))', "open"),
    ("(hy.I.socket.socket)", "import socket"),
    ("(import sys :as s)\n(defn f [x] (if (in \"IPython\" s.modules) 0 x))", "sys.modules"),
    ("(defn f [x] (os.getcwd))", "os"),
    ('(py "__import__(x)")', "import (a computed name)"),
]
EVERY = [("zig", *case) for case in ZIG] + [("rust", *case) for case in RUST]
EVERY += [("python", *case) for case in PYTHON] + [("lisp", *case) for case in LISP]


@pytest.mark.parametrize(("language", "source", "what"), EVERY)
def test_what_a_text_uses_beyond_computing_is_found_with_its_reason(language, source, what):
    found = [item for item in hazards(language, source) if item.what == what]

    assert found, uses(language, source)
    assert all(item.denied and item.reason for item in found)


@pytest.mark.parametrize(("language", "source", "what"), EVERY)
def test_it_is_found_at_its_line(language, source, what):
    before = [line for line, found in uses(language, source) if found == what]

    after = [line for line, found in uses(language, "\n\n" + source) if found == what]

    assert after == [line + 2 for line in before]


@pytest.mark.parametrize(
    ("language", "source"),
    [("zig", "pub fn f() void { asm volatile (; std.fs"), ("rust", "pub fn f( { unsafe std::fs")],
)
def test_a_text_that_cannot_be_read_is_looked_at_word_by_word(language, source):
    assert denied(language, source)


def test_what_a_compiler_would_read_is_marked():
    (found,) = hazards("zig", 'pub fn f() usize { return @embedFile("a").len; }')

    assert found.reads
    assert "compiled where no files" in found.reason


# ------------------------------------------------------------------------------- what is told, and no reason to reject


@pytest.mark.parametrize(
    ("language", "source", "what"),
    [
        ("rust", "pub fn f(a: &[f32]) -> f32 { unsafe { *a.get_unchecked(0) } }", "unsafe"),
        ("rust", "use std::alloc::Layout; pub fn f() -> usize { Layout::new::<u8>().size() }", "std::alloc"),
        ("zig", "pub fn f(a: *u32) *f32 { return @ptrCast(a); }", "@ptrCast"),
        ("zig", "pub fn f() void { @setRuntimeSafety(false); }", "@setRuntimeSafety"),
        ("python", "import sys\ndef f(x):\n    return sys.float_info.eps * x\n", "import sys"),
        ("lisp", "(import threading)", "import threading"),
    ],
)
def test_what_fast_honest_programs_use_is_told_and_not_denied(language, source, what):
    assert what in reported(language, source)
    assert not denied(language, source)


HONEST = {
    "zig": ZIG_STD
    + """
const o = @import("o");
const builtin = @import("builtin");
const lanes = 8; // o: 4 8 16
const Pair = extern struct { first: f32, second: f32 };
const V = @Vector(lanes, f32);

pub fn dot(a: []const f32, b: []const f32) f32 {
    var sum: V = @splat(0);
    var k: usize = 0;
    while (k + lanes <= a.len) : (k += lanes) {
        const x: V = a[k..][0..lanes].*;
        const y: V = b[k..][0..lanes].*;
        sum = @mulAdd(V, x, y, sum);
    }
    var rest: f32 = @reduce(.Add, sum);
    while (k < a.len) : (k += 1) rest += a[k] * b[k];
    return rest;
}

pub fn deviation(values: []f64, mean: f64) f64 {
    std.sort.pdq(f64, values, {}, std.sort.asc(f64));
    var total: f64 = 0;
    for (values) |value| total += std.math.pow(f64, value - mean, 2);
    return @sqrt(total / @as(f64, @floatFromInt(values.len)));
}

pub fn trace(m: o.Matrix(f32)) f32 {
    var sum: f32 = 0;
    for (0..@min(m.rows, m.cols)) |k| sum += m.ptr[k * m.stride + k];
    return sum;
}

pub fn counts(allocator: std.mem.Allocator, a: []const u8) ![]u32 {
    const table = try allocator.alloc(u32, 256);
    @memset(table, 0);
    for (a) |c| table[c] += 1;
    return table;
}
""",
    "rust": """
use std::collections::HashMap;
use std::f64::consts::PI;

#[derive(Clone, Copy)]
pub struct Path { pub link: f64, pub env: f64 }

#[inline]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 8];
    for (x, y) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for k in 0..8 { lanes[k] += x[k] * y[k]; }
    }
    lanes.iter().sum::<f32>() + PI as f32 * 0.0
}

#[inline(always)]
fn weight(path: &Path, link: usize) -> f64 { path.link * link as f64 + path.env }

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn fast(a: &[f32]) -> f32 {
    use std::arch::x86_64::*;
    unsafe {
        let mut sum = _mm256_setzero_ps();
        for k in 0..a.len() / 8 { sum = _mm256_add_ps(sum, _mm256_loadu_ps(a.as_ptr().add(8 * k))); }
        let mut out = [0.0f32; 8];
        _mm256_storeu_ps(out.as_mut_ptr(), sum);
        out.iter().sum()
    }
}

pub fn total(a: &[f32]) -> f32 {
    if is_x86_feature_detected!("avx2") { unsafe { fast(a) } } else { a.iter().sum() }
}

pub fn counts(words: &[u8]) -> Vec<u32> {
    let mut include: HashMap<u8, u32> = HashMap::new();
    for w in words { *include.entry(*w).or_insert(0) += 1; }
    let mut env: Vec<_> = include.into_values().collect();
    env.sort_unstable();
    env
}

mod inner { pub fn twice(x: f64) -> f64 { std::mem::replace(&mut { x }, 0.0) * 2.0 } }
""",
    "python": """
import functools
import itertools
import math
import re
from collections import Counter, defaultdict

import numpy as np
import scipy.signal

WORD = re.compile(r"[a-z]+")

@functools.lru_cache(maxsize=None)
def weights(n):
    return np.hanning(n) / np.hanning(n).sum()

def smooth(signal, resource, n=5):
    if len(signal) < n:
        return signal
    with np.errstate(all="ignore"):
        out = np.convolve(signal, weights(n), mode="same") * resource
    return out.astype(np.float64, copy=False)

def words(text):
    found = Counter(WORD.findall(text.lower()))
    return {key: math.log1p(value) for key, value in sorted(found.items(), key=lambda item: (-item[1], item[0]))}

def primes(n):
    sieve = bytearray([1]) * (n + 1)
    for k in range(2, math.isqrt(n) + 1):
        if sieve[k]:
            sieve[k * k :: k] = bytes(len(range(k * k, n + 1, k)))
    return list(itertools.compress(range(2, n + 1), sieve[2:]))
""",
    "lisp": """
(import math [sqrt])
(import numpy :as np)
(import collections [Counter])

(defagent counter "Counts words."
  (setv counts (Counter (.split message)))
  (setv best (max (.items counts) :key (fn [pair] (get pair 1)) :default ["" 0]))
  (when (> (len counts) 3) (setv best [(get best 0) (sqrt (get best 1))]))
  (str (get best 0)))
""",
}


@pytest.mark.parametrize("language", HONEST)
def test_ordinary_numeric_code_is_not_denied(language):
    assert not denied(language, HONEST[language]), uses(language, HONEST[language])
    assert reported(language, HONEST[language]) <= {"unsafe"}


# ------------------------------------------------------------------------------- comments and strings

WORDS = {
    "zig": [*zig_hazards.READS, *zig_hazards.REASONS, *zig_hazards.REPORTED, '@import("x")', "std.fs.cwd()"],
    "rust": [*rust_hazards.READS, *rust_hazards.REASONS, *rust_hazards.REPORTED, "mod m;", "include_str!(x)"],
    "python": [*python_hazards.REASONS, *python_hazards.REPORTED, "__import__('os')", "open(x)"],
}
COMMENTS = {
    "zig": ["// {}\n", "/// {}\n"],
    "rust": ["// {}\n", "/* {} */", "/// {}\n", "/* /* {} */ */", "/** {} */"],
    "python": ["# {}\n"],
    "lisp": ["; {}\n"],
}
STRINGS = {
    "zig": ['const text = "{}";\n', "const text =\n    \\\\{}\n;\n"],
    "rust": ['const TEXT: &str = "{}";\n', 'const TEXT: &str = r##"{}"##;\n', 'const TEXT: &[u8] = b"{}";\n'],
    "python": ["text = '''{}'''\n", 'text = "{}"\n', 'text = b"{}"\n'],
    "lisp": ['(setv text "{}")\n'],
}
CODE = {
    "zig": "pub fn f(x: i64) i64 {\n    return 2 * x;\n}\n",
    "rust": "pub fn f(x: i64) -> i64 {\n    2 * x\n}\n",
    "python": "def f(x):\n    return 2 * x\n",
    "lisp": "(defn f [x]\n  (* 2 x))\n",
}


@pytest.mark.parametrize("language", CODE)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_comments_and_strings_never_trigger(language, data):
    hidden = " ".join(
        data.draw(st.lists(st.sampled_from(WORDS.get(language, WORDS["python"])), min_size=1, max_size=4))
    )
    plain = hidden.replace('"', "").replace("'", "").replace("#", "")
    around = data.draw(st.sampled_from([(form, hidden) for form in COMMENTS[language]] +
                                       [(form, plain) for form in STRINGS[language]]))  # fmt: skip
    piece = around[0].format(around[1])
    code = CODE[language]
    whole = data.draw(st.sampled_from([piece + code, code + piece]))

    assert uses(language, whole) == []


# ------------------------------------------------------------------------------- the user's own text, other values

OWN = {
    "zig": "const n = 0x4; // o: 2 4 8\npub fn f(x: i64) i64 {\n    return n * x; // twice\n}\n",
    "rust": "const N: i64 = 0x4; // o: 2 4 8\npub fn f(x: i64) -> i64 {\n    N * x // twice\n}\n",
    "python": "n = 0x4  # o: 2 4 8\n\ndef f(x):\n    return n * x  # twice\n",
}


@pytest.mark.parametrize("language", OWN)
def test_other_values_are_the_users_own_text(language):
    tools = tools_for(language)
    own = tools.program("p", OWN[language])
    name = own.parameters[0].name
    other = tools.with_settings(own, {name: 8})

    assert tools.only_settings(own, own)
    assert tools.only_settings(other, own)
    assert tools.only_settings(tools.with_settings(other, {name: 4}), own), "another spelling of the same value"
    assert tools.only_settings(own, other)


@pytest.mark.parametrize("language", OWN)
@pytest.mark.parametrize("change", [("twice", "thrice"), ("* x", "*  x"), (" 8", " 8 16"), ("f(x", "g(x")])
def test_any_other_change_makes_another_text(language, change):
    tools = tools_for(language)
    own = tools.program("p", OWN[language])
    changed = tools.with_source(own, own.source.replace(*change))

    assert changed.source != own.source
    assert not tools.only_settings(changed, own)
    assert not tools.only_settings(own, changed)


def test_other_options_or_files_make_another_program():
    tools = tools_for("zig")
    own = tools.program("p", OWN["zig"])

    assert not tools.only_settings(tools.program("p", OWN["zig"], options=("link:z",)), own)
