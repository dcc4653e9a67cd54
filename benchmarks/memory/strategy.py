"""Is a searched strategy better than a random one? On two corpora, in which different settings are best.

Every setting is measured on all questions; then the search that ``%evolve`` uses and a random one each get so many
trials for each of 200 seeds, see one half of the questions, and are judged by the other half. A seed splits the
questions, too.
"""

from __future__ import annotations

import itertools
import random
import statistics
from collections.abc import Callable
from typing import Any

from project_o import evolve
from project_o.agent.retrieval import Retrieval
from project_o.evolution.search import SearchProposer
from project_o.values import Program, Proposal, Record

from .quality import corpus, with_words_left_out

TRIALS = 16
SEEDS = 200
PART_CHARACTERS_MAX = 19_000
Settings = dict[str, Any]


def strategy() -> Settings:
    """What a memory begins with, and what may be chosen instead."""
    block = 512  # o: 128 256 512 1024
    overlap = 50  # o: 0 50
    weight = 0.7  # o: 0.0 0.25 0.5 0.7 1.0
    ranking = "sum"  # o: "sum" "fused"
    return {"block": block, "overlap": overlap, "weight": weight, "ranking": ranking}


def by_words(questions: int = 120, seed: int = 1) -> Retrieval:
    """Python's help, as long texts; questions are sentences of it with words left out."""
    from pydoc_data.topics import topics

    _, asked = with_words_left_out(seed, questions)
    held = {paragraph for _, _, paragraph in asked}
    chosen = {" ".join(text.split()) for text in topics.values()}
    texts = sorted(text for text in chosen if any(paragraph in text for paragraph in held))
    pairs = [(question, sentence) for question, sentence, _ in asked]
    return Retrieval([part for text in texts for part in _parts(text)], pairs)


def by_meaning(seed: int = 1) -> Retrieval:
    """The fifty memories as a few diaries; questions are paraphrases, and there is room for a few sentences."""
    memories, (first, second) = corpus()
    order = random.Random(seed).sample(memories, len(memories))
    diaries = [" ".join(order[k : k + 10]) for k in range(0, len(order), 10)]
    asked = [*zip(first, memories, strict=True), *zip(second, memories, strict=True)]
    return Retrieval(diaries, asked, characters=500)


def _parts(text: str) -> list[str]:
    """A text in parts of at most what a memory takes at once, broken between words."""
    found = []
    while len(text) > PART_CHARACTERS_MAX:
        at = text.rfind(" ", 0, PART_CHARACTERS_MAX)
        found.append(text[:at])
        text = text[at + 1 :]
    return [*found, text]


class Table:
    """Which question each setting answers. Settings that come to the same are measured once."""

    def __init__(self, retrieval: Retrieval, program: Program) -> None:
        self.retrieval = retrieval
        self.domains = {item.name: item.domain for item in program.parameters}
        self.answered: dict[tuple[Any, ...], tuple[bool, ...]] = {}
        for values in itertools.product(*self.domains.values()):
            self.answered[values] = retrieval.answered(dict(zip(self.domains, values, strict=True)))

    def score(self, values: tuple[Any, ...], places: list[int]) -> float:
        """The share of the questions at these places."""
        return sum(self.answered[values][place] for place in places) / len(places)


def searched(program: Program, measure: Callable[[tuple[Any, ...]], float], seed: int) -> tuple[Any, ...]:
    """What ``%evolve``'s search finds best in its trials."""
    proposer = SearchProposer(program, seed)
    start = tuple(item.value for item in program.parameters)
    base = measure(start)
    told, best = [], (base, start)
    for index in range(1, TRIALS + 1):
        proposal: Proposal | None = proposer.ask(index, told)
        if proposal is None:
            break
        values = tuple(dict(proposal.settings)[item.name] for item in program.parameters)
        score = measure(values)
        told.append(Record(proposal, "better" if score > base else "no better", "", score, score / max(base, 1e-9)))
        best = max(best, (score, values), key=lambda item: item[0])
    return best[1]


def at_random(table: Table, measure: Callable[[tuple[Any, ...]], float], start: Any, seed: int) -> tuple[Any, ...]:
    """The best of as many settings drawn without replacement, and of the start."""
    drawn = random.Random(seed).sample(list(table.answered), TRIALS)
    return max([start, *drawn], key=measure)


def compare(name: str, retrieval: Retrieval, program: Program) -> dict[str, Any]:
    """Both searches over all seeds on one corpus."""
    table = Table(retrieval, program)
    start = tuple(item.value for item in program.parameters)
    everything = list(range(len(retrieval.asked)))
    rows: dict[str, list[float]] = {"start": [], "search": [], "random": []}
    for seed in range(SEEDS):
        order = random.Random(seed).sample(everything, len(everything))
        seen, held_out = order[::2], order[1::2]
        measure = lambda values, seen=seen: table.score(values, seen)  # noqa: E731 - used in this round alone
        rows["start"].append(table.score(start, held_out))
        rows["search"].append(table.score(searched(program, measure, seed), held_out))
        rows["random"].append(table.score(at_random(table, measure, start, seed), held_out))
    best = max(table.answered, key=lambda values: table.score(values, everything))
    gains = [one - other for one, other in zip(rows["search"], rows["random"], strict=True)]
    error = statistics.stdev(gains) / len(gains) ** 0.5
    return {
        "corpus": name,
        "texts": len(retrieval.texts),
        "questions": len(everything),
        "settings": len(table.answered),
        "trials": TRIALS,
        "seeds": SEEDS,
        "held_out": {key: statistics.mean(values) for key, values in rows.items()},
        "search_over_random": {"mean": statistics.mean(gains), "low_95": statistics.mean(gains) - 1.96 * error},
        "best": dict(zip(table.domains, best, strict=True)),
        "best_on_all": table.score(best, everything),
        "best_of_the_other_kind": {},
    }


def both() -> dict[str, Any]:
    """The two corpora, and what the best setting of one is worth in the other."""
    program = evolve(strategy, lambda made: {"score": float(len(made()))}, trials=1, objective="score").program
    corpora = {"words left out": by_words(), "paraphrases": by_meaning()}
    found = {name: compare(name, retrieval, program) for name, retrieval in corpora.items()}
    for name, other in itertools.permutations(found, 2):
        settings = found[other]["best"]
        found[name]["best_of_the_other_kind"] = {**found[other]["best"], "score": corpora[name].score(settings)}
    return found
