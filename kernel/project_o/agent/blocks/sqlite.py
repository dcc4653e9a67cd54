"""Blocks in one SQLite file: texts, vectors, words and what is common among them. Several processes may use it.

Vectors are held as one matrix where it is small enough (``limits.MEMORY_MATRIX_BYTES_MAX``), else each search reads
them from the file in pieces; texts are read when they are asked for. A corrected block keeps its text and loses its
vector and its words, so no search can find it.
"""

from __future__ import annotations

import os
import re
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ... import limits
from ...errors import AgentError
from . import schema
from .block import Block, Forgotten
from .held import Held, packed
from .opening import IN_MEMORY, open_file, transaction
from .seam import Entry

if TYPE_CHECKING:
    import numpy as np

_COLUMNS = (
    "id, text, source, made, last_used, uses, document, start, scope, importance, pinned, supersedes, superseded_by"
)
_PLACES = ", ".join("?" * 13)
_AT_ONCE = 500


class SqliteBlocks:
    """A ``BlockStore`` in the file ``path``, or in memory. Safe to use from any thread. Raises AgentError.

    ``features`` gives what a text is rare or common by, as small numbers.
    """

    def __init__(self, path: str = IN_MEMORY, features: Callable[[str], Collection[int]] = lambda _text: ()) -> None:
        self.path = path
        self._features = features
        self._lock = threading.RLock()
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._opened = open_file(self.path)
        self._held = Held(self._all, self._pieces)

    @property
    def _connection(self) -> sqlite3.Connection:
        """In a forked child a connection of its own: SQLite's cannot be shared."""
        if self._process != os.getpid() and self.path != IN_MEMORY:
            self._begin()
        return self._opened

    # ------------------------------------------------------------------ reading

    def get(self, ids: Iterable[str]) -> dict[str, Block]:
        """See the seam."""
        wanted, found = list(ids), {}
        with self._lock:
            for at in range(0, len(wanted), _AT_ONCE):
                part = wanted[at : at + _AT_ONCE]
                for row in self._all(f"SELECT {_COLUMNS} FROM block WHERE id IN ({_marks(part)})", part):
                    found[row[0]] = _block(row)
        return found

    def of_document(self, document: str) -> list[Block]:
        """See the seam."""
        with self._lock:
            rows = self._all(f"SELECT {_COLUMNS} FROM block WHERE document = ? ORDER BY start", [document])
        return [_block(row) for row in rows]

    def blocks(self, prefix: str = "", *, superseded: bool | None = False) -> Iterator[Block]:
        """See the seam."""
        which = {None: "", False: "AND superseded_by = ''", True: "AND superseded_by != ''"}[superseded]
        last = 0
        while True:
            with self._lock:
                rows = self._all(
                    f"SELECT number, {_COLUMNS} FROM block WHERE number > ? AND id >= ? AND id < ? {which} "
                    f"ORDER BY number LIMIT {_AT_ONCE}",
                    [last, prefix, prefix + "g"],
                )
            yield from (_block(row[1:]) for row in rows)
            if len(rows) < _AT_ONCE:
                return
            last = rows[-1][0]

    def count(self) -> int:
        """See the seam."""
        with self._lock:
            return int(self._all("SELECT count(*) FROM vector")[0][0])

    def rarity(self, features: Iterable[int]) -> dict[int, int]:
        """See the seam."""
        wanted, found = list(features), dict[int, int]()
        with self._lock:
            for at in range(0, len(wanted), _AT_ONCE):
                part = wanted[at : at + _AT_ONCE]
                found.update(self._all(f"SELECT feature, blocks FROM rarity WHERE feature IN ({_marks(part)})", part))
        return found

    def least(self, count: int) -> list[Block]:
        """See the seam."""
        with self._lock:
            rows = self._all(
                f"SELECT {_COLUMNS} FROM block WHERE pinned = 0 "
                "ORDER BY superseded_by = '', importance, uses, last_used, made, number LIMIT ?",
                [count],
            )
        return [_block(row) for row in rows]

    def forgotten(self) -> list[Forgotten]:
        """See the seam."""
        with self._lock:
            return [Forgotten(*row) for row in self._all("SELECT id, text, at FROM forgotten ORDER BY number")]

    def facts(self) -> dict[str, str]:
        """See the seam."""
        with self._lock:
            return dict(self._all("SELECT name, value FROM meta"))

    def embedder(self) -> str:
        """See the seam."""
        return self.facts().get("embedder", "")

    def taught(self) -> list[tuple[str, str]]:
        """See the seam."""
        with self._lock:
            return self._all(f"SELECT block, question FROM {self._table} ORDER BY rowid")

    # ------------------------------------------------------------------ searching

    def nearest(self, vector: np.ndarray, count: int, scope: str | None = None) -> list[tuple[str, float]]:
        """See the seam."""
        with self._lock:
            found = dict(self._held.nearest(vector, count, scope))
            names = self._all(f"SELECT number, id FROM block WHERE number IN ({_marks(list(found))})", list(found))
            scores = {name: found[number] for number, name in names}
            answers = self._held.answers(vector, scope) if self.version() >= schema.TAUGHT_SINCE else {}
            for name, score in answers.items():
                scores[name] = max(score, scores.get(name, 0.0))
        return sorted(scores.items(), key=lambda item: -item[1])[:count]

    def matching(self, query: str, count: int, scope: str | None = None) -> list[str]:
        """See the seam."""
        words = " OR ".join(f'"{word}"' for word in dict.fromkeys(re.findall(r"\w+", query)))
        if not words:
            return []
        where, values = ("", []) if scope is None else ("AND block.scope IN ('', ?)", [scope])
        with self._lock:
            rows = self._all(
                "SELECT block.id FROM words JOIN block ON block.number = words.rowid "
                f"WHERE words MATCH ? {where} ORDER BY bm25(words), block.number DESC LIMIT ?",
                [words, *values, count],
            )
        return [row[0] for row in rows]

    def _pieces(self, last: int) -> Iterator[list[tuple[int, str, bytes]]]:
        """The vectors behind a number, some at a time."""
        cursor = self._connection.execute(
            "SELECT number, scope, vector FROM vector WHERE number > ? ORDER BY number", [last]
        )
        while rows := cursor.fetchmany(limits.MEMORY_STREAM_ROWS):
            yield rows

    # ------------------------------------------------------------------ writing

    def add(self, entries: Sequence[Entry]) -> None:
        """See the seam."""
        with self._lock, transaction(self._connection):
            common: Counter[int] = Counter()
            for entry in entries:
                done = self._connection.execute(
                    f"INSERT OR IGNORE INTO block ({_COLUMNS}) VALUES ({_PLACES})", _row(entry.block)
                )
                if done.rowcount and entry.vector is not None and not entry.block.superseded_by:
                    self._index(int(done.lastrowid or 0), entry.block, entry.vector)
                    common.update(self._features(entry.block.text))
            self._count(common)

    def supersede(self, old: Sequence[str], entries: Sequence[Entry]) -> None:
        """See the seam."""
        new = {entry.block.id for entry in entries}
        with self._lock, transaction(self._connection):
            self._remove_rows(sorted(new), keep_block=False)  # a value that was corrected once may come back
            self.add(entries)
            gone = [name for name in old if name not in new]
            self._remove_rows(gone, keep_block=True)
            self._connection.executemany(
                "UPDATE block SET superseded_by = ? WHERE id = ?", [(entries[0].block.id, name) for name in gone]
            )

    def touch(self, ids: Sequence[str], now: float) -> None:
        """See the seam."""
        with self._lock, transaction(self._connection):
            self._connection.executemany(
                "UPDATE block SET uses = uses + 1, last_used = ? WHERE id = ?", [(now, name) for name in ids]
            )

    def change(self, block: Block) -> None:
        """See the seam."""
        with self._lock, transaction(self._connection):
            moved = self._all("SELECT 1 FROM block WHERE id = ? AND scope != ?", [block.id, block.scope])
            self._connection.execute(
                "UPDATE block SET source = ?, scope = ?, importance = ?, pinned = ? WHERE id = ?",
                [block.source, block.scope, block.importance, block.pinned, block.id],
            )
            if moved:
                self._connection.execute(
                    "UPDATE vector SET scope = ? WHERE number = (SELECT number FROM block WHERE id = ?)",
                    [block.scope, block.id],
                )
                self._held.drop()

    def remove(self, ids: Sequence[str], now: float) -> None:
        """See the seam."""
        with self._lock, transaction(self._connection):
            self._connection.executemany(
                "INSERT INTO forgotten (id, text, at) SELECT id, text, ? FROM block WHERE id = ?",
                [(now, name) for name in ids],
            )
            self._remove_rows(list(ids), keep_block=False)
            self._trim()

    def replace(self, entries: Iterable[Entry], forgotten: Sequence[Forgotten], embedder: str) -> None:
        """See the seam."""
        with self._lock, transaction(self._connection):
            for table in ("block", "vector", "rarity", "forgotten", self._table):
                self._connection.execute(f"DELETE FROM {table}")
            self._connection.execute("INSERT INTO words (words) VALUES ('rebuild')")
            self._held.drop()
            self._connection.executemany(
                "INSERT INTO forgotten (id, text, at) VALUES (?, ?, ?)",
                [(item.id, item.text, item.when) for item in forgotten],
            )
            self.note("embedder", embedder)
            self.add(list(entries))
            self._trim()

    def embed_anew(self, vectors: Iterable[tuple[str, np.ndarray]], embedder: str) -> None:
        """See the seam."""
        with self._lock, transaction(self._connection):
            self._connection.executemany(
                "UPDATE vector SET vector = ? WHERE number = (SELECT number FROM block WHERE id = ?)",
                ((packed(vector), name) for name, vector in vectors),
            )
            self._connection.execute(f"DELETE FROM {self._table}")
            self.note("embedder", embedder)
            self._held.drop()

    def teach(self, block: str, question: str, vector: np.ndarray) -> None:
        """See the seam."""
        if self.version() < schema.TAUGHT_SINCE:
            raise AgentError(
                f"a memory of version {self.version()} cannot be taught: bring it to {schema.VERSION} first"
            )
        with self._lock, transaction(self._connection):
            self._connection.execute(
                "INSERT OR IGNORE INTO taught (block, question, vector) VALUES (?, ?, ?)",
                [block, question, packed(vector)],
            )
            self._held.taught_changed()

    def note(self, name: str, value: str) -> None:
        """See the seam."""
        with self._lock, transaction(self._connection):
            self._connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", [name, value])

    def version(self) -> int:
        """See the seam."""
        return schema.version_of(self._connection)

    def migrate(self, version: int) -> None:
        """See the seam."""
        with self._lock:
            schema.migrate(self._connection, version)
            self._held.drop()

    @property
    def _table(self) -> str:
        return schema.taught_table(self._connection)

    def copy_to(self, place: str) -> SqliteBlocks:
        """See the seam: ``place`` is a path."""
        made = SqliteBlocks(place, self._features)
        with self._lock, transaction(made._connection):
            schema.step(made._connection, made.version(), self.version())
            for table in ("meta", "block", "vector", "rarity", "forgotten", self._table):
                rows = self._all(f"SELECT * FROM {table}")
                if rows:
                    made._connection.executemany(f"INSERT INTO {table} VALUES ({_marks(rows[0])})", rows)
            made._connection.execute(
                "INSERT INTO words (rowid, text) SELECT number, text FROM block JOIN vector USING (number)"
            )
            self._opened.close()
        return made

    def close(self) -> None:
        """See the seam."""
        with self._lock:
            if self._process == os.getpid():
                self._opened.close()

    # ------------------------------------------------------------------ inside

    def _index(self, number: int, block: Block, vector: np.ndarray) -> None:
        self._connection.execute(
            "INSERT INTO vector (number, scope, vector) VALUES (?, ?, ?)", [number, block.scope, packed(vector)]
        )
        self._connection.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", [number, block.text])

    def _remove_rows(self, ids: Sequence[str], *, keep_block: bool) -> None:
        common: Counter[int] = Counter()
        for name in ids:
            for number, text in self._all(
                "SELECT block.number, text FROM block JOIN vector USING (number) WHERE id = ?", [name]
            ):
                self._connection.execute("DELETE FROM vector WHERE number = ?", [number])
                self._connection.execute(
                    "INSERT INTO words (words, rowid, text) VALUES ('delete', ?, ?)", [number, text]
                )
                common.update(self._features(text))
                self._held.gone(number)
        if not keep_block:
            self._connection.executemany("DELETE FROM block WHERE id = ?", [(name,) for name in ids])
            self._connection.executemany(f"DELETE FROM {self._table} WHERE block = ?", [(name,) for name in ids])
        self._count(common, -1)
        self._held.taught_changed()

    def _count(self, common: Mapping[int, int], sign: int = 1) -> None:
        self._connection.executemany(
            "INSERT INTO rarity (feature, blocks) VALUES (?, ?) "
            "ON CONFLICT (feature) DO UPDATE SET blocks = blocks + excluded.blocks",
            [(feature, sign * count) for feature, count in common.items()],
        )

    def _trim(self) -> None:
        self._connection.execute(
            "DELETE FROM forgotten WHERE number <= (SELECT max(number) FROM forgotten) - ?",
            [limits.FORGOTTEN_LISTED_MAX],
        )

    def _all(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise AgentError(f"the memory {self.path} cannot be read ({error}): it is left as it is") from error


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


def _row(block: Block) -> tuple[Any, ...]:
    return (
        *(block.id, block.text, block.source, block.when, block.last_used, block.uses, block.document or block.id),
        *(block.start, block.scope, block.importance, block.pinned, block.supersedes, block.superseded_by),
    )


def _block(row: Sequence[Any]) -> Block:
    name, text, source, when, last_used, uses, document, start, scope, importance, pinned, old, new = row
    document = "" if document == name else document
    return Block(name, text, source, when, last_used, uses, document, start, scope, importance, bool(pinned), old, new)
