"""Verifying from outside, and withdrawing: what was changed is found, what is bad is marked, and nothing is deleted."""

from __future__ import annotations

import base64
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.delivery.context import Context
from pipelines.errors import CredentialsError
from tests.memory_hosts import MemoryHost, Writes
from tests.rehearsal.github.scene import REPOSITORY
from tests.release.platform import RELEASES, Platform
from tests.shop_files import MANIFEST

pytestmark = pytest.mark.world


def stored(github: Platform, tag: str) -> Any:
    releases = github.scene.github.instance.repository(REPOSITORY).releases.values()
    return next(one for one in releases if one.tag_name == tag)


def wrong(github: Platform, tag: str = "v0.1.0") -> dict[str, str]:
    ended = github.here("verify", tag, "--json")
    found = {finding["name"]: finding["says"] for finding in ended.json["findings"] if not finding["holds"]}
    assert ended.code == (7 if found else 0), ended.err
    return found


def test_verify__a_good_release(github: Platform) -> None:
    sha = github.commit("feat: a")
    github.here("publish")
    ended = github.release("verify", "v0.1.0")
    assert ended.code == 0, ended.err
    assert f"✓ tag: on {sha[:9]}" in ended.out
    assert "✓ line: on main" in ended.out
    assert "✓ check ci: success" in ended.out
    assert "✓ SHA256SUMS: lists 2 file(s)" in ended.out
    assert "✓ latest: v0.1.0" in ended.out


def test_verify__outside_a_clone(github: Platform, tmp_path: Path) -> None:
    github.commit("feat: a")
    github.here("publish")
    (tmp_path / "empty").mkdir()
    assert github.here("verify", "v0.1.0", "-C", str(tmp_path / "empty")).code == 0


def test_verify__not_published(github: Platform) -> None:
    github.commit("feat: a")
    ended = github.here("verify", "v0.1.0")
    assert (ended.code, "no release v0.1.0 is published" in ended.err) == (4, True)


def test_verify__changed_bytes(github: Platform) -> None:
    github.commit("feat: a")
    github.here("publish")
    asset = stored(github, "v0.1.0").asset_named("release.json")
    file = github.scene.github.instance.asset_path(asset.id)
    file.write_bytes(file.read_bytes().replace(b"v0.1.0", b"v0.9.0"))
    found = wrong(github)
    assert found["release.json"].startswith(("differs from GitHub, SHA256SUMS", "says v0.9.0"))


def test_verify__file_added_removed_unfinished(github: Platform) -> None:
    github.commit("feat: a")
    github.here("publish")
    release = stored(github, "v0.1.0")
    release.asset_named("RELEASE_NOTES.md").name = "other.md"
    found = wrong(github)
    assert found["SHA256SUMS"] == "missing: RELEASE_NOTES.md"
    assert found["files"] == "not in SHA256SUMS: other.md"
    release.asset_named("other.md").name = "RELEASE_NOTES.md"
    release.asset_named("RELEASE_NOTES.md").state = "open"
    assert wrong(github)["RELEASE_NOTES.md"] == "was never uploaded to its end"


def test_verify__moved_tag_and_red_check(github: Platform) -> None:
    first = github.commit("feat: a")
    github.here("publish")
    second = github.commit_without_ci("fix: b")
    github.green("failure")
    github.dev.git("push", "-q", "-f", "origin", f"{second}:refs/tags/v0.1.0", cwd=github.clone)
    found = wrong(github)
    assert found["tag"] == f"on {second[:9]}, but released from {first[:9]}"
    assert found["check ci"] == "failure"
    github.dev.git("push", "-q", "origin", ":refs/tags/v0.1.0", cwd=github.clone)
    ended = github.here("verify", "v0.1.0", "--json")
    assert (ended.code, ended.out) == (29, ""), "GitHub made a draft of it"
    assert "the tag v0.1.0 is gone" in ended.err
    assert ":refs/tags/v0.1.0" in ended.err


def test_verify__latest_points_elsewhere(github: Platform) -> None:
    github.commit("feat: a")
    github.here("publish")
    github.commit("feat: b")
    github.here("publish")
    old = github.published("v0.1.0")
    github.dev.api("PATCH", f"{RELEASES}/{old['id']}", json={"make_latest": "true"})
    assert wrong(github, "v0.2.0") == {"latest": "v0.1.0, but should be v0.2.0"}
    assert "next: gh release edit v0.2.0 --latest" in github.here("verify", "v0.2.0").err


def test_verify__leftovers(github: Platform) -> None:
    sha = github.commit("feat: a")
    github.here("publish")
    releases = github.scene.github.instance.repository(REPOSITORY).releases
    releases[99] = dataclasses.replace(stored(github, "v0.1.0"), id=99, draft=True, assets=[])
    github.dev.post(f"/repos/{REPOSITORY}/git/refs", {"ref": "refs/shipmate/release/v0.1.0/1", "sha": sha})
    assert wrong(github) == {"leftovers": "2 draft(s) or lock(s)"}
    advice = github.here("verify", "v0.1.0").err
    assert "next: shipmate release publish v0.1.0 --take-over clears them" in advice
    assert "yank" not in advice
    cleared = github.here("publish", "v0.1.0", "--take-over", "--json")
    assert cleared.code == 0, cleared.err
    assert wrong(github) == {}


def test_verify__provenance(github: Platform) -> None:
    manifest = """
platform: {name: techmate, repository: techmate/platform}
components: {backend: {paths: [apps/**]}}
ci: {checks: {}}
environments: {}
release: {provenance: true, components: {platform: {sboms: {backend: r.txt}}}}
"""
    github.commit("feat: a", {"shipmate.yml": manifest, "r.txt": "anyio==4.16.0\n"})
    github.here("publish")
    assert wrong(github) == {"provenance of backend.cdx.json": "no attestation names it"}
    digest = next(a["digest"] for a in github.published("v0.1.0")["assets"] if a["name"] == "backend.cdx.json")
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "x", "digest": {"sha256": digest[7:]}}],
    }
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    bundle = {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {},
        "dsseEnvelope": {"payload": payload, "payloadType": "application/vnd.in-toto+json", "signatures": []},
    }
    github.manager.post(f"/repos/{REPOSITORY}/attestations", {"bundle": bundle})
    assert wrong(github) == {}


def test_yank__marks_moves_latest_and_deletes_nothing(github: Platform) -> None:
    github.commit("feat: a")
    github.here("publish", "v1.0.0")
    github.commit("feat: b")
    github.here("publish", "v1.1.0")
    before = github.published("v1.1.0")
    ended = github.release("yank", "v1.1.0", "--reason", "notes of @others are <shown>")
    assert ended.code == 0, ended.err
    assert "v1.1.0 is live nowhere that could be reached" in ended.out
    after = github.published("v1.1.0")
    assert after["name"] == "v1.1.0 (withdrawn)"
    assert "**Withdrawn on " in after["body"]
    assert "notes of @\u200bothers are \\<shown\\>" in after["body"]
    assert "Use `v1.0.0` instead." in after["body"]
    assert after["body"].endswith(before["body"])
    assert [asset["id"] for asset in after["assets"]] == [asset["id"] for asset in before["assets"]]
    assert github.dev.get(f"{RELEASES}/latest")["tag_name"] == "v1.0.0"
    assert github.dev.get(f"/repos/{REPOSITORY}/git/ref/tags/v1.1.0")

    again = github.here("yank", "v1.1.0", "--reason", "again", "--json")
    assert (again.code, again.json["done"]) == (0, [])
    assert github.published("v1.1.0")["body"] == after["body"]
    assert list(wrong(github, "v1.1.0")) == ["withdrawn"]
    looked = github.here("verify", "v1.1.0")
    assert "✓ notes: as they were written" in looked.out
    assert "next: use what its notes name instead" in looked.err
    assert "yank" not in looked.err
    assert wrong(github, "v1.0.0") == {}
    assert github.here("publish", "v1.1.0").code == 28
    github.commit("fix: c")
    assert github.here("next").out == "1.1.1\n", "a withdrawn version is never used again"


def test_yank__immutable(github: Platform) -> None:
    github.settings().immutable_releases = True
    github.commit("feat: a")
    github.here("publish")
    assert github.here("yank", "v0.1.0", "--reason", "bad").code == 0
    assert "withdrawn" in github.published("v0.1.0")["name"]


class Hosts:
    """Instead of the providers that a manifest names: what is on them, and which cannot be reached."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        writes = Writes()
        self.at = {
            (environment, component): MemoryHost(url=f"https://{component}.test", gradual=False, writes=writes)
            for environment in ("staging", "production")
            for component in ("backend", "web")
        }
        self.down: set[str] = set()
        monkeypatch.setattr(Context, "host", lambda context, name: self._host(context.environment, name))

    def _host(self, environment: str, component: str) -> MemoryHost:
        if environment in self.down:
            raise CredentialsError(f"no access to {environment}")
        return self.at[environment, component]

    def live(self, environment: str, *releases: str) -> None:
        for (where, _), host in self.at.items():
            for release in releases if where == environment else ():
                host.put(release, "c" * 40, f"sha256:{release}")


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Hosts:
    return Hosts(monkeypatch)


def published(github: Platform, *versions: str) -> None:
    """Releases of a platform that lives somewhere."""
    for version in versions:
        github.delivered(version, github.commit(f"feat: {version}", {"shipmate.yml": MANIFEST, "notes.txt": version}))
        assert github.here("publish", version).code == 0


def test_yank__what_is_live__is_reported_with_the_way_back(github: Platform, hosts: Hosts) -> None:
    published(github, "v1.0.0", "v1.1.0")
    hosts.live("production", "v1.0.0", "v1.1.0")
    ended = github.here("yank", "v1.1.0", "--reason", "bad")
    assert ended.code == 0, ended.err
    assert "v1.1.0 is live in production since " in ended.out
    assert "shipmate rollback --environment production --to v1.0.0" in ended.out


def test_yank__is_written_at_every_provider_that_has_it(github: Platform, hosts: Hosts) -> None:
    published(github, "v1.0.0", "v1.1.0")
    hosts.live("production", "v1.0.0", "v1.1.0", "v1.2.0")
    hosts.live("staging", "v1.2.0")
    ended = github.here("yank", "v1.1.0", "--reason", "search returns notes of others")
    assert ended.code == 0, ended.err
    assert "v1.1.0 is live nowhere that could be reached" in ended.out
    marks = {where: dict(host.marks.withdrawn) for where, host in hosts.at.items()}
    values = {"v1.1.0": "search returns notes of others"}
    assert marks == {
        ("staging", "backend"): {},
        ("staging", "web"): {},
        ("production", "backend"): values,
        ("production", "web"): values,
    }
    again = github.here("yank", "v1.1.0", "--reason", "search returns notes of others", "--json")
    assert (again.code, again.json["done"]) == (0, [])
    assert len(hosts.at["production", "web"].writes.seen) == 2, "what is marked is not written again"


def test_yank__what_cannot_be_reached__is_reported_and_can_be_marked_later(github: Platform, hosts: Hosts) -> None:
    published(github, "v1.0.0", "v1.1.0")
    hosts.live("production", "v1.1.0")
    hosts.live("staging", "v1.1.0")
    hosts.down.add("production")
    ended = github.here("yank", "v1.1.0", "--reason", "bad")
    assert ended.code == 0, ended.err
    for component in ("backend", "web"):
        assert f"{component} in production was not marked (no access to production): run this again" in ended.err
    assert "withdrawn" in github.published("v1.1.0")["name"]
    assert "v1.1.0" in hosts.at["staging", "web"].marks.withdrawn
    hosts.down.clear()
    assert github.here("yank", "v1.1.0", "--reason", "bad").code == 0
    assert hosts.at["production", "backend"].marks.withdrawn == {"v1.1.0": "bad"}


def test_yank__instead(github: Platform) -> None:
    github.commit("feat: a")
    github.here("publish", "v1.0.0")
    github.commit("feat!: b")
    github.here("publish", "v2.0.0")
    assert github.here("yank", "v2.0.0", "--reason", "bad", "--instead", "v3.0.0").code == 4
    assert github.here("yank", "v2.0.0", "--reason", "bad", "--instead", "1.0.0").code == 0
    assert "Use `v1.0.0` instead." in github.published("v2.0.0")["body"]
    assert github.here("yank", "v1.0.0", "--reason", "bad, too").code == 0
    assert "There is no release to use instead yet." in github.published("v1.0.0")["body"]
    assert github.here("yank", "v9.0.0", "--reason", "x").code == 4


def test_verify__version_files_of_the_tagged_commit(github: Platform) -> None:
    manifest = """
platform: {name: techmate, repository: techmate/platform}
components: {backend: {paths: [apps/**]}}
ci: {checks: {}}
environments: {}
release: {components: {platform: {version_files: [%s]}}}
"""
    files = {"shipmate.yml": manifest % "a.json#version", "a.json": '{"version": "0.1.0"}', "b.json": "{}"}
    github.commit("feat: a", files)
    assert github.here("publish").code == 0
    assert "✓ version files: 1 hold 0.1.0" in github.here("verify", "v0.1.0").out
    github.commit("chore: b", {"shipmate.yml": manifest % "a.json#version, b.json#version, c.json", "a.json": "{}"})
    message = "b.json has no version at version; c.json is not in the commit"
    assert wrong(github) == {"version files": message}, "by the manifest of today, and the files of that day"


def test_verify__pre_release_that_is_marked_as_final(github: Platform) -> None:
    github.commit("feat: a")
    assert github.here("publish", "v1.0.0").code == 0
    github.commit("feat: b")
    assert github.here("publish", "--channel", "rc").code == 0
    assert wrong(github, "v1.1.0-rc.1") == {}
    number = github.published("v1.1.0-rc.1")["id"]
    github.dev.api("PATCH", f"{RELEASES}/{number}", json={"prerelease": False, "make_latest": "false"})
    found = wrong(github, "v1.1.0-rc.1")
    assert found["pre-release"] == "it is one, but is not marked so"
    assert "next: gh release edit v1.1.0-rc.1 --prerelease=true" in github.here("verify", "v1.1.0-rc.1").err


def test_verify__withdrawn_for_a_reason_of_many_lines(github: Platform) -> None:
    github.commit("feat: a")
    assert github.here("publish").code == 0
    reason = "one\n\ntwo <!-- x --> `y`\n# three"
    assert github.here("yank", "v0.1.0", "--reason", reason).code == 0
    assert "✓ notes: as they were written" in github.here("verify", "v0.1.0").out


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_yank__without_a_reason__is_refused(github: Platform, reason: str) -> None:
    github.commit("feat: a")
    assert github.here("publish").code == 0
    ended = github.here("yank", "v0.1.0", "--reason", reason)
    assert (ended.code, "is not withdrawn without a reason" in ended.err) == (4, True)
    assert "withdrawn" not in github.published("v0.1.0")["name"]


def test_verify_and_yank__tag_says_which_component_is_meant(github: Platform) -> None:
    manifest = """
platform: {name: techmate, repository: techmate/platform}
components: {backend: {paths: [apps/**]}}
ci: {checks: {}}
environments: {}
release: {components: {platform: {}, mobile: {tag_format: "mobile-v{version}"}}}
"""
    github.commit("feat: a", {"shipmate.yml": manifest})
    assert github.here("publish", "mobile-v1.0.0").code == 0
    assert github.here("publish", "v1.0.0").code == 0
    assert github.dev.get(f"{RELEASES}/latest")["tag_name"] == "v1.0.0"
    assert wrong(github, "mobile-v1.0.0") == {}
    assert github.here("yank", "mobile-v1.0.0", "--reason", "bad").code == 0
    assert github.dev.get(f"{RELEASES}/latest")["tag_name"] == "v1.0.0"
