"""One run of a compiler: its own session, bounded in time, memory and output, killed as a group.

``Runner`` is the seam: whatever takes a ``Job`` and returns a ``Finished`` can stand in for ``run`` (a compiler
server, a locked build in the sandbox, a fake in a test).
"""

from __future__ import annotations

import os
import resource
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .. import limits
from ..errors import ToolchainError


@dataclass(frozen=True, slots=True)
class Job:
    """A command, the folder it runs in, and what its environment has beyond ours.

    The rest is for a runner that takes the folder elsewhere: ``outputs`` are the files that are wanted of it, of the
    folders in ``copies`` the command finds a copy under a name in its own, ``programs`` are those that it starts
    beside the system's, and ``place`` names where it works, for a compiler whose memory holds for one path.
    """

    argv: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    wall_seconds: float = limits.BUILD_WALL_SECONDS
    outputs: tuple[str, ...] = ()
    copies: Mapping[str, Path] = field(default_factory=dict)
    programs: tuple[str, ...] = ()
    place: str = ""
    stop: int = -1
    """A descriptor that becomes readable when nobody wants the result any more; -1: somebody does."""
    told_until_limit: bool = False
    """What it has said until its limit is wanted: the limit then is a signal that ends it, and no error."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How it ended: the exit code (negative: the signal), what it wrote to its standard error, wall seconds."""

    code: int
    errors: str
    seconds: float


Runner = Callable[[Job], Finished]


def build_folder() -> Path:
    """A new empty folder to build in; whoever asks removes it. Raises ToolchainError where there can be none."""
    try:
        return Path(tempfile.mkdtemp(prefix="project-o-build-"))
    except OSError as error:
        raise ToolchainError(f"there is no place to build in ({error}): free some space, or set TMPDIR") from None


def run(job: Job) -> Finished:
    """Run to the end. Raises ToolchainError at the deadline, when told to stop, or if it cannot start;
    KeyboardInterrupt on Ctrl-C.

    However this ends, nothing of the compiler is left running.
    """
    started = time.monotonic()
    try:
        process = subprocess.Popen(
            job.argv,
            cwd=job.folder,
            env={**clean_environment(), **job.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Jupyter interrupts the kernel's whole process group
        )
    except OSError as error:
        raise ToolchainError(f"{job.argv[0]} cannot be started ({error}): see `project-o doctor`") from None
    try:
        _bound(process.pid)
        errors, ended = _read_errors(process, started + job.wall_seconds, job)
        if not ended:
            _kill(process)
        code = process.wait()
    except BaseException:
        _kill(process)
        raise
    finally:
        assert process.stderr is not None
        process.stderr.close()
    return Finished(code, errors, time.monotonic() - started)


def clean_environment() -> dict[str, str]:
    """The environment of a compiler: ours, without what would change its answers."""
    # ZIG_LIB_DIR, RUSTC_BOOTSTRAP and their like would change what we build behind the cache key's back. A kernel asks
    # all programs for colours, which Zig then gives to some errors whatever its own options say.
    without = ("ZIG_", "RUSTC_", "CLICOLOR", "FORCE_COLOR")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(without)}
    return {**kept, "NO_COLOR": "1"}


def _bound(pid: int) -> None:
    # After the start instead of in between: code between fork and exec may deadlock in a process with threads.
    for what, bound in (
        (resource.RLIMIT_AS, limits.BUILD_MEMORY_BYTES),
        (resource.RLIMIT_CPU, limits.BUILD_CPU_SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            _, hard = resource.prlimit(pid, what)
            most = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
            resource.prlimit(pid, what, (most, most))
        except (ProcessLookupError, PermissionError):
            return


def _read_errors(process: subprocess.Popen[bytes], deadline: float, job: Job) -> tuple[str, bool]:
    """All of its standard error up to the limit, the rest is drained; and whether it ended, as the process then did."""
    assert process.stderr is not None
    pieces: list[bytes] = []
    kept = 0
    with selectors.DefaultSelector() as selector:
        selector.register(process.stderr, selectors.EVENT_READ)
        if job.stop >= 0:
            selector.register(job.stop, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            ready = selector.select(left) if left > 0 else []
            if not ready and job.told_until_limit:
                return b"".join(pieces).decode("utf-8", "replace"), False
            if not ready:
                raise ToolchainError(
                    f"the compiler was stopped at its limit of {job.wall_seconds:.0f} s: is there a loop at compile "
                    "time?"
                )
            if any(key.fd == job.stop for key, _ in ready):
                raise ToolchainError("the compiler was stopped: its cell was edited again")
            piece = os.read(process.stderr.fileno(), 65536)
            if not piece:
                return b"".join(pieces).decode("utf-8", "replace"), True
            pieces.append(piece[: max(0, limits.BUILD_OUTPUT_BYTES_MAX - kept)])
            kept += len(pieces[-1])


def _kill(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
    process.wait()
