"""One build as it serves: tried in the sandbox before it runs in this process, or isolated for good."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from .. import limits
from ..errors import InterfaceError, NativeFault, SandboxError
from ..values import Artifact, NativeFunction
from . import cache
from .faults import APART, fault_error, result_error
from .guard import guard_path
from .load import Library
from .sources import timeout_seconds

if TYPE_CHECKING:
    from ..sandbox import Answer, Early, NativeJob, Sandbox

_DEADLY = ("signal ", "exit ")


class Version:
    """A build and the way its functions are called. Safe to use from several threads.

    **Trial.** With ``trial`` and a ``box``, the first call of each function of a new build is made in the sandbox's
    child first, on copies of the arguments:

    - It returns, or returns an error value: the trial passed. That is remembered in the cache, so that no kernel
      tries this build's function again, and the call is made in this process. Side effects happen twice.
    - It ends by a panic, a fault, a signal, or by leaving its process: that is raised, and this process is untouched.
    - Anything else says nothing about the function (the sandbox refused an operation or cannot be set up, the time
      of FIRST_CALL_WALL_SECONDS was up, the memory limit was met, the arguments are above
      FIRST_CALL_ARGUMENT_BYTES_MAX): the call is made in this process under the guard, it is not remembered as
      tried, and this version does not try that function again.

    Later calls, also on other arguments, meet the guard alone.

    **Isolation.** With ``isolate`` every call goes to one long-lived child, without limits other than
    ISOLATE_WALL_SECONDS. Writable arrays are copied back. A death raises NativeFault naming the signal, and the next
    call starts a new child with fresh globals.

    ``early`` is a process of the box that is made for the first trial while this is compiled.
    ``line_offset`` corrects the lines of an artifact that was built without one.
    """

    def __init__(
        self,
        artifact: Artifact,
        *,
        box: Sandbox | None = None,
        isolate: bool = False,
        trial: bool = True,
        early: Future[Early | None] | None = None,
        line_offset: int = 0,
    ) -> None:
        self.artifact = artifact
        self._box = box if trial else None
        self._isolate = isolate
        self._early = early
        self._line_offset = line_offset
        self._settled: set[str] = set()
        self._functions = {item.name: item for item in artifact.interface.functions}
        self._lock = threading.Lock()
        self._library: Library | None = None
        self._cell_box: Sandbox | None = None
        self._job: NativeJob | None = None

    @property
    def tier(self) -> str:
        """Which build of its text this is, in words."""
        return "optimised" if self.artifact.program.mode != "debug" else "not optimised, as its mode says"

    def call(self, name: str, args: Sequence[Any]) -> Any:
        """Call a function under the policy above.

        Raises InterfaceError for an unknown name or arguments that do not fit, NativeResultError, NativePanic,
        NativeFault, KeyboardInterrupt, and ToolchainError where the library cannot be loaded.
        """
        function = self._functions.get(name)
        if function is None:
            known = ", ".join(self._functions)
            raise InterfaceError(f"{self.artifact.program.name} has no function {name}: there are {known}")
        if self._isolate:
            return self._call_isolated(function, args)
        if self._box is not None and name not in self._settled:
            self._try_first(self._box, function, args)
        library = self._library
        return (library or self._load()).call(name, args)

    def entry(self, name: str) -> Any:
        """How the dispatcher calls ``name``, once its first call went the way above; None where it cannot."""
        library = self._library
        if library is None or self._isolate or (self._box is not None and name not in self._settled):
            return None
        return library.entry(name)

    def __del__(self) -> None:
        # Before this object's place can be another's: the dispatcher knows a version by it.
        library = getattr(self, "_library", None)
        if library is not None:
            library.retire()

    def close(self) -> None:
        """Let go of the library and of the child. Calls under way in other threads end as they would have."""
        with self._lock:
            library, self._library = self._library, None
            job, self._job = self._job, None
            box, self._cell_box = self._cell_box, None
        if library is not None:
            library.retire()
        if job is not None:
            job.close()
        if box is not None:
            box.close()

    def open(self) -> None:
        """Load the library now, where the first call would else. Raises ToolchainError."""
        self._load()

    def _load(self) -> Library:
        with self._lock:
            if self._library is None:
                self._library = Library(self.artifact, line_offset=self._line_offset)
            return self._library

    # ------------------------------------------------------------------ trial

    def _try_first(self, box: Sandbox, function: NativeFunction, args: Sequence[Any]) -> None:
        name = function.name
        if not cache.tried(self.artifact.key, name) and _array_bytes(args) <= limits.FIRST_CALL_ARGUMENT_BYTES_MAX:
            early, self._early = self._early, None
            answer = asked(box, early.result() if early else None, self.artifact, name, args, fenced=True)
            if answer is not None and self.passed(function, answer):
                cache.mark_tried(self.artifact.key, name)
                self.witness(function, args, answer)
        self._settled.add(name)

    def witness(self, function: NativeFunction, args: Sequence[Any], answer: Answer) -> None:
        """A call was tried and is about to be made: for a build that another one will have to agree with."""

    def passed(self, function: NativeFunction, answer: Answer) -> bool:
        """True: it passed; False: nothing is known. Raises where the trial shows what would happen here."""
        if answer.denied:
            return False
        if answer.ended == "interrupted":
            raise KeyboardInterrupt(f"the trial of {function.name} was interrupted")
        if answer.fault is not None or answer.ended.startswith(_DEADLY):
            raise self._death(function, answer)
        return not answer.ended and (answer.ok or bool(answer.error_name))

    def _death(self, function: NativeFunction, answer: Answer) -> BaseException:
        if answer.fault is not None:
            return fault_error(self.artifact, function.name, answer.fault, line_offset=self._line_offset)
        how = (
            f"was ended by {answer.ended}"
            if answer.ended.startswith("signal ")
            else f"left its process ({answer.ended})"
        )
        return NativeFault(f"{function.name} {how}. {APART}", function=function.name)

    # ------------------------------------------------------------------ isolation

    def _call_isolated(self, function: NativeFunction, args: Sequence[Any]) -> Any:
        job = self._living_job()
        seconds = timeout_seconds(self.artifact.program) or limits.ISOLATE_WALL_SECONDS
        value, answer, said = job.quick(function.name, args, seconds=seconds)
        if said:
            _pass_on(said)
        if answer is None:
            return value
        if answer.ended:
            self._drop(job)
        if answer.ended == "interrupted":
            raise KeyboardInterrupt(f"{function.name} was interrupted")
        if answer.fault is not None or answer.ended.startswith(_DEADLY):
            if answer.fault is not None and answer.fault.get("kind") == "signal":
                self._drop(job)  # its globals may be torn
            raise self._death(function, answer)
        if answer.error_name:
            raise result_error(self.artifact, function.name, answer.error_name)
        why = answer.error or answer.ended or "no answer"
        raise NativeFault(f"{function.name}: its isolated process ended ({why}): call it again", function=function.name)

    def _living_job(self) -> NativeJob:
        from ..sandbox import Sandbox

        with self._lock:
            if self._job is None or self._job.ended or not self._job.is_ours:
                if self._cell_box is None:
                    self._cell_box = Sandbox(profile="isolate", wall_seconds=limits.ISOLATE_WALL_SECONDS)
                self._job = self._cell_box.native(self.artifact.path, self.artifact.interface, guard_path=guard_path())
            return self._job

    def _drop(self, job: NativeJob) -> None:
        with self._lock:
            if self._job is job:
                self._job = None
        job.close()


def asked(
    box: Sandbox, early: Early | None, artifact: Artifact, name: str, args: Sequence[Any], *, fenced: bool = False
) -> Answer | None:
    """What came of a call in the sandbox, in ``early`` where that can be had; None where it cannot be made there: the
    doctor says why."""
    try:
        job = early.native(artifact.path, artifact.interface) if early is not None else None
        job = job or box.native(artifact.path, artifact.interface, guard_path=guard_path())
        most = min(limits.FIRST_CALL_WALL_SECONDS, timeout_seconds(artifact.program) or limits.FIRST_CALL_WALL_SECONDS)
        try:
            return job.ask(name, args, seconds=most, fenced=fenced)
        finally:
            job.dismiss()
    except SandboxError:
        return None


def _pass_on(said: str) -> None:
    """What an isolated call printed belongs where it would be without: the guard's own words are about a process that
    ends, which is not this one."""
    lines = said.splitlines(keepends=True)
    sys.stdout.write("".join(line for line in lines if not line.startswith("project-o: ")))


def _array_bytes(args: Sequence[Any]) -> int:
    """What the arguments take, as far as one can tell without converting them."""
    return sum(int(getattr(item, "nbytes", 0)) or (len(item) if isinstance(item, (bytes, str)) else 0) for item in args)
