"""Python functions of the notebook, or of a script or module: sent by written rules, tried in the sandbox, served here.

python_source          which text is a function's program
python_surroundings    which of its globals are sent, and how; ``python_refusals`` says why others are not
python_version         another text of a function, in that function's own globals
"""

from __future__ import annotations

import ast
import functools
import json
import platform
import sys
import threading
import time
import types
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .. import languages, limits
from ..errors import CompileError, DeployError, EvolutionError, UsageError
from ..sandbox.construct import compiled, global_names
from ..values import DATA, Artifact, Diagnostic, Interface, NativeFunction, NativeType, Program
from .python_source import WHAT_TO_DO, Text, text_of
from .python_version import PythonVersion
from .seam import Subject

if TYPE_CHECKING:
    from ..sandbox import Job, Sandbox, Snapshot

ANY = NativeType("any")
_BUILT_IN = (types.BuiltinFunctionType, types.MethodWrapperType, types.WrapperDescriptorType)


class PythonRuntime:
    """Programs of one Python function each. ``handle`` makes what a user's name becomes: see ``deploy``."""

    languages: tuple[str, ...] = ("python",)

    def __init__(self, handle: type[Any]) -> None:
        self._handle = handle
        self._lock = threading.Lock()
        self._own: dict[str, tuple[types.FunctionType, Program]] = {}
        self._snapshots: OrderedDict[str, Snapshot] = OrderedDict()
        self._boxes: OrderedDict[tuple[str, ...], Sandbox] = OrderedDict()

    # ------------------------------------------------------------------ a function as a program

    def subject(self, target: Any) -> Subject | None:
        """The program of a function, with its globals as they are now. Raises UsageError naming what cannot be sent."""
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
            self._snapshots[found.snapshot.digest] = found.snapshot
            while len(self._snapshots) > limits.SNAPSHOTS_KEPT:
                self._snapshots.popitem(last=False)
        return Subject(program, source.name)

    # ------------------------------------------------------------------ a program as an artifact

    def build(self, program: Program) -> Artifact:
        """Parse it and find its function. Raises CompileError with the line of what is wrong."""
        began = time.perf_counter()
        body = _surroundings(program)
        name = body["name"]
        first_line = _first_line(program, body)
        try:
            names = global_names(compiled(program.source, name, first_line))
        except (SyntaxError, ValueError) as error:
            raise _compile_error(program, error, first_line) from error
        node = next(
            (item for item in reversed(ast.parse(program.source).body) if getattr(item, "name", "") == name), None
        )
        if not isinstance(node, ast.FunctionDef):
            raise CompileError(
                f"{program.name}: the text defines no function {name}: keep its `def {name}`", (), "python"
            )
        _check_names(program, names, body, first_line)
        parts = node.args
        parameters = tuple((item.arg, ANY) for item in (*parts.posonlyargs, *parts.args))
        function = NativeFunction(name, parameters, ANY, ast.get_docstring(node) or "", node.lineno + first_line - 1)
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

    def opener(self, box: Sandbox) -> Callable[[Artifact], Job] | None:
        """Each candidate in a process of its own that maps the data of its run."""

        def opened(artifact: Artifact) -> Job:
            body = _surroundings(artifact.program)
            with self._lock:
                snapshot = self._snapshots.get(body["snapshot"])
            if snapshot is None:
                raise EvolutionError(
                    f"the data that {artifact.program.name} was sent with is no longer kept: evolve it again"
                )
            fit = self._box_with(tuple(body["preload"])) if body["preload"] else box
            text = {"text": artifact.program.source, "first_line": _first_line(artifact.program, body)}
            return fit.function({**body, **text}, snapshot)

        return opened

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

    def version(self, program: Program, *, trial: bool) -> PythonVersion:
        """The text in this process."""
        body = _surroundings(program)
        first_line = _first_line(program, body)
        names = tuple(global_names(compiled(program.source, body["name"], first_line)))
        text = Text(body["name"], program.source, first_line, names)
        with self._lock:
            function, cell = self._own.get(program.name, (None, None))
        own = cell is not None and cell.source == program.source
        return PythonVersion(self.build(program), text, function, own)

    def reach(self, target: Any) -> None:
        """Raises DeployError where no name holds the function any more, so that none could follow what is accepted."""
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
        """Let the name of the function, in its module and in the notebook, be a handle that follows the slot."""
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


def _surroundings(program: Program) -> dict[str, Any]:
    found = dict(program.files).get(DATA)
    if found is None:
        raise EvolutionError(f"{program.name} is Python source without its surroundings: evolve the function itself")
    body: dict[str, Any] = json.loads(found)
    return body


def _first_line(program: Program, body: dict[str, Any]) -> int:
    """Where the text begins in the cell: a text with other lines than the cell's has lines of its own."""
    return int(body["first_line"]) if program.source.count("\n") == body["lines"] else 1


def _compile_error(program: Program, error: SyntaxError | ValueError, first_line: int) -> CompileError:
    line = (getattr(error, "lineno", 0) or 0) if isinstance(error, SyntaxError) else 0
    message = (error.msg if isinstance(error, SyntaxError) else str(error)) or "invalid syntax"
    lines = program.source.split("\n")
    source_line = lines[line - first_line] if 0 <= line - first_line < len(lines) else ""
    found = Diagnostic("error", message, line, (getattr(error, "offset", 0) or 0), source_line)
    return CompileError(f"{program.name}, line {line}: {message}", (found,), "python")


def _check_names(program: Program, names: list[str], body: dict[str, Any], first_line: int) -> None:
    """A text may read the globals that the function reads now, and import what else it needs. Raises CompileError."""
    from .python_surroundings import known_names

    unknown = sorted(set(names) - known_names(body))
    if not unknown:
        return
    node = next(n for n in ast.walk(ast.parse(program.source)) if isinstance(n, ast.Name) and n.id in unknown)
    line = node.lineno + first_line - 1
    message = (
        f"{node.id} is not among what {body['name']} was sent with: import it inside the text, or let the function use "
        "it and evolve again"
    )
    found = Diagnostic("error", message, line, node.col_offset + 1)
    raise CompileError(f"{program.name}, line {line}: {message}", (found,), "python")
