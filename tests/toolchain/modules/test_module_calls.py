"""Calls into a library module: its state, its arrays, its errors, its faults; and the same from C, through o.h."""

from __future__ import annotations

import random
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from project_o.errors import (
    CompileError,
    DeployError,
    InterfaceError,
    NativeFault,
    NativePanic,
    NativeResultError,
    UsageError,
)
from project_o.toolchain import modules
from project_o.toolchain.naming import git_tree

from .conftest import build

LARGEST = 2**64 - 1


class Naive:
    """The counter in plain Python."""

    def __init__(self):
        self.sum = self.calls = 0

    def add(self, n):
        if self.sum + n > LARGEST:
            raise NativeResultError("", name="Overflow")
        self.sum, self.calls = self.sum + n, self.calls + 1
        return self.sum

    def add_all(self, numbers):
        return self.add(int(numbers.sum(dtype=np.uint64)))

    def value(self):
        return self.sum

    def reset(self):
        was, self.sum, self.calls = self.sum, 0, 0
        return was

    def above(self, values, limit):
        return int((values > limit).sum())


def one_call(generator):
    numbers = np.array([generator.randrange(2**32) for _ in range(generator.randrange(20))], np.uint32)
    return generator.choice(
        [
            ("add", (generator.choice([0, 1, generator.randrange(2**40), LARGEST, LARGEST - 5]),)),
            ("add_all", (numbers,)),
            ("value", ()),
            ("reset", ()),
            ("above", (numbers.astype(np.float64), 2.0**31)),
        ]
    )


def outcome(call, *args):
    try:
        return call(*args)
    except NativeResultError as error:
        return error.name


def test_the_counter_does_what_its_naive_twin_does(language, zig_there):
    counter = modules.Module(build(modules.ours() / language / "counter"))
    twin, generator = Naive(), random.Random(5)
    for _ in range(400):
        name, args = one_call(generator)
        assert outcome(counter.call, name, args) == outcome(getattr(twin, name), *args), name
        assert counter.call("calls", ()) == twin.calls


def test_two_of_them_have_a_state_each(language, zig_there):
    one, other = (modules.Module(build(modules.ours() / language / "counter")) for _ in range(2))
    one.call("add", (3,))

    assert (one.call("value", ()), other.call("value", ())) == (3, 0)


def test_version_and_hash_are_read_from_the_library(language, zig_there):
    folder = modules.ours() / language / "counter"
    counter = modules.Module(build(folder))

    assert (counter.version, counter.git_hash) == ("1.0.0", git_tree(folder))


def test_the_state_is_no_parameter_for_those_who_call(language, zig_there):
    counter = modules.Module(build(modules.ours() / language / "counter"))
    function = counter.artifact.interface.function("add")

    assert [name for name, _ in function.parameters] == ["n"]
    assert function.doc == "Count `n` more; the sum."
    with pytest.raises(InterfaceError, match="wants a numpy array of uint32"):
        counter.call("add_all", (np.array([1.5]),))
    with pytest.raises(InterfaceError, match="add"):
        counter.call("add", (1, 2))
    with pytest.raises(InterfaceError, match="has no function subtract"):
        counter.call("subtract", (1,))


# ------------------------------------------------------------------------------- what goes wrong

HOST = Path(__file__).with_name("host.c")
TROUBLE = {
    "zig": """
        pub const State = struct { count: u32 = 0 };
        pub fn count(state: *State, n: u32) u32 { state.count += n; return state.count; }
        pub fn panic(state: *State) u32 { state.count += 1; const none: ?u32 = null; return none.?; }
        pub fn wild(state: *State, at: usize) u32 {
            state.count += 1;
            return @as(*allowzero volatile u32, @ptrFromInt(at)).*;
        }
        pub fn late(state: *const State) !u32 { return if (state.count > 0) error.Timeout else error.InvalidParameter; }
        pub fn forever(state: *State) void { while (true) { const p: *volatile u32 = &state.count; p.* +%= 1; } }
    """,
    "rust": """
        #[derive(Default)] pub struct State { count: u32 }
        #[derive(Debug)] pub enum Error { Timeout, InvalidParameter }
        pub fn count(state: &mut State, n: u32) -> u32 { state.count += n; state.count }
        pub fn panic(state: &mut State) -> u32 { state.count += 1; None::<u32>.unwrap() }
        pub fn wild(state: &mut State, at: usize) -> u32 { state.count += 1; unsafe { *(at as *const u32) } }
        pub fn late(state: &State) -> Result<u32, Error> {
            Err(if state.count > 0 { Error::Timeout } else { Error::InvalidParameter })
        }
        pub fn forever(state: &mut State) { loop { unsafe { core::ptr::write_volatile(&mut state.count, 7) } } }
    """,
}
EXPORTS = ["count", "panic", "wild", "late", "forever"]


@pytest.fixture
def trouble(opened, language):
    return opened(language, TROUBLE[language], exports=EXPORTS)


def test_a_panic_is_an_exception_and_leaves_the_state(trouble):
    trouble.call("count", (5,))
    with pytest.raises(NativePanic, match="panic, line"):
        trouble.call("panic", ())

    assert trouble.call("count", (0,)) == 6


def test_a_fault_is_an_exception_and_the_state_begins_anew(trouble):
    trouble.call("count", (5,))
    with pytest.raises(NativeFault, match=r"SIGSEGV.*start anew"):
        trouble.call("wild", (8,))

    assert trouble.call("count", (2,)) == 2


def test_an_error_of_the_interface_s_own_has_its_name(trouble):
    assert outcome(trouble.call, "late", ()) == "InvalidParameter"
    trouble.call("count", (1,))
    assert outcome(trouble.call, "late", ()) == "Timeout"


def test_an_interrupt_ends_a_call_and_others_get_their_turn(trouble, interrupted):
    interrupted(0.2, lambda: trouble.call("forever", ()))

    assert trouble.call("count", (0,)) >= 0


BAD_STATE = {
    "zig": ["pub const State = struct { x: u8, pub fn init() !State { return error.NoRoom; } };", "NoRoom"],
    "rust": ['pub struct State; impl Default for State { fn default() -> State { panic!("no room") } }', "no room"],
}


def test_a_state_that_cannot_be_made_says_why(opened, language):
    source, words = BAD_STATE[language]
    function = "pub fn f(state: *State) void { _ = state; }" if language == "zig" else "pub fn f(_: &mut State) {}"
    with pytest.raises((DeployError, NativePanic), match=words):
        opened(language, f"{source}\n{function}", exports=["f"])


def test_a_state_that_threads_cannot_share_is_refused_in_rust(opened, rust_there):
    source = "#[derive(Default)] pub struct State { x: std::rc::Rc<u8> }\npub fn f(_: &State) {}"
    with pytest.raises(CompileError, match=r"State cannot be the state of a module: .*cannot be sent between threads"):
        opened("rust", source, exports=["f"])
    with pytest.raises(CompileError, match=r"cannot be the state of a module: .*Default"):
        opened("rust", "pub struct State { x: u8 }\npub fn f(_: &State) {}", exports=["f"])


def test_a_state_is_given_back_when_its_last_user_is_gone(opened, tmp_path, zig_there):
    source = """
        extern "c" fn unlink(path: [*:0]const u8) c_int;
        pub const State = struct { pub fn deinit(_: *State) void { _ = unlink("MARK"); } };
        pub fn f(state: *const State) void { _ = state; }
    """
    mark = tmp_path / "mark"
    mark.touch()
    module = opened("zig", source.replace("MARK", str(mark)), exports=["f"])
    module.call("f", ())
    assert mark.exists()
    del module
    assert not mark.exists()


def test_what_is_exported_has_to_be_there(opened, language):
    source = (
        "pub fn f() void {}\npub fn g(x: anytype) void { _ = x; }"
        if language == "zig"
        else "pub fn f() {}\npub fn g<T>(_: T) {}"
    )
    with pytest.raises(UsageError, match=r"exports missing; g \(.*\), and the functions there are f"):
        opened(language, source, exports=["f", "missing", "g"])


def test_an_error_of_the_compiler_names_the_module_s_file(opened, language):
    source = "\npub fn f() void { return 1; }" if language == "zig" else "\npub fn f() { 1 }"
    with pytest.raises(CompileError, match=r"sample\.\w+: line 2, column \d+: ") as raised:
        opened(language, source, exports=["f"])
    assert raised.value.diagnostics[0].line == 2


def test_functions_that_look_run_side_by_side_and_one_that_changes_runs_alone(opened, zig_there):
    source = """
        const std = @import("std");
        pub const State = struct { inside: u32 = 0, most: u32 = 0, together: bool = false };
        extern "c" fn usleep(useconds: c_uint) c_int;
        fn enter(state: *State) void {
            const now = @atomicRmw(u32, &state.inside, .Add, 1, .seq_cst) + 1;
            _ = @atomicRmw(u32, &state.most, .Max, now, .seq_cst);
            _ = usleep(50_000);
            _ = @atomicRmw(u32, &state.inside, .Sub, 1, .seq_cst);
        }
        pub fn look(state: *const State) void { enter(@constCast(state)); }
        pub fn change(state: *State) void { enter(state); }
        pub fn most(state: *State) u32 { defer state.most = 0; return state.most; }
    """
    module = opened("zig", source, exports=["look", "change", "most"])

    def crowd(name):
        together = threading.Barrier(4)
        threads = [threading.Thread(target=lambda: (together.wait(), module.call(name, ()))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return module.call("most", ())

    assert crowd("look") > 1
    assert crowd("change") == 1


def test_a_stream_of_lookers_does_not_keep_a_change_out():
    turns = modules.turns.Turns()
    ends = time.monotonic() + 20

    def look():
        while time.monotonic() < ends and not changed:
            with turns.looking:
                time.sleep(0.002)

    changed = []
    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    with turns.looking, turns.looking:  # a thread that has a turn may ask again
        pass
    with turns.changing, turns.changing, turns.looking:
        changed.append(time.monotonic() - began)
    for thread in threads:
        thread.join()
    assert changed[0] < 10.0
    with turns.looking, turns.changing:
        pass  # nobody else is there


def test_a_change_that_gets_no_turn_in_time_is_told():
    turns = modules.turns.Turns()
    told = []
    with turns.looking:
        thread = threading.Thread(target=lambda: told.append(turns.change(0.05)))
        thread.start()
        thread.join()
    assert told == [False]
    with turns.looking:
        pass


# ------------------------------------------------------------------------------- modules that need others

BASE = {
    "zig": 'const inner = @import("inner.zig");\npub fn half(x: f64) f64 { return inner.divided(x, 2); }',
    "rust": "mod inner;\npub fn half(x: f64) -> f64 { inner::divided(x, 2.0) }",
}
INNER = {
    "zig": "pub fn divided(x: f64, by: f64) f64 { return x / by; }",
    "rust": "pub fn divided(x: f64, by: f64) -> f64 { x / by }",
}
USER = {
    "zig": 'const base = @import("base");\npub fn quarter(x: f64) f64 { return base.half(base.half(x)); }',
    "rust": "use base::half;\npub fn quarter(x: f64) -> f64 { half(half(x)) }",
}
SUFFIX = {"zig": "zig", "rust": "rs"}


def test_a_module_imports_those_that_it_depends_on(opened, write_module, language):
    folder = write_module(language, BASE[language], name="base", exports=["half"], version="1.2.0")
    (folder / f"inner.{SUFFIX[language]}").write_text(INNER[language])
    write_module(language, "pub fn f() void {}", name="between", exports=["f"], dependencies={"base": "1.0"})

    user = {"name": "user", "exports": ["quarter"], "dependencies": {"base": "1.1"}}
    assert opened(language, USER[language], **user).call("quarter", (8.0,)) == 2.0
    for least, words in (("1.3", "depends on base 1.3, and in .* is 1.2.0"), ("2.0", "depends on base 2.0")):
        with pytest.raises(UsageError, match=words):
            opened(language, USER[language], **{**user, "dependencies": {"base": least}})
    with pytest.raises(UsageError, match=f"no module {language}/missing"):
        opened(language, USER[language], **{**user, "dependencies": {"missing": "1"}})
    write_module(language, BASE[language], name="base", exports=["half"], dependencies={"user": "1"})
    with pytest.raises(UsageError, match="the modules user, base, user depend on one another in a circle"):
        opened(language, USER[language], **{**user, "dependencies": {"base": "1"}})


def test_a_module_links_the_libraries_that_it_names(opened, language):
    source = {
        "zig": 'extern "c" fn cbrt(x: f64) f64;\npub fn root(x: f64) f64 { return cbrt(x); }',
        "rust": 'unsafe extern "C" { fn cbrt(x: f64) -> f64; }\npub fn root(x: f64) -> f64 { unsafe { cbrt(x) } }',
    }
    assert opened(language, source[language], exports=["root"], system_libs=["m"]).call(
        "root", (27.0,)
    ) == pytest.approx(3.0)


# ------------------------------------------------------------------------------- from C


@pytest.fixture(scope="module")
def host_program(zig_there, tmp_path_factory):
    folder = tmp_path_factory.mktemp("host")
    cache = {"ZIG_LOCAL_CACHE_DIR": str(folder / "cache"), "ZIG_GLOBAL_CACHE_DIR": str(folder / "cache")}
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-fno-sanitize=undefined", "-ldl"]
    command = [str(zig_there), "cc", *flags, "-I", str(modules.ours() / "abi"), str(HOST), "-o", str(folder / "host")]
    subprocess.run(command, cwd=folder, check=True, env={"PATH": "", "HOME": str(folder), **cache})
    return folder / "host"


def test_a_program_in_c_uses_a_module_through_the_header(language, host_program):
    built = build(modules.ours() / language / "counter")
    said = subprocess.run([str(host_program), built.artifact.path], capture_output=True, text=True, check=False)

    assert said.stdout.splitlines() == [
        "counter 1.0.0 1.0.0 40",
        "-2 0 0",
        "0 5",
        "0 11",
        "-1 Overflow Overflow",
        "-2 -3",
        "0 1",
        "1 0 -2 -3",
        "0 -2 -3",
        "0 described",
    ], said
    assert said.returncode == 0
