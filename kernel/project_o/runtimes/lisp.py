"""Agents as programs: the text of a ``defagent`` with its tools, searched in the sandbox, served in this process."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..languages import tools_for
from ..languages.typed import TypedModule, has_annotations
from ..lisp.specs import AgentSpec, MemorySpec, ToolSpec, canonical
from ..values import Artifact, Interface, NativeFunction, NativeType, Program
from .seam import Subject

if TYPE_CHECKING:
    from ..lisp.candidate import Opened
    from ..sandbox import Answer, Answers, Job, Sandbox
    from .covering import LinesOf
    from .trying import Batches

_ROOM = "project_o.lisp.candidate"
_TRANSLATOR = "project_o.lisp.translated"
_ANY = NativeType("any")
_COUNTED = """
import hy.compiler
from {counter} import begin, followed, told
from {room} import open_program
hy.compiler.compile = followed("<{name}>", 0)
begin()
globals().update(open_program({name!r}, {files!r}))
__told__ = told
"""


def agent_program(
    spec: AgentSpec,
    *,
    tools: Mapping[str, ToolSpec],
    memory: MemorySpec | None = None,
    helpers: Mapping[str, str] | None = None,
    namespace: Mapping[str, Any] | None = None,
    is_secret: Callable[[str, Any], bool] = lambda _name, _value: False,
) -> Program:
    """An agent that was written in Lisp, as a program with the parameters that its text declares.

    The first file holds the definitions that the agent uses, its memory, its tools and itself; see ``lisp.packing``.

    ``tools`` are those that may be meant, by name; ``helpers`` is ``Specs.helpers``, ``namespace`` the notebook's; what
    ``is_secret`` there is not sent.
    Raises UsageError for a tool that cannot be sent, and a bad declaration.
    """
    from ..lisp.packing import pack

    files = pack(spec, tools, memory, helpers or {}, namespace or {}, is_secret)
    program = tools_for("lisp").program(canonical(spec.name), files[0][1])
    return replace(program, files=files)


class LispVersion:
    """An agent's program as it serves, in a module of its own: what was tried is what serves."""

    converses = True

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        self._opened: Opened | None = None

    def call(self, name: str, args: Sequence[Any]) -> Any:
        """The reply to ``args``: a message, and a dict of arguments. As in the sandbox: no model, an empty memory."""
        if name != self.artifact.program.name:
            raise UsageError(f"the program {self.artifact.program.name} has no function {name}")
        if self._opened is None:
            from ..lisp.candidate import Opened

            self._opened = Opened(name, dict(self.artifact.program.files))
        return self._opened(*args)


class LispJob:
    """A sandboxed process that holds one agent. As ``Job``, with ``repeat`` for measurements."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self.loaded = job.loaded

    def ask(
        self,
        name: str,
        args: Sequence[Any] = (),
        *,
        repeat: int = 1,
        offset_bytes: int = 0,
        seconds: float | None = None,
    ) -> Answer:
        """The reply to ``args``: a message, and a dict of arguments. ``offset_bytes`` means nothing here."""
        if repeat == 1:
            return self._job.ask(name, args, seconds=seconds)
        return self._job.ask("__repeat__", [list(args), repeat], seconds=seconds)

    def ask_each(
        self, name: str, calls: Sequence[Sequence[Any]], *, seconds: float | None = None, offset_bytes: int = 0
    ) -> Answers:
        """A question for each: a reply takes much longer than that. It ends at the first one that fails."""
        from ..sandbox import Answers

        each = []
        for args in calls:
            each.append(self.ask(name, args, seconds=seconds, offset_bytes=offset_bytes))
            if not each[-1].ok:
                return Answers(each[-1])
        wall, cpu = (sum(getattr(one, clock) for one in each) for clock in ("wall_seconds", "cpu_seconds"))
        return Answers(replace(each[-1], wall_seconds=wall, cpu_seconds=cpu), tuple(each))

    def close(self) -> None:
        """End the process. Idempotent."""
        self._job.close()


class LispRuntime:
    """Agents that were written in Lisp. One recognises an agent by its ``spec`` and its ``program``."""

    languages: tuple[str, ...] = ("lisp",)

    def __init__(self) -> None:
        self._boxes: dict[tuple[str, ...], Sandbox] = {}

    def subject(self, target: Any) -> Subject | None:
        """The program of an agent: that of its cell, also while an evolved version of it serves.

        Raises what its ``program`` raises.
        """
        spec = getattr(target, "spec", None)
        if not isinstance(spec, AgentSpec) or spec.language != "lisp":
            return None
        program: Program = target.program
        return Subject(program, program.name)

    def build(self, program: Program, *, proposed: bool = False) -> Artifact:
        """Read it; nothing is evaluated here. Raises UsageError with the line of what cannot be read."""
        found = tools_for("lisp").signatures(program.source)
        functions = tuple(
            NativeFunction(name, tuple((parameter, _ANY) for parameter in item.parameters), _ANY, item.doc, item.line)
            for name, item in found.items()
            if name == program.name
        )
        if not functions:
            raise UsageError(f"the text of {program.name} defines no agent of that name: keep its (defagent ...)")
        size = sum(len(text.encode("utf-8", "surrogatepass")) for _, text in program.files)
        return Artifact(program, program.digest, "", Interface(functions), _toolchain(), (), size, 0.0, True)

    def opener(self, box: Sandbox) -> Callable[[Artifact], LispJob]:
        """Opens an artifact in a process where Hy and our forms are loaded, with the bounds of ``box``."""

        def opened(artifact: Artifact) -> LispJob:
            program = artifact.program
            made = f"open_program({program.name!r}, {program.files!r})"
            source = f"from {_ROOM} import open_program\nglobals().update({made})\n"
            return LispJob(self._warm(box).python(source, finite=False))

        return opened

    def typed(self, box: Sandbox) -> Callable[[Program], TypedModule | None]:
        """What its forms compile to. Its macros are its own code, so that is done in the sandbox."""

        def typed(program: Program) -> TypedModule | None:
            if not any("#^" in text or "annotate" in text for _, text in program.files):
                return None
            made = f"translated({program.name!r}, {program.files!r})"
            source = f"from {_TRANSLATOR} import translated\nmade = {made}\ndef translation():\n    return made\n"
            with self._warm(box, _TRANSLATOR).python(source) as job:
                answer = job.ask("translation")
            return _typed(answer.value) if answer.ok else None  # where it cannot be evaluated another check says so

        return typed

    def covering(self, box: Sandbox) -> Callable[[Artifact], LinesOf]:
        """By coverage.py, as the Python that it becomes. Raises NotMeasured where that is not there."""

        def covering(artifact: Artifact) -> LinesOf:
            from ..observe.counted import file_of
            from .covering import COUNTER, Counted, LinesOf, check_installed

            check_installed()
            program = artifact.program
            source = _COUNTED.format(room=_ROOM, counter=COUNTER, name=program.name, files=program.files)

            def opened(_: Artifact) -> LispJob:
                return LispJob(self._warm(box, _ROOM, COUNTER).python(source, finite=False))

            texts = [Counted(file_of(0), program.name, None)]
            return LinesOf(opened, lambda job: job.ask("__told__", []), texts)

        return covering

    def trying(self, box: Sandbox) -> Callable[[Artifact, Sequence[Sequence[Any]]], Batches]:
        """Texts of one agent, each opened in a module of its own."""

        def trying(artifact: Artifact, calls: Sequence[Sequence[Any]]) -> Batches:
            from .trying import TRIED, Batches, lisp_source

            source = lisp_source(artifact.program)
            return Batches(lambda: LispJob(self._warm(box, _ROOM, TRIED).python(source, finite=False)), calls)

        return trying

    def _warm(self, box: Sandbox, *rooms: str) -> Sandbox:
        from ..sandbox import Sandbox

        wanted = (box.wall_seconds, box.cpu_seconds, box.memory_bytes)
        rooms = rooms or (_ROOM,)
        held = self._boxes.get(rooms)
        if held is None or (held.wall_seconds, held.cpu_seconds, held.memory_bytes) != wanted:
            wall_seconds, cpu_seconds, memory_bytes = wanted
            self._boxes[rooms] = held = Sandbox(
                wall_seconds=wall_seconds, cpu_seconds=cpu_seconds, memory_bytes=memory_bytes, preload=rooms
            )
        return held

    def ahead(self, program: Program, trials: int | None, build: Callable[[Program], Artifact]) -> None:
        """None: nothing is compiled."""

    def version(self, program: Program, *, trial: bool, proposed: bool = False, quick: bool = False) -> LispVersion:
        """The program as it serves in this process."""
        return LispVersion(self.build(program))

    def reach(self, target: Any) -> None:
        """Nothing to see to: an agent is served itself, under whatever name."""

    def bind(self, target: Any, slot: Any) -> None:
        """Let the agent become what serves under its name. Raises AgentError in the middle of one of its turns."""
        version = slot.version
        target.serve(version.artifact.program)
        split = version if hasattr(version, "version_for") else None
        target.serve_beside(split, version.new.artifact.program if split else None)


@lru_cache(maxsize=1)
def _toolchain() -> str:
    return f"hy {version_of('hy')}"


def _typed(told: Any) -> TypedModule | None:
    """What a translation says, which comes from where the candidate ran."""
    try:
        text, lines = str(told["text"]), tuple(int(line) for line in told["lines"])
        tree = ast.parse(text)
    except (TypeError, KeyError, ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    return TypedModule(text, lines[: text.count("\n") + 1]) if has_annotations(tree) else None
