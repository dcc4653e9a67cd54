"""What is in a text that no reader sees, or that does something to whoever shows it. One table for all of us.

Text of code that nobody has read goes through ``replace`` before anybody reads it. Left are tab, newline, and what
writes a language: joiners between letters that are not ASCII, and one variation selector (as emoji have it).
"""

from __future__ import annotations

import re
from collections.abc import Callable

_SEQUENCES = re.compile(
    r"\x1b(?:"
    r"\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor moves, clearing
    r"|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC, DCS, SOS, PM, APC: titles, links, the clipboard
    r"|.)?"  # two-character escapes; a lone one goes too, so that no new sequence can form
)
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f"
_FORMATS = (
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb"  # direction, width zero, notes
    "\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # layout, music, tags
)
_SEPARATORS = "\u2028\u2029"  # some programs take them for a line's end
_FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"  # letters, by their category, that show nothing
_MARKS = "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"  # so many on one letter cover other lines
_NO_CHARACTERS = "\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff"  # and halves that UTF-8 cannot carry
_HIDDEN = re.compile(
    f"[{_CONTROLS}{_FORMATS}{_SEPARATORS}{_FILLERS}{_NO_CHARACTERS}]"
    "|(?<![^\x00-\x7f\u200c\u200d])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f\u200c\u200d])"
    "|(?<=[\ufe00-\ufe0f])[\ufe00-\ufe0f]"
    "|(?<![\u1000-\U0010ffff])[\ufe00-\ufe0d]|(?<![#*0-9\xa9\xae\u1000-\U0010ffff])[\ufe0e\ufe0f]"  # bits on letters
    f"|(?<=[{_MARKS}]{{8}})[{_MARKS}]"
)
_HIDDEN_IN_ASCII = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


def without_sequences(text: str) -> str:
    """The text without what a terminal obeys; nothing of a sequence is left that could be part of another one."""
    return _SEQUENCES.sub("", text) if "\x1b" in text else text


def replace(text: str, by: Callable[[str], str]) -> str:
    """The text without terminal sequences, and each other hidden character as ``by`` says it."""
    text = without_sequences(text)
    pattern = _HIDDEN_IN_ASCII if text.isascii() else _HIDDEN
    return pattern.sub(lambda match: by(match[0]), text)
