"""An agent's turn: the reply, what the agent did for it, and what it cost."""

from __future__ import annotations

from .. import limits
from ..values import ToolUse, Turn
from . import numbers
from .display import Display, Part, page
from .markdown import safe_markdown
from .markup import escape, tag
from .parts import Column, Tone, folded, line, note, table, title
from .text import clean, clip, counted


def show_turn(turn: Turn) -> Display:
    """One message and what came of it; the tool calls are folded."""
    word = "failed" if turn.error else "answered" if turn.finished else "answering"
    tone: Tone = "bad" if turn.error else "good" if turn.finished else "accent"
    return page(
        title(turn.agent, word, tone, cost(turn)),
        note(clip(turn.message, limits.TEXT_CHARACTERS_MAX)),
        line(shortened(turn.reply)) if turn.reply else None,
        line(turn.error) if turn.error else None,
        folded(counted(len(turn.uses), "tool call"), _uses(turn.uses)) if turn.uses else None,
        note(f"states: {' '.join(turn.states)}") if turn.states else None,
    )


def turn_bundle(turn: Turn) -> dict[str, str]:
    """The reply as Markdown and as text, for one output that is updated while it comes.

    No ``text/html``: front ends prefer it, and would show the reply without its Markdown.
    """
    reply, plain = shortened(turn.reply), [clean(shortened(turn.reply))]
    written = [safe_markdown(reply)]
    if turn.error:
        written.append(f"\n**{escape('the turn ended here')}**: {safe_markdown(clip(turn.error, 500))}")
        plain.append(f"\nthe turn ended here: {clean(clip(turn.error, 500))}")
    if turn.finished and (turn.uses or turn.model):
        calls = "\n".join(_call(use) for use in turn.uses[: limits.TABLE_ROWS_MAX])
        if calls:
            summary = tag("summary", cost(turn), style="opacity:.72")
            written.append(f"\n\n{tag('details', summary, tag('pre', calls.replace(chr(10) * 2, chr(10))))}")
        else:
            written.append(f"\n\n{tag('span', cost(turn), style='opacity:.72')}")
        plain += [f"\n[{cost(turn)}]", *(f"  {text}" for text in calls.splitlines())]
    return {"text/markdown": "\n".join(written), "text/plain": "\n".join(plain)}


def cost(turn: Turn) -> str:
    """``2 tool calls, openai:x, 210 + 18 tokens, 1.2 s``."""
    facts = (
        counted(len(turn.uses), "tool call") if turn.uses else "",
        turn.model,
        f"{turn.usage.input_tokens:,} + {turn.usage.output_tokens:,} tokens" if turn.usage.requests else "",
        f"${turn.usage.dollars:.2g}" if turn.usage.dollars else "",
        numbers.seconds(turn.seconds) if turn.seconds else "",
    )
    return ", ".join(fact for fact in facts if fact)


def shortened(text: str) -> str:
    """A reply as it is shown: head and tail, with a line that says what is missing."""
    over = len(text) - limits.REPLY_SHOWN_CHARACTERS_MAX
    if over <= 0:
        return text
    half = limits.REPLY_SHOWN_CHARACTERS_MAX // 2
    return f"{text[:half]}\n\n[... {over:,} characters are not shown; the value has them all ...]\n\n{text[-half:]}"


def _call(use: ToolUse) -> str:
    given = ", ".join(f"{name}={value!r}" for name, value in use.arguments)
    return clip(f"{use.name}({given}) " + (f"failed: {use.error}" if use.error else f"-> {use.result}"), 400)


def _uses(uses: tuple[ToolUse, ...]) -> Part:
    columns = (Column("tool", "head"), Column("arguments", "code"), Column("result"), Column("time", "number"))
    rows = [
        (
            use.name,
            ", ".join(f"{name}={value!r}" for name, value in use.arguments),
            f"failed: {use.error}" if use.error else use.result,
            numbers.seconds(use.seconds),
        )
        for use in uses[: limits.TABLE_ROWS_MAX]
    ]
    return table(columns, rows, total=len(uses))
