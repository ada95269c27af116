"""Assertions say what was found; waiting is bounded."""

from __future__ import annotations

import time

import pytest

from rehearsal.scenario.assertions import ExpectationFailed, eventually, expect


def test_a_proof_that_fails_says_what_was_found() -> None:
    expect(1 + 1 == 2, "sums hold")
    with pytest.raises(ExpectationFailed, match=r"^it is green \(found: red\)$"):
        expect(False, "it is green", "red")
    with pytest.raises(ExpectationFailed, match=r"^it is green$"):
        expect([], "it is green")


def test_nothing_found_is_reported_when_it_is_zero_or_an_empty_list() -> None:
    with pytest.raises(ExpectationFailed, match=r"\(found: 0\)"):
        expect(False, "more than three", 0)
    with pytest.raises(ExpectationFailed, match=r"\(found: \[\]\)"):
        expect(False, "some", [])


def test_the_first_value_is_given_zero_and_empty_included() -> None:
    answers = iter([None, False, 0])
    assert eventually(lambda: next(answers), "a number", seconds=5, every=0.001) == 0
    assert eventually(lambda: "", "a text", seconds=5) == ""


def test_waiting_ends_and_says_for_what_it_waited() -> None:
    began = time.monotonic()
    with pytest.raises(ExpectationFailed, match="waited 0 s for the moon"):
        eventually(lambda: None, "the moon", seconds=0.1, every=0.01)
    assert time.monotonic() - began < 2


def test_waiting_ends_early_when_there_is_nothing_to_wait_for() -> None:
    def dead() -> None:
        raise ExpectationFailed("the run has failed")

    began = time.monotonic()
    with pytest.raises(ExpectationFailed, match="the run has failed"):
        eventually(lambda: None, "the run", seconds=60, alive=dead)
    assert time.monotonic() - began < 5


def test_a_value_that_comes_with_the_last_breath_counts() -> None:
    def dead() -> None:
        raise ExpectationFailed("too late")

    assert eventually(lambda: "here", "it", seconds=0, alive=dead) == "here"
