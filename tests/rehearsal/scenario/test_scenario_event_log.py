"""A diary keeps what happened, failures included, and tells whoever listens."""

from __future__ import annotations

import itertools

import pytest

from rehearsal.scenario.assertions import Disproved
from rehearsal.scenario.event_log import Diary, Entry


def diary(heard: list[tuple[str, bool]] | None = None) -> Diary:
    ticks = itertools.count(100.0)

    def listen(entry: Entry) -> None:
        if heard is not None:
            heard.append((entry.text, bool(entry.ended)))

    return Diary(story="a", clock=lambda: next(ticks), listener=listen)


def test_an_entry_lasts_as_long_as_its_block_and_is_told_twice() -> None:
    heard: list[tuple[str, bool]] = []
    book = diary(heard)
    with book.during("act", "pushes", who="dev-1", branch="x") as entry:
        entry.facts["exit"] = 0
    assert book.as_json() == [
        {
            "kind": "act",
            "text": "pushes",
            "who": "dev-1",
            "started": 100.0,
            "ended": 101.0,
            "facts": {"branch": "x", "exit": 0},
        }
    ]
    assert heard == [("pushes", False), ("pushes", True)]


def test_a_failure_is_written_down_and_goes_on_up() -> None:
    book = diary()
    with pytest.raises(Disproved), book.during("proof", "outer"), book.during("proof", "inner"):
        raise Disproved("it is not so")
    assert [(entry.kind, entry.text, entry.facts["error"]) for entry in book.entries] == [
        ("failure", "outer", "it is not so"),
        ("failure", "inner", "it is not so"),
    ]
    assert all(entry.ended for entry in book.entries)


def test_ctrl_c_is_written_down_too() -> None:
    book = diary()
    with pytest.raises(KeyboardInterrupt), book.during("wait", "a run"):
        raise KeyboardInterrupt
    assert book.entries[0].kind == "failure"


def test_a_note_is_over_at_once() -> None:
    entry = diary().note("live", "v1 is live", release="v1")
    assert (entry.kind, entry.facts, entry.ended) == ("live", {"release": "v1"}, 101.0)
