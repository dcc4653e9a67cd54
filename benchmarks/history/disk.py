"""What states take on the disk: loose and packed, and beside twenty megabytes of figures."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path
from typing import Any

FIGURES = 20
FIGURE_BYTES = 1_000_000
CELLS = 100
STATES = 150
PROMISED = {"loose_bytes_a_state": 10_000, "packed_bytes_a_state": 1_500, "bytes_a_state": 10_000}
"""The most that a state of text may take: as it is written, once it is packed, and beside the figures."""


def _text(number: int) -> tuple[dict[str, Any], ...]:
    """Twelve lines, as a small table has."""
    lines = "".join(f"row {row:3}  {number * row % 997:8}  {number / (row + 1):12.6f}\n" for row in range(12))
    return ({"output_type": "stream", "name": "stdout", "text": lines},)


def _source(cell: int, number: int) -> str:
    return "".join(f"value_{line} = compute(data[{cell}], step={number + line})\n" for line in range(9))


def _bytes(store: str) -> tuple[int, int]:
    """(bytes of the files, bytes in blocks) of the objects."""
    files = [path.stat() for path in Path(store, "objects").rglob("*") if path.is_file()]
    return sum(one.st_size for one in files), sum(one.st_blocks * 512 for one in files)


def text_states(folder: Path, cells: int = CELLS, states: int = STATES) -> dict[str, Any]:
    """A notebook of ``cells`` text cells, of which ``states`` are run again one by one."""
    from project_o.history import CellRun, open_history

    history = open_history(folder, "n.ipynb")
    for cell in range(cells):
        history.record(CellRun(f"c{cell}", _source(cell, 0), _text(cell), cell))
    history.flush(120.0)
    subprocess.run(["git", f"--git-dir={history.store}", "repack", "-adq"], check=True)
    before, blocks_before = _bytes(history.store)
    for number in range(states):
        cell = number % cells
        history.record(CellRun(f"c{cell}", _source(cell, number + 1), _text(number + 1), number))
    history.flush(120.0)
    loose, blocks = _bytes(history.store)
    subprocess.run(["git", f"--git-dir={history.store}", "repack", "-adq"], check=True)
    packed, _ = _bytes(history.store)
    history.close()
    return {
        "cells": cells,
        "states": states,
        "loose_bytes_a_state": round((loose - before) / states),
        "loose_blocks_a_state": round((blocks - blocks_before) / states),
        "packed_bytes_a_state": round((packed - before) / states),
    }


def broken(found: dict[str, Any]) -> list[str]:
    """The promises that were not kept."""
    return [f"{key}: {found[key]:,}, at most {most:,}" for key, most in PROMISED.items() if found.get(key, 0) > most]


def beside_figures(folder: Path, states: int = 50) -> dict[str, Any]:
    """Text states in a notebook that holds twenty megabytes of figures."""
    from project_o.history import CellRun, open_history

    history = open_history(folder, "n.ipynb")
    for number in range(FIGURES):
        data = base64.b64encode(b"\x89PNG" + os.urandom(FIGURE_BYTES)).decode()
        figure = {"output_type": "display_data", "data": {"image/png": data}, "metadata": {}}
        history.record(CellRun(f"figure{number}", f"plot({number})", (figure,), number))
    history.flush(120.0)
    before, _ = _bytes(history.store)
    for number in range(states):
        history.record(CellRun(f"text{number % 10}", _source(number, number), _text(number), number))
    history.flush(120.0)
    after, _ = _bytes(history.store)
    history.close()
    return {
        "figures_bytes": FIGURES * FIGURE_BYTES,
        "states": states,
        "bytes_a_state": round((after - before) / states),
    }
