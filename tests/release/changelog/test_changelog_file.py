"""CHANGELOG.md: what stands in it, what a person wrote stays, and the same history gives the same bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import ReleaseError
from pipelines.manifest.release import Release
from release.changelog import built_in
from release.changelog.entries import Printer
from release.changelog.file import merge, replace
from release.changelog.rendering import PREAMBLE, RenderedSection, write
from release.commits.git import Git
from release.commits.web import Web
from release.versions.decision import decide
from release.versions.repository import Repository
from release.versions.rules import Rules
from tests.release.histories import Planned, git, line, make, sections

WEB = Web("https://github.com", "techmate/platform")


def written(
    folder: Path, web: Web = WEB, rules: Release | None = None, *, channel: str = "", prereleases: bool = False
) -> list[RenderedSection]:
    rules = rules or Release()
    repository = Repository.open(Git(folder), rules)
    found = sections(
        repository, lambda facts: decide(facts, rules, repository.component, channel=channel), prereleases=prereleases
    )
    return list(write(found, built_in.changelog, Printer(web), Rules(rules).groups))


def tags_of(folder: Path) -> set[str]:
    return {each.tag for each in Repository.open(Git(folder), Release()).released}


def headings(text: str) -> list[str]:
    return [row for row in text.splitlines() if row.startswith("## ")]


BREAKING = """feat(api)!: take notes by name (#12)

BREAKING CHANGE: the `id` of a note is gone.

Ask for `name` instead: `GET /notes?name=x`.
"""
LONG = [
    Planned("chore: begin", (), 1_700_000_000),
    Planned("fix: fix search (#2)", (0,), 1_700_000_060, "dev-2", "42+dev-2@users.noreply.github.com"),
    Planned(BREAKING, (1,), 1_700_000_120),
    Planned("perf(db): ask once (#13)", (2,), 1_700_000_180),
    Planned("fix(security): check the owner (#14)\n\nCVE: CVE-2026-1", (3,), 1_700_000_240),
    Planned("feat!: drop the old door", (4,), 1_700_000_300),
    Planned("docs: tell of it", (5,), 1_700_000_360),
]


def test_changelog__for_people_who_use_it(tmp_path: Path) -> None:
    ids = make(tmp_path, LONG, tags={"v1.0.0": 1})
    first, second = written(tmp_path)
    short = ids[5][:9]
    assert (
        first.text
        == f"""\
## [2.0.0](https://github.com/techmate/platform/compare/v1.0.0...v2.0.0) (2023-11-14)
<!-- shipmate v2.0.0 {first.marker.fingerprint} pending {short} {ids[2][:9]} {ids[3][:9]} {ids[4][:9]} -->

### Breaking changes

- drop the old door ([{short}](https://github.com/techmate/platform/commit/{ids[5]}), dev-1)

  **How to upgrade:** its author did not say; see [{short}](https://github.com/techmate/platform/commit/{ids[5]}).
- **api:** take notes by name ([#12](https://github.com/techmate/platform/pull/12), dev-1)

  the `id` of a note is gone.

  **How to upgrade:** Ask for `name` instead: `GET /notes?name=x`.

### Performance

- **db:** ask once ([#13](https://github.com/techmate/platform/pull/13), dev-1)

### Security

- **security:** check the owner ([#14](https://github.com/techmate/platform/pull/14), dev-1)
"""
    )
    assert (
        second.text
        == f"""\
## [1.0.0](https://github.com/techmate/platform/releases/tag/v1.0.0) (2023-11-14)
<!-- shipmate v1.0.0 {second.marker.fingerprint} -->

### Fixes

- fix search ([#2](https://github.com/techmate/platform/pull/2), dev-2)
"""
    )


def test_changelog__without_a_remote__has_no_links(tmp_path: Path) -> None:
    make(tmp_path, LONG, tags={"v1.0.0": 1})
    assert "](" not in written(tmp_path, Web("", ""))[0].text


def test_changelog__nothing_for_users__says_so(tmp_path: Path) -> None:
    make(tmp_path, line("chore: a", "chore: b"), tags={"v1.0.0": 0, "v1.0.1": 1})
    assert "Nothing that users would notice." in written(tmp_path)[0].text


def test_changelog__preparing_and_releasing_write_the_same(tmp_path: Path) -> None:
    """The date is that of the commit: the day the tag is made does not show."""
    make(tmp_path / "before", LONG, tags={"v1.0.0": 1})
    make(tmp_path / "after", LONG, tags={"v1.0.0": 1, "v2.0.0": 6})
    before, after = written(tmp_path / "before")[0], written(tmp_path / "after")[0]
    assert (before.heading, before.body) == (after.heading, after.body)


def test_changelog__pre_releases__until_the_final_one_is_out(tmp_path: Path) -> None:
    commits = line("feat: a", "fix: b", "fix: c", "chore: d")
    make(tmp_path / "a", commits, tags={"v1.0.0": 0, "v1.0.1-rc.1": 1, "v1.0.1-rc.2": 2})
    make(tmp_path / "b", commits, tags={"v1.0.0": 0, "v1.0.1-rc.1": 1, "v1.0.1-rc.2": 2, "v1.0.1": 3})
    assert [each.marker.tag for each in written(tmp_path / "a", channel="rc")] == [
        "v1.0.1-rc.2",
        "v1.0.1-rc.1",
        "v1.0.0",
    ]
    assert [each.marker.tag for each in written(tmp_path / "b")] == ["v1.0.1", "v1.0.0"]
    assert len(written(tmp_path / "b", prereleases=True)) == 4
    final = written(tmp_path / "b")[0].body
    assert "b (" in final
    assert "c (" in final


def test_changelog__same_commit_tagged_twice(tmp_path: Path) -> None:
    make(tmp_path, line("feat: a", "fix: b"), tags={"v1.0.0": 0, "v1.0.1": 1, "v1.1.0": 1})
    found = written(tmp_path)
    assert [(each.marker.tag, len(each.keys)) for each in found] == [("v1.1.0", 0), ("v1.0.1", 1), ("v1.0.0", 1)]
    assert "compare/v1.0.1...v1.1.0" in found[0].heading


def file_of(folder: Path) -> str:
    return merge("", written(folder), tags_of(folder))


def test_file__new(tmp_path: Path) -> None:
    make(tmp_path, LONG, tags={"v1.0.0": 1})
    text = file_of(tmp_path)
    assert text.startswith(PREAMBLE)
    assert text.endswith(")\n")
    assert merge(text, written(tmp_path), tags_of(tmp_path)) == text, "again changes nothing"
    assert merge(text, written(tmp_path), tags_of(tmp_path), rewrite=True) == text


def test_file__released_sections__are_kept_byte_for_byte(tmp_path: Path) -> None:
    make(tmp_path, LONG, tags={"v1.0.0": 1, "v2.0.0": 6})
    text = file_of(tmp_path)
    edited = text.replace("fix search", "Search finds umlauts again").replace("# Changelog", "# What changed")
    assert merge(edited, written(tmp_path), tags_of(tmp_path)) == edited
    assert merge(edited, written(tmp_path), tags_of(tmp_path), rewrite=True) == edited, (
        "edited: even a rewrite keeps it"
    )


def test_file__rewrite__only_what_nobody_edited(tmp_path: Path) -> None:
    make(tmp_path, LONG, tags={"v1.0.0": 1, "v2.0.0": 6})
    old = merge("", written(tmp_path, Web("", "")), tags_of(tmp_path)).replace("fix search", "Search is fixed")
    new = merge(old, written(tmp_path), tags_of(tmp_path), rewrite=True)
    assert "[#13](https://github.com/techmate/platform/pull/13)" in new
    assert "Search is fixed (#2, dev-2)" in new
    assert merge(old, written(tmp_path), tags_of(tmp_path)) == old


def test_file__missing_release__is_put_in_its_place(tmp_path: Path) -> None:
    commits = line("feat: a", "fix: b", "fix: c")
    make(tmp_path, commits, tags={"v1.0.0": 0, "v1.0.1": 1, "v1.0.2": 2})
    whole = file_of(tmp_path)
    blocks = whole.split("\n## ")
    without = "\n## ".join([blocks[0], blocks[1], blocks[3]])
    assert merge(without, written(tmp_path), tags_of(tmp_path)) == whole


def test_file__written_by_hand__is_adopted(tmp_path: Path) -> None:
    make(tmp_path, line("feat: a", "fix: b", "feat: c"), tags={"v1.0.0": 0, "v1.0.1": 1})
    own = "# Our log\n\nHello.\n\n## Plans\n\nMany.\n\n## v1.0.1 - yesterday\n\n* fixed b\n\n## [1.0.0] - before\n\n* all\n"
    text = merge(own, written(tmp_path), tags_of(tmp_path))
    assert headings(text)[1:] == ["## Plans", "## v1.0.1 - yesterday", "## [1.0.0] - before"]
    assert "1.1.0" in headings(text)[0]
    assert "* fixed b\n" in text
    assert text.startswith("# Our log\n\nHello.\n\n")
    assert merge(text, written(tmp_path), tags_of(tmp_path)) == text


def test_file__heading_in_a_code_block__is_no_section(tmp_path: Path) -> None:
    make(tmp_path, line("feat: a"), tags={"v1.0.0": 0})
    own = "# Log\n\n```\n## 1.0.0\n```\n\n## 1.0.0\n\nreal\n"
    assert merge(own, written(tmp_path), tags_of(tmp_path)) == own


def grow(folder: Path, *messages: str) -> None:
    make(folder, line("feat: begin", *messages), tags={"v1.0.0": 0})


def test_file__prepared_release__grows_with_the_commits(tmp_path: Path) -> None:
    grow(tmp_path / "a", "fix: one")
    grow(tmp_path / "b", "fix: one", "fix: two")
    text = file_of(tmp_path / "a")
    grown = merge(text, written(tmp_path / "b"), tags_of(tmp_path / "b"))
    assert grown == file_of(tmp_path / "b")


def test_file__prepared_release_becomes_another_version(tmp_path: Path) -> None:
    grow(tmp_path / "a", "fix: one")
    grow(tmp_path / "b", "fix: one", "feat: two")
    text = file_of(tmp_path / "a")
    assert "1.0.1" in text
    grown = merge(text, written(tmp_path / "b"), tags_of(tmp_path / "b"))
    assert "1.0.1" not in grown
    assert len(headings(grown)) == 2


def test_file__prepared_release_edited__keeps_every_word_and_gets_what_is_new(tmp_path: Path) -> None:
    grow(tmp_path / "a", "fix: one", "fix: unwanted", "perf: fast")
    grow(tmp_path / "b", "fix: one", "fix: unwanted", "perf: fast", "fix: three", "feat: four")
    text = file_of(tmp_path / "a")
    removed = next(row for row in text.splitlines() if "unwanted" in row)
    edited = (
        text.replace("one (", "One, the sooner the better (")
        .replace(removed + "\n", "")
        .replace("### Fixes", "### Fixes\n\nRead this first.\n")
    )
    grown = merge(edited, written(tmp_path / "b"), tags_of(tmp_path / "b"))
    assert "One, the sooner the better (" in grown
    assert "Read this first." in grown
    assert "unwanted" not in grown.replace("<!--", ""), "a line someone took out does not come back"
    fixes = grown.split("### Fixes")[1].split("###")[0]
    assert "three (" in fixes
    assert "### Features\n\n- four (" in grown
    assert headings(grown)[0].startswith("## [1.1.0]"), "a feature came in"
    assert merge(grown, written(tmp_path / "b"), tags_of(tmp_path / "b")) == grown, "again changes nothing"


def test_file__prepared_and_then_released__is_left_alone(tmp_path: Path) -> None:
    grow(tmp_path / "a", "fix: one")
    make(tmp_path / "b", line("feat: begin", "fix: one", "chore: release"), tags={"v1.0.0": 0, "v1.0.1": 2})
    text = file_of(tmp_path / "a")
    assert merge(text, written(tmp_path / "b"), tags_of(tmp_path / "b")) == text


def test_file__prepared_release_that_does_not_come__goes(tmp_path: Path) -> None:
    grow(tmp_path)
    before = merge("", written(tmp_path), tags_of(tmp_path))
    grow(tmp_path, "feat: b")
    prepared = merge(before, written(tmp_path), tags_of(tmp_path))
    assert headings(prepared)[0].startswith("## [1.1.0]")
    grow(tmp_path, "feat: b", 'Revert "feat: b"\n\nThis reverts commit {1}.')
    after = written(tmp_path)
    assert len(after) == 1, "nothing is to be released"
    assert merge(prepared, after, tags_of(tmp_path), over=True) == before
    assert merge(prepared, after, tags_of(tmp_path)) == prepared, "only what is released was asked for"
    warnings: list[str] = []
    edited = prepared.replace("- b (", "- B, by hand (")
    assert merge(edited, after, tags_of(tmp_path), over=True, warn=warnings.append) == edited
    assert warnings == ["v1.1.0 does not come any more, but its section was edited: take it out by hand"]


def test_file__edited_section_with_a_commit_taken_back__says_so(tmp_path: Path) -> None:
    grow(tmp_path, "feat: b", "feat: c")
    taken = git(tmp_path, "rev-parse", "main~1")
    edited = merge("", written(tmp_path), tags_of(tmp_path)).replace("- c (", "- C, by hand (")
    grow(tmp_path, "feat: b", "feat: c", 'Revert "feat: b"\n\nThis reverts commit {1}.')
    warnings: list[str] = []
    merge(edited, written(tmp_path), tags_of(tmp_path), warn=warnings.append)
    assert len(warnings) == 1
    assert warnings[0].startswith(f"{taken[:9]} is not part of v1.1.0 any more")


def test_file__edited_section__new_group_stands_in_its_order(tmp_path: Path) -> None:
    grow(tmp_path, "feat: b", "perf: p")
    edited = merge("", written(tmp_path), tags_of(tmp_path)).replace("- b (", "- B, by hand (")
    grow(tmp_path, "feat: b", "perf: p", "feat!: c", "fix: d", "revert: e")
    text = merge(edited, written(tmp_path), tags_of(tmp_path))
    section = text.split("\n## ")[1]
    groups = [row for row in section.splitlines() if row.startswith("### ")]
    assert groups == ["### Breaking changes", "### Features", "### Fixes", "### Performance", "### Reverts"]
    assert "- B, by hand (" in section
    assert "\n\n\n" not in text
    assert merge(text, written(tmp_path), tags_of(tmp_path)) == text


def test_file__generated_sections__stand_below_unreleased(tmp_path: Path) -> None:
    make(tmp_path, line("feat: a", "feat: b"), tags={"v1.0.0": 0})
    by_hand = "# Changelog\n\n## [Unreleased]\n\n- something to come\n\n## Older\n\nfrom before\n"
    text = merge(by_hand, written(tmp_path), tags_of(tmp_path))
    assert [row.split("]")[0] for row in headings(text)] == ["## [Unreleased", "## [1.1.0", "## [1.0.0", "## Older"]
    assert merge(text, written(tmp_path), tags_of(tmp_path)) == text
    alone = "## Unreleased\n"
    assert [row.split("]")[0] for row in headings(merge(alone, written(tmp_path), tags_of(tmp_path)))] == [
        "## Unreleased",
        "## [1.1.0",
        "## [1.0.0",
    ]


def test_replace__whole_or_not_at_all_with_the_rights_it_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, link = tmp_path / "CHANGELOG.md", tmp_path / "link.md"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to(file)
    replace(link, b"new")
    assert (file.read_text(), file.stat().st_mode & 0o777, link.is_symlink()) == ("new", 0o640, True)
    monkeypatch.setattr("shutil.copymode", lambda *_: (_ for _ in ()).throw(OSError("no room")))
    with pytest.raises(OSError, match="no room"):
        replace(file, b"newer")
    assert file.read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["CHANGELOG.md", "link.md"]


def test_changelog__off_the_line__is_refused_like_next(tmp_path: Path) -> None:
    make(tmp_path, line("feat: a", "feat: b"), tags={"v1.0.0": 0}, branches={"release/1.0.x": 1})
    rules = Release()
    repository = Repository.open(Git(tmp_path), rules, branch="release/1.0.x")
    with pytest.raises(ReleaseError, match="does not belong"):
        list(sections(repository, lambda facts: decide(facts, rules, repository.component)))
