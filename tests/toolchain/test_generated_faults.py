"""200 generated faulty cells: with ``--isolate`` all are survived, in-process all but those that damage the heap."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from faults import CORRUPTS, FAULT, KINDS, LOOP, PANIC, Cell, Group, groups

SEED, COUNTS, IN_ONE_BUILD = 20_240, {"zig": 150, "rust": 50}, 10
GROUPS = groups(SEED, COUNTS, IN_ONE_BUILD)


def cells_of(language: str) -> dict[str, tuple[Group, Cell]]:
    """Every cell by its name, with the build that it is in."""
    chosen = [group for group in GROUPS if group.language == language]
    return {f"{group.name}.{cell.function}": (group, cell) for group in chosen for cell in group.cells}


def reported(language: str, way: str) -> dict[str, dict[str, Any]]:
    """What a child said of each cell."""
    chosen = [group for group in GROUPS if group.language == language]
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("faults_child.py")), way],
        input=json.dumps([{**group._asdict(), "cells": [cell._asdict() for cell in group.cells]} for group in chosen]),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    reports = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert done.stdout.endswith("done\n"), f"{len(reports)} calls, then: {done.stderr[-3000:]}"
    return {report["name"]: report for report in reports}


def test_there_are_200_of_every_kind() -> None:
    assert sum(len(group.cells) for group in GROUPS) == 200
    assert groups(SEED, COUNTS, IN_ONE_BUILD) == GROUPS
    for language, kinds in KINDS.items():
        drawn = {cell.kind for _, cell in cells_of(language).values()}
        assert drawn == {kind.name for kind in kinds}


def wrong(group: Group, cell: Cell, report: dict[str, Any], *, apart: bool) -> str:
    """What a report should say and does not; "" for nothing."""
    if not report["variables"] or report["again"] != 21:
        return "the interpreter or the cell is damaged"
    if cell.ends == CORRUPTS and not apart:
        words = f"the cell {group.name} "
        if report["type"] in ("SIGABRT", "SIGSEGV") and words in report["message"] and "--isolate" in report["message"]:
            return ""
        return "its last words do not name it"
    expected = FAULT if cell.ends == CORRUPTS else cell.ends
    if report["type"] != expected:
        return f"{expected} was expected"
    if expected != LOOP and not report["message"].startswith(cell.function):
        return "the function is not named"
    if cell.line and report["line"] != cell.line:
        return f"line {cell.line} was expected"
    return "" if report["intact"] or cell.ends == CORRUPTS else "the array is damaged"


@pytest.mark.parametrize("way", ["inside", "isolated"])
@pytest.mark.parametrize("language", list(COUNTS))
def test_each_is_survived_and_named(language: str, way: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(f"{language}_there")
    cells, reports = cells_of(language), reported(language, way)
    apart = way == "isolated"
    found = {name: wrong(*cells[name], reports[name], apart=apart) for name in cells}
    bad = [f"{name} ({cells[name][1].kind}): {why}: {reports[name]}" for name, why in found.items() if why]

    assert not bad, "\n".join(bad)
    counted = Counter(cell.ends for _, cell in cells.values())
    survived = sum(1 for report in reports.values() if not report["type"].startswith("SIG"))
    assert survived == COUNTS[language] - (0 if apart else counted[CORRUPTS])
    assert all(counted[ends] >= 2 for ends in (PANIC, FAULT, LOOP, CORRUPTS)), counted
