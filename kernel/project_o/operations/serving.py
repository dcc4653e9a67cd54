"""The verbs of what serves: which version, a canary beside it, promotion, taking back."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .. import limits, view
from ..config import seconds
from ..deploy.canaries import Running
from ..deploy.plan import Plan
from ..errors import UsageError
from ..history import changelog
from ..releases import take_back
from ..view import numbers
from .context import STATE_HELP, Context, Verb, facts
from .listing import Listing, Report


def _serving(context: Context, arguments: argparse.Namespace) -> Listing[Any]:
    return Listing(context.flow.serving(arguments.name), view.show_serving)


def _rollback(context: Context, arguments: argparse.Namespace) -> Listing[Any]:
    if context.in_terminal:
        return Listing((take_back(context.flow.history, arguments.name, arguments.state),), view.show_serving)
    return Listing((context.flow.rollback(arguments.name, arguments.state),), view.show_serving)


def _promote(context: Context, arguments: argparse.Namespace) -> Listing[Any]:
    return Listing((context.flow.releases.promote(arguments.name, arguments.state),), view.show_serving)


def _canary(context: Context, arguments: argparse.Namespace) -> Report:
    releases = context.flow.releases
    under_way = releases.canaries.of(context.flow.registry.slot(arguments.name).name)
    if under_way is None or arguments.state is not None:
        plan = Plan(
            share=share(arguments.share), calls=arguments.calls, seconds=seconds(arguments.seconds),
            shadow=arguments.shadow, seed=arguments.seed,
        )  # fmt: skip
        under_way = releases.canary(arguments.name, arguments.state, plan, _metrics_of(context, arguments.metric))
    return Report(under_way, lambda one: facts("canary")(told(one)))


def _metrics_of(context: Context, names: Sequence[str]) -> dict[str, Callable[..., float]]:
    """The user's functions of these names. Raises UsageError."""
    found = {name: context.names.get(name) for name in names}
    for name, function in found.items():
        if not callable(function):
            raise UsageError(f"--metric {name}: define {name}(answer, *arguments) first; more of it is better")
    return {name: function for name, function in found.items() if callable(function)}


def told(running: Running) -> dict[str, Any]:
    """A canary under way as a table."""
    plan, canary, evidence = running.plan, running.canary, running.canary.evidence
    both = evidence.latencies()
    answers = "the version that serves answers; this one is asked besides, on copies" if plan.shadow else ""
    return {
        "name": running.name,
        "version": f"{running.release.version or running.release.program.digest[:10]}",
        "against": running.base[:10],
        "share of the calls": f"{plan.share:.0%}",
        "shadow": answers,
        "calls": f"{evidence.calls_new:,} of {evidence.calls:,}",
        "so far": evidence.told(),
        "median": f"{both[0] * 1e6:.4g} us before, {both[1] * 1e6:.4g} us with it" if both else "",
        "answered by the old one": evidence.answered_by_old or "",
        "ends": f"after {plan.calls:,} calls or {plan.seconds:g} s, as soon as it is decided",
        "waits for": f"{', '.join(canary.waits_for)}: define it in this kernel" if canary.waits_for else "",
        "extended": f"{canary.extensions} of {limits.CANARY_EXTENSIONS} times" if canary.extensions else "",
        "by hand": f"%o promote {running.name}, or %o rollback {running.name}",
    }


def share(text: str) -> float:
    """A share of the calls: ``10%`` or ``0.1``. Raises UsageError."""
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        raise UsageError(f"{text!r} is no share: write 10% or 0.1") from None


def _metrics(context: Context, arguments: argparse.Namespace) -> Listing[Any]:
    return Listing(context.flow.releases.metrics.summaries(arguments.name), show_metrics)


def show_metrics(found: Any) -> view.Display:
    """What a sample of the calls took, by function and version."""
    heads = ("name", "program", "function", "sampled calls", "median", "95 % within", "failed", "last (UTC)")
    rows = [
        (
            *(one.name, one.program[:10], one.function, f"{one.calls:,}", numbers.seconds(one.median)),
            *(numbers.seconds(one.high), f"{one.failed:.1%}", time.strftime("%Y-%m-%d %H:%M", time.gmtime(one.last))),
        )
        for one in found
    ]
    return view.show_table("metrics", heads, rows)


def _changelog(context: Context, arguments: argparse.Namespace) -> Listing[changelog.Entry]:
    history = context.flow.history
    history.flush()
    found = changelog.entries(history.states(limits.RELEASE_STATES_MAX, scope=arguments.name), arguments.name)
    if arguments.to:
        try:
            Path(arguments.to).expanduser().write_text(changelog.markdown(found), "utf-8")
        except OSError as error:
            raise UsageError(f"{arguments.to} cannot be written: {error.strerror or error}") from None
    return Listing(found, show_changelog)


def show_changelog(found: Any) -> view.Display:
    """Releases, newest first."""
    heads = ("program", "version", "when (UTC)", "type", "what", "author", "metrics", "reason", "commit")
    rows = [
        (
            *(one.program, one.version, time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(one.when)), one.type),
            *(one.description, one.by, one.metrics, one.reason, one.commit[:10]),
        )
        for one in found
    ]
    return view.show_table("changelog", heads, rows)


_NAME = (("name",), {"help": "the program's name, or that of its function"})
_STATE = (("state",), {"nargs": "?", "default": None, "help": STATE_HELP})
SERVING_VERBS: dict[str, Verb] = {
    "serving": Verb(_serving, "what serves each name", ((("name",), {"nargs": "?", "default": None}),)),
    "canary": Verb(
        _canary,
        "let a new version serve a share of the calls until it is shown to be better or worse",
        (
            _NAME,
            (("state",), {"nargs": "?", "default": None, "help": "whose version it is; else the newest accepted"}),
            (("--share",), {"default": f"{limits.CANARY_SHARE:.0%}", "help": "of the calls"}),
            (("--calls",), {"type": int, "default": limits.CANARY_CALLS, "help": "of both, before it is extended"}),
            (("--for",), {"dest": "seconds", "default": f"{limits.CANARY_SECONDS:g}s", "help": "at most so long"}),
            (("--shadow",), {"action": "store_true", "help": "the old version answers; the new one is only compared"}),
            (
                ("--metric",),
                {
                    "action": "append",
                    "default": [],
                    "help": "your function of (answer, *arguments): more is better",
                },
            ),
            (("--seed",), {"type": int, "default": 0, "help": "which calls it gets"}),
        ),
    ),
    "changelog": Verb(
        _changelog,
        "what was promoted and what was taken back, with versions, metrics and reasons",
        (
            (("name",), {"nargs": "?", "default": None, "help": "of this program alone"}),
            (("--to",), {"default": None, "help": "write it to this file, as Markdown"}),
        ),
    ),
    "metrics": Verb(
        _metrics,
        "how long the calls of what serves take, from a sample",
        ((("name",), {"nargs": "?", "default": None}),),
    ),
    "promote": Verb(_promote, "let the canary, or the newest accepted version, serve every call", (_NAME, _STATE)),
    "rollback": Verb(
        _rollback, "serve the version before this one (said again: this one), or that of a state", (_NAME, _STATE)
    ),
}
