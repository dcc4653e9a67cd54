"""A real kernel in a process of its own, in a folder of its own."""

import os
import sys
from dataclasses import dataclass, field

import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager


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
    """A started kernel; ``run`` executes a cell and waits until it is idle."""

    def __init__(self, folder, module="project_o.kernel", environment=None):
        argv = [sys.executable, "-m", module, "-f", "{connection_file}"]
        self.manager = KernelManager()
        self.manager._kernel_spec = KernelSpec(argv=argv, display_name=module, language="python")
        self.manager.start_kernel(cwd=str(folder), env={**os.environ, **(environment or {})})
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, code, timeout=120):
        outputs = []

        def hook(message):
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
        if not self.manager.has_kernel:
            return
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=False)


@pytest.fixture
def start_kernel(tmp_path_factory):
    """A function that starts kernels; they are ended with the test."""
    kernels = []

    def start(folder, **options):
        kernel = Kernel(folder, **options)
        kernels.append(kernel)
        return kernel

    yield start
    for kernel in kernels:
        kernel.close()


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """One project-o kernel for a module of tests, in an empty folder."""
    started = Kernel(tmp_path_factory.mktemp("kernel"))
    yield started
    started.close()
