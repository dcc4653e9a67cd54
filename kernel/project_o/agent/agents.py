"""The agents of one kernel or script: what is defined, by name, and what they share.

``current()`` is where ``Agent(...)`` puts itself and ``%%agent`` looks; a kernel gives it the history, the settings
and the notebook's namespace, a plain script has none of these.
"""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from ..errors import AgentError, LispError, ProjectOError
from ..lisp.registry import Specs
from ..lisp.specs import AgentSpec, MemorySpec, ParamSpec, Spec, ToolSpec, WorkflowSpec, canonical
from .place import provided

MODEL_OPTIONS = ("model", "model_url", "model_tape", "model_tape_mode")
"""The settings that say which model answers, and how."""

if TYPE_CHECKING:
    import types

    from ..history import History
    from ..models import Model
    from ..values import Program, Turn
    from .agent import Agent
    from .memory import Memory
    from .store import Store
    from .versions import Versions


def _setting(name: str) -> Any:
    from ..config import setting

    return setting(name).value


class Agents:
    """What is defined. ``setting`` gives the value of an option; ``namespace`` holds functions that may be tools.

    ``defined`` is told of each definition: the flow lets what was accepted for it serve again. One in Lisp is whole;
    one in Python may get more tools in a later cell.
    """

    def __init__(
        self,
        history: History | None = None,
        setting: Callable[[str], Any] = _setting,
        namespace: MutableMapping[str, Any] | None = None,
        defined: Callable[[Agent, str, bool], None] = lambda _agent, _name, _whole: None,
    ) -> None:
        from ..history.redact import Redactor
        from .builtin import Builtin
        from .execution import Execution
        from .macros import Macros
        from .project import Project
        from .proposals import Proposals
        from .store import Store
        from .workflows import Runs

        self._history = history
        project = Project()
        self.specs = Specs(self.bind)
        self.macros = Macros(self, history)
        self.runs = Runs(history)
        self.execution = Execution(self._program_of)
        self.proposals = Proposals(self, history, project)
        self._builtin = Builtin(self, project, lambda: str(self._setting("agent_hosts")))
        self.store: Store = Store(history)
        self.namespace: MutableMapping[str, Any] = {} if namespace is None else namespace
        self._setting = setting
        self._defined = defined
        self._fresh: dict[str, Agent] = {}
        self._redactor = Redactor()
        self._lock = threading.RLock()
        self._agents: dict[str, Agent] = {}
        self._memories: dict[str, Memory] = {}
        self._models: dict[tuple[str, ...], Model] = {}
        self.module: types.ModuleType | None = None

    # ------------------------------------------------------------------ names

    def agent(self, name: str) -> Agent:
        """The agent of that name. Raises AgentError, naming those that there are."""
        with self._lock:
            found = self._agents.get(canonical(name))
            if found is None:
                known = ", ".join(agent.name for agent in self._agents.values())
                there = f"there is {known}" if known else "there is none yet"
                raise AgentError(
                    f'no agent is called {name}: {there}; define it in a %%agent cell with (defagent {name} "..."), '
                    f'or in Python with Agent("{name}", "...")'
                )
            return found

    def __iter__(self) -> Any:
        with self._lock:
            return iter(tuple(self._agents.values()))

    def adopt(self, agent: Agent) -> None:
        """An agent that was made in Python. One of the same name is replaced. Raises AgentError during its turn."""
        with self._lock:
            before = self._agents.get(canonical(agent.name))
            if before is not None:
                before.refuse_during_turn()
            self._agents[canonical(agent.name)] = agent
            self.changed(agent)

    def changed(self, agent: Agent) -> None:
        """An agent was made in Python, or got a tool or a body: when the cell has ended, a version may serve again."""
        self._fresh[canonical(agent.name)] = agent

    def cell_ended(self) -> None:
        """A cell has ended: what agents remembered in it goes into the history, and what it defined is looked at."""
        self._tell_of_fresh()
        self.store.cell_ended()

    # ------------------------------------------------------------------ Lisp

    def evaluate(
        self, source: str, module: types.ModuleType | MutableMapping[str, Any], filename: str, line_offset: int = 0
    ) -> Any:
        """Evaluate a cell of Lisp; the value of its last form. What it defines is bound in ``module``.

        Raises LispError with the cell's own line.
        """
        from types import ModuleType

        from ..lisp.cell import evaluate

        self.module = module if isinstance(module, ModuleType) else None
        try:
            return evaluate(source, module, filename, self.specs, line_offset)
        finally:
            self._tell_of_fresh()

    def _tell_of_fresh(self) -> None:
        """When the cell is done: a version that was accepted is itself a text to evaluate."""
        fresh, self._fresh = self._fresh, {}
        for name, agent in fresh.items():
            if agent.spec.body is None and agent.spec.language == "python":
                continue  # no version can be meant yet
            try:
                self._defined(agent, name, agent.spec.language == "lisp")
            except ProjectOError as error:
                # The definition holds all the same; only what evolved from it does not take its place.
                warnings.warn(f"no accepted version of {name} serves: {error}", stacklevel=4)

    def bind(self, spec: Spec) -> Any:
        """The live object of a definition: what its name is bound to."""
        from .agent import Agent
        from .meaning import with_meaning

        if isinstance(spec, MemorySpec):
            return self.memory(spec)
        if isinstance(spec, ToolSpec):
            return self.specs.define(with_meaning(spec, self.module))
        if isinstance(spec, WorkflowSpec):
            from .workflows import Workflow

            spec = with_meaning(spec, self.module if spec.language == "lisp" else None)
            self.specs.define(spec)
            return Workflow(spec, self.runs)
        if isinstance(spec, ParamSpec):
            self.specs.define(spec)
            return spec.value
        spec = with_meaning(spec, self.module)
        with self._lock:
            known = self._agents.get(canonical(spec.name))
            if known is not None:
                known.define(spec)
            else:
                known = self._agents[canonical(spec.name)] = Agent.of_spec(spec, self)
        self.specs.define(spec)
        self._fresh[canonical(spec.name)] = known
        return known

    def version(self, program: Program, agent: Versions) -> tuple[AgentSpec, dict[str, ToolSpec]]:
        """What a version of an agent's program defines: the agent, and tools of its own by canonical name.

        What the text defines is the version's own, functions and values too: no name of the notebook changes, and all
        other names mean what they mean there. Memories are shared by their names. Raises LispError.
        """
        from ..lisp.cell import evaluate
        from ..lisp.private import private_module
        from .meaning import with_meaning

        def bound(spec: Spec) -> Any:
            if isinstance(spec, AgentSpec):
                return agent
            return self._memories.get(canonical(spec.name), spec) if isinstance(spec, MemorySpec) else spec

        specs = Specs(bound)
        where = private_module(f"project_o_version_{canonical(agent.name)}", self.namespace)
        # The form stands where it stood in its cell, as far as what stands above it leaves room for that.
        above = program.source[: max(0, program.source.rfind("(defagent"))].count("\n")
        offset = max(0, agent.spec.line - 1 - above)
        evaluate(program.source, where, f"<{agent.name} {program.digest[:10]}>.hy", specs, offset)
        if not specs.has("agent", agent.name):
            raise LispError(f"the text of {agent.name} defines no agent of that name: keep its (defagent ...)")
        for name in specs.names("memory"):
            self.memory(specs.memory(name))
        tools = {canonical(name): with_meaning(specs.tool(name), where) for name in specs.names("tool")}
        return with_meaning(specs.agent(agent.name), where), tools

    # ------------------------------------------------------------------ what agents share

    def tools_of(self, spec: AgentSpec, own: Mapping[str, ToolSpec]) -> dict[str, ToolSpec]:
        """The tools that a spec names, by canonical name: its own, defined ones, or functions of the notebook.

        Raises AgentError for a name that is none of these.
        """
        return {canonical(name): self._tool(spec.name, name, own) for name in spec.tools}

    def _tool(self, agent: str, name: str, own: Mapping[str, ToolSpec]) -> ToolSpec:
        if canonical(name) in own:
            return own[canonical(name)]
        if self.specs.has("tool", name):
            return self.specs.tool(name)
        if self.specs.has("workflow", name):
            from .workflows import Workflow

            return Workflow(self.specs.workflow(name), self.runs).as_tool
        found = self.namespace.get(canonical(name))
        if isinstance(found, ToolSpec):
            return found
        if callable(found):
            from .tools import python_tool

            return python_tool(found, name)
        if (tool := self._builtin.tool(name)) is not None:
            return tool
        known = ", ".join(self.specs.names("tool")) or "none"
        raise AgentError(
            f"{agent} names the tool {name}, which is not defined: tools are {known}; write (deftool {name} [...] ...) "
            f"or a Python function called {canonical(name)}"
        )

    def log(self, turn: Turn, state: str) -> None:
        """A line about a turn, where a history is kept."""
        if self._history is not None and self._history.enabled and self._history.store:
            from .log import write_turn

            write_turn(self._history.store, turn, state, self.redact)

    def tool(self, name: str) -> ToolSpec:
        """The tool of that name, whoever has it. Raises AgentError."""
        owners = [agent.tools for agent in self if canonical(name) in map(canonical, agent.tools)]
        tools = {canonical(one.name): one for own in owners for one in own.values()}
        return tools[canonical(name)] if canonical(name) in tools else self._tool("%agent", name, {})

    def _program_of(self, spec: AgentSpec, tools: Mapping[str, ToolSpec]) -> Program:
        from ..runtimes import agent_program

        return agent_program(
            spec, tools=tools, helpers=self.specs.helpers, namespace=self.namespace, is_secret=self.is_secret
        )

    def named_in(self, spec: AgentSpec, tools: Iterable[ToolSpec]) -> list[Spec]:
        """The parameters and workflows that the texts of an agent and its tools name, and those that these name."""
        waiting, found = [spec.source, *(tool.source for tool in tools)], dict[str, Spec]()
        while waiting:
            words = set(map(canonical, re.findall(r"[A-Za-z_][\w-]*", waiting.pop())))
            for kind, one in self.specs.items():
                if kind in ("param", "workflow") and canonical(one.name) in words and one.name not in found:
                    found[one.name] = one
                    waiting.append(one.source)
        return sorted(found.values(), key=lambda one: isinstance(one, WorkflowSpec))

    def definition(self, name: str) -> Spec | None:
        """What is defined under a name, of whichever kind; None where nothing is."""
        found = (spec for _, spec in self.specs.items() if canonical(spec.name) == canonical(name))
        return next(found, None)

    def lisp_source(self, name: str) -> str | None:
        """The text of what Lisp defined under a name; None where there is none."""
        spec = self.definition(name)
        return spec.source if spec is not None and spec.language == "lisp" and spec.source else None

    def evaluate_again(self, name: str, text: str) -> None:
        """Let a definition of Lisp be another text's. Raises LispError, and AgentError where that has another name."""
        self.check_defines(name, text)
        self.evaluate(text, self.module or self.namespace, f"<{name}>.hy")

    @staticmethod
    def check_defines(name: str, text: str) -> None:
        """Raises AgentError where a text does not begin with the definition of that name."""
        first = re.match(r"\(def\w+\s+([^\s()\[\]]+)", text.lstrip())
        if first is None or canonical(first[1]) != canonical(name):
            raise AgentError(f"the new text of {name} does not begin with its definition: keep (def... {name} ...)")

    def check_may_change(self) -> None:
        """Raises AgentError where a person has forbidden that anything changes itself."""
        if not self._setting("evolution"):
            raise AgentError("nothing may change itself here: %o evolution on allows it")

    def memory(self, what: MemorySpec | str) -> Memory:
        """The memory of a definition or a name, with what an earlier kernel kept. Raises AgentError."""
        from .memory import Memory

        spec = self.specs.memory(what) if isinstance(what, str) else what
        with self._lock:
            known = self._memories.get(canonical(spec.name))
            if known is None:
                known = self._memories[canonical(spec.name)] = Memory(
                    spec, redact=self.redact, changed=self.store.changed, model=self.model
                )
                self.store.load(known)
            elif known.written != spec:
                known.define(spec)
            self.specs.define(spec)
            return known

    def restored(self) -> None:
        """A state was brought back: memories are those of the newest state."""
        for memory in tuple(self._memories.values()):
            self.store.restore(memory)

    def forgot(self) -> None:
        """A text was taken out of the history: memories must not hold it either."""
        for memory in tuple(self._memories.values()):
            self.store.forgot(memory)

    def model(self, name: str = "") -> Model:
        """The model of that name, or the configured one. Raises ModelMissing, UsageError."""
        from ..models import open_configured

        key = (name, *(str(self._setting(option)) for option in MODEL_OPTIONS))
        with self._lock:
            if key not in self._models:
                # Only what could be opened is kept: a key that was missing may be there the next time.
                self._models[key] = open_configured(name, self._setting, self.redact)
            return self._models[key]

    @property
    def calls(self) -> str:
        """How models call tools: ``native``, ``written`` or ``grammar``."""
        return str(self._setting("model_calls"))

    def has_model(self, name: str = "") -> bool:
        """Whether a model is named, by an agent or by the settings, or a tape of one."""
        return bool(name or self._setting("model") or self._setting("model_tape"))

    def is_secret(self, name: str, value: Any) -> bool:
        """Whether a value of the notebook looks like a secret, by its name or by itself, or holds one."""
        from .secrets import holds_secret

        self._redactor.look()
        return holds_secret(name, value, lambda text: self._redactor.text(text) != text)

    def redact(self, text: str) -> str:
        """``text`` without what looks like a secret, by the environment and the notebook's names as they are now."""
        from ..history.redact import mark
        from .secrets import secrets_in

        self._redactor.look()
        for secret in secrets_in(self.namespace):
            text = text.replace(secret, mark(secret))
        return self._redactor.text(text)


_script: Agents | None = None


def current() -> Agents:
    """The agents of this kernel where the extension is loaded, else those of a plain script."""
    global _script
    found = provided()
    if found is not None:
        return found
    if _script is None:
        _script = Agents()
    return _script
