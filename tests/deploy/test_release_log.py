"""The log of releases holds no secret, whatever a reason quotes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from project_o.releases.events import EVENTS, write_event
from project_o.values import State


def test_no_secret_reaches_the_log_of_releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_API_KEY", "correct-horse-battery")
    reason = "a call raised ValueError: no correct-horse-battery here"
    state = State("ab12", 3, "main", "rollback", f"taken back: {reason}", 1.0, facts=(("reason", reason),))
    write_event(str(tmp_path), "rollback", "f", state)

    entry = json.loads((tmp_path / EVENTS).read_text("utf-8"))
    assert (entry["event"], entry["name"], entry["state"]) == ("rollback", "f", "ab12")
    assert "a call raised ValueError: no [redacted " in entry["reason"]
    assert "correct-horse" not in json.dumps(entry)
