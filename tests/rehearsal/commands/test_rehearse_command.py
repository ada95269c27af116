"""`shipmate rehearse` without running a story: what it lists, refuses and prints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from rehearsal.commands.rehearse import command
from rehearsal.commands.up import command as up
from rehearsal.stories.table import EDITED, STORIES, Story
from rehearsal.world.handle import WorldFailed
from tests.rehearsal.report.example import failed, report, story


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Replaces `rehearse` (the world's own tests run it); the arguments it got, and the answer it gives."""
    seen: dict[str, Any] = {"answer": report(story())}

    def rehearse(repository: Path, stories: Sequence[Story], output: Path, **options: bool) -> Any:
        seen.update(repository=repository, stories=[one.name for one in stories], **options)
        if isinstance(seen["answer"], Exception):
            raise seen["answer"]
        return seen["answer"], output / "index.html"

    monkeypatch.setattr("rehearsal.execution.rehearsal.rehearse", rehearse)
    return seen


def run(*arguments: str) -> Any:
    return CliRunner().invoke(command, list(arguments))


def test_it_lists_the_stories() -> None:
    result = run("--list")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.output.splitlines()] == list(STORIES)
    assert [one["name"] for one in json.loads(run("--list", "--json").output)] == list(STORIES)


def test_an_unknown_story_is_refused_before_anything_starts(asked: dict[str, Any]) -> None:
    result = run("--story", "rolback")
    assert result.exit_code == 2
    assert "there is no story 'rolback'" in result.output
    assert "shipmate rehearse --list" in result.output
    assert "stories" not in asked


def test_the_checkout_of_the_current_folder_is_delivered(
    asked: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (".git", *EDITED, "below/deep"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "shipmate.yml").touch()
    monkeypatch.chdir(tmp_path / "below/deep")
    assert run("--output", str(tmp_path / "report")).exit_code == 0
    assert asked["repository"] == tmp_path


@pytest.mark.parametrize("named", [command, up])
def test_outside_of_a_checkout_nothing_starts(
    named: Any, asked: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(named, [])
    assert result.exit_code == 4
    assert f"{tmp_path} is in no checkout of a platform: there is no shipmate.yml here or above" in result.output
    assert "--repository FOLDER" in result.output
    assert "repository" not in asked


def test_after_ctrl_c_there_is_nothing_to_finish(asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("rehearsal.execution.rehearsal.rehearse", interrupted)
    result = run()
    assert result.exit_code == 130
    assert "interrupted: its worlds are gone" in result.output
    assert "finish" not in result.output


def test_the_default_stories_of_this_checkout_are_run(asked: dict[str, Any], tmp_path: Path) -> None:
    result = run("--output", str(tmp_path))
    assert result.exit_code == 0
    assert asked["stories"] == [one.name for one in STORIES.values() if one.default]
    assert asked["repository"] == Path(__file__).parents[3]
    assert f"passed in 10 s; the report: {tmp_path}/index.html" in result.output


def test_another_platform_is_sent_to_a_world_of_its_own(asked: dict[str, Any]) -> None:
    result = run("--repository", str(Path(__file__).parents[3] / "examples/site"))
    assert result.exit_code == 4
    assert "examples/site has no apps/backend/backend" in result.output
    assert "next: `shipmate up`" in result.output
    assert "stories" not in asked


def test_json_is_all_of_standard_output(asked: dict[str, Any]) -> None:
    result = run("--json", "--story", "red-pull-request")
    assert asked["live_on_stderr"]
    assert json.loads(result.stdout) == {
        "passed": True,
        "seconds": 10.0,
        "report": "rehearsal-report/index.html",
        "stories": [{"name": "quick-start", "passed": True, "seconds": 10.0}],
    }


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_failed_story_is_exit_code_7(asked: dict[str, Any], form: tuple[str, ...]) -> None:
    asked["answer"] = report(failed("broken"))
    assert run(*form).exit_code == 7


def test_a_world_that_does_not_start_is_one_clear_message(asked: dict[str, Any]) -> None:
    asked["answer"] = WorldFailed("the world did not start:\nno browser")
    result = run()
    assert result.exit_code == 11
    assert "Error: the world did not start:\nno browser" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("arguments", "may"),
    [
        (["--story", "rollback"], True),
        (["--story", "rollback", "--fresh"], False),
        (["--story", "rollback", "--story", "quick-start"], False),
        (["--story", "red-pull-request"], False),
        ([], False),
        (["--all"], False),
    ],
)
def test_a_kept_world_will_do_where_the_quick_start_was_not_asked_for(
    asked: dict[str, Any], arguments: list[str], may: bool
) -> None:
    run(*arguments)
    assert asked["use_kept_world"] is may
