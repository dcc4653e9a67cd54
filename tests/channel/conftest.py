"""A real kernel, and a page that speaks to it as JupyterLab's extension does: by a comm on a subshell."""

import os
import queue
import sys
import threading
import time
import uuid

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

WAIT_SECONDS = 60


class Page:
    """One page: what it shows is ``cells``, a list of (id, type, source); it answers when it is asked."""

    def __init__(self, kernel, path="work.ipynb", protocol=1):
        self.kernel, self.path = kernel, path
        self.comm = uuid.uuid4().hex
        self.cells = []
        self.heard = []
        self.answers = True
        kernel.pages[self.comm] = self
        self.say("comm_open", target_name="project_o", data={"protocol": protocol, "path": path})

    def say(self, kind, **content):
        self.kernel.send(kind, {"comm_id": self.comm, **content})

    def tell(self, **data):
        self.say("comm_msg", data=data)

    def show(self, *cells, **more):
        """Send the document."""
        self.cells = list(cells)
        entries = [{"id": i, "type": kind, "source": source} for i, kind, source in self.cells]
        self.tell(type="document", path=self.path, cells=entries, **more)

    def listen(self, kind, content):
        self.heard.append((kind, content.get("data", {})))
        if content.get("data", {}).get("type") != "ask":
            return
        if self.answers == "moved":
            self.tell(type="moved", path=self.path, answers=content["data"]["number"])
        elif self.answers:
            self.show(*self.cells, answers=content["data"]["number"])

    def until_true(self, true, seconds=WAIT_SECONDS):
        """Wait until something is true."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, self.heard
            time.sleep(0.01)

    def until(self, kind, true, seconds=WAIT_SECONDS):
        """Wait for a message of a type of which something is true."""
        end = time.monotonic() + seconds
        while not any(data.get("type") == kind and true(data) for _, data in list(self.heard)):
            assert time.monotonic() < end, self.heard
            time.sleep(0.01)

    def wait(self, kind, seconds=WAIT_SECONDS):
        """The newest message of a type, which may have come before."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for name, data in reversed(self.heard):
                if data.get("type") == kind or name == kind:
                    return data
            time.sleep(0.01)
        raise AssertionError(f"no {kind}: {self.heard}")


class Kernel:
    """A kernel with pages; a thread reads what it publishes, as a front end does."""

    def __init__(self, folder, notebook, log):
        self.pages = {}
        self.panels = []
        self._cells = {}
        self.manager = KernelManager()
        argv = [sys.executable, "-m", "project_o.kernel", "-f", "{connection_file}"]
        self.manager._kernel_spec = KernelSpec(argv=argv, display_name="o", language="python")
        environment = {**os.environ, **({"PROJECT_O_NOTEBOOK": str(notebook)} if notebook else {})}
        self.manager.start_kernel(cwd=str(folder), env=environment, stderr=log)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=WAIT_SECONDS)
        self.subshell = self._subshell()
        self._messages = queue.Queue()
        self._sending = threading.Lock()
        self._open = True
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _subshell(self):
        self.client.control_channel.send(self.client.session.msg("create_subshell_request", {}))
        return self.client.get_control_msg(timeout=WAIT_SECONDS)["content"]["subshell_id"]

    def send(self, kind, content):
        message = self.client.session.msg(kind, content)
        message["header"]["subshell_id"] = self.subshell
        with self._sending:
            self.client.shell_channel.send(message)

    def _read(self):
        while self._open:
            try:
                message = self.client.get_iopub_msg(timeout=0.2)
            except queue.Empty:
                continue
            content = message["content"]
            if message["msg_type"].startswith("comm_") and content.get("comm_id") in self.pages:
                self.pages[content["comm_id"]].listen(message["msg_type"], content)
            if "application/vnd.project-o.panel+json" in content.get("data", {}):
                self.panels.append({**content, "cell": self._sent(message).get("cellId")})
            self._messages.put(message)

    def _sent(self, message):
        """The metadata of the cell that a message belongs to."""
        return self._cells.get(message["parent_header"]["msg_id"], {})

    def run(self, code, cell="", seconds=WAIT_SECONDS, **metadata):
        """Run a cell; what it printed or how it failed."""
        request = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        message = self.client.session.msg("execute_request", request)
        message["metadata"] = {"cellId": cell, **metadata} if cell else {}
        self._cells[message["header"]["msg_id"]] = message["metadata"]
        with self._sending:
            self.client.shell_channel.send(message)
        text, until = "", time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                heard = self._messages.get(timeout=1)
            except queue.Empty:
                continue
            if heard["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            content = heard["content"]
            if heard["msg_type"] == "stream":
                text += content["text"]
            elif heard["msg_type"] == "error":
                text += f"{content['ename']}: {content['evalue']}"
            elif heard["msg_type"] == "status" and content["execution_state"] == "idle":
                return text.strip()
        raise AssertionError(f"{code!r} has not ended; so far: {text}")

    def state(self, name="@"):
        """The cells of a state, and its facts."""
        shown = self.run(
            "h = get_ipython()._project_o_extension.session.history\n"
            f"print(repr(([(c.id, c.type, c.source) for c in h.cells({name!r})], dict(h.resolve({name!r}).facts))))"
        )
        return eval(shown)  # its own repr

    def close(self):
        self._open = False
        self._thread.join()
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=False)


@pytest.fixture
def start(tmp_path):
    """A function that starts a kernel for ``work.ipynb``; ``log()`` is what it wrote to its error stream."""
    kernels = []
    place = tmp_path / "kernel.log"

    def started(cells=(), *, notebook=True):
        path = tmp_path / "work.ipynb"
        if notebook:
            book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text, id=name) for name, text in cells])
            nbformat.write(book, path)
        with open(place, "ab") as log:
            kernel = Kernel(tmp_path, path if notebook else None, log)
        kernel.notebook, kernel.log = path, place.read_text
        kernels.append(kernel)
        return kernel

    yield started
    for kernel in kernels:
        kernel.close()


@pytest.fixture
def open_page():
    """A function that opens a page and waits until it is greeted."""

    def opened(kernel, **options):
        page = Page(kernel, **options)
        page.wait("hello")
        return page

    return opened


@pytest.fixture(scope="module")
def kernel_with_page(tmp_path_factory):
    """One kernel, and a page that shows one markdown cell, for messages that must change nothing."""
    folder = tmp_path_factory.mktemp("channel")
    with open(folder / "kernel.log", "ab") as log:
        kernel = Kernel(folder, None, log)
    kernel.log = (folder / "kernel.log").read_text
    page = Page(kernel)
    page.wait("hello")
    page.show(("m", "markdown", "# Title"))
    yield kernel, page
    kernel.close()
