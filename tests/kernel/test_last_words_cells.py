"""What cannot be survived in a real kernel: the notebook says which cell it was, and the history has every cell."""

import os
import subprocess
import sys
import time

import nbformat
import pytest

ZIG = """%%zig frail --no-trial
extern fn malloc(n: usize) [*]volatile u64;
extern fn free(p: [*]volatile u64) void;
pub fn corrupt() void {
    const p = malloc(24);
    for (0..40) |i| p[i] = 0x4141414141414141;
    free(p);
    free(malloc(2000));
    free(p);
    for (0..100) |i| _ = malloc(16 * i);
}
pub fn fine(a: i32) i32 {
    return a + 1;
}
"""
RUST = """%%rust frail --no-trial
pub fn corrupt() {
    std::process::abort();
}
pub fn fine(a: i32) -> i32 {
    a + 1
}
"""


def last_outputs(kernel, code):
    """What reaches the front end of a cell that ends its kernel."""
    kernel.client.execute(code)
    until, text = time.monotonic() + 60, ""
    while kernel.manager.is_alive() and time.monotonic() < until:
        time.sleep(0.05)
    assert not kernel.manager.is_alive()
    while True:
        try:
            message = kernel.client.get_iopub_msg(timeout=1)
        except Exception:  # noqa: BLE001 - the queue is empty
            return text
        if message["msg_type"] == "stream":
            text += message["content"]["text"]


@pytest.mark.parametrize("cell", [ZIG, RUST], ids=["zig", "rust"])
def test_the_kernel_says_which_cell_ended_it_and_the_history_has_every_cell(
    start_kernel, tmp_path, cell, monkeypatch, capfd
):
    with monkeypatch.context() as changed:
        changed.delenv("PYTEST_CURRENT_TEST")  # by it ipykernel would leave the descriptors as they are
        kernel = start_kernel(tmp_path)
    kernel.run("kept = 41")
    assert kernel.run(cell).status == "ok"
    assert kernel.value("frail.fine(kept)") == "42"
    said = last_outputs(kernel, "frail.corrupt()")

    assert "project-o: the cell frail " in said
    assert "This cannot be survived in-process" in said
    assert "--isolate" in said
    # Who looks at the server sees it too; there ipykernel's own echo may come in between.
    logged = capfd.readouterr().err
    assert "frail" in logged
    assert "This cannot be survived in-process" in logged
    again = start_kernel(tmp_path)
    listed = again.run("%o history").text
    for source in ("kept = 41", cell.split(" --")[0], "frail.fine(kept)", "frail.corrupt()"):
        assert source in listed


def test_with_isolate_the_same_cell_ends_its_worker_only(start_kernel, tmp_path):
    kernel = start_kernel(tmp_path)
    assert kernel.run(ZIG.replace("--no-trial", "--isolate")).status == "ok"
    for _ in range(2):
        ran = kernel.run("frail.corrupt()")
        assert "NativeFault" in ran.error
        assert "corrupt was ended by signal SIGABRT" in ran.error
    assert kernel.value("frail.fine(41)") == "42"


PANICS = "%%zig frail\npub fn corrupt(a: []const u8) u8 {\n    return a[7];\n}"
FAULTS = "%%zig frail --mode fast\npub fn corrupt(a: []const u8) u8 {\n    return a.ptr[a.len];\n}"


@pytest.mark.parametrize(
    ("cell", "call", "says"),
    [
        (PANICS, "frail.corrupt(b'four')", "NativePanic: corrupt, line 3: index out of bounds: index 7, len 4"),
        (FAULTS, "frail.corrupt(b'four')", "right behind the end of a"),
        (ZIG, "frail.corrupt()", "project-o: the cell frail ended in abort()"),
    ],
    ids=["panic", "fault", "heap corruption"],
)
def test_papermill_ends_with_a_failure_and_its_notebook_says_why(tmp_path, cell, call, says):
    sources = ("%load_ext project_o", cell, call, "print('after')")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    nbformat.write(notebook, tmp_path / "in.ipynb")
    environment = {key: value for key, value in os.environ.items() if key != "PYTEST_CURRENT_TEST"}
    done = subprocess.run(
        [sys.executable, "-m", "papermill", "in.ipynb", "out.ipynb", "-k", "python3", "--no-progress-bar"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode != 0
    written = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells
    assert says in str([item.get("outputs") for item in written]) + done.stderr
    assert written[-1].outputs == []
