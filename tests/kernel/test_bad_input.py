"""Bad input to every magic: one clear error of ours, a failed cell, and nothing lost."""

import re

import nbformat
import papermill
import pytest
from papermill.exceptions import PapermillExecutionError

GOOD = "%%zig good\npub fn twice(xs: []f32) void { for (xs) |*x| x.* *= 2; }\npub fn one() i32 { return 1; }"
SET_UP = """
import numpy as np
kept = [1, 2, 3]
row = np.ones(3, np.float32)
frozen = row.copy()
frozen.flags.writeable = False
"""

CASES = {
    "a cell that does not compile": ("%%zig\npub fn f( {", "CompileError: cell:2:"),
    "a type error": ("%%zig\npub fn f() i32 {\n    return true;\n}", "CompileError: cell:3:"),
    "nothing public": ("%%zig\nfn f() void {}", "CompileError: .*pub fn"),
    "an empty cell": ("%%zig\n\n", "CompileError: .*pub fn"),
    "only types we cannot map": ("%%zig\npub fn f(x: *anyopaque) void { _ = x; }", "CompileError: .*f"),
    "a name that is none": ("%%zig 9lives\npub fn f() void {}", "UsageError: '9lives' cannot be a name"),
    "an unknown option": ("%%zig --fsat\npub fn f() void {}", "UsageError: .*unrecognized arguments: --fsat"),
    "an unknown mode": ("%%zig --mode quick\npub fn f() void {}", "UsageError: .*quick"),
    "an open quote": ("%%zig 'x\npub fn f() void {}", "UsageError: .*close the quotes"),
    "a bad domain": ("%%zig\nconst n = 3; // o: 4 8\npub fn f() i32 { return n; }", "UsageError: .*line 2"),
    "a wrong dtype": ("good.twice(row.astype('f8'))", "InterfaceError: .*float32.*float64"),
    "a read-only array": ("good.twice(frozen)", "InterfaceError: .*read-only"),
    "a strided array": ("good.twice(np.ones(6, np.float32)[::2])", "InterfaceError: .*contiguous"),
    "a list where an array is written": ("good.twice([1.0])", "InterfaceError: .*numpy array"),
    "too many arguments": ("good.one(1)", "InterfaceError: .*takes 0 arguments"),
    "no such function": ("good.three()", "AttributeError: good has no function three"),
    "an unknown program": ("%evolve nothing", "DeployError: nothing serves 'nothing'"),
    "a value that cannot be evolved": ("%evolve kept", "UsageError: a list cannot be evolved"),
    "a library module": (
        "from project_o import load\nlibrary = load('counter')\n%evolve library",
        "UsageError: counter is a library module, and what evolves is a cell",
    ),
    "a budget that is none": ("%evolve good --budget soon", "UsageError: 'soon' is no duration"),
    "a count that is none": ("%evolve good --trials many", "UsageError: --trials is 'many'"),
    "an unknown proposer": ("%evolve good --proposer oracle", "UsageError: .*oracle"),
    "inputs that fail": ("%evolve good --inputs (missing,)", "UsageError: --inputs .*missing"),
    "two functions": ("%evolve good --trials 3", "EvolutionError: .*say with --function"),
    "an evaluator cell without one": ("%%evolve good\nx = 1", "UsageError: .*def evaluate"),
    "an unknown verb": ("%o dance", "UsageError: 'dance' is no verb"),
    "an unknown state": ("%o show nosuchstate", "HistoryError: .*nosuchstate"),
    "a diff of nothing": ("%o diff", "UsageError: .*required"),
    "a restore of nothing": ("%o restore nosuchstate", "HistoryError: .*nosuchstate"),
    "a save without a reason": ("%o save", "UsageError: say why"),
    "a rollback of nothing": ("%o rollback nothing", "DeployError: nothing serves 'nothing'"),
    "serving of nothing": ("%o serving nothing", "DeployError: nothing serves 'nothing'"),
    "a bad setting": ("%config ProjectO.mode = 'quick'\n%o config", "UsageError: mode is 'quick'"),
}


@pytest.fixture(scope="module")
def prepared(kernel):
    for code in (SET_UP, GOOD):
        ran = kernel.run(code)
        assert ran.status == "ok", ran.text
    return kernel


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_one_clear_error_and_loses_nothing(prepared, case):
    code, expected = CASES[case]
    ran = prepared.run(code)
    prepared.run("get_ipython().run_line_magic('config', 'ProjectO.mode = None')")

    assert ran.status == "error", ran.text
    assert re.search(expected, ran.error, re.DOTALL) or re.search(expected, ran.text, re.DOTALL), ran.text
    assert "Traceback (most recent call last)" not in ran.text or "Error" in ran.error
    assert prepared.value("kept, good.one()") == "([1, 2, 3], 1)"


@pytest.mark.parametrize(
    "case", ["a cell that does not compile", "an unknown verb", "an unknown program", "a save without a reason"]
)
def test_papermill_stops_at_it(tmp_path, case):
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(s) for s in ("%load_ext project_o", CASES[case][0], "print('after')")]
    )
    nbformat.write(notebook, tmp_path / "in.ipynb")
    with pytest.raises(PapermillExecutionError):
        papermill.execute_notebook(
            str(tmp_path / "in.ipynb"),
            str(tmp_path / "out.ipynb"),
            kernel_name="python3",
            cwd=str(tmp_path),
            progress_bar=False,
        )
    last = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[-1]
    assert last.outputs == []


def test_without_a_compiler_a_cell_says_what_to_install(start_kernel, tmp_path):
    missing = {"PROJECT_O_ZIG": str(tmp_path / "none"), "PROJECT_O_CACHE": str(tmp_path / "cache")}
    kernel = start_kernel(tmp_path, environment=missing)
    ran = kernel.run(GOOD)

    assert ran.status == "error"
    assert "ToolchainMissing" in ran.error
    assert "install" in ran.error
    assert kernel.run("%o history").status == "ok"


def test_a_bad_setting_does_not_keep_the_kernel_from_starting(start_kernel, tmp_path):
    kernel = start_kernel(tmp_path, environment={"PROJECT_O_HISTORY": "maybe"})
    assert "project_o is not loaded: history is 'maybe'" in kernel.run("1").text, "the first cell says why"
    ran = kernel.run("%load_ext project_o")

    assert ran.status == "error"
    assert "history is 'maybe'" in ran.text
    assert kernel.value("1 + 1") == "2"


def test_warnings_as_errors_and_a_broken_store_stop_no_cell(start_kernel, tmp_path):
    (tmp_path / ".o").mkdir()
    (tmp_path / ".o" / "store.git").write_text("not a store")
    kernel = start_kernel(tmp_path, module="ipykernel_launcher", environment={"XDG_DATA_HOME": "/proc/nowhere"})
    assert kernel.run("import warnings; warnings.simplefilter('error', UserWarning)").status == "ok"
    assert kernel.run("%load_ext project_o").status == "ok"

    assert kernel.value("6 * 7") == "42"
    assert kernel.run("%o where").status == "ok"
