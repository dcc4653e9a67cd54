"""A running kernel's cells become records.

In ipykernel everything a front end is sent passes ``kernel.session.send``: the input, each output, the reply and the
``idle`` that ends a cell. We look at it there: complete, in order, for any thread and subshell, without a socket
that must catch up. The cell is recorded before its ``idle`` goes out, so papermill cannot end the kernel first.
Output of forked children alone comes in by another way, through the IOPub thread, and is looked at there.

No Jupyter is imported: the shell is handed in. A shell without a kernel is recorded by IPython's events, with the
source and the result's text.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from ..errors import warn
from .contents import cell_id
from .history import History
from .notebook import find_notebook
from .outputs import CellOutputs, Reducer
from .records import CellRun

ResolveCell = Callable[[Mapping[str, Any], str, int], str | None]
"""(the request's metadata, the source, how many cells were run before it) -> the cell's id, or None."""
_DELIMITER = b"<IDS|MSG>"
_WATCHED = frozenset(
    {
        "stream",
        "display_data",
        "execute_result",
        "error",
        "update_display_data",
        "clear_output",
        "comm_open",
        "comm_msg",
    }
)


def cell_of_request(metadata: Mapping[str, Any], source: str, ordinal: int) -> str | None:
    """The id that JupyterLab, Notebook and VS Code send with a cell; None where the front end sends none."""
    del source, ordinal
    found = metadata.get("cellId")
    return found if isinstance(found, str) and found else None


class Detach:
    """Call it to end the capture. Calling it twice is fine."""

    def __init__(self, undo: Callable[[], None]) -> None:
        self._undo: Callable[[], None] | None = undo

    def __call__(self) -> None:
        """Take everything back out."""
        undo, self._undo = self._undo, None
        if undo is not None:
            undo()


def attach(shell: Any, history: History, resolve_cell: ResolveCell | None = None) -> Detach:
    """Record the cells that ``shell`` (``get_ipython()``) runs from now on, the one that calls this included."""
    kernel = getattr(shell, "kernel", None)
    if hasattr(getattr(kernel, "session", None), "send"):
        return Detach(KernelCapture(shell, kernel, history, resolve_cell or cell_of_request).detach)
    return Detach(ShellCapture(shell, history, resolve_cell or cell_of_request).detach)


class _Cells:
    """What both ways of capturing share: naming cells, finding the notebook, reporting a fault of ours once."""

    def __init__(self, shell: Any, history: History, resolve_cell: ResolveCell) -> None:
        self.history = history
        self._shell = shell
        self._resolve = resolve_cell
        self._ordinal = 0
        self._folder = os.getcwd()  # noqa: PTH109 - joined with os.path elsewhere
        self._failed = False
        self.find_notebook()

    def find_notebook(self) -> None:
        """Papermill's variables come with a cell: look until the notebook is known."""
        if self.history.notebook is None:
            path, how = find_notebook(getattr(self._shell, "user_ns", {}), os.environ, self._folder)
            if path:
                self.history.follow(path, how)
            else:
                self.history.found = how

    def name(self, metadata: Mapping[str, Any], source: str) -> str:
        """The id of a cell that begins."""
        self._ordinal += 1
        given = self._resolve(metadata, source, self._ordinal)
        self.history.cells_known_by = "the ids that the front end sends" if given else "their order and source"
        return cell_id(given or f"x{self._ordinal}")

    def failed(self, error: Exception) -> None:
        """Our own mistake must not reach the cell: say it once."""
        if not self._failed:
            self._failed = True
            text = f"cells are not recorded as they should be ({type(error).__name__}: {error})"
            warn(text)


class _Running:
    """One execution under way."""

    def __init__(self, run: CellRun, outputs: CellOutputs) -> None:
        self.run = run
        self.outputs = outputs
        self.clock = time.monotonic()
        self.status: Literal["ok", "error"] = "ok"
        self.changed: dict[str, CellOutputs] = {}

    def done(self) -> CellRun:
        """The record."""
        count = self.outputs.execution_count
        return CellRun(
            id=self.run.id,
            source=self.run.source,
            outputs=self.outputs.result(),
            execution_count=self.run.execution_count if count is None else count,
            status=self.status,
            started=self.run.started,
            duration_ms=(time.monotonic() - self.clock) * 1000,
            changed=tuple((name, outputs.result()) for name, outputs in self.changed.items()),
        )


class KernelCapture(_Cells):
    """Looks at what an ipykernel sends."""

    def __init__(self, shell: Any, kernel: Any, history: History, resolve_cell: ResolveCell) -> None:
        super().__init__(shell, history, resolve_cell)
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._sending = threading.local()
        self._reducer = Reducer()
        self._running: dict[str, _Running] = {}
        self._active = True
        self._session = kernel.session
        self._send_on = self._session.send
        self._session.send = self._send
        self._thread = getattr(kernel, "iopub_thread", None)
        self._publish_on = getattr(self._thread, "send_multipart", None)
        if self._thread is not None and self._publish_on is not None:
            self._thread.send_multipart = self._publish
        self._join_running_cell(kernel)

    def detach(self) -> None:
        """Take the wraps off; one that something else has wrapped since stays, and only passes on.

        What is running, the cell that detaches, is recorded as far as it has come.
        """
        self._active = False
        for origin in list(self._running):
            self._finish(origin)
        for holder, name, ours in (
            (self._session, "send", self._send),
            (self._thread, "send_multipart", self._publish),
        ):
            if vars(holder).get(name) == ours if holder is not None else False:
                delattr(holder, name)

    def _join_running_cell(self, kernel: Any) -> None:
        """The cell that called ``attach`` has already begun."""
        try:
            parent = kernel.get_parent("shell")
        except (AttributeError, TypeError, LookupError):
            return
        if isinstance(parent, Mapping) and parent.get("header", {}).get("msg_type") == "execute_request":
            content = parent["content"]
            if not content.get("silent"):
                # Its number is in the reply: the shell's own count may already be the next cell's.
                self._begin(parent, content["code"], None, announce=False)

    def _send(
        self, stream: Any, msg_or_type: Any, content: Any = None, parent: Any = None, *args: Any, **kw: Any
    ) -> Any:
        if self._active and os.getpid() == self._pid:
            try:
                if isinstance(msg_or_type, str):
                    self._look(msg_or_type, content or {}, parent or {})
                elif isinstance(msg_or_type, Mapping):
                    header = msg_or_type.get("header") or {}
                    body, origin = msg_or_type.get("content") or {}, msg_or_type.get("parent_header") or {}
                    self._look(header.get("msg_type", ""), body, origin)
            except Exception as error:  # noqa: BLE001 - a mistake here must not keep a message from the front end
                self.failed(error)
        self._sending.depth = getattr(self._sending, "depth", 0) + 1
        try:
            return self._send_on(stream, msg_or_type, content, parent, *args, **kw)
        finally:
            self._sending.depth -= 1

    def _publish(self, frames: Any, *args: Any, **kw: Any) -> Any:
        """Frames that no ``session.send`` of this process made come from a forked child."""
        if self._active and os.getpid() == self._pid and not getattr(self._sending, "depth", 0):
            try:
                parts = [bytes(getattr(frame, "buffer", frame)) for frame in frames]
                at = parts.index(_DELIMITER)
                header, parent, content = (json.loads(parts[at + offset]) for offset in (2, 3, 5))
                self._look(header["msg_type"], content, parent)
            except Exception as error:  # noqa: BLE001 - a mistake here must not keep a message from the front end
                self.failed(error)
        assert self._publish_on is not None
        return self._publish_on(frames, *args, **kw)

    def _look(self, kind: str, content: Mapping[str, Any], parent: Mapping[str, Any]) -> None:
        if kind in _WATCHED:
            origin = (parent.get("header") or parent).get("msg_id", "")
            with self._lock:
                running = self._running.get(origin)
                if running is not None:
                    running.changed |= self._reducer.message(running.outputs, origin, kind, content)
        elif kind == "execute_input":
            self._begin(parent, content["code"], content.get("execution_count"), announce=True)
        elif kind == "execute_reply":
            running = self._running.get((parent.get("header") or parent).get("msg_id", ""))
            if running is not None:
                running.status = "ok" if content.get("status") == "ok" else "error"
                if running.run.execution_count is None and running.outputs.execution_count is None:
                    running.outputs.execution_count = content.get("execution_count")
        elif kind == "status" and content.get("execution_state") == "idle":
            self._finish((parent.get("header") or parent).get("msg_id", ""))

    def _begin(self, parent: Mapping[str, Any], source: str, count: int | None, *, announce: bool) -> None:
        request = parent.get("content") or {}
        if not source.strip() or request.get("store_history") is False:
            return
        origin = (parent.get("header") or parent).get("msg_id", "")
        with self._lock:
            name = self.name(parent.get("metadata") or {}, source)
            run = CellRun(id=name, source=source, execution_count=count, started=time.time())
            self._running[origin] = _Running(run, self._reducer.start(name))
        if announce:
            self.history.begin(run)

    def _finish(self, origin: str) -> None:
        with self._lock:
            running = self._running.pop(origin, None)
            if running is None:
                return
            self._reducer.finish(origin)
        self.find_notebook()
        self.history.record(running.done())


class ShellCapture(_Cells):
    """Follows IPython's events where there is no kernel: source, result's text, error."""

    def __init__(self, shell: Any, history: History, resolve_cell: ResolveCell) -> None:
        super().__init__(shell, history, resolve_cell)
        self._started: tuple[str, str, float, float] | None = None
        shell.events.register("pre_run_cell", self._before)
        shell.events.register("post_run_cell", self._after)

    def detach(self) -> None:
        """Follow no more."""
        for event, callback in (("pre_run_cell", self._before), ("post_run_cell", self._after)):
            try:
                self._shell.events.unregister(event, callback)
            except ValueError:
                continue

    def _before(self, info: Any = None) -> None:
        self._started = None
        if info is None or info.silent or not info.store_history or not info.raw_cell.strip():
            return
        name = self.name({}, info.raw_cell)
        self._started = (name, info.raw_cell, time.time(), time.monotonic())
        count = getattr(self._shell, "execution_count", None)
        self.history.begin(CellRun(id=name, source=info.raw_cell, execution_count=count, started=self._started[2]))

    def _after(self, result: Any = None) -> None:
        started, self._started = self._started, None
        if started is None or result is None:
            return
        name, source, when, clock = started
        error = result.error_before_exec or result.error_in_exec
        outputs: list[dict[str, Any]] = []
        if error is not None:
            body: dict[str, Any] = {"ename": type(error).__name__, "evalue": str(error), "traceback": []}
            outputs.append({"output_type": "error", **body})
        elif result.result is not None:
            body = {"data": {"text/plain": _text(result.result)}, "metadata": {}}
            outputs.append({"output_type": "execute_result", "execution_count": result.execution_count, **body})
        self.find_notebook()
        self.history.record(
            CellRun(
                id=name,
                source=source,
                outputs=tuple(outputs),
                execution_count=result.execution_count,
                status="ok" if error is None else "error",
                started=when,
                duration_ms=(time.monotonic() - clock) * 1000,
            )
        )


def _text(value: Any) -> str:
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - any object's __repr__ may raise anything; the text says so
        return f"<{type(value).__name__}: its repr raised {type(error).__name__}>"
