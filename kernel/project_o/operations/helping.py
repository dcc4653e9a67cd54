"""What a line can say, as a value that shows itself: ``--help`` of a verb and of a magic."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from .. import view
from .listing import Report

_WORDS = ("-h", "--help")


def asks_help(words: Sequence[str]) -> bool:
    """Whether the words ask what a line can say, instead of saying it."""
    return any(word in _WORDS for word in words[: words.index("--") if "--" in words else None])


def help_of(parser: argparse.ArgumentParser, name: str, about: str) -> Report:
    """What ``name`` takes: its arguments by how they are written."""
    told = {spelled(action): action.help or "" for action in arguments_of(parser)}
    usage = " ".join((name, *told))
    first = about.strip().partition("\n")[0].replace("``", "")
    rows = {name: first, **{word: text.replace("%%", "%") for word, text in told.items()}}
    return Report(rows, lambda facts: view.show_table(usage, ("say", "to"), [*facts.items()]))


def arguments_of(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """The arguments of a parser, without its own help."""
    return [action for action in parser._actions if action.dest != "help"]


def spelled(action: argparse.Action) -> str:
    """One argument as a reader types it. argparse's own help reads differently in each Python."""
    value = ""
    if action.nargs != 0:
        value = "|".join(map(str, action.choices)) if action.choices else str(action.metavar or action.dest).upper()
        value += " ..." if action.nargs in ("+", "*") else ""
    word = f"{action.option_strings[0]} {value}".strip() if action.option_strings else value
    optional = bool(action.option_strings) or action.nargs in ("?", "*")
    return f"[{word}]" if optional else word
