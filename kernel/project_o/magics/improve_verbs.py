"""``%agent watch``, ``%agent perceive`` and ``%agent improve``: what is looked after, how it is, and what is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import UsageError
from .arguments import count, cut_expression, seconds
from .session import Session

WATCH = "%agent watch NAME [--cases EXPR] [--metric NAME] [--layer WORD]"
IMPROVE = "%agent improve [--for 60s] [--seed N]"


def watch(session: Session, words: list[str]) -> Any:
    """Look after a function or an agent: how it is now is its past from now on."""
    line, cases = cut_expression(" ".join(words), "--cases")
    names, given = _options(line.split(), ("--metric", "--layer"), WATCH)
    if len(names) != 1:
        raise UsageError(f"watch what? {WATCH}")
    known = session.shell.user_ns

    def called(name: str) -> Any:
        if name not in known:
            raise UsageError(f"nothing here is called {name}: define it in a cell first")
        return known[name]

    def evaluated(expression: str) -> Any:
        if expression.isidentifier():
            return called(expression)
        try:
            return eval(expression, known)  # the user's own text, of the user's own line
        except Exception as error:
            raise UsageError(f"--cases {expression}: {type(error).__name__}: {error}") from error

    target = called(names[0])
    sign = session.improver.watch(
        target,
        evaluated(cases) if cases is not None else (),
        metric=called(given["--metric"]) if "--metric" in given else None,
        layer=given.get("--layer", ""),
        find=lambda: known.get(names[0], target),
    )
    return _signs([sign])


def perceive(session: Session, words: list[str]) -> Any:
    """How everything that is looked after is now, the worst first."""
    if words:
        raise UsageError("%agent perceive takes no word: it looks at everything that is watched")
    return _signs(session.improver.perceive())


def improve(session: Session, words: list[str]) -> Any:
    """Look into what is worst, send what may be the cause through the flow, and go on until time is over."""
    from .. import view
    from ..operations.listing import Listing

    names, given = _options(words, ("--for", "--seed"), IMPROVE)
    if names:
        raise UsageError(f"improve takes no name, it looks at what is worst: {IMPROVE}")
    seed = count(given["--seed"], "--seed", 2**31, least=0) if "--seed" in given else session.setting("seed")
    deeds = session.improver.improve(seconds(given.get("--for", "60s")), seed=seed)
    rows = [(str(d.sign), d.hypothesis, d.outcome, f"{d.recovered:.0%}") for d in deeds]
    head = ("perceived", "hypothesis", "what became of it", "recovered")
    return Listing(deeds, lambda _: view.show_table("improved", head, rows))


VERBS: Mapping[str, Callable[[Session, list[str]], Any]] = {"watch": watch, "perceive": perceive, "improve": improve}


def _signs(signs: Any) -> Any:
    from .. import view
    from ..operations.listing import Listing

    rows = [
        (sign.name, sign.layer, sign.kind, f"{sign.past:.4g}", f"{sign.now:.4g}", f"{sign.loss:.2f}") for sign in signs
    ]
    head = ("name", "layer", "what", "at its best", "now", "halvings lost")
    return Listing(signs, lambda _: view.show_table("perceived", head, rows))


def _options(words: list[str], known: tuple[str, ...], usage: str) -> tuple[list[str], dict[str, str]]:
    names: list[str] = []
    given: dict[str, str] = {}
    left = iter(words)
    for word in left:
        if not word.startswith("--"):
            names.append(word)
        elif word not in known:
            raise UsageError(f"there is no option {word}: {usage}")
        else:
            value = next(left, "")
            if not value:
                raise UsageError(f"{word} wants a value: {usage}")
            given[word] = value
    return names, given
