"""Histories as repositories have them: branches, pre-releases, components and tags of every kind, one right version each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from pipelines.errors import InputError, ReleaseError
from pipelines.manifest.release import Release, ReleaseComponent
from release.changelog.selection import section_for
from release.context import ReleaseContext
from release.versions import decision as decisions
from release.versions.decision import Decision
from release.versions.tags import TagFormat
from tests.release.histories import Planned, git, line, make
from tests.release.versions.test_version_decision import next_of, version

REVERT = 'Revert "feat: b"\n\nThis reverts commit {1}.'


def test_channel__a_revert_of_what_a_pre_release_has__is_new_to_it(tmp_path: Path) -> None:
    make(tmp_path, line("chore: begin", "feat: b", REVERT), tags={"v1.0.0": 0, "v1.1.0-rc.1": 1})
    assert version(tmp_path, channel="rc") == "1.1.0-rc.2"
    assert version(tmp_path) == "1.1.0", "never lower than a pre-release that is out"


def test_channel__a_revert_of_what_came_after_a_pre_release__is_nothing(tmp_path: Path) -> None:
    commits = line("chore: begin", "feat: a", "feat: b", REVERT.replace("{1}", "{2}"))
    make(tmp_path, commits, tags={"v1.0.0": 0, "v1.1.0-rc.1": 1})
    assert version(tmp_path, channel="rc") is None


@pytest.mark.parametrize("tag", ["v1.1.0-rc1", "v1.1.0-rc-1", "v1.1.0-RC1", "v1.1.0-rc01x"])
def test_channel__written_in_one_word__is_never_undercut(tmp_path: Path, tag: str) -> None:
    make(tmp_path, line("chore: begin", "feat: b", "fix: c"), tags={"v1.0.0": 0, tag: 1})
    if tag == "v1.1.0-RC1":  # capitals sort below: rc.1 is above
        assert version(tmp_path, channel="rc") == "1.1.0-rc.1"
        return
    with pytest.raises(ReleaseError, match=f"lower than {tag}, which is out") as raised:
        version(tmp_path, channel="rc")
    assert "v1.1.0" in raised.value.next_step


def test_final__above_a_pre_release_that_is_out__though_a_hotfix_came_after(tmp_path: Path) -> None:
    commits = line("chore: begin", "feat!: a", "fix: c", "fix: d")
    make(tmp_path, commits, tags={"v1.0.0": 0, "v2.0.0-rc.1": 1, "v1.0.1": 2})
    assert version(tmp_path) == "2.0.0"
    assert version(tmp_path, channel="rc") == "2.0.0-rc.2"
    assert version(tmp_path, commit="HEAD~1") is None, "nothing came after v1.0.1"
    assert version(tmp_path, branch="release/1.x") == "1.0.2", "the line cannot have it"


@pytest.mark.parametrize(
    ("branch", "commit", "expected"),
    [
        ("release/1.2.x", "feat: b", "1.2.0"),
        ("release/1.2.x", "fix: b", "1.2.0"),
        ("release/1.2", "feat: b", "1.2.0"),
        ("release/1.x", "feat: b", "1.2.0"),
        ("release/2.x", "feat: b", "2.0.0"),
        ("release/2.x", "feat!: b", "2.0.0"),
        ("release/2.0.x", "fix: b", "2.0.0"),
    ],
)
def test_line__without_a_release_yet__begins_with_its_first_version(
    tmp_path: Path, branch: str, commit: str, expected: str
) -> None:
    make(tmp_path, line("chore: begin", commit), tags={"v1.1.0": 0})
    assert version(tmp_path, branch=branch) == expected


def test_line__without_any_release(tmp_path: Path) -> None:
    make(tmp_path, line("chore: begin", "feat: b"))
    assert version(tmp_path, branch="release/1.2.x") == "1.2.0"


def test_line__cut_from_a_higher_release__is_refused(tmp_path: Path) -> None:
    make(tmp_path, line("chore: begin", "feat: b"), tags={"v2.0.0": 0})
    with pytest.raises(ReleaseError, match=r"2\.1\.0 does not belong on the maintenance line 1\.x"):
        version(tmp_path, branch="release/1.x")


def test_line__of_numbers_without_end__is_none(tmp_path: Path) -> None:
    make(tmp_path, line("chore: begin", "fix: b"), tags={"v1.0.0": 0})
    assert version(tmp_path, branch=f"release/{'1' * 5_000}.x") == "1.0.1"


def test_taken__by_a_branch_that_was_cut__says_to_merge_it_back(tmp_path: Path) -> None:
    commits = [*line("chore: begin", "feat: c"), Planned("feat: a", (0,), 1_700_000_900)]
    make(tmp_path, commits, tags={"v1.0.0": 0, "v1.1.0": 2}, head=1)
    with pytest.raises(ReleaseError, match=r"v1\.1\.0 comes next after v1\.0\.0, but it exists") as raised:
        version(tmp_path)
    assert raised.value.next_step == "merge it back: git merge v1.1.0, then run this again"
    git(tmp_path, "checkout", "-q", "main")
    git(tmp_path, "merge", "-q", "-m", "Merge v1.1.0", "v1.1.0")
    assert version(tmp_path) == "1.2.0"


@pytest.mark.parametrize("text", ["pkg@{version}", "@scope/pkg@{version}", "a/b/v{version}", "{version}-final"])
def test_format__what_git_allows(tmp_path: Path, text: str) -> None:
    make(tmp_path, line("chore: begin", "fix: a"), tags={text.replace("{version}", "1.0.0"): 0})
    assert version(tmp_path, tag_format=text) == "1.0.1"
    assert next_of(tmp_path, tag_format=text).tag == text.replace("{version}", "1.0.1")


@pytest.mark.parametrize(
    "text",
    [
        "v{version}.lock",
        "-{version}",
        "/{version}",
        "v{version}/",
        "a/.{version}",
        "{version}@{1}",
        "v{version}\x7f",
        "v..{version}",
    ],
)
def test_format__what_git_refuses(text: str) -> None:
    with pytest.raises(InputError, match="cannot be used"):
        TagFormat(text)


OVERLAPPING = Release(
    components={
        "platform": ReleaseComponent(tag_format="v{version}"),
        "mobile": ReleaseComponent(tag_format="v{version}-mobile"),
    }
)


def test_components__whose_formats_overlap__have_their_own_tags(tmp_path: Path) -> None:
    make(tmp_path, line("chore: begin", "fix: a"), tags={"v1.0.0": 0, "v3.0.0-mobile": 0, "v1.0.1-rc.1": 0})
    assert version(tmp_path, OVERLAPPING) == "1.0.1"
    assert version(tmp_path, OVERLAPPING, component="mobile") == "3.0.1"


def test_components__with_the_same_format__are_refused(tmp_path: Path) -> None:
    make(tmp_path, line("chore: begin", "fix: a"), tags={"v1.0.0": 0})
    both = Release(components={"a": ReleaseComponent(), "b": ReleaseComponent()})
    with pytest.raises(InputError, match="two release components write their tags as"):
        version(tmp_path, both)


def test_build_metadata__names_its_own_release(tmp_path: Path) -> None:
    make(tmp_path, line("chore: begin", "fix: first", "fix: second"), tags={"v0.9.0": 0, "v1.0.0+a": 1, "v1.0.0+b": 2})
    for tag, expected in (("v1.0.0+a", ["first"]), ("v1.0.0+b", ["second"]), ("1.0.0+b", ["second"])):
        section = section_for(ReleaseContext(folder=tmp_path, version=tag, use_manifest=False))
        values = [entry.header.description for verdict in section.verdicts for entry in verdict.entries]
        assert (section.tag.removeprefix("v"), values) == (tag.removeprefix("v"), expected)


def explained(found: Decision) -> str:
    return "\n".join(found.warnings)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["1.1.0"], "1.1.0"),
        (["v1.1.0rc1"], "v1.1.0rc1"),
        (["v1.1"], "v1.1"),
        (["V1.1.0", "v1.1.0.1"], "v1.1.0.1, V1.1.0"),
        (["0.9.0", "v1", "nightly", "release-2.0.0", "2024"], ""),
    ],
)
def test_overlooked__tags_of_other_forms__are_named_when_they_are_higher(
    tmp_path: Path, tags: Sequence[str], expected: str
) -> None:
    make(tmp_path, line("chore: begin", "fix: a"), tags={"v1.0.0": 0, **dict.fromkeys(tags, 0)})
    found = next_of(tmp_path)
    assert str(found.version) == "1.0.1"
    assert ("do not count" in explained(found)) == bool(expected)
    for tag in filter(None, expected.split(", ")):
        assert tag in explained(found)


def test_overlooked__no_tag_of_the_format__names_those_there_are(tmp_path: Path) -> None:
    make(tmp_path, line("chore: begin", "fix: a"), tags={"release-2.0.0": 0})
    assert "1 tag(s) are no versions written as 'v{version}' and do not count: release-2.0.0" in explained(
        next_of(tmp_path)
    )


def test_overlooked__a_tag_of_another_component__is_not(tmp_path: Path) -> None:
    make(tmp_path, line("chore: begin", "fix: a"), tags={"v1.0.0": 0, "v3.0.0-mobile": 0})
    assert next_of(tmp_path, OVERLAPPING).warnings == ()


def test_overlooked__a_higher_release_off_the_branch__is_named(tmp_path: Path) -> None:
    commits = [*line("chore: begin", "fix: c"), Planned("feat!: a", (0,), 1_700_000_900)]
    make(tmp_path, commits, tags={"v1.0.0": 0, "v2.0.0": 2}, head=1)
    found = next_of(tmp_path)
    assert str(found.version) == "1.0.1"
    assert "v2.0.0 is not below" in explained(found)
    assert "git merge v2.0.0 lets it count" in explained(found)
    assert next_of(tmp_path, branch="release/1.x").warnings == (), "a line has only its own"


def test_history__whose_releases_are_on_branches__says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "_TOO_MANY", 3)
    commits = [*line("chore: begin", "fix: a", "feat: b", "fix: c", "fix: d"), Planned("fix: x", (1,), 1_700_000_900)]
    make(tmp_path, commits, tags={"v12.0.0": 0, "v12.0.1": 5}, head=4)
    with pytest.raises(
        ReleaseError, match=r"there are 4 commits since v12\.0\.0, and v12\.0\.1 is not below"
    ) as raised:
        version(tmp_path)
    assert "git merge v12.0.1" in raised.value.next_step


def test_tags__of_numbers_without_end__are_no_versions(tmp_path: Path) -> None:
    tags = {"v1.0.0": 0, f"v1.0.{'9' * 5_000}": 0, f"v1.1.0-rc.{'9' * 5_000}": 0}
    make(tmp_path, line("chore: begin", "fix: a"), tags=tags)
    assert version(tmp_path) == "1.0.1"
    with pytest.raises(InputError, match="is not a version"):
        TagFormat("v{version}").read(f"1.0.{'9' * 5_000}")


@pytest.mark.parametrize("time", [253_402_300_800, -5, 0, 2**62])
def test_dates__of_strangers__are_no_trace(tmp_path: Path, time: int) -> None:
    make(tmp_path, [Planned("chore: begin"), Planned("feat: x", (0,), time)], tags={"v1.0.0": 0})
    assert version(tmp_path) == "1.1.0"
    section = section_for(ReleaseContext(folder=tmp_path, use_manifest=False))
    assert section.date in ("1969-12-31", "1970-01-01", "9999-12-31")
