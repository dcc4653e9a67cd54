"""The sandbox as its users see it: bounds, a profile, a level, and jobs."""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .. import limits
from ..errors import SandboxError, UsageError
from ..values import Interface
from . import build as locked_build
from . import evaluator, helper, locks, probing
from .bounds import Bounds
from .build_locks import SIGNALS_STAY_FROM
from .channel import Channel
from .configure import configuration
from .early import Early, beside
from .function_job import FunctionJob
from .job import Job
from .launch import launch, users
from .level import Level
from .lint import lint, lint_program
from .native_job import NativeJob
from .rules import parse
from .snapshot import Snapshot

_PROFILES = ("strict", "isolate", "evaluator")
_LISP = ("project_o.sandbox.lisp_worker", "project_o.sandbox.lint_lisp")
"""What jobs of Lisp find loaded: neither could be read any more once they are locked in."""


class Sandbox:
    """The one way to run anything that is not trusted. Keyword arguments only; a context manager.

    ``wall_seconds`` and ``cpu_seconds`` bound each question, ``memory_bytes`` what the job takes beyond the
    warm process (arguments and results that are shared do not count). With ``scratch_bytes`` a job gets an
    empty folder as its working folder, emptied when the job is closed or the box is.

    ``profile``: "strict" for code that is not trusted; "isolate" for the user's own code that may crash: a
    process of its own with a wall limit, and no other restriction; "evaluator" for a foreign evaluator: Python with
    threads, processes, temporary files in its folder (``scratch_bytes`` has a default then), this interpreter's
    packages and the system's programs, without network, secrets, or anybody else's files. Its bounds hold for all
    its processes together.

    ``allow`` and ``deny`` are the policy for operations; what is not named is as the profile has it. "read:/path" and
    "write:/path" (allow) open what is there, below level L2 they are refused; "call:NAME" allows or denies a system
    call; "import:NAME" and "form:NAME" (deny; allow for a list of the only imports) are looked for in Python and Lisp
    before anything runs: ``job.loaded.ended`` is "denied" then. "landlock", "seccomp" and "namespaces" (deny) leave
    the layer out as if the kernel lacked it; "unsafe" (allow) runs candidates where no level holds. See ``rules``.

    ``preload`` names modules that its jobs find imported: they are loaded with the user's rights in a warm process
    of their own, which no candidate has touched, and which ends with the last box that names the same modules. A
    module that does not load there makes the first job raise SandboxError.
    """

    def __init__(
        self,
        *,
        wall_seconds: float = limits.TRIAL_WALL_SECONDS,
        cpu_seconds: float = limits.TRIAL_CPU_SECONDS,
        memory_bytes: int = limits.TRIAL_MEMORY_BYTES,
        scratch_bytes: int = 0,
        profile: str = "strict",
        allow: Iterable[str] = (),
        deny: Iterable[str] = (),
        preload: Iterable[str] = (),
    ) -> None:
        if profile not in _PROFILES:
            raise UsageError(f"there is no sandbox profile {profile!r}: use {' or '.join(_PROFILES)}")
        self.rules = parse(allow, deny)
        self._deny = self.rules.denied_layers
        for name, value in (
            ("wall_seconds", wall_seconds),
            ("cpu_seconds", cpu_seconds),
            ("memory_bytes", memory_bytes),
        ):
            if not value > 0:
                raise UsageError(f"{name} must be above 0, got {value}")
        if scratch_bytes < 0:
            raise UsageError(f"scratch_bytes must not be negative, got {scratch_bytes}")
        self.wall_seconds, self.cpu_seconds = float(wall_seconds), float(cpu_seconds)
        self.memory_bytes, self.scratch_bytes = int(memory_bytes), int(scratch_bytes)
        if profile == "evaluator" and not scratch_bytes:
            self.scratch_bytes = limits.EVALUATOR_SCRATCH_BYTES
        self.profile = profile
        self.preload = tuple(sorted({preload} if isinstance(preload, str) else set(preload)))
        self._number = next(users)
        self._lock = threading.Lock()
        self._jobs: weakref.WeakSet[Job | Early | locked_build.Running] = weakref.WeakSet()
        self._owner = os.getpid()
        self._closed = False
        weakref.finalize(self, helper.release, self._number)

    @property
    def level(self) -> str:
        """ "L3", "L2", "L1" or "L0": what holds for the jobs of this box, found by trying."""
        return self._level().name

    @property
    def level_reason(self) -> str:
        """Why the level is not higher, and what to do; "" if there is nothing to do."""
        return self._level().reason

    def _level(self) -> Level:
        if self.profile == "isolate":
            reason = "the isolate profile protects from crashes only: use profile='strict' for code that is not yours"
            return Level("L0", reason, 0)
        found = probing.found(self._deny, self._number)
        if found.name == "L3" and self.preload:
            reason = "the modules of preload are loaded with your rights, and so where your files are visible"
            return replace(found, name="L2", reason=reason)
        return found

    def _kind(self, modules: tuple[str, ...] = ()) -> helper.Kind:
        """The warm process that jobs of this box are forked from."""
        modules = tuple(sorted({*self.preload, *modules}))
        inside = not self.preload and self.profile != "isolate" and self._holds("namespaces")
        if not inside or self.profile != "evaluator":
            return helper.Kind(modules, namespaces=inside, opened=self.rules.opened if inside else ())
        # Without Landlock's part its signals reach what is in the same namespace: then nobody else is.
        alone = 0 if self._level().landlock_version >= SIGNALS_STAY_FROM else self._number + 1
        return helper.Kind(modules, namespaces=True, opened=evaluator.opened(self.rules), box=alone)

    def _holds(self, layer: str) -> bool:
        return probing.holds(layer, self._deny, self._number)

    def python(self, source: str, files: Mapping[str, str] | None = None, *, finite: bool = True) -> Job:
        """A job that has run ``source``; ``job.loaded`` tells how that went. ``files`` are texts of Python by the names
        of their files: what it may import as if they lay beside it.

        numpy and common standard modules can be imported; in the evaluator profile, all that is installed. An answer
        with nan or an infinity outside of arrays is refused, unless ``finite`` is False. Raises SandboxError where no
        sandbox holds.
        """
        job = Job(self._open("strict", []), self.wall_seconds, self, finite=finite)
        self._adopt(job)
        for text in (source, *(files or {}).values()):
            job.refuse(lint(text, "python", self.rules.lint))
        if self.profile == "isolate":
            job.load(_surroundings())
        job.load({"op": "source", "source": source, "files": dict(files or {})})
        return job

    def evaluator(self, source: str, files: Mapping[str, str | bytes] | None = None) -> evaluator.EvaluatorJob:
        """A job that has loaded ``source`` as the file of a foreign evaluator; ``job.evaluate(text)`` asks it.

        ``files`` lie beside that file, in the folder where it works; "evaluator.py" among them names the file itself.
        Raises UsageError in another profile, SandboxError where no sandbox holds.
        """
        if self.profile != "evaluator":
            raise UsageError("an evaluator needs Sandbox(profile='evaluator'): threads, processes and files of its own")
        given = evaluator.checked_files({"evaluator.py": source, **(files or {})})
        job = evaluator.EvaluatorJob(self._open("files", []), self.wall_seconds, self)
        self._adopt(job)
        job.refuse(lint(source, "python", self.rules.lint))
        job.load({"op": "evaluator", "files": given})
        return job

    def lisp(self, source: str) -> Job:
        """A job that has evaluated the Lisp (Hy) of ``source``; ``job.ask`` calls what it defines.

        Names may be asked for as Lisp or as Python spells them; answers are as those of ``python``. Raises
        SandboxError where no sandbox holds.
        """
        job = Job(self._open("strict", [], modules=_LISP), self.wall_seconds, self, finite=True)
        self._adopt(job)
        job.refuse_lisp(source, self.rules.lint)
        job.load({"op": "lisp", "source": source})
        return job

    def function(self, program: dict[str, Any], snapshot: Snapshot | None = None) -> FunctionJob:
        """A job that has made one Python function from its text, with what ``program`` says it finds around it.

        See ``FunctionWorker`` for what that holds; ``snapshot`` is the data. Raises SandboxError where no sandbox
        holds, or a module of ``preload`` does not load.
        """
        job = FunctionJob(self._open("strict", [], snapshot), self.wall_seconds, self)
        self._adopt(job)
        job.refuse(lint_program(program, self.rules.lint))
        job.load({"op": "program", "program": program})
        return job

    def native(self, library_path: str | Path, interface: Interface, guard_path: str | Path | None = None) -> NativeJob:
        """A job that has loaded a library of the shim ABI, then given up what loading needed.

        With ``guard_path`` panics and faults become ``Answer.fault``; without it a fault ends the job.
        Raises SandboxError below level L2, or where the library is not there.
        """
        library, *guard = [str(Path(path).resolve()) for path in (library_path, guard_path) if path]
        for path in (library, *guard):
            if not Path(path).is_file():
                raise SandboxError(f"there is no library at {path}: build it again")
        channel = self._open("files", list(locks.SYSTEM_LIBRARIES), files=[library, *beside(library), *guard])
        return self._native(channel, library, interface, "".join(guard))

    def _native(self, channel: Channel, library: str, interface: Interface, guard: str) -> NativeJob:
        job = NativeJob(channel, self.wall_seconds, self, interface)
        self._adopt(job)
        if self.profile == "isolate":
            job.load(_surroundings())
        job.load(
            {
                "op": "native",
                "path": channel.placed[library],
                "guard": channel.placed[guard] if guard else "",
                "functions": NativeJob.describe(interface),
                "seal": self._sealed() and self._holds("seccomp"),
                "denied": self.rules.denied_calls,
            }
        )
        return job

    def early(self, guard_path: str | Path) -> Early | None:
        """A job for a library that is still being compiled: ``native`` of it is what ``native`` is here, but quicker.

        None where one could not be had at once, or is none of the strict profile. Raises SandboxError.
        """
        if self.profile != "strict" or self._closed or not probing.known(self._deny) or not helper.living(self._kind()):
            return None
        guard = str(Path(guard_path).resolve())
        channel = self._open("files", list(locks.SYSTEM_LIBRARIES), files=[guard], more=True)
        if not channel.ended:
            channel.exchange({"op": "guard", "path": channel.placed[guard]}, self.wall_seconds)
        made = Early(channel, lambda library, interface: self._native(channel, library, interface, guard))
        self._adopt(made)
        return made

    def build(
        self,
        argv: Sequence[str],
        files: Mapping[str, str | bytes],
        *,
        outputs: Iterable[str] | None = None,
        environment: Mapping[str, str] | None = None,
        readable: Iterable[str] = (),
        writable: Iterable[str] = (),
        executable: Iterable[str] = (),
        copies: Mapping[str, str | Path] | None = None,
        place: str = "",
    ) -> locked_build.Built:
        """Run a compiler that sees its toolchain, the system's headers and libraries, and ``files`` alone.

        The compiler, ``argv[0]``, is found by its name or path; it works in a folder that holds ``files``. The bounds
        are those of the box, for all processes of the build together. ``outputs`` names the files that are wanted;
        without it, all new ones. ``environment`` adds to the clean one; ``readable``, ``writable`` and ``executable``
        are more paths of the toolchain; ``copies`` are folders of which the build gets a copy under a name of its own.
        ``place`` names the folder that it works in, for compilers whose memory holds for one path: where that is free.
        What the compiler says of the code is in the result: see ``Built``.

        Raises UsageError, and SandboxError below level L2, where it cannot be set up, or the compiler is not there.
        """
        wanted = locked_build.order(argv, files, outputs, environment, readable, writable, executable, copies, place)
        if self.profile == "isolate":
            raise SandboxError("the isolate profile locks nothing, so it builds nothing: use another profile")
        self._ready()
        self._admit("files")
        return locked_build.in_box(self, wanted)

    @property
    def build_refusal(self) -> str:
        """Why a text that nobody has read is not compiled here, in words; "" where it is."""
        found = self._level()
        if found.name not in limits.SERVING_LEVELS:
            return f"only level {found.name} holds here ({found.reason})"
        try:
            locked_build.check_landlock(landlock=self._holds("landlock"))
        except SandboxError as error:
            return str(error)
        return ""

    def _sealed(self) -> bool:
        """Whether its jobs open nothing by name, once they are loaded."""
        return self.profile == "strict" and not self.scratch_bytes and not self.rules.files

    def _admit(self, stage: str) -> None:
        """Raise SandboxError unless what holds is enough for this stage, or the user takes the risk."""
        if self.rules.unsafe:
            return
        found = self._level()
        if found.name == "L0":
            raise SandboxError(f"no sandbox holds here, so the code was not run: {found.reason}")
        if found.name == "L1" and (stage == "files" or self.scratch_bytes or self.rules.files):
            what = "a scratch folder" if self.scratch_bytes else "opening files" if self.rules.files else "native code"
            raise SandboxError(
                f"at level L1 {what} is refused: {found.reason}; Sandbox(allow=('unsafe',)) takes the risk"
            )

    def _open(
        self,
        stage: str,
        readable: list[str],
        snapshot: Snapshot | None = None,
        modules: tuple[str, ...] = (),
        files: Sequence[str] = (),
        *,
        more: bool = False,
    ) -> Channel:
        self._ready()
        if self.profile == "isolate":
            return launch(
                self._number, {"profile": "isolate", "level": "L0"}, Bounds(), self._kind(modules), snapshot, files
            )
        if self.profile == "evaluator":
            return self._open_evaluator(snapshot is not None or bool(modules or files))
        self._admit(stage)
        config = configuration(
            memory_bytes=self.memory_bytes,
            cpu_seconds=self.cpu_seconds,
            landlock=self._holds("landlock"),
            seccomp=self._holds("seccomp"),
            stage=stage,
            readable=readable,
            scratch_bytes=self.scratch_bytes,
            rules=self.rules,
        )
        config["level"] = self._level().name
        bounds = Bounds(self.cpu_seconds, self.scratch_bytes, self.memory_bytes)
        return launch(self._number, config, bounds, self._kind(modules), snapshot, files, more=more)

    def _open_evaluator(self, other: bool) -> Channel:  # noqa: FBT001 - whether anything but Python is wanted
        if other:
            raise UsageError("the evaluator profile runs Python: use profile='strict' for Lisp and native code")
        self._admit("files")
        kind = self._kind()
        config = evaluator.configuration(
            memory_bytes=self.memory_bytes,
            cpu_seconds=self.cpu_seconds,
            scratch_bytes=self.scratch_bytes,
            landlock=self._holds("landlock"),
            seccomp=self._holds("seccomp"),
            namespaces=kind.namespaces,
            rules=self.rules,
        )
        config["level"] = self._level().name
        bounds = Bounds(self.cpu_seconds, self.scratch_bytes, self.memory_bytes, tree=True)
        return launch(self._number, config, bounds, kind)

    def _ready(self) -> None:
        if self._closed:
            raise SandboxError("this sandbox is closed: make a new one")
        if self._owner != os.getpid():  # we are in a forked copy of the kernel: the jobs are not ours
            self._owner, self._lock, self._jobs = os.getpid(), threading.Lock(), weakref.WeakSet()

    def _adopt(self, job: Job | Early | locked_build.Running) -> None:
        with self._lock:
            self._jobs.add(job)
            closed = self._closed
        if closed:  # by another thread, while this one was starting the job
            job.close()
            helper.release(self._number)
            raise SandboxError("this sandbox was closed while a job was starting")

    def close(self) -> None:
        """End all jobs; the last box to be closed ends the warm process too. Idempotent."""
        if self._closed:
            return
        with self._lock:
            self._closed = True
            jobs = list(self._jobs)
        for job in jobs:
            job.close()
        helper.release(self._number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _surroundings() -> dict[str, Any]:
    folder = str(Path.cwd())
    return {"op": "surroundings", "environment": dict(os.environ), "path": sys.path, "folder": folder}
