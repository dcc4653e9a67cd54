"""The trials of a run that is under way, on the disk: a run whose process died goes on from them.

One line of JSON heads the file and one follows for each trial, written and synced before the next is told to the
proposer. A last line that was not written whole is cut off. Proposals are not in it but for the digest of what was
proposed: the same seed and the same records propose the same again (``archive.Recorded``).
"""

from __future__ import annotations

import fcntl
import hashlib
import inspect
import json
import os
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from .. import limits
from ..errors import EvolutionError, HistoryWarning
from ..values import Record, plain
from .archive import FORMAT, row_of
from .llm.exchange import Exchange, rows_read

SUFFIX = ".trials"
EXCHANGE = "exchange"
"""The key of a line that holds what a language model answered."""


class TrialJournal:
    """Where the trials of one run are kept. Used by the loop alone; ``close`` lets go of the file."""

    def __init__(self, folder: Path, head: Mapping[str, Any], clean: Callable[[str], str], *, resume: bool) -> None:
        """``head`` says which run it is: its file is named by that. ``clean`` takes secrets out of a text.

        Without ``resume`` what an earlier run of the same head left is thrown away. With it raises EvolutionError where
        the same run is under way elsewhere; without it that, as a folder that cannot be written, is told as a warning,
        and nothing is kept.
        """
        self.earlier: dict[str, Any] | None = None
        """What ``archive.Recorded`` takes; None where no earlier run is gone on with."""
        self.exchanges: tuple[Exchange, ...] = ()
        """What a language model was asked and answered in that earlier run."""
        self._clean = clean
        self._file = -1
        self._kept = 0
        name = hashlib.sha256(json.dumps(head, sort_keys=True, default=str).encode()).hexdigest()[:32]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _prune(folder)
            self._open(folder / (name + SUFFIX), dict(head), resume=resume)
        except OSError as error:
            self._lose(error)

    def add(self, record: Record) -> None:
        """The next trial, on the disk when this returns. One that was there already is passed over."""
        if self._file < 0 or record.proposal.index < self._kept:
            return
        row = row_of(record)
        for key in ("reason", "hypothesis"):
            row[key] = self._clean(row[key])
        if row["finding"] is not None:
            row["finding"] |= {key: self._clean(row["finding"][key]) for key in ("reason", "evidence")}
        try:
            self._write(row)
        except OSError as error:
            self._lose(error)

    def exchanged(self, exchange: Exchange) -> None:
        """What a language model answered, on the disk before anything of it is tried."""
        row = plain(exchange)
        for key in ("reply", "error"):
            row[key] = self._clean(row[key])
        try:
            if self._file >= 0:
                self._write({EXCHANGE: row})
        except OSError as error:
            self._lose(error)

    def close(self) -> None:
        """Let go of the file, which stays. Closing twice is fine."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _open(self, path: Path, head: dict[str, Any], *, resume: bool) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            same = "the same run (notebook, program, seed) is under way in another kernel"
            if not resume:  # two notebooks without names, perhaps: what is not kept for later is no reason to fail
                self._lose(error, same)
                return
            self.close()
            raise EvolutionError(f"{same}: wait for it, or give another seed") from None
        lines, length = _whole_lines(path) if resume else ([], 0)
        os.ftruncate(self._file, length)
        os.lseek(self._file, 0, os.SEEK_END)
        if lines:
            records = [line for line in lines[1:] if EXCHANGE not in line]
            self.exchanges = rows_read([line[EXCHANGE] for line in lines[1:] if EXCHANGE in line])
            self.earlier = {**lines[0], "records": records}
            self._kept = len(records)
        else:
            self._write({"format": FORMAT, **head})

    def _write(self, body: Mapping[str, Any]) -> None:
        data = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
        while data:
            data = data[os.write(self._file, data) :]
        os.fdatasync(self._file)

    def _lose(self, error: OSError, why: str = "") -> None:
        self.close()
        text = f"the trials of this run are not kept ({why or error}): it could not be resumed if its kernel died"
        warnings.warn(text, HistoryWarning, stacklevel=3)


def mark(value: Any) -> str:
    """SHA-256 of what a value of the user's is: arrays by their bytes, functions by their source, the rest by its repr.

    Two runs with different marks are two runs.
    """
    digest = hashlib.sha256()
    _feed(digest, value)
    return digest.hexdigest()


def _feed(digest: Any, value: Any) -> None:
    if isinstance(value, (list, tuple)):
        for item in value:
            _feed(digest, item)
    elif hasattr(value, "tobytes") and hasattr(value, "dtype"):
        digest.update(f"{value.dtype}{value.shape}".encode() + value.tobytes())
    elif callable(value):
        try:
            digest.update(inspect.getsource(value).encode())
        except (OSError, TypeError):
            digest.update(getattr(value, "__qualname__", type(value).__qualname__).encode())
    else:
        digest.update(repr(value).encode("utf-8", "surrogatepass"))
    digest.update(b";")


def _whole_lines(path: Path) -> tuple[list[dict[str, Any]], int]:
    """The lines that were written whole, and how many bytes they are."""
    found: list[dict[str, Any]] = []
    length = 0
    for line in path.read_bytes().splitlines(keepends=True):
        try:
            body = json.loads(line) if line.endswith(b"\n") else None
        except ValueError:
            break
        if not isinstance(body, dict):
            break
        found.append(body)
        length += len(line)
    return found, length


def _prune(folder: Path) -> None:
    """The oldest give way to the one that begins."""
    kept = sorted(folder.glob("*" + SUFFIX), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in kept[limits.RUN_JOURNALS_KEPT_MAX - 1 :]:
        with suppress(OSError):
            path.unlink()
