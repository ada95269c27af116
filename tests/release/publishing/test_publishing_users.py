"""What users have decides: notes count from it, what was withdrawn does not lead, and a person publishes only what was live."""

from __future__ import annotations

import pytest

from tests.rehearsal.github.scene import REPOSITORY
from tests.release.platform import Platform

pytestmark = pytest.mark.world
MANIFEST = """
platform: {name: techmate, repository: techmate/platform}
components: {web: {paths: [apps/**]}}
ci: {checks: {}}
environments:
  production:
    web: {provider: vercel, team: t, project: p, url: "https://web.example"}
release:
  ci_checks: [ci]
  components: {platform: {initial: 1.0.0%s}}
"""


def tag(github: Platform, name: str) -> None:
    github.dev.git("tag", name, cwd=github.clone)
    github.dev.git("push", "-q", "origin", name, cwd=github.clone)


def test_notes__count_from_what_was_published(github: Platform) -> None:
    """v0.2.0 was tagged and refused: nobody has it, so the next one tells of all that it held."""
    github.commit("feat: a")
    assert github.here("publish").code == 0
    github.commit("feat: refused")
    tag(github, "v0.2.0")
    github.commit("fix: c")
    for result in (github.here("notes").out, github.here("plan", "--notes").out):
        assert "refused (" in result
        assert "c (" in result
        assert "v0.1.0...v0.2.1" in result
    assert "refused (" not in github.here("notes", "--offline").out, "git alone cannot know"
    assert github.here("publish").code == 0
    assert "refused (" in github.published("v0.2.1")["body"]


def test_next__a_withdrawn_version_does_not_lead(github: Platform) -> None:
    github.commit("feat: a")
    assert github.here("publish").code == 0
    github.commit("fix: b")
    assert github.here("publish", "v9.9.9").code == 0
    github.commit("fix: c")
    assert github.here("next").out == "9.9.10\n"
    entry = github.published("v9.9.9")
    body = f"<!-- shipmate withdrawn -->\n> withdrawn\n\n{entry['body']}"
    changed = github.manager.api(
        "PATCH", f"/repos/{REPOSITORY}/releases/{entry['id']}", json={"body": body, "prerelease": True}
    )
    assert changed.status_code == 200
    assert github.here("next").out == "0.1.1\n"
    assert github.here("bump", "--file", "notes.txt").code == 4, "it asks the same, and has no version to write"
    result = github.here("notes").out
    assert "b (" in result
    assert "v0.1.0...v0.1.1" in result
    ended = github.here("publish")
    assert ended.code == 0, ended.err
    assert github.published("v0.1.1")["body"].count("b (") == 1


def test_publish__what_was_never_live__is_refused_by_the_policy(github: Platform) -> None:
    commit = github.commit("feat: a", {"shipmate.yml": MANIFEST % ""})
    refused = github.here("publish", "v9.9.9")
    assert (refused.code, "v9.9.9 was never live in production" in refused.err) == (30, True)
    assert github.releases() == []
    assert github.here("plan", "v9.9.9").code == 30
    github.delivered("v9.9.9", commit, "failure")
    github.delivered("v1.0.0", commit)
    assert github.here("publish", "v9.9.9").code == 30, "a delivery that failed, and one of another version"
    ended = github.here("publish", "v1.0.0")
    assert ended.code == 0, ended.err
    assert "live: in production, by the records of deliveries" in ended.err


def test_publish__a_policy_that_says_otherwise(github: Platform) -> None:
    github.commit("feat: a", {"shipmate.yml": MANIFEST % ", live_in: ''"})
    assert github.here("publish").code == 0
    github.commit("feat: b", {"shipmate.yml": MANIFEST % ""})
    assert github.here("publish", "--channel", "rc").code == 0, "a pre-release is for trying before"


def test_publish__a_terminal_is_asked(github: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def confirm(text: str, **_: object) -> None:
        import click

        asked.append(text)
        raise click.Abort

    github.commit("feat: a")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.confirm", confirm)
    assert github.here("publish", "v9.9.9").code == 130
    assert asked[0].startswith("Publish v9.9.9, the first release, from ")
    assert github.releases() == []
    assert github.here("publish", "--yes").code == 0
    assert len(asked) == 1
