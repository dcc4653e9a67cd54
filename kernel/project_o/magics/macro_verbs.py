"""``%agent learn-macros`` and ``%agent unlearn-macros``: the agents' language grows, and shrinks again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from .arguments import count
from .session import Session

if TYPE_CHECKING:
    from ..agent.macros import LearnedMacros

LEARN = "%agent learn-macros [--accept] [--random] [--seed N]"


def learn_macros(session: Session, words: list[str]) -> Any:
    """Learn macros from what Lisp defined here; with ``--accept`` take them up where the verdict is to accept."""
    left, seed = list(words), session.setting("seed")
    if "--seed" in left:
        place = left.index("--seed")
        if place + 1 == len(left):
            raise UsageError(f"--seed wants a number: {LEARN}")
        seed = count(left[place + 1], "--seed", 2**31, least=0)
        del left[place : place + 2]
    if unknown := [word for word in left if word not in ("--accept", "--random")]:
        raise UsageError(f"learn-macros has no option {unknown[0]}: {LEARN}")
    found = session.agents.macros.learn(seed, control="--random" in left)
    if "--accept" in left:
        found.accept()
    return _shown(found)


def unlearn_macros(session: Session, words: list[str]) -> Any:
    """Take the newest macros back: every text is as it was."""
    from .. import view
    from ..operations.listing import Report

    if words:
        raise UsageError("%agent unlearn-macros takes back the newest macros, and takes no name")
    state = session.agents.macros.undo()
    kept = state.short if state else "this kernel only: nothing is recorded here"
    facts = {"taken back": "every text and every digest is as it was", "kept in": kept}
    return Report(facts, lambda found: view.show_table("macros", ("what", "value"), [*found.items()]))


def _shown(found: LearnedMacros) -> Any:
    from .. import view
    from ..operations.listing import Report

    verdict = found.verdict
    rows = [
        ("verdict", "accepted" if verdict.accepted else "rejected"),
        *(("reason", reason) for reason in verdict.reasons),
        ("forms learned from, shorter by", f"{found.learned:.0%}"),
        ("forms held out, shorter by", f"{found.held_out:.0%}"),
        ("as many macros drawn at random", f"{found.control:.0%}"),
        ("all forms, definitions counted", f"{found.total:.0%}"),
        *((macro.name, macro.source) for macro in found.macros),
    ]
    return Report(found, lambda _: view.show_table("macros", ("what", "value"), rows))


VERBS: Mapping[str, Callable[[Session, list[str]], Any]] = {
    "learn-macros": learn_macros,
    "unlearn-macros": unlearn_macros,
}
