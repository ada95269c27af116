"""Publishing against the emulated GitHub: the whole way, again, finished after others, refused, and with misbehaviour."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from rehearsal.faults import Fault
from tests.rehearsal.github.scene import REPOSITORY
from tests.release.platform import RELEASES, Platform

pytestmark = pytest.mark.world
MANIFEST_FREE = ("--no-manifest",)


def body_of(github: Platform, tag: str) -> str:
    body: str = github.published(tag)["body"]
    return body


def without_counts(releases: Any) -> Any:
    """Releases without how often their files were downloaded."""
    return [{**one, "assets": [{**asset, "download_count": 0} for asset in one["assets"]]} for one in releases]


def test_publish__the_whole_way(github: Platform) -> None:
    sha = github.commit("feat: search finds what you mean (#1)")
    ended = github.release("publish", "--deploys", "backend=sha256:" + "5" * 64)
    assert ended.code == 0, ended.err
    release = github.published("v0.1.0")
    assert ended.out.strip() == release["html_url"]
    assert (release["draft"], release["prerelease"], release["name"]) == (False, False, "v0.1.0")
    assert github.dev.get(f"/repos/{REPOSITORY}/git/ref/tags/v0.1.0")["object"]["sha"] == sha
    assert [asset["name"] for asset in release["assets"]] == ["RELEASE_NOTES.md", "release.json", "SHA256SUMS"]
    assert github.dev.get(f"{RELEASES}/latest")["tag_name"] == "v0.1.0"
    assert "search finds what you mean ([#1]" in release["body"]
    assert "backend: `sha256:555" in release["body"]
    assert github.locks() == []
    writes = [f"{method} {path.removeprefix(f'/repos/{REPOSITORY}')}" for method, path in github.seen.writes()]
    kinds = [write.split("/")[1] + "/" + write.split("/")[-1] for write in writes]
    assert kinds[:3] == ["git/tags", "git/refs", "git/refs"], "the lock, then the tag"
    assert writes[3] == "POST /releases"
    assert writes[-2].startswith("PATCH /releases/"), "published last; after it only the lock is given back"
    assert writes[-1].startswith("DELETE /git/refs/shipmate/")


def test_publish__again__changes_nothing_and_says_so(github: Platform) -> None:
    github.commit("feat: a")
    assert github.here("publish").code == 0
    before = without_counts(github.releases())
    github.seen.requests.clear()
    again = github.here("publish")
    assert (again.code, github.seen.writes(), without_counts(github.releases())) == (0, [], before)
    assert "v0.1.0 is out already, with all its files: nothing was changed" in again.err
    named = github.here("publish", "v0.1.0", "--json")
    assert named.json["changed"] is False
    assert named.json["url"] == before[0]["html_url"]


def test_publish__tag_pushed_by_hand__as_the_quick_start_does(github: Platform) -> None:
    sha = github.commit("feat: a")
    github.dev.git("tag", "v1.0.0", cwd=github.clone)
    github.dev.git("push", "-q", "origin", "v1.0.0", cwd=github.clone)
    ended = github.here("publish", "v1.0.0", "--commit", sha)
    assert ended.code == 0, ended.err
    assert "on this commit" in ended.err
    assert github.published("v1.0.0")["assets"]


def test_publish__pre_release__is_drafted_first_and_not_latest(github: Platform) -> None:
    github.commit("feat: a")
    assert github.here("publish", "v1.0.0").code == 0
    github.commit("feat: b")
    ended = github.here("publish", "--channel", "rc")
    assert ended.code == 0, ended.err
    release = github.published("v1.1.0-rc.1")
    assert release["prerelease"] is True
    assert github.dev.get(f"{RELEASES}/latest")["tag_name"] == "v1.0.0"
    assert "draft v1.1.0-rc.1 (pre-release)" in ended.err


def test_publish__maintenance_line__does_not_become_latest(github: Platform) -> None:
    base = github.commit("feat: a")
    assert github.here("publish", "v1.0.0").code == 0
    github.commit("feat!: b")
    assert github.here("publish", "v2.0.0").code == 0
    dev, clone = github.dev, github.clone
    dev.git("switch", "-q", "-c", "release/1.x", base, cwd=clone)
    dev.git("commit", "-q", "--allow-empty", "-m", "fix: old", cwd=clone)
    dev.git("push", "-q", "origin", "release/1.x", cwd=clone)
    github.green()
    ended = github.here("publish")
    assert ended.code == 0, ended.err
    assert "publish v1.0.1 not as the latest" in ended.err
    assert github.dev.get(f"{RELEASES}/latest")["tag_name"] == "v2.0.0"
    assert github.here("verify", "v1.0.1").code == 0


def test_publish__protected_main_and_tags__nothing_is_pushed(github: Platform) -> None:
    github.commit("feat: a")
    github.scene.do(github.scene.github.seed.protect_branch, REPOSITORY, "main", checks=["ci"])
    github.scene.do(github.scene.github.seed.protect_tags, REPOSITORY, ["v*"])
    head = github.scene.main()
    assert github.here("publish").code == 0
    assert github.scene.main() == head


def test_publish__immutable_releases(github: Platform) -> None:
    github.settings().immutable_releases = True
    github.commit("feat: a")
    ended = github.here("publish")
    assert ended.code == 0, ended.err
    release = github.published("v0.1.0")
    assert release["immutable"] is True
    assert len(release["assets"]) == 3
    assert github.here("publish").code == 0
    assert github.here("verify", "v0.1.0").code == 0


def test_publish__files_sboms_and_evidence(github: Platform, tmp_path: Path) -> None:
    lock = "anyio==4.16.0\n"
    manifest = """
platform: {name: techmate, repository: techmate/platform}
components: {backend: {paths: [apps/**]}}
ci: {checks: {}}
environments: {}
release:
  components:
    platform:
      initial: 1.0.0
      version_files: [apps/web/package.json]
      sboms: {backend: apps/backend/requirements.txt, web: apps/web/package-lock.json}
"""
    web = json.dumps({"packages": {"": {}, "node_modules/a": {"version": "1.0.0"}}})
    files = {
        "shipmate.yml": manifest,
        "apps/backend/requirements.txt": lock,
        "apps/web/package-lock.json": web,
        "apps/web/package.json": '{"version": "1.0.0"}',
    }
    github.commit("feat: a", files)
    shipped, evidence = tmp_path / "app.tar.gz", tmp_path / "report.html"
    shipped.write_bytes(b"\0" * 100_000)
    evidence.write_text("<h1>rehearsed</h1>")
    ended = github.here("publish", "--asset", str(shipped), "--evidence", str(evidence))
    assert ended.code == 0, ended.err
    release = github.published("v1.0.0")
    names = {asset["name"] for asset in release["assets"]}
    assert names == {
        "app.tar.gz",
        "report.html",
        "backend.cdx.json",
        "web.cdx.json",
        "release.json",
        "RELEASE_NOTES.md",
        "SHA256SUMS",
    }
    digests = {asset["name"]: asset["digest"] for asset in release["assets"]}
    assert digests["app.tar.gz"] == "sha256:" + hashlib.sha256(b"\0" * 100_000).hexdigest()
    verified = github.here("verify", "v1.0.0", "--json")
    assert verified.code == 0, verified.err
    assert {finding["name"] for finding in verified.json["findings"]} >= {"SBOM backend.cdx.json", "SBOM web.cdx.json"}

    evidence.write_text("<h1>rehearsed again</h1>")
    again = github.here("publish", "--asset", str(shipped), "--evidence", str(evidence))
    assert (again.code, "nothing was changed" in again.err) == (0, True), "other evidence is no other release"
    shipped.write_bytes(b"\1" * 100_000)
    other = github.here("publish", "v1.0.0", "--asset", str(shipped))
    assert other.code == 27, other.err
    assert "is out with another app.tar.gz" in other.err


def test_publish__prepared_files__are_what_is_published(github: Platform, tmp_path: Path) -> None:
    github.commit("feat: a")
    out = tmp_path / "dist"
    assert github.here("assets", "--out", str(out)).code == 0
    assert sorted(path.name for path in out.iterdir()) == ["RELEASE_NOTES.md", "SHA256SUMS", "release.json"]
    assert github.here("publish", "v0.2.0", "--assets", str(out)).code == 4, "they are of v0.1.0"
    notes = (out / "RELEASE_NOTES.md").read_text()
    (out / "RELEASE_NOTES.md").write_text(notes + "changed")
    changed = github.here("publish", "--assets", str(out))
    assert (changed.code, "was changed after its checksum" in changed.err) == (4, True)
    (out / "RELEASE_NOTES.md").write_text(notes)
    assert github.here("publish", "--assets", str(out)).code == 0
    assert body_of(github, "v0.1.0").startswith(notes.strip())


def test_publish__other_digest_of_the_same_version__is_refused(github: Platform) -> None:
    github.commit("feat: a")
    assert github.here("publish", "--deploys", "backend=sha256:" + "1" * 64).code == 0
    other = github.here("publish", "v0.1.0", "--deploys", "backend=sha256:" + "2" * 64)
    assert other.code == 27, other.err
    assert "release this as the next version" in other.err


def test_publish__begun_by_another_run__is_finished(github: Platform) -> None:
    """A draft of ours with half its files, and a spare left by a killed replacement."""
    github.commit("feat: a")
    github.faults.add(Fault(kind="status", method="POST", path="/releases/.*/assets", status=500, times=None, after=1))
    failed = github.here("publish")
    assert failed.code != 0
    [draft] = github.releases("v0.1.0")
    assert (draft["draft"], len(draft["assets"])) == (True, 1)
    assert github.locks() == [], "an error gives the lock back"
    github.faults.clear()
    ended = github.here("publish", "--json")
    assert ended.code == 0, ended.err
    assert [step for step in ended.json["steps"] if step.startswith(("tag", "draft"))] == []
    [release] = github.releases("v0.1.0")
    assert (release["id"], len(release["assets"])) == (draft["id"], 3)


def test_publish__broken_upload__is_replaced_and_the_release_whole(github: Platform) -> None:
    github.commit("feat: a")
    github.faults.add(Fault(kind="cut", method="PATCH", path="/releases/", times=None))
    assert github.here("publish").code != 0
    github.faults.clear()
    [draft] = github.releases("v0.1.0")
    about = next(asset for asset in draft["assets"] if asset["name"] == "release.json")
    stored = github.scene.github.instance.repository(REPOSITORY).releases[draft["id"]]
    broken = next(asset for asset in stored.assets if asset.id == about["id"])
    broken.state, broken.digest, broken.size = "open", "", 1
    ended = github.here("publish", "--json")
    assert ended.code == 0, ended.err
    assert ended.json["steps"] == [
        "upload release.json beside the one there",
        "remove the release.json that is replaced",
        next(step for step in ended.json["steps"] if step.startswith("name ")),
        "publish v0.1.0 as the latest release",
    ]
    assert github.here("verify", "v0.1.0").code == 0


@pytest.mark.parametrize("kind", ["cut", "lose_answer"])
def test_publish__every_write_fails_once__still_one_release(github: Platform, kind: str) -> None:
    github.commit("feat: a")
    for path in ("/git/tags$", "/git/refs$", "/releases$", "/assets$", "/releases/\\d+$", "/git/refs/"):
        github.faults.add(Fault(kind=kind, method="POST|PATCH|DELETE", path=path, times=1))  # type: ignore[arg-type]
    ended = github.here("publish")
    assert ended.code == 0, ended.err
    assert len(github.releases("v0.1.0")) == 1
    assert len(github.published("v0.1.0")["assets"]) == 3
    assert github.locks() == []
    assert github.here("verify", "v0.1.0").code == 0


def test_publish__lists_that_lag__make_no_second_draft(github: Platform) -> None:
    github.commit("feat: a")
    github.scene.github.instance.lag = 3
    assert github.here("publish").code == 0
    github.scene.github.instance.lag = 0
    for _ in range(4):
        found = github.releases("v0.1.0")
    assert len(found) == 1


def test_publish__draft_by_hand__is_not_touched(github: Platform) -> None:
    github.commit("feat: a")
    github.dev.post(RELEASES, {"tag_name": "v0.1.0", "draft": True, "body": "mine"})
    github.seen.requests.clear()
    ended = github.here("publish")
    assert (ended.code, "did not make is open" in ended.err) == (24, True)
    assert github.seen.writes() == []
    assert [one["body"] for one in github.releases("v0.1.0")] == ["mine"]


def test_publish__own_token_of_the_workflow__dispatches_what_follows_once(github: Platform) -> None:
    workflow = "name: D\non:\n  workflow_dispatch:\n    inputs: {version: {required: false}}\njobs: {}\n"
    waiting = "name: W\non:\n  release: {types: [published]}\njobs: {}\n"
    files = {".github/workflows/announce.yml": workflow, ".github/workflows/waits.yml": waiting}
    github.commit("feat: a", files)
    permissions = {"contents": "write", "checks": "read", "actions": "write", "pull_requests": "read"}
    job = github.scene.job_token(permissions)
    assert job.token.startswith("ghs_")
    github.extra |= {
        "GITHUB_TOKEN": job.token,
        "GITHUB_ACTIONS": "true",
        "GITHUB_RUN_ID": "1",
        "GITHUB_RUN_ATTEMPT": "1",
    }
    before = len(github.scene.events("workflow_dispatch"))
    github.green()
    ended = github.here("publish", "--json")
    assert ended.code == 0, ended.err
    assert ended.json["warnings"] == [
        "waits.yml waits for a release, which this workflow's token does not start: pass --then-dispatch waits.yml"
    ]
    assert len(github.scene.events("workflow_dispatch")) == before


def test_publish__then_dispatch__once_and_with_the_inputs_it_declares(github: Platform) -> None:
    sha = github.commit("feat: a")
    ended = github.here("publish", "--then-dispatch", "deploy-production.yml", "--json")
    assert ended.code == 0, ended.err
    assert ended.json["dispatched"] == ["deploy-production.yml"]
    [event] = github.scene.events("workflow_dispatch")
    assert (event.ref, event.sha, event.payload["inputs"]) == ("refs/tags/v0.1.0", sha, {"version": "v0.1.0"})
    again = github.here("publish", "--then-dispatch", "deploy-production.yml", "--json")
    assert (again.code, again.json["changed"]) == (0, False)
    assert len(github.scene.events("workflow_dispatch")) == 1
    missing = github.here("publish", "--then-dispatch", "gone.yml")
    assert missing.code == 8, missing.err


def test_publish__nothing_to_release__fails_loudly(github: Platform) -> None:
    github.commit("feat: a")
    assert github.here("publish").code == 0
    github.commit("chore: b")
    ended = github.here("publish")
    assert (ended.code, "nothing to release: the one commit since v0.1.0 does not count" in ended.err) == (12, True)


def test_publish__wrong_and_missing_token(github: Platform) -> None:
    github.commit("feat: a")
    github.extra["GITHUB_TOKEN"] = ""
    assert github.here("publish").code == 5
    github.extra["GITHUB_TOKEN"] = "ghp_wrong"
    assert github.here("publish").code == 5


def test_publish__local_clone_knows_the_tag_afterwards(github: Platform) -> None:
    github.commit("feat: a")
    assert github.here("publish").code == 0
    assert github.dev.git("tag", cwd=github.clone).split() == ["v0.1.0"]
    assert github.here("next").out == ""


def test_credits__looked_up_in_few_calls_and_kept(github: Platform) -> None:
    for number in range(30):
        github.commit_without_ci(f"fix: change {number}")
    github.green()
    github.seen.requests.clear()
    first = github.here("notes")
    assert "- @dev-1 made" not in first.out
    assert "## Contributors\n\ndev-1\n" in first.out, (
        "known, and not mentioned: without a pull request a login is what a commit says"
    )
    assert len(github.seen.requests) <= 3
    github.seen.requests.clear()
    assert github.here("notes").out == first.out
    assert [path.rpartition("/")[2] for _, path in github.seen.requests] == ["releases"], (
        "kept: no commit is asked about again"
    )
    github.faults.add(Fault(kind="status", path=".*", status=503, times=None))
    github.commit_without_ci("feat: more")
    without = github.here("notes")
    assert without.code == 0
    assert "These notes lack pull requests and logins GitHub alone knows: GitHub could not be reached.\n" in without.out
    assert "/repos/" not in without.out
    assert "more (" in without.out
