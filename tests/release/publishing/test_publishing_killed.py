"""A publishing process is killed at every write in turn, before and after its effect, and after what it reads before one.

The next run always finishes the release. Reads that follow one another leave the same behind, so of those the last is enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rehearsal.github.scene import REPOSITORY
from tests.release.killing import Launched, Launcher, launcher
from tests.release.platform import Platform

pytestmark = pytest.mark.world


@pytest.fixture
def started(github: Platform, tmp_path: Path) -> Iterator[Launcher]:
    with launcher(github, tmp_path) as made:
        yield made


def requests_of_one_publish(github: Platform, started: Launcher, version: str) -> list[tuple[str, str]]:
    github.seen.requests.clear()
    whole = started.start("publish", version)
    assert whole.wait() == 0, whole.out.read_text()
    return list(github.seen.requests)


def kill_at(github: Platform, started: Launcher, version: str, number: int, *, effect: bool) -> Launched:
    """Start a publish and kill it when its request `number` arrives (or, with `effect`, when it has had its effect)."""
    victims: list[Launched] = []
    github.seen.requests.clear()

    async def strike(count: int, _: tuple[str, str]) -> bool:
        if count == number:
            victims[0].kill()
        return count == number

    github.seen.before, github.seen.after = (None, strike) if effect else (strike, None)
    # The process cannot ask before it is known here: its first request waits for the interpreter to import what it needs.
    victims.append(started.start("publish", version))
    code = victims[0].wait()
    github.seen.before = github.seen.after = None
    assert code == -9, victims[0].out.read_text()
    return victims[0]


def assert_one_whole_release(github: Platform, version: str) -> None:
    found = github.releases(version)
    assert [one["draft"] for one in found] == [False], [(one["id"], one["draft"]) for one in found]
    assets = {asset["name"]: asset["state"] for asset in found[0]["assets"]}
    assert assets == dict.fromkeys(["RELEASE_NOTES.md", "release.json", "SHA256SUMS"], "uploaded")
    assert github.locks() == []


def forget_releases(github: Platform) -> None:
    """Long lists cost time in every later request and prove nothing."""
    github.scene.do(github.scene.github.instance.repository(REPOSITORY).releases.clear)


@pytest.mark.long
def test_killed_after_every_write_and_what_was_read_before_it__the_next_run_finishes(
    github: Platform, started: Launcher
) -> None:
    github.commit("feat: a")
    requests_of_one_publish(github, started, "v1.0.0")
    asked = requests_of_one_publish(github, started, "v1.0.1")
    writes = [method != "GET" for method, _ in asked]
    numbers = [n for n, (write, next_) in enumerate(zip(writes, [*writes[1:], True], strict=True), 1) if write or next_]
    assert len(numbers) >= 16
    for number in numbers:
        version = f"v1.1.{number}"
        kill_at(github, started, version, number, effect=True)
        again = started.start("publish", version)
        assert again.wait() == 0, f"killed after {asked[number - 1]}: {again.out.read_text()}"
        assert_one_whole_release(github, version)
        forget_releases(github)


@pytest.mark.long
def test_killed_before_every_write__the_next_run_finishes(github: Platform, started: Launcher) -> None:
    github.commit("feat: a")
    requests_of_one_publish(github, started, "v1.0.0")
    asked = requests_of_one_publish(github, started, "v1.0.1")
    writes = [number for number, (method, _) in enumerate(asked, 1) if method != "GET"]
    assert len(writes) >= 8
    for number in writes:
        version = f"v1.1.{number}"
        kill_at(github, started, version, number, effect=False)
        again = started.start("publish", version)
        assert again.wait() == 0, f"killed before {asked[number - 1]}: {again.out.read_text()}"
        assert_one_whole_release(github, version)
        forget_releases(github)


def test_killed_again_and_again__ends_in_one_release(github: Platform, started: Launcher) -> None:
    """Each run is killed at its own n-th request; the release still comes out whole."""
    github.commit("feat: a")
    for number in (14, 16, 18, 20, 22):
        kill_at(github, started, "v1.0.0", number, effect=True)
    last = started.start("publish", "v1.0.0")
    assert last.wait() == 0, last.out.read_text()
    assert "taking over from process" in last.out.read_text()
    assert_one_whole_release(github, "v1.0.0")


def test_killed_while_lists_lag__makes_no_second_release(github: Platform, started: Launcher) -> None:
    github.commit("feat: a")
    asked = requests_of_one_publish(github, started, "v1.0.0")
    drafted = 1 + asked.index(("POST", "/repos/techmate/platform/releases"))
    github.scene.github.instance.lag = 2
    kill_at(github, started, "v1.1.0", drafted, effect=True)
    again = started.start("publish", "v1.1.0")
    assert again.wait() == 0, again.out.read_text()
    github.scene.github.instance.lag = 0
    for _ in range(3):
        github.releases()
    assert_one_whole_release(github, "v1.1.0")


def test_killed_upload__half_a_file_is_replaced(github: Platform, started: Launcher, tmp_path: Path) -> None:
    """Killed while the bytes of a large file are on their way."""
    github.commit("feat: a")
    large = tmp_path / "large.bin"
    large.write_bytes(b"\7" * 40_000_000)
    victims: list[Launched] = []

    async def strike(_: int, request: tuple[str, str]) -> None:
        if request[0] == "POST" and request[1].endswith("/assets") and not victims[0].ended.is_set():
            victims[0].kill()

    github.seen.before = strike
    victims.append(started.start("publish", "v1.0.0", "--asset", str(large)))
    assert victims[0].wait() == -9
    github.seen.before = None
    again = started.start("publish", "v1.0.0", "--asset", str(large))
    assert again.wait() == 0, again.out.read_text()
    release = github.published("v1.0.0")
    sizes = {asset["name"]: (asset["size"], asset["state"]) for asset in release["assets"]}
    assert sizes["large.bin"] == (40_000_000, "uploaded")
    assert len(sizes) == 4
