"""How well memories are found: paraphrased questions, questions with words left out, human judgements of likeness.

``corpus.json`` holds fifty memories, each with two questions that share few words with it, written before any setting
was chosen; ``unseen.json`` holds forty more, written after all settings were, by which nothing was chosen. The human
judgements are those of Lee, Pincombe and Welsh (2005), 1,225 pairs of 50 news texts, which come in gensim's wheel.
"""

from __future__ import annotations

import json
import random
import re
import sqlite3
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from project_o.agent.embedders import words_are_there
from project_o.agent.memory import Memory
from project_o.lisp.specs import MemorySpec

CORPUS, UNSEEN = (Path(__file__).with_name(name) for name in ("corpus.json", "unseen.json"))
SETTINGS: dict[str, dict[str, Any]] = {
    "hash": {"embedding": "hash"},
    "word vectors": {"embedding": "words"},
    "mixed 0.5 (what it was)": {"weight": 0.5},
    "mixed 0.7 (default)": {},
    "mixed 0.7, fused with BM25": {"ranking": "fused"},
}

Ranker = Callable[[str], list[str]]


def corpus(place: Path = CORPUS) -> tuple[list[str], list[list[str]]]:
    """The memories, and their questions: one list for each of the two askers."""
    rows = json.loads(place.read_text("utf-8"))
    return [row[0] for row in rows], [[row[k] for row in rows] for k in (1, 2)]


def ranker(texts: Sequence[str], **setting: Any) -> Ranker:
    """A memory of the texts, asked for its best ten."""
    notes = Memory(MemorySpec("notes", top=10, capacity=100_000, **setting))
    notes.remember_all(texts)
    return lambda query: [item.block.text for item in notes.recall(query)]


def by_words(texts: Sequence[str]) -> Ranker:
    """SQLite's full text search alone: BM25 with the Porter stemmer."""
    connection = _full_text(texts)

    def rank(query: str) -> list[str]:
        rows = connection.execute(
            "SELECT text FROM found WHERE found MATCH ? ORDER BY bm25(found) LIMIT 10", [_any_of(query)]
        )
        return [row[0] for row in rows]

    return rank


def _full_text(texts: Sequence[str]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE found USING fts5 (text, tokenize='porter unicode61')")
    connection.executemany("INSERT INTO found VALUES (?)", [(text,) for text in texts])
    return connection


def _any_of(query: str) -> str:
    """A question as full text search wants it: any of its words."""
    return " OR ".join(f'"{word}"' for word in re.findall(r"\w+", query))


def _likes_by_words(texts: Sequence[str]) -> np.ndarray:
    """BM25 of each text (a column) for each text as the question (a row), shape (len(texts), len(texts))."""
    connection = _full_text(texts)
    likes = np.zeros((len(texts), len(texts)))
    for k, text in enumerate(texts):
        query = _any_of(" ".join(dict.fromkeys(re.findall(r"\w+", text.lower()))))
        for row, score in connection.execute("SELECT rowid, bm25(found) FROM found WHERE found MATCH ?", [query]):
            likes[k, row - 1] = -score
    return likes


def engines(texts: Sequence[str]) -> dict[str, Ranker]:
    """Every competitor on the same texts."""
    found = {"BM25": by_words(texts)}
    for name, setting in SETTINGS.items():
        if setting.get("embedding") == "hash" or words_are_there():
            found[name] = ranker(texts, **setting)
    return found


def scores(rank: Ranker, asked: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Recall among the first five, and the mean of 1 over the right text's place among the first ten."""
    places = [found.index(text) + 1 if text in (found := rank(query)) else 0 for query, text in asked]
    return {
        "recall_at_5": sum(1 for place in places if 0 < place <= 5) / len(places),
        "reciprocal_rank": sum(1 / place for place in places if place) / len(places),
        "questions": len(places),
    }


def with_words_left_out(seed: int = 1, count: int = 300) -> tuple[list[str], list[tuple[str, str, str]]]:
    """Paragraphs of Python's own help, and questions by words: sentences of them that lost 55 % of their words.

    A question comes with its sentence and its paragraph.
    """
    from pydoc_data.topics import topics

    paragraphs = [
        " ".join(part.split()) for text in topics.values() for part in text.split("\n\n") if 80 <= len(part) <= 500
    ]
    texts = list(dict.fromkeys(paragraphs))
    rng = random.Random(seed)
    asked: list[tuple[str, str, str]] = []
    while len(asked) < count:
        text = rng.choice(texts)
        sentence = rng.choice(re.split(r"(?<=[.:]) ", text))
        kept = [word for word in re.findall(r"\w+", sentence) if rng.random() > 0.55]
        if len(kept) >= 3:
            asked.append((" ".join(kept), sentence, text))
    return texts, asked


def likeness() -> dict[str, float] | None:
    """Pearson's correlation with the human judgements, for each setting; None without gensim's files."""
    spec = find_spec("gensim")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "test" / "test_data"
    texts = (folder / "lee.cor").read_text("latin-1").strip().splitlines()
    human = np.loadtxt(folder / "similarities0-1.txt")
    pairs = np.triu_indices(len(texts), 1)
    by_bm25 = _likes_by_words(texts)
    found = {"BM25": float(np.corrcoef((by_bm25 + by_bm25.T)[pairs], human[pairs])[0, 1])}
    for name, setting in SETTINGS.items():
        if setting.get("ranking") or (setting.get("embedding") != "hash" and not words_are_there()):
            continue
        notes = Memory(MemorySpec("news", block=3_000, **setting))
        notes.remember_all(texts)
        asked = np.stack([notes.embedder.question(text, notes.store.rarity, len(notes)) for text in texts])
        likes = asked @ notes.embedder.blocks(texts).T
        found[name] = float(np.corrcoef((likes + likes.T)[pairs], human[pairs])[0, 1])
    return found


def table() -> dict[str, Any]:
    """Everything, by engine."""
    texts, (first, second) = corpus()
    unseen, (third, fourth) = corpus(UNSEEN)
    others = engines(unseen)
    long_texts, triples = with_words_left_out()
    left_out = [(question, text) for question, _, text in triples]
    lee = likeness()
    found: dict[str, Any] = {}
    wide = engines(long_texts)
    for name, rank in engines(texts).items():
        found[name] = {
            "first question": scores(rank, list(zip(first, texts, strict=True))),
            "second question": scores(rank, list(zip(second, texts, strict=True))),
            "unseen, first": scores(others[name], list(zip(third, unseen, strict=True))),
            "unseen, second": scores(others[name], list(zip(fourth, unseen, strict=True))),
            "words left out": scores(wide[name], left_out) | {"texts": len(long_texts)},
            "lee": lee.get(name) if lee else None,
        }
    return found
