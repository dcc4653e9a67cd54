"""The soak's own machinery, each kind of kill a few times; the full counts are ``make soak``."""

import random
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


@pytest.mark.parametrize(("kind", "count"), [("kernel", 1), ("recorder", 2), ("both", 1), ("release", 2)])
def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path, kind, count):
    from benchmarks.history import kills

    from project_o.history import open_history

    chance = random.Random(f"{kind} 1")
    lost = [getattr(kills, f"kill_{kind}")(tmp_path, chance) for _ in range(count)]

    assert lost == [0] * count
    store = open_history(tmp_path, "n.ipynb").store
    assert kills.check_store(store) > count
