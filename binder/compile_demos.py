"""Compile every native cell of some notebooks, so that whoever opens them waits for no compiler.

python binder/compile_demos.py FOLDER
"""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

import nbformat

from project_o import toolchain
from project_o.errors import ToolchainMissing
from project_o.flow import Flow


def compile_cells(notebook: Path) -> int:
    """Compile the cells that begin with ``%%zig`` or ``%%rust``; how many there were."""
    flow, count = Flow(), 0
    for cell in nbformat.read(notebook, as_version=4).cells:
        first, _, body = cell.source.partition("\n")
        language = first.split()[0][2:] if first.startswith("%%") else ""
        if cell.cell_type != "code" or language not in ("zig", "rust"):
            continue
        words = [word for word in shlex.split(first)[1:] if not word.startswith("--")]
        if "raises-exception" in cell.metadata.get("tags", ()):
            continue  # a lesson about errors
        try:
            flow.cell("\n" + body, language, words[0] if words else "")
        except ToolchainMissing as missing:
            print(f"{notebook.name}: skipped a {language} cell: {missing}")
            continue
        count += 1
    return count


def main(folder: Path) -> None:
    """Fill the compilers' own caches, then compile what is in the notebooks."""
    started = time.monotonic()
    toolchain.warm()
    for notebook in sorted(folder.glob("*.ipynb")):
        print(f"{notebook.name}: {compile_cells(notebook)} native cells compiled")
    print(f"{time.monotonic() - started:.1f} s, in {toolchain.cache_directory()}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
