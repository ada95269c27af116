"""Which stories are run, and in which order."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from rehearsal.stories import table

ROOT = Path(__file__).parents[3]


def names(*wanted: str, everything: bool = False) -> list[str]:
    return [story.name for story in table.select(wanted, everything)]


def test_the_default_ones_and_all() -> None:
    assert names() == ["quick-start", "red-pull-request", "unapproved", "bad-release", "rollback"]
    assert names(everything=True) == list(table.STORIES)
    longer = {"bad-releases", "performance", "stopped", "hotfix", "killed", "flaky-providers"}
    longer |= {"mobile-release", "mobile-mistakes", "mobile-half", "mobile-killed", "ota-and-back", "promote"}
    assert set(names(everything=True)) - set(names()) == longer


def test_the_order_is_the_tables_whatever_was_asked_and_nothing_is_run_twice() -> None:
    assert names("rollback", "unapproved", "rollback") == ["quick-start", "unapproved", "rollback"]


def test_the_quick_start_comes_only_before_those_that_need_it() -> None:
    assert names("red-pull-request") == ["red-pull-request"]
    assert names("killed") == ["quick-start", "killed"]
    assert names("killed", everything=True) == ["quick-start", "killed"]


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(KeyError, match="quickstart"):
        names("quickstart")


def test_what_a_story_edits_is_there_and_only_where_its_world_is_no_copy() -> None:
    for story in table.STORIES.values():
        assert not (story.edits and story.needs_release)
        changed = story.changes(ROOT)
        assert set(changed) == {path for path, _, _ in story.edits}
        assert all(content != (ROOT / path).read_text() for path, content in changed.items())


def test_an_edit_of_what_is_not_there_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    edits = (("a.txt", "one", "1"), ("a.txt", "two", "2"))
    assert replace(table.STORIES["performance"], edits=edits).changes(tmp_path) == {"a.txt": "1\n2\n"}
    with pytest.raises(ValueError, match=r"a\.txt does not hold 'three', which the story 'performance' replaces"):
        replace(table.STORIES["performance"], edits=(("a.txt", "three", "3"),)).changes(tmp_path)


@pytest.mark.parametrize("story", table.STORIES.values(), ids=list(table.STORIES))
def test_every_story_can_be_run(story: table.Story) -> None:
    module = import_module(f"rehearsal.stories.{story.module}")
    assert callable(module.run)
    assert module.__doc__
