"""State as JSON and back, by its types."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest

from rehearsal.emulators import saving


class Day(NamedTuple):
    date: str
    users: int


@dataclass(kw_only=True)
class Bundle:
    code: int
    content: bytes
    error: tuple[str, str] | None = None


@dataclass(kw_only=True)
class State:
    started: float
    bundles: dict[int, Bundle]
    may: dict[str, frozenset[str]]
    days: list[Day] = field(default_factory=list)


STATE = State(
    started=1,
    bundles={7: Bundle(code=7, content=b"\0\xff", error=("CODE", "text")), 8: Bundle(code=8, content=b"")},
    may={"dev-1": frozenset({"view", "release"})},
    days=[Day("2026-01-05", 3)],
)


def test_what_is_loaded_is_what_was_saved() -> None:
    loaded = saving.from_json(State, json.loads(json.dumps(saving.to_json(STATE))))
    assert loaded == STATE
    assert isinstance(loaded.days[0], Day)


def test_what_the_types_do_not_hold_is_refused_with_its_place() -> None:
    broken = saving.to_json(STATE)
    broken["bundles"]["7"]["code"] = "seven"
    with pytest.raises(ValueError, match=r"Expected `int`, got `str` - at `\$\.bundles\[\.\.\.\]\.code`"):
        saving.from_json(State, broken)
