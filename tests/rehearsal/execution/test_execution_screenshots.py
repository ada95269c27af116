"""Which pages are shown of which story."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal.execution.screenshots import BY_STORY, Browser, Page, PageUnavailable
from rehearsal.scenario import workflows
from rehearsal.stories import table
from tests.rehearsal.scenario.scenario_world import PlainWorldClient, world

WORKFLOWS = Path(__file__).parents[3] / ".github/workflows"
RUN = "actions/runs/{run}"


def test_they_are_of_stories_and_of_workflows_that_there_are() -> None:
    names = {yaml.safe_load(file.read_text())["name"] for file in WORKFLOWS.glob("*.yml")}
    assert set(BY_STORY) <= set(table.STORIES)
    assert {page.workflow for pages in BY_STORY.values() for page in pages} <= names


def test_of_a_run_it_is_the_last_one_that_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = (workflows.PRODUCTION_NAME, workflows.PROMOTE_APPS_NAME, workflows.PROMOTE_APPS_NAME)
    runs: list[dict[str, Any]] = [
        {"id": number, "workflow": name, "event": "schedule" if number == 3 else "workflow_dispatch"}
        for number, name in enumerate(names, 1)
    ]
    monkeypatch.setattr(PlainWorldClient, "inspect", lambda self, what: runs)
    browser = Browser(world(tmp_path, "http://127.0.0.1:1"))

    def shown(**of: str) -> str:
        return browser._address(Page(title="A run", path=RUN, **of)).rpartition("/")[2]

    promoted = workflows.PROMOTE_APPS_NAME
    assert [shown(), shown(workflow=promoted), shown(workflow=promoted, event="workflow_dispatch")] == ["1", "3", "2"]
    with pytest.raises(PageUnavailable, match="Mobile Release never ran"):
        shown(workflow=workflows.APPS_NAME)
