"""Calls of what serves, a sample of them, in one SQLite file that survives the kernel.

To record a call is to append a tuple to a list; a batch of them is written when somebody has time for it. So a kernel
that is killed loses the last calls of this record, and nothing else. A file that cannot be used is said once, and what
was measured is known in this kernel all the same.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import warn
from ..limits import METRICS_BUFFER_MAX, METRICS_ROWS_MAX

FORMAT = 1
_BUSY_SECONDS = 2.0
_PRUNE_EVERY_ROWS = 5_000
_MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE calls (
        id INTEGER PRIMARY KEY, at REAL NOT NULL, name TEXT NOT NULL, program TEXT NOT NULL, function TEXT NOT NULL,
        seconds REAL NOT NULL, failed INTEGER NOT NULL, size INTEGER NOT NULL
    );
    CREATE INDEX calls_of_program ON calls (program, function);
    """,
)
"""From one format to the next, in order; formats only gain."""


@dataclass(frozen=True, slots=True)
class Call:
    """One sampled call. ``size`` is that of its arguments as a power of two, ``at`` seconds since the epoch."""

    at: float
    name: str
    program: str
    function: str
    seconds: float
    failed: bool
    size: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What was sampled of one function of one program: how many calls, how they took, what share of them failed."""

    name: str
    program: str
    function: str
    calls: int
    median: float
    high: float
    failed: float
    last: float


class Metrics:
    """Safe to share between threads. ``path`` says where the file is, "" where there is none."""

    def __init__(self, path: Callable[[], str], clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._buffer: deque[tuple[float, str, str, str, float, bool, int]] = deque(maxlen=METRICS_BUFFER_MAX)
        self._broken = ""
        self._written = 0

    def record(self, name: str, program: str, function: str, seconds: float, failed: bool, size: int) -> None:  # noqa: FBT001 - on the path of a call
        """One call: an append."""
        self._buffer.append((self._clock(), name, program, function, seconds, failed, size))

    def flush(self) -> int:
        """Write what was recorded; how many calls that were."""
        with self._lock:
            rows = []
            while self._buffer:
                rows.append(self._buffer.popleft())
            path = self._path()
            if not rows or not path or path == self._broken:
                return 0
            try:
                self._write(path, rows)
            except sqlite3.Error as error:
                self._broken = path
                warn(f"metrics are not kept ({path}: {error}): remove that file to begin a new one")
                return 0
            return len(rows)

    def _write(self, path: str, rows: list[tuple[float, str, str, str, float, bool, int]]) -> None:
        with _opened(path) as connection:
            connection.executemany(
                "INSERT INTO calls (at, name, program, function, seconds, failed, size) VALUES (?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            before, self._written = self._written, self._written + len(rows)
            if before // _PRUNE_EVERY_ROWS != self._written // _PRUNE_EVERY_ROWS or not before:
                connection.execute("DELETE FROM calls WHERE id <= (SELECT max(id) FROM calls) - ?", (METRICS_ROWS_MAX,))

    def calls(self, program: str, limit: int) -> list[Call]:
        """The first calls of a program that are still known, oldest first."""
        self.flush()
        columns = "at, name, program, function, seconds, failed, size"
        query = f"SELECT {columns} FROM calls WHERE program = ? ORDER BY id LIMIT ?"
        return [Call(*row) for row in self._read(query, (program, limit))]

    def summaries(self, name: str | None = None) -> list[Summary]:
        """What is known of each function of each program, the latest first; of one name if it is given."""
        self.flush()
        where, values = ("WHERE name = ?", (name,)) if name is not None else ("", ())
        groups = self._read(
            f"SELECT name, program, function, count(*), avg(failed), max(at) FROM calls {where} "
            "GROUP BY name, program, function ORDER BY max(at) DESC",
            values,
        )
        found = []
        for label, program, function, count, failed, last in groups:
            times = [
                row[0]
                for row in self._read(
                    "SELECT seconds FROM calls WHERE name = ? AND program = ? AND function = ? ORDER BY seconds",
                    (label, program, function),
                )
            ]
            high = times[min(len(times) - 1, int(0.95 * len(times)))]
            found.append(Summary(label, program, function, count, times[len(times) // 2], high, failed, last))
        return found

    def _read(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        path = self._path()
        if not path or path == self._broken or not Path(path).exists():
            return []
        try:
            with _opened(path) as connection:
                return list(connection.execute(query, values))
        except sqlite3.Error as error:
            self._broken = path
            warn(f"metrics cannot be read ({path}: {error}): remove that file to begin a new one")
            return []


class _opened:  # noqa: N801 - reads as what it gives: an opened file
    """A connection that is committed and closed; of an older format it is brought to this one."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)

    def __enter__(self) -> sqlite3.Connection:
        connection = self._connection
        try:
            connection.execute("PRAGMA synchronous = OFF")  # a power loss may cost the record, never the history
            connection.execute("BEGIN IMMEDIATE")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > FORMAT:
                raise sqlite3.DatabaseError(f"it has format {version}, and this is project-o for format {FORMAT}")
            for number in range(version, FORMAT):
                for statement in _MIGRATIONS[number].split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number + 1}")
        except BaseException:
            connection.close()
            raise
        return connection

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self._connection.execute("ROLLBACK" if kind else "COMMIT")
        finally:
            self._connection.close()
