"""The event log keeps what happened, failures included, and calls its listener."""

from __future__ import annotations

import itertools

import pytest

from rehearsal.scenario.assertions import ExpectationFailed
from rehearsal.scenario.event_log import EventLog, LoggedEvent


def log(heard: list[tuple[str, bool]] | None = None) -> EventLog:
    ticks = itertools.count(100.0)

    def listen(event: LoggedEvent) -> None:
        if heard is not None:
            heard.append((event.text, bool(event.ended)))

    return EventLog(story="a", clock=lambda: next(ticks), listener=listen)


def test_an_event_lasts_as_long_as_its_block_and_is_announced_twice() -> None:
    heard: list[tuple[str, bool]] = []
    book = log(heard)
    with book.record("action", "pushes", user="dev-1", branch="x") as event:
        event.facts["exit"] = 0
    assert book.as_json() == [
        {
            "kind": "action",
            "text": "pushes",
            "user": "dev-1",
            "started": 100.0,
            "ended": 101.0,
            "facts": {"branch": "x", "exit": 0},
        }
    ]
    assert heard == [("pushes", False), ("pushes", True)]


def test_a_failure_is_written_down_and_goes_on_up() -> None:
    book = log()
    with pytest.raises(ExpectationFailed), book.record("assertion", "outer"), book.record("assertion", "inner"):
        raise ExpectationFailed("it is not so")
    assert [(event.kind, event.text, event.facts["error"]) for event in book.events] == [
        ("failure", "outer", "it is not so"),
        ("failure", "inner", "it is not so"),
    ]
    assert all(event.ended for event in book.events)


def test_ctrl_c_is_written_down_too() -> None:
    book = log()
    with pytest.raises(KeyboardInterrupt), book.record("wait", "a run"):
        raise KeyboardInterrupt
    assert book.events[0].kind == "failure"


def test_a_note_is_over_at_once() -> None:
    event = log().add("live", "v1 is live", release="v1")
    assert (event.kind, event.facts, event.ended) == ("live", {"release": "v1"}, 101.0)
