"""Release notes: all they tell of, from git alone; and that text from outside cannot break out of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from pipelines.errors import InputError
from pipelines.manifest.release import Release, ReleaseComponent, Templates
from release.changelog.contributors import authors_before, contributors
from release.changelog.migrations import new_migrations
from release.changelog.selection import section_for
from release.changelog.writing import Given, write_notes
from release.commits.git import Git
from release.context import ReleaseContext
from release.versions.wording import why_verdict
from tests.release.histories import Planned, git, line, make

HOUR = 3600
COMMITS = [
    Planned("feat: begin", (), 1_700_000_000, "dev-1", files={"db/0001_notes.expand.sql": "-- Notes.\nCREATE"}),
    Planned("feat(web): search (#3)\n\nHighlight: Search finds what you mean", (0,), 1_700_000_000 + HOUR, "dev-2",
            "7+dev-2@users.noreply.github.com", {"db/0002_vectors.expand.sql": "-- Vectors beside\n-- the notes.\nALTER"}),
    Planned("fix: @octocat <script> | [x](http://example.com) ```", (1,), 1_700_000_000 + 2 * HOUR, "dev-1",
            files={"db/0003_drop.contract.sql": "DROP", "db/0004_what.sql": "-- ?"}),
    Planned("chore: tidy\n\nCo-authored-by: dev-3 <dev-3@example.com>\nCo-authored-by: bot[bot] <b@example.com>", (2,),
            1_700_000_000 + 3 * HOUR, "dependabot[bot]"),
    Planned("feat(api)!: names (#4)\n\nBREAKING CHANGE: ids are gone\n\nUpgrade: use names", (3,), 1_700_000_000 + 4 * HOUR),
]  # fmt: skip


def context(folder: Path, version: str | None = None, **environ: str) -> ReleaseContext:
    rules = Release(components={"platform": ReleaseComponent(migrations="db")})
    place = ReleaseContext(
        folder=folder, version=version, environ={"GITHUB_REPOSITORY": "techmate/platform", **environ}
    )
    place.__dict__["rules"] = rules
    return place


def notes(folder: Path, version: str | None = None, given: Given | None = None) -> str:
    place = context(folder, version)
    return write_notes(place, section_for(place), given or Given())


def test_notes__tell_everything(tmp_path: Path) -> None:
    ids = make(tmp_path, COMMITS, tags={"v1.0.0": 0})
    given = Given(
        deploys={"backend": "sha256:" + "5" * 64, "web": "https://web-1.example.com"},
        checksums={"release.json": "a" * 64},
        highlights=("A faster start",),
    )
    text = notes(tmp_path, given=given)
    commit = f"https://github.com/techmate/platform/commit/{ids[2]}"
    assert (
        text
        == f"""\
1 breaking change, 1 feature, 1 fix and 1 internal change since v1.0.0.

## Highlights

- A faster start
- Search finds what you mean

## Breaking changes

- **api:** names ([#4](https://github.com/techmate/platform/pull/4), dev-1)

  ids are gone

  **How to upgrade:** use names

## Features

- **web:** search ([#3](https://github.com/techmate/platform/pull/3), dev-2)

## Fixes

- @\u200boctocat \\<script\\> \\| \\[x\\](http\\://example.com) \\`\\`\\` ([{ids[2][:9]}]({commit}), dev-1)

## Database migrations

| migration | kind | what it means |
|---|---|---|
| `0002_vectors.expand.sql` | expand | runs before this release gets traffic; going back from it stays safe |
| `0003_drop.contract.sql` | contract | waits until all that serves knows it; once it has run, there is no going back before this release |
| `0004_what.sql` | unmarked | unknown: its name says neither expand nor contract |

## What it deploys

- backend: `sha256:{"5" * 64}`
- web: `https://web-1.example.com`

## Contributors

dev-1, dev-2, dev-3

- dev-2 made their first contribution in #3
- dev-3 made their first contribution

## Checksums (SHA-256)

| file | SHA-256 |
|---|---|
| `release.json` | `{"a" * 64}` |

**All changes:** https://github.com/techmate/platform/compare/v1.0.0...v2.0.0

> These notes lack pull requests and logins GitHub alone knows: no GITHUB_TOKEN was given.
"""
    )


def test_notes__of_an_old_release__are_those_of_its_day(tmp_path: Path) -> None:
    make(tmp_path / "then", COMMITS[:3], tags={"v1.0.0": 0})
    make(tmp_path / "now", COMMITS, tags={"v1.0.0": 0, "v1.1.0": 2, "v2.0.0": 4})
    assert notes(tmp_path / "now", "v1.1.0") == notes(tmp_path / "then")


def test_notes__first_release__compare_with_nothing(tmp_path: Path) -> None:
    make(tmp_path, COMMITS[:1], tags={"v1.0.0": 0})
    text = notes(tmp_path, "1.0.0")
    assert text.startswith("1 feature.\n")
    assert "compare" not in text
    assert "first contribution" not in text
    assert "`0001_notes.expand.sql`" in text


def test_notes__pre_release__since_the_one_before(tmp_path: Path) -> None:
    make(tmp_path, line("feat: a", "feat: b", "fix: c"), tags={"v1.0.0": 0, "v1.1.0-rc.1": 1, "v1.1.0-rc.2": 2})
    assert "since v1.1.0-rc.1" in notes(tmp_path, "v1.1.0-rc.2")
    assert "b (" not in notes(tmp_path, "v1.1.0-rc.2")
    assert "since v1.0.0" in notes(tmp_path, "1.1.0-rc.1")


def test_notes__every_commit_is_there_or_explained(tmp_path: Path) -> None:
    make(tmp_path, COMMITS, tags={"v1.0.0": 0})
    place = context(tmp_path)
    section = section_for(place)
    text = notes(tmp_path)
    for verdict in section.verdicts:
        shown = any(entry.group for entry in verdict.entries)
        assert why_verdict(verdict, place.repository.rules)
        assert not shown or verdict.commit.short in text or f"#{verdict.entries[0].pull}" in text


def test_contributors__one_person_with_two_addresses(tmp_path: Path) -> None:
    commits = [
        Planned("fix: a", (), 1_700_000_000, "dev-2", "dev-2@example.com"),
        Planned("fix: b", (0,), 1_700_000_060, "dev-2", "7+dev-2@users.noreply.github.com"),
        Planned("fix: c\n\nCo-authored-by: Dev Two <dev-2@example.com>", (1,), 1_700_000_120, "dev-1"),
    ]
    ids = make(tmp_path, commits)
    found = [verdict.commit for verdict in section_for(context(tmp_path, "1.0.0")).verdicts]
    people = contributors(found, {ids[0]: "dev-2"}, {ids[1]: 5, ids[2]: 9}, lambda people: set(), {"dev-2"})
    assert [(person.name, person.commits, person.first, person.pull) for person in people] == [
        ("@dev-2", 3, True, 5),
        ("dev-1", 1, True, 9),
    ]


@pytest.mark.parametrize(
    ("author", "email", "footer"),
    [
        ("dev-1", "dev-1@example.com", "Co-authored-by: X <1+torvalds@users.noreply.github.com>"),
        ("X", "1+torvalds@users.noreply.github.com", ""),
        ("@torvalds", "x@example.com", ""),
    ],
)
def test_contributors__a_login_in_a_commit__is_no_mention(tmp_path: Path, author: str, email: str, footer: str) -> None:
    ids = make(tmp_path, [Planned(f"fix: a\n\n{footer}", (), 1_700_000_000, author, email)])
    found = [verdict.commit for verdict in section_for(context(tmp_path, "1.0.0")).verdicts]
    # What GitHub says of a commit's author follows from the address that the commit names.
    said_by_github = {ids[0]: "torvalds"} if not footer else {}
    people = contributors(found, said_by_github, {ids[0]: 5}, None, {"dev-9"})
    assert "torvalds" in {person.name for person in people}
    assert not any(person.name.startswith("@") for person in people)
    assert "@torvalds" not in notes(tmp_path, "1.0.0")


@pytest.mark.parametrize("kind", ["notes", "changelog"])
@pytest.mark.parametrize("outside", ["absolute", "parents", "link", "git"])
def test_a_template_outside_the_repository_is_refused(tmp_path: Path, kind: str, outside: str) -> None:
    repository, secret = tmp_path / "repo", tmp_path / "secret"
    make(repository, COMMITS[:1])
    secret.write_text("planted")
    paths = {"absolute": str(secret), "parents": "../secret", "link": "inside.j2", "git": ".git/config"}
    (repository / "inside.j2").symlink_to(secret)
    place = context(repository)
    rules = dataclasses.replace(place.rules, templates=Templates(**{kind: paths[outside]}))
    place.__dict__["rules"] = rules  # a cached property
    with pytest.raises(InputError, match="is not a file of this repository") as refused:
        place.own_template(kind)
    assert refused.value.next_step
    (repository / "own.j2").write_text("{{ title }}")
    place.__dict__["rules"] = dataclasses.replace(rules, templates=Templates(**{kind: "own.j2"}))
    assert place.own_template(kind) == repository / "own.j2"


def test_authors_before(tmp_path: Path) -> None:
    ids = make(tmp_path, COMMITS)
    everybody = {"dev-1@example.com", "7+dev-2@users.noreply.github.com", "@dev-2"}
    assert authors_before(Git(tmp_path), ids[1], [{"@dev-2", "dev-2@example.com"}, {"new@example.com"}]) == everybody


def test_authors_before__reads_until_all_were_met(tmp_path: Path) -> None:
    """More commits than a pipe holds, so that git cannot have listed them all before it is stopped."""
    first = Planned("feat: begin", (), 1_700_000_000, "first", "first@example.com")
    more = [Planned(f"fix: {n}", (n,), 1_700_000_060 + n, "dev-1", f"{'a' * 600}-{n}@example.com") for n in range(4000)]
    ids = make(tmp_path, [first, *more])
    newest = f"{'a' * 600}-3999@example.com"
    assert "first@example.com" not in authors_before(Git(tmp_path), ids[-1], [{newest, "never@example.com"}])
    assert "first@example.com" in authors_before(Git(tmp_path), ids[-1], [{newest}, {"new@example.com"}])


def test_migrations__first_comment_is_what_it_does(tmp_path: Path) -> None:
    ids = make(tmp_path, COMMITS)
    found = new_migrations(Git(tmp_path), "db/", ids[4], ids[0])
    assert [(each.name, each.kind, each.summary) for each in found] == [
        ("0002_vectors.expand.sql", "expand", "Vectors beside the notes."),
        ("0003_drop.contract.sql", "contract", ""),
        ("0004_what.sql", "unmarked", "?"),
    ]
    assert [each.name for each in new_migrations(Git(tmp_path), "db", ids[0], None)] == ["0001_notes.expand.sql"]
    assert new_migrations(Git(tmp_path), "", ids[4], None) == []


def test_notes__from_a_folder_below(tmp_path: Path) -> None:
    make(tmp_path, COMMITS, tags={"v1.0.0": 0})
    git(tmp_path, "checkout", "-q", "main")
    assert notes(tmp_path / "db") == notes(tmp_path)


MANIFEST = """
platform: {name: techmate, repository: techmate/platform}
components: {backend: {paths: [apps/backend/**], migrations: apps/backend/migrations}}
ci: {checks: {}}
environments: {}
release:
  components:
    platform: {exclude: [apps/mobile]}
    mobile: {tag_format: "mobile-v{version}", paths: [apps/mobile]}
"""


def test_notes__of_one_component__tell_of_no_other(tmp_path: Path) -> None:
    hour = 3600
    commits = [
        Planned("feat: begin", (), 1_700_000_000, "dev-1", files={"apps/mobile/a": "1", "apps/backend/b": "1"}),
        Planned("feat: backend only\n\nHighlight: A faster backend", (0,), 1_700_000_000 + hour, "back-end",
                files={"apps/backend/migrations/0002_x.contract.sql": "-- Drops."}),
        Planned("chore: backend only", (1,), 1_700_000_000 + 2 * hour, "back-end", files={"apps/backend/c": "1"}),
        Planned("fix: mobile only", (2,), 1_700_000_000 + 3 * hour, "mobile-dev", files={"apps/mobile/a": "2"}),
        Planned("chore: mobile only", (3,), 1_700_000_000 + 4 * hour, "mobile-dev", files={"apps/mobile/b": "2"}),
    ]  # fmt: skip
    make(tmp_path, commits, tags={"v1.0.0": 0, "mobile-v1.0.0": 0})
    (tmp_path / "shipmate.yml").write_text(MANIFEST)
    environ = {"GITHUB_REPOSITORY": "techmate/platform"}
    mobile = ReleaseContext(folder=tmp_path, component="mobile", environ=environ)
    text = write_notes(mobile, section_for(mobile), Given())
    assert text.startswith("1 fix and 1 internal change since mobile-v1.0.0.")
    assert "## Contributors\n\nmobile-dev\n\n- mobile-dev made their first" in text
    for foreign in ("back-end", "migrations", "0002_x", "faster backend", "backend only"):
        assert foreign not in text
    platform = ReleaseContext(folder=tmp_path, environ=environ)
    text = write_notes(platform, section_for(platform), Given())
    assert text.startswith("1 feature and 1 internal change since v1.0.0.")
    assert "`0002_x.contract.sql`" in text
    assert "- A faster backend" in text
    assert "mobile" not in text


def test_migrations__whose_they_are__by_path() -> None:
    from release.changelog.writing import _holds

    folder = "apps/backend/migrations"
    assert _holds(ReleaseComponent(), folder)
    assert _holds(ReleaseComponent(paths=(".",)), folder)
    for path in ("apps/backend", "apps/backend/**", "apps", "apps/*", folder, f"{folder}/"):
        assert _holds(ReleaseComponent(paths=(path,)), folder), path
        assert not _holds(ReleaseComponent(exclude=(path,)), folder), path
    assert not _holds(ReleaseComponent(paths=("apps/back",)), folder)
