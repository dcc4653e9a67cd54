"""IPython in a terminal, without a kernel: the extension loads, and cells do what they do in a notebook, as text."""

import os
import subprocess
import sys

import pytest

ZIG = """%%zig nat
pub fn up(x: i32) i32 { return x + 1; }
pub fn at(a: []const u8, i: usize) u8 { return a[i]; }
"""
RUST = """%%rust nat
pub fn up(x: i32) -> i32 { x + 1 }
pub fn at(a: &[u8], i: usize) -> u8 { a[i] }
"""


@pytest.mark.parametrize("cell", [ZIG, RUST], ids=["zig", "rust"])
def test_a_cell_in_a_terminal(cell, tmp_path):
    typed = f"%load_ext project_o\n{cell}\n\nprint('gives', nat.up(41))\nnat.at(b'a', 3)\nexit\ny\n"
    command = [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor"]
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path / "ipython")}

    done = subprocess.run(
        command, input=typed, capture_output=True, text=True, timeout=120, cwd=tmp_path, env=environment, check=False
    )

    assert "gives 42" in done.stdout, done.stdout + done.stderr
    assert "up(x: int) -> int" in done.stdout
    assert "NativePanic: at, line 3: index out of bounds" in done.stdout
    assert "<div" not in done.stdout
