"""`eas build` waits for its builds, and not forever."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from rehearsal.eas import building
from rehearsal.eas.refusal import Failed


def session(*statuses: str) -> tuple[Any, list[str]]:
    """One whose build has these statuses, one after the other, and the last one from then on; what was asked of it."""
    asked: list[str] = []

    def ask(_: str, *, build: str) -> dict[str, str]:
        asked.append(build)
        return {"id": build, "status": statuses[min(len(asked), len(statuses)) - 1]}

    api = SimpleNamespace(ask=ask, time_scale=0)
    return SimpleNamespace(api=api, output=SimpleNamespace(spin=lambda _: None)), asked


def test_builds_are_waited_for_until_they_are_over() -> None:
    waiting, asked = session("IN_QUEUE", "IN_PROGRESS", "FINISHED")
    assert building._ended(waiting, ["b1"]) == [{"id": "b1", "status": "FINISHED"}]
    assert asked == ["b1"] * 3


def test_a_build_that_never_ends_is_given_up() -> None:
    waiting, asked = session("IN_PROGRESS")
    with pytest.raises(Failed, match="did not end within 6 hours"):
        building._ended(waiting, ["b1"])
    assert len(asked) == building.LIMIT_SECONDS / building.POLL_SECONDS
