"""A note in one line, taken from its own words."""

from __future__ import annotations

import re

from backend.embedding import embed, similarity

LENGTH = 140
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_SENTENCES = 50


def summarise(text: str) -> str:
    """The sentence nearest to the whole text, at most `LENGTH` characters; short texts are their own summary."""
    whole = " ".join(text.split())
    if len(whole) <= LENGTH:
        return whole
    sentences = [" ".join(part.split()) for part in _SENTENCE_END.split(text) if part.strip()][:_SENTENCES]
    centre = embed(whole)
    best = max(sentences, key=lambda sentence: similarity(embed(sentence), centre))
    return best if len(best) <= LENGTH else _cut(best)


def _cut(sentence: str) -> str:
    head, space, _ = sentence[: LENGTH - 1].rpartition(" ")
    return (head if space else sentence[: LENGTH - 1]) + "…"
