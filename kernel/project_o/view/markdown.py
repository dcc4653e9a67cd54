"""Markdown that was written by a model, made safe to show.

A notebook's own outputs are trusted, so a front end runs what raw HTML in them says. Here text stays text: nothing
becomes an element, a link that acts, or an image that is fetched. Code blocks are fenced anew, so that their contents
cannot end them early.
"""

from __future__ import annotations

import re

from .text import clean

_OPENS = re.compile(r" {0,3}(?:(`{3,})([^`\n]*)|(~{3,})([^\n]*))$")
_INLINE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_ENTITY = re.compile(r"&(?=#|[A-Za-z][A-Za-z0-9]*;)")
_ACTING = re.compile(r"(javascript|vbscript|data)(\\?):", re.IGNORECASE)
_RUN = re.compile(r"`{3,}")


def safe_markdown(text: str) -> str:
    """The same prose, lists, tables and code as Markdown in which nothing can act."""
    pieces: list[str] = []
    prose: list[str] = []
    code: list[str] | None = None
    marker = language = ""
    fence = "`" * (max((len(match[0]) for match in _RUN.finditer(text)), default=2) + 1)
    for line in clean(text).split("\n"):
        if code is None:
            opens = _OPENS.match(line)
            if opens is None:
                prose.append(line)
                continue
            pieces.append(_prose("\n".join(prose)))
            prose, code = [], []
            marker, language = (
                opens[1] or opens[3],
                re.sub(r"[^A-Za-z0-9_+#.-]", "", (opens[2] or opens[4] or "").strip()),
            )
        elif line.strip().startswith(marker) and not line.strip().strip(marker[0]):
            pieces.append(_block(fence, language, code))
            code = None
        else:
            code.append(line)
    pieces.append(_prose("\n".join(prose)) if code is None else _block(fence, language, code))
    return "\n".join(piece for piece in pieces if piece)


def _block(fence: str, language: str, lines: list[str]) -> str:
    """A fenced block at the margin behind an empty line: whatever stood open before it ends there."""
    return "\n".join(("", f"{fence}{language}", *lines, fence, ""))


def _prose(text: str) -> str:
    written, at = [], 0
    for match in _INLINE.finditer(text):
        written.append(_plain(text[at : match.start()]))
        written.append(_code_span(match[0], match[2]))
        at = match.end()
    return "".join([*written, _plain(text[at:])])


def _code_span(whole: str, inside: str) -> str:
    """As it was where nothing in it could act should the span not be one; else an element with its text spelled out."""
    if not (_TAG.search(whole) or _ENTITY.search(whole) or _ACTING.search(whole) or "![" in whole or "\n" in whole):
        return whole
    if "\n" in inside:
        return _plain(whole)
    spelled = "".join(
        one if one.isalnum() or one == " " else f"&#{ord(one)};" for one in _ACTING.sub("\\1\u200b:", inside.strip())
    )
    return f"<code>{spelled}</code>"


def _plain(text: str) -> str:
    text = _TAG.sub("&lt;", _ENTITY.sub("&amp;", text))
    text = _ACTING.sub("\\1\u200b:", text)
    return text.replace("![", "[")
