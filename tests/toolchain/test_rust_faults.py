"""Faulty Rust cells in one interpreter that must live through all of them, as ``test_faulty_cells`` has for Zig.

A line that ends in ``// HERE`` is the one that the exception must name.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from project_o import toolchain
from project_o.errors import NativeFault, NativePanic
from project_o.sandbox import Sandbox
from project_o.values import Artifact

LINE_OFFSET = 1
GOOD = "pub fn well(a: i32) -> i32 { a + 1 }\n"


class Case(NamedTuple):
    name: str
    body: str
    args: tuple[Any, ...] = ()
    error: str = "NativePanic"
    says: str = ""
    mode: str = "safe"
    how: str = "call"


NULL = (
    "pub fn f() -> i32 {\n    let p: *const i32 = std::hint::black_box(std::ptr::null());\n    unsafe { *p } // HERE\n}"
)
WILD = "pub fn f(at: usize) {\n    let p = at as *mut u64;\n    unsafe { *p = 1 } // HERE\n}"
DEEP = (
    "pub fn f(n: u64) -> u64 {\n    let big = [n; 64];\n    std::hint::black_box(&big);\n"
    "    if n == 0 { 0 } else { f(n - 1) + big[(n % 64) as usize] }\n}"
)
LOOP = "pub fn f() -> u64 {\n    let mut n = 0u64;\n    loop { n = std::hint::black_box(n ^ 1); }\n}"
IN_STD = "pub fn f(x: &[i32]) -> i32 {\n    x.iter().sum() // HERE\n}"

CASES = [
    # ----- panics with their line
    Case("read out of bounds", "pub fn f(a: &[f32], i: usize) -> f32 {\n    a[i] // HERE\n}", (["f32", 3], 3),
         says="index out of bounds: the len is 3 but the index is 3"),
    Case("write out of bounds", "pub fn f(a: &mut [f32], i: usize) {\n    a[i] = 1.0; // HERE\n}", (["f32", 3], 9),
         says="index out of bounds: the len is 3 but the index is 9"),
    Case("range out of bounds", "pub fn f(a: &[u8], n: usize) -> usize {\n    a[..n].len() // HERE\n}", (["u8", 3], 4),
         says="out of range for slice of length 3"),
    Case("inside a character", "pub fn f(a: &str) -> usize {\n    a[..1].len() // HERE\n}", ("ä",),
         says="is not a char boundary"),
    Case("addition overflows", "pub fn f(a: i32) -> i32 {\n    a + 1 // HERE\n}", (2**31 - 1,),
         says="attempt to add with overflow"),
    Case("subtraction overflows", "pub fn f(a: u32) -> u32 {\n    a - 1 // HERE\n}", (0,),
         says="attempt to subtract with overflow"),
    Case("debug: multiplication overflows", "pub fn f(a: u64) -> u64 {\n    a * a // HERE\n}", (2**63,),
         says="attempt to multiply with overflow", mode="debug"),
    Case("a sum overflows in the standard library", IN_STD, (["i32", 70000],), says="attempt to add with overflow"),
    Case("division by zero", "pub fn f(a: i32) -> i32 {\n    1 / a // HERE\n}", (0,), says="attempt to divide by zero"),
    Case("fast: division by zero", "pub fn f(a: i32) -> i32 {\n    1 / a // HERE\n}", (0,),
         says="attempt to divide by zero", mode="fast"),
    Case("unwrap of None", "pub fn f(a: Option<i32>) -> i32 {\n    a.unwrap() // HERE\n}", (None,),
         says="called `Option::unwrap()` on a `None` value"),
    Case("expect of an error", 'pub fn f(a: &str) -> i32 {\n    a.parse().expect("a number") // HERE\n}', ("x",),
         says="a number: ParseIntError { kind: InvalidDigit }"),
    Case("an explicit panic", 'pub fn f(a: i32) {\n    panic!("a is {a}"); // HERE\n}', (7,), says="a is 7"),
    Case("a panic with a value", "pub fn f() {\n    std::panic::panic_any(3i32); // HERE\n}",
         says="a panic with a value that is not text"),
    Case("a failed assertion", "pub fn f(a: i32) {\n    assert_eq!(a, 2); // HERE\n}", (1,), says="left: 1"),
    Case("a debug assertion", 'pub fn f(a: i32) {\n    debug_assert!(a > 1, "small"); // HERE\n}', (1,), says="small"),
    Case("unreachable", "pub fn f() {\n    unreachable!(); // HERE\n}", says="entered unreachable code"),
    Case("borrowed twice", "pub fn f() {\n    let c = std::cell::RefCell::new(1);\n    let _a = c.borrow_mut();\n"
         "    let _b = c.borrow_mut(); // HERE\n}", says="already borrowed"),
    Case("inside a macro", "macro_rules! get {\n    ($a:expr) => { $a[9] };\n}\npub fn f(a: &[f32]) -> f32 {\n"
         "    get!(a)\n}", (["f32", 3],), says="the index is 9"),
    Case("in a helper",
         "fn g(a: &[f32]) -> f32 {\n    a[9] // HERE\n}\npub fn f(a: &[f32]) -> f32 {\n    g(a) + 1.0\n}",
         (["f32", 3],), says="the index is 9"),
    Case("in a view", "pub fn f(n: usize) -> f32 {\n    let v = vec![0f32; n];\n    v[n] // HERE\n}", (2,),
         says="the index is 2"),
    Case("in another thread of Python", "pub fn f(a: &[f32]) -> f32 {\n    a[9] // HERE\n}", (["f32", 3],),
         says="the index is 9", how="thread"),
    Case("a very long message", 'pub fn f() {\n    panic!("{}", "ä".repeat(10_000)); // HERE\n}', says="ääää"),
    Case("a panic while unwrapping what a thread said",
         'pub fn f() -> i32 {\n    std::thread::spawn(|| { panic!("inside") }).join().unwrap() // HERE\n}',
         says="called `Result::unwrap()` on an `Err` value"),
    Case("a panic while another thread runs",
         "pub fn f(a: &[f32]) -> f32 {\n    std::thread::scope(|s| {\n"
         "        s.spawn(|| std::thread::sleep(std::time::Duration::from_millis(30)));\n"
         "        a[9] // HERE\n    })\n}", (["f32", 3],), says="the index is 9"),
    # ----- faults
    Case("a null pointer", NULL, error="NativeFault", says="a null pointer"),
    Case("debug: a null pointer", NULL, error="NativeFault", says="a null pointer", mode="debug"),
    Case("fast: a null pointer", NULL, error="NativeFault", says="a null pointer", mode="fast"),
    Case("a wild write", WILD, (0x10_0000_0000_00,), "NativeFault", "SIGSEGV"),
    Case("a trap", "pub fn f() {\n    unsafe { std::arch::asm!(\"ud2\") } // HERE\n}", (), "NativeFault", "SIGILL"),
    Case("stack overflow", DEEP, (10**9,), "NativeFault", "stack overflow"),
    Case("debug: stack overflow", DEEP, (10**9,), "NativeFault", "stack overflow", mode="debug"),
    Case("stack overflow in a thread of Python", DEEP, (10**9,), "NativeFault", "stack overflow", how="thread"),
    # ----- endless loops, ended by Ctrl-C
    Case("an endless loop", LOOP, (), "KeyboardInterrupt", how="interrupt"),
    Case("debug: an endless loop", LOOP, (), "KeyboardInterrupt", mode="debug", how="interrupt"),
    Case("an endless loop that allocates",
         "pub fn f() -> usize {\n    let mut n = 0usize;\n    loop {\n"
         "        let v: Vec<String> = (0..50).map(|i| format!(\"{i}\")).collect();\n"
         "        n = n.wrapping_add(v.len());\n    }\n}", (), "KeyboardInterrupt", how="interrupt"),
    Case("an endless loop that prints", "pub fn f() {\n    loop { print!(\"\") }\n}", (), "KeyboardInterrupt",
         how="interrupt"),
    # ----- not a fault
    Case("an error result",
         "pub fn f(a: i32) -> Result<i32, String> {\n    if a < 0 { Err(format!(\"{a}\")) } else { Ok(a) }\n}", (-1,),
         "NativeResultError", "returned an error: -1"),
]  # fmt: skip


@pytest.fixture(scope="module")
def reports(rust_there: str) -> dict[str, dict[str, Any]]:
    """What the child said of each case, as far as it came."""
    table = [{**case._asdict(), "source": GOOD + case.body, "language": "rust"} for case in CASES]
    child = Path(__file__).with_name("crash_child.py")
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", str(child)],
        input=json.dumps(table),
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    found = {report["name"]: report for report in map(json.loads, lines)}
    found[""] = {"ended": done.stdout.endswith("done\n") and done.returncode == 0, "errors": done.stderr[-2000:]}
    return found


def test_the_interpreter_lives_through_all_of_rust(reports: dict[str, dict[str, Any]]) -> None:
    assert reports[""]["ended"], reports[""]["errors"]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_faulty_rust_cell(case: Case, reports: dict[str, dict[str, Any]]) -> None:
    assert case.name in reports, f"the interpreter died: {reports['']['errors']}"
    report = reports[case.name]

    assert report["type"] == case.error, report["message"]
    assert case.says in report["message"]
    assert report["again"] == 21, "the cell's good function, called after the fault"
    assert report["variables"]
    assert report["python"]
    marked = [k for k, line in enumerate((GOOD + case.body).split("\n"), 1) if line.endswith("// HERE")]
    if marked:
        assert report["line"] == marked[0] + LINE_OFFSET, report["message"]


PANICS = """
use std::sync::Mutex;
static LOCK: Mutex<i32> = Mutex::new(0);
struct Noisy<'a>(&'a mut [i32]);
impl Drop for Noisy<'_> { fn drop(&mut self) { self.0[0] += 1; } }
pub fn unwinds(x: &mut [i32]) {
    let _noisy = Noisy(x);
    panic!("with something to drop");
}
pub fn locked(fail: bool) -> i32 {
    let mut guard = LOCK.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    *guard += 1;
    if fail { panic!("while it is locked") }
    *guard
}
pub fn catches() -> bool { std::panic::catch_unwind(|| panic!("its own")).is_err() }
pub fn at(x: &[i32], i: usize) -> i32 { x[i] }
"""


def test_a_panic_drops_what_the_function_holds(loaded_rust: Callable[..., toolchain.Library]) -> None:
    import numpy as np

    library = loaded_rust(PANICS)
    counted = np.zeros(1, np.int32)

    for _ in range(3):
        with pytest.raises(NativePanic, match="something to drop"):
            library.call("unwinds", [counted])
        with pytest.raises(NativePanic, match="while it is locked"):
            library.call("locked", [True])
    assert counted[0] == 3
    assert library.call("locked", [False]) == 4, "the lock was given back each time"
    assert library.call("catches", []) is True


DROPS = """
pub struct D { x: f64 }
impl Drop for D {
    fn drop(&mut self) { if self.x > 5.0 { panic!("dropped {}", self.x) } }
}
pub fn lent(d: &D) -> f64 { d.x }
pub fn lent_twice(d: &D, e: &D) -> f64 { d.x + e.x }
pub fn lent_and_failed(d: &D) -> Result<f64, String> { Err(format!("refused {}", d.x)) }
"""


def test_a_panic_while_an_argument_is_dropped_is_a_panic(loaded_rust: Callable[..., toolchain.Library]) -> None:
    library = loaded_rust(DROPS)

    for _ in range(3):
        for name, args in (("lent", [(7.0,)]), ("lent_twice", [(7.0,), (7.0,)]), ("lent_and_failed", [(7.0,)])):
            with pytest.raises(NativePanic, match="line 4: dropped 7"):
                library.call(name, args)
    assert library.call("lent_twice", [(1.0,), (2.0,)]) == 3.0


def test_libraries_tell_their_own_lines(loaded_rust: Callable[..., toolchain.Library]) -> None:
    """All cells share one panic hook; each panic finds the cell that it is of."""
    libraries = [loaded_rust("\n" * k + "pub fn f(x: &[i32]) -> i32 { x[9] }") for k in range(4)]
    for order in (range(4), reversed(range(4))):
        for k in order:
            with pytest.raises(NativePanic) as caught:
                libraries[k].call("f", [[1]])
            assert caught.value.line == k + 1


def test_panics_in_several_threads_at_once(loaded_rust: Callable[..., toolchain.Library]) -> None:
    library = loaded_rust(PANICS)
    panics: list[tuple[int, NativePanic]] = []

    def work() -> None:
        for i in range(100):
            try:
                library.call("at", [[1, 2], 2 + i])
            except NativePanic as panic:
                panics.append((i, panic))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(panics) == 400
    for i, panic in panics:
        assert panic.line == 17
        assert f"the index is {2 + i}" in str(panic)


def test_a_trial_shows_a_fault_and_this_process_is_untouched(compiled_rust: Callable[..., Artifact]) -> None:
    artifact = compiled_rust(
        "pub fn f(x: &[i32]) -> i32 {\n    x[9]\n}\npub fn g() { std::process::abort() }\n"
        "pub fn h() { std::process::exit(3) }"
    )
    with Sandbox() as box:
        version = toolchain.Version(artifact, box=box)
        with pytest.raises(NativePanic) as caught:
            version.call("f", [[1]])
        assert caught.value.line == 2
        with pytest.raises(NativeFault, match=r"SIGABRT|signal 6"):
            version.call("g", [])
        with pytest.raises(NativeFault, match="left its process"):
            version.call("h", [])


def test_isolated_cells_live_on(compiled_rust: Callable[..., Artifact]) -> None:
    version = toolchain.Version(
        compiled_rust("pub fn f(x: &mut [i32], i: usize) { x[i] = 7 }\npub fn g() { std::process::abort() }"),
        isolate=True,
    )
    import numpy as np

    array = np.zeros(3, np.int32)
    with pytest.raises(NativePanic, match="the index is 3"):
        version.call("f", [array, 3])
    with pytest.raises(NativeFault):
        version.call("g", [])
    version.call("f", [array, 1])
    assert array.tolist() == [0, 7, 0]
    version.close()


def test_a_panic_while_dropping_ends_the_process_with_a_word(rust_there: str) -> None:
    """Two panics at once are Rust's own end of a process: it is said, and a trial meets it first."""
    source = (
        'struct D;\nimpl Drop for D { fn drop(&mut self) { panic!("second") } }\n'
        'pub fn f() { let _d = D; panic!("first") }\n'
    )
    code = (
        "import sys\nfrom project_o import toolchain\nfrom project_o.values import Program\n"
        "library = toolchain.load(toolchain.build(Program('p', 'rust', (('cell.rs', sys.stdin.read()),))))\n"
        "library.call('f', [])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=source, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == -6
    assert "run the cell with --isolate" in done.stderr
