"""Run the demo notebook through papermill and leave it, executed, and a page of it.

python notebooks/run_demo.py [FOLDER] [NAME=VALUE ...]
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import nbformat
import papermill

NOTEBOOK = Path(__file__).with_name("01_evolve_a_kernel.ipynb")


def main(folder: Path, parameters: dict[str, object]) -> None:
    """Execute, convert, and print the notebook's last lines."""
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / NOTEBOOK.name
    started = time.monotonic()
    papermill.execute_notebook(str(NOTEBOOK), str(out), parameters, kernel_name="project-o", progress_bar=False)
    seconds = time.monotonic() - started
    subprocess.run(  # the page is made without running anything: what is recorded is what is shown
        [sys.executable, "-m", "nbconvert", "--to", "html", "--log-level", "ERROR", str(out)], check=True
    )
    last = nbformat.read(out, as_version=4).cells[-1]
    print("".join(output.get("text", "") for output in last.outputs), end="")
    print(f"notebook                     {out}  ({seconds:.0f} s)")
    print(f"page                         {out.with_suffix('.html')}")


def _value(text: str) -> object:
    return int(text) if text.isdigit() else text


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("demo-output")
    main(target, {name: _value(text) for name, text in (word.split("=", 1) for word in sys.argv[2:])})
