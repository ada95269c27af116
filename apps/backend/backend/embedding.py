"""Turns text into a vector without a model: hashed words, word parts and concepts.

This is the hashing trick (Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", 2009): each feature
adds its weight, with signs, to two of `DIMENSIONS` places chosen by a hash (two, so that one collision makes nobody
alike). Nothing is downloaded, the same text gives
the same vector on every machine, and near spellings come out near. It is no language model: meaning beyond spelling
comes only from the lexicon in `concepts`.
"""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections import Counter

from backend.concepts import CONCEPTS, stem

DIMENSIONS = 512
MODEL = "hashed-1"
"""Name stored beside each vector. Change it with anything that changes a vector: the workers then embed afresh."""

_WORD = re.compile(r"\w+")
_WORD_WEIGHT, _CONCEPT_WEIGHT, _GRAM_WEIGHT = 1.0, 1.4, 0.6
_EMPTY_WORDS = (
    "a an and are as at be but by can do for from had has have he her his how i if in into is it its me my no not of "
    "on or our out she so than that the their them then there they this to up us was we were what when where which "
    "who why will with you your"
)
_STOP_WORDS = frozenset(_EMPTY_WORDS.split())


def embed(text: str) -> list[float]:
    """A vector of `DIMENSIONS` floats of length 1. Raises ValueError when there is nothing but white space."""
    features = _features(_normalised(text))
    if not features:
        raise ValueError("nothing to embed: the text is blank")
    vector = _hashed(features, signed=True)
    if not any(vector):
        # Opposite signs met in the same places, which only a handful of features can do.
        vector = _hashed(features, signed=False)
    length = math.sqrt(math.fsum(value * value for value in vector))
    return [value / length for value in vector]


def similarity(left: list[float], right: list[float]) -> float:
    """Cosine of two vectors made by `embed`: from -1 to 1, 1 for the same direction."""
    return math.fsum(a * b for a, b in zip(left, right, strict=True))


def _normalised(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


def _features(text: str) -> dict[str, float]:
    counts: Counter[str] = Counter()
    words = _WORD.findall(text)
    for word in [word for word in words if word not in _STOP_WORDS] or words:
        counts.update(_word_features(word))
    if not words:
        # Only signs or emoji: each character is a feature.
        counts.update(f"sign:{sign}" for sign in text if not sign.isspace())
    weights = {"word": _WORD_WEIGHT, "concept": _CONCEPT_WEIGHT, "gram": _GRAM_WEIGHT, "sign": _WORD_WEIGHT}
    return {name: weights[name.partition(":")[0]] * (1 + math.log(count)) for name, count in counts.items()}


def _word_features(word: str) -> list[str]:
    root = stem(word)
    framed = f"<{root}>"
    features = [f"word:{root}"]
    # Sorted, because sums of floats depend on their order and sets on the process.
    features += sorted({f"gram:{framed[start : start + 3]}" for start in range(len(framed) - 2)})
    if root in CONCEPTS:
        features.append(f"concept:{CONCEPTS[root]}")
    return features


def _hashed(features: dict[str, float], *, signed: bool) -> list[float]:
    vector = [0.0] * DIMENSIONS
    for name, weight in features.items():
        digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        for part in (digest[:4], digest[4:]):
            number = int.from_bytes(part, "big")
            place, negative = number % DIMENSIONS, number >> 31
            vector[place] += -weight if signed and negative else weight
    return vector
