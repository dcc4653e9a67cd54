"""A real kernel in a process of its own, in a folder of its own."""

import contextlib
import functools
import os
import sys
import threading
import time
from dataclasses import dataclass, field
from queue import Empty

import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

READY_SECONDS = 60


@dataclass
class Ran:
    """What one cell gave: the reply's status, and the outputs as messages."""

    status: str
    error: str = ""
    outputs: list = field(default_factory=list)

    @property
    def text(self) -> str:
        """Everything the cell printed or showed, as plain text."""
        parts = []
        for kind, content in self.outputs:
            if kind == "stream":
                parts.append(content["text"])
            elif "data" in content:
                parts.append(content["data"].get("text/plain", ""))
            elif kind == "error":
                parts.append("\n".join(content["traceback"]))
        return "\n".join(parts)

    @property
    def html(self) -> str:
        return "\n".join(c["data"].get("text/html", "") for _, c in self.outputs if "data" in c)


class Kernel:
    """A started kernel; ``run`` executes a cell and waits until it is idle.

    Who starts it goes on at once, and its first use waits until it is ready: two kernels of a test start side by side.
    """

    def __init__(self, folder, module="project_o.kernel", environment=None):
        argv = [sys.executable, "-m", module, "-f", "{connection_file}"]
        self.left = False
        self.manager = KernelManager()
        self.manager._kernel_spec = KernelSpec(argv=argv, display_name=module, language="python")
        self.manager.start_kernel(cwd=str(folder), env={**os.environ, **(environment or {})})

    @functools.cached_property
    def client(self):
        """The kernel's client, when it is ready.

        As its own ``wait_for_ready``, which then waits until nothing was said for 0.2 s: who executes a cell here reads
        what belongs to the cell.
        """
        client = self.manager.client()
        client.start_channels()
        until = time.monotonic() + READY_SECONDS
        while True:
            client.kernel_info()
            with contextlib.suppress(Empty):
                client.get_shell_msg(timeout=1)
                client.get_iopub_msg(timeout=0.2)  # both channels are connected
                return client
            assert self.manager.is_alive(), "the kernel ended before it was ready"
            assert time.monotonic() < until, f"the kernel was not ready in {READY_SECONDS} s"

    def interrupted(self, code, seconds, timeout=60):
        """Run a cell that is interrupted so long after it has begun; what it gave, and when the interrupt was sent."""
        sent = []
        timer = threading.Timer(seconds, lambda: (sent.append(time.monotonic()), self.manager.interrupt_kernel()))
        ran = self.run(f"print('begun', flush=True)\n{code}", timeout, when_it_says=timer.start)
        return ran, sent[0]

    def run(self, code, timeout=120, when_it_says=None):
        outputs = []

        def hook(message):
            if message["msg_type"] == "stream" and when_it_says and not outputs:
                when_it_says()
            if message["msg_type"] not in ("status", "execute_input"):
                outputs.append((message["msg_type"], message["content"]))

        reply = self.client.execute_interactive(code, timeout=timeout, output_hook=hook, allow_stdin=False)["content"]
        error = f"{reply['ename']}: {reply['evalue']}" if reply["status"] == "error" else ""
        return Ran(reply["status"], error, outputs)

    def value(self, expression):
        """The repr of an expression in the kernel."""
        ran = self.run(f"print(repr(({expression})))")
        assert ran.status == "ok", ran.text
        return ran.text.strip()

    def close(self):
        """End the kernel. Closing twice is fine."""
        self.leave()
        if self.manager.has_kernel:
            self.manager.finish_shutdown()
            self.manager.cleanup_resources()

    def leave(self):
        """Tell the kernel to end, and do not wait for that."""
        if not self.manager.has_kernel or self.left:
            return
        self.left = True
        if "client" in vars(self):
            self.client.stop_channels()
        self.manager.interrupt_kernel()  # a cell may be running
        self.manager.request_shutdown()


@pytest.fixture(scope="session")
def leaving():
    """Kernels of tests that have ended, which end by themselves, and are waited for here."""
    kernels = []
    yield kernels
    for kernel in kernels:
        kernel.close()


@pytest.fixture
def start_kernel(leaving):
    """A function that starts kernels; they are told to end with the test."""
    kernels = []

    def start(folder, **options):
        kernel = Kernel(folder, **options)
        kernels.append(kernel)
        return kernel

    yield start
    for kernel in leaving:  # those of the test before
        kernel.close()
    leaving[:] = kernels
    for kernel in kernels:
        kernel.leave()


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """One project-o kernel for a module of tests, in an empty folder."""
    started = Kernel(tmp_path_factory.mktemp("kernel"))
    yield started
    started.close()
