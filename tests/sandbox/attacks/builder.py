"""How proposed source is compiled: by the plain compiler as the user, and by the sandbox."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from .case import Case, Outcome

PATIENCE_SECONDS = 3.0
"""How long the suite waits for a naive build, which has no limit of its own, that is to end sooner in the sandbox."""
MEMORY_BYTES = 512 << 20
SCRATCH_BYTES = 128 << 20
"""Less than what builds have, so that less has to be written here."""


class Naive:
    """The compiler in a new folder, with what the user has in his environment; what it made is read by its name."""

    def __init__(self, case: Case) -> None:
        self.case = case

    def build(self, order: dict[str, Any]) -> Outcome:
        began = time.monotonic()
        folder = Path(tempfile.mkdtemp(prefix="build-"))
        for name, content in order["files"].items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        outcome = Outcome()
        environment = {**os.environ, **order.get("environment", {})}
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(
                order["argv"], cwd=folder, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
            try:
                process.wait(max(PATIENCE_SECONDS, 2 * self.case.wall_seconds))
            except subprocess.TimeoutExpired:
                outcome.ended = "never"
                process.send_signal(signal.SIGKILL)
                process.wait()
            log.seek(0)
            outcome.told = log.read(64 << 20).decode("utf-8", "replace")
        outcome.value = {}
        for name in order.get("outputs", ()):
            with contextlib.suppress(FileNotFoundError):
                outcome.value[name] = (folder / name).read_bytes()
        outcome.seconds = time.monotonic() - began
        return outcome

    def alive(self) -> bool:
        return False

    def close(self) -> None:
        pass


class Boxed:
    """``Sandbox.build``."""

    def __init__(self, case: Case, options: dict[str, Any]) -> None:
        from project_o import limits
        from project_o.sandbox import Sandbox

        limits.BUILD_SCRATCH_BYTES = limits.BUILD_FILES_BYTES_MAX = limits.BUILD_FILE_BYTES_MAX = SCRATCH_BYTES
        self.case = case
        bounds = {"wall_seconds": case.wall_seconds, "cpu_seconds": case.cpu_seconds, "memory_bytes": MEMORY_BYTES}
        self.box = Sandbox(**{**bounds, **options})
        self.level = self.box.level

    def build(self, order: dict[str, Any]) -> Outcome:
        began = time.monotonic()
        outcome = Outcome()
        try:
            built = self.box.build(**order)
            outcome.value, outcome.told = dict(built.files), built.errors
            outcome.ended, outcome.error = built.ended, built.why
        except Exception as error:  # noqa: BLE001 - an evaluator that fails over a build is the finding
            outcome.failed = f"{type(error).__name__}: {error}"[:300]
        outcome.seconds = time.monotonic() - began
        return outcome

    def alive(self) -> bool:
        return False

    def close(self) -> None:
        self.box.close()
