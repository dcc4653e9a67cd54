"""``%%agent`` and ``%agent``."""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments
from IPython.display import display, update_display

from .. import limits
from ..errors import UsageError
from . import panels
from .agent_verbs import VERBS, fix_message
from .arguments import parsed
from .report import reported
from .session import Session

if TYPE_CHECKING:
    from ..agent import Agent, Reply
    from ..values import Turn

USAGE = (
    "%agent NAME message, %agent list, %agent show NAME [--python], %agent feedback NAME up|down [why], "
    "%agent NAME fix, %agent proposals | accept ID | reject ID | undo, %agent approve TOOL, "
    "%agent runs | resume WORKFLOW, %agent log NAME, %agent memory NAME [QUESTION], %agent metrics NAME"
)
_QUESTION = re.compile(r"^(\s*)%agent[ \t]+(\S+[ \t]+.*\?)\s*$")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@magics_class
class AgentMagics(Magics):
    """Agents."""

    def __init__(self, session: Session) -> None:
        super().__init__(session.shell)
        self.session = session
        self._errors: OrderedDict[int, str] = OrderedDict()
        session.shell.events.register("post_run_cell", self._after_cell)
        session.shell.input_transformers_cleanup.append(questions)

    def close(self) -> None:
        """Let the shell go."""
        self.session.shell.events.unregister("post_run_cell", self._after_cell)
        self.session.shell.input_transformers_cleanup.remove(questions)

    @no_var_expand
    @magic_arguments("%agent")
    @argument(
        "name", nargs="?", default="", help="the agent that the cell is a message to; without it the cell is Lisp"
    )
    @argument("--no-stream", action="store_true", help="show the reply when it is whole")
    @line_cell_magic
    @reported
    def agent(self, line: str, cell: str | None = None) -> Any:
        """Define agents in Lisp, and talk to them.

        ``%%agent`` alone: the cell is Lisp (``deftool``, ``defmemory``, ``defagent``, and all of Hy).
        ``%%agent NAME``: the cell is a message to that agent; ``{name}``, ``{In[3]}``, ``{Out[3]}`` and ``{Err[3]}``
        in it are replaced by what they hold. The reply is the value.
        ``%agent NAME message``, ``%agent list``, ``%agent show NAME [--python]``,
        ``%agent feedback NAME up|down [why]``. ``%agent NAME fix`` asks about the last error.
        ``%agent proposals [ID]``, ``accept ID [HUNK ...]``, ``reject ID``, ``undo``: what agents want to change.
        ``%agent approve TOOL`` lets an unsafe tool out of the sandbox, ``%agent runs WORKFLOW`` and
        ``%agent resume WORKFLOW`` are about workflows.
        ``%agent log NAME`` shows the conversation, ``%agent memory NAME [QUESTION]`` what is remembered, or would be
        recalled and why, ``%agent metrics NAME`` the turns, feedback and runs over time.
        ``%agent learn-macros [--accept] [--random] [--seed N]`` makes the texts shorter by macros that it learns from
        them, ``%agent unlearn-macros`` takes those back.
        """
        if cell is None:
            return self._line(line.strip())
        chosen = parsed(self.agent, line)
        if not chosen.name:
            if chosen.no_stream:
                raise UsageError("--no-stream is about a reply: name the agent, as in %%agent NAME --no-stream")
            return self._lisp(cell)
        return self._message(self.session.agents.agent(chosen.name), cell.strip(), stream=not chosen.no_stream)

    # ------------------------------------------------------------------ Lisp

    def _lisp(self, cell: str) -> Any:
        shell = self.session.shell
        # The magic's own line is line 1, so every line number is the notebook cell's. Whoever shows a traceback takes
        # a file for Lisp by the end of its name.
        return self.session.agents.evaluate(cell, shell.user_module, f"<cell {shell.execution_count}>.hy", 1)

    # ------------------------------------------------------------------ messages

    def _message(self, agent: Agent, text: str, *, stream: bool) -> Reply:
        from ..agent.prompt import filled

        if text == "fix":
            message, arguments = fix_message(self.session, self._errors)
            return self._answer(agent, message, arguments, stream=stream)
        space = {**self.session.shell.user_ns, "Err": self._errors}
        return self._answer(agent, filled(text, space, self.session.agents.redact), {}, stream=stream)

    def _answer(self, agent: Agent, message: str, arguments: dict[str, Any], *, stream: bool) -> Reply:
        from ..agent.reply import StreamedReply

        if not stream:
            return agent.answer(message, arguments)
        shown = _Shown()
        before = agent.turns[-1:]
        try:
            reply = agent.answer(message, arguments, on_text=shown)
        except BaseException:
            if agent.turns[-1:] != before and shown.begun:
                shown.finish(agent.turns[-1])  # what came before it failed is not lost
            raise
        shown.finish(reply.turn)
        panels.show_turn(self.session, reply.turn, lambda value, why: agent.feedback(value, why, reply.turn))
        streamed = StreamedReply(str(reply), reply.turn, reply.value)
        streamed.shown_in = self.session.shell.execution_count
        return streamed

    # ------------------------------------------------------------------ verbs

    def _line(self, line: str) -> Any:
        word, _, rest = line.partition(" ")
        if not word:
            raise UsageError(f"say what: {USAGE}")
        if word == "list" and not rest.strip():
            return self._list()
        if word == "show":
            return self._show(rest.split())
        if word == "feedback":
            return self._feedback(rest.split(None, 2))
        agents = self.session.agents
        mine = any(agent.name.replace("-", "_") == word.replace("-", "_") for agent in agents)
        if word in VERBS and not mine:
            return VERBS[word](self.session, rest.split())
        if word == "fix" and not mine:
            return self._fix(rest.split())
        if not mine:
            known = ", ".join(agent.name for agent in agents) or "none yet"
            raise UsageError(f"{word!r} is neither an agent (there is {known}) nor a verb: {USAGE}")
        if not rest.strip():
            raise UsageError(f"the message to {word} is empty: %agent {word} MESSAGE")
        return self._message(agents.agent(word), rest.strip(), stream=True)

    def _fix(self, words: list[str]) -> Reply:
        """``%agent fix [NAME]``: the only agent there is, or the one that is named."""
        agents = self.session.agents
        known = [agent.name for agent in agents]
        if len(words) > 1 or (not words and len(known) != 1):
            raise UsageError(f"who is to fix it? %agent NAME fix; agents are {', '.join(known) or 'none yet'}")
        return self._message(agents.agent(words[0] if words else known[0]), "fix", stream=True)

    def _list(self) -> Any:
        from .. import view
        from ..operations.listing import Listing

        rows = [
            (agent.name, agent.state, ", ".join(agent.spec.tools), agent.spec.memory, agent.spec.language, _who(agent))
            for agent in self.session.agents
        ]
        head = ("agent", "state", "tools", "memory", "written in", "answers by")
        return Listing([*self.session.agents], lambda _: view.show_table("agents", head, rows))

    def _show(self, words: list[str]) -> Any:
        python = "--python" in words
        names = [word for word in words if word != "--python"]
        if len(names) != 1:
            raise UsageError("show what? %agent show NAME [--python]")
        from .. import view
        from ..agent.python import shown
        from ..operations.listing import Report
        from ..values import Program

        text, language = shown(self.session.agents, names[0], python=python)
        program = Program(names[0], language, (("agent", text),))
        return Report(text, lambda _: view.show_program(program))

    def _feedback(self, words: list[str]) -> Any:
        if len(words) < 2:
            raise UsageError("feedback on what? %agent feedback NAME up|down [why]")
        from .. import view
        from ..operations.listing import Report

        agent = self.session.agents.agent(words[0])
        why = words[2].strip("\"' ") if len(words) > 2 else ""
        state = agent.feedback(words[1], why)
        facts = {"agent": agent.name, "feedback": words[1], "why": why, "about": agent.turns[-1].message[:200]}
        facts["kept in"] = state.short if state else "this kernel only: nothing is recorded here"
        return Report(facts, lambda found: view.show_table("feedback", ("what", "value"), [*found.items()]))

    # ------------------------------------------------------------------ Err[n]

    def _after_cell(self, result: Any) -> None:
        error = result.error_in_exec or result.error_before_exec
        count = result.execution_count
        if error is not None and count is not None:
            self._errors[count] = _told(error)
            while len(self._errors) > limits.ERRORS_KEPT_MAX:
                self._errors.popitem(last=False)
        self.session.flush(error)


def questions(lines: list[str]) -> list[str]:
    """``%agent NAME what is this?`` asks the agent: IPython would take the question mark for a wish for help."""
    return [_asked(line) if _QUESTION.match(line) else line for line in lines]


def _asked(line: str) -> str:
    indent, message = _QUESTION.match(line).groups()  # type: ignore[union-attr]  # the caller has matched it
    return f"{indent}get_ipython().run_line_magic('agent', {message!r})\n"


def _told(error: BaseException) -> str:
    """An error as its cell showed it, without colours."""
    import traceback

    render = getattr(error, "_render_traceback_", None)
    lines = render() if render is not None else traceback.format_exception(error, limit=-limits.ERROR_FRAMES_MAX)
    return _COLOURS.sub("", "\n".join(line.rstrip("\n") for line in lines))


def _who(agent: Agent) -> str:
    return "its body" if agent.spec.body is not None else agent.spec.model or "a model: `%o config` shows which"


class _Shown:
    """One output of a reply: Markdown and text, updated in place, static at the end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._handle: str | None = None
        self._text = ""
        self._next = 0.0
        self.begun = False

    def __call__(self, piece: str) -> None:
        """The model said more."""
        from .. import view
        from ..values import Turn

        self._text += piece
        self.begun = True
        now = time.monotonic()
        if now < self._next:
            return
        self._put(view.turn_bundle(Turn("", "", self._text, finished=False)))
        # A long reply takes longer to show: never more than a tenth of the time goes into that.
        took = time.monotonic() - now
        self._next = now + max(limits.REPLY_INTERVAL_SECONDS, 10 * took)

    def finish(self, turn: Turn) -> None:
        """The last update: nothing of it depends on a live kernel."""
        from .. import view

        self._put(view.turn_bundle(turn))

    def _put(self, bundle: dict[str, str]) -> None:
        with self._lock:
            if self._handle is None:
                self._handle = display(bundle, raw=True, display_id=True).display_id
            else:
                update_display(bundle, raw=True, display_id=self._handle)
