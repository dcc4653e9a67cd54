"""The loop of tools over any model's ``stream``: ask, carry out what it asks for, tell it, ask again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from .. import limits
from ..errors import ModelError
from ..values import Usage
from .seam import HearsRefusals, Message, Reply, RunTool, ToolCall, ToolSpec


class Streams(Protocol):
    """What the loop needs of a model: its name, and an answer that comes in pieces."""

    name: str

    def stream(self, messages: Sequence[Message], tools: Sequence[ToolSpec] = ()) -> Iterator[str | Reply]:
        """Pieces of text, and at the end the whole Reply."""


class InRounds:
    """The calls of a Model that follow from its ``stream``."""

    def chat(self: Streams, messages: Sequence[Message], tools: Sequence[ToolSpec] = ()) -> Reply:
        """One answer. It is streamed too: so silence and length are noticed while it comes, and Ctrl-C ends it."""
        return one_reply(self.stream(messages, tools))

    def tools(
        self: Streams,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        run: RunTool,
        on_text: Callable[[str], None] | None = None,
    ) -> Reply:
        """As every model does it: see ``run_rounds``. Tools run in the calling thread."""
        return run_rounds(self, messages, tools, run, on_text)


def run_rounds(
    model: Streams,
    messages: Sequence[Message],
    tools: Sequence[ToolSpec],
    run: RunTool,
    on_text: Callable[[str], None] | None = None,
) -> Reply:
    """The reply that asks for no tool any more, with the usage of all rounds.

    A call of a tool that was not offered, or whose arguments cannot be read, is not carried out: the model is told,
    and may call again. Raises
    ModelError after ``limits.TOOL_STEPS_MAX`` rounds that each asked for tools; what ``run`` raises passes through.
    """
    conversation = list(messages)
    offered = {tool.name for tool in tools}
    usage = Usage()
    for _ in range(limits.TOOL_STEPS_MAX):
        reply = one_reply(model.stream(conversation, tools), on_text)
        usage += reply.usage
        if not reply.calls:
            return replace(reply, usage=usage)
        conversation.append(reply.message)
        for call in reply.calls:
            conversation.append(Message("tool", _answered(call, offered, run), call_id=call.id))
    raise ModelError(
        f"{model.name} still asks for tools after {limits.TOOL_STEPS_MAX} rounds: "
        "say in its instructions when to stop, or give it fewer tools"
    )


def _answered(call: ToolCall, offered: Collection[str], run: RunTool) -> str:
    """What a model is told of its call. ``add-up`` means ``add_up`` where only that was offered."""
    if call.name not in offered and (spelled := call.name.replace("-", "_")) in offered:
        call = replace(call, name=spelled)
    problem = call.problem
    if call.name not in offered:
        problem = f"there is no tool {call.name!r}: there are {', '.join(sorted(offered)) or 'none'}"
    if not problem:
        return run(call)
    if isinstance(run, HearsRefusals):
        run.refused(call, problem)
    return problem


def one_reply(pieces: Iterator[str | Reply], on_text: Callable[[str], None] | None = None) -> Reply:
    """Pass the pieces of text on, and return the Reply that ends them. Raises ModelError where none does."""
    reply = None
    try:
        for piece in pieces:
            if isinstance(piece, Reply):
                reply = piece
            elif on_text is not None:
                on_text(piece)
    finally:
        # Ctrl-C in ``on_text`` leaves the iterator to a traceback that a notebook keeps: its request ends here.
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
    if reply is None:
        raise ModelError("the model's answer has no end: ask again")
    return reply
