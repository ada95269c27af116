"""Two processes publish the same version at once: one release comes of it, whatever the order of their requests."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.release.killing import Launcher, launcher
from tests.release.platform import Platform
from tests.release.publishing.test_publishing_killed import assert_one_whole_release

pytestmark = pytest.mark.world


@pytest.fixture
def started(github: Platform, tmp_path: Path) -> Iterator[Launcher]:
    with launcher(github, tmp_path) as made:
        yield made


def shuffle(github: Platform, seed: int) -> None:
    """Let each request wait for a moment of its own, so that the two meet at other places each time."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets

    async def wait(_: int, __: tuple[str, str]) -> None:
        await asyncio.sleep(chance.random() * 0.02)

    github.seen.before = wait


@pytest.mark.long
@pytest.mark.parametrize("lag", [0, 2])
def test_two_at_once__one_release(github: Platform, started: Launcher, lag: int) -> None:
    github.commit("feat: a")
    refused = 0
    for attempt in range(8):
        shuffle(github, attempt)
        github.scene.github.instance.lag = lag
        version = f"v1.{attempt}.0"
        both = [started.start("publish", version) for _ in range(2)]
        codes = sorted(process.wait() for process in both)
        text = "\n".join(process.out.read_text() for process in both)
        assert codes in ([0, 0], [0, 24]), text
        refused += codes == [0, 24]
        github.scene.github.instance.lag = 0
        for _ in range(lag + 1):
            github.releases()
        assert_one_whole_release(github, version)
        assert ("is being published by process" in text) == (codes == [0, 24])
    assert refused, "they never met: this test saw nothing"


def test_two_runs_of_a_workflow__the_second_finishes_what_the_first_left(github: Platform, started: Launcher) -> None:
    """A run that is over (or an earlier attempt of the same run) holds nothing; one that goes on is respected."""
    github.commit("feat: a")
    forge = "/repos/techmate/platform"
    run = max(github.scene.runner.runs)
    owner = {
        "nonce": "x",
        "after": "",
        "at": "9999999999",
        "run": str(run),
        "attempt": "1",
        "machine": "elsewhere",
        "process": "",
    }
    import json

    main = github.scene.main()
    note = github.dev.post(
        f"{forge}/git/tags", {"tag": "l", "message": json.dumps(owner), "object": main, "type": "commit"}
    )
    github.dev.post(f"{forge}/git/refs", {"ref": "refs/shipmate/release/v1.0.0/1", "sha": note["sha"]})
    github.scene.runner.runs[run].status = "in_progress"
    held = started.start("publish", "v1.0.0")
    assert held.wait() == 24, held.out.read_text()
    assert "that run has not ended" in held.out.read_text()
    github.scene.runner.runs[run].status = "completed"
    free = started.start("publish", "v1.0.0")
    assert free.wait() == 0, free.out.read_text()
    assert f"taking over from run {run}" in free.out.read_text()
    assert_one_whole_release(github, "v1.0.0")
