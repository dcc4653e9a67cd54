"""An agent's program, opened: in a sandboxed process, or in this one for a version that was accepted.

Importing this module warms Hy, our forms and numpy: a job can read no file. Nothing of the agent room is here, so
that a candidate has a memory that begins empty, no history, and no language model.
"""

from __future__ import annotations

import ast
import importlib
import json
import linecache
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import AgentError, LispError, ModelMissing
from .cell import evaluate
from .context import running
from .embedding import rank
from .packing import AGENT, CELL, HELPERS
from .specs import AgentSpec, Specs, ToolSpec, canonical

_NO_MODEL = (
    "a candidate has no language model: agents are searched by what their own body does; "
    "let the body answer the evaluator's messages without llm-respond"
)


class Turn:
    """The services of one message to a program that stands alone; see ``context.Services``."""

    def __init__(self, program: Opened, message: str, arguments: Mapping[str, Any]) -> None:
        self.message = message
        self.arguments = {canonical(str(name)): value for name, value in arguments.items()}
        self._program = program

    def has_tool(self, name: str) -> bool:
        """Whether the agent names this tool."""
        return canonical(name) in self._program.tools

    def use(self, name: str, args: Mapping[str, Any]) -> Any:
        """Call a tool. Raises AgentError for one that the agent does not name."""
        if not self.has_tool(name):
            known = ", ".join(self._program.tools) or "none"
            raise AgentError(f"{self._program.spec.name} has no tool {name}: it has {known}")
        return self._program.tools[canonical(name)].run(**args)

    def respond(self, prompt: str) -> str:
        """Raises ModelMissing."""
        raise ModelMissing(_NO_MODEL)

    def remember(self, text: str) -> None:
        """Keep a text, each once; the oldest goes when the memory is full. Raises AgentError without a memory."""
        remembered = self._memory()
        if text in remembered:
            remembered.remove(text)
        remembered.append(text)
        del remembered[: -int(self._program.about["memory"]["capacity"])]

    def recall(self, query: str, top: int | None = None) -> list[str]:
        """The remembered texts that have something in common with ``query``, nearest first."""
        remembered = self._memory()
        found = rank(query, remembered, top or int(self._program.about["memory"]["top"]))
        return [remembered[index] for index, nearness in found if nearness > 0]

    def _memory(self) -> list[str]:
        if self._program.about["memory"] is None:
            raise AgentError(f"{self._program.spec.name} has no memory: give it one with :memory NAME")
        return self._program.remembered


class Opened:
    """A program in a module of its own. Calling it answers one message; see ``packing`` for the files.

    Raises LispError where a file cannot be evaluated.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self.about: dict[str, Any] = json.loads(files[AGENT])
        self.remembered: list[str] = []
        name = f"project_o_agent_{canonical(self.about['name'])}_{id(self):x}"
        self._module = sys.modules[name] = types.ModuleType(name)
        self._specs = Specs()
        self.spec = self._load(files)
        named = self.about["tools"]
        self.tools: dict[str, ToolSpec] = {tool: self._tool(tool) for tool in named}

    def _load(self, files: Mapping[str, str]) -> AgentSpec:
        space = vars(self._module)
        for name, text in self.about["values"].items():
            space[name] = ast.literal_eval(text)
        for name, module in self.about["imports"].items():
            try:
                space[name] = importlib.import_module(module)
            except ImportError as error:
                self.about["absent"][name] = f"{name} is a module that the sandbox has not: {error}"
        for path, text in files.items():
            if path.endswith(".py"):
                self._python(path, text)
        for path in (HELPERS, *(path for path in files if path.startswith("tools/") and path.endswith(".hy")), CELL):
            if path in files:
                value = self._evaluated(files[path], f"<{path}>" if path != CELL else f"<{self.about['name']}>")
        if not isinstance(value, AgentSpec):
            raise LispError("the program's text must be one agent: it ends with (defagent ...)")
        return value

    def _evaluated(self, text: str, filename: str) -> Any:
        return evaluate(text, self._module, filename, self._specs)

    def _python(self, path: str, text: str) -> None:
        linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
        exec(compile(text, path, "exec", dont_inherit=True), vars(self._module))

    def _tool(self, name: str) -> ToolSpec:
        if self._specs.has("tool", name):
            return self._specs.tool(name)
        return ToolSpec(name, "", (), vars(self._module)[name])

    def __call__(self, message: str, arguments: Mapping[str, Any] | None = None) -> str:
        """The reply to a message. Raises whatever the body raises; a name that was not sent is told with its reason."""
        with running(Turn(self, message, arguments or {})) as turn:
            try:
                return str(self.spec.body() if self.spec.body else turn.respond(message))
            except NameError as error:
                reason = self.about["absent"].get(error.name)
                raise (NameError(f"{error}: {reason}") if reason else error) from None


def open_program(files: Sequence[tuple[str, str]]) -> dict[str, Callable[..., Any]]:
    """What a job may be asked: the agent by its name, and ``repeat`` for a measurement."""
    opened = Opened(dict(files))

    def repeat(arguments: Sequence[Any], times: int) -> str:
        for _ in range(times - 1):
            opened(*arguments)
        return opened(*arguments)

    return {canonical(opened.spec.name): opened, REPEAT: repeat}


REPEAT = "__repeat__"
_WARMING = """
(import math [sqrt])
(defmacro twice [x] `(+ ~x ~x))
(deftool warm-tool [#^ int a [b 2]] "A tool." (+ a b))
(defmemory warm-memory :capacity 10)
(defagent warm "An agent." :tools [warm-tool] :memory warm-memory
  (setv found {"a" [1 2] "b" #{1 2}} size (len message))
  (remember message)
  (for [word (.split message)] (when (> (len word) 99) (print f"{word :>3}")))
  (let [c (twice size)]
    (cond (has-tool? "none") (try (/ c 0) (except [ZeroDivisionError] (raise)))
          True (.join ", " (+ (recall message) (lfor d [c] :if d (str (use "warm-tool" :a d))))))))
"""


def _warm() -> None:
    about = {"name": "warm", "tools": ["warm_tool"], "memory": {"capacity": 9, "top": 1}}
    text = json.dumps({**about, "values": {}, "imports": {}, "absent": {}})
    opened = Opened({CELL: _WARMING, AGENT: text})
    opened("warm words", {"a": 1})
    sys.modules.pop(opened._module.__name__, None)


_warm()
