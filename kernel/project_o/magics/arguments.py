"""A magic's line as arguments. Bad lines raise our UsageError, which fails the cell also under papermill."""

from __future__ import annotations

import argparse
import difflib
import itertools
import math
import re
import shlex
import sys
from collections.abc import Callable
from typing import Any

from IPython.core.error import UsageError as IPythonUsageError

from ..config import seconds
from ..errors import UsageError

__all__ = [
    "amount",
    "count",
    "cut_expression",
    "expanded",
    "identifier",
    "parsed",
    "seconds",
    "without_comment",
    "words",
]


def parsed(magic: Callable[..., Any], line: str) -> argparse.Namespace:
    """The arguments of a magic that ``magic_arguments`` decorates. Raises UsageError.

    Quotes group words, as in a shell.
    """
    parser: argparse.ArgumentParser = magic.parser  # type: ignore[attr-defined]  # set by magic_arguments
    try:
        arguments: argparse.Namespace = parser.parse_args(words(line))
    except IPythonUsageError as error:
        known = [option for action in parser._actions for option in action.option_strings]
        raise UsageError(_with_hint(str(error), known)) from None
    except SystemExit:
        raise UsageError(parser.format_usage().strip()) from None
    return arguments


def words(line: str) -> list[str]:
    """The words of a line, as in a shell: quotes group, and what follows a ``#`` of its own is a comment.

    Raises UsageError for quotes that are not closed.
    """
    try:
        return shlex.split(without_comment(line))
    except ValueError as error:
        raise UsageError(f"the line {line!r} cannot be read ({error}): close the quotes") from None


def without_comment(line: str) -> str:
    """A line without the comment at its end: a ``#`` after a blank, outside quotes."""
    quote = ""
    for place, character in enumerate(line):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "#" and (place == 0 or line[place - 1].isspace()):
            return line[:place]
    return line


def _with_hint(message: str, known: list[str]) -> str:
    unknown = re.search(r"unrecognized arguments: (\S+)", message)
    close = difflib.get_close_matches(unknown[1], known, 1) if unknown else []
    return message + (f" (did you mean {close[0]}?)" if close else "")


def count(text: str, what: str, most: int, *, least: int = 1) -> int:
    """A whole number from ``least`` to ``most``. Raises UsageError."""
    if not text.strip().isdecimal() or not least <= int(text) <= most:
        raise UsageError(f"{what} is {text!r}: it wants a whole number from {least} to {most}")
    return int(text)


def cut_expression(line: str, option: str) -> tuple[str, str | None]:
    """A line without ``option EXPR``, and the expression as it was written, up to the next option.

    A shell's rules of quoting would take a Python expression apart. Quotes around all of it are taken off.
    Raises UsageError where the expression is missing.
    """
    found = re.search(rf"(?:^|\s){option}(?=\s|=|$)[\s=]*(.*?)\s*(?=\s--[a-z]|$)", line, re.DOTALL)
    if not found:
        return line, None
    text = found[1].strip()
    if len(text) > 1 and text[0] in "'\"" and text[-1] == text[0] and text[0] not in text[1:-1]:
        text = text[1:-1]
    if not text or text.startswith("--"):
        raise UsageError(f"{option} wants an expression after it, such as {option} (a, b)")
    return line[: found.start()] + " " + line[found.end() :], text


def expanded(shell: Any, line: str) -> str:
    """A line with its ``{name}`` and ``$name`` filled in, from where the magic was said, as IPython does it.

    For a magic that takes an expression, whose own braces IPython would take for names: a set would become a tuple,
    and a dict whatever its first key is.
    """
    for depth in itertools.count():
        try:
            said_there = sys._getframe(depth).f_globals is shell.user_global_ns
        except ValueError:  # from no frame of the user's: a depth that there is not leaves the notebook's names alone
            said_there = True
        if said_there:
            return str(shell.var_expand(line, depth))
    raise AssertionError("frames do not go on for ever")


def identifier(text: str) -> str:
    """A name that can stand in the namespace. Raises UsageError."""
    import keyword

    if not text.isidentifier() or keyword.iskeyword(text):
        raise UsageError(f"{text!r} cannot be a name in Python: use letters, digits and _")
    return text


def amount(text: str, what: str) -> float:
    """A number of at least 0. Raises UsageError."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise UsageError(f"{what} is {text!r}: it wants a number, as 0.5")
    return value
