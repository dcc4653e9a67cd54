"""The kernel's hold on the warm process: started by exec when first needed, shared, started again if it died."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from .. import limits
from ..errors import SandboxError

_CLEAN_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LC_ALL": "C.UTF-8",
    # A pool of threads would not survive the fork, and the filter lets no thread be made.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}

# Packages are entered by their folder alone, so that their __init__ modules, which know notebooks, are not run.
_BOOTSTRAP = """
import json, sys, types
spec = json.loads(sys.argv.pop())
for name, folder in spec["packages"]:
    package = sys.modules[name] = types.ModuleType(name)
    package.__path__ = [folder]
sys.path += spec["path"]
from project_o.sandbox import zygote
zygote.main(spec["control"], spec["kernel"], spec["modules"])
"""


class Helper:
    """One warm process, with ``modules`` imported beyond those that every one has.

    ``request`` may be called from any thread. Raises SandboxError where it does not start, or a module does not load.
    """

    def __init__(self, modules: tuple[str, ...] = ()) -> None:
        if not (sys.platform == "linux" and hasattr(os, "pidfd_open")):
            raise SandboxError(
                f"the sandbox needs Linux 5.4 or newer, this is {sys.platform}: work in a Linux machine or container"
            )
        self.owner = os.getpid()
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # A parent-death signal would fire when the *thread* that starts the helper ends; a pidfd waits for the process.
        kernel = os.pidfd_open(self.owner)
        try:
            with theirs, tempfile.TemporaryFile() as complaints:
                spec = {
                    "packages": _packages(),
                    "path": _library_folders() + (_import_path() if modules else []),
                    "modules": modules,
                    "control": theirs.fileno(),
                    "kernel": kernel,
                }
                self.process = subprocess.Popen(
                    [sys.executable, "-u", "-I", "-S", "-c", _BOOTSTRAP, json.dumps(spec)],
                    pass_fds=[theirs.fileno(), kernel],
                    env=_CLEAN_ENVIRONMENT,
                    stdin=subprocess.DEVNULL,
                    stdout=complaints,
                    stderr=complaints,
                    start_new_session=True,
                )
                theirs.close()
                self.facts = self._wait_until_ready(complaints)
        finally:
            os.close(kernel)
        if failed := self.facts["failed"]:
            self.close()
            told = "; ".join(f"{name} ({why})" for name, why in failed.items())
            raise SandboxError(f"the sandbox cannot load {told}: leave it out, or mend its import")

    def _wait_until_ready(self, complaints: Any) -> dict[str, Any]:
        ready = select.poll()
        ready.register(self.control, select.POLLIN)
        message = b""
        if ready.poll(limits.ZYGOTE_START_SECONDS * 1000):
            with contextlib.suppress(OSError):
                message = self.control.recv(1 << 17)
        if not message:
            self.close()
            complaints.seek(0)
            text = complaints.read(4096).decode("utf-8", "replace").strip()
            raise SandboxError(
                f"the sandbox's helper process did not start within {limits.ZYGOTE_START_SECONDS} s: "
                f"{text or 'it said nothing'}; project-o doctor shows what is missing"
            )
        facts: dict[str, Any] = json.loads(message)
        return facts

    @property
    def alive(self) -> bool:
        """Whether it is ours and running."""
        return self.owner == os.getpid() and self.process.poll() is None

    def request(self, config: dict[str, Any], descriptors: list[int]) -> bool:
        """Ask for one job. False when the helper is gone."""
        try:
            socket.send_fds(self.control, [json.dumps(config).encode()], descriptors)
        except (BrokenPipeError, ConnectionError):
            return False
        return True

    def close(self) -> None:
        """End it and every job it holds; in a forked copy of the kernel only forget it."""
        self.control.close()
        if self.owner != os.getpid():
            self.process.returncode = 0  # not ours to wait for
            return
        try:
            self.process.wait(3.0)  # it kills its jobs first
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _packages() -> list[tuple[str, str]]:
    here = Path(__file__).resolve().parent
    return [("project_o", str(here.parent)), ("project_o.sandbox", str(here))]


def _library_folders() -> list[str]:
    """Where numpy is, found without importing it; empty without numpy."""
    spec = importlib.util.find_spec("numpy")
    return [str(Path(spec.origin).resolve().parent.parent)] if spec and spec.origin else []


def _import_path() -> list[str]:
    """Where this process finds modules. The folder it works in is named, since the helper works elsewhere."""
    return [str(Path(folder or ".").resolve()) for folder in sys.path]


_lock = threading.RLock()  # the garbage collector may close a box in the middle of ``acquire``
_helpers: dict[tuple[str, ...], Helper] = {}
_users: dict[tuple[str, ...], set[int]] = {}


def acquire(user: int, modules: tuple[str, ...] = ()) -> Helper:
    """The living helper with these modules, started anew if there is none.

    ``user`` counts as one of its users until ``release``. Raises SandboxError where it cannot be started.
    """
    with _lock:
        _users.setdefault(modules, set()).add(user)
        found = _helpers.get(modules)
        if found is None or not found.alive:
            if found is not None:
                del _helpers[modules]
                found.close()
            found = _helpers[modules] = Helper(modules)
        return found


def release(user: int) -> None:
    """The last user out of a helper ends it."""
    with _lock:
        for modules, users in list(_users.items()):
            users.discard(user)
            if not users:
                _users.pop(modules, None)
                if (helper := _helpers.pop(modules, None)) is not None:
                    helper.close()


def _after_fork() -> None:
    """A forked copy of the kernel starts with no helper of its own, and leaves the kernel's alone."""
    global _lock
    _lock = threading.RLock()
    _users.clear()
    for helper in _helpers.values():
        helper.close()
    _helpers.clear()


os.register_at_fork(after_in_child=_after_fork)
