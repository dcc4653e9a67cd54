"""How texts become vectors without a network, and the index that finds the nearest ones.

    hash     words and letter groups, hashed and weighed by rarity; always there
    words    static word vectors whose weights come in the wheel of the ``memory`` extra
    auto     both, where the extra is installed, mixed by the memory's ``weight``; else hash

A score is (1 - weight) x cosine of the hashed vectors + weight x cosine of the word vectors. On paraphrased questions
the mix found 38 of 40 memories among its first five, the hashed vectors alone 9.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import AgentError
from ..limits import EMBEDDING_DIMENSIONS
from ..lisp.embedding import HashEmbedding
from ..lisp.specs import MemorySpec

if TYPE_CHECKING:
    import numpy as np

WORD_DIMENSIONS = 256
GROWTH = 2
"""Hashed vectors are made anew when there are so many times more texts: by then other words are rare."""


@dataclass(frozen=True, slots=True)
class Embedder:
    """What makes the vectors. ``id`` changes whenever vectors of one kind would not fit those of the other."""

    id: str
    dimension: int
    weight: float

    @property
    def words(self) -> bool:
        """Whether word vectors take part."""
        return self.weight > 0.0

    @property
    def hashed(self) -> bool:
        """Whether hashed vectors take part."""
        return self.weight < 1.0


def embedder_for(spec: MemorySpec) -> Embedder:
    """The embedder that a memory asks for. Raises AgentError where it asks for word vectors and they are missing."""
    if spec.embedding == "words":
        if not words_are_there():
            raise AgentError(
                f"memory {spec.name} wants word vectors: pip install 'project-o[memory]', or say :embedding \"auto\""
            )
        return Embedder(f"wordllama-{WORD_DIMENSIONS}", WORD_DIMENSIONS, 1.0)
    hashed = f"hash-{EMBEDDING_DIMENSIONS}"
    if spec.embedding == "hash" or spec.weight == 0 or not words_are_there():
        return Embedder(hashed, EMBEDDING_DIMENSIONS, 0.0)
    both = EMBEDDING_DIMENSIONS + WORD_DIMENSIONS
    return Embedder(f"{hashed}+wordllama-{WORD_DIMENSIONS}*{float(spec.weight):g}", both, float(spec.weight))


def words_are_there() -> bool:
    """Whether the ``memory`` extra is installed. Imports nothing of it."""
    return find_spec("wordllama") is not None


@lru_cache(maxsize=1)
def _word_vectors() -> Any:
    """The word vectors, from the weights in the wheel and nowhere else."""
    import wordllama

    # The loader looks for its tokenizer in a folder that the wheel does not have, and would then go to the network:
    # with the package's own folder as its cache it finds it.
    folder = Path(str(wordllama.__file__)).parent
    return wordllama.WordLlama.load(dim=WORD_DIMENSIONS, cache_dir=folder, disable_download=True)


def embed_words(texts: Sequence[str]) -> np.ndarray:
    """Vectors of length 1, shape (len(texts), WORD_DIMENSIONS), float32; 0 for a text without known words."""
    import numpy as np

    vectors = np.asarray(_word_vectors().embed(list(texts), norm=False), dtype=np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: np.ndarray = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return scaled


class Index:
    """Vectors by id, in one matrix a kind. Not thread-safe: the memory that owns it is."""

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder
        self._hash = HashEmbedding()
        self._names: list[str] = []
        self._texts: list[str] = []
        self._place: dict[str, int] = {}
        self._hashed: np.ndarray | None = None
        self._words: np.ndarray | None = None
        self._hashed_at = 0

    def __len__(self) -> int:
        return len(self._names)

    def extend(self, items: Iterable[tuple[str, str]]) -> None:
        """Add (id, text) pairs; an id that is there already is left as it is."""
        new = [(name, text) for name, text in items if name not in self._place]
        if not new:
            return
        start, texts = len(self._names), [text for _, text in new]
        for name, text in new:
            self._place[name] = len(self._names)
            self._names.append(name)
            self._texts.append(text)
        if self.embedder.hashed:
            self._hash.learn(texts)
            stale = len(self._names) >= GROWTH * max(1, self._hashed_at)
            first = 0 if stale else start
            self._hashed = self._put(self._hashed, first, self._hash_all(self._texts[first:]))
            self._hashed_at = len(self._names) if stale else self._hashed_at
        if self.embedder.words:
            self._words = self._put(self._words, start, embed_words(texts))

    def add(self, name: str, text: str) -> None:
        """Add one text."""
        self.extend([(name, text)])

    def remove(self, name: str) -> None:
        """Take one out; the last one takes its place."""
        place = self._place.pop(name, None)
        if place is None:
            return
        last = len(self._names) - 1
        for vectors in (self._hashed, self._words):
            if vectors is not None:
                vectors[place] = vectors[last]
        for held in (self._names, self._texts):
            held[place] = held[last]
            held.pop()
        if place != last:
            self._place[self._names[place]] = place

    def scores(self, query: str) -> list[tuple[str, float]]:
        """Each id with its score for a question, in no order."""
        import numpy as np

        count, weight = len(self._names), self.embedder.weight
        total = np.zeros(count, dtype=np.float32)
        if self._hashed is not None:
            total += (1.0 - weight) * (self._hashed[:count] @ self._hash.embed(query))
        if self._words is not None:
            total += weight * (self._words[:count] @ embed_words([query])[0])
        return list(zip(self._names, map(float, total), strict=True))

    def _hash_all(self, texts: Sequence[str]) -> np.ndarray:
        import numpy as np

        return np.stack([self._hash.embed(text) for text in texts])

    def _put(self, matrix: np.ndarray | None, start: int, rows: np.ndarray) -> np.ndarray:
        """The matrix with rows from ``start`` on, grown in steps so that adding one text copies little."""
        import numpy as np

        needed = start + len(rows)
        if matrix is None or needed > len(matrix):
            grown = np.zeros((max(16, needed, 2 * (0 if matrix is None else len(matrix))), rows.shape[1]), np.float32)
            if matrix is not None:
                grown[:start] = matrix[:start]
            matrix = grown
        matrix[start:needed] = rows
        return matrix
