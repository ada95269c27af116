from __future__ import annotations

from backend.summary import LENGTH, summarise


def test_a_short_note_is_its_own_summary() -> None:
    assert summarise("  Buy\n milk ") == "Buy milk"


def test_the_sentence_nearest_to_the_whole_is_chosen() -> None:
    text = (
        "Good morning everybody. The database migration of the notes table locked the notes table for two minutes. "
        "Notes could not be written while the migration of the table ran. Have a nice weekend."
    )
    assert summarise(text).startswith(("The database migration", "Notes could not"))


def test_a_long_sentence_is_cut_between_words() -> None:
    summary = summarise("word " * 100)
    assert len(summary) <= LENGTH
    assert summary.endswith("word…")
    assert len(summarise("x" * 500)) == LENGTH
