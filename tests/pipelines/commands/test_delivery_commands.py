"""deploy, status, smoke and rollback as a user types them, in a whole world with a small platform."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rehearsal.scenario.world_client import WorldClient
from tests.small_platform import Terminal, terminal_of_a_world

pytestmark = pytest.mark.world


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    with terminal_of_a_world(tmp_path) as found:
        yield found


def opened(place: WorldClient, host: str, path: str) -> httpx.Response:
    """A site at the address that any browser opens."""
    plain = place.plain(host).removeprefix("http://")
    return httpx.get(f"{place.server}{path}", headers={"Host": plain}, trust_env=False)


@pytest.mark.long
def test_a_release_goes_out_is_seen_checked_and_taken_back(terminal: Terminal) -> None:
    first = terminal.json(*terminal.deploying("sha-1", "<title>one</title>"))
    assert (first["release"], len(first["steps"])) == ("sha-1", 11)
    plain = {
        name: opened(terminal.place, host, "/config.json") for name, host in terminal.place.hosts["staging"].items()
    }
    assert {name: answer.json()["release"] for name, answer in plain.items()} == {"backend": "sha-1", "web": "sha-1"}
    second = terminal.run(*terminal.deploying("sha-2", "<title>two</title>"))
    assert "sha-2 is live in staging; 11 steps in" in second.stdout
    again = terminal.run(*terminal.deploying("sha-2", "<title>two</title>"))
    assert "is there already" in again.stdout
    assert terminal.live() == {"backend": "sha-2", "web": "sha-2"}

    assert "staging is frozen" in terminal.run("freeze", "-e", "staging", "--reason", "we look at it").stdout
    assert (
        "no delivery may begin: we look at it"
        in terminal.run("deploy", "-e", "staging", "--release", "sha-3", "--from", "staging", code=6).stderr
    )
    assert terminal.json("thaw", "-e", "staging")["changed"] == ["backend", "web"]
    assert "no delivery moves traffic" in terminal.run("hold", "-e", "staging", "--reason", "why not", code=6).stderr
    assert "staging was not held" in terminal.run("resume", "-e", "staging").stdout

    rows = terminal.json("status", "-e", "staging")
    assert [(row["component"], row["release"], row["traffic"], row["by"], row["drift"]) for row in rows] == [
        ("backend", "sha-2", "100 %", "release-manager", None),
        ("web", "sha-2", "100 %", "release-manager", None),
    ]
    table = terminal.run("status").stdout
    assert "nothing" in table
    assert table.count("sha-2") == 2

    terminal.run("smoke", "-e", "staging", "--junit", "smoke.xml")
    junit = (terminal.checkout / "smoke.xml").read_text()
    assert 'tests="3"' in junit
    assert 'failures="0"' in junit
    bad = terminal.run("smoke", "-e", "staging", "--release", "sha-9", "--json", code=7)
    assert [result["ok"] for result in json.loads(bad.stdout)["results"]] == [False, False, False]
    assert "next:" in bad.stderr

    plan = terminal.json("rollback", "-e", "staging", "--dry-run")
    assert [step["component"] for step in plan] == ["backend", "web"] * 4
    assert [step["does"] for step in plan][:2] == ["mark sha-2 as rolled back, on the way to sha-1"] * 2
    assert terminal.live() == {"backend": "sha-2", "web": "sha-2"}
    back = terminal.json("rollback", "-e", "staging")
    assert (back["release"], back["was"], back["changed"]) == ("sha-1", "sha-2", True)
    assert terminal.live() == {"backend": "sha-1", "web": "sha-1"}
    same = terminal.run("rollback", "-e", "staging")
    assert "staging serves sha-1 already" in same.stdout
    refused = terminal.run("rollback", "-e", "staging", "--to", "sha-0", code=6)
    assert "there: sha-2, sha-1" in refused.stderr


def test_while_github_is_down_a_rollback_goes_its_way(terminal: Terminal) -> None:
    for release in ("sha-1", "sha-2"):
        terminal.run(*terminal.deploying(release, release))
    terminal.place.set_faults([{"kind": "status", "emulator": "github", "times": None}])
    ended = terminal.run("rollback", "-e", "staging")
    assert "staging is back to sha-1 (was sha-2)" in ended.stdout
    assert "whether sha-1 was withdrawn is only known by the providers' marks" in ended.stdout
    terminal.place.clear_faults()
    assert terminal.live() == {"backend": "sha-1", "web": "sha-1"}
    drift = [row["drift"] for row in terminal.json("status", "-e", "staging")]
    assert drift == ["the ledger says sha-2"] * 2, "GitHub was never updated, and status shows it"
    gone = terminal.run("rollback", "-e", "staging", GITHUB_API_URL="http://127.0.0.1:9")
    assert "serves sha-1 already" in gone.stdout


@pytest.mark.long
def test_a_release_that_was_withdrawn_is_passed_over_while_github_is_down(terminal: Terminal) -> None:
    """`yank` writes it at the providers."""
    for release in ("v1.0.0", "v1.1.0", "v1.2.0"):
        terminal.run(*terminal.deploying(release, release))
    body = {"tag_name": "v1.1.0", "name": "v1.1.0", "body": "notes"}
    with terminal.place.github("release-manager") as client:
        assert client.post(f"/repos/{terminal.place.repository}/releases", json=body).status_code == 201
    yanked = terminal.run("release", "yank", "v1.1.0", "--reason", "it loses notes")
    assert "v1.1.0 is live nowhere that could be reached" in yanked.stdout
    terminal.place.set_faults([{"kind": "status", "emulator": "github", "times": None}])
    ended = terminal.run("rollback", "-e", "staging")
    assert "staging is back to v1.0.0 (was v1.2.0)" in ended.stdout
    assert "v1.1.0 was withdrawn" not in ended.stdout, "nobody had to ask"
    terminal.place.clear_faults()
    assert terminal.live() == {"backend": "v1.0.0", "web": "v1.0.0"}
