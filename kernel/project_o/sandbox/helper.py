"""The kernel's hold on the warm process: started by exec when first needed, shared, started again if it died."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, NamedTuple

from .. import limits
from ..errors import SandboxError
from . import namespaces
from .folder import Folder

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
zygote.main(spec["control"], spec["kernel"], spec["modules"], spec["folder"])
"""


class Kind(NamedTuple):
    """What makes one warm process different from another.

    ``modules`` are imported beyond those that every one has; with ``namespaces`` it runs in namespaces of its own,
    where beside the system and its libraries only ``opened`` is visible. ``box`` is the number of the only box that
    uses it, 0 where others may.
    """

    modules: tuple[str, ...] = ()
    namespaces: bool = False
    opened: tuple[str, ...] = ()
    box: int = 0


OUTSIDE = Kind()


class HelperGoneError(Exception):
    """The helper ended before it forked the job: worth one more try with a new one."""


class Helper:
    """One warm process of a kind. ``pid`` is its number here, whatever it is in its own namespace.

    ``request`` may be called from any thread. Raises SandboxError where it does not start, or a module does not load.
    """

    def __init__(self, kind: Kind = OUTSIDE) -> None:
        if not (sys.platform == "linux" and hasattr(os, "pidfd_open")):
            raise SandboxError(
                f"the sandbox needs Linux 5.4 or newer, this is {sys.platform}: work in a Linux machine or container"
            )
        self.owner, self.kind, self.pidfd, self.lost = os.getpid(), kind, -1, False
        self.folder = Folder()
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # A parent-death signal would fire when the *thread* that starts the helper ends; a pidfd waits for the process.
        kernel = os.pidfd_open(self.owner)
        try:
            with theirs, tempfile.TemporaryFile() as complaints:
                self.process = self._start(theirs.fileno(), kernel, complaints)
                theirs.close()
                self.facts = self._wait_until_ready(complaints)
        except BaseException:
            self.control.close()
            self.folder.close()
            raise
        finally:
            os.close(kernel)
        if failed := self.facts["failed"]:
            self.close()
            told = "; ".join(f"{name} ({why})" for name, why in failed.items())
            raise SandboxError(f"the sandbox cannot load {told}: leave it out, or mend its import")

    def _start(self, control: int, kernel: int, complaints: Any) -> subprocess.Popen[bytes]:
        modules = self.kind.modules
        libraries = _library_folders()
        spec = {
            "packages": _packages(),
            "path": libraries + ([] if self.kind.namespaces or not modules else _import_path()),
            "modules": modules,
            "control": control,
            "kernel": kernel,
            "folder": self.folder.path,
        }
        arguments = ["-u", "-I", "-S", "-c", _BOOTSTRAP, json.dumps(spec)]
        line = [sys.executable, *arguments]
        if self.kind.namespaces:
            program, folders = namespaces.interpreter()
            folders += [*libraries, *(folder for _, folder in _packages())]
            try:
                line = namespaces.command(
                    namespaces.find_bubblewrap(), [program, *arguments], folders, self.folder.path, self.kind.opened
                )
            except OSError as error:
                raise SandboxError(str(error)) from None
        return subprocess.Popen(
            line,
            pass_fds=[control, kernel],
            env=_CLEAN_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=complaints,
            stderr=complaints,
            start_new_session=True,
        )

    def _wait_until_ready(self, complaints: Any) -> dict[str, Any]:
        ready = select.poll()
        ready.register(self.control, select.POLLIN)
        message, descriptors = b"", list[int]()
        if ready.poll(limits.ZYGOTE_START_SECONDS * 1000):
            with contextlib.suppress(OSError):
                message, descriptors, _, _ = socket.recv_fds(self.control, 1 << 17, 1)
        if not message:
            self.close()
            complaints.seek(0)
            text = complaints.read(4096).decode("utf-8", "replace").strip()
            raise SandboxError(
                f"the sandbox's helper process did not start within {limits.ZYGOTE_START_SECONDS} s: "
                f"{text or 'it said nothing'}; project-o doctor shows what is missing"
            )
        (self.pidfd,) = descriptors
        self.pid = pid_of(self.pidfd)
        facts: dict[str, Any] = json.loads(message)
        return facts

    @property
    def alive(self) -> bool:
        """Whether it is ours and running."""
        return self.owner == os.getpid() and not self.lost and self.process.poll() is None

    def request(self, config: dict[str, Any], descriptors: list[int]) -> None:
        """Ask for one job. Raises HelperGoneError."""
        try:
            socket.send_fds(self.control, [json.dumps(config).encode()], descriptors)
        except (BrokenPipeError, ConnectionError):
            raise HelperGoneError from None

    def close(self) -> None:
        """End it and every job it holds; in a forked copy of the kernel only forget it."""
        self.control.close()
        pidfd, self.pidfd = self.pidfd, -1
        try:
            if self.owner != os.getpid():
                self.process.returncode = 0  # not ours to wait for
                return
            try:
                self.process.wait(3.0)  # it kills its jobs first
            except subprocess.TimeoutExpired:
                if pidfd >= 0:  # in a namespace the end of this process ends all that are in it
                    with contextlib.suppress(OSError):
                        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
                self.process.kill()
                self.process.wait()
        finally:
            if pidfd >= 0:
                os.close(pidfd)
            self.folder.close()


def started(control: socket.socket) -> int:
    """A pidfd of the process that was forked for the job of that socket. Raises HelperGoneError."""
    message, descriptors = b"", list[int]()
    with contextlib.suppress(OSError):
        message, descriptors, _, _ = socket.recv_fds(control, 4096, 1)
    if not message:
        raise HelperGoneError
    return descriptors[0]


def pid_of(pidfd: int) -> int:
    """The number, in this process' own namespace, of the process that a pidfd means; 0 once it is gone."""
    with open(f"/proc/self/fdinfo/{pidfd}", "rb") as f:
        for line in f:
            if line.startswith(b"Pid:"):
                return max(0, int(line[4:]))
    return 0


def _packages() -> list[tuple[str, str]]:
    here = Path(__file__).resolve().parent
    return [("project_o", str(here.parent)), ("project_o.sandbox", str(here))]


def _library_folders() -> list[str]:
    """Where numpy and Hy are, found without importing them; what is not installed has no folder."""
    specs = [importlib.util.find_spec(name) for name in ("numpy", "hy", "funcparserlib")]
    return sorted({str(Path(spec.origin).resolve().parent.parent) for spec in specs if spec and spec.origin})


def _import_path() -> list[str]:
    """Where this process finds modules. The folder it works in is named, since the helper works elsewhere."""
    return [str(Path(folder or ".").resolve()) for folder in sys.path]


_lock = threading.RLock()  # the garbage collector may close a box in the middle of ``acquire``
_helpers: dict[Kind, Helper] = {}
_users: dict[Kind, set[int]] = {}


def acquire(user: int, kind: Kind = OUTSIDE) -> Helper:
    """The living helper of this kind, started anew if there is none.

    ``user`` counts as one of its users until ``release``. Raises SandboxError where it cannot be started.
    """
    with _lock:
        _users.setdefault(kind, set()).add(user)
        found = _helpers.get(kind)
        if found is None or not found.alive:
            if found is not None:
                del _helpers[kind]
                found.close()
            found = _helpers[kind] = Helper(kind)
        return found


def living(kind: Kind) -> bool:
    """Whether there is one of this kind, so that ``acquire`` takes no time."""
    found = _helpers.get(kind)
    return found is not None and found.alive


def release(user: int) -> None:
    """The last user out of a helper ends it."""
    with _lock:
        for kind, users in list(_users.items()):
            users.discard(user)
            if not users:
                _users.pop(kind, None)
                if (helper := _helpers.pop(kind, None)) is not None:
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
