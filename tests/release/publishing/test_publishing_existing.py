"""Finishing a release on another machine: what GitHub holds of it is kept, and only what is missing is asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rehearsal.faults import Fault
from release.publishing.forge import ForgeRelease
from release.publishing.state import DesiredRelease, edited, given_in, is_ours, notes_in
from tests.rehearsal.github.scene import REPOSITORY
from tests.release.platform import Platform

BACKEND = "backend=sha256:" + "5" * 64


def about(github: Platform, tag: str = "v0.1.0") -> Any:
    release = next(
        one for one in github.scene.github.instance.repository(REPOSITORY).releases.values() if one.tag_name == tag
    )
    return json.loads(github.scene.github.instance.asset_path(release.asset_named("release.json").id).read_text())


def stopped(github: Platform, *arguments: str, method: str = "PATCH", path: str = "/releases/", after: int = 0) -> None:
    """A publish that is cut off: before it is published by default."""
    github.faults.add(Fault(kind="cut", method=method, path=path, times=None, after=after))
    assert github.here("publish", *arguments).code != 0
    github.faults.clear()


@pytest.mark.world
@pytest.mark.parametrize("uploaded", [0, 1, 2, 3])
def test_deploys_and_highlights__are_kept_wherever_it_stopped(github: Platform, uploaded: int) -> None:
    github.commit("feat: a")
    method, path = ("POST", "/assets") if uploaded < 3 else ("PATCH", "/releases/")
    given = ("--deploys", BACKEND, "--highlight", "A faster start")
    stopped(github, *given, method=method, path=path, after=uploaded if uploaded < 3 else 0)
    ended = github.here("publish")
    assert ended.code == 0, ended.err
    body = github.published("v0.1.0")["body"]
    assert f"- backend: `{BACKEND.partition('=')[2]}`" in body
    assert "- A faster start" in body
    assert about(github)["deploys"] == {"backend": BACKEND.partition("=")[2]}
    assert "write the notes" not in ended.err
    assert github.here("verify", "v0.1.0").code == 0


@pytest.mark.world
def test_deploys__given_anew__replace_those_of_the_draft(github: Platform) -> None:
    github.commit("feat: a")
    stopped(github, "--deploys", BACKEND, "--highlight", "A faster start")
    other = "sha256:" + "6" * 64
    assert github.here("publish", "--deploys", f"backend={other}").code == 0
    assert about(github)["deploys"] == {"backend": other}
    body = github.published("v0.1.0")["body"]
    assert other in body
    assert "5" * 64 not in body
    assert "- A faster start" in body
    assert github.here("verify", "v0.1.0").code == 0


@pytest.mark.world
def test_files_and_evidence__are_kept(github: Platform, tmp_path: Path) -> None:
    github.commit("feat: a")
    shipped, evidence = tmp_path / "app.tar.gz", tmp_path / "report.html"
    shipped.write_bytes(b"\0" * 1000)
    evidence.write_text("<h1>rehearsed</h1>")
    stopped(github, "--asset", str(shipped), "--evidence", str(evidence))
    ended = github.here("publish", "--json")
    assert ended.code == 0, ended.err
    assert ended.json["steps"] == ["publish v0.1.0 as the latest release"]
    names = {asset["name"] for asset in github.published("v0.1.0")["assets"]}
    assert names == {"app.tar.gz", "report.html", "release.json", "RELEASE_NOTES.md", "SHA256SUMS"}
    assert github.here("verify", "v0.1.0").code == 0
    assert github.here("publish", "v0.1.0", "--asset", str(shipped)).code == 0


@pytest.mark.world
def test_prepared_files__are_kept(github: Platform, tmp_path: Path) -> None:
    github.commit("feat: a")
    shipped = tmp_path / "app.tar.gz"
    shipped.write_bytes(b"\0" * 1000)
    out = tmp_path / "dist"
    prepared = ("assets", "--out", str(out), "--asset", str(shipped), "--deploys", BACKEND, "--highlight", "Faster")
    assert github.here(*prepared).code == 0
    stopped(github, "--assets", str(out))
    assert github.here("publish", "--json").json["steps"] == ["publish v0.1.0 as the latest release"]
    assert "- Faster" in github.published("v0.1.0")["body"]


@pytest.mark.world
def test_file_that_never_arrived__is_asked_for(github: Platform, tmp_path: Path) -> None:
    github.commit("feat: a")
    shipped = tmp_path / "app.tar.gz"
    shipped.write_bytes(b"\0" * 1000)
    stopped(github, "--asset", str(shipped), method="POST", path="/assets")
    ended = github.here("publish")
    assert (ended.code, "v0.1.0 was begun with app.tar.gz, which never arrived" in ended.err) == (12, True)
    assert "--asset PATH/app.tar.gz" in ended.err
    assert github.here("publish", "--asset", str(shipped)).code == 0


@pytest.mark.world
def test_finished_release__plain_publish_changes_nothing(github: Platform, tmp_path: Path) -> None:
    github.commit("feat: a")
    shipped = tmp_path / "app.tar.gz"
    shipped.write_bytes(b"\0" * 1000)
    assert github.here("publish", "--deploys", BACKEND, "--asset", str(shipped)).code == 0
    github.seen.requests.clear()
    for arguments in ((), ("v0.1.0",)):
        ended = github.here("publish", *arguments)
        assert (ended.code, "nothing was changed" in ended.err) == (0, True), ended.err
    assert github.seen.writes() == []
    planned = github.here("plan", "v0.1.0", "--json")
    assert (planned.json["steps"], "app.tar.gz" in planned.json["files"]) == ([], True)
    assert "sha256:555" in planned.json["notes"]


@pytest.mark.world
def test_leftovers__the_advice_of_verify_works(github: Platform) -> None:
    sha = github.commit("feat: a")
    assert github.here("publish", "--deploys", BACKEND).code == 0
    owner = {"nonce": "x", "at": "99999999999", "machine": "elsewhere", "run": "", "process": "1@1"}
    note = {"tag": "lock", "message": json.dumps(owner), "object": sha, "type": "commit"}
    made = github.dev.post(f"/repos/{REPOSITORY}/git/tags", note)
    github.dev.post(f"/repos/{REPOSITORY}/git/refs", {"ref": "refs/shipmate/release/v0.1.0/1", "sha": made["sha"]})
    github.commit("feat: b")
    assert github.here("publish").code == 0, "a newer one is out"
    advice = github.here("verify", "v0.1.0")
    assert (advice.code, "shipmate release publish v0.1.0 --take-over clears them" in advice.err) == (7, True)
    assert github.here("publish", "v0.1.0", "--take-over").code == 0
    assert github.here("verify", "v0.1.0").code == 0


def entry(body: str) -> ForgeRelease:
    return ForgeRelease(id=1, tag="v1.0.0", name="v1.0.0", body=body, draft=True, prerelease=False)


def test_comment__what_was_given_comes_back_whatever_it_holds() -> None:
    given = {"deploys": {"web": "https://x.example/-->?<b>"}, "highlights": ["a -- b", "ü <!-- \\u002d"]}
    wanted = DesiredRelease(
        tag="v1.0.0",
        commit="a" * 40,
        name="v1.0.0",
        body="1 fix.\n",
        prerelease=False,
        latest=True,
        files=(),
        given=given,
    )
    body = wanted.marked_body
    assert body.count("-->") == body.count("<!--") == 2
    for text in (body, body.replace("\n", "\r\n")):
        assert is_ours(entry(text))
        assert not edited(entry(text))
        assert given_in(entry(text)) == given
        assert notes_in(entry(text)) == "1 fix."
    assert edited(entry(body.replace("1 fix", "2 fixes")))
    assert given_in(entry("by hand")) == {}
