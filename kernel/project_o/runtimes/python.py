"""Python functions of the notebook, or of a script or module: sent by written rules, tried in the sandbox, served here.

python_source          which text is a function's program
python_surroundings    which of its globals are sent, and how; ``python_refusals`` says why others are not
python_version         another text of a function, in that function's own globals
python_agent           an agent whose body is a Python function: the same, with its tools, and a turn around it
python_pieces          the texts of a program, each with the lines of its cell
"""

from __future__ import annotations

import ast
import functools
import platform
import sys
import threading
import time
import types
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .. import languages, limits
from ..errors import DeployError, EvolutionError, UsageError
from ..lisp.specs import AgentSpec, canonical
from ..sandbox.construct import compiled, global_names
from ..values import DATA, Artifact, Interface, NativeFunction, NativeType, Program
from .python_agent import AgentVersion, PythonAgent, question
from .python_pieces import pieces_of, surroundings
from .python_source import WHAT_TO_DO, Text, text_of
from .python_version import PythonVersion
from .seam import Subject

if TYPE_CHECKING:
    from ..languages.typed import TypedModule
    from ..sandbox import FunctionJob, Sandbox, Snapshot
    from .covering import LinesOf
    from .trying import Batches

ANY = NativeType("any")
_BUILT_IN = (types.BuiltinFunctionType, types.MethodWrapperType, types.WrapperDescriptorType)


class PythonRuntime:
    """Programs of one Python function each. ``handle`` makes what a user's name becomes: see ``deploy``."""

    languages: tuple[str, ...] = ("python",)

    def __init__(self, handle: type[Any]) -> None:
        self._handle = handle
        self._lock = threading.Lock()
        self._own: dict[str, tuple[types.FunctionType, Program]] = {}
        self._agents: dict[str, PythonAgent] = {}
        self._snapshots: OrderedDict[str, Snapshot] = OrderedDict()
        self._boxes: OrderedDict[tuple[str, ...], Sandbox] = OrderedDict()

    # ------------------------------------------------------------------ a function as a program

    def subject(self, target: Any) -> Subject | None:
        """The program of a function, or of an agent made in Python, with its globals as they are now.

        Raises UsageError naming what cannot be sent.
        """
        if isinstance(getattr(target, "spec", None), AgentSpec):
            agent = target.python_agent()
            self._keep(agent.snapshot)
            with self._lock:
                self._agents[agent.program.name] = agent
            return Subject(agent.program, agent.program.name)
        function = target.__wrapped__ if isinstance(target, self._handle) else target
        if not isinstance(function, types.FunctionType):
            _refuse_callable(function)
            return None
        from .python_surroundings import Surroundings

        source = text_of(function)
        found = Surroundings(function, source)
        home = function.__globals__.get("__name__", "__main__")
        name = source.name if home == "__main__" else f"{home}.{source.name}"
        program = languages.tools_for("python").program(name, source.text)
        program = replace(program, files=(*program.files, (DATA, found.text)))
        with self._lock:
            self._own[name] = (function, program)
        self._keep(found.snapshot)
        return Subject(program, source.name)

    def data_of(self, program: Program) -> list[bytes]:
        """The data that a program was sent with, for ``take_data`` in another process. Raises EvolutionError where it
        is no longer kept."""
        return self._question(program)[1].buffers()

    def take_data(self, buffers: Sequence[bytes]) -> None:
        """Keep the data of a program that comes from another process."""
        from ..sandbox import Snapshot

        self._keep(Snapshot(buffers))

    def _keep(self, snapshot: Snapshot) -> None:
        with self._lock:
            self._snapshots[snapshot.digest] = snapshot
            while len(self._snapshots) > limits.SNAPSHOTS_KEPT:
                self._snapshots.popitem(last=False)

    # ------------------------------------------------------------------ a program as an artifact

    def build(self, program: Program, *, proposed: bool = False) -> Artifact:
        """Parse it and find its functions. Raises CompileError with the line of what is wrong."""
        began = time.perf_counter()
        body = surroundings(program)
        pieces = pieces_of(program, body)
        nodes = [node for piece in pieces for node in piece.check(program, body)]
        node = next(node for node in nodes if node.name == body["name"])
        line, doc = node.lineno + pieces[0].first_line - 1, ast.get_docstring(node) or ""
        given = ["message", "**arguments"] if "agent" in body else _in_order(node)
        name = program.name if "agent" in body else body["name"]
        function = NativeFunction(name, tuple((item, ANY) for item in given), ANY, doc, line)
        return Artifact(
            program=program,
            key=program.digest,
            path="",
            interface=Interface((function,)),
            toolchain=f"{platform.python_implementation()} {platform.python_version()}",
            flags=(),
            size_bytes=len(program.source),
            seconds=time.perf_counter() - began,
            cached=False,
        )

    def opener(self, box: Sandbox) -> Callable[[Artifact], FunctionJob] | None:
        """Each candidate in a process of its own that maps the data of its run."""

        def opened(artifact: Artifact) -> FunctionJob:
            asked, snapshot = self._question(artifact.program)
            preload = tuple(asked["preload"])
            return (self._box_with(preload) if preload else box).function(asked, snapshot)

        return opened

    def _question(self, program: Program) -> tuple[dict[str, Any], Snapshot]:
        """What a process is sent, and the data. Raises EvolutionError where that is no longer kept."""
        body = surroundings(program)
        with self._lock:
            snapshot = self._snapshots.get(body["snapshot"])
        if snapshot is None:
            raise EvolutionError(f"the data that {program.name} was sent with is no longer kept: evolve it again")
        pieces = pieces_of(program, body)
        if "agent" in body:
            return question(body, pieces), snapshot
        return {**body, "text": pieces[0].text, "first_line": pieces[0].first_line}, snapshot

    def covering(self, box: Sandbox) -> Callable[[Artifact], LinesOf]:
        """By coverage.py. Raises NotMeasured where that is not there."""

        def covering(artifact: Artifact) -> LinesOf:
            from .covering import COUNTER, WORD, LinesOf, check_installed
            from .python_covered import counted

            check_installed()
            asked, snapshot = self._question(artifact.program)
            sent, texts = counted(asked, pieces_of(artifact.program, surroundings(artifact.program)))
            fit = self._box_with((*asked["preload"], COUNTER))
            return LinesOf(lambda _: fit.function(sent, snapshot), lambda job: job.ask("", [WORD]), texts)

        return covering

    def trying(self, box: Sandbox) -> Callable[[Artifact, Sequence[Sequence[Any]]], Batches]:
        """Texts of one function, in the namespace that it was sent with."""

        def trying(artifact: Artifact, calls: Sequence[Sequence[Any]]) -> Batches:
            from .trying import TRIED, Batches, python_question

            asked, snapshot = self._question(artifact.program)
            sent = python_question(asked, artifact.program.name)
            fit = self._box_with((*asked["preload"], TRIED))
            return Batches(lambda: fit.function(sent, snapshot), calls)

        return trying

    def typed(self, box: Sandbox) -> Callable[[Program], TypedModule | None]:
        """Its texts, with what they find around them."""
        from .python_types import typed_module

        return typed_module

    def _box_with(self, modules: tuple[str, ...]) -> Sandbox:
        """A sandbox whose warm process has imported these modules; the last few are kept."""
        from ..sandbox import Sandbox

        with self._lock:
            box = self._boxes.pop(modules, None) or Sandbox(preload=modules)
            self._boxes[modules] = box
            while len(self._boxes) > limits.PRELOADED_BOXES_KEPT:
                self._boxes.popitem(last=False)  # closed with the last run that still holds it
        return box

    # ------------------------------------------------------------------ what serves

    def ahead(self, program: Program, trials: int | None, build: Callable[[Program], Artifact]) -> None:
        """None: nothing is compiled."""

    def version(
        self, program: Program, *, trial: bool, proposed: bool = False, quick: bool = False
    ) -> PythonVersion | AgentVersion:
        """The text in this process."""
        body = surroundings(program)
        pieces = pieces_of(program, body)
        if "agent" in body:
            with self._lock:
                agent = self._agents.get(program.name)
            return AgentVersion(self.build(program), pieces, body, agent)
        first = pieces[0]
        names = tuple(global_names(compiled(first.text, body["name"], first.first_line)))
        text = Text(body["name"], first.text, first.first_line, names)
        with self._lock:
            function, cell = self._own.get(program.name, (None, None))
        own = cell is not None and cell.source == program.source
        return PythonVersion(self.build(program), text, function, own)

    def reach(self, target: Any) -> None:
        """Raises DeployError where no name holds the function any more, so that none could follow what is accepted."""
        if isinstance(getattr(target, "spec", None), AgentSpec):
            if not target.is_current:
                raise DeployError(
                    f"{target.name} has been made anew since this run began: run %evolve {canonical(target.name)} again"
                )
            return
        function = self._plain(target)
        if self._places(function):
            return
        name, held = function.__name__, function.__globals__.get(function.__name__)
        while held is not None and held is not function:
            held = getattr(held, "__wrapped__", None)
        if held is function:
            raise DeployError(f"{name} is what a decorator made of the function: write run.best.source in its place")
        raise DeployError(f"{name} has been defined anew since this run began: run %evolve {name} again")

    def bind(self, target: Any, slot: Any) -> None:
        """Let the name of the function, in its module and in the notebook, be a handle that follows the slot.

        An agent becomes what serves. Raises AgentError in the middle of one of its turns.
        """
        if isinstance(getattr(target, "spec", None), AgentSpec):
            split = slot.version if hasattr(slot.version, "version_for") else None
            version: AgentVersion = split.old if split else slot.version
            if version.own:
                target.as_written()
            else:
                target.evolved(*version.made)
            target.serve_beside(split, None, *(split.new.made if split else ()))
            return
        function = self._plain(target)
        for namespace in self._places(function):
            held = namespace[function.__name__]
            if not isinstance(held, self._handle):
                namespace[function.__name__] = self._handle(slot, held)

    def _plain(self, target: Any) -> types.FunctionType:
        found: types.FunctionType = target.__wrapped__ if isinstance(target, self._handle) else target
        return found

    def _places(self, function: types.FunctionType) -> list[dict[str, Any]]:
        """The namespaces in which its name holds the function, or what its unchanged cell made when run again."""
        name = function.__name__
        places = (function.__globals__, vars(sys.modules["__main__"]))
        return [place for place in places if name in place and _same(self._plain(place[name]), function)]


def _same(held: Any, function: types.FunctionType) -> bool:
    if held is function or not isinstance(held, types.FunctionType) or held.__globals__ is not function.__globals__:
        return held is function
    try:
        return text_of(held).text == text_of(function).text
    except UsageError:
        return False


def _refuse_callable(target: Any) -> None:
    """Raise UsageError for what is Python's, but no function that can be sent."""
    name = getattr(target, "__name__", type(target).__name__)
    if isinstance(target, _BUILT_IN) or (callable(target) and type(target).__module__.split(".")[0] == "numpy"):
        raise UsageError(f"{name} is built into Python or an extension, so there is no source to evolve: {WHAT_TO_DO}")
    if isinstance(target, types.MethodType):
        raise UsageError(f"{name} is a method, and its object cannot be sent along: {WHAT_TO_DO}")
    if isinstance(target, functools.partial):
        raise UsageError("a partial has no source of its own: evolve its .func")
    if isinstance(target, type):
        raise UsageError(f"{name} is a class: evolve a function")
    if isinstance(getattr(target, "__wrapped__", None), types.FunctionType):
        raise UsageError(f"{name} is wrapped by a decorator: evolve the function inside it, {name}.__wrapped__")


def _in_order(node: ast.FunctionDef) -> list[str]:
    """Its parameters in the order in which the sandbox is given them: see ``construct.by_place``."""
    by_name = [] if node.args.vararg else node.args.kwonlyargs
    return [item.arg for item in (*node.args.posonlyargs, *node.args.args, *by_name)]
