"""The versions of a memory's file, and the way from each to the next and back.

To add one more: write its statements up and down in ``STEPS``. What an older version has no place for is carried in a
table that it does not look at, so that going down and up again loses nothing; ``migrate`` compares the data it finds
before and after, and goes back where it differs.
"""

from __future__ import annotations

import hashlib
import sqlite3

from ...errors import AgentError

APPLICATION = 0x4F6D656D
"""In the header of the file: this is a memory, and not another program's database."""

BASE = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE block (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, text TEXT NOT NULL, source TEXT NOT NULL,
    made REAL NOT NULL, last_used REAL NOT NULL, uses INTEGER NOT NULL, document TEXT NOT NULL, start INTEGER NOT NULL,
    scope TEXT NOT NULL, importance REAL NOT NULL, pinned INTEGER NOT NULL,
    supersedes TEXT NOT NULL, superseded_by TEXT NOT NULL);
CREATE INDEX block_document ON block (document);
CREATE INDEX block_worth ON block (pinned, importance, uses, last_used, made);
CREATE TABLE vector (number INTEGER PRIMARY KEY, scope TEXT NOT NULL, vector BLOB NOT NULL);
CREATE INDEX vector_scope ON vector (scope);
CREATE TABLE rarity (feature INTEGER PRIMARY KEY, blocks INTEGER NOT NULL);
CREATE TABLE forgotten (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, text TEXT NOT NULL, at REAL NOT NULL);
CREATE VIRTUAL TABLE words USING fts5 (text, content='block', content_rowid='number', tokenize='porter unicode61');
"""

_CARRIED = (
    "CREATE TABLE IF NOT EXISTS carried_taught (block TEXT NOT NULL, question TEXT NOT NULL, vector BLOB NOT NULL)"
)

_TAUGHT = (
    "CREATE TABLE taught (number INTEGER PRIMARY KEY AUTOINCREMENT, block TEXT NOT NULL, "
    "question TEXT NOT NULL, vector BLOB NOT NULL, UNIQUE (block, question))"
)
_BACK = (
    "INSERT INTO taught (block, question, vector) SELECT block, question, vector FROM carried_taught "
    "WHERE block IN (SELECT id FROM block)"
)

STEPS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (
        (
            _TAUGHT,
            _CARRIED,
            _BACK,
            "DROP TABLE carried_taught",
        ),
        (
            _CARRIED,
            "INSERT INTO carried_taught SELECT block, question, vector FROM taught ORDER BY number",
            "DROP TABLE taught",
        ),
    ),
)
"""From version n to n + 1: up, and down. Version 2 knows which questions a user said a block is the answer to."""

VERSION = 1 + len(STEPS)
TAUGHT_SINCE = 2

_DATA = {
    "meta": "SELECT name, value FROM meta WHERE name != 'schema' ORDER BY name",
    "block": "SELECT * FROM block ORDER BY number",
    "vector": "SELECT * FROM vector ORDER BY number",
    "rarity": "SELECT * FROM rarity ORDER BY feature",
    "forgotten": "SELECT id, text, at FROM forgotten ORDER BY number",
    "taught": "SELECT block, question, vector FROM {taught} WHERE block IN (SELECT id FROM block) ORDER BY 1, 2",
}


def create(connection: sqlite3.Connection) -> None:
    """Make the newest version in an empty file."""
    for statement in BASE.split(";\n"):
        if statement.strip():
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    _set(connection, 1)
    step(connection, 1, VERSION)


def version_of(connection: sqlite3.Connection) -> int:
    """The version of a file; 0 for an empty one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def taught_table(connection: sqlite3.Connection) -> str:
    """Where this version keeps what was taught; version 1 only carries it."""
    return "taught" if version_of(connection) >= TAUGHT_SINCE else "carried_taught"


def chosen(connection: sqlite3.Connection) -> int:
    """The version that a file is to stay at; the newest where nobody chose."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
    return int(row[0]) if row else VERSION


def step(connection: sqlite3.Connection, now: int, to: int) -> None:
    """Run the statements between two versions, inside the transaction that is open."""
    while now != to:
        up = to > now
        for statement in STEPS[now - 1 if up else now - 2][0 if up else 1]:
            connection.execute(statement)
        now += 1 if up else -1
        _set(connection, now)


def migrate(connection: sqlite3.Connection, to: int) -> None:
    """Bring a file to another version, up or down, in one transaction: all of it or nothing.

    It stays there when it is opened again. Raises AgentError for a version there is no way to, and where the data would
    not be the same.
    """
    if not 1 <= to <= VERSION:
        raise AgentError(f"there is no version {to} of a memory's file: 1 to {VERSION}")
    now = version_of(connection)
    if now == to:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        now = version_of(connection)
        before = digest(connection)
        step(connection, now, to)
        connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('schema', ?)", [str(to)])
        if digest(connection) != before:
            raise AgentError(
                f"the memory's file was not brought from version {now} to {to}: its data would not be the same; "
                "it is as it was"
            )
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def digest(connection: sqlite3.Connection) -> str:
    """A hash of all data, the same in every version that can hold it."""
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    found = hashlib.sha256()
    place = next((table for table in ("taught", "carried_taught") if table in tables), "")
    for name, select in _DATA.items():
        if "{taught}" in select and not place:
            continue
        for number, row in enumerate(connection.execute(select.format(taught=place))):
            found.update(f"{name} {number} {row!r}\n".encode("utf-8", "surrogatepass"))
    return found.hexdigest()


def _set(connection: sqlite3.Connection, version: int) -> None:
    connection.execute(f"PRAGMA user_version = {version}")
