"""Platforms of other teams: this suite as docs/ADOPTING.md has it copied, with a manifest and files of their own from examples/."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rehearsal.scenario import workflows
from rehearsal.scenario.event_log import EventLog
from rehearsal.scenario.steps import Scenario
from rehearsal.world.handle import World

pytestmark = [pytest.mark.world, pytest.mark.long]

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
SERVER = "services/desk/server.js"
HEALTHY = 'const answer = answers[request.url.split("?")[0]];'
UNHEALTHY = (
    'const sick = request.headers.host === "parcels.example" && request.url === "/health";\n'
    '  const answer = !sick && answers[request.url.split("?")[0]];'
)


def copied() -> list[str]:
    """What the guide has a team copy."""
    guide = (ROOT / "docs/ADOPTING.md").read_text()
    command = re.search(r"^git .* archive .*\| tar .*$", guide, re.MULTILINE)
    assert command, "the guide says how to copy the suite"
    words = shlex.split(command[0])
    return words[words.index("archive") + 2 : words.index("|")]


def repository(example: str, folder: Path) -> Path:
    """The suite with an example's files. Its environment is this checkout's; what traffic is watched for is short."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--", *copied()], capture_output=True, check=True
    ).stdout
    for name in filter(None, listed.split(b"\0")):
        file = Path(os.fsdecode(name))
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, folder / file)
    shutil.copytree(EXAMPLES / example, folder, dirs_exist_ok=True)
    manifest = folder / "shipmate.yml"
    manifest.write_text(re.sub(r"watch_seconds: \d+", "watch_seconds: 1", manifest.read_text()))
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


@contextmanager
def running_world(example: str, folder: Path) -> Iterator[Scenario]:
    """A world with that repository; its providers must understand every request."""
    with World(repository(example, folder / example)) as client:
        yield Scenario(world=client, log=EventLog(story=example))
        assert client.inspect("violations") == []


def change(scenario: Scenario, branch: str, title: str, path: str, old: str, new: str) -> None:
    """A pull request that is merged and reaches staging."""
    dev = scenario.user("dev-1")
    dev.update_main()
    dev.edit(path, old, new)
    scenario.push_branch(dev, branch, title)
    scenario.deliver_to_staging(dev, scenario.user("dev-2"), branch, title)


def is_published(scenario: Scenario, version: str) -> bool:
    return any(not each["draft"] for each in scenario.observer.api("GET", "releases") if each["tag_name"] == version)


def test_a_web_app_alone_is_delivered_and_rolled_back(tmp_path: Path) -> None:
    page = "shop/pages/index.html"
    with running_world("site", tmp_path) as scenario:
        for version, title, old, new in (
            ("v1.0.0", "feat: open earlier", "nine", "eight"),
            ("v1.0.1", "fix: close later", "five", "six"),
        ):
            change(scenario, version[1:], title, page, old, new)
            assert scenario.public_releases("staging")["shop"].startswith("sha-")
            scenario.tag(scenario.user("dev-1"), version)
            run = scenario.deliver_to_production(version)
            assert [name for name in scenario.jobs(run) if name.startswith("Deploy")] == ["Deploy shop"]
            assert scenario.public_releases("production") == scenario.status("production") == {"shop": version}
            assert is_published(scenario, version)
        on_call = scenario.user("on-call")
        assert "v1.0.1" in on_call.command("shipmate status -e production").out
        assert "v1.0.0" in on_call.command("shipmate rollback --environment production").out
        assert scenario.public_releases("production") == scenario.status("production") == {"shop": "v1.0.0"}


def test_three_services_are_delivered_in_their_order_and_rolled_back_together(tmp_path: Path) -> None:
    components = ["tracking", "labels", "desk"]
    with running_world("services", tmp_path) as scenario:
        change(scenario, "ok", "feat: have it well", "services/parcels/__main__.py", '"not found"', '"nothing is here"')
        scenario.tag(scenario.user("dev-1"), "v1.0.0")
        scenario.deliver_to_production("v1.0.0")
        base = dict.fromkeys(components, "v1.0.0")
        assert scenario.public_releases("production") == scenario.status("production") == base
        assert is_published(scenario, "v1.0.0")
        assert migrations_by_job(scenario) == 2, "in staging and in production, inside the network of each"

        change(scenario, "sick", "feat: be sick where users are", SERVER, HEALTHY, UNHEALTHY)
        scenario.tag(scenario.user("dev-1"), "v1.1.0")
        run = scenario.start_release("v1.1.0")
        scenario.expect_conclusion(run, "failure")
        ended = scenario.job_conclusions(run)
        assert {ended[f"Deploy {name}"] for name in components} == {"success"}
        assert (ended[workflows.GO_LIVE], ended[workflows.ROLL_BACK_JOB]) == ("failure", "success")
        assert went_live(scenario, "v1.1.0") == components, "all of them had traffic, in the declared order"
        assert scenario.public_releases("production") == scenario.status("production") == base
        assert not is_published(scenario, "v1.1.0")
        assert any("v1.1.0" in message["text"] for message in scenario.world.notifications())


def migrations_by_job(scenario: Scenario) -> int:
    """How often a job beside a database applied what it lacked, as deliveries report it."""
    lines = [line for job in scenario.world.inspect("logs") for line in job["lines"]]
    return sum("the job applied what the database lacked: tracking-migrate-" in line for line in lines)


def went_live(scenario: Scenario, release: str) -> list[str]:
    """Components in the order in which users in production were sent to a release, all of them."""
    shifts = [each for each in scenario.world.inspect("traffic-changes") if each["environment"] == "production"]
    return list(dict.fromkeys(each["component"] for each in shifts if each["text"] == f"{release} 100 %"))
