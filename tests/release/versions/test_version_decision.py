"""The next version: rules, lines, channels, components, and every way a clone can mislead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import InputError, ReleaseError
from pipelines.manifest.release import Release, ReleaseComponent, TypeRule
from release.commits.git import Git
from release.versions.decision import Decision, decide
from release.versions.repository import Repository
from release.versions.rules import Rules
from release.versions.wording import why_decision, why_verdict
from tests.release.histories import Planned, git, line, make


def next_of(folder: Path, rules: Release | None = None, *, channel: str = "", **more: Any) -> Decision:
    rules = rules or Release()
    repository = Repository.open(Git(folder), rules, **more)
    return decide(repository.facts(), rules, repository.component, channel=channel)


def version(folder: Path, rules: Release | None = None, **more: Any) -> str | None:
    decision = next_of(folder, rules, **more)
    return str(decision.version) if decision.version is not None else None


def reasons(decision: Decision) -> dict[str, str]:
    return {verdict.commit.message.subject: why_verdict(verdict, Rules(Release())) for verdict in decision.verdicts}


@pytest.mark.parametrize(
    ("since", "commits", "expected"),
    [
        ("v1.2.3", ["fix: a"], "1.2.4"),
        ("v1.2.3", ["fix: a", "feat: b"], "1.3.0"),
        ("v1.2.3", ["feat: b", "chore!: c"], "2.0.0"),
        ("v1.2.3", ["chore: a", "docs: b"], None),
        ("v1.2.3", ["words"], None),
        ("v0.2.3", ["feat!: a"], "0.3.0"),
        ("v0.2.3", ["feat: a"], "0.3.0"),
        ("v0.2.3", ["fix: a"], "0.2.4"),
        ("v1.2.3", ["fix(security): a"], "1.2.4"),
        ("v1.2.3", ["chore(security): a"], "1.2.4"),
        ("v1.2.3", ["perf: a"], "1.2.4"),
        ("v1.2.3", ["feat: a [skip release]", "fix: b"], "1.2.4"),
    ],
)
def test_next__by_type(tmp_path: Path, since: str, commits: list[str], expected: str | None) -> None:
    make(tmp_path, line("chore: begin", *commits), tags={since: 0})
    assert version(tmp_path) == expected


def test_next__rules_of_the_manifest(tmp_path: Path) -> None:
    make(tmp_path, line("chore: begin", "docs: a", "words"), tags={"v0.1.0": 0})
    assert version(tmp_path, Release(types={"docs": TypeRule(bump="patch", group="Documentation")})) == "0.1.1"
    assert version(tmp_path, Release(unconventional="patch")) == "0.1.1"
    assert version(tmp_path, Release(types={"docs": TypeRule(bump="minor")}, zero_feature="patch")) == "0.1.1"
    make(tmp_path / "b", line("chore: begin", "fix!: a"), tags={"v0.1.0": 0})
    assert version(tmp_path / "b", Release(zero_breaking="major")) == "1.0.0"


def test_next__no_release_yet__is_the_first_version(tmp_path: Path) -> None:
    make(tmp_path, line("Initial commit", "words"))
    decision = next_of(tmp_path)
    assert (str(decision.version), decision.current, decision.latest) == ("0.1.0", None, True)
    own = Release(components={"platform": ReleaseComponent(initial="1.0.0")})
    assert version(tmp_path, own) == "1.0.0"
    assert version(tmp_path, own, channel="rc") == "1.0.0-rc.1"


def test_next__nothing_since__says_so(tmp_path: Path) -> None:
    make(tmp_path, line("feat: a"), tags={"v1.0.0": 0})
    decision = next_of(tmp_path)
    assert (decision.version, why_decision(decision)) == (None, "there is no commit since v1.0.0")


def test_next__tag_formats(tmp_path: Path) -> None:
    tags = {"1.0.0": 0, "v2.0.0": 0, "mobile-v3.0.0": 0, "v4": 0, "release-5.0.0": 0}
    make(tmp_path, line("chore: begin", "fix: a"), tags=tags)
    assert version(tmp_path, tag_format="{version}") == "1.0.1"
    assert version(tmp_path) == "2.0.1"
    assert version(tmp_path, tag_format="mobile-v{version}") == "3.0.1"
    assert next_of(tmp_path, tag_format="release-{version}").tag == "release-5.0.1"
    for wrong in ("v", "{version}{version}", "v {version}", "v{version}~1"):
        with pytest.raises(InputError, match="tag format"):
            next_of(tmp_path, tag_format=wrong)


def test_next__channels(tmp_path: Path) -> None:
    commits = line("chore: begin", "fix: a", "fix: b", "chore: c", "feat: d")
    make(tmp_path, commits, tags={"v1.0.0": 0, "v1.0.1-rc.1": 1})
    assert version(tmp_path, channel="rc", commit="HEAD~2") == "1.0.1-rc.2"
    assert version(tmp_path, channel="rc", commit="HEAD~3") is None, "the channel has all of it"
    assert version(tmp_path, channel="beta", commit="HEAD~3") == "1.0.1-beta.1"
    assert version(tmp_path, channel="rc") == "1.1.0-rc.1", "a feature came in: another version, counted from one"
    assert version(tmp_path, commit="HEAD~3") == "1.0.1", "the final release of what the candidate was"


def test_next__channel_number__is_never_used_twice(tmp_path: Path) -> None:
    """rc.7 is on another branch; its number is taken all the same."""
    commits = [*line("chore: begin", "feat: a"), Planned("feat: elsewhere", (0,), 1_700_000_500)]
    make(tmp_path, commits, tags={"v1.0.0": 0, "v1.1.0-rc.7": 2}, head=1, branches={"other": 2})
    assert version(tmp_path, channel="rc") == "1.1.0-rc.8"


def test_next__out_of_its_pre_release__is_not_lower(tmp_path: Path) -> None:
    make(tmp_path, line("chore: begin", "fix: a", "chore: b"), tags={"v1.0.0": 0, "v2.0.0-rc.1": 1})
    assert version(tmp_path) == "2.0.0"
    assert version(tmp_path, channel="rc") is None


def test_next__maintenance_line__never_outranks_the_latest(tmp_path: Path) -> None:
    commits = [*line("chore: begin", "feat: a", "feat!: b"), Planned("fix: old", (1,), 1_700_000_900)]
    make(tmp_path, commits, tags={"v1.0.0": 0, "v1.1.0": 1, "v2.0.0": 2}, branches={"release/1.x": 3}, head=2)
    git(tmp_path, "checkout", "-q", "release/1.x")
    decision = next_of(tmp_path)
    assert (str(decision.version), decision.latest, decision.line and decision.line.name) == ("1.1.1", False, "1.x")
    git(tmp_path, "checkout", "-q", "main")
    assert next_of(tmp_path).version is None


@pytest.mark.parametrize(("branch", "message"), [("release/1.x", "feat!: c"), ("release/1.1.x", "feat: c")])
def test_next__change_too_large_for_its_line__is_refused(tmp_path: Path, branch: str, message: str) -> None:
    make(tmp_path, line("feat: a", message), tags={"v1.1.0": 0}, branches={branch: 1})
    with pytest.raises(ReleaseError, match="does not belong on the maintenance line") as raised:
        next_of(tmp_path, branch=branch)
    assert "feat" in raised.value.why


def test_next__hotfix_from_a_tag__detached(tmp_path: Path) -> None:
    commits = [*line("feat: a", "feat: b"), Planned("fix: hot", (0,), 1_700_000_900)]
    ids = make(tmp_path, commits, tags={"v1.0.0": 0, "v1.1.0": 1})
    git(tmp_path, "checkout", "-q", "--detach", ids[2])
    decision = next_of(tmp_path)
    assert (str(decision.version), decision.branch, decision.latest) == ("1.0.1", None, False)


def test_next__version_taken_on_another_line__is_refused(tmp_path: Path) -> None:
    commits = [*line("feat: a", "feat: b"), Planned("feat: other", (0,), 1_700_000_900)]
    make(tmp_path, commits, tags={"v1.0.0": 0, "v1.1.0": 1}, branches={"topic": 2})
    with pytest.raises(ReleaseError, match=r"v1\.1\.0 comes next .* exists already"):
        next_of(tmp_path, commit="topic")


def test_next__tag_elsewhere_shares_commits__they_still_count_here(tmp_path: Path) -> None:
    """v1.0.1 was cut on a branch from a commit that main has too: main has not released that commit."""
    commits = [*line("chore: begin", "feat: shared", "chore: c"), Planned("fix: on the branch", (1,), 1_700_000_900)]
    make(tmp_path, commits, tags={"v1.0.0": 0, "v1.0.1": 3}, head=2)
    decision = next_of(tmp_path)
    assert str(decision.version) == "1.1.0"
    assert "feat: shared" in reasons(decision)


def test_next__tags_out_of_order__the_highest_below_counts(tmp_path: Path) -> None:
    make(tmp_path, line("a", "b", "fix: c"), tags={"v2.0.0": 0, "v1.9.0": 1})
    assert version(tmp_path) == "2.0.1"


def component(**more: Any) -> Release:
    mobile = ReleaseComponent(tag_format="mobile-v{version}", paths=("apps/mobile",), initial="1.0.0", **more)
    return Release(components={"platform": ReleaseComponent(exclude=("apps/mobile",)), "mobile": mobile})


def test_next__components__own_paths_and_versions(tmp_path: Path) -> None:
    commits = [
        Planned("chore: begin", files={"a": "1"}),
        Planned("feat: app", (0,), 1_700_000_060, files={"apps/mobile/x": "1"}),
        Planned("fix: api", (1,), 1_700_000_120, files={"apps/backend/x": "1"}),
        Planned("fix: both", (2,), 1_700_000_180, files={"apps/mobile/y": "1", "b": "1"}),
        Planned("feat: nothing", (3,), 1_700_000_240),
    ]
    make(tmp_path, commits, tags={"v1.0.0": 0, "mobile-v2.0.0": 0})
    platform, mobile = next_of(tmp_path, component()), next_of(tmp_path, component(), component="mobile")
    assert (str(platform.version), platform.latest) == ("1.0.1", True)
    assert (platform.tag, mobile.tag) == ("v1.0.1", "mobile-v2.1.0")
    assert reasons(platform)["feat: app"] == "touches nothing of platform"
    assert reasons(mobile)["fix: api"] == "touches nothing of mobile"
    assert reasons(mobile)["fix: both"] == reasons(platform)["fix: both"] == "fix raises patch"
    assert not mobile.latest, "only the first component's releases are GitHub's latest"
    with pytest.raises(InputError, match="no release component 'tablet'"):
        next_of(tmp_path, component(), component="tablet")


def merged(title: str, *inside: str) -> list[Planned]:
    """A branch of commits merged by pull request 9."""
    commits = line("chore: begin")
    for message in inside:
        commits.append(Planned(message, (len(commits) - 1,), 1_700_000_000 + 60 * len(commits), files={"x": message}))
    merge = Planned(f"Merge pull request #9 from techmate/topic\n\n{title}", (0, len(commits) - 1), 1_700_009_000)
    return [*commits, merge]


@pytest.mark.parametrize(
    ("mode", "title", "inside", "expected"),
    [
        ("commits", "feat: whole", ["fix: a", "wip"], "1.1.0"),
        ("commits", "fix: whole", ["feat: a"], "1.1.0"),
        ("commits", "words", ["fix: a"], "1.0.1"),
        ("commits", "feat: whole", ["wip", "more"], "1.1.0"),
        ("title", "fix: whole", ["feat: a"], "1.0.1"),
        ("title", "words", ["feat: a"], "1.1.0"),
        ("title", "chore: whole", ["feat!: a"], None),
    ],
)
def test_next__merges(tmp_path: Path, mode: Any, title: str, inside: list[str], expected: str | None) -> None:
    make(tmp_path, merged(title, *inside), tags={"v1.0.0": 0})
    assert version(tmp_path, Release(merge=mode)) == expected


def test_next__merge__gives_its_commits_their_pull_request(tmp_path: Path) -> None:
    make(tmp_path, merged("words", "fix: a"), tags={"v1.0.0": 0})
    entries = [entry for verdict in next_of(tmp_path).verdicts for entry in verdict.entries]
    assert [(entry.header.description, entry.pull) for entry in entries] == [("a", 9)]


def test_next__merge_in_a_component__touches_what_it_brought(tmp_path: Path) -> None:
    commits = line("chore: begin")
    commits.append(Planned("wip", (0,), 1_700_000_060, files={"apps/mobile/x": "1"}))
    commits.append(Planned("Merge pull request #9 from techmate/topic\n\nfeat: app", (0, 1), 1_700_000_120))
    commits[2].files = {"apps/mobile/x": "1"}
    make(tmp_path, commits, tags={"mobile-v2.0.0": 0, "v1.0.0": 0})
    assert version(tmp_path, component(), component="mobile") == "2.1.0"
    assert version(tmp_path, component()) is None


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        (["feat: a", 'Revert "feat: a"\n\nThis reverts commit {1}.'], None),
        (["feat: a", "fix: b", 'Revert "feat: a"\n\nThis reverts commit {1}.'], "1.0.1"),
        (["feat: a", 'Revert "feat: a"\n\nThis reverts commit {1}.', 'Reapply "feat: a"\n\nThis reverts commit {2}.'], "1.1.0"),
        (["feat: a (#4)", 'Revert "feat: a" (#5)\n\nReverts techmate/platform#4'], None),
        (["feat: a", 'Revert "feat: a"'], None),
        (["feat: a", "revert: feat: a\n\nRefs: {1}"], None),
        (["feat: a", "fix: b\n\nThis reverts commit {1}."], "1.1.0"),
        (["feat: a", "fix: b\n\nSee also. This reverts commit {1} partially"], "1.1.0"),
        (["feat: a (#4)", "fix: b\n\nReverts techmate/platform#4"], "1.1.0"),
        (["feat: a", "revert: the thing\n\nThis reverts commit {1}."], None),
        (["feat: a", 'chore: b (#9)\n\n* Revert "feat: a"\n\nThis reverts commit {1}.'], None),
        (["feat: a", 'chore: b (#9)\n\n* Revert "feat: a"\n\nThis reverts commit {1}.\n\n* Reapply "feat: a"'], "1.1.0"),
        (["feat: a", 'chore: b (#9)\n\n* Revert "feat: a"\n\n* Reapply "feat: a"\n\n* Revert "feat: a"\n\nThis reverts commit {1}.'], None),
        (["feat: a", 'Revert "feat: a"\n\nThis reverts commit {1}.', 'ci: b\n\n* Reapply "feat: a"\n\nThis reverts commit {2}.'], "1.1.0"),
        (["feat: a", 'Revert "feat: a" (#9)\n\n* Revert "feat: a"\n\nThis reverts commit {1}.\n\n* fix: b'], "1.0.1"),
        (["feat: a", 'chore: b (#9)\n\n* Revert "feat: a"\n\nThis reverts commit {1}.', 'Revert "chore: b (#9)"'], "1.1.0"),
        (['chore: b (#9)\n\n* Revert "feat: before"'], "1.0.1"),
        (['chore: b (#9)\n\n* feat: a\n\n* Revert "feat: a"\n\n* feat: a'], "1.1.0"),
        (["feat: a", 'Revert "feat: a"\n\nThis reverts commit {1}.\n\nBREAKING CHANGE: gone'], "2.0.0"),
        (['Revert "feat: before (#2)" (#9)\n\nReverts techmate/platform#2'], "1.0.1"),
        (['Reapply "feat: before (#2)" (#9)'], "1.1.0"),
        (["feat: a\n\n(cherry picked from commit 00112233445566778899aabbccddeeff00112233)",
          'Revert "feat: a"\n\nThis reverts commit 00112233445566778899aabbccddeeff00112233.'], None),
    ],
)  # fmt: skip
def test_next__reverts(tmp_path: Path, messages: list[str], expected: str | None) -> None:
    make(tmp_path, line("chore: begin", *messages), tags={"v1.0.0": 0})
    assert version(tmp_path) == expected


def test_next__revert_of_a_merge__takes_back_all_it_brought(tmp_path: Path) -> None:
    commits = merged("words", "feat: a", "fix: b")
    revert = Planned(
        f'Revert "Merge"\n\nThis reverts commit {{{len(commits) - 1}}}, reversing\nchanges made to {{0}}.',
        (len(commits) - 1,),
        1_700_099_000,
    )
    make(tmp_path, [*commits, revert], tags={"v1.0.0": 0})
    assert version(tmp_path) is None


def test_next__squash_with_several_types(tmp_path: Path) -> None:
    message = 'chore: many (#7)\n\n* fix: a\n\n* feat: b\n\n* Revert "fix: a"\n\n* words'
    make(tmp_path, line("chore: begin", message), tags={"v1.0.0": 0})
    decision = next_of(tmp_path)
    assert str(decision.version) == "1.1.0"
    shown = [entry.header.description for entry in decision.verdicts[0].entries]
    assert shown == ["many", "b"]
    assert version(tmp_path, Release(squash_body="pull-request-body")) is None


def test_next__squash_that_takes_something_back__explains_both(tmp_path: Path) -> None:
    squash = 'feat: b (#9)\n\n* Revert "fix: a"\n\nThis reverts commit {1}.'
    ids = make(tmp_path, line("chore: begin", "fix: a", squash), tags={"v1.0.0": 0})
    decision = next_of(tmp_path)
    assert reasons(decision)["feat: b"] == f"reverts {ids[1][:9]}, which is left out; feat raises minor"
    assert reasons(decision)["fix: a"] == f"reverted by {ids[2][:9]}"


@pytest.mark.parametrize(
    ("message", "expected", "text"),
    [
        ("fix: x\n\n* did this\n* did that\n\nBREAKING CHANGE: gone", "2.0.0", "x"),
        ("fix: x\n\n* wip\n\nBREAKING CHANGE: gone", "2.0.0", "x"),
        ("fix: x\n\n* chore: y\n\nBREAKING CHANGE: gone", "2.0.0", "y"),
        ("fix: x\n\n* BREAKING CHANGE: gone", "2.0.0", "x"),
        ("words\n\n* wip\n\nBREAKING CHANGE: gone", "2.0.0", "words"),
        ("Rework the API (#5)\n\nBREAKING CHANGE: gone", "2.0.0", "Rework the API"),
        ("Merge pull request #14 from a/b\n\nSome title\n\nBREAKING CHANGE: gone", "2.0.0", "Some title"),
        ("Merge pull request #14 from a/b\n\nBREAKING CHANGE: gone", "2.0.0", "Merge pull request #14 from a/b"),
        ("Merge pull request #14 from a/b\n\nSome title\n\n* feat: y\n\nBREAKING CHANGE: gone", "2.0.0", "Some title"),
        ('Revert "feat: x"\n\nBREAKING CHANGE: gone', "2.0.0", "x"),
    ],
)
def test_next__breaking_footer__counts_whatever_the_first_line(
    tmp_path: Path, message: str, expected: str, text: str
) -> None:
    make(tmp_path, line("chore: begin", message), tags={"v1.0.0": 0})
    decision = next_of(tmp_path)
    assert str(decision.version) == expected
    broken = [entry for entry in decision.verdicts[0].entries if entry.group == "Breaking changes"]
    assert [(entry.header.description, entry.breaking) for entry in broken] == [(text, ("gone",))]


def test_next__breaking_footer_of_an_unconventional_commit__is_explained(tmp_path: Path) -> None:
    make(
        tmp_path,
        line("chore: begin", "Rework the API\n\nBREAKING CHANGE: gone", "Fix it\n\nCVE: 1"),
        tags={"v1.0.0": 0},
    )
    message = reasons(next_of(tmp_path))
    assert (
        message["Rework the API"]
        == "its BREAKING CHANGE footer raises major, though its first line is no Conventional Commit"
    )
    assert message["Fix it"] == "its Security footer raises patch, though its first line is no Conventional Commit"


def test_next__upgrade_of_a_squash__goes_to_what_breaks_in_it(tmp_path: Path) -> None:
    make(tmp_path, line("chore: begin", "chore: x\n\n* feat!: a\n* fix: b\n\nUpgrade: run it"), tags={"v1.0.0": 0})
    entries = next_of(tmp_path).verdicts[0].entries
    assert [(entry.header.description, entry.upgrade) for entry in entries] == [
        ("x", ("run it",)),
        ("a", ("run it",)),
        ("b", ()),
    ]


@pytest.mark.parametrize(
    "message",
    [
        "feat!(scope): x",
        "feat (scope)!: x",
        "\U0001f41b fix: x",
        "fix: x\n\n**BREAKING CHANGE**: y",
        "fix: x\n\nThis reverts commit 0123456.",
    ],
)
def test_next__what_was_nearly_meant__is_a_warning(tmp_path: Path, message: str) -> None:
    ids = make(tmp_path, line("chore: begin", message), tags={"v1.0.0": 0})
    assert [
        warning.startswith(f"{ids[1][:9]}: its ") or "is no footer" in warning for warning in next_of(tmp_path).warnings
    ] == [True]


def test_next__skip_on_one_bullet__drops_that_alone(tmp_path: Path) -> None:
    make(tmp_path, line("chore: begin", "fix: x\n\n* feat: a [skip release]\n\n* fix: b"), tags={"v1.0.0": 0})
    decision = next_of(tmp_path)
    assert str(decision.version) == "1.0.1"
    assert [entry.header.description for entry in decision.verdicts[0].entries] == ["x", "b"]


def test_next__skip_on_a_merge__covers_what_it_brought(tmp_path: Path) -> None:
    commits = merged("words [skip release]", "feat: a", "wip", "fix: b")
    commits.append(Planned("fix: c", (len(commits) - 1,), 1_700_099_000))
    make(tmp_path, commits, tags={"v1.0.0": 0})
    decision = next_of(tmp_path)
    assert str(decision.version) == "1.0.1"
    assert reasons(decision)["feat: a"] == "says [skip release] in #9, the merge that brought it"


def test_next__merge_that_breaks__is_reported_even_if_its_commits_break_too(tmp_path: Path) -> None:
    make(tmp_path / "a", merged("Some title\n\nBREAKING CHANGE: gone", "feat!: a"), tags={"v1.0.0": 0})
    make(
        tmp_path / "b",
        merged("Some title\n\nBREAKING CHANGE: gone", "feat: a\n\nBREAKING CHANGE: gone"),
        tags={"v1.0.0": 0},
    )
    assert [len(verdict.entries) for verdict in next_of(tmp_path / "a").verdicts] == [1, 1]
    assert [len(verdict.entries) for verdict in next_of(tmp_path / "b").verdicts] == [0, 1]


def test_next__unknown_type__says_what_was_meant(tmp_path: Path) -> None:
    make(tmp_path, line("chore: begin", "feature: a"), tags={"v1.0.0": 0})
    assert reasons(next_of(tmp_path))["feature: a"] == "type 'feature' is not in the rules (did you mean 'feat'?)"
