"""What users have already is published whatever came between; what would make the publication wrong still refuses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import ShipmateError
from rehearsal.faults import Fault
from release.context import ReleaseContext
from release.publishing.contents import PublishRequest
from release.publishing.publish import Outcome, preview, publish
from release.refusals import NotHigher, OpenElsewhere, ReleasedDifferently, TagGone, TagMoved, Withdrawn
from tests.rehearsal.github.scene import REPOSITORY
from tests.release.platform import RELEASES, Platform

pytestmark = pytest.mark.world

REFS = f"/repos/{REPOSITORY}/git/refs"


@dataclass
class Delivered:
    """v1.0.0 is tagged and users have it; publishing it is what is left."""

    github: Platform
    commit: str
    messages: list[str] = field(default_factory=list)

    def publish(self, *, live: bool = True, version: str = "v1.0.0") -> Outcome:
        return publish(self.context(version), PublishRequest(live=live), say=self.messages.append)

    def context(self, version: str = "v1.0.0") -> ReleaseContext:
        return ReleaseContext(
            folder=self.github.clone, version=version, commit=self.commit, environ=self.github.environ()
        )

    def latest(self) -> str:
        return str(self.github.dev.get(f"{RELEASES}/latest")["tag_name"])

    def tag(self, name: str, commit: str, *, annotated: bool = False) -> None:
        if annotated:
            made = {"tag": name, "message": "signed off", "object": commit, "type": "commit"}
            commit = self.github.dev.post(f"/repos/{REPOSITORY}/git/tags", made)["sha"]
        self.github.dev.post(REFS, {"ref": f"refs/tags/{name}", "sha": commit})

    def untag(self, name: str = "v1.0.0") -> None:
        assert self.github.dev.api("DELETE", f"{REFS}/tags/{name}").status_code == 204

    def released(self, version: str, commit: str) -> Any:
        """Something newer, published by another run."""
        return self.github.dev.post(RELEASES, {"tag_name": version, "target_commitish": commit, "make_latest": "true"})


@pytest.fixture
def delivered(github: Platform, monkeypatch: pytest.MonkeyPatch) -> Delivered:
    monkeypatch.setenv("SHIPMATE_OVERLAY", github.extra["SHIPMATE_OVERLAY"])
    commit = github.commit("feat: a")
    made = Delivered(github, commit)
    made.tag("v1.0.0", commit)
    github.dev.git("fetch", "-q", "--tags", "origin", cwd=github.clone)
    return made


def refused(delivered: Delivered, kind: type[ShipmateError], *, live: bool = True) -> ShipmateError:
    """Publishing must end with this error, having written nothing."""
    delivered.github.seen.requests.clear()
    with pytest.raises(kind) as caught:
        delivered.publish(live=live)
    assert delivered.github.seen.writes() == []
    return caught.value


# what refuses no more ---------------------------------------------------------------------------------------------------


def newer_is_out(delivered: Delivered) -> None:
    delivered.released("v1.1.0", delivered.github.commit("feat: b"))


def newer_is_only_tagged(delivered: Delivered) -> None:
    delivered.tag("v1.1.0", delivered.github.commit("feat: b"))


def ci_was_run_again_and_is_red(delivered: Delivered) -> None:
    runs = delivered.github.scene.runner.runs
    (number,) = (number for number, run in runs.items() if run.event.sha == delivered.commit)
    delivered.github.scene.run(delivered.github.scene.runner.rerun(number, failed_only=False, actor="dev-1"))
    delivered.github.green("failure")


def ci_cannot_be_asked(delivered: Delivered) -> None:
    delivered.github.faults.add(Fault(kind="status", path="/actions/runs", status=500, times=None))


def the_token_may_not_read_runs(delivered: Delivered) -> None:
    values = {"message": "Resource not accessible by integration"}
    delivered.github.faults.add(Fault(kind="status", path="/actions/runs", status=403, body=values, times=None))


def the_branch_was_moved(delivered: Delivered) -> None:
    dev, clone = delivered.github.dev, delivered.github.clone
    dev.git("push", "-q", "-f", "origin", f"{delivered.commit}^:refs/heads/main", cwd=clone)
    dev.git("fetch", "-q", "origin", cwd=clone)


def the_tree_is_not_clean(delivered: Delivered) -> None:
    (delivered.github.clone / "left-over.txt").write_text("x")


def a_draft_by_hand_is_open(delivered: Delivered) -> None:
    delivered.github.dev.post(RELEASES, {"tag_name": "v1.0.0", "draft": True, "body": "mine"})


def a_lower_tag_below_it_was_made_meanwhile(delivered: Delivered) -> None:
    below = delivered.github.dev.git("rev-parse", f"{delivered.commit}^", cwd=delivered.github.clone).strip()
    delivered.tag("v0.9.9", below)


@pytest.mark.parametrize(
    ("happens", "strict", "message", "latest"),
    [
        (newer_is_out, "1.0.0 is not higher than v1.1.0", "higher: 1.0.0 is not higher than v1.1.0", "v1.1.0"),
        (newer_is_only_tagged, "", "", "v1.0.0"),
        (ci_was_run_again_and_is_red, "'ci' is failure", "green: 'ci' is failure", "v1.0.0"),
        (ci_cannot_be_asked, "still failing", "green: still failing", "v1.0.0"),
        (the_token_may_not_read_runs, "HTTP 403", "green: HTTP 403", "v1.0.0"),
        (the_branch_was_moved, "is on none of main", "is on none of main", "v1.0.0"),
        (the_tree_is_not_clean, "1 path(s) are not committed", "clean tree: 1 path(s)", "v1.0.0"),
        (a_draft_by_hand_is_open, "did not make is open", "that this tool did not make is open: delete", "v1.0.0"),
        (a_lower_tag_below_it_was_made_meanwhile, "1 release tag(s) of the remote are missing", "", "v1.0.0"),
    ],
)
def test_what_users_have_is_published_whatever_came_between(
    delivered: Delivered, happens: Callable[[Delivered], None], strict: str, message: str, latest: str
) -> None:
    """The same refuses at a terminal, where nobody says that users have it."""
    happens(delivered)
    if strict:
        assert strict in refused(delivered, ShipmateError, live=False).what
    outcome = delivered.publish()
    assert outcome.changed
    published = delivered.github.published("v1.0.0")
    assert (published["draft"], len(published["assets"])) == (False, 3)
    assert delivered.github.dev.get(f"/repos/{REPOSITORY}/git/ref/tags/v1.0.0")["object"]["sha"] == delivered.commit
    assert any(message in warning for warning in outcome.warnings) == bool(message), outcome.warnings
    delivered.github.faults.clear()
    assert delivered.latest() == latest
    assert not delivered.publish().changed, "it is finished"


def test_a_lower_tag_made_meanwhile_is_reported(delivered: Delivered) -> None:
    a_lower_tag_below_it_was_made_meanwhile(delivered)
    delivered.publish()
    assert any("such as v0.9.9" in text for text in delivered.messages)


def test_version_files_that_differ_are_only_reported(delivered: Delivered) -> None:
    manifest = """
platform: {name: techmate, repository: techmate/platform}
components: {backend: {paths: [apps/**]}}
ci: {checks: {}}
environments: {}
release: {components: {platform: {version_files: [package.json]}}}
"""
    commit = delivered.github.commit("feat: b", {"shipmate.yml": manifest, "package.json": '{"version": "1.0.9"}'})
    delivered.tag("v1.1.0", commit)
    made = Delivered(delivered.github, commit)
    with pytest.raises(ShipmateError, match=r"package\.json: version holds 1\.0\.9"):
        made.publish(live=False, version="v1.1.0")
    assert any("holds 1.0.9" in text for text in made.publish(version="v1.1.0").warnings)


def test_the_preview_of_it_says_what_is_only_reported(delivered: Delivered) -> None:
    newer_is_out(delivered)
    for live, holds in ((False, False), (True, True)):
        found = preview(delivered.context(), PublishRequest(live=live), with_files=False)
        (answer,) = (answer for answer in found.answers if answer.gate == "higher")
        assert hasattr(answer, "says") == holds
        assert (found.ready.desired.latest, found.blocked) == (False, None)


def test_drafts_of_others_stay(delivered: Delivered) -> None:
    a_draft_by_hand_is_open(delivered)
    delivered.publish()
    assert [(one["draft"], one["body"] == "mine") for one in delivered.github.releases("v1.0.0")] in (
        [(True, True), (False, False)],
        [(False, False), (True, True)],
    )


# what still refuses -----------------------------------------------------------------------------------------------------


def test_a_tag_that_was_deleted_is_not_made_again(delivered: Delivered) -> None:
    delivered.untag()
    for clone_knows_it in (True, False):
        if not clone_knows_it:
            delivered.github.dev.git("tag", "-d", "v1.0.0", cwd=delivered.github.clone)
        error = refused(delivered, TagGone)
        assert f"git push origin {delivered.commit}:refs/tags/v1.0.0" in error.next_step
    delivered.tag("v1.0.0", delivered.commit)
    assert delivered.publish().changed
    assert delivered.latest() == "v1.0.0"


def test_a_tag_that_was_moved(delivered: Delivered) -> None:
    other = delivered.github.commit("feat: b")
    delivered.github.dev.git("push", "-q", "-f", "origin", f"{other}:refs/tags/v1.0.0", cwd=delivered.github.clone)
    error = refused(delivered, TagMoved)
    assert f"git push --force origin {delivered.commit}:refs/tags/v1.0.0" in error.next_step


def test_what_was_withdrawn_or_is_out_with_other_contents(delivered: Delivered) -> None:
    delivered.publish()
    about = next(one for one in delivered.github.published("v1.0.0")["assets"] if one["name"] == "release.json")
    stored = delivered.github.scene.github.instance.repository(REPOSITORY).releases
    asset = next(asset for release in stored.values() for asset in release.assets if asset.id == about["id"])
    kept = asset.digest
    asset.digest = "sha256:" + "9" * 64
    with pytest.raises(ReleasedDifferently):
        publish(delivered.context(), PublishRequest(live=True, prepared=prepared(delivered)), say=lambda _: None)
    asset.digest = kept
    assert delivered.github.here("yank", "v1.0.0", "--reason", "x").code == 0
    with pytest.raises(Withdrawn):
        publish(delivered.context(), PublishRequest(live=True, prepared=prepared(delivered)), say=lambda _: None)


def prepared(delivered: Delivered) -> Path:
    folder = delivered.github.manager.home / "dist"
    ended = delivered.github.here("assets", "v1.0.0", "--out", str(folder), "--commit", delivered.commit)
    assert ended.code == 0, ended.err
    return folder


def test_another_run_that_publishes_it_right_now(delivered: Delivered) -> None:
    owner = {"nonce": "x", "at": "9999999999", "machine": "elsewhere", "run": "", "process": "1@1"}
    note = {"tag": "lock", "message": json.dumps(owner), "object": delivered.commit, "type": "commit"}
    made = delivered.github.dev.post(f"/repos/{REPOSITORY}/git/tags", note)
    delivered.github.dev.post(REFS, {"ref": "refs/shipmate/release/v1.0.0/1", "sha": made["sha"]})
    assert "is being published by" in refused(delivered, OpenElsewhere).what


def test_the_tag_of_a_deleted_immutable_release_is_lost_for_ever(delivered: Delivered) -> None:
    delivered.github.settings().immutable_releases = True
    delivered.publish()
    number = delivered.github.published("v1.0.0")["id"]
    assert delivered.github.dev.api("DELETE", f"{RELEASES}/{number}").status_code == 204
    with pytest.raises(ShipmateError, match="immutable release") as caught:
        delivered.publish()
    assert "release the next version" in caught.value.next_step


# the moments between ----------------------------------------------------------------------------------------------------


def matters(request: tuple[str, str]) -> bool:
    """Whether a request writes, or looks at the tag: deleted before another, the tag is gone at the next of these."""
    return request[0] != "GET" or request[1].endswith("/tags/v1.0.0")


def moments(delivered: Delivered) -> int:
    """How many requests of a whole publication matter; then everything is as before."""
    delivered.github.seen.requests.clear()
    delivered.publish()
    made = sum(map(matters, delivered.github.seen.requests))
    assert delivered.github.dev.api("DELETE", f"{RELEASES}/{delivered.github.published('v1.0.0')['id']}").ok
    return made


@pytest.mark.long
def test_a_tag_deleted_at_any_moment_is_never_made_again_in_silence(delivered: Delivered) -> None:
    """Refused with nothing out, or made again by GitHub on the same commit, which is reported."""
    github, remade = delivered.github, 0
    delivered.untag()
    delivered.tag("v1.0.0", delivered.commit, annotated=True)
    last = moments(delivered)
    assert last > 12
    for moment in range(1, last + 1):
        seen, was_out = 0, False

        async def delete(_: int, request: tuple[str, str], at: int = moment) -> None:
            nonlocal seen, was_out
            seen += matters(request)
            if matters(request) and seen == at:
                answer = await asyncio.to_thread(github.dev.api, "GET", f"{RELEASES}/tags/v1.0.0")
                was_out = answer.status_code == 200
                await asyncio.to_thread(delivered.untag)

        github.seen.before = delete
        try:
            outcome = delivered.publish()
            ended = True
        except TagGone as error:
            assert f"{delivered.commit}:refs/tags/v1.0.0" in error.next_step
            ended = False
        github.seen.before = None
        tag = github.dev.api("GET", f"/repos/{REPOSITORY}/git/ref/tags/v1.0.0")
        if ended and tag.status_code == 200:
            assert tag.json()["object"]["sha"] == delivered.commit, "a plain tag, by GitHub, where it was"
            assert any("was made anew while it was published" in text for text in outcome.warnings)
            remade += 1
            delivered.untag()
        else:
            assert not ended or was_out, "only deleted after all is done it is not noticed"
        # What there is now is a draft, or nothing: once the tag is pushed again, the same command publishes it.
        assert github.dev.api("GET", f"{RELEASES}/tags/v1.0.0").status_code == 404
        delivered.tag("v1.0.0", delivered.commit, annotated=True)
        delivered.publish()
        [release] = github.releases("v1.0.0")
        assert (release["draft"], len(release["assets"])) == (False, 3)
        assert github.dev.api("DELETE", f"{RELEASES}/{release['id']}").ok
    assert remade == 1, "there is one moment that nobody can close"


def test_a_newer_release_that_comes_out_in_the_same_moment_is_the_latest(delivered: Delivered) -> None:
    newer = delivered.github.commit("feat: b")
    happened = []

    async def release(_: int, request: tuple[str, str]) -> None:
        if request[0] == "PATCH" and request[1].startswith(RELEASES) and not happened:
            happened.append(request)
            await asyncio.to_thread(delivered.released, "v1.1.0", newer)

    delivered.github.seen.before = release
    delivered.publish()
    assert happened
    assert "publish v1.0.0 as the latest release" in delivered.messages
    assert "v1.1.0 came out meanwhile: it is the latest release" in delivered.messages
    assert delivered.latest() == "v1.1.0"


# deleted and made again -------------------------------------------------------------------------------------------------


def deleted_and_newer_is_out(delivered: Delivered) -> None:
    delivered.publish()
    newer_is_out(delivered)
    number = delivered.github.published("v1.0.0")["id"]
    assert delivered.github.dev.api("DELETE", f"{RELEASES}/{number}").status_code == 204


def test_a_deleted_release_is_made_again_after_a_newer_one_by_the_run_that_made_it_live(delivered: Delivered) -> None:
    deleted_and_newer_is_out(delivered)
    refused(delivered, NotHigher, live=False)
    assert delivered.publish().changed
    assert "publish v1.0.0 not as the latest" in delivered.messages
    assert delivered.latest() == "v1.1.0"


def test_a_deleted_release_is_made_again_at_a_terminal_by_who_says_so(delivered: Delivered) -> None:
    github = delivered.github
    deleted_and_newer_is_out(delivered)
    github.dev.git("fetch", "-q", "--tags", "origin", cwd=github.clone)
    assert github.here("publish", "v1.0.0").code == 23
    assert github.here("publish", "--again").code == 4
    planned = github.here("plan", "v1.0.0", "--again")
    assert (planned.code, "made again, and not as the latest" in planned.out) == (0, True), planned.err
    ended = github.here("publish", "v1.0.0", "--again")
    assert ended.code == 0, ended.err
    assert delivered.latest() == "v1.1.0"
    assert github.here("verify", "v1.0.0").code == 0


def test_made_again_at_a_terminal_it_needs_its_tag_and_every_other_gate(delivered: Delivered) -> None:
    github = delivered.github
    deleted_and_newer_is_out(delivered)
    github.dev.git("fetch", "-q", "--tags", "origin", cwd=github.clone)
    delivered.untag()
    gone = github.here("publish", "v1.0.0", "--again")
    assert (gone.code, f"git push origin {delivered.commit}:refs/tags/v1.0.0" in gone.err) == (29, True), gone.err
    github.dev.git("tag", "-d", "v1.0.0", cwd=github.clone)
    unknown = github.here("publish", "v1.0.0", "--again")
    assert (unknown.code, "git push origin COMMIT:refs/tags/v1.0.0" in unknown.err) == (29, True), unknown.err
    delivered.tag("v1.0.0", delivered.commit)
    ci_was_run_again_and_is_red(delivered)
    github.dev.git("fetch", "-q", "--tags", "origin", cwd=github.clone)
    assert github.here("publish", "v1.0.0", "--again").code == 22
