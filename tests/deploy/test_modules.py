"""Library modules that are swapped in use: the state stays, nothing fails, and what does not fit says why."""

from __future__ import annotations

import gc
import json
import socket
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from project_o.deploy.modules import Modules
from project_o.errors import CompileError, DeployError, NativePanic, ToolchainMissing, UsageError
from project_o.toolchain import locate_rust

ZIG = """
const std = @import("std");
pub const State = struct { count: u64 = 0 };
const step = 1;
pub fn add(state: *State, n: u64) u64 { state.count += step * n; return state.count; }
pub fn value(state: *const State) u64 { return state.count; }
pub fn step_of() u64 { return step; }
"""
RUST = """
#[derive(Default)] pub struct State { count: u64 }
const STEP: u64 = 1;
pub fn add(state: &mut State, n: u64) -> u64 { state.count += STEP * n; state.count }
pub fn value(state: &State) -> u64 { state.count }
pub fn step_of() -> u64 { STEP }
"""
SOURCES = {"zig": ZIG, "rust": RUST}
WRITTEN_FOR = {"zig": "0.17.1", "rust": "1.85"}


class Workshop:
    """A folder with one module, which can be written anew, and the table that loads it."""

    def __init__(self, folder, language):
        self.language, self.folder = language, folder / "sample"
        self.source = SOURCES[language]
        self.table = Modules(lambda: [folder])
        self.write()

    def write(self, source=None, *changes, **fields):
        text = source or self.source
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        self.folder.mkdir(exist_ok=True)
        body = {"name": "sample", "version": "1.0.0", "description": "A sample.", "hot_reload": True}
        body |= {self.language: WRITTEN_FOR[self.language], "exports": ["add", "value", "step_of"]}
        (self.folder / "module.json").write_text(json.dumps({**body, **fields}))
        (self.folder / f"sample{'.zig' if self.language == 'zig' else '.rs'}").write_text(text)

    def step(self, number):
        """The same module with another step."""
        name, kind = ("step", "") if self.language == "zig" else ("STEP", ": u64")
        self.write(None, (f"const {name}{kind} = 1;", f"const {name}{kind} = {number};"))


@pytest.fixture
def rust_there(lacking):
    try:
        locate_rust()
    except ToolchainMissing as missing:
        lacking("rust", str(missing))


@pytest.fixture(params=["zig", "rust"])
def workshop(request, tmp_path):
    if request.param == "rust":
        request.getfixturevalue("rust_there")
    return Workshop(tmp_path, request.param)


@pytest.fixture
def zig_workshop(tmp_path):
    return Workshop(tmp_path, "zig")


def test_a_new_build_goes_on_with_the_state_under_the_same_objects(workshop):
    sample = workshop.table.load("sample")
    add = sample.add
    assert (add(5), sample.__version__, sample.__doc__) == (5, "1.0.0", "A sample.")
    hash_ = sample.__git_hash__
    workshop.step(10)
    workshop.write((workshop.folder / Path(sample.__file__).name).read_text(), version="1.1.0")
    told = workshop.table.reload("sample")

    assert told["version"] == "1.0.0 \u2192 1.1.0"
    assert told["state"] == "handed over"
    assert (add(2), sample.value(), sample.step_of(), sample.__version__) == (25, 25, 10, "1.1.0")
    assert sample.__git_hash__ != hash_
    assert workshop.table.load("sample") is sample, "it is loaded once"


def test_an_unchanged_module_stays_as_it_is(workshop):
    sample = workshop.table.load("sample")
    sample.add(5)
    build = sample.slot.version

    assert workshop.table.reload("sample")["build"] == "the same"
    assert sample.slot.version is build


def test_fresh_begins_with_a_new_state(workshop):
    sample = workshop.table.load("sample")
    sample.add(5)
    told = workshop.table.reload("sample", fresh=True)

    assert told["state"] == "new"
    assert sample.value() == 0


def refused(workshop, words, kind=DeployError):
    with pytest.raises(kind, match=words):
        workshop.table.reload("sample")


def test_what_does_not_fit_is_refused_and_the_old_build_serves_on(zig_workshop):
    sample = zig_workshop.table.load("sample")
    sample.add(5)
    zig_workshop.write(version="2.0.0")
    refused(zig_workshop, r"version 2\.0\.0 says that it does not fit where 1\.0\.0 is used.*unload zig/sample")
    zig_workshop.write(exports=["add", "value"])
    refused(zig_workshop, "does not export step_of")
    zig_workshop.write(None, ("step_of() u64", "step_of() u32"))
    refused(zig_workshop, r"step_of was \(\) -> int and is \(\) -> int")
    zig_workshop.write(
        None, ("add(state: *State, n: u64)", "add(state: *State, n: f64)"), ("step * n", "@intFromFloat(n)")
    )
    refused(zig_workshop, r"add was \(int\) -> int and is \(float\) -> int")
    zig_workshop.write("pub fn add(", ("pub", "pub"))
    refused(zig_workshop, "line 1", CompileError)
    (zig_workshop.folder / "module.json").write_text("{")
    refused(zig_workshop, "not valid JSON", UsageError)

    assert sample.add(1) == 6


def test_a_state_that_is_laid_out_anew_is_refused_unless_it_may_begin_anew(workshop):
    sample = workshop.table.load("sample")
    sample.add(5)
    old, new = (
        ("count: u64", "other: u32 = 7, count: u64")
        if workshop.language == "zig"
        else ("{ count: u64 }", "{ other: u32, count: u64 }")
    )
    workshop.write(None, (old, new))
    refused(
        workshop,
        r"its state cannot be handed over: its type \S*State was `.*` and is `.*other.*`\. `%o reload \S+ --fresh`",
    )
    assert sample.add(1) == 6

    workshop.table.reload("sample", fresh=True)
    assert sample.add(1) == 1


def test_a_type_behind_the_state_counts_too(workshop):
    if workshop.language == "zig":
        inner, other = "const Inner = struct { a: u8 = 0 };", "const Inner = struct { a: u16 = 0 };"
        workshop.source = ZIG.replace("count: u64 = 0 }", "count: u64 = 0, inner: ?*const Inner = null }") + inner
    else:
        inner, other = "pub enum Inner { A, B(u8) }", "pub enum Inner { A, B(u16) }"
        workshop.source = RUST.replace("count: u64 }", "count: u64, inner: Vec<Inner> }") + inner
    workshop.write()
    workshop.table.load("sample")
    workshop.write(None, (inner, other))

    refused(workshop, r"its type \S*Inner was")


def test_a_module_that_does_not_hand_over_is_refused(workshop):
    workshop.write(hot_reload=False)
    sample = workshop.table.load("sample")
    sample.add(5)
    workshop.step(3)
    refused(workshop, "hot_reload is not true in both builds")

    assert sample.add(1) == 6


HOOKS = {
    "zig": """pub fn reloaded(self: *State) !void {
        self.count += 100;
        if (self.count > 110) return error.Full;
    }""",
    "rust": """impl State {
        fn reloaded(&mut self) -> Result<(), &'static str> {
            self.count += 100;
            if self.count > 110 { Err("Full") } else { Ok(()) }
        }
    }""",
}


def with_hook(language, hook):
    if language == "zig":
        return ("count: u64 = 0 }", f"count: u64 = 0, {hook} }}")
    return ("const STEP", f"{hook}\nconst STEP")


def test_the_module_s_own_hook_is_asked_and_may_refuse(workshop):
    sample = workshop.table.load("sample")
    sample.add(5)
    hook = with_hook(workshop.language, HOOKS[workshop.language])
    workshop.write(None, hook)
    workshop.table.reload("sample")
    assert sample.value() == 105

    workshop.write(None, hook, ("1;", "2;"))
    refused(workshop, r"does not take the state over: .*Full")
    assert (sample.step_of(), sample.value()) == (1, 205), "the state is the old build's again, as the hook left it"


def test_a_hook_that_panics_leaves_the_old_build(workshop):
    sample = workshop.table.load("sample")
    zig, rust = "{ if (self.count < 9) unreachable; }", "{ assert!(self.count > 9); }"
    hook = f"pub fn reloaded(self: *State) void {zig}"
    if workshop.language == "rust":
        hook = f"impl State {{ fn reloaded(&mut self) {rust} }}"
    hook = with_hook(workshop.language, hook)
    workshop.write(None, hook)
    refused(workshop, "unreachable|assertion failed", NativePanic)
    assert sample.add(10) == 10

    workshop.table.reload("sample")
    assert sample.value() == 10


def test_what_a_state_points_to_in_the_old_build_stays(zig_workshop):
    zig_workshop.source = """
        pub const State = struct { name: []const u8 = "made by the first build", };
        pub fn add(state: *State, n: u64) u64 { state.name = if (n > 1) "a text of build 1" else state.name; return n; }
        pub fn value(state: *const State) []const u8 { return state.name; }
        const step = 1;
        pub fn step_of() u64 { return step; }
    """
    zig_workshop.write()
    sample = zig_workshop.table.load("sample")
    sample.add(2)
    for step in range(2, 6):
        zig_workshop.write(None, ("step = 1", f"step = {step}"), ("of build 1", f"of build {step}"))
        zig_workshop.table.reload("sample")
        gc.collect()
        assert sample.value() == "a text of build 1"
    assert sample.add(2) == 2
    assert sample.value() == "a text of build 5"


def test_an_unloaded_module_says_so_and_can_be_loaded_again(workshop):
    sample = workshop.table.load("sample")
    add = sample.add
    add(5)
    told = workshop.table.unload("sample")

    assert told["state"] == "gone"
    for call in (lambda: add(1), sample.step_of, lambda: sample.__version__):
        with pytest.raises(DeployError, match=r'sample was unloaded: load\("\w+/sample"\) loads it again'):
            call()
    with pytest.raises(DeployError, match="no module sample is loaded: those that are loaded are none"):
        workshop.table.unload("sample")
    assert workshop.table.load("sample").value() == 0
    assert add.__name__ == "add"


def test_a_name_that_is_loaded_in_two_languages_has_to_be_told_apart(rust_there):
    table = Modules()
    table.load("zig/counter")
    table.load("rust/counter").add(7)
    with pytest.raises(UsageError, match="counter is loaded in several languages: say zig/counter or rust/counter"):
        table.reload("counter")

    assert table.unload("zig/counter")["module"] == "zig/counter"
    assert table.load("rust/counter").value() == 7
    assert [(row[0], row[2]) for row in table.listing() if "counter" in row[0]] == [
        ("rust/counter", "loaded"),
        ("zig/counter", ""),
    ]


def test_the_same_name_in_another_folder_is_refused_while_one_is_loaded(tmp_path):
    first, other = (Workshop(tmp_path / name, "zig") for name in ("a", "b") if not (tmp_path / name).mkdir())
    first.table.load("sample")
    with pytest.raises(DeployError, match=r"zig/sample is loaded from .*a/sample: `%o unload zig/sample` before"):
        first.table.load("sample", other.folder.parent)


# ------------------------------------------------------------------------------- under load


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def mapped():
    with open("/proc/self/maps") as file:
        return sum("project-o-cell" in line for line in file)


def test_300_reloads_under_8_calling_threads_lose_no_call_and_no_count(workshop):
    sample = workshop.table.load("sample")
    other = Path(sample.__file__)
    texts = [other.read_text()]
    workshop.step(2)
    texts.append(other.read_text())
    workshop.table.reload("sample")  # both builds are in the cache
    failed, counted, stop = [], [0] * 8, threading.Event()

    def use(number):
        while not stop.is_set():
            try:
                if number % 2:
                    sample.value()
                    sample.step_of()
                else:
                    before = sample.add(0)
                    counted[number] += 1
                    assert sample.add(0) >= before
            except Exception as error:  # noqa: BLE001 - each is counted
                failed.append(error)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    try:
        sample.add(1)
        for k in range(50):
            workshop.write(texts[k % 2])
            workshop.table.reload("sample")
        resident, maps = [resident_bytes()], mapped()
        for k in range(250):
            workshop.write(texts[k % 2])
            workshop.table.reload("sample")
            if k % 50 == 49:
                resident.append(resident_bytes())
        grown = 5 * sorted(late - early for early, late in pairwise(resident))[2]  # a leak is in each fifth
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    gc.collect()

    assert failed == []
    assert min(counted[::2]) > 10
    assert sample.value() in (1, 2), "one count, by whichever build served then"
    assert grown < 1 << 20, f"{grown} bytes in 250 reloads"
    assert mapped() <= maps


TELLS_AND_WAITS = (
    "var byte: u8 = 'x'; _ = write(@intCast(n), &byte, 1); _ = read(@intCast(n), &byte, 1); state.count += step;"
)
"""In place of a count: through the descriptor that it is given the call says that it is under way, and is let go."""


def test_a_reload_waits_for_the_call_under_way_and_says_when_it_waits_too_long(zig_workshop, monkeypatch):
    from project_o import limits

    zig_workshop.source = ZIG.replace("state.count += step * n;", TELLS_AND_WAITS) + (
        'extern "c" fn read(fd: c_int, to: *u8, count: usize) isize;\n'
        'extern "c" fn write(fd: c_int, from: *const u8, count: usize) isize;\n'
    )
    zig_workshop.write()
    sample = zig_workshop.table.load("sample")
    here, there = socket.socketpair()
    thread = threading.Thread(target=sample.add, args=(there.fileno(),))
    thread.start()
    assert here.recv(1) == b"x"
    zig_workshop.step(5)
    monkeypatch.setattr(limits, "MODULE_TURN_SECONDS", 0.05)
    refused(zig_workshop, "is in a call for more than 0 s: interrupt it, or wait for it")
    monkeypatch.undo()
    threading.Timer(1.0, here.send, (b"x",)).start()
    zig_workshop.table.reload("sample")
    thread.join()

    assert (sample.value(), sample.step_of()) == (1, 5)
    here.close()
    there.close()
