"""How an error of ours reaches the reader: the rich form above, one plain line in the traceback, a failed cell."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, TypeVar

from IPython.display import publish_display_data

from .. import hidden
from ..errors import CompileError, ProjectOError

Magic = TypeVar("Magic", bound=Callable[..., Any])


def reported(magic: Magic) -> Magic:
    """Show a ProjectOError that leaves the magic in full, and shorten its traceback to what the user can use."""

    @functools.wraps(magic)
    def wrapper(*args: Any, **named: Any) -> Any:
        try:
            parser = getattr(wrapper, "parser", None)  # set by ``magic_arguments``, and it knows no help of its own
            if parser is not None and _asked(parser, args[1]):
                return _help(parser, magic)
            return magic(*args, **named)
        except ProjectOError as error:
            if isinstance(error, CompileError) and error.diagnostics:
                from .. import view

                publish_display_data(view.show_compile_error(error).bundle())
            # Its words may be those of code that nobody has read: a front end takes them from here, too.
            error.args = tuple(_seen(item) if isinstance(item, str) else item for item in error.args)
            lines = [_seen(line) for line in _plain(error)]
            # IPython asks the exception itself how it wants to be shown.
            error._render_traceback_ = lambda: lines  # type: ignore[attr-defined]
            raise
        except KeyboardInterrupt as stop:
            said = [f"KeyboardInterrupt: {stop}" if str(stop) else "KeyboardInterrupt: the cell was stopped"]
            stop._render_traceback_ = lambda: said  # type: ignore[attr-defined]  # our frames tell the user nothing
            raise

    return wrapper  # type: ignore[return-value]  # functools.wraps keeps the signature


_OF_WORDS = "agent"
"""The magic whose line may be a message: only its first word can ask for help."""


def _asked(parser: Any, line: str) -> bool:
    if "-h" not in line:  # nearly always, and nothing more is loaded then
        return False
    from ..operations import asks_help

    said = line.split()
    return asks_help(said[:1] if parser.prog.strip("%") == _OF_WORDS else said)


_BARE_HELP = re.compile(r"%%(?:zig|rust|evolve|agent)(?:[ \t].*)?[ \t](?:-h|--help)\s*$")


def bare_help(lines: list[str]) -> list[str]:
    """``%%zig --help`` with nothing below it asks for help: IPython refuses cells whose body is empty."""
    if lines and _BARE_HELP.match(lines[0]) and not "".join(lines[1:]).strip():
        return [lines[0].rstrip("\n") + "\n", "\n"]
    return lines


def _help(parser: Any, magic: Callable[..., Any]) -> Any:
    from ..operations import help_of

    return help_of(parser, parser.prog, magic.__doc__ or "")


def _seen(text: str) -> str:
    """What a reader sees of a text, and nothing that acts on a terminal or a page."""
    return hidden.replace(text, lambda _: "\ufffd")


def _plain(error: ProjectOError) -> list[str]:
    # A class of a room's own is shown as the one of the tree that the documentation draws.
    name = next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == ProjectOError.__module__)
    if isinstance(error, CompileError) and error.diagnostics:
        first = error.diagnostics[0]
        more = len(error.diagnostics) - 1
        rest = f" (and {more} more)" if more else ""
        place = f"cell:{first.line}:{first.column}: " if first.line else ""
        return [f"{name}: {place}{first.severity}: {first.message}{rest}"]
    return [f"{name}: {error}"]
