"""A verdict never depends on a commit's neighbours: unrelated commits come, go and change places, line ends change, and it stays."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.manifest.release import Release
from release.commits.history import Commit, Text
from release.versions.rules import Rules
from release.versions.verdicts import judge

RULES = Release()
# None of them names another: no reverts of what may stand beside them. One parent each, whatever they say.
MESSAGES = [
    "feat: a",
    "feat(api)!: b (#12)",
    "fix: c\n\nBREAKING CHANGE: gone",
    "fix: d\n\nBREAKING CHANGE #5",
    "docs: e\n\nUpgrade: run it",
    "chore: f\n\nCVE: CVE-2026-1",
    "words",
    "BREAKING-CHANGE: g",
    "Merged PR 1: feat!: h",
    "Merged in f (pull request #10)\n\nfix: i",
    "Merge pull request #1 from u/b\n\nfix: j",
    "Merge branch 'x' into 'main'\n\nfeat: k\n\nSee merge request a/b!7",
    "Squashed commit of the following:\n\ncommit 5f0c1e2aa\nAuthor: a\n\n    feat!: l\n",
    "fix: m (#3)\n\n* feat: m1\n\n* fix: m2\n\nBREAKING CHANGE: of m2",
    "chore(deps): n\n\n<details>\n* feat: theirs\n</details>",
    "feat: o [skip release]",
    "Reapply \"feat: released long ago\"",
    "Revert \"feat: released before\"\n\nThis reverts commit 1234567890.",
    "revert: p\n\nThis reverts commits 1234567 and 7654321.",
    "",
]  # fmt: skip


def history(messages: list[tuple[int, str]]) -> list[Commit]:
    """Newest first; each has the next one as its parent."""
    names = [f"{number:040x}" for number, _ in messages]
    return [
        Commit(name, (after,), 1_700_000_000 - at, "dev-1", "dev-1@example.com", Text(text.encode().decode("latin-1")))
        for at, (name, after, (_, text)) in enumerate(zip(names, [*names[1:], "f" * 40], messages, strict=True))
    ]


def verdicts(messages: list[tuple[int, str]]) -> dict[str, tuple[object, ...]]:
    """By commit: what it raises, why, and what it says."""
    return {
        each.commit.hash: (
            each.bump,
            each.because.reason,
            [
                (entry.group, entry.header, entry.bump, entry.breaking, entry.upgrade, entry.pull)
                for entry in each.entries
            ],
            each.commit.message.warnings,
        )
        for each in judge(history(messages), Rules(RULES))
    }


PICKED = st.lists(st.sampled_from(list(enumerate(MESSAGES, start=1))), unique=True, min_size=1, max_size=8)


@settings(max_examples=150, deadline=None)
@given(PICKED, st.data())
def test_verdict__among_other_commits__is_the_same(made: list[tuple[int, str]], data: st.DataObject) -> None:
    alone = {name: verdict for each in made for name, verdict in verdicts([each]).items()}
    assert verdicts(made) == alone, "some beside others"
    assert verdicts(data.draw(st.permutations(made))) == alone, "in another order"
    fewer = data.draw(st.lists(st.sampled_from(made), unique=True, min_size=1))
    assert verdicts(fewer) == {name: alone[name] for name in verdicts(fewer)}, "some taken out"


@settings(max_examples=60, deadline=None)
@given(PICKED)
def test_verdict__with_other_line_ends__is_the_same(made: list[tuple[int, str]]) -> None:
    other = [(number, text.replace("\n", "\r\n")) for number, text in made]
    assert verdicts(other) == verdicts(made)
