"""Texts as vectors without a model or a network: words and character n-grams, hashed with signs, weighed by rarity.

Signed feature hashing keeps dot products unbiased (Weinberger et al., 2009, "Feature Hashing for Large Scale
Multitask Learning"); rarity is the smoothed inverse document frequency of the texts learned so far. Numpy is
imported when the first vector is made.
"""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from ..limits import EMBEDDING_DIMENSIONS, EMBEDDING_WORDS_MAX

if TYPE_CHECKING:
    import numpy as np

NGRAM_LENGTHS = (3, 4)
NGRAM_WEIGHT = 0.3

_WORD = re.compile(r"\w+")


class HashEmbedding:
    """Vectors of ``dimensions`` float32 and length 1 (0 for a text without words). Equal texts, equal vectors.

    ``learn`` teaches it which features are rare; vectors made before are then a little out of date, and still fit.
    """

    def __init__(self, dimensions: int = EMBEDDING_DIMENSIONS) -> None:
        self.dimensions = dimensions
        self._documents = 0
        self._seen: Counter[str] = Counter()

    def learn(self, texts: Iterable[str]) -> None:
        """Count in which texts each feature occurs. Beyond ``EMBEDDING_WORDS_MAX`` features new ones stay unknown."""
        for text in texts:
            self._documents += 1
            for feature in features(text):
                if feature in self._seen or len(self._seen) < EMBEDDING_WORDS_MAX:
                    self._seen[feature] += 1

    def embed(self, text: str) -> np.ndarray:
        """The vector of a text, shape (dimensions,)."""
        return hashed(features(text), self._rarity, self.dimensions, NGRAM_WEIGHT)

    def _rarity(self, feature: str) -> float:
        return math.log((1 + self._documents) / (1 + self._seen[feature])) + 1.0


def hashed(found: Counter[str], rarity: Callable[[str], float], dimensions: int, ngram_weight: float) -> np.ndarray:
    """The vector of features with their counts, each weighed by its rarity, shape (dimensions,), float32, length 1."""
    import numpy as np

    vector = np.zeros(dimensions, dtype=np.float64)
    for feature, count in found.items():
        code = feature_code(feature)
        weight = (1.0 + math.log(count)) * rarity(feature) * (1.0 if feature[0] == "w" else ngram_weight)
        vector[code % dimensions] += weight if code >> 31 else -weight
    length = float(np.linalg.norm(vector))
    return (vector / length if length else vector).astype(np.float32)


def feature_code(feature: str) -> int:
    """A feature's hash, 32 bits, the same in every process."""
    return zlib.crc32(feature.encode("utf-8", "surrogatepass"))


def features(text: str) -> Counter[str]:
    """The words, and the character n-grams of each word with its ends marked, with their counts."""
    found: Counter[str] = Counter()
    for word in _WORD.findall(text.casefold()):
        found["w" + word] += 1
        padded = f"<{word}>"
        for length in NGRAM_LENGTHS:
            for at in range(len(padded) - length + 1):
                found["n" + padded[at : at + length]] += 1
    return found


def rank(query: str, texts: Sequence[str], top: int) -> list[tuple[int, float]]:
    """The ``top`` texts nearest to ``query`` as (index, similarity), best first; ties in order."""
    embedding = HashEmbedding()
    embedding.learn(texts)
    wanted = embedding.embed(query)
    found = [(index, round(float(embedding.embed(text) @ wanted), 6)) for index, text in enumerate(texts)]
    return sorted(found, key=lambda item: -item[1])[:top]
