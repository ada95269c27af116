"""Many at once, and clients that stop in the middle."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import threading
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from rehearsal.github.protection.rules import pattern_matches
from rehearsal.github.releases.rules import precedence
from tests.rehearsal.github.scene import REPOSITORY, Person, Scene


def at_once(*works: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_pushes_tags_and_merges_at_once_leave_what_git_itself_says(scene: Scene, dev: Person, tmp_path: Path) -> None:
    checkouts = [dev.clone(tmp_path / f"clone-{number}") for number in range(3)]

    def push(number: int) -> Callable[[], None]:
        def work() -> None:
            for step in range(3):
                dev.commit(checkouts[number], f"file-{number}", str(step), f"{number}.{step}")
                dev.git("push", "-q", "origin", f"HEAD:refs/heads/branch-{number}", cwd=checkouts[number])

        return work

    def tag() -> None:
        for number in range(9):
            body = {"ref": f"refs/tags/v0.0.{number}", "sha": scene.main()}
            assert dev.api("POST", f"/repos/{REPOSITORY}/git/refs", json=body).status_code == 201

    at_once(*(push(number) for number in range(3)), tag)
    git = scene.github.instance.git(scene.github.instance.repository(REPOSITORY))
    listed = subprocess.run(
        ["git", "for-each-ref", "--format=%(refname) %(objectname)"],
        cwd=git.path,
        capture_output=True,
        text=True,
        check=True,
    )
    on_disk = dict(line.split() for line in listed.stdout.splitlines())
    assert on_disk == git.refs
    assert len(git.tags()) == 9
    assert set(git.branches()) == {"main", "branch-0", "branch-1", "branch-2"}
    assert len(scene.events("push")) == 9 + 9


def test_one_tag_for_many_who_want_it(scene: Scene, dev: Person) -> None:
    """Creating a ref is what a lock can be built on: exactly one of many succeeds."""
    answers: list[int] = []

    def take() -> None:
        body = {"ref": "refs/locks/release/1", "sha": scene.main()}
        answers.append(dev.api("POST", f"/repos/{REPOSITORY}/git/refs", json=body).status_code)

    at_once(*[take] * 6)
    assert sorted(answers) == [201, 422, 422, 422, 422, 422]


def test_a_push_that_stops_half_way_changes_nothing_and_keeps_nobody_waiting(
    scene: Scene, dev: Person, tmp_path: Path
) -> None:
    before = scene.main()
    host, port = scene.url.removeprefix("http://").split(":")
    credentials = b64encode(f"dev-1:{dev.token}".encode()).decode()
    head = (
        f"POST /{REPOSITORY}.git/git-receive-pack HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {credentials}\r\n"
        "Content-Type: application/x-git-receive-pack-request\r\nContent-Length: 100000\r\n\r\n00"
    )
    with socket.create_connection((host, int(port)), timeout=10) as stuck:
        stuck.sendall(head.encode())
        checkout = dev.clone(tmp_path / "clone")
        sha = dev.commit(checkout, "a", "a", "Meanwhile")
        dev.git("push", "-q", "origin", "main", cwd=checkout)
        assert scene.main() == sha != before
    assert dev.get(f"/repos/{REPOSITORY}/commits/main")["sha"] == sha


def test_pages_can_wait_for_the_next_change(scene: Scene, dev: Person) -> None:
    service = scene.github.instance
    assert scene.run(service.wait_for_change(0.01)) is False
    waiting = asyncio.run_coroutine_threadsafe(service.wait_for_change(30), scene.loop)
    scene.do(lambda: None)  # the waiter has begun
    dev.post(f"/repos/{REPOSITORY}/issues", {"title": "T"})
    assert waiting.result(10) is True


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("refs/tags/v*", "refs/tags/v1.0.0", True),
        ("refs/tags/v*", "refs/tags/a/v1", False),
        ("release/*", "release/1/x", False),
        ("release/**", "release/1.x", True),
        ("release/**", "release/1/x", False),
        ("release/**/*", "release/1.x", True),
        ("release/**/*", "release/1/x/y", True),
        ("release/**/*", "releases/1.x", False),
        ("qa**/**/*", "qa-2/foo/bar", True),
        ("***", "v1", True),
        ("v[", "v[", True),
        ("v[0-9].?", "v1.x", True),
        ("v1.0", "v1x0", False),
        ("**", "any/thing", False),
        ("**/*", "any/thing", True),
    ],
)
def test_patterns_of_refs(pattern: str, name: str, matches: bool) -> None:
    assert pattern_matches(pattern, name) == matches


def test_the_order_of_versions() -> None:
    tags = ["v1.0.0", "v1.10.0", "v1.9.0", "v2.0.0-rc.1", "v2.0.0", "nightly", "v1.2"]
    assert sorted(tags, key=precedence) == ["nightly", "v1.0.0", "v1.2", "v1.9.0", "v1.10.0", "v2.0.0-rc.1", "v2.0.0"]
