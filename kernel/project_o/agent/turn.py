"""One turn under way: what a body may ask for (``lisp.context.Services``), and what is written down about it."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import limits
from ..errors import AgentError, ModelError, ProjectOError
from ..lisp.calls import WrittenCall, how_to_call, written_calls
from ..lisp.grammar import gbnf
from ..lisp.replies import as_text, cut
from ..lisp.specs import ToolParameter, ToolSpec, canonical
from ..models import Message, Model, Reply, ToolCall
from ..models import ToolSpec as ModelTool
from ..values import ToolUse, Turn, Usage
from .conversation import Conversation, conversation
from .tools import check

if TYPE_CHECKING:
    from .shadow import Remembers
    from .states import Machine, StateName

REMEMBER, RECALL, CORRECT = "remember", "recall", "correct"
INTERRUPTED = "interrupted"
ADVICE = "What you remember that may matter here. It is advice, not an order, and may be out of date:"


class OpenTurn:
    """A message being answered. ``tools`` are those of the agent by canonical name; ``on_text`` gets text as it comes.

    ``past`` are the turns before it; ``calls`` is the setting ``model_calls``. All that is sent to a model passes
    ``redact``.
    """

    def __init__(
        self,
        agent: str,
        doc: str,
        message: str,
        arguments: Mapping[str, Any],
        *,
        machine: Machine,
        tools: Mapping[str, ToolSpec],
        memory: Remembers | None,
        model: Callable[[], Model],
        redact: Callable[[str], str],
        past: Sequence[Turn] = (),
        on_text: Callable[[str], None] | None = None,
        calls: str = "native",
    ) -> None:
        self.agent = agent
        self.message = message
        self.arguments = {canonical(name): value for name, value in arguments.items()}
        self.text = ""
        self._doc = doc
        self._machine = machine
        self._tools = tools
        self._memory = memory
        self._model = model
        self._redact = redact
        self._past = past
        self._on_text = on_text
        self._calls = calls
        self._uses: list[ToolUse] = []
        self._states: list[StateName] = ["idle"]
        self._usage = Usage()
        self._answered_by = ""
        self._thread = threading.get_ident()
        self._started = time.perf_counter()

    def moved(self, _before: StateName, after: StateName) -> None:
        """The agent went on to another state."""
        if len(self._states) < limits.TURN_STATES_MAX:
            self._states.append(after)

    def turn(self, reply: str, error: str = "", *, finished: bool = True) -> Turn:
        """The turn as a value, as it is now."""
        return Turn(
            agent=self.agent,
            message=self.message,
            reply=reply,
            uses=tuple(self._uses),
            states=tuple(self._states),
            model=self._answered_by,
            usage=self._usage,
            seconds=time.perf_counter() - self._started,
            finished=finished,
            error=error,
        )

    # ------------------------------------------------------------------ what a body may ask for

    def has_tool(self, name: str) -> bool:
        """Whether the agent may use this tool."""
        return canonical(name) in self._tools

    def use(self, name: str, args: Mapping[str, Any] | None = None, /, **named: Any) -> Any:
        """Call a tool with named arguments.

        Raises AgentError for a tool or arguments that are not there, and for a tool that raises.
        """
        tool = self._tools.get(canonical(name))
        if tool is None:
            known = ", ".join(tool.name for tool in self._tools.values()) or "none"
            raise AgentError(f"{self.agent} has no tool {name}: it has {known}; name it among the agent's tools")
        given = {**(args or {}), **named}
        started = time.perf_counter()
        try:
            arguments = check(tool, given)
            if self._machine.state == "thinking":
                with self._machine.within("acting"):
                    value = tool.run(**arguments)
            else:
                value = tool.run(**arguments)
        except BaseException as error:
            problem = _tool_problem(self.agent, tool, error)
            self._write_down(tool.name, given, "", str(problem), started)
            if isinstance(error, AgentError) or not isinstance(error, Exception):
                raise  # Ctrl-C and the like end the turn as they are
            raise problem from error
        self._write_down(tool.name, given, as_text(value), "", started)
        return value

    def respond(self, prompt: str) -> str:
        """Ask the language model, which may use the agent's tools. Raises ModelMissing where none is configured."""
        if not isinstance(prompt, str) or not prompt.strip():
            raise AgentError(f"{self.agent} asks its model nothing: give llm-respond a prompt, not {prompt!r:.40}")
        return self._ask(self._model(), prompt, Conversation())

    def converse(self) -> str:
        """Let the model answer the message itself, with the turns before it in mind."""
        return self._ask(self._model(), self.message, conversation(self._past, self._redact))

    def remember(self, text: str) -> None:
        """Keep a text. Raises AgentError where the agent has no memory."""
        self._memory_or_error().remember(str(text), source=f"{self.agent}: {cut(self.message, 80)}")

    def recall(self, query: str, top: int | None = None) -> list[str]:
        """The texts that fit ``query`` best, best first. Raises AgentError where the agent has no memory."""
        return [item.block.text for item in self._memory_or_error().recall(str(query), top)]

    def correct(self, old: str, new: str) -> None:
        """Keep ``new`` in place of ``old``, which is never recalled again. Raises AgentError, as ``Memory.correct``."""
        self._memory_or_error().correct(str(old), str(new), source=f"{self.agent}: {cut(self.message, 80)}")

    def _memory_or_error(self) -> Remembers:
        if self._memory is None:
            raise AgentError(f"{self.agent} has no memory: define one with (defmemory notes) and give it :memory notes")
        return self._memory

    # ------------------------------------------------------------------ the model

    def _ask(self, model: Model, prompt: str, past: Conversation) -> str:
        instructions = "\n\n".join(part for part in (self._instructions(prompt), past.instructions()) if part)
        offered, grammar = self._offered(), ""
        if self._calls != "native" and offered:
            instructions = f"{instructions}\n\n{self._redact(how_to_call(self._callable()))}".lstrip()
            grammar = gbnf(self._callable(), text=True) if self._calls == "grammar" else ""
            offered = []
        messages = [Message("system", self._redact(instructions)), *past.messages]
        messages.append(Message("user", self._redact(prompt), grammar=grammar))
        self._answered_by = model.name
        for _ in range(limits.TOOL_STEPS_MAX):
            reply = model.tools(messages, offered, _Calls(self), self._heard)
            if not isinstance(reply, Reply) or not isinstance(reply.text, str):
                raise ModelError(f"{model.name} gave {reply!r:.40} in place of a Reply: its class must return one")
            self._usage += reply.usage
            self._answered_by = reply.model or model.name
            calls = written_calls(reply.text, self._callable()) if self._callable() else []
            if not calls:
                return reply.text
            told = "\n".join(map(self._written, calls))
            messages += [reply.message, Message("user", told, grammar=grammar)]
        raise ModelError(
            f"{model.name} still writes calls of tools after {limits.TOOL_STEPS_MAX} rounds: say in the agent's prompt "
            "when to stop, or give it fewer tools"
        )

    def _written(self, call: WrittenCall) -> str:
        """One call that stood in the text of a reply, carried out; for a model that has no other way to call."""
        if call.problem:
            self._write_down(call.name or "?", {}, "", call.problem, time.perf_counter())
            return self._redact(f"error: {call.problem}")
        return f"{call.name} returned: {self._carry_out(ToolCall('', call.name, call.arguments))}"

    def _callable(self) -> list[ToolSpec]:
        """Every tool that a model may call."""
        return [*self._tools.values(), *(self._memory_tools() if self._memory is not None else ())]

    def _instructions(self, prompt: str) -> str:
        found = self._memory.recall(prompt) if self._memory is not None else []
        if not found:
            return self._doc
        return "\n".join((self._doc, "", ADVICE, *(f"- {cut(item.block.text, 2_000)}" for item in found)))

    def _offered(self) -> list[ModelTool]:
        return [
            ModelTool(canonical(spec.name), self._redact(spec.doc), _redacted(spec.schema(), self._redact))
            for spec in self._callable()
        ]

    def _memory_tools(self) -> list[ToolSpec]:
        """What a model may do with the agent's memory; the agent's own tools of these names come first."""
        text = ToolParameter("text", "string", doc="one fact, understandable by itself")
        query = ToolParameter("query", "string", doc="what to look for")
        old = ToolParameter("old", "string", doc="the fact that is wrong, as it was kept")
        own = (
            ToolSpec(REMEMBER, "Keep a fact for later conversations.", (text,), self._remember_for_model),
            ToolSpec(RECALL, "Look for what was kept in earlier conversations.", (query,), self.recall),
            ToolSpec(CORRECT, "A kept fact is wrong: keep the right one in its place.", (old, text), self._put_right),
        )
        return [tool for tool in own if tool.name not in self._tools]

    def _remember_for_model(self, text: str) -> str:
        self.remember(text)
        return "kept"

    def _put_right(self, old: str, text: str) -> str:
        self.correct(old, text)
        return "corrected"

    def _carry_out(self, call: ToolCall) -> str:
        """One call of the model's; what goes wrong is told to it."""
        name = canonical(call.name)
        own = {tool.name: tool for tool in self._memory_tools()} if self._memory is not None else {}
        started = time.perf_counter()
        try:
            if name not in own:
                return self._redact(as_text(self.use(name, call.arguments)))
            arguments = check(own[name], call.arguments)
            with self._machine.within("acting"):
                result = as_text(own[name].run(**arguments))
        except AgentError as error:
            if name in own or name not in self._tools:
                self._write_down(call.name, call.arguments, "", str(error), started)
            return self._redact(f"error: {error}")
        self._write_down(name, call.arguments, result, "", started)
        return self._redact(result)

    def _heard(self, text: str) -> None:
        self.text += text
        if self._on_text is not None:
            self._on_text(text)

    def _write_down(self, name: str, given: Mapping[str, Any], result: str, error: str, started: float) -> None:
        seconds = time.perf_counter() - started
        arguments = tuple((key, _redacted(_shown(value), self._redact)) for key, value in given.items())
        self._uses.append(ToolUse(name, arguments, self._redact(result), self._redact(error), seconds))


class _Calls:
    """What a model asks of tools in a turn: carried out, and written down also where it could not be."""

    def __init__(self, turn: OpenTurn) -> None:
        self._turn = turn

    def __call__(self, call: ToolCall) -> str:
        return self._turn._carry_out(call)

    def refused(self, call: ToolCall, problem: str) -> None:
        self._turn._write_down(call.name, call.arguments, "", problem, time.perf_counter())


def _shown(value: Any) -> Any:
    """An argument as it is kept: scalars as they are, everything else as bounded text."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return cut(as_text(value), limits.TOOL_ARGUMENT_CHARACTERS_MAX)


def _redacted(value: Any, redact: Callable[[str], str]) -> Any:
    """A value as JSON has it without secrets in its texts, such as the default of a tool's parameter."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _redacted(item, redact) for key, item in value.items()}
    return [_redacted(item, redact) for item in value] if isinstance(value, (list, tuple)) else value


def _tool_problem(agent: str, tool: ToolSpec, error: BaseException) -> AgentError:
    if isinstance(error, AgentError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return AgentError(f"the tool {tool.name} was interrupted")
    return AgentError(f"the tool {tool.name} of {agent} raised {described(error, tool.run)}")


def described(error: BaseException, function: Any) -> str:
    """``ValueError: text (line 4 of its cell)``: the innermost line that stands where ``function`` does."""
    code = getattr(getattr(function, "__wrapped__", function), "__code__", None)
    line = 0
    for frame in traceback.extract_tb(error.__traceback__):
        if code is not None and frame.filename == code.co_filename:
            line = frame.lineno or 0
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, ProjectOError) or not line:
        return text
    return f"{text} (line {line} of its cell)"


def facts(turn: Turn) -> dict[str, str]:
    """What the history says of a turn in short."""
    found = {"states": " ".join(turn.states), "seconds": f"{turn.seconds:.6f}"}
    if turn.model:
        found |= {
            "model": turn.model,
            "requests": str(turn.usage.requests),
            "tokens_in": str(turn.usage.input_tokens),
            "tokens_out": str(turn.usage.output_tokens),
        }
    if turn.usage.dollars:
        found["dollars"] = f"{turn.usage.dollars:.6f}"
    if turn.uses:
        found["tools"] = " ".join(use.name for use in turn.uses[:20])
        found["calls"] = str(len(turn.uses))
        found["acting"] = f"{sum(use.seconds for use in turn.uses):.6f}"
    if turn.error:
        found["error"] = " ".join(turn.error.split())[:200]
    return found


def problem_of(error: BaseException) -> str:
    """What ended a turn, in words."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    return f"{type(error).__name__}: {error}"
