"""Why commits count and versions come next: each reason as data, and in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.manifest.release import Release, ReleaseComponent
from release.commits.git import Git
from release.versions.decision import Decision, decide
from release.versions.reasons import Outcome, Reason
from release.versions.repository import Repository
from release.versions.wording import why_decision, why_verdict
from tests.release.histories import Planned, line, make

HOUR = 3600
MERGED = [
    Planned("chore: begin", (), 1_700_000_000),
    Planned("fix: inside", (0,), 1_700_000_000 + HOUR),
]


def merged(message: str) -> list[Planned]:
    """A branch with one fix, merged with a message."""
    return [*MERGED, Planned(message, (0, 1), 1_700_000_000 + 2 * HOUR)]


def reasons(folder: Path, commits: list[Planned], release: Release) -> dict[Reason, str]:
    make(folder, commits, tags={"v1.0.0": 0})
    repository = Repository.open(Git(folder), release)
    return {each.because.reason: why_verdict(each, repository.rules) for each in repository.facts().verdicts}


SHOP = Release(components={"shop": ReleaseComponent(paths=["shop"])})
CASES: dict[Reason, tuple[list[Planned], Release, str]] = {
    Reason.OWN_MESSAGE: (line("chore: begin", "feat: a"), Release(), "feat raises minor"),
    Reason.UNREADABLE: (line("chore: begin", "words"), Release(), "its first line is no Conventional Commit"),
    Reason.SKIPPED: (line("chore: begin", "fix: a [skip release]"), Release(), "says [skip release]"),
    Reason.SKIPPED_BY_MERGE: (
        merged("Merge pull request #9 from o/b\n\nfix: all [skip release]"),
        Release(),
        "says [skip release] in #9, the merge that brought it",
    ),
    Reason.OTHER_COMPONENT: (line("chore: begin", "fix: a"), SHOP, "touches nothing of shop"),
    Reason.REVERTED: (line("chore: begin", "fix: a", 'Revert "fix: a"'), Release(), "reverted by "),
    Reason.COVERED_BY_MERGE: (
        merged("Merge pull request #9 from o/b\n\nfeat: all"),
        Release(merge="title"),
        "part of #9, whose title counts for it",
    ),
    Reason.MERGE_TITLE: (
        merged("Merge pull request #9 from o/b\n\nfeat: all"),
        Release(),
        "title of #9: feat raises minor",
    ),
    Reason.MERGE_WITHOUT_TITLE: (
        merged("Merge branch 'b'"),
        Release(),
        "merge of a branch; it has no title of its own",
    ),
    Reason.MERGE_OF_COUNTED: (
        merged("Merge pull request #9 from o/b\n\nfix: all"),
        Release(),
        "merge of #9; its commits count themselves",
    ),
}


@pytest.mark.parametrize("reason", list(Reason), ids=lambda reason: reason.name.lower())
def test_verdict__each_reason__as_data_and_in_words(tmp_path: Path, reason: Reason) -> None:
    commits, release, words = CASES[reason]
    found = reasons(tmp_path, commits, release)
    assert found.get(reason, "").startswith(words), found


def decision_on(folder: Path, tags: dict[str, int], *messages: str, channel: str = "") -> Decision:
    make(folder, line("chore: begin", *messages), tags=tags)
    repository, rules = Repository.open(Git(folder), Release()), Release()
    return decide(repository.facts(), rules, repository.component, channel=channel)


@pytest.mark.parametrize(
    ("tags", "messages", "channel", "outcome", "words"),
    [
        ({"v1.0.0": 0}, (), "", Outcome.NO_COMMITS, "there is no commit since v1.0.0"),
        ({"v1.0.0": 0}, ("docs: a",), "", Outcome.NOTHING_COUNTS, "the one commit since v1.0.0 does not count"),
        ({"v1.0.0": 0}, ("docs: a", "ci: b"), "", Outcome.NOTHING_COUNTS, "none of the 2 commit(s) since v1.0.0 counts"),
        ({}, (), "", Outcome.FIRST_VERSION, "there is no release yet: this is the first version"),
        ({"v1.0.0": 0}, ("fix: a", "feat: b"), "", Outcome.CHANGES, "minor change since v1.0.0: "),
        ({"v0.1.0": 0}, ("feat: b",), "", Outcome.CHANGES, "minor change before 1.0.0, since v0.1.0: "),
        ({"v1.0.0": 0, "v2.0.0-rc.1": 1}, ("fix: a",), "", Outcome.PRERELEASE_IS_OUT, "its pre-release v2.0.0-rc.1 is out"),
        ({"v1.0.0": 0, "v1.0.1-rc.1": 1}, ("fix: a",), "rc", Outcome.CHANNEL_HAS_ALL, "nothing that counts came after v1.0.1-rc.1"),
    ],
)  # fmt: skip
def test_decision__each_outcome__as_data_and_in_words(
    tmp_path: Path, tags: dict[str, int], messages: tuple[str, ...], channel: str, outcome: Outcome, words: str
) -> None:
    decision = decision_on(tmp_path, tags, *messages, channel=channel)
    assert (decision.outcome, why_decision(decision)[: len(words)]) == (outcome, words)


def test_first_version__only_commits_left_out__none(tmp_path: Path) -> None:
    """Whether there is a first version hangs on the reason, whatever a message says."""
    make(tmp_path, line("says [skip release]: touches nothing of shop"))
    assert Repository.open(Git(tmp_path), Release()).decide().version is None
    make(tmp_path / "b", line("touches nothing of shop"))
    assert str(Repository.open(Git(tmp_path / "b"), Release()).decide().version) == "0.1.0"
