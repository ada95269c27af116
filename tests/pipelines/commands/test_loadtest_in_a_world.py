"""`shipmate loadtest` as a user types it in a whole world: its real generator against what Cloud Run serves there."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from loadtests.recording import Recording
from tests.small_platform import Terminal, terminal_of_a_world

pytestmark = pytest.mark.world

LOAD = "    load: {visits_per_second: 20, seconds: 60}\n"
PERFORMANCE = """
journeys:
  read: {component: backend, requests: [{path: /notes, json: {release: sha-1}}, {path: /version, json: {release: sha-1}}]}
performance:
  targets:
    API responses: {of: response, component: backend, p95_ms: 500}
  profiles:
    brief: {per_second: 12, seconds: 35}
    heavy: {per_second: 21, seconds: 35}
"""
CODES = {"passed": 0, "missed": 7}


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal in a world where sha-1 is live on staging."""
    with terminal_of_a_world(tmp_path_factory.mktemp("world")) as found:
        manifest = found.checkout / "shipmate.yml"
        manifest.write_text(manifest.read_text().replace("\n  staging:\n", f"\n  staging:\n{LOAD}") + PERFORMANCE)
        found.run(*found.deploying("sha-1"))
        yield found


@pytest.mark.long
def test_the_visits_meet_what_is_live_and_the_exit_says_what_came_of_them(terminal: Terminal) -> None:
    """A machine that is busy may make the platform slow, or the run invalid; that must then be reported."""
    ended = subprocess.run(
        terminal.argv("loadtest", "-e", "staging", "--profile", "brief", "--seed", "7", "--json"),
        cwd=terminal.checkout,
        env=terminal.environ(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    document = json.loads(ended.stdout)
    assert ended.returncode == CODES.get(document["verdict"], 13), ended.stderr
    assert (document["run"]["release"], document["run"]["profile"], document["run"]["seed"]) == ("sha-1", "brief", 7)
    assert {each["endpoint"] for each in document["endpoints"]} == {"backend GET /notes", "backend GET /version"}
    assert document["run"]["requests"] > document["run"]["visits_begun"] > 0
    assert "wrong answer" not in document["run"]["errors"], "each answer is of the release that was deployed"
    folder = terminal.checkout / "load-report"
    assert json.loads((folder / "load-report.json").read_text()) == document
    assert "sha-1 on staging" in (folder / "load-report.html").read_text()
    recording = Recording.from_json((folder / "recording.json").read_text())
    assert recording.total().count == document["run"]["requests"]
    assert recording.later_lag.total > 0


def test_more_than_staging_takes_is_refused_and_nobody_is_asked(terminal: Terminal) -> None:
    argv = ("loadtest", "-e", "staging", "--profile", "heavy", "--output", "heavy-report")
    refused = terminal.run(*argv, code=6)
    assert "21 visits per second, and 20 at the most" in refused.stderr
    unsearched = terminal.run(*argv, "--capacity", code=6)
    assert "the first step asks for more than staging takes" in unsearched.stderr
    assert not (terminal.checkout / "heavy-report").exists()
