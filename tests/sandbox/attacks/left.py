"""What there is of a user's on the machine, so that what was not there before is seen: processes, files, memory."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import tempfile
import time
from pathlib import Path

from project_o.sandbox.scratch import remove

LEFT_SECONDS = 2.0


def descendants(root: int | None = None) -> set[int]:
    """Every process below this one; what was let go of by its parent falls to this one, too."""
    parents: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError, IndexError):
                fields = Path(f"/proc/{entry}/stat").read_text(errors="replace").rpartition(")")[2].split()
                parents.setdefault(int(fields[1]), []).append(int(entry))
    found: set[int] = set()
    waiting = [root or os.getpid()]
    while waiting:
        for pid in parents.get(waiting.pop(), []):
            found.add(pid)
            waiting.append(pid)
    return found


def at_work() -> set[int]:
    """Every process below this one but those of the sandbox that wait for a job, and have run nothing of any."""
    found = set()
    for pid in descendants():
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text(errors="replace").strip() != "o-spare":
                found.add(pid)
    return found


def belongings() -> dict[str, set[str]]:
    """What this user has on the machine, by kind."""
    uid = os.geteuid()
    segments = set()
    for kind in ("shm", "msg", "sem"):
        with contextlib.suppress(OSError), open(f"/proc/sysvipc/{kind}") as f:
            names = f.readline().split()
            column = names.index("cuid")
            segments |= {f"{kind} {row.split()[1]}" for row in f if int(row.split()[column]) == uid}
    shared = set()
    with contextlib.suppress(OSError):
        shared = {entry.path for entry in os.scandir("/dev/shm") if entry.stat(follow_symlinks=False).st_uid == uid}
    return {
        "processes": {str(pid) for pid in descendants()},
        "segments": segments | shared,
        "files": set(os.listdir(tempfile.gettempdir())),
        "descriptors": {name for name in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{name}")},
    }


def left_behind(before: dict[str, set[str]]) -> list[str]:
    """What is there now and was not; what takes a moment to go has that moment."""
    deadline = time.monotonic() + LEFT_SECONDS
    while True:
        gc.collect()
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:  # what fell to us and has ended
                pass
        now = belongings()
        left = [f"{kind} {name}" for kind, names in now.items() for name in sorted(names - before[kind])]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.02)


def sweep(before: dict[str, set[str]]) -> None:
    """Take away what a control has left: only what is new since it began, and only below this process."""
    quiet, deadline = 0, time.monotonic() + 3 * LEFT_SECONDS
    while quiet < 5 and time.monotonic() < deadline:  # one that forks and ends all the time may be missed by one look
        new = {int(pid) for pid in belongings()["processes"] - before["processes"]}
        for pid in new:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, os.WNOHANG)
        quiet = 0 if new else quiet + 1
        time.sleep(0.01)
    now = belongings()
    libc = ctypes.CDLL(None)
    for name in now["segments"] - before["segments"]:
        kind, _, number = name.partition(" ")
        if kind == "shm":
            libc.shmctl(int(number), 0, None)
        elif kind == "msg":
            libc.msgctl(int(number), 0, None)
        elif kind == "sem":
            libc.semctl(int(number), 0, 0)
        else:
            os.unlink(name)
    for name in now["files"] - before["files"]:
        path = os.path.join(tempfile.gettempdir(), name)
        try:
            os.unlink(path)
        except OSError:
            remove(path)
