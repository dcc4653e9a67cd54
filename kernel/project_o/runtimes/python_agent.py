"""An agent made in Python as a program: the texts of its body and its tools, sent as Python functions are.

The tools that stand as functions in the notebook are part of the text, so that what they declare is searched too;
any other tool is sent as a global of that kind would be. In the sandbox the body answers as an agent that stands
alone: with an empty memory, and without a language model.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .. import languages
from ..errors import DeployError, UsageError, a_kind
from ..lisp.specs import AgentSpec, MemorySpec, ToolSpec, canonical
from ..values import DATA, Artifact, Program
from .python_pieces import Piece
from .python_source import WHAT_TO_DO, Text, alone, texts_of
from .python_surroundings import Along, Surroundings
from .python_version import made

if TYPE_CHECKING:
    from ..sandbox import Snapshot

WORDS = frozenset({"project_o.agent", "project_o.lisp.words"})
"""The only modules of ours that a body may use: the words of a body, as ``recall``."""
_HOME = "project_o.lisp.standing"
_MAKE, _MADE = "_o_standing", "_o_agent"
_TOOL = "_o_tool_"


class PythonAgent:
    """The definition of an agent, collected as it is now: ``program``, ``snapshot`` with its data, its functions.

    ``tools`` are those of ``spec`` by name, ``memory`` is what the spec's name means; what ``is_secret``, by its name
    or as text, is not sent. Raises UsageError naming what cannot be sent, or saying that there is nothing to search.
    """

    def __init__(
        self,
        spec: AgentSpec,
        tools: Mapping[str, ToolSpec],
        memory: MemorySpec | None,
        is_secret: Callable[[str, Any], bool],
    ) -> None:
        self.body = _function_of(spec)
        self.functions = {self.body.__name__: self.body}
        self._in_text: dict[str, str] = {}
        self.others: dict[str, Any] = {}
        for tool in tools.values():
            self._take_tool(spec, tool)
        found = texts_of(list(self.functions.values()))
        for text, _ in found:
            if is_secret("", text.text):
                raise UsageError(
                    f"the text of {spec.name} holds what looks like a secret, and secrets do not go into the sandbox"
                )
        self._check_names(spec, [text for text, _ in found])
        pieces = [replace(text, text=text.text + "\n") for text, _ in found[:-1]] + [found[-1][0]]
        facts = {
            "name": spec.name,
            "pieces": [
                (names, text.first_line, text.text.count("\n")) for text, (_, names) in zip(pieces, found, strict=True)
            ],
            "tools": {**self._in_text, **{name: _TOOL + name for name in self.others}},
            "memory": (memory.capacity, memory.top) if memory is not None else None,
        }
        along = Along(
            names=tuple(self.functions),
            texts=tuple(pieces[1:]),
            values={_TOOL + name: value for name, value in self.others.items()},
            modules=WORDS,
            needs=(_HOME, *WORDS),
            is_secret=is_secret,
            facts=facts,
        )
        around = Surroundings(self.body, pieces[0], along)
        self.snapshot: Snapshot = around.snapshot
        program = languages.tools_for("python").program(canonical(spec.name), "".join(text.text for text in pieces))
        self.program = replace(program, files=(*program.files, (DATA, around.text)))

    def _take_tool(self, spec: AgentSpec, tool: ToolSpec) -> None:
        name, run = canonical(tool.name), tool.run
        if tool.language == "lisp":
            raise UsageError(
                f"agent {spec.name} was made in Python, and its tool {tool.name} was written in Lisp, which cannot go "
                "into the sandbox together: write the tool as a Python function, or the agent as "
                f"(defagent {spec.name} ...)"
            )
        if not (isinstance(run, types.FunctionType) and run.__globals__ is self.body.__globals__):
            self.others[name] = run
            return
        if self.functions.setdefault(run.__name__, run) is not run:
            raise UsageError(f"two functions of {spec.name} are called {run.__name__}: rename one of them")
        self._in_text[name] = run.__name__

    def _check_names(self, spec: AgentSpec, texts: Sequence[Text]) -> None:
        """A name that the texts use must mean what it means in the notebook."""
        used = {node.id for text in texts for node in ast.walk(ast.parse(text.text)) if isinstance(node, ast.Name)}
        for name, function in self.functions.items():
            held = function.__globals__.get(name, function)
            if name in used and getattr(held, "__wrapped__", held) is not function:
                raise UsageError(
                    f"{name} is a function of {spec.name}, and means something else in the notebook by now: run the "
                    f"cells of {spec.name} again"
                )


def _function_of(spec: AgentSpec) -> types.FunctionType:
    if spec.body is None:
        raise UsageError(
            f"{spec.name} has no body, so there is nothing to search: a model answers, and a candidate has none; write "
            f"@{canonical(spec.name)}.body above a function that answers, and declare in it what may vary, as in "
            "k = 3  # o: 1 3 5"
        )
    body = getattr(spec.body, "__wrapped__", spec.body)
    if not isinstance(body, types.FunctionType):
        raise UsageError(f"the body of {spec.name} is {a_kind(body)}: {WHAT_TO_DO}")
    return body


def question(body: dict[str, Any], pieces: Sequence[Piece]) -> dict[str, Any]:
    """What a sandboxed process is sent for an agent: as for a function, which here answers a message.

    ``body`` describes the surroundings. The one line that is added to the text stands behind it, so that every line
    of the body stays the cell's own.
    """
    agent, first = body["agent"], pieces[0]
    tools = ", ".join(f"{tool!r}: {function}" for tool, function in sorted(agent["tools"].items()))
    memory = tuple(agent["memory"]) if agent["memory"] else None
    line = f"{_MADE} = {_MAKE}({agent['name']!r}, {body['name']}, {{{tools}}}, {memory!r})"
    functions = [(name, name, piece.text, piece.first_line) for piece in pieces for name in piece.names]
    return {
        **body,
        "name": _MADE,
        "text": f"{first.text}\n{line}\n",
        "first_line": first.first_line,
        "names": [*body["names"], (_MAKE, _HOME, "standing")],
        "sources": [*body["sources"], *functions],
    }


class AgentVersion:
    """One text of an agent as it serves: ``functions`` by name, ``own`` where they are just those of the user.

    Another text is made into functions of a module of their own: what is set there stays there, and every other name
    means what it means in the notebook at that moment. ``texts`` has each function's text.
    """

    converses = True

    def __init__(
        self, artifact: Artifact, pieces: Sequence[Piece], body: dict[str, Any], agent: PythonAgent | None
    ) -> None:
        self.artifact = artifact
        self.texts = {name: alone(piece.text, name) for piece in pieces for name in piece.names}
        self.body: str = body["name"]
        self.tools: dict[str, str] = {tool: name for tool, name in body["agent"]["tools"].items() if name in self.texts}
        self.own = agent is not None and agent.program.source == artifact.program.source
        self._facts = body["agent"]
        self._agent = agent
        self.functions: dict[str, types.FunctionType] = {}
        if agent is not None:
            self.functions = agent.functions if self.own else _functions(artifact.program, pieces, agent)

    @property
    def made(self) -> tuple[tuple[Callable[..., Any], str], dict[str, tuple[Callable[..., Any], str]]]:
        """The body and the tools, each with its text, as an agent takes them."""
        of = {name: (self.functions[name], text) for name, text in self.texts.items()}
        return of[self.body], {tool: of[name] for tool, name in self.tools.items()}

    def call(self, name: str, args: Sequence[Any]) -> Any:
        """The reply to ``args``: a message, and a dict of arguments. As in the sandbox: no model, an empty memory."""
        from ..lisp.standing import standing

        if self._agent is None:
            raise DeployError(f"{name} is not defined here yet: run its cells, then %evolve {name}")
        tools = {tool: self.functions[function] for tool, function in self.tools.items()}
        memory = tuple(self._facts["memory"]) if self._facts["memory"] else None
        return standing(name, self.functions[self.body], {**self._agent.others, **tools}, memory)(*args)


def _functions(program: Program, pieces: Sequence[Piece], agent: PythonAgent) -> dict[str, types.FunctionType]:
    from ..lisp.private import private_module

    space = vars(private_module(f"project_o_version_{program.name}", agent.body.__globals__))
    found = {}
    for piece in pieces:
        for name in piece.names:
            file = f"<{name}, version {program.digest[:10]}>"
            text = Text(name, piece.text, piece.first_line, ())
            space[name] = found[name] = made(text, agent.functions[name], space, file)
    return found
