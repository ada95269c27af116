from __future__ import annotations

import math

import pytest
from backend.embedding import DIMENSIONS, embed, similarity
from backend.summary import LENGTH, summarise
from hypothesis import given
from hypothesis import strategies as st

texts = st.text(max_size=300).filter(lambda text: bool(text.strip()))
words = st.lists(st.text("abcdeghinorst", min_size=3, max_size=12), min_size=1, max_size=8)


@given(texts)
def test_every_text_that_shows_something_has_a_vector_of_length_one(text: str) -> None:
    vector = embed(text)
    assert len(vector) == DIMENSIONS
    assert math.sqrt(math.fsum(value * value for value in vector)) == pytest.approx(1)
    assert embed(text) == vector


@given(words)
def test_neither_case_nor_order_nor_spacing_matters(words: list[str]) -> None:
    plain = embed(" ".join(words))
    assert similarity(embed("  ".join(reversed(words)).upper()), plain) == pytest.approx(1)


@given(words, words)
def test_similarity_is_symmetric_and_bounded(left: list[str], right: list[str]) -> None:
    one, two = embed(" ".join(left)), embed(" ".join(right))
    assert similarity(one, two) == similarity(two, one)
    assert abs(similarity(one, two)) <= 1 + 1e-9


@given(texts)
def test_a_summary_is_one_short_line_of_the_text(text: str) -> None:
    summary = summarise(text * 3)
    assert 0 < len(summary) <= LENGTH
    assert "\n" not in summary
    assert summary.removesuffix("…") in " ".join((text * 3).split())
