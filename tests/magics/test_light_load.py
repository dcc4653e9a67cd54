"""Every kernel loads the extension as it starts: what a plain cell does not need is not imported by that."""

import os
import subprocess
import sys

LOAD = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
before = set(sys.modules)
shell.extension_manager.load_extension("project_o")
shell.run_cell("answer = 6 * 7")
print(*sorted(set(sys.modules) - before))
shell.extension_manager.unload_extension("project_o")
"""
NEEDED_LATER = ("evolution", "languages", "operations", "sandbox", "toolchain", "view")
HEAVY = ("cffi", "elftools", "git", "nbformat", "numpy", "optuna", "tree_sitter")


def test_loading_and_a_plain_cell_import_no_room_that_they_do_not_need(tmp_path):
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path / "ipython")}
    done = subprocess.run(
        [sys.executable, "-c", LOAD], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    imported = {name.split(".")[1] for name in done.stdout.split() if name.startswith("project_o.")}
    assert "magics" in imported
    assert sorted(imported & set(NEEDED_LATER)) == []
    assert sorted({name.split(".")[0] for name in done.stdout.split()} & set(HEAVY)) == []
