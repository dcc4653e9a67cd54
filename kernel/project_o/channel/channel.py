"""One comm target: pages open it, are told the status after each cell, and send the live document."""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import __version__
from ..errors import ProjectOError
from ..flow import Flow
from ..limits import CHANNEL_NOTES_MAX, CHANNEL_PAGES_MAX, CHANNEL_PATH_CHARACTERS_MAX, DOCUMENT_ASK_SECONDS
from .status import SandboxLevel, details, light

TARGET = "project_o"
PROTOCOL = 1


@dataclass(eq=False, slots=True)
class Page:
    """One open notebook. ``thread`` is the one in which its messages arrive.

    ``context`` is that of its first message: ipykernel hands what a page sends to the subshell whose message we were
    answering when we last spoke, so what is said from a cell must not seem to come from that cell.
    """

    comm: Any
    path: str
    closed: bool = False
    thread: int = field(default_factory=threading.get_ident)
    context: contextvars.Context = field(default_factory=contextvars.copy_context)


class Channel:
    """All pages of one kernel. Messages arrive in subshell threads, cells run in the main one: a lock guards both.

    Whatever a page sends, the kernel goes on: what is malformed is ignored with a line in the kernel's log.
    """

    def __init__(self, shell: Any, flow: Flow) -> None:
        from comm.base_comm import BaseComm

        self._shell = shell
        self._flow = flow
        self._kernel = shell.kernel
        self._lock = threading.Lock()
        self._pages: list[Page] = []
        self._level = SandboxLevel(self.push)
        self._told: dict[str, Any] = {}
        self._questions = 0
        self._answered = threading.Condition()
        self._answers: dict[int, list[Page]] = {}
        self._notes = 0
        self._kernel.comm_manager.register_target(TARGET, self._open)
        # Says nothing, and is listed: a page asks which comms there are before it opens one, and it may be the first.
        self._listed = BaseComm(target_name=TARGET, primary=False)
        self._kernel.comm_manager.register_comm(self._listed)
        shell.events.register("post_run_cell", self._after_cell)

    def close(self) -> None:
        """Part from every page, and take the target back out."""
        with self._lock:
            pages, self._pages = self._pages, []
        self._flow.history.front_end = None
        self._kernel.comm_manager.unregister_target(TARGET, self._open)
        self._kernel.comm_manager.unregister_comm(self._listed)
        self._shell.events.unregister("post_run_cell", self._after_cell)
        for page in pages:
            page.closed = True
            page.comm.close()

    # ------------------------------------------------------------------------------ pages

    def _open(self, comm: Any, message: Mapping[str, Any]) -> None:
        data = _data(message)
        comm.send({"type": "hello", "protocol": PROTOCOL, "version": __version__})
        if data.get("protocol") != PROTOCOL:
            self._note(
                f"JupyterLab's project-o extension speaks protocol {str(data.get('protocol'))[:20]}, this kernel "
                f"{PROTOCOL}: install the same version in both; until then markdown and order come from the file"
            )
            return
        page = Page(comm, _path(data.get("path")))
        with self._lock:
            self._count_on(page)
        comm.on_msg(lambda message: self._receive(page, message))
        comm.on_close(lambda _: self._leave(page))
        self._level.look()
        self._send(page, {"type": "status", "status": self._status() | details(self._flow)})
        self._joined()

    def _count_on(self, page: Page) -> None:
        # Pages that were closed without a word are the oldest.
        self._pages = [*self._pages, page][-CHANNEL_PAGES_MAX:]
        self._flow.history.front_end = self

    def _join_again(self, page: Page) -> None:
        """Count on a page that was too slow once, and now speaks again."""
        with self._lock:
            if page.closed or page in self._pages:
                return
            self._count_on(page)
        self._joined()

    def _joined(self) -> None:
        """What waited for a page, as panels do, need wait no longer."""
        try:
            self._flow.page_joined()
        except Exception as error:  # noqa: BLE001 - a panel that cannot be made must not cost the channel; it is noted
            self._note(f"the panels of earlier cells could not be shown ({type(error).__name__}: {error})")

    def _leave(self, page: Page) -> None:
        page.closed = True
        self._drop([page])

    def _drop(self, pages: list[Page]) -> None:
        with self._lock:
            self._pages = [page for page in self._pages if page not in pages]
            if not self._pages:
                self._flow.history.front_end = None

    def _send(self, page: Page, body: Mapping[str, Any]) -> None:
        try:
            page.context.copy().run(page.comm.send, body)
        except Exception as error:  # noqa: BLE001 - a page that is gone must not fail a cell; it is noted and left out
            self._note(f"a page could not be told anything ({type(error).__name__}: {error})")
            self._drop([page])

    def _note(self, text: str) -> None:
        """A line in the kernel's log; a page that goes on and on is not listened to for ever."""
        self._notes += 1
        if self._notes <= CHANNEL_NOTES_MAX:
            self._kernel.log.warning("project_o: %s", text)

    # ------------------------------------------------------------------------------ status

    def _status(self) -> dict[str, Any]:
        return light(self._flow) | self._level.facts

    def _after_cell(self, _result: Any = None) -> None:
        if self._pages:
            self.push()

    def push(self) -> None:
        """Tell every page the status, if it changed."""
        try:
            status = self._status()
        except ProjectOError as error:
            self._note(f"the status is not known: {error}")
            return
        with self._lock:
            pages, changed = list(self._pages), status != self._told
            self._told = status
        for page in pages if changed else ():
            self._send(page, {"type": "status", "status": status})

    # ------------------------------------------------------------------------------ messages

    def _receive(self, page: Page, message: Mapping[str, Any]) -> None:
        self._join_again(page)
        try:
            self._obey(page, _data(message))
        except Exception as error:  # noqa: BLE001 - a page may send anything; the log says what was not understood
            self._note(f"a message of the page was ignored ({type(error).__name__}: {error})")

    def _obey(self, page: Page, data: Mapping[str, Any]) -> None:
        match data.get("type"):
            case "document":
                self._move(page, data)
                if not self._is_ours(page.path):
                    self._note(f"what {page.path} holds is ignored: this kernel records {self._flow.history.notebook}")
                else:
                    self._flow.history.show(data)
                self._answer(page, data.get("answers"))
            case "moved":
                self._move(page, data)
                self._answer(page, data.get("answers"))
            case "status":
                self._send(page, {"type": "status", "status": self._status() | details(self._flow)})
            case kind:
                self._note(f"a message of no known type ({str(kind)[:40]!r}) was ignored")

    def _is_ours(self, path: str) -> bool:
        """Whether a page shows the notebook that this kernel records; another one may share the kernel."""
        notebook = self._flow.history.notebook
        return notebook is None or (bool(path) and ("/" + notebook).endswith("/" + path))

    def _move(self, page: Page, data: Mapping[str, Any]) -> None:
        """The notebook may have another name since: its history goes on under the new path."""
        path, history = _path(data.get("path")), self._flow.history
        if not path or path == page.path:
            return
        notebook = history.notebook
        if notebook is not None and self._is_ours(page.path):
            moved = os.path.normpath(notebook[: len(notebook) - len(page.path)] + path)
            if path.endswith(".ipynb") and ".." not in path.split("/") and os.path.isfile(moved):  # noqa: PTH113
                history.follow(moved, "JupyterLab's extension")
        page.path = path

    # ------------------------------------------------------------------------------ for the history

    def _ours(self) -> list[Page]:
        with self._lock:
            return [page for page in self._pages if self._is_ours(page.path)]

    def _answer(self, page: Page, number: Any) -> None:
        with self._answered:
            if isinstance(number, int) and number in self._answers:
                self._answers[number].append(page)
                self._answered.notify_all()

    def ask(self) -> bool:
        """Have the pages send what they show; False where none did in time. A page that says nothing is left out."""
        # In a kernel without subshells the answer would wait for the cell that is waiting for it.
        pages = [page for page in self._ours() if page.thread != threading.get_ident()]
        if not pages:
            return False
        with self._answered:
            self._questions += 1
            number = self._questions
            answers = self._answers[number] = []
            for page in pages:
                self._send(page, {"type": "ask", "number": number})
            self._answered.wait_for(lambda: len(answers) == len(pages), DOCUMENT_ASK_SECONDS)
            del self._answers[number]
        self._drop([page for page in pages if page not in answers])
        return bool(answers)

    def reload(self, text: str) -> bool:
        """Have the pages show the notebook's file anew and say ``text``; whether there are any."""
        pages = self._ours()
        for page in pages:
            self._send(page, {"type": "reload", "text": text})
        return bool(pages)


def _data(message: Mapping[str, Any]) -> Mapping[str, Any]:
    data = message["content"].get("data")
    return data if isinstance(data, Mapping) else {}


def _path(value: Any) -> str:
    """A page's path below the server's folder, "" where it is none."""
    good = isinstance(value, str) and len(value) <= CHANNEL_PATH_CHARACTERS_MAX and "\0" not in value
    return value.removeprefix("RTC:").lstrip("/") if good else ""
