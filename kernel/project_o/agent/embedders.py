"""How texts become vectors: without a network, or by a server that the user named.

    hash           words and letter groups, hashed; always there
    words          static word vectors whose weights come in the wheel of the ``memory`` extra
    auto           both, where the extra is installed, mixed by the memory's ``weight``; else hash
    PROVIDER:NAME  both the hashed vectors and those of a model that embeds, by ``models/``

A block's vector is the two beside each other, each of length 1, and says nothing of other blocks; a question's is
weighed: letters and words by how rare they are among the blocks now, the two halves by ``weight``. (Weighing rarity on
the question's side alone is the scheme lnc.ltc of Salton and Buckley, 1988, "Term-weighting approaches in automatic
text retrieval".) So a new block changes no other vector, and another weight changes none.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import AgentError
from ..limits import EMBEDDING_DIMENSIONS, MEMORY_FEATURES_MAX
from ..lisp.embedding import feature_code, features, hashed
from ..lisp.specs import MemorySpec

if TYPE_CHECKING:
    import numpy as np

WORD_DIMENSIONS = 256
NGRAM_WEIGHT = 0.15
"""Of a letter group beside a word's 1: enough to find misspelt and inflected words."""

Embed = Callable[[Sequence[str]], Any]
Rarity = Callable[[Sequence[int]], Mapping[int, int]]


@dataclass(frozen=True, slots=True)
class Embedder:
    """What makes the vectors. ``id`` changes whenever vectors of one kind would not fit those of the other.

    ``weight`` is the share of ``meant`` (vectors by meaning, None for none) in a question.
    """

    id: str
    dimension: int
    weight: float
    hashed: bool
    meant: Embed | None

    def blocks(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of texts to be found, float32, shape (len(texts), dimension)."""
        return self._vectors(texts, None)

    def question(self, text: str, rarity: Rarity, count: int) -> np.ndarray:
        """The vector of a question, shape (dimension,), where there are ``count`` blocks; its product with a block's
        is their score, at most 1. ``rarity`` says in how many blocks features occur."""
        import numpy as np

        codes = {feature: feature_code(feature) % MEMORY_FEATURES_MAX for feature in _features(text)}
        seen = rarity(list(codes.values())) if self.hashed else {}
        rare = {feature: math.log((1 + count) / (1 + min(count, seen.get(code, 0)))) for feature, code in codes.items()}
        vector: np.ndarray = self._vectors([text], lambda feature: 1.0 + rare[feature])[0]
        if self.hashed and self.meant is not None:
            shares = np.full(self.dimension, self.weight, np.float32)
            shares[:EMBEDDING_DIMENSIONS] = 1.0 - self.weight
            vector = vector * shares
        return vector

    def halves(self, question: np.ndarray, text: str) -> tuple[float, float]:
        """What a question's vector and a text's have in common by words and letters, and by meaning: their score."""
        products = question * self.blocks([text])[0]
        border = 0 if not self.hashed else EMBEDDING_DIMENSIONS
        return float(products[:border].sum()), float(products[border:].sum())

    def _vectors(self, texts: Sequence[str], rarity: Callable[[str], float] | None) -> np.ndarray:
        import numpy as np

        parts = []
        if self.hashed:
            weigh = rarity or (lambda _feature: 1.0)
            parts.append(
                np.stack([hashed(_features(text), weigh, EMBEDDING_DIMENSIONS, NGRAM_WEIGHT) for text in texts])
            )
        if self.meant is not None:
            parts.append(_of_length_one(self.meant(texts)))
        found: np.ndarray = np.concatenate(parts, axis=1)
        if found.shape[1] != self.dimension:
            raise AgentError(f"{self.id} gave vectors of {found.shape[1]} numbers, not of {self.dimension}")
        return found


def embedder_for(spec: MemorySpec, model: Callable[[str], Any] | None = None) -> Embedder:
    """The embedder that a memory asks for; ``model`` opens one that embeds.

    Raises AgentError where it asks for word vectors and they are missing, ModelError where a model does not answer.
    """
    weight = float(spec.weight)
    if ":" in spec.embedding:
        return _of_model(spec, model)
    if spec.embedding == "words":
        if not words_are_there():
            raise AgentError(
                f"memory {spec.name} wants word vectors: pip install 'project-o[memory]', or say :embedding \"auto\""
            )
        return Embedder(f"wordllama-{WORD_DIMENSIONS}", WORD_DIMENSIONS, 1.0, hashed=False, meant=embed_words)
    name = f"hash-{EMBEDDING_DIMENSIONS}"
    if spec.embedding == "hash" or not words_are_there():
        return Embedder(name, EMBEDDING_DIMENSIONS, 0.0, hashed=True, meant=None)
    both = EMBEDDING_DIMENSIONS + WORD_DIMENSIONS
    return Embedder(f"{name}+wordllama-{WORD_DIMENSIONS}", both, weight, hashed=True, meant=embed_words)


def _of_model(spec: MemorySpec, model: Callable[[str], Any] | None) -> Embedder:
    """Of a server: how long its vectors are is asked once. In a kernel its settings say where the server is."""
    from ..models import open_model
    from .place import provided

    house = provided()
    opened = (model or (house.model if house is not None else open_model))(spec.embedding)
    dimension = len(opened.embed(["how long"])[0])
    name = f"hash-{EMBEDDING_DIMENSIONS}+{spec.embedding}-{dimension}"
    return Embedder(name, EMBEDDING_DIMENSIONS + dimension, float(spec.weight), hashed=True, meant=opened.embed)


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
    return _of_length_one(_word_vectors().embed(list(texts), norm=False))


def _of_length_one(rows: Any) -> np.ndarray:
    import numpy as np

    vectors = np.asarray(rows, dtype=np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: np.ndarray = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return scaled


@lru_cache(maxsize=4_096)
def _features(text: str) -> Counter[str]:
    """Asked for twice for each text: for its vector, and for what is common."""
    return features(text)


def feature_codes(text: str) -> frozenset[int]:
    """What a text is rare or common by, each below ``limits.MEMORY_FEATURES_MAX``."""
    return frozenset(feature_code(feature) % MEMORY_FEATURES_MAX for feature in _features(text))
