"""Messages of every tool and of strangers: one right value each, whatever stands beside it, and in time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.manifest.release import Release
from release.commits.git import Git
from release.commits.messages import Message, parse
from release.versions.decision import Decision
from release.versions.reasons import Reason
from release.versions.repository import Repository
from tests.release.histories import Planned, make

BREAKING = """feat!: new bindings

BREAKING CHANGE: the definition of bindings changed.

To migrate, follow the example below.

Before:

scope: {
  myAttr: 'attribute',
}

After:

```js
scope: { myAttr: '@' }
```

## Migration

Run the codemod.

Signed-off-by: dev-1 <dev-1@example.com>
"""


def decided(folder: Path, *commits: Planned, branch: str = "main") -> Decision:
    """What comes after v1.0.0, which is on a first commit."""
    make(folder, [Planned("chore: begin"), *commits], tags={"v1.0.0": 0})
    repository = Repository.open(Git(folder), Release(), branch=branch)
    return repository.decide("")


def version(folder: Path, *commits: Planned) -> str | None:
    found = decided(folder, *commits).version
    return str(found) if found is not None else None


def after(*messages: str) -> list[Planned]:
    return [Planned(text, (at,), 1_700_000_000 + at) for at, text in enumerate(messages)]


def test_breaking__several_paragraphs_with_code__are_all_of_it() -> None:
    body = parse(BREAKING).body
    assert body is not None
    [text] = body.breaking
    assert text.startswith("the definition of bindings changed.\n\nTo migrate")
    for part in (
        "Before:",
        "  myAttr: 'attribute',",
        "After:",
        "scope: { myAttr: '@' }",
        "## Migration",
        "Run the codemod.",
    ):
        assert part in text
    assert "Signed-off-by" not in text


@pytest.mark.parametrize(
    ("below", "message"),
    [
        ("\nRefs: #12", "x"),
        ("\nReviewed-by: dev-2", "x"),
        ("\nCloses #3", "x"),
        ("\n\nTicket: 12\nPriority: high", "x"),
        ("\n\nBefore: old()\nAfter: new()", "x\n\nBefore: old()\nAfter: new()"),
        ("\n\n## Checklist\n\n- [x] tests", "x"),
        ("\nBREAKING CHANGE: y", "x"),
        ("\nUpgrade: run it", "x"),
    ],
)
def test_breaking__ends_at_a_footer(below: str, message: str) -> None:
    body = parse(f"feat!: a\n\nBREAKING CHANGE: x{below}").body
    assert body is not None
    assert body.breaking[0] == message


def test_breaking__rule_12_wants_a_colon(tmp_path: Path) -> None:
    found = decided(tmp_path, *after("fix: y\n\nBREAKING CHANGE #5"))
    assert str(found.version) == "1.0.1"
    assert "is no footer" in found.warnings[0]
    assert "rule 12" in found.warnings[0]


@pytest.mark.parametrize(
    "subject", ["BREAKING CHANGE: x", "BREAKING-CHANGE: x", "Breaking-Changes: x", "breaking_change(api): x"]
)
def test_breaking__as_the_first_line__is_warned_of(tmp_path: Path, subject: str) -> None:
    found = decided(tmp_path, *after(subject))
    assert found.version is None
    assert "speaks of a breaking change" in found.warnings[0]


def test_squash__as_git_proposes_it__counts_by_its_commits(tmp_path: Path) -> None:
    text = (
        "Squashed commit of the following:\n\ncommit 5f0c1e2aa\nAuthor: dev-1 <dev-1@example.com>\nDate:   Tue\n\n"
        "    feat!: x\n\ncommit 9b2d7c411\nAuthor: dev-1 <dev-1@example.com>\nDate:   Tue\n\n    fix: y\n"
    )
    assert version(tmp_path, *after(text)) == "2.0.0"


SQUASHES = [
    ("Merged PR 1: feat!: x", "2.0.0"),
    ("Merged PR 12: fix: x\n\nRelated work items: #4", "1.0.1"),
    ("Merged in f (pull request #10)\n\nfix: x", "1.0.1"),
    ("Merged in f (pull request #10)\n\nfeat: x\n\nApproved-by: dev-2", "1.1.0"),
    ("Merge pull request #1 from u/b\n\nfix: x", "1.0.1"),
    ("Merge branch 'topic' into 'main'\n\nfeat: x\n\nSee merge request techmate/platform!7", "1.1.0"),
    ("Merge pull request #1 from u/b\n\nwords", None),
]


@pytest.mark.parametrize(("text", "expected"), SQUASHES)
def test_squash__with_the_message_of_a_merge__counts_by_its_title(
    tmp_path: Path, text: str, expected: str | None
) -> None:
    assert version(tmp_path / "alone", *after(text)) == expected
    assert version(tmp_path / "beside", *after("docs: d\n\nUpgrade: run it", text)) == expected, "a footer beside it"
    merged = [
        *after(text),
        Planned("chore: c", (0,), 1_700_000_100),
        Planned("Merge branch 'c'", (1, 2), 1_700_000_200),
    ]
    assert version(tmp_path / "merge", *merged) == expected, "a merge beside it"


REVERTING = [
    'Merged PR 6: Revert "feat: x"\n\nThis reverts commit {1}.',
    'Merged PR 6: Revert "feat: x"',
    'Merged PR 6: Revert "feat: x"\n\nReverts !5\n\nRelated work items: #4',
    "Merged PR 6: revert: feat: x\n\nThis reverts commit {1}.",
    'Merged in f (pull request #6)\n\nRevert "feat: x"\n\nApproved-by: dev-2',
    "Merge branch 'r' into 'main'\n\nRevert \"feat: x\"\n\nThis reverts commit {1}.\n\nSee merge request techmate/platform!6",
]


@pytest.mark.parametrize("text", REVERTING)
@pytest.mark.parametrize("reverted", ["feat: x", "Merged PR 5: feat: x"])
def test_squash__with_the_message_of_a_merge__is_a_revert_by_its_title(
    tmp_path: Path, text: str, reverted: str
) -> None:
    found = decided(tmp_path, *after(reverted, text))
    assert found.version is None
    assert [verdict.because.reason for verdict in found.verdicts] == [Reason.OWN_MESSAGE, Reason.REVERTED]
    assert not [warning for warning in found.warnings if "is no revert" in warning]


def test_squash__that_reverts_a_revert_by_the_title_of_a_merge__puts_it_back(tmp_path: Path) -> None:
    revert = 'Merged PR 6: Revert "feat: x"\n\nThis reverts commit {1}.'
    again = 'Merged PR 7: Revert "Merged PR 6: Revert "feat: x""\n\nThis reverts commit {2}.'
    assert version(tmp_path, *after("Merged PR 5: feat: x", revert, again)) == "1.1.0"


def test_squash__that_reverts_what_was_released__is_an_entry(tmp_path: Path) -> None:
    found = decided(tmp_path, *after('Merged PR 6: Revert "fix: of before"'))
    assert [entry.header.description for verdict in found.verdicts for entry in verdict.entries] == ["of before"]
    assert [entry.pull for verdict in found.verdicts for entry in verdict.entries] == [6]


def test_merge__of_a_revert__does_not_revert_twice(tmp_path: Path) -> None:
    """The commit that it brought reverts; the merge names the same title, of which an older one is in force."""
    history = [
        *after("feat: x", "feat: x", 'Revert "feat: x"'),
        Planned('Merged PR 6: Revert "feat: x"', (2, 3), 1_700_000_100),
    ]
    assert version(tmp_path, *history) == "1.1.0"


def test_merge__with_the_title_of_its_only_commit__is_one_entry(tmp_path: Path) -> None:
    found = decided(tmp_path, Planned("feat: z", (0,)), Planned("feat: z (#178)", (0, 1), 1_700_000_100))
    assert [entry.header.description for verdict in found.verdicts for entry in verdict.entries] == ["z"]
    assert [entry.pull for verdict in found.verdicts for entry in verdict.entries] == [178]


def test_merge__with_a_title_that_says_more__counts(tmp_path: Path) -> None:
    found = decided(tmp_path, Planned("fix: y", (0,)), Planned("feat: z (#178)", (0, 1), 1_700_000_100))
    assert str(found.version) == "1.1.0"


@pytest.mark.parametrize(
    "says",
    [
        "This reverts commits {1} and {2}.",
        "This reverts commits {1}, {2}.",
        "This reverts the following commits:\n\n- {1}\n- {2} fix: b",
        "This reverts commit {1}.\nThis reverts commit {2}.",
    ],
)
def test_revert__of_several__cancels_all(tmp_path: Path, says: str) -> None:
    assert version(tmp_path, *after("feat: a", "fix: b", f"revert: both\n\n{says}")) is None


def test_revert__of_several_pull_requests(tmp_path: Path) -> None:
    commits = after("feat: a (#4)", "fix: b (#5)", "revert: both\n\nReverts #4 and #5")
    assert version(tmp_path, *commits) is None


def test_revert__that_cannot_be_read__is_warned_of(tmp_path: Path) -> None:
    found = decided(tmp_path, *after("feat: a", "fix: b", "revert: both\n\nThis reverts commits {1} up to {2}."))
    assert any("is not understood: name each commit" in warning for warning in found.warnings)


COPIED = [
    "<details>\n<summary>Release notes</summary>\n\n* feat: theirs\n* fix!: theirs, too\n\nBREAKING CHANGE: of theirs\n</details>\n",
    "<blockquote>\n<h2>v2</h2>\n\n* feat: theirs\n</blockquote>\n",
    "> * feat: theirs\n> BREAKING CHANGE: of theirs\n",
    "### Release Notes\n\n#### v2.0.0\n\n* feat: theirs ([#1](https://example.com/1))\n",
    "## [2.0.0](https://example.com) (2023-11-14)\n\n* feat: theirs\n\n---\n\nSigned-off-by: bot\n",
    "<details>\n<details>\n* feat: theirs\n</details>\n* feat: theirs\n</details>",
]


@pytest.mark.parametrize("body", COPIED)
def test_squash__of_a_bot__notes_of_others_are_no_commits_of_ours(tmp_path: Path, body: str) -> None:
    assert version(tmp_path, *after(f"fix(deps): bump x from 1 to 2 (#7)\n\nBumps x.\n\n{body}")) == "1.0.1"


def test_squash__of_a_bot__its_own_list_counts(tmp_path: Path) -> None:
    text = "chore: update (#7)\n\n* fix(deps): bump x\n\n<details>\n* feat: theirs\n</details>\n\n* fix(deps): bump y\n"
    found = decided(tmp_path, *after(text))
    assert [entry.header.description for entry in found.verdicts[0].entries] == ["update", "bump x", "bump y"]


def test_squash__a_heading_of_a_person__keeps_its_footers(tmp_path: Path) -> None:
    assert version(tmp_path, *after("feat: x\n\n## Changelog\n\nall new\n\nBREAKING CHANGE: gone")) == "2.0.0"
    assert version(tmp_path / "open", *after("feat: x\n\n<details>\n\nBREAKING CHANGE: gone")) == "2.0.0", (
        "it never ends"
    )


STRANGE = [
    "feat: x (#" + "1" * 5_000 + ")",
    "Merge pull request #" + "1" * 5_000 + " from a/b\n\nfeat: x",
    "Merged PR " + "1" * 5_000 + ": feat: x",
    "feat: x\n\nReverts #" + "1" * 5_000,
    "feat: x\n\nSee merge request a/b!" + "1" * 5_000,
]


@pytest.mark.parametrize("text", STRANGE)
def test_numbers__of_thousands_of_digits__are_none(text: str) -> None:
    message = parse(text)
    assert message.pulls == ()
    assert message.merge is None or message.merge.pull == 0


def coauthors(count: int) -> Message:
    return parse(f"feat: x\n\nCo-authored-by:{' ' * count}\n")


# Each repeats what once cost the square of its length.
REPEATED: list[tuple[str, Callable[[int], Message]]] = [
    ("blanks of a trailer", coauthors),
    ("trailers in one line", lambda count: parse("feat: x\n\n" + "Co-authored-by: " * count)),
    ("breaking changes", lambda count: parse("feat: x\n\n" + "BREAKING CHANGE: x\n" * count)),
    ("footers", lambda count: parse("feat: x\n\n" + "Security: 1\n" * count)),
    ("reverts of reverts", lambda count: parse('Revert "' * count + "x" + '"' * count)),
    ("pull requests", lambda count: parse("feat: x" + " (#1)" * count)),
    ("blocks", lambda count: parse("feat: x\n\n* feat: y\n" + "<details>\n</details>\n" * count)),
    ("ids", lambda count: parse("revert: x\n\nThis reverts commits " + "1234567, " * count)),
    ("pulls reverted", lambda count: parse("revert: x\n\nReverts " + "#1, " * count)),
    ("bullets", lambda count: parse("feat: x\n\n" + "* fix: y\n" * count)),
    ("brackets", lambda count: parse("feat" + "(" * count + ": x")),
    ("emoji", lambda count: parse("\U0001f41b" * count + ": x")),
    ("colons", lambda count: parse("feat: x\n\nbreaking" + " :" * count)),
    ("breaking marks", lambda count: parse("feat: x\n\n" + "*" * count + "breaking change")),
    ("merge requests", lambda count: parse("Merge branch 'x'\n\nfeat: x\n\n" + "See merge request !" * count)),
]


def work(run: Callable[[], object]) -> float:
    """Seconds of this process, the best of three. Without the collector, which goes through what all tests before have left."""
    import gc
    import time

    best = float("inf")
    gc.disable()
    try:
        for _ in range(3):
            began = time.process_time()
            run()
            best = min(best, time.process_time() - began)
    finally:
        gc.enable()
    return best


@pytest.mark.parametrize(("name", "read"), REPEATED)
def test_long_messages__cost_what_their_length_costs(name: str, read: Callable[[int], Message]) -> None:
    """Eight times the length costs eight times, not 64: generously, less than 30 times, or next to nothing."""
    short, long = work(lambda: read(5_000)), work(lambda: read(40_000))
    assert long < 30 * short or long < 0.1, name


def test_message__with_a_verdict_of_its_own__whatever_its_line_ends(tmp_path: Path) -> None:
    for at, (text, expected) in enumerate(SQUASHES):
        assert version(tmp_path / str(at), *after(text.replace("\n", "\r\n"))) == expected
