"""What a user does with Rust cells, in a real kernel: as with Zig, and with one line to install where there is none."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import papermill
import pytest
from papermill.exceptions import PapermillExecutionError

CELL = """%%rust {options}
#[derive(Debug)]
pub enum Wrong {{
    LengthMismatch,
}}

/// The dot product.
pub fn dot(a: &[f32], b: &[f32]) -> Result<f32, Wrong> {{
    if a.len() != b.len() {{
        return Err(Wrong::LengthMismatch);
    }}
    Ok(a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>() * {factor}.0)
}}

pub fn at(a: &[f32], i: usize) -> f32 {{
    a[i]
}}

pub fn twice(a: &mut [f32]) {{
    a.iter_mut().for_each(|x| *x *= 2.0);
}}

pub fn generic<T>(_x: T) {{}}
"""
SEARCHED = """%%rust {options}
const LANES: usize = 1; // o: 1 4 8

/// The sum of the squares.
pub fn squares(a: &[f32]) -> f32 {{
    let mut sums = [0.0f32; LANES];
    let blocks = a.chunks_exact(LANES);
    let rest: f32 = blocks.remainder().iter().map(|x| x * x).sum();
    for block in blocks {{
        for (sum, x) in sums.iter_mut().zip(block) {{
            *sum += x * x;
        }}
    }}
    rest + sums.iter().sum::<f32>()
}}
"""
SET_UP = "import numpy as np\na = np.arange(4, dtype=np.float32)"


def serving(kernel, what):
    return kernel.value(f"get_ipython().run_line_magic('o', 'serving')[0].{what}")


# --------------------------------------------------------------------------- with Rust


@pytest.fixture(scope="module")
def ready(kernel, lacking):
    if shutil.which("rustc") is None:
        lacking("rust", "there is no rustc here")
    ran = kernel.run(SET_UP)
    assert ran.status == "ok", ran.text
    return kernel


def test_without_a_name_the_functions_land_in_the_namespace_and_the_value_shows_them(ready):
    ran = ready.run(CELL.format(options="", factor=1))

    assert ran.status == "ok", ran.text
    assert ready.value("dot(a, a), at(a, i=3)") == "(14.0, 3.0)"
    assert "rust" in ran.text
    assert "zig" not in ran.text.lower()
    assert "dot(a: float32 array, b: float32 array) -> float" in ran.text
    assert "The dot product." in ran.text
    assert "generic" in ran.text, "what cannot be mapped is named"
    assert "float32 array" in ran.html
    assert "<script" not in ran.html
    assert ready.value("dot").startswith("<rust function dot(a: float32 array")


def test_running_the_edited_cell_swaps_the_function_under_its_name(ready):
    ready.run(CELL.format(options="", factor=1))
    ready.run("held = dot")
    ran = ready.run(CELL.format(options="", factor=2))

    assert ran.status == "ok", ran.text
    assert ready.value("dot(a, a), held(a, a), held is dot") == "(28.0, 28.0, True)"


def test_with_a_name_only_the_name_is_bound_and_arrays_are_written_in_place(ready):
    ready.run("%reset_selective -f ^dot$")
    ran = ready.run(CELL.format(options="kernels", factor=1))

    assert ran.status == "ok", ran.text
    assert ready.value("kernels.dot(a, a), 'dot' in globals()") == "(14.0, False)"
    assert ready.run("b = a.copy()\nkernels.twice(b)").status == "ok"
    assert ready.value("b.tolist(), kernels") == "([0.0, 2.0, 4.0, 6.0], <rust module kernels: at, dot, twice>)"


def test_something_else_of_that_name_is_overwritten_with_a_warning(ready):
    ready.run("at = 'mine'")
    ran = ready.run(CELL.format(options="", factor=1))

    assert "at was str and is now native" in ran.text
    hidden = ready.run("%%rust\npub fn sum(a: &[f32]) -> f32 { a[0] }")
    assert "hides Python's own sum" in hidden.text
    ready.run("del sum")


def test_an_error_value_and_a_panic_are_exceptions_that_name_themselves(ready):
    ready.run(CELL.format(options="", factor=1))
    error = ready.run("dot(a, a[:2])")
    panic = ready.run("at(a, 9)")

    assert "NativeResultError" in error.error
    assert "LengthMismatch" in error.error
    assert "NativePanic" in panic.error
    assert "index out of bounds" in panic.error
    assert "line 16" in panic.error
    assert panic.text.count("File ") <= 1, "of our own frames the call itself at most is shown"
    assert "RUST_BACKTRACE" not in panic.text
    assert ready.value("at(a, 1)") == "1.0"


def test_the_compilers_error_points_at_the_cells_own_line_and_column(ready):
    ran = ready.run("%%rust\npub fn f() -> i32 {\n    let x: i32 = true;\n    x\n}")

    assert ran.status == "error"
    assert "cell:3:18: error" in ran.text
    assert "mismatched types" in ran.text
    assert "let x: i32 = true;" in ran.text
    assert "rust" in ran.text.lower()
    assert "zig" not in ran.text.lower()
    assert "let x: i32 = " in ran.html


def test_an_isolated_cell_may_die(ready):
    cell = """%%rust frail --isolate
pub fn wild() -> u8 {
    unsafe { std::ptr::read_volatile(16 as *const u8) }
}
pub fn two() -> i32 { 2 }"""
    ran = ready.run(cell)
    assert ran.status == "ok", ran.text
    ran = ready.run("frail.wild()")

    assert "NativeFault" in ran.error
    assert ready.value("frail.two()") == "2"


def test_a_first_call_that_the_sandbox_refuses_is_made_here(ready):
    cell = """%%rust files
pub fn length(path: &str) -> usize { std::fs::read_to_string(path).unwrap().len() }
pub fn missing(r#in: &str) -> std::io::Result<String> { std::fs::read_to_string(r#in) }"""
    assert ready.run(cell).status == "ok"
    ready.run("open('words.txt', 'w').write('four')")

    assert ready.value("files.length('words.txt')") == "4"
    assert "NotFound" in ready.run("files.missing(in_='none.txt')").error


def test_test_functions_run_on_request(ready):
    cell = "%%rust --test\npub fn one() -> i32 {{ {} }}\n#[test]\nfn is_one() {{ assert_eq!(one(), 1); }}"
    good = ready.run(cell.format(1))
    bad = ready.run(cell.format(2))

    assert good.status == "ok", good.text
    assert bad.status == "error"
    assert "is_one" in bad.error


def test_the_magics_help_shows_its_options(ready):
    ran = ready.client.execute_interactive  # the pager answers in the reply, not in an output
    reply = ran("%%rust?", timeout=60, output_hook=lambda _: None)["content"]
    text = reply["payload"][0]["data"]["text/plain"]

    for option in ("--mode", "--isolate", "--no-trial", "--nogil", "--test", "--fresh", "--link", "--dep"):
        assert option in text


def test_the_same_from_python(ready):
    ran = ready.run("from project_o import rust\nmath = rust('pub fn add(a: i32, b: i32) -> i32 { a + b }')")

    assert ran.status == "ok", ran.text
    assert ready.value("math.add(20, 22)") == "42"
    assert "overflow" in ready.run("math.add(2**31 - 1, 1)").error


BAD = {
    "a cell that does not compile": (
        "%%rust\npub fn f() {\n    let x = ;\n}",
        "CompileError: cell:3:13: error: expected expression",
    ),
    "a borrow that ends too early": (
        "%%rust\npub fn f() -> i32 {\n    let r;\n    { let x = 1; r = &x; }\n    *r\n}",
        r"CompileError: cell:4:\d+: error: .*does not live long enough",
    ),
    "nothing public": ("%%rust\nfn f() {}", "CompileError: .*pub fn"),
    "an empty cell": ("%%rust\n\n", "CompileError: .*pub fn"),
    "only types we cannot map": ("%%rust\npub fn f(x: *const u8) { let _ = x; }", "CompileError: .*f"),
    "a name that is none": ("%%rust 9lives\npub fn f() {}", "UsageError: '9lives' cannot be a name"),
    "an unknown option": ("%%rust --fsat\npub fn f() {}", "UsageError: .*unrecognized arguments: --fsat"),
    "a crate that is none": ("%%rust --dep rand\npub fn f() {}", "UsageError: --dep 'rand' cannot be read"),
    "a bad domain": ("%%rust\nconst N: i32 = 3; // o: 4 8\npub fn f() -> i32 { N }", "UsageError: .*line 2"),
    "a wrong dtype": ("good.twice(a.astype('f8'))", "InterfaceError: .*float32.*float64"),
    "a read-only array": ("good.twice(frozen)", "InterfaceError: .*read-only"),
    "no such function": ("good.three()", "AttributeError: good has no function three"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_error_and_loses_nothing(ready, case):
    if ready.value("'good' in globals()") == "False":
        assert ready.run(CELL.format(options="good", factor=1)).status == "ok"
        ready.run("frozen = a.copy()\nfrozen.flags.writeable = False")
    code, expected = BAD[case]
    ran = ready.run(code)

    assert ran.status == "error", ran.text
    assert re.search(expected, ran.error, re.DOTALL) or re.search(expected, ran.text, re.DOTALL), ran.text
    assert ready.value("good.at(a, 2)") == "2.0"


@pytest.mark.parametrize("case", ["a cell that does not compile", "a panic", "a crate that is none"])
def test_papermill_stops_at_it(tmp_path, lacking, case):
    if shutil.which("rustc") is None:
        lacking("rust", "there is no rustc here")
    panic = "from project_o import rust\nrust('pub fn f() { panic!(\"no\"); }').f()"
    cells = ("%load_ext project_o", panic if case == "a panic" else BAD[case][0], "print('after')")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    nbformat.write(notebook, tmp_path / "in.ipynb")
    with pytest.raises(PapermillExecutionError):
        papermill.execute_notebook(
            str(tmp_path / "in.ipynb"), str(tmp_path / "out.ipynb"),
            kernel_name="python3", cwd=str(tmp_path), progress_bar=False,
        )  # fmt: skip
    assert nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[-1].outputs == []


@pytest.mark.measured
def test_it_is_evolved_accepted_taken_back_and_a_new_kernel_serves_it_again(ready, start_kernel):
    ready.run("many = np.random.default_rng(1).integers(0, 16, 100_000).astype(np.float32)")
    assert ready.run(SEARCHED.format(options="sums")).status == "ok"
    ran = ready.run("run = %evolve sums --trials 3 --seed 1 --inputs (many,)\nrun")

    assert ran.status == "ok", ran.text
    assert ready.value("run.verdict.accepted, len(run.trials)") == "(True, 3)", ran.text
    assert ready.value("run.lineage.best == run.best_index") == "True"
    assert "-const LANES: usize = 1; // o: 1 4 8" in ready.run("print(run.diff())").text
    assert "zig" not in ran.text.lower()
    total = ready.value("sums.squares(many)")
    assert ready.run("release = run.accept()").status == "ok"
    assert ready.value("sums.squares(many)") == total
    assert ready.value("release.origin, release.language") == "('accepted', 'rust')"
    assert ready.run("%o rollback sums").status == "ok"
    assert ready.value("sums.slot.version.artifact.program.digest == run.program.digest") == "True"
    back = ready.run("%o rollback sums {release.state}")
    assert back.status == "ok", back.text

    folder = ready.value("__import__('os').getcwd()").strip("'")
    states = subprocess.run(
        ["git", "-C", f"{folder}/.o/store.git", "show", ready.value("release.state").strip("'"), "--stat", "--format="],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "programs/sums/cell.rs" in states
    later = start_kernel(folder)
    again = later.run(SEARCHED.format(options="sums"))

    assert again.status == "ok", again.text
    assert "an evolved version serves, not the text of the cell" in again.text
    assert "const LANES: usize = 1;" not in later.value("sums.slot.version.artifact.program.source")
    fresh = later.run(SEARCHED.format(options="sums --fresh"))
    assert fresh.status == "ok", fresh.text
    assert "const LANES: usize = 1;" in later.value("sums.slot.version.artifact.program.source")


def test_restoring_a_state_from_before_the_acceptance_serves_the_cell_again(ready):
    assert ready.run(SEARCHED.format(options="other")).status == "ok"
    assert ready.run("%o save 'plain rust'").status == "ok"
    ran = ready.run("from project_o import evolve\nevolve(other, trials=3, seed=1, inputs=(many,)).accept()")
    assert ran.status == "ok", ran.text
    assert "const LANES: usize = 1;" not in ready.value("other.slot.version.artifact.program.source")
    restored = ready.run("%o restore plain-rust")

    assert restored.status == "ok", restored.text
    assert "const LANES: usize = 1;" in ready.value("other.slot.version.artifact.program.source")


# --------------------------------------------------------------------------- without Rust


def bare(folder, own_cache):
    """An environment in which no compiler of Rust is found: not on the PATH, not below HOME, not by a variable."""
    hidden = {"RUSTC", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"} & set(os.environ)
    programs = folder / "programs"
    programs.mkdir()
    (programs / "git").symlink_to(shutil.which("git"))  # where rustc comes from a package it may be its neighbour
    places = [place for place in os.environ["PATH"].split(os.pathsep) if not (Path(place) / "rustc").exists()]
    path = os.pathsep.join([str(programs), *places])
    return {
        **dict.fromkeys(hidden, ""),
        "PATH": path,
        "HOME": str(folder),
        "PROJECT_O_CACHE": own_cache(folder / "cache"),
    }


def test_without_rust_a_cell_says_what_to_install_and_everything_else_works(start_kernel, tmp_path, own_cache):
    kernel = start_kernel(tmp_path, environment=bare(tmp_path, own_cache))
    ran = kernel.run("%%rust\npub fn one() -> i32 { 1 }")

    assert ran.status == "error"
    assert ran.error.startswith("ToolchainMissing: ")
    assert "install" in ran.error
    assert "\n" not in ran.error
    assert kernel.run("%%zig\npub fn one() i32 { return 1; }").status == "ok"
    assert kernel.value("one()") == "1"
    assert kernel.run("%o history").status == "ok"


def test_an_optional_cell_says_in_one_line_that_rust_is_missing_and_the_notebook_goes_on(
    start_kernel, tmp_path, own_cache
):
    kernel = start_kernel(tmp_path, environment=bare(tmp_path, own_cache))
    ran = kernel.run("%%rust sums --optional\npub fn one() -> i32 {\n    1\n}")
    assert ran.status == "ok", ran.text
    assert ran.text.startswith("skipped: ")
    assert len(ran.text.strip().splitlines()) == 1
    assert kernel.value("sums") == "None"


def test_the_doctor_says_whether_rust_is_there_and_is_content_without(tmp_path, lacking, own_cache):
    if shutil.which("rustc") is None:
        lacking("rust", "there is no rustc here")
    doctor = [sys.executable, "-m", "project_o.cli", "doctor"]
    there = subprocess.run(doctor, cwd=tmp_path, capture_output=True, text=True, check=True)
    environment = {**os.environ, **bare(tmp_path, own_cache)}
    without = subprocess.run(doctor, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)

    assert re.search(r"^\s*rust\s+ok\s.*\d+\.\d+", there.stdout, re.MULTILINE), there.stdout
    assert re.search(r"^\s*rust\s+limited", without.stdout, re.MULTILINE), without.stdout
    assert "the core works" in without.stdout
