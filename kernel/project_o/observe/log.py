"""A structured log: one JSON object a line, for machines first and readable by people.

{"when": 1763812345.678, "event": "trial", "index": 3, "status": "better", "ratio": 1.41}
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Any


class EventLog:
    """Appends events to a file. Safe to share between threads; each line is written whole and at once.

    Raises OSError if the file cannot be opened for appending. ``clock`` gives seconds since the epoch.
    """

    def __init__(self, path: str | Path, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._file: IO[str] = Path(path).open("a", encoding="utf-8", buffering=1)  # noqa: SIM115 - closed by close()

    def __enter__(self) -> EventLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, event: str, **facts: Any) -> None:
        """One line. What JSON does not know is written as its text; nan and infinity too, so that any reader copes."""
        line = json.dumps(_plain({"when": round(self._clock(), 6), "event": event, **facts}), ensure_ascii=False)
        with self._lock:
            self._file.write(line + "\n")

    def close(self) -> None:
        """Closes the file. Closing twice is allowed."""
        with self._lock:
            self._file.close()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)
