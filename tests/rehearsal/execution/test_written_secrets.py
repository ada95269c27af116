"""A secret of a world is found in whatever a story left, in whatever form, and never named by its value."""

from __future__ import annotations

import base64
import json
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import quote

import pytest

from rehearsal.execution import written_secrets
from rehearsal.scenario.event_log import EventLog
from rehearsal.scenario.world_client import WorldClient

SECRET = 'plänted "value"/+ with & odd=signs'


def world(root: Path, **answers: Any) -> WorldClient:
    """A world with one secret, of which a test says what it shows."""
    return cast(
        "WorldClient",
        SimpleNamespace(
            root=root,
            tokens={"dev-1": "token-of-dev-1"},
            control_token="the-token-of-the-world",
            environ={"SLACK_WEBHOOK": SECRET, "EDGE": "https://edge.example", "SHORT_KEY": "short"},
            inspect=lambda what: answers.get(what, []),
        ),
    )


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        json.dumps(SECRET),
        *(base64.b64encode(b"x" * shift + SECRET.encode() + b"tail").decode() for shift in range(4)),
    ],
)
def test_a_form_is_found_in_the_journal(tmp_path: Path, written: str) -> None:
    found = written_secrets.find(
        world(tmp_path, journal=[{"request": {"field": f"before {written}"}}]), EventLog(story="x")
    )
    assert found == ["SLACK_WEBHOOK is written in the journal"]
    assert SECRET not in found[0]


def test_logs_messages_and_the_event_log_are_searched(tmp_path: Path) -> None:
    log = EventLog(story="x")
    log.add("action", "$ curl -H 'Authorization: token token-of-dev-1'", user="dev-1")
    inside = world(
        tmp_path, logs=[{"lines": ["the-token-of-the-world"]}], messages=[{"text": f"failed: {quote(SECRET)}"}]
    )
    assert written_secrets.find(inside, log) == [
        "SLACK_WEBHOOK is written in the messages",
        "the token of dev-1 is written in the event log",
        "the world's own token is written in the logs",
    ]


def test_files_of_jobs_and_members_of_artifacts_are_searched(tmp_path: Path) -> None:
    artifacts = tmp_path / "runner/artifacts"
    artifacts.mkdir(parents=True)
    with zipfile.ZipFile(artifacts / "7.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("report.json", json.dumps({"text": SECRET}))
        archive.writestr("fine.txt", "nothing here")
    (tmp_path / "world.log").write_text(f"started with {SECRET}")
    home = tmp_path / "homes/dev-1/platform/.git"
    home.mkdir(parents=True)
    (home / "config").write_text("token-of-dev-1")
    assert written_secrets.find(world(tmp_path), EventLog(story="x")) == [
        "SLACK_WEBHOOK is written in runner/artifacts/7.zip: report.json",
        "SLACK_WEBHOOK is written in world.log",
    ]


def test_what_is_no_secret_is_none(tmp_path: Path) -> None:
    assert set(written_secrets.secrets_of(world(tmp_path))) == {
        "SLACK_WEBHOOK",
        "the token of dev-1",
        "the world's own token",
    }
    inside = world(tmp_path, journal=["https://edge.example short"])
    assert written_secrets.find(inside, EventLog(story="x")) == []
