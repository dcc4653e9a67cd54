"""What an attack may harm: canaries with random tokens, listeners, a victim process. Made anew for each run."""

from __future__ import annotations

import contextlib
import os
import platform
import pty
import secrets
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from .calls import NUMBERS

flagged = False
"""Whether the process that evaluates was signalled."""


def _flag(*_: object) -> None:
    global flagged
    flagged = True


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


class World:
    """Everything is made when it is first asked for, and taken away by ``close``."""

    def __init__(self, libraries: dict[str, str] | None = None, compilers: dict[str, str] | None = None) -> None:
        global flagged
        flagged = False
        signal.signal(signal.SIGUSR1, _flag)
        self.token = "t0ken" + secrets.token_hex(12)
        self.folder = tempfile.mkdtemp(prefix="world-")
        self.home = os.path.join(self.folder, "home")
        os.mkdir(self.home)
        self.canary = os.path.join(self.folder, "canary")
        Path(self.canary).write_text(self.token)
        os.utime(self.canary, (1_000_000_000, 1_000_000_000))
        self.mark = os.path.join(tempfile.gettempdir(), "mark-" + secrets.token_hex(6))
        self.nr = NUMBERS[platform.machine()]
        self.runner = os.getpid()
        self.libraries, self.compilers = libraries or {}, compilers or {}
        self.page = os.sysconf("SC_PAGE_SIZE")
        self._closing: list[Any] = []
        self._made: dict[str, Any] = {}
        os.environ["O_ATTACK_SECRET"] = self.token
        self.before = self.fingerprint()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        made = self.__dict__["_made"]
        if name not in made:
            made[name] = getattr(self, "_make_" + name)()
        return made[name]

    def facts(self, needs: tuple[str, ...]) -> dict[str, Any]:
        """What the attack is told: the strongest attacker knows where everything is, and not what is in it."""
        always = ("canary", "folder", "home", "mark", "nr", "runner", "page")
        return {name: getattr(self, name) for name in (*always, *needs)}

    # Files ------------------------------------------------------------------------------------------------------

    def fingerprint(self) -> list[Any]:
        """Names, contents, rights, times and links of everything in the folder."""
        found: list[Any] = []
        for base, folders, files in os.walk(self.folder):
            for name in sorted([*folders, *files]):
                path = os.path.join(base, name)
                facts = os.lstat(path)
                content = Path(path).read_bytes() if name in files and os.path.isfile(path) else b""
                found.append((path, facts.st_mode, facts.st_nlink, facts.st_size, int(facts.st_mtime), content))
                with contextlib.suppress(OSError):
                    found.append(os.listxattr(path))
        return [entry for entry in found if not (isinstance(entry, tuple) and entry[0] == self.home)]

    def appeared(self) -> bool:
        return os.path.lexists(self.mark)

    def _make_key(self) -> str:
        """A secret in the user's home."""
        path = Path(self.home, ".ssh", "id_ed25519")
        path.parent.mkdir()
        path.write_text(self.token)
        self.before = self.fingerprint()
        return str(path)

    def _make_program(self) -> str:
        """A file of the program that evaluates."""
        path = Path(self.home, "evaluator.py")
        path.write_text("def evaluate(): ...\n")
        return str(path)

    def _make_handed(self) -> int:
        """A descriptor of the evaluator's on a file that has no name any more."""
        path = os.path.join(self.folder, "gone")
        Path(path).write_text(self.token)
        fd = os.open(path, os.O_RDWR)
        os.unlink(path)
        os.set_inheritable(fd, True)
        self._closing.append(fd)
        return fd

    def _make_link(self) -> str:
        """A link whose target is a secret."""
        path = os.path.join(self.folder, "link")
        os.symlink("/" + self.token, path)
        self.before = self.fingerprint()
        return path

    def _make_labelled(self) -> str:
        """A file with a secret beside its content."""
        path = os.path.join(self.folder, "labelled")
        Path(path).write_text("x")
        os.setxattr(path, "user.origin", self.token.encode())
        self.before = self.fingerprint()
        return path

    def handle(self) -> tuple[int, bytes]:
        """The canary as name_to_handle_at gives it: (mount, handle)."""
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        mount = ctypes.c_int()
        buffer = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + b"\0" * 128)
        libc.name_to_handle_at(-100, self.canary.encode(), buffer, ctypes.byref(mount), 0)
        return mount.value, buffer.raw

    def _make_fixed(self) -> str:
        """The mark lies where a library was told when it was compiled."""
        self.mark = os.path.join(os.environ["O_ATTACK_FIXED"], "mark")
        return self.mark

    def _make_fixed_canary(self) -> str:
        path = os.path.join(os.environ["O_ATTACK_FIXED"], "canary")
        Path(path).write_text(self.token)
        return path

    def _make_evil_library(self) -> str:
        return os.environ["O_ATTACK_LIBRARY"]

    # Processes --------------------------------------------------------------------------------------------------

    def _make_victim(self) -> int:
        """A process of the same user with a secret in its memory, its environment and its standard input."""
        secret = Path(self.folder, "stdin")
        secret.write_text(self.token)
        with open(secret) as stdin:
            self._victim = subprocess.Popen(
                ["sleep", "600"], stdin=stdin, env={"TOKEN": self.token}, stdout=subprocess.DEVNULL
            )
        secret.unlink()
        deadline = time.monotonic() + 5
        while self._of_victim("comm") != "sleep\n" and time.monotonic() < deadline:
            time.sleep(0.001)
        self._closing.append(self._victim)
        return self._victim.pid

    def _make_secret_at(self) -> int:
        """The address of the secret in the victim's memory."""
        pid = self.victim
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[47])

    def _make_processes(self) -> int:
        """How many there are below this one before the evaluator makes its own."""
        from .left import at_work

        return len(at_work())

    def _of_victim(self, name: str) -> str:
        try:
            return Path(f"/proc/{self._victim.pid}/{name}").read_text(errors="replace")
        except OSError:
            return ""

    def victim_state(self) -> str:
        """The letter that ps shows; X where it is gone."""
        return (self._of_victim("stat").rpartition(")")[2].split() or ["X"])[0]

    def victim_memory(self) -> str:
        return self._of_victim("environ")

    def signalled(self) -> bool:
        return flagged

    def burns(self, host: Any) -> bool:
        """Whether the process that has answered goes on using a processor."""
        pid = host.last.pid if hasattr(host, "last") else host.pid
        try:
            first = _ticks(pid)
            time.sleep(0.25)
            return _ticks(pid) - first > 8
        except OSError:
            return False

    def noticed(self, host: Any) -> bool:
        """Whether the next question finds out that it worked on."""
        return hasattr(host, "last") and host.last.ask("attack", [{}]).ended == "protocol"

    # Memory -----------------------------------------------------------------------------------------------------

    def _make_shared_before(self) -> int:
        from .memory import shared_bytes

        return shared_bytes()

    def _make_shared_fd(self) -> int:
        """Memory that a naive evaluator shares with its candidate."""
        fd = os.memfd_create("shared")
        os.truncate(fd, 4096)
        os.set_inheritable(fd, True)
        self._closing.append(fd)
        return fd

    def _make_peak_before(self) -> int:
        from .strangers import forget_the_peak

        return forget_the_peak()

    def _make_disk_before(self) -> int:
        return self._disk_used()

    def _disk_used(self) -> int:
        """Bytes in use on the file system of the temporary folder, whoever holds them, with a name or without."""
        facts = os.statvfs(tempfile.gettempdir())
        return (facts.f_blocks - facts.f_bfree) * facts.f_frsize

    def disk_grew(self, mib: int = 96) -> bool:
        return self._disk_used() > self.disk_before + (mib << 20)

    # Results ----------------------------------------------------------------------------------------------------

    def _make_expected(self) -> int:
        """The right answer to the question, which only the evaluator knows."""
        return 10**9 + secrets.randbelow(10**9)

    # Listeners --------------------------------------------------------------------------------------------------

    def _listen(self, family: int, kind: int, address: Any, protocol: int = 0) -> socket.socket:
        listener = socket.socket(family, kind, protocol)
        self._closing.append(listener)
        listener.bind(address)
        if kind != socket.SOCK_DGRAM:
            listener.listen()
        self._listeners.append(listener)
        return listener

    def _make_listeners(self) -> list[socket.socket]:
        return []

    @property
    def _listeners(self) -> list[socket.socket]:
        return self._made.setdefault("listeners", [])

    def _make_tcp(self) -> int:
        return self._listen(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)).getsockname()[1]

    def _make_tcp6(self) -> int:
        return self._listen(socket.AF_INET6, socket.SOCK_STREAM, ("::1", 0)).getsockname()[1]

    def _make_udp(self) -> int:
        return self._listen(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)).getsockname()[1]

    def _make_mptcp(self) -> int:
        return self._listen(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0), 262).getsockname()[1]

    def _make_unix(self) -> str:
        path = os.path.join(self.folder, "s")
        self._listen(socket.AF_UNIX, socket.SOCK_STREAM, path)
        self.before = self.fingerprint()
        return path

    def _make_unix_dgram(self) -> str:
        path = os.path.join(self.folder, "d")
        self._listen(socket.AF_UNIX, socket.SOCK_DGRAM, path)
        return path

    def _make_abstract(self) -> str:
        name = "o" + secrets.token_hex(8)
        self._listen(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + name)
        return name

    def _make_vsock(self) -> int:
        return self._listen(socket.AF_VSOCK, socket.SOCK_STREAM, (1, -1 & 0xFFFFFFFF)).getsockname()[1]

    def _make_free_port(self) -> int:
        with socket.create_server(("127.0.0.1", 0)) as one:
            return one.getsockname()[1]

    def _make_pair(self) -> int:
        """A socket that the evaluator holds, to a server that trusts it."""
        self._near, far = socket.socketpair()
        far.set_inheritable(True)
        self._closing += [self._near, far]
        return far.fileno()

    def pair_heard(self) -> bool:
        return bool(select.select([self._near], [], [], 0.02)[0])

    def heard(self) -> bool:
        return bool(self._listeners) and bool(select.select(self._listeners, [], [], 0.01)[0])

    def answers(self, port: int) -> bool:
        """Whether somebody listens at this port."""
        with socket.socket() as s:
            s.settimeout(0.2)
            return s.connect_ex(("127.0.0.1", port)) == 0

    # A terminal -------------------------------------------------------------------------------------------------

    def _make_terminal(self) -> int:
        """The slave's end of a terminal that nobody types on."""
        import tty

        master, slave = pty.openpty()
        tty.setcbreak(slave)
        os.set_inheritable(slave, True)
        self._closing += [master, slave]
        return slave

    def typed(self) -> bool:
        return bool(select.select([self.terminal], [], [], 0.05)[0])

    # ------------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        for item in self._closing:
            if isinstance(item, int):
                os.close(item)
            elif isinstance(item, subprocess.Popen):
                item.kill()
                item.wait()
            else:
                item.close()
        os.environ.pop("O_ATTACK_SECRET", None)
        shutil.rmtree(self.folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.unlink(self.mark)
        shutil.rmtree(self.mark, ignore_errors=True)
