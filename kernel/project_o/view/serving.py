"""What serves each name."""

from __future__ import annotations

from collections.abc import Sequence

from .. import limits
from ..values import Deployment
from . import numbers
from .display import Display, page
from .parts import Column, Tone, line, table, title
from .text import counted

_TONES: dict[str, Tone] = {"promoted": "good", "taken back": "warn"}


def show_serving(deployments: Sequence[Deployment]) -> Display:
    """Every name, which version serves it, with what share of the calls, since when, and what it can go back to."""
    columns = (
        Column("name", "head"),
        Column("program", "code"),
        Column("version"),
        Column("language"),
        Column("functions"),
        Column("build"),
        Column("share", "number"),
        Column("level"),
        Column("since (UTC)"),
        Column("from"),
        Column("state", "code"),
        Column("before it", "code"),
    )
    rows = [_row(one) for one in deployments[: limits.TABLE_ROWS_MAX]]
    return page(
        title("serving", detail=counted(len({one.name for one in deployments}), "name")),
        table(columns, rows, total=len(deployments)) if rows else line("nothing is served yet: run a native cell"),
    )


def show_deployment(deployment: Deployment) -> Display:
    """One name and what serves it."""
    return show_serving((deployment,))


def show_release(name: str, what: str, text: str) -> Display:
    """What happened to the version that serves a name: promoted, taken back, looked into, built again,
    or that its canary waits."""
    return page(title(name, what, _TONES.get(what, "accent")), line(text))


def _row(one: Deployment) -> tuple[str, ...]:
    return (
        one.name,
        numbers.short(one.digest),
        one.version or numbers.MISSING,
        one.language,
        ", ".join(one.functions),
        one.build or numbers.MISSING,
        numbers.share(one.share),
        one.level or numbers.MISSING,
        numbers.when(one.since),
        one.origin,
        numbers.short(one.state) or numbers.MISSING,
        " ".join(numbers.short(digest) for digest in one.previous) or numbers.MISSING,
    )
