"""The log holds one JSON object a line, whatever is written and however many write."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from project_o.observe import EventLog


def test_events_are_json_lines_with_their_time(tmp_path: Path) -> None:
    with EventLog(tmp_path / "log.jsonl", clock=lambda: 12.5) as log:
        log.write("trial", index=3, ratio=float("nan"), path=tmp_path, nested={"a": [1, float("inf")]}, text="é\n")

    (line,) = (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {
        "when": 12.5,
        "event": "trial",
        "index": 3,
        "ratio": "nan",
        "path": str(tmp_path),
        "nested": {"a": [1, "inf"]},
        "text": "é\n",
    }


def test_lines_of_many_threads_do_not_mix(tmp_path: Path) -> None:
    with EventLog(tmp_path / "log.jsonl") as log:
        threads = [
            threading.Thread(target=lambda name=name: [log.write("event", name=name, pad="x" * 500) for _ in range(50)])
            for name in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    found = [json.loads(line)["name"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert sorted(found) == sorted(list(range(8)) * 50)
