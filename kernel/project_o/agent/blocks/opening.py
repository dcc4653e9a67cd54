"""Opening a memory's file: made where there is none, brought to this version, refused where it is something else."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from ... import limits
from ...errors import AgentError
from . import schema

IN_MEMORY = ":memory:"


class DamagedError(AgentError):
    """A memory's file that was cut off, or is none."""


_PAGE_BYTES = 16_384
"""A block is in one page as a whole: who looks for its text in the file's bytes finds it."""
_HEADER_BYTES = 100


def open_file(path: str) -> sqlite3.Connection:
    """A connection to a memory's file, at this version of the schema.

    Raises AgentError, with nothing changed, for a file that was cut off or damaged, of a newer version, or of another
    program.
    """
    if path != IN_MEMORY:
        _check_whole(path)
    try:
        connection = sqlite3.connect(
            path, timeout=limits.MEMORY_LOCK_SECONDS_MAX, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    except sqlite3.DatabaseError as error:
        kind = AgentError if isinstance(error, sqlite3.OperationalError) else DamagedError
        raise kind(f"the memory {path} cannot be opened ({error}): it is left as it is; {_NEXT}") from error
    return connection


_NEXT = "move it away and define the memory again, or put a copy in its place"


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    version = schema.version_of(connection)
    tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    ours = connection.execute("PRAGMA application_id").fetchone()[0] == schema.APPLICATION
    if tables and not ours:
        raise AgentError(f"{path} is a database, but no memory: it is left as it is; give another path")
    if version > schema.VERSION:
        raise AgentError(
            f"the memory {path} is of version {version}, and this project-o knows up to {schema.VERSION}: it is left "
            "as it is; open it with the newer project-o"
        )
    if path != IN_MEMORY:
        _check_pages(connection, path)
    if not tables:
        connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA secure_delete = ON")
    if not tables:
        connection.execute("BEGIN IMMEDIATE")
        try:
            if not schema.version_of(connection):  # another process may have been first
                schema.create(connection)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
    elif version < schema.chosen(connection):
        schema.migrate(connection, schema.VERSION)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Readers do not wait for a writer then. The switch itself does not wait for others: it is tried until it holds."""
    deadline = time.monotonic() + limits.MEMORY_LOCK_SECONDS_MAX
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _check_whole(path: str) -> None:
    """Raises AgentError for a file that is shorter than its own header says, or has none."""
    file = Path(path)
    if not file.exists() or not file.stat().st_size:
        return
    with open(file, "rb") as opened:
        header = opened.read(_HEADER_BYTES)
    if not header.startswith(b"SQLite format 3\0") or len(header) < _HEADER_BYTES:
        raise DamagedError(f"{path} is no memory: it is left as it is; give another path, or {_NEXT}")
    size = int.from_bytes(header[16:18], "big")
    bytes_wanted = (65_536 if size == 1 else size) * int.from_bytes(header[28:32], "big")
    if file.stat().st_size < bytes_wanted:
        raise DamagedError(
            f"the memory {path} was cut off: {file.stat().st_size:,} of {bytes_wanted:,} bytes are there; it is left "
            f"as it is; {_NEXT}"
        )


def _check_pages(connection: sqlite3.Connection, path: str) -> None:
    """Raises AgentError for a small file with damaged pages; a large one says so when such a page is read."""
    if os.path.getsize(path) <= limits.MEMORY_CHECKED_BYTES_MAX:  # noqa: PTH202 - one call
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise DamagedError(f"the memory {path} is damaged ({found}): it is left as it is; {_NEXT}")


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing; nested, it is part of the outer one. Raises AgentError where the file cannot be written."""
    if connection.in_transaction:
        yield
        return
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
    except sqlite3.Error as error:
        raise AgentError(f"a memory could not be written ({error}): what was kept before is still there") from error
