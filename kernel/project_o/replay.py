"""Running recorded cells again, in a fresh kernel, and comparing what they print with what was recorded.

The kernel is a process of its own with this Python. What it records goes to a store that is thrown away with it, so
that a cell which saves, restores or forgets touches no history of the user's; files that a cell writes are written.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .errors import HistoryError
from .history.notebook import OWN_VARIABLE, SESSION_VARIABLE
from .history.outputs import Reducer
from .history.places import STORE_VARIABLE
from .history.records import CellRun
from .history.redact import Redactor
from .limits import REPLAY_CELL_SECONDS, REPLAY_START_SECONDS
from .values import State

Ending = Literal["same", "differs", "failed", "died", "not run"]
_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class ReplayedCell:
    """One cell that was run again: how it ended beside what was recorded, and why in words where it differs.

    ``recorded`` are the seconds that it took then.
    """

    state: State
    source: str
    ended: Ending
    why: str
    seconds: float
    recorded: float
    outputs: tuple[dict[str, Any], ...] = ()


def replay(
    runs: Sequence[tuple[State, CellRun]], folder: str, seconds: float = REPLAY_CELL_SECONDS
) -> tuple[ReplayedCell, ...]:
    """Run these executions again in this order, from ``folder``. The first that ends its kernel is the last.

    Raises HistoryError where no kernel can be started.
    """
    with tempfile.TemporaryDirectory(prefix="o-replay-", ignore_cleanup_errors=True) as scratch:
        kernel = _Kernel(folder, scratch)
        try:
            return _run_all(kernel, runs, seconds)
        finally:
            kernel.close()


def _run_all(kernel: _Kernel, runs: Sequence[tuple[State, CellRun]], seconds: float) -> tuple[ReplayedCell, ...]:
    done: list[ReplayedCell] = []
    redact = Redactor()
    for state, run in runs:
        recorded = run.duration_ms / 1000
        if done and done[-1].ended == "died":
            done.append(ReplayedCell(state, run.source, "not run", "the kernel had ended", 0.0, recorded))
            continue
        if run.status == "died":
            why = "it ended its kernel when it was recorded"
            done.append(ReplayedCell(state, run.source, "not run", why, 0.0, recorded))
            continue
        began = time.monotonic()
        status, outputs = kernel.run(run, seconds)
        clean = tuple(redact.outputs(outputs))
        ended, why = _compared(run, status, clean)
        done.append(ReplayedCell(state, run.source, ended, why, time.monotonic() - began, recorded, clean))
    return tuple(done)


def _compared(run: CellRun, status: str, outputs: Sequence[dict[str, Any]]) -> tuple[Ending, str]:
    if status == "died":
        return "died", "the kernel ended, or did not answer in time"
    if status != run.status:
        failed = next((f"{o['ename']}: {o['evalue']}" for o in outputs if o["output_type"] == "error"), "")
        return ("failed", failed) if status == "error" else ("differs", "it failed when it was recorded")
    before, now = [_shown(item) for item in run.outputs], [_shown(item) for item in outputs]
    if before == now:
        return "same", ""
    place = next((k for k, (a, b) in enumerate(zip(before, now, strict=False)) if a != b), min(len(before), len(now)))
    return "differs", f"output {place + 1} of {max(len(before), len(now))} differs"


def _shown(output: dict[str, Any]) -> dict[str, Any]:
    """An output without what belongs to one execution alone."""
    return {key: value for key, value in output.items() if key not in ("execution_count", "traceback")}


class _Kernel:
    """A fresh kernel with the extension loaded."""

    def __init__(self, folder: str, scratch: str) -> None:
        from jupyter_client.kernelspec import KernelSpec
        from jupyter_client.manager import KernelManager

        environment = {k: v for k, v in os.environ.items() if k not in (OWN_VARIABLE, SESSION_VARIABLE)}
        argv = [sys.executable, "-m", "project_o.kernel", "-f", "{connection_file}"]
        self._reducer = Reducer()
        # Sockets in a folder of our own: nobody else on the machine can reach them.
        self._manager = KernelManager(transport="ipc", ip=f"{scratch}/kernel")
        self._manager._kernel_spec = KernelSpec(argv=argv, display_name="replay", language="python")
        try:
            environment[STORE_VARIABLE] = f"{scratch}/store.git"
            self._manager.start_kernel(cwd=folder, env=environment, stderr=subprocess.DEVNULL)
            self._client = self._manager.client()
            self._client.start_channels()
            self._client.wait_for_ready(timeout=REPLAY_START_SECONDS)
        except (OSError, RuntimeError) as error:
            self.close()
            raise HistoryError(f"no fresh kernel could be started in {folder}: {error}") from error

    def run(self, run: CellRun, seconds: float) -> tuple[str, tuple[dict[str, Any], ...]]:
        """Run a cell: how it ended, and its outputs as they are recorded."""
        outputs = self._reducer.start(run.id)
        message = self._client.execute(run.source, allow_stdin=False, stop_on_error=False)
        look = self._looker(message, outputs)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if look(self._client.get_iopub_msg(timeout=_POLL_SECONDS)):
                    break
            except queue.Empty:
                if not self._manager.is_alive():
                    return "died", outputs.result()
        else:
            return "died", outputs.result()
        self._reducer.finish(message)
        return self._status(message), outputs.result()

    def _looker(self, message: str, outputs: Any) -> Callable[[dict[str, Any]], bool]:
        def look(found: dict[str, Any]) -> bool:
            if found["parent_header"].get("msg_id") != message:
                return False
            kind, content = found["msg_type"], found["content"]
            if kind == "status":
                return bool(content["execution_state"] == "idle")
            if kind != "execute_input":
                self._reducer.message(outputs, message, kind, content)
            return False

        return look

    def _status(self, message: str) -> str:
        while True:
            try:
                reply = self._client.get_shell_msg(timeout=_POLL_SECONDS)
            except queue.Empty:
                return "died"
            if reply["parent_header"].get("msg_id") == message:
                return "ok" if reply["content"]["status"] == "ok" else "error"

    def close(self) -> None:
        """End it, at once."""
        client = getattr(self, "_client", None)
        if client is not None:
            client.stop_channels()
        if self._manager.has_kernel:
            self._manager.shutdown_kernel(now=True)


def default_folder(directory: str) -> str:
    """Where cells are run again: the notebook's folder while it is there."""
    return directory if Path(directory).is_dir() else str(Path.cwd())
