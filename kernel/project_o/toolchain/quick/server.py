"""One incremental Zig compiler that stays: told that files have changed, it answers with a library or with errors.

The protocol (of the pinned version, both ways): a little-endian tag and length, then that many bytes. An update is tag
1 without a body; several messages answer it, the last one always tag 1, the errors, empty where there are none. Before
it comes tag 2, which names the folder of the library. That library is written in place at the next update: its bytes
are copied, and the file itself is never loaded.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib import util
from pathlib import Path

from ... import limits
from ..compiler import clean_environment
from . import bundle

_HEADER = struct.Struct("<II")
_UPDATE = _HEADER.pack(1, 0)
_ERRORS, _DIGEST = 1, 2
_TAGS = frozenset(range(14))
_DIGEST_BYTES = 17  # flags, and the digest itself
_LOOK_AGAIN_SECONDS = 0.25
_END_SECONDS = 0.5
_KEEPER = "project_o.toolchain.quick.keeper"


class ServerTrouble(Exception):  # noqa: N818 - what it is in, and no error of the user's
    """The server cannot be used any more. Whoever catches it builds in another way."""


class Server:
    """One process that works in ``folder``; ``home`` is removed should this process die. ``kill`` may be called by any
    thread, everything else by one.

    Raises ServerTrouble where it cannot be started.
    """

    def __init__(self, command: Sequence[str], folder: Path, home: Path) -> None:
        self.folder = folder
        self.updates = 0
        self._pidfd = -1
        if not hasattr(os, "pidfd_open"):
            raise ServerTrouble("a compiler server needs Linux")
        try:
            self._start(command, home)
        except OSError as error:
            raise ServerTrouble(f"it cannot be started: {error}") from None

    def _start(self, command: Sequence[str], home: Path) -> None:
        told, status = os.pipe()
        kernel = os.pidfd_open(os.getpid())
        facts = (kernel, status, home, limits.SERVER_MEMORY_BYTES, limits.SERVER_FILE_BYTES_MAX)
        try:
            with open(self.folder / "said", "wb") as said:
                self._process = subprocess.Popen(
                    (sys.executable, "-I", "-S", _keeper(), *map(str, facts), *command),
                    cwd=self.folder,
                    env=clean_environment(),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=said,
                    pass_fds=(kernel, status),
                    start_new_session=True,  # Jupyter interrupts the kernel's whole process group
                )
        finally:
            os.close(kernel)
            os.close(status)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin.fileno(), self._process.stdout.fileno()
        try:
            os.set_blocking(self._output, False)
            with open(told, "rb", buffering=0) as pipe:
                ready = select.poll()
                ready.register(pipe, select.POLLIN)
                number = pipe.read(32) if ready.poll(limits.ZYGOTE_START_SECONDS * 1000) else b""
            if not number:
                raise ServerTrouble(f"it did not start: {self._last_words()}")
            self.pid = int(number)
            self._pidfd = os.pidfd_open(self.pid)
        except BaseException:
            self.close()
            raise

    def update(self, seconds: float, ended: Callable[[], bool] = lambda: False) -> tuple[str, Path | None]:
        """Compile what the files now hold: the errors as text, and the library's path where there are none.

        ``ended`` is asked again and again whether nobody waits any more. Raises ServerTrouble, also at the deadline.
        """
        deadline = time.monotonic() + seconds
        try:
            os.write(self._input, _UPDATE)
        except OSError:
            raise ServerTrouble(f"it is gone: {self._last_words()}") from None
        self._allow_processor(seconds)
        digest = b""
        while True:
            tag, length = _HEADER.unpack(self._read(_HEADER.size, deadline, ended))
            if tag not in _TAGS or length > limits.SERVER_MESSAGE_BYTES_MAX:
                raise ServerTrouble(f"it speaks another language: a message {tag} of {length} bytes")
            body = self._read(length, deadline, ended)
            if tag == _DIGEST:
                digest = body
            if tag == _ERRORS:
                break
        self.updates += 1
        try:
            errors = bundle.text(body)
        except bundle.BundleError as error:
            raise ServerTrouble(f"its errors cannot be read: {error}") from None
        return errors, None if errors else self._library(digest)

    def _library(self, digest: bytes) -> Path:
        if len(digest) != _DIGEST_BYTES:
            raise ServerTrouble("it names neither a library nor an error")
        return self.folder / "cache" / "o" / digest[1:].hex() / "libcell.so"

    def _read(self, size: int, deadline: float, ended: Callable[[], bool]) -> bytes:
        pieces: list[bytes] = []
        watch = select.poll()
        watch.register(self._output, select.POLLIN)
        while size > 0:
            left = deadline - time.monotonic()
            if left <= 0 or ended():
                raise ServerTrouble("it did not answer in time")
            if not watch.poll(min(left, _LOOK_AGAIN_SECONDS) * 1000):
                continue
            try:
                piece = os.read(self._output, size)
            except BlockingIOError:
                continue
            except OSError as error:
                raise ServerTrouble(f"it is gone: {error}") from None
            if not piece:
                raise ServerTrouble(f"it is gone: {self._last_words()}")
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _allow_processor(self, seconds: float) -> None:
        """So much processor time from now on, for the case that this process cannot keep the deadline itself."""
        cores = os.cpu_count() or 1
        with contextlib.suppress(OSError, ValueError):
            fields = (Path("/proc") / str(self.pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            used = (int(fields[11]) + int(fields[12])) // os.sysconf("SC_CLK_TCK")
            _, hard = resource.prlimit(self.pid, resource.RLIMIT_CPU)
            most = used + 2 + int(seconds * cores)
            if hard == resource.RLIM_INFINITY or most < hard:
                resource.prlimit(self.pid, resource.RLIMIT_CPU, (most, hard))

    @property
    def resident_bytes(self) -> int:
        """What it takes of the memory; 0 where it is gone."""
        try:
            pages = int((Path("/proc") / str(self.pid) / "statm").read_text().split()[1])
        except (OSError, ValueError, IndexError):
            return 0
        return pages * resource.getpagesize()

    def _last_words(self) -> str:
        try:
            said = (self.folder / "said").read_bytes()[-500:].decode("utf-8", "replace").strip()
        except OSError:
            said = ""
        return said or "it said nothing"

    def kill(self) -> None:
        """End it; who waits for its answer is told that it is gone. Its keeper sees to the rest, and ends too."""
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def close(self) -> None:
        """End it and give back what it held. Its folder stays."""
        self.kill()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()  # it waits for this process to end, or for who knows what
            self._process.wait()
        self._give_back()

    def forget(self) -> None:
        """In a forked copy of this process: give back what it inherited, and leave the server alone."""
        self._give_back()
        self._process.returncode = 0  # not ours to wait for

    def _give_back(self) -> None:
        pidfd, self._pidfd = self._pidfd, -1
        if pidfd >= 0:
            os.close(pidfd)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()


def _keeper() -> str:
    spec = util.find_spec(_KEEPER)
    assert spec is not None
    assert spec.origin is not None
    return spec.origin
