"""`shipmate up --detach` and `shipmate down`: a world in the background, found again, ended, killed, and ended without its port."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from rehearsal.processes import ProcessIdentity
from tests.rehearsal.commands.upping import GONE_SECONDS, descendants, knowing, listening, until
from tests.small_platform import write

pytestmark = pytest.mark.world

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Checkout:
    """A checkout of the small platform, of a user who keeps no other world."""

    repository: Path
    state: Path

    @property
    def environ(self) -> dict[str, str]:
        return {**os.environ, "XDG_STATE_HOME": str(self.state), "PYTHONPATH": str(ROOT)}

    def argv(self, *argv: str) -> list[str]:
        return [sys.executable, "-P", "-m", "pipelines.cli", *argv, "--repository", str(self.repository)]

    def run(self, *argv: str, code: int = 0) -> str:
        done = subprocess.run(
            self.argv(*argv),
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def up(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("up", "--detach", "--json"))
        return found


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    folder = tmp_path_factory.mktemp("detached")
    made = Checkout(write(folder / "repository"), folder / "state")
    yield made
    made.run("down")


@pytest.fixture(scope="module")
def world(checkout: Checkout) -> dict[str, Any]:
    return checkout.up()


def contents(world: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(world["world"]).read_text())
    return found


def test_it_returns_when_the_world_is_ready_and_the_world_goes_on(world: dict[str, Any]) -> None:
    assert httpx.get(f"{contents(world)['api']}/techmate/platform", trust_env=False).status_code == 200
    pid = world["process"]
    assert (os.getsid(pid), os.getpgid(pid)) == (pid, pid)
    assert Path(f"/proc/{pid}/fd/0").readlink() == Path(os.devnull)
    assert Path(world["log"]).read_text().startswith("up after ")
    assert 11.5 * 3600 < world["ends"] - world["since"] < 12.5 * 3600


def test_the_env_file_it_prints_leads_there(world: dict[str, Any]) -> None:
    asked = f". {world['terminals']['dev-1']} && echo $GITHUB_API_URL"
    result = subprocess.run(["sh", "-c", asked], capture_output=True, text=True, check=True).stdout
    assert result.strip() == contents(world)["api"]


def test_a_second_up_says_that_it_runs_and_where(checkout: Checkout, world: dict[str, Any]) -> None:
    for more in ((), ("--detach",)):
        result = checkout.run("up", *more)
        assert f"is up already, in the background (process {world['process']})" in result
        assert world["github"] in result
    again = json.loads(checkout.run("up", "--json"))
    assert again.pop("already")
    assert {**again, "already": False} == world


def test_another_port_is_refused(checkout: Checkout, world: dict[str, Any]) -> None:
    result = checkout.run("up", "--port", "1", code=11)
    assert contents(world)["server"] in result
    assert "next: shipmate down, then shipmate up --port 1" in result


def test_without_the_token_it_is_not_ended(world: dict[str, Any]) -> None:
    stop = f"{contents(world)['control']}/_world/stop"
    assert httpx.post(stop, trust_env=False).status_code == 401
    foreign = {"Origin": "https://evil.example", "Authorization": f"Bearer {contents(world)['control_token']}"}
    assert httpx.post(stop, headers=foreign, trust_env=False).status_code == 403
    assert Path(world["world"]).is_file()


def test_down_ends_it_and_leaves_nothing(checkout: Checkout, world: dict[str, Any]) -> None:
    root, members = Path(world["world"]).parent, [world["process"], *descendants(world["process"])]
    assert len(listening(members)) > 10
    ended = json.loads(checkout.run("down", "--json"))
    assert (ended["outcome"], ended["process"], ended["left"]) == ("ended", world["process"], [])
    assert not any(ProcessIdentity.of(pid) for pid in members)
    assert not root.exists()
    assert knowing(str(root)) == []
    assert Path(world["log"]).read_text().endswith("ended: it was asked to end\n")


def test_down_says_that_there_is_none(checkout: Checkout) -> None:
    checkout.run("down")
    assert checkout.run("down") == f"No world of {checkout.repository} is up; nothing to end.\n"
    assert json.loads(checkout.run("down", "--json"))["outcome"] == "none"


def test_a_killed_world_is_recognised_and_one_that_does_not_answer_is_ended_by_signals(checkout: Checkout) -> None:
    killed = checkout.up()
    root = Path(killed["world"]).parent
    members = [killed["process"], *descendants(killed["process"])]
    for pid in members[:2]:  # its keeper, and the world before it can remove anything
        os.kill(pid, signal.SIGKILL)
    until(lambda: not any(ProcessIdentity.of(pid) for pid in members), "every process gone", GONE_SECONDS)
    assert root.exists()
    second = checkout.up()
    assert not second["already"]
    assert second["process"] != killed["process"]
    assert not root.exists()

    file = Path(second["world"])
    file.write_text(json.dumps({**contents(second), "control_token": "of-another-world"}))
    result = checkout.run("down")
    assert f"did not answer, and was ended by signals (process {second['process']})" in result
    assert ProcessIdentity.of(second["process"]) is None
    assert not file.parent.exists()


def test_down_ends_a_world_that_is_starting(checkout: Checkout, tmp_path: Path) -> None:
    with subprocess.Popen(
        checkout.argv("up", "--detach"),
        env=checkout.environ | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as starting:
        until(lambda: list(tmp_path.glob("shipmate-world-*/world.log")) != [], "starting", 60)
        assert json.loads(checkout.run("down", "--json"))["outcome"] == "signalled"
        output, _ = starting.communicate(timeout=60)
    assert (starting.returncode, output) == (11, "Error: the world was ended before it was ready\n")
    assert list(tmp_path.glob("shipmate-world-*")) == []


def test_down_recognises_a_killed_world(checkout: Checkout) -> None:
    killed = checkout.up()
    members = [killed["process"], *descendants(killed["process"])]
    for pid in members[:2]:
        os.kill(pid, signal.SIGKILL)
    ended = json.loads(checkout.run("down", "--json"))
    assert (ended["outcome"], ended["process"]) == ("stale", killed["process"])
    assert not Path(killed["world"]).parent.exists()
    assert not any(ProcessIdentity.of(pid) for pid in members[:2])
    assert json.loads(checkout.run("down", "--json"))["outcome"] == "none"
