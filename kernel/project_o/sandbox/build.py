"""A locked build: a compiler of code that nobody has read, which sees its toolchain, the system's headers and
libraries, and a folder of its own."""

from __future__ import annotations

import json
import math
import os
import select
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import limits
from ..errors import SandboxError, UsageError
from . import build_memory, build_outputs, build_tree, locks, wire
from .bounds import Bounds
from .build_locks import EXIT_NO_COMPILER
from .build_places import SEARCHED, Toolchain, toolchain
from .channel import Channel
from .helper import Kind
from .launch import launch

if TYPE_CHECKING:
    from .box import Sandbox

_SYSTEM = ("/usr/", "/lib", "/bin/", "/sbin/", "/etc/", "/dev/", "/proc/", "/sys/")
_HOME = "home"
_READ_BYTES = 1 << 16
LANDLOCK_WITH_MOVES = 2


@dataclass(frozen=True, slots=True)
class Built:
    """What came of one locked build.

    ``code`` is the compiler's exit code, negative for a signal; ``errors`` what it printed, cleaned and bounded;
    ``ended`` is "" where it ended by itself, else "wall-time", "cpu-time", "memory", "processes", "hidden",
    "scratch-quota", "output-cap", "result-cap" or "helper", and ``why`` says it in words. ``files`` are the outputs by
    name.
    ``cpu_seconds`` are those of all its processes; ``level`` is the sandbox level that held.
    """

    ok: bool
    code: int
    errors: str
    ended: str
    files: Mapping[str, bytes]
    wall_seconds: float
    cpu_seconds: float
    level: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """What to build, checked: see ``Sandbox.build``."""

    argv: tuple[str, ...]
    files: Mapping[str, str | bytes]
    outputs: tuple[str, ...] | None
    environment: Mapping[str, str]
    tools: Toolchain
    readable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    executable: tuple[str, ...] = ()
    copies: Mapping[str, str | Path] = field(default_factory=dict)
    place: str = ""

    @property
    def opened(self) -> tuple[str, ...]:
        """Every path outside the system that it needs, as words: in namespaces nothing else is there."""
        needed = (*self.tools.readable, *self.tools.executable, *self.readable, *self.executable)
        return (*_words("read", needed), *_words("write", self.writable))


def _words(kind: str, paths: Iterable[str]) -> list[str]:
    found = {os.path.realpath(path) for path in paths if not path.startswith(_SYSTEM)}
    outermost = (path for path in found if not any(path.startswith(f"{other}/") for other in found))
    return sorted(f"{kind}:{path}" for path in outermost if Path(path).exists() and not path.startswith(_SYSTEM))


def order(
    argv: Sequence[str],
    files: Mapping[str, str | bytes],
    outputs: Iterable[str] | None,
    environment: Mapping[str, str] | None,
    readable: Iterable[str] = (),
    writable: Iterable[str] = (),
    executable: Iterable[str] = (),
    copies: Mapping[str, str | Path] | None = None,
    place: str = "",
) -> Order:
    """Check what was asked for. Raises UsageError, SandboxError where the compiler is not there."""
    if isinstance(argv, (str, bytes)) or not argv or not all(isinstance(word, str) for word in argv):
        raise UsageError("argv must be a list of words, the compiler first: box.build(['rustc', 'a.rs'], {...})")
    for name, content in files.items():
        build_outputs.checked_name(name)
        if not isinstance(content, (str, bytes, bytearray)):
            raise UsageError(f"{name} must be text or bytes, not a {type(content).__name__}")
    copied = {build_outputs.checked_name(name): source for name, source in (copies or {}).items()}
    wanted = None if outputs is None else tuple(build_outputs.checked_name(name) for name in outputs)
    tools = toolchain(argv[0])
    extra = dict(environment or {})
    return Order(
        (tools.program, *argv[1:]),
        files,
        wanted,
        extra,
        tools,
        tuple(readable),
        tuple(writable),
        tuple(executable),
        copied,
        build_outputs.checked_name(place) if place else "",
    )


def configuration(wanted: Order, *, memory_bytes: int, cpu_seconds: float, landlock: bool, seccomp: bool) -> Any:
    """What the child is told to lock: see ``build_locks.lock_build``."""
    return {
        "profile": "build",
        "address_bytes": max(memory_bytes, limits.BUILD_MEMORY_BYTES),
        "tree": {"memory_bytes": memory_bytes, "threads": limits.TREE_THREADS_MAX},
        "cpu_backstop_seconds": max(1, math.ceil(cpu_seconds) + 1),
        "open_files": limits.BUILD_OPEN_FILES_MAX,
        "file_bytes": limits.BUILD_FILE_BYTES_MAX,
        "landlock": landlock,
        "seccomp": seccomp,
        "readable": [*wanted.tools.readable, *wanted.readable],
        "writable": ["/dev/null", *wanted.writable],
        "executable": [*wanted.tools.executable, *wanted.executable],
    }


def check_landlock(*, landlock: bool) -> None:
    """Raise SandboxError where Landlock is too old for compilers: they move files between their folders."""
    if landlock and locks.landlock_version() < LANDLOCK_WITH_MOVES:
        raise SandboxError(
            "this kernel's Landlock (version 1) lets no file be moved between folders, which compilers do: "
            "locked builds need Linux 5.19 or newer"
        )


class Running:
    """A build under way, for a box that is closed meanwhile."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def close(self) -> None:
        """End it: whoever waits for it sees the end."""
        self._channel.kill()


def in_box(box: Sandbox, wanted: Order) -> Built:
    """A build within the bounds of a box, and at its level. Raises SandboxError where it could not be set up."""
    landlock, seccomp, inside = (box._holds(layer) for layer in ("landlock", "seccomp", "namespaces"))
    check_landlock(landlock=landlock)
    config = configuration(
        wanted,
        memory_bytes=box.memory_bytes,
        cpu_seconds=box.cpu_seconds,
        landlock=landlock,
        seccomp=seccomp,
    )
    shared = build_memory.shared_folder()
    opened = (*wanted.opened, *([f"write:{shared}"] if shared else []))
    kind = Kind(namespaces=True, opened=opened) if inside else Kind()
    with build_memory.place(shared, wanted.place) as memory:
        config["writable"] += [memory] if memory else []
        config["places"] = [memory] if memory else []
        channel = launch(box._number, config, Bounds(box.cpu_seconds, limits.BUILD_SCRATCH_BYTES), kind)
        running = Running(channel)
        box._adopt(running)
        return replace(
            run(channel, wanted, memory, box.wall_seconds, box.cpu_seconds, box.memory_bytes), level=_level(box)
        )


def _level(box: Sandbox) -> str:
    """What held for the build: the modules that a box has loaded beforehand are no part of it."""
    from . import probing

    return probing.found(box._deny, box._number).name


def run(
    channel: Channel, wanted: Order, memory: str, wall_seconds: float, cpu_seconds: float, memory_bytes: int
) -> Built:
    """The whole build in a locked process that waits for its command. Everything of it is gone afterwards.

    It works in the folder ``memory``, in its own where there is none. Raises SandboxError where it could not be set up.
    """
    try:
        channel.greet()
    except BaseException:
        channel.end("interrupted")  # Ctrl-C in the notebook: nobody will ask for anything
        raise
    if channel.ended:
        raise SandboxError(f"nothing was built: {channel.error or channel.ended}")
    folder = Path(memory or channel.folder)
    try:
        (folder / build_memory.WORK).mkdir()
        (folder / _HOME).mkdir()
        build_outputs.copy_all(folder / build_memory.WORK, wanted.copies)
        given = build_outputs.write_all(folder / build_memory.WORK, wanted.files)
    except OSError as error:
        channel.end("closed")
        raise SandboxError(f"the build's folder cannot be written ({error}): free some space there") from None
    watch = _Watch(channel, wall_seconds, cpu_seconds, memory_bytes)
    try:
        _send(channel, _command(wanted, folder))
        report = watch.until_gone()
        if report is not None and report["code"] == EXIT_NO_COMPILER:
            raise SandboxError(f"{wanted.argv[0]} cannot be run: {_told(channel)}")
        files: dict[str, bytes] = {}
        ended, why = watch.ended, watch.why
        if not ended:
            files, why = build_outputs.collect(folder / build_memory.WORK, wanted.outputs, given)
            ended = "result-cap" if why else ""
    finally:
        channel.end(watch.ended or "closed")
    code = report["code"] if report is not None else -9
    return Built(
        ok=code == 0 and not ended,
        code=code,
        errors=wire.clean_text(bytes(watch.printed)),
        ended=ended,
        files=files,
        wall_seconds=time.monotonic() - watch.began,
        cpu_seconds=max(watch.cpu_seconds, report["cpu_seconds"] if report is not None else 0.0),
        level="",
        why=why,
    )


def _command(wanted: Order, folder: Path) -> dict[str, Any]:
    home = str(folder / _HOME)
    beside = [str(Path(path).parent) for path in (wanted.argv[0],)]
    environment = {
        "PATH": ":".join((*beside, *SEARCHED)),
        "HOME": home,
        "TMPDIR": home,
        "LC_ALL": "C.UTF-8",
        **wanted.environment,
    }
    return {"id": "", "argv": list(wanted.argv), "environment": environment, "folder": str(folder / build_memory.WORK)}


def _send(channel: Channel, command: dict[str, Any]) -> None:
    os.set_blocking(channel.questions, True)
    with suppress(BrokenPipeError):  # then it is gone, and its report says so
        blob = memoryview(json.dumps(command).encode("ascii") + b"\n")
        while blob:
            blob = blob[os.write(channel.questions, blob) :]


def _told(channel: Channel) -> str:
    """Why the compiler could not be started, in the words of the process that tried."""
    try:
        line = os.read(channel.answers, limits.ANSWER_BYTES_MAX)
        return wire.clean_text(str(json.loads(line)["error"]))[: limits.ERROR_TEXT_CHARACTERS_MAX]
    except (OSError, ValueError, KeyError, TypeError):
        return "it was not started"


class _Watch:
    """Waits for the end of a build within its bounds, and keeps what it prints."""

    def __init__(self, channel: Channel, wall_seconds: float, cpu_seconds: float, memory_bytes: int) -> None:
        self.channel = channel
        self.began = time.monotonic()
        self.deadline = self.began + wall_seconds
        self.wall_seconds, self.cpu_limit = wall_seconds, cpu_seconds
        self._words = {
            "processes": f"it had more than {limits.TREE_THREADS_MAX} processes and threads",
            "memory": f"it used more memory than {memory_bytes >> 20:,} MiB",
            "hidden": "one of its processes let nobody see which files it holds",
            "scratch-quota": f"it wrote more than {limits.BUILD_SCRATCH_BYTES >> 20:,} MiB",
        }
        self.printed = bytearray()
        self.flood = 0
        self.cpu_seconds = 0.0
        self.ended = self.why = ""
        self._looked = 0.0
        self._poll = select.poll()
        self._poll.register(channel.log_fd, select.POLLIN)
        self._poll.register(channel.control, select.POLLIN)

    def until_gone(self) -> dict[str, Any] | None:
        """The helper's report that nothing is left of it; None where there is no helper any more."""
        control = self.channel.control.fileno()
        while True:
            left = self.deadline - time.monotonic()
            if left <= 0 and not self.ended:
                self._stop(
                    "wall-time", f"it took longer than {self.wall_seconds:g} s: is there a loop at compile time?"
                )
            pause = limits.WATCH_SECONDS if not self.ended else limits.BUILD_END_SECONDS
            ready = {fd for fd, _ in self._poll.poll(math.ceil(max(0.001, min(left, pause)) * 1000))}
            if self.channel.log_fd in ready:
                self._read()
            if control in ready:
                report = self.channel._report(limits.BUILD_END_SECONDS)
                self._read()
                return self._judged(report)
            if self.ended and time.monotonic() > self._looked + limits.BUILD_END_SECONDS:
                return None
            if not self.ended:
                self._look()

    def _judged(self, report: dict[str, Any] | None) -> dict[str, Any] | None:
        if report is None and not self.ended:
            self.ended, self.why = "helper", "the sandbox's helper process was ended: build it again"
        if report is not None and not self.ended:
            if report["why"]:
                self.ended, self.why = report["why"], self._words[report["why"]]
            elif report["code"] < 0 and report["cpu_seconds"] >= self.cpu_limit:
                self.ended, self.why = "cpu-time", self._cpu_words()
        return report

    def _look(self) -> None:
        """Once in a while: how long has the whole tree computed? The rest is watched where it was started."""
        now = time.monotonic()
        if now - self._looked < limits.WATCH_SECONDS:
            return
        self._looked = now
        self.cpu_seconds = max(self.cpu_seconds, build_tree.used(self.channel.pid).cpu_seconds)
        if self.cpu_seconds > self.cpu_limit:
            self._stop("cpu-time", self._cpu_words())

    def _cpu_words(self) -> str:
        return f"it used more than {self.cpu_limit:g} s of processor time: is there a loop at compile time?"

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self.channel.log_fd, _READ_BYTES)
            except BlockingIOError:
                return
            if not data:
                with suppress(KeyError):
                    self._poll.unregister(self.channel.log_fd)
                return
            self.printed += data[: max(0, limits.BUILD_OUTPUT_BYTES_MAX - len(self.printed))]
            self.flood += len(data)
            if self.flood > limits.BUILD_FLOOD_BYTES_MAX and not self.ended:
                self._stop("output-cap", f"it printed more than {limits.BUILD_FLOOD_BYTES_MAX >> 20:,} MiB")
            if self.ended:
                return

    def _stop(self, ended: str, why: str) -> None:
        self.ended, self.why = ended, why
        self._looked = time.monotonic()
        self.channel.kill()
