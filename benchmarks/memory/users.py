"""What a memory learns from its user: corrections, tastes by thumbs, questions that were taught; what the rest loses.

Users are drawn by seed: what they correct and how they say so, what they like and how often a thumb is wrong, and how
they put a question again.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from project_o.agent.embedders import words_are_there
from project_o.agent.memory import Memory, block_id
from project_o.agent.preferences import UP_LEAST, UP_MOST, Preferences
from project_o.lisp.specs import MemorySpec

from .quality import corpus

OPTIONS = {"length": ("short", "middle", "long"), "form": ("prose", "list", "table"), "code": ("yes", "no")}
THINGS = ("the alarm code", "the meeting room", "the wifi name", "the supplier", "the dose", "the deadline", "the plan")
SYLLABLES = ("ba", "ko", "ri", "mu", "ten", "sal", "vor", "lin", "dak", "pe", "zu", "fen")
TURNS, LAST = 20, 5
Options = Mapping[str, Sequence[str]]


def facts(seed: int, count: int) -> list[tuple[str, str, str]]:
    """(subject, first value, its correction) with names and values that no other subject has."""
    rng = random.Random(seed)
    names = rng.sample([a + b + c for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES], count)
    values = rng.sample(range(100_000, 999_999), 2 * count)
    subjects = [f"{rng.choice(THINGS)} of {name.title()}" for name in names]
    return [(subject, str(values[2 * k]), str(values[2 * k + 1])) for k, subject in enumerate(subjects)]


def corrected(notes: Memory, seed: int, count: int = 200) -> dict[str, int]:
    """``count`` facts are corrected, by text, id or description, and as many are not: how many answers are stale, which
    corrections and which of the others are not found."""
    told = facts(seed, 2 * count)
    notes.remember_all(f"{subject} is {value}" for subject, value, _ in told)
    for k, (subject, old, new) in enumerate(random.Random(seed).sample(told[:count], count)):
        text = f"{subject} is {old}"
        notes.correct((text, block_id(text), f"{subject} is")[k % 3], f"{subject} is {new}")
    stale = {old for _, old, _ in told[:count]}
    found = {"corrections": count, "stale answers": 0, "corrections lost": 0, "others lost": 0}
    for k, (subject, value, new) in enumerate(told):
        texts = [item.block.text for item in notes.recall(f"what is {subject}?")]
        found["stale answers"] += any(text.rsplit(" ", 1)[1] in stale for text in texts)
        right = f"{subject} is {new if k < count else value}" in texts
        found["corrections lost" if k < count else "others lost"] += not right
    return found


def regret(taste: Mapping[str, str], choice: Mapping[str, str]) -> float:
    """The share of a taste that a choice misses."""
    return 1 - sum(choice[name] == value for name, value in taste.items()) / len(taste)


def met(seed: int, turns: int = TURNS, options: Options = OPTIONS) -> tuple[list[float], float]:
    """The regret of each turn with a user whose taste, and whose thumbs, are drawn by the seed; and of what is liked
    most at the end."""
    user = random.Random(f"user {seed}")
    taste = {name: user.choice(values) for name, values in options.items()}
    learned, found = Preferences(options, seed=seed), list[float]()
    for _ in range(turns):
        choice = learned.choose()
        found.append(regret(taste, choice))
        learned.thumb(choice, up=user.random() < UP_LEAST + (UP_MOST - UP_LEAST) * (1 - found[-1]))
    return found, regret(taste, learned.liked())


def tastes(users: int, options: Options = OPTIONS) -> dict[str, float]:
    """The mean regret of so many users: by chance (the control), in the first turn, in the last five, at the end."""
    all_met = [met(seed, options=options) for seed in range(users)]
    return {
        "users": users,
        "turns": TURNS,
        "by chance": statistics.mean(1 - 1 / len(values) for values in options.values()),
        "first turn": statistics.mean(found[0] for found, _ in all_met),
        "last five turns": statistics.mean(statistics.mean(found[-LAST:]) for found, _ in all_met),
        "liked most": statistics.mean(liked for _, liked in all_met),
    }


def reworded(question: str, seed: int) -> str:
    """The same question with a fifth of its words left out and a word before it."""
    words = random.Random(seed).sample(list(enumerate(question.split())), round(0.8 * len(question.split())))
    return "Please: " + " ".join(word for _, word in sorted(words))


def recall_at_5(notes: Memory, asked: Sequence[tuple[str, str]]) -> float:
    """The share of (question, text) whose text is among the first five."""
    found = [[item.block.text for item in notes.recall(question, 5)] for question, _ in asked]
    return sum(text in texts for (_, text), texts in zip(asked, found, strict=True)) / len(asked)


def taught(embedding: str, seeds: int) -> dict[str, float]:
    """Half of the memories are taught by a question each; recall of these, put in other words, and of the untaught."""
    texts, (first, second) = corpus()
    gains, losses = list[float](), list[float]()
    for seed in range(seeds):
        order = random.Random(seed).sample(range(len(texts)), len(texts))
        half, rest = order[: len(order) // 2], order[len(order) // 2 :]
        asked = [(reworded(second[k], seed), texts[k]) for k in half]
        control = [(questions[k], texts[k]) for k in rest for questions in (first, second)]
        notes = Memory(MemorySpec("notes", embedding=embedding))
        notes.remember_all(texts)
        before = recall_at_5(notes, asked), recall_at_5(notes, control)
        ids = {block.text: block.id for block in notes}
        for k in half:
            notes.teach(second[k], ids[texts[k]])
        gains.append(recall_at_5(notes, asked) - before[0])
        losses.append(before[1] - recall_at_5(notes, control))
    return {"seeds": seeds, "taught gain": statistics.mean(gains), "untaught lose": statistics.mean(losses)}


def everything() -> dict[str, Any]:
    """All three, for each embedder that is there."""
    kinds = ("hash", "auto") if words_are_there() else ("hash",)
    memory = {kind: MemorySpec("notes", embedding=kind, capacity=5_000) for kind in kinds}
    return {
        "corrections": {kind: [corrected(Memory(spec), seed) for seed in (1, 2, 3)] for kind, spec in memory.items()},
        "tastes": tastes(200),
        "taught": {kind: taught(kind, 10) for kind in kinds},
    }
