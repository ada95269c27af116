"""Which pages are shown of which story."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal.execution.screenshots import BY_STORY, Browser, Page, PageUnavailable, is_news
from rehearsal.scenario import workflows
from rehearsal.services.browser import find
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


PROGRAM = """
import sys, threading
from types import SimpleNamespace
from rehearsal.execution.screenshots import BY_STORY, Browser, Page

given = {"environ": {"SHIPMATE_BROWSER": sys.argv[1]}, "server": sys.argv[2], "repository": "a/b"}
world = SimpleNamespace(**given, edge="https://127.0.0.1:1", hosts={}, spki="")
BY_STORY["a"] = (Page(title="Never there", path="actions"), Page(title="Nor this", path="actions"))

over = threading.Event()

def take():
    with Browser(world) as browser:
        print(browser.take("a").missing, flush=True)
    over.set()

threading.Thread(target=take).start()
try:
    over.wait()
except KeyboardInterrupt:
    over.wait()
"""


@pytest.mark.world
def test_ctrl_c_while_one_is_taken_prints_nothing_of_the_browsers_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(find().path), address],
            cwd=WORKFLOWS.parents[1],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        connection, _ = silent.accept()  # the page is asked for, and never answered
        with connection:
            os.killpg(process.pid, signal.SIGINT)
            output, _ = process.communicate(timeout=60)
    assert "Never there" in output, (process.returncode, output)
    assert "never retrieved" not in output
    assert "Traceback" not in output


def test_only_the_end_of_the_browsers_driver_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("asyncio").addFilter(is_news)
    loop = asyncio.new_event_loop()
    for why in ("Connection closed while reading from the driver", "another"):
        loop.create_future().set_exception(RuntimeError(why))  # and nobody asks for it
    gc.collect()
    loop.close()
    assert [record.exc_info[1].args for record in caplog.records if record.exc_info and record.exc_info[1]] == [
        ("another",)
    ]
