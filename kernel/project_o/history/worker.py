"""Brings one lane's journal into Git. Runs in the recorder process, or in place where none can be started."""

# Plain os.path: the recorder starts without pathlib, and cells wait for some of these calls.
# ruff: noqa: PTH108, PTH118

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import time

from ..errors import HistoryError
from ..limits import HISTORY_QUOTA_BYTES, JOURNAL_SYNC_MILLISECONDS, REPACK_STATES
from .journal import JournalReader, LaneJournal, lanes_with_journal
from .lane import LaneWriter
from .objects import git_environment
from .upkeep import keep_within

PACK_LOCK = "o.lock"
_REFUSALS_MAX = 3
_STALE_SECONDS = 86_400
_PACK_SECONDS = 300


class Worker:
    """One lane's journal and writer, under the lane's lock."""

    def __init__(self, journal: LaneJournal, lock: int) -> None:
        self.journal = journal
        self.skipped = 0
        self.problem = ""
        self.secrets: tuple[str, ...] | None = None
        self.forgotten: frozenset[str] = frozenset()
        self._lock = lock
        self._reader = JournalReader(journal)
        self._writer: LaneWriter | None = None
        self._refused: dict[int, int] = {}
        self._damaged = 0
        self._synced = 0.0
        self._unpacked = 0

    def drain(self, *, final: bool = False) -> bool:
        """Commit what the journal holds; False, with ``problem`` set, where that failed and may be tried again."""
        try:
            writer = self._ready_writer()
            for record in self._reader.read(final=final):
                self._apply(writer, record)
        except (OSError, HistoryError) as error:
            self.problem = f"states cannot be committed ({error}); they stay in the journal {self.journal.folder}"
            self._start_again()
            return False
        self.problem = ""
        return True

    def _ready_writer(self) -> LaneWriter:
        if self._writer is None:
            self._writer = LaneWriter(self.journal.store, self.journal.lane, self.journal.facts())
        if self.secrets is not None:
            self._writer.merge.redact.secrets = self.secrets
            self._writer.merge.redact.forgotten = self.forgotten
        return self._writer

    def _apply(self, writer: LaneWriter, record: dict[str, object]) -> None:
        number = record.get("seq")
        sequence = number if isinstance(number, int) else 0
        if self._refused.get(sequence, 0) >= _REFUSALS_MAX:
            return
        try:
            commit = writer.apply(record)
        except (KeyError, TypeError, ValueError, AttributeError):
            self.skipped += 1  # a record of no form that we know: what follows it still counts
            return
        except HistoryError:
            self._refused[sequence] = self._refused.get(sequence, 0) + 1
            self.skipped += self._refused[sequence] >= _REFUSALS_MAX
            raise
        self._unpacked += commit is not None

    def _start_again(self) -> None:
        """The writer's picture may be ahead of the ref: read both anew. Committed records are skipped by number."""
        self._damaged += self._reader.damaged
        self._reader = JournalReader(self.journal)
        if self._writer is not None:
            self._writer.objects.close()
        self._writer = None

    @property
    def damaged(self) -> int:
        """Places in the journal that could not be read."""
        return self._damaged + self._reader.damaged

    def commit_of(self, sequence: int) -> str:
        """The commit of a sequence number of this lane; empty where there is none."""
        return self._writer.commits.get(sequence, "") if self._writer else ""

    @property
    def tip(self) -> str:
        """The newest commit of the lane; empty before the first."""
        return self._writer.tip if self._writer else ""

    def sync(self, *, now: bool = False) -> None:
        """Force the journal to the disk, at most once in JOURNAL_SYNC_MILLISECONDS."""
        clock = time.monotonic()
        if now or clock - self._synced >= JOURNAL_SYNC_MILLISECONDS / 1000:
            self._synced = clock
            with contextlib.suppress(OSError):
                self._reader.sync()

    def pack_if_due(self) -> None:
        """After REPACK_STATES states: pack them, and let go of the journal's older segments."""
        if self._unpacked >= REPACK_STATES:
            self._unpacked = 0
            if pack(self.journal.store):
                self._reader.forget_older_segments()
            with contextlib.suppress(OSError, HistoryError):
                keep_within(self.journal.store, int(self.journal.facts().get("quota") or HISTORY_QUOTA_BYTES))

    def finish(self) -> bool:
        """The kernel has ended: commit the rest, and cells that never ended as ``died``."""
        if not self.drain(final=True):
            return False
        try:
            writer = self._ready_writer()
            self._unpacked += writer.bury(time.time())
        except (OSError, HistoryError) as error:
            self.problem = str(error)
            self._start_again()
            return False
        return True

    def close(self) -> None:
        """Let go of the lane."""
        if self._writer is not None:
            self._writer.objects.close()
        self._writer = None
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def recover(store: str, besides: str = "") -> int:
    """Replay the journals of kernels that have ended; how many lanes were finished."""
    finished = 0
    for journal in lanes_with_journal(store):
        if journal.lane == besides or journal.done or not journal.kernel_is_gone():
            continue
        lock = journal.lock_recorder()
        if lock is None:
            continue
        worker = Worker(journal, lock)
        try:
            if worker.finish():
                journal.mark_done()
                finished += 1
        finally:
            worker.close()
    return finished


def sweep(store: str) -> None:
    """Pack, and remove the journals whose states that made durable. For the recorder: it may take a second."""
    done = [journal for journal in lanes_with_journal(store) if journal.done]
    if not done:
        return
    if not pack(store):
        os.sync()
    for journal in done:
        journal.remove()


def pack(store: str) -> bool:
    """Pack loose objects, which take a block of the disk each. Objects without a ref are left alone.

    Never prunes, so it needs no agreement with the other lanes' writers; only one packs at a time.
    """
    try:
        lock = os.open(os.path.join(store, PACK_LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _remove_stale(store)
        done = subprocess.run(
            ["git", f"--git-dir={store}", "repack", "-d", "-q", "--geometric=2", "--no-write-bitmap-index"],
            env=git_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PACK_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    finally:
        os.close(lock)
    return done.returncode == 0


def _remove_stale(store: str) -> None:
    """Temporary objects of writers that were killed, once they are a day old."""
    limit = time.time() - _STALE_SECONDS
    for folder in os.scandir(os.path.join(store, "objects")):
        if len(folder.name) != 2:
            continue
        for entry in os.scandir(folder.path):
            if entry.name.startswith("tmp_obj_") and entry.stat(follow_symlinks=False).st_mtime < limit:
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)
