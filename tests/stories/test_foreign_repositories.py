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
from rehearsal.scenario.event_log import Diary
from rehearsal.scenario.steps import Routine
from rehearsal.world.handle import World

pytestmark = [pytest.mark.world, pytest.mark.long]

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
SERVER = "services/desk/server.js"
WELL = 'const answer = answers[request.url.split("?")[0]];'
SICK = (
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
def at_work(example: str, folder: Path) -> Iterator[Routine]:
    """A world with that repository, and its people; no provider may be asked what it does not understand."""
    with World(repository(example, folder / example)) as place:
        yield Routine(place=place, diary=Diary(story=example))
        assert place.inspect("violations") == []


def change(at: Routine, branch: str, title: str, path: str, old: str, new: str) -> None:
    """A pull request that is merged and reaches staging."""
    dev = at.person("dev-1")
    dev.git("checkout", "-q", "main")
    dev.git("pull", "-q", "origin", "main")
    dev.edits(path, old, new)
    at.branch(dev, branch, title)
    at.change_reaches_staging(dev, at.person("dev-2"), branch, title)


def is_published(at: Routine, version: str) -> bool:
    return any(not each["draft"] for each in at.observer.api("GET", "releases") if each["tag_name"] == version)


def test_a_web_app_alone_is_delivered_and_taken_back(tmp_path: Path) -> None:
    page = "shop/pages/index.html"
    with at_work("site", tmp_path) as at:
        for version, title, old, new in (
            ("v1.0.0", "feat: open earlier", "nine", "eight"),
            ("v1.0.1", "fix: close later", "five", "six"),
        ):
            change(at, version[1:], title, page, old, new)
            assert at.public_release("staging")["shop"].startswith("sha-")
            at.tag(at.person("dev-1"), version)
            run = at.release_reaches_production(version)
            assert [name for name in at.jobs(run) if name.startswith("Deploy")] == ["Deploy shop"]
            assert at.public_release("production") == at.live("production") == {"shop": version}
            assert is_published(at, version)
        on_call = at.person("on-call")
        assert "v1.0.1" in on_call.types("shipmate status -e production").out
        assert "v1.0.0" in on_call.types("shipmate rollback --environment production").out
        assert at.public_release("production") == at.live("production") == {"shop": "v1.0.0"}


def test_three_services_are_delivered_in_their_order_and_taken_back_together(tmp_path: Path) -> None:
    components = ["tracking", "labels", "desk"]
    with at_work("services", tmp_path) as at:
        change(at, "ok", "feat: have it well", "services/parcels/__main__.py", '"not found"', '"nothing is here"')
        at.tag(at.person("dev-1"), "v1.0.0")
        at.release_reaches_production("v1.0.0")
        base = dict.fromkeys(components, "v1.0.0")
        assert at.public_release("production") == at.live("production") == base
        assert is_published(at, "v1.0.0")

        change(at, "sick", "feat: be sick where users are", SERVER, WELL, SICK)
        at.tag(at.person("dev-1"), "v1.1.0")
        run = at.dispatch(at.person("dev-1"), workflows.PRODUCTION, version="v1.1.0")
        at.waiting_for_review(run)
        at.review(at.person("release-manager"), run, "approved", "v1.1.0 may go")
        at.must_end(run, "failure")
        ended = {name: job["conclusion"] for name, job in at.jobs(run).items()}
        assert {ended[f"Deploy {name}"] for name in components} == {"success"}
        assert (ended[workflows.GO_LIVE], ended[workflows.ROLL_BACK_JOB]) == ("failure", "success")
        assert went_live(at, "v1.1.0") == components, "all of them had traffic, in the declared order"
        assert at.public_release("production") == at.live("production") == base
        assert not is_published(at, "v1.1.0")
        assert any("v1.1.0" in message["text"] for message in at.place.messages())


def went_live(at: Routine, release: str) -> list[str]:
    """Components in the order in which users in production were sent to a release, all of them."""
    shifts = [each for each in at.place.inspect("shifts") if each["environment"] == "production"]
    return list(dict.fromkeys(each["component"] for each in shifts if each["text"] == f"{release} 100 %"))
