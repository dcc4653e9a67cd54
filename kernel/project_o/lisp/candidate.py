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

from ..errors import LispError
from ..values import DATA
from .cell import evaluate
from .functions import tool_of
from .packing import CELL
from .registry import Specs
from .specs import AgentSpec, ToolSpec, canonical
from .standing import Standing


class Opened:
    """A program in a module of its own: its ``spec``, and the agent that it defines. Calling it answers one message.

    ``files`` are those of ``packing``. Raises LispError where a text cannot be evaluated, or defines no such agent.
    """

    def __init__(self, name: str, files: Mapping[str, str]) -> None:
        about = json.loads(files[DATA]) if DATA in files else {}
        self.absent: dict[str, str] = about.get("absent", {})
        module = f"project_o_agent_{canonical(name)}_{id(self):x}"
        self.module = sys.modules[module] = types.ModuleType(module)
        self._fill(about, files)
        specs = Specs()
        evaluate(files[CELL], self.module, f"<{name}>", specs)
        if not specs.has("agent", name):
            raise LispError(f"the text of {name} defines no agent of that name: keep its (defagent {name} ...)")
        self.spec: AgentSpec = specs.agent(name)
        memory = specs.memory(self.spec.memory) if specs.has("memory", self.spec.memory) else None
        tools = {canonical(tool): self._tool(tool, specs) for tool in self.spec.tools}
        self._standing = Standing(
            self.spec.name, self.spec.body, tools, (memory.capacity, memory.top) if memory is not None else None
        )

    def _fill(self, about: Mapping[str, Any], files: Mapping[str, str]) -> None:
        """Put what the program brings beside its Lisp into the module."""
        space = vars(self.module)
        for name, text in about.get("values", {}).items():
            space[name] = ast.literal_eval(text)
        for name, module in about.get("imports", {}).items():
            try:
                space[name] = importlib.import_module(module)
            except ImportError as error:
                self.absent[name] = f"{name} is a module that the sandbox has not: {error}"
        for path, text in files.items():
            if path.endswith(".py"):
                linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
                exec(compile(text, path, "exec", dont_inherit=True), space)

    def _tool(self, name: str, specs: Specs) -> ToolSpec:
        if specs.has("tool", name):
            return specs.tool(name)
        if specs.has("workflow", name):
            return specs.workflow(name).as_tool(specs.workflow(name))
        function = vars(self.module).get(canonical(name))
        if not callable(function):
            raise LispError(f"the text of {self.spec.name} names the tool {name} and does not define it: keep it")
        return tool_of(function, name=name)

    def __call__(self, message: str, arguments: Mapping[str, Any] | None = None) -> str:
        """The reply to a message. Raises whatever the body raises; a name that was not sent is told with its reason."""
        try:
            return self._standing(message, arguments)
        except NameError as error:
            reason = self.absent.get(error.name or "")
            raise (NameError(f"{error}: {reason}") if reason else error) from None


def open_program(name: str, files: Sequence[tuple[str, str]]) -> dict[str, Callable[..., Any]]:
    """What a job may be asked: the agent by its name, and ``repeat`` for a measurement."""
    opened = Opened(name, dict(files))

    def repeat(arguments: Sequence[Any], times: int) -> str:
        for _ in range(times - 1):
            opened(*arguments)
        return opened(*arguments)

    return {canonical(name): opened, REPEAT: repeat}


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
    opened = Opened("warm", {CELL: _WARMING})
    opened("warm words", {"a": 1})
    sys.modules.pop(opened.module.__name__, None)


_warm()
