"""The recorder: a process of its own that turns a kernel's journal into commits.

    python -m project_o.history.recorder STORE LANE

One for each kernel, in its own session and deaf to Ctrl-C, so that ``killpg`` of the kernel does not end it. It
is told on its standard input that there is something to read, and answers barriers on its standard output; all it
needs to know is in the journal. When the pipe closes, or its parent changes, the kernel is gone: it commits the
rest, packs, and ends.

    w               something was appended          (no answer)
    s NUMBER ASKED  commit all there is, now        {"asked": ASKED, "commit": id of NUMBER, "tip": ..., "problem": ...}
    k JSON          [secret values, forgotten texts]    (no answer; they are kept in memory only)
    q               the kernel ends in order        {"asked": -1} once all is committed
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time

from .journal import LaneJournal, lanes_with_journal
from .worker import Worker, recover, sweep

IDLE_SECONDS = 0.02
DELAY_SECONDS_MAX = 0.25
PARENT_POLL_SECONDS = 2.0
RETRY_SECONDS = 0.5
LOCK_SECONDS = 20.0
PREDECESSOR_SECONDS = 3.0
FINISH_ATTEMPTS = 5


class Recorder:
    """The loop of the process."""

    def __init__(self, worker: Worker, source: int, answers: int) -> None:
        self.worker = worker
        self.ended = False
        self._source = source
        self._answers = answers
        self._parent = os.getppid()
        self._buffer = b""
        self._barriers: list[tuple[int, int]] = []
        self._wake = True

    def run(self) -> None:
        """Serve until the kernel is gone, then finish."""
        self._commit()
        while not self.ended:
            self._listen(PARENT_POLL_SECONDS if not self.worker.problem else RETRY_SECONDS)
            if self._wake and not self._barriers and not self.ended:
                self._wait_for_quiet()
            if self._wake or self._barriers or self.worker.problem:
                self._commit()
            elif not self.ended:
                self.worker.sync()
                self.worker.pack_if_due()
        self._finish()

    def _wait_for_quiet(self) -> None:
        """Leave the processor to the next cell: the journal makes haste needless."""
        until = time.monotonic() + DELAY_SECONDS_MAX
        while time.monotonic() < until and not self._barriers and not self.ended:
            if not self._listen(IDLE_SECONDS):
                return

    def _commit(self) -> None:
        self._wake = False
        self.worker.drain()
        self.worker.sync()
        barriers, self._barriers = self._barriers, []
        for number, asked in barriers:
            self._answer(
                {
                    "asked": asked,
                    "commit": self.worker.commit_of(number),
                    "tip": self.worker.tip,
                    "problem": self.worker.problem,
                    "skipped": self.worker.skipped + self.worker.damaged,
                }
            )

    def _answer(self, body: dict[str, object]) -> None:
        try:
            os.write(self._answers, json.dumps(body).encode() + b"\n")
        except OSError:
            self.ended = True

    def _listen(self, seconds: float) -> bool:
        """Take in what the kernel says; whether it said something."""
        ready, _, _ = select.select([self._source], [], [], seconds)
        if not ready:
            self.ended |= os.getppid() != self._parent
            return False
        data = os.read(self._source, 1 << 16)
        if not data:
            self.ended = True
            return False
        self._buffer += data
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            self._obey(line)
        return True

    def _obey(self, line: bytes) -> None:
        verb, _, rest = line.partition(b" ")
        if verb == b"w":
            self._wake = True
        elif verb == b"s":
            number, _, asked = rest.partition(b" ")
            self._barriers.append((int(number), int(asked)))
        elif verb == b"k":
            secrets, forgotten = json.loads(rest)
            self.worker.secrets, self.worker.forgotten = tuple(secrets), frozenset(forgotten)
        elif verb == b"q":
            self.ended = True

    def _finish(self) -> None:
        """Drain with patience, for the disk may be full for a moment; what is left the next recorder replays."""
        for attempt in range(FINISH_ATTEMPTS):
            if self.worker.finish():
                break
            time.sleep(RETRY_SECONDS * attempt)
        else:
            return
        self.worker.journal.mark_done()
        self._answer({"asked": -1})
        sweep(self.worker.journal.store)


def finish_predecessors(store: str, lane: str) -> None:
    """Replay what dead kernels left; wait a little for the recorder of this notebook's last kernel to end.

    The lane begins at the notebook's newest state, which should be there by then. Raises OSError.
    """
    notebook = lane.partition("/")[0] + "/"
    deadline = time.monotonic() + PREDECESSOR_SECONDS
    while True:
        recover(store, besides=lane)
        others = [j for j in lanes_with_journal(store) if j.lane.startswith(notebook) and j.lane != lane]
        if time.monotonic() > deadline or not any(not j.done and j.kernel_is_gone() for j in others):
            return
        time.sleep(0.02)


def main(store: str, lane: str) -> int:
    """Record one lane. The exit status is 0, or 75 where another process holds the lane."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.dup(1)
    os.dup2(2, 1)  # nothing but answers may reach the kernel
    journal = LaneJournal(store, lane)
    deadline = time.monotonic() + LOCK_SECONDS
    while (lock := journal.lock_recorder()) is None:
        if time.monotonic() > deadline:
            return 75
        time.sleep(0.05)
    try:
        finish_predecessors(store, lane)
    except OSError as error:
        sys.stderr.write(f"older journals could not be replayed: {error}\n")
    worker = Worker(journal, lock)
    try:
        Recorder(worker, 0, answers).run()
    finally:
        worker.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
