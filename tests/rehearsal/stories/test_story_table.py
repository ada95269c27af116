"""Which stories are told, and in which order."""

from __future__ import annotations

from importlib import import_module

import pytest

from rehearsal.stories import table


def names(*wanted: str, everything: bool = False) -> list[str]:
    return [story.name for story in table.chosen(wanted, everything)]


def test_the_usual_ones_and_all() -> None:
    assert names() == ["quick-start", "red-pull-request", "unapproved", "bad-release", "rollback"]
    assert names(everything=True) == list(table.STORIES)
    longer = {"bad-releases", "performance", "stopped", "hotfix", "killed", "flaky-providers"}
    assert set(names(everything=True)) - set(names()) == longer


def test_the_order_is_the_tables_whatever_was_asked_and_nothing_is_told_twice() -> None:
    assert names("rollback", "unapproved", "rollback") == ["quick-start", "unapproved", "rollback"]


def test_the_quick_start_comes_only_before_those_that_need_it() -> None:
    assert names("red-pull-request") == ["red-pull-request"]
    assert names("killed") == ["quick-start", "killed"]
    assert names("killed", everything=True) == ["quick-start", "killed"]


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(KeyError, match="quickstart"):
        names("quickstart")


@pytest.mark.parametrize("story", table.STORIES.values(), ids=list(table.STORIES))
def test_every_story_can_be_told(story: table.Story) -> None:
    module = import_module(f"rehearsal.stories.{story.module}")
    assert callable(module.tell)
    assert module.__doc__
