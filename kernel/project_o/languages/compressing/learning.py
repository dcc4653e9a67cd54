"""Which macros to take: the template that saves most, again and again until none saves anything."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence

from ... import limits
from ..forms import parse
from .trees import HOLE, Macro, Tree, bound_by, in_common, is_allowed, locals_of, made, opened, printed, tree


def learn(texts: Sequence[str], taken: Collection[str], seed: int = 0) -> list[Macro]:
    """Macros that make these texts shorter, their definitions counted. ``taken`` are names that they may not have."""
    rng = random.Random(seed)
    corpus = [tree(form) for text in texts for form in parse(text).forms]
    names = _names(taken, corpus)
    found: list[Macro] = []
    while len(found) < limits.MACROS_MAX:
        best = max(_candidates(corpus, rng), key=lambda item: (_gain(item, corpus), _text(item)), default=None)
        if best is None or _gain(best, corpus) <= 0:
            break
        macro = Macro(names(best), best)
        found.append(macro)
        corpus = [applied(macro, form) for form in corpus]
    return found


def anything(texts: Sequence[str], taken: Collection[str], seed: int, count: int) -> list[Macro]:
    """The control: as many macros, each of any two forms of the texts that have a template in common."""
    rng = random.Random(seed)
    corpus = [tree(form) for text in texts for form in parse(text).forms]
    names = _names(taken, corpus)
    candidates = sorted(_candidates(corpus, rng), key=_text)
    return [Macro(names(item), item) for item in rng.sample(candidates, min(count, len(candidates)))]


def applied(macro: Macro, form: Tree) -> Tree:
    """The form with calls in the place of what the template fits."""
    bound = bound_by(macro.template, form) if form.head else None
    if bound is not None:
        args = (applied(macro, bound[str(k)]) for k in range(macro.holes))
        return made("(", "", (Tree("atom", macro.name), *args))
    return made(form.kind, form.text, tuple(applied(macro, part) for part in form.parts)) if form.parts else form


def _candidates(corpus: Sequence[Tree], rng: random.Random) -> set[Tree]:
    """The templates of pairs of forms that begin with the same word and are as long."""
    local = locals_of(corpus)
    alike: dict[tuple[str, int], list[Tree]] = defaultdict(list)
    for form in corpus:
        for part in form.walk():
            if part.size >= limits.MACRO_SIZE_MIN and is_allowed(part):
                alike[part.head, len(part.parts)].append(part)
    found: set[Tree] = set()
    for group in alike.values():
        pairs = list(itertools.combinations(group, 2))
        for one, other in rng.sample(pairs, min(len(pairs), limits.MACRO_PAIRS_MAX)):
            template = in_common(one, other)
            template = None if template is None else opened(template, local)
            if template is not None and _is_of_use(template):
                found.add(template)
    return found


def _is_of_use(template: Tree) -> bool:
    holes = {part.text for part in template.walk() if part.kind == HOLE}
    return len(holes) <= limits.MACRO_HOLES_MAX and template.size - len(holes) >= limits.MACRO_SIZE_MIN


def _gain(template: Tree, corpus: Iterable[Tree]) -> int:
    """The nodes that it saves, less those of its definition."""
    macro = Macro("", template)
    saved = 0
    for form in corpus:
        waiting = [form]
        while waiting:
            part = waiting.pop()
            bound = bound_by(template, part) if part.head == template.head else None
            if bound is None:
                waiting += part.parts
            else:
                saved += part.size - macro.call_size(bound)
                waiting += bound.values()
    return saved - macro.size


def _names(taken: Collection[str], corpus: Iterable[Tree]) -> Callable[[Tree], str]:
    """Names that nothing has: not the language, not the notebook, not the texts."""
    known = {name.replace("_", "-") for name in taken}
    known |= {part.text.replace("_", "-") for form in corpus for part in form.walk() if part.kind == "atom"}

    def name(template: Tree) -> str:
        word = "".join(sign for sign in template.head if sign.isalnum() or sign == "-").strip("-") or "form"
        found = next(made for k in itertools.count(1) if (made := f"learned-{word}-{k}") not in known)
        known.add(found)
        return found

    return name


def _text(template: Tree) -> str:
    """An order that does not depend on the process."""
    return printed(template)
