"""A Python program as it is sent to a process that counts the lines of its texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..observe.counted import file_of
from .covering import COUNTER, WORD, Counted, statements_of
from .python_pieces import Piece

_NAME = "_o_counted"
_TEXT = """
_o_begin()
for _o_text, _o_name, _o_line, _o_file in {texts!r}:
    globals()[_o_name] = _o_construct(_o_compiled(_o_text, _o_name, _o_line, _o_file), _o_name, globals())
_o_answers = _o_by_place(globals()[{name!r}])
def {counted}(*args, **named):
    if len(args) == 1 and type(args[0]) is str and args[0] == {word!r}:
        return _o_told()
    return _o_answers(*args, **named)
"""


def counted(question: dict[str, Any], pieces: Sequence[Piece]) -> tuple[dict[str, Any], list[Counted]]:
    """What the process is sent in place of ``question``, and its texts: each piece has a file of its own there."""
    files = {piece.text: file_of(number) for number, piece in enumerate(pieces)}
    own = [source for source in question["sources"] if source[2] in files]
    others = [source for source in question["sources"] if source[2] not in files]
    last = (question["name"], question["text"], question["first_line"])
    texts = [(text, name, line, files[text]) for _, name, text, line in own]
    texts.append((last[1], last[0], last[2], file_of(0)))
    names = [
        ("_o_begin", COUNTER, "begin"),
        ("_o_told", COUNTER, "told"),
        ("_o_compiled", "project_o.sandbox.construct", "compiled"),
        ("_o_by_place", "project_o.sandbox.construct", "by_place"),
        ("_o_construct", "project_o.sandbox.construct", "construct"),
    ]
    sent = {
        **question,
        "name": _NAME,
        "text": _TEXT.format(texts=texts, name=last[0], counted=_NAME, word=WORD),
        "first_line": 1,
        "names": [*question["names"], *names],
        "sources": others,
    }
    shown = ["\n" * (piece.first_line - 1) + piece.text for piece in pieces]
    return sent, [
        Counted(file_of(number), piece.names[0], statements_of(text))
        for number, (piece, text) in enumerate(zip(pieces, shown, strict=True))
    ]
