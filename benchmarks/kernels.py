"""A real kernel in a process of its own, and the time that its client sees."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file

ANSWER_SECONDS = 120.0
END_SECONDS = 10.0
RECONNECT_MILLISECONDS = 1
"""A client that tries again only every 100 ms, as is usual, would round every start up to that."""


class CellError(Exception):
    """A cell of a benchmark failed in its kernel."""


@dataclass(slots=True)
class Ran:
    """What a cell gave: seconds from sending until both its reply and its idle status were here, text, expressions."""

    seconds: float
    text: str
    expressions: dict[str, str] = field(default_factory=dict)


class Kernel:
    """A kernel, started; ``start_seconds`` is from starting the process to its first answer."""

    def __init__(
        self,
        module: str,
        environment: Mapping[str, str] | None = None,
        prepare: Callable[[Path], None] = lambda _: None,
    ) -> None:
        """``prepare`` is given the kernel's folder before the kernel starts."""
        self._folder = tempfile.TemporaryDirectory(prefix="o-benchmark-kernel-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        prepare(self.folder)
        connection, _ = write_connection_file(str(self.folder / "connection.json"))
        self._context = zmq.Context()
        self._context.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MILLISECONDS)
        began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, "-f", connection],
            cwd=self.folder,
            env={**os.environ, "JPY_PARENT_PID": str(os.getpid()), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._client = BlockingKernelClient(context=self._context)
        self._client.load_connection_file(connection)
        self._client.start_channels(hb=False)
        self._client.kernel_info()
        try:
            self._answer()
        except CellError:
            self.close()
            raise
        self.start_seconds = time.perf_counter() - began
        self._run_until_listened()

    def _run_until_listened(self) -> None:
        # What a kernel publishes before it knows of the subscription is lost, so ask until something arrives.
        for _ in range(100):
            self._client.kernel_info()
            self._answer()
            with suppress(queue.Empty):
                while self._client.get_iopub_msg(timeout=0.2)["content"].get("execution_state") != "idle":
                    pass
                return
        raise CellError("the kernel publishes nothing")

    def run(self, code: str, cell: str = "", expressions: Mapping[str, str] | None = None) -> Ran:
        """Execute a cell as JupyterLab sends it, with its ``cell`` id. Raises CellError with the kernel's own words."""
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": dict(expressions or {}),
            "allow_stdin": False,
            "stop_on_error": True,
        }
        message = self._client.session.msg("execute_request", content, metadata={"cellId": cell} if cell else {})
        asked = message["header"]["msg_id"]
        texts: list[str] = []
        began = time.perf_counter()
        self._client.shell_channel.send(message)
        while not self._collect(asked, texts):
            pass
        reply = self._answer(asked)
        seconds = time.perf_counter() - began
        if reply["status"] != "ok":
            raise CellError(f"{reply.get('ename', reply['status'])}: {reply.get('evalue', '')}")
        found = {
            name: value["data"]["text/plain"]
            for name, value in reply.get("user_expressions", {}).items()
            if value["status"] == "ok"
        }
        return Ran(seconds, "".join(texts), found)

    def _collect(self, asked: str, texts: list[str]) -> bool:
        """One published message; True for the idle status of the request that was ``asked``."""
        try:
            message = self._client.get_iopub_msg(timeout=ANSWER_SECONDS)
        except queue.Empty:
            raise CellError(f"no word from the kernel for {ANSWER_SECONDS:.0f} s") from None
        if message["parent_header"].get("msg_id") != asked:
            return False
        match message["msg_type"]:
            case "stream":
                texts.append(message["content"]["text"])
            case "execute_result":
                texts.append(message["content"]["data"]["text/plain"])
            case "status":
                return bool(message["content"]["execution_state"] == "idle")
        return False

    def _answer(self, asked: str = "") -> dict[str, Any]:
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                words = self._process.stderr.read().decode("utf-8", "replace") if self._process.stderr else ""
                raise CellError(f"the kernel ended with {self._process.returncode}: {words[-2000:]}")
            with suppress(queue.Empty):
                message = self._client.get_shell_msg(timeout=1)
                if not asked or message["parent_header"].get("msg_id") == asked:
                    content: dict[str, Any] = message["content"]
                    return content
        raise CellError(f"no answer from the kernel for {ANSWER_SECONDS:.0f} s")

    def close(self) -> None:
        """End it: asked first, killed after a while."""
        with suppress(zmq.ZMQError):
            self._client.shutdown()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stderr:
            self._process.stderr.close()
        self._client.stop_channels()
        self._context.destroy(linger=0)
        # The history's recorder may outlive its kernel by a moment, and write into a folder that is being removed.
        deadline = time.monotonic() + END_SECONDS
        while self.folder.exists() and time.monotonic() < deadline:
            self._folder.cleanup()
            time.sleep(0.05 if self.folder.exists() else 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
