"""Most of a long history is bodies that add nothing: they are dropped while it is read, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from release.commits.git import Git
from release.commits.history import Text, read_log
from release.commits.messages import condense, parse
from tests.release.histories import Planned, make

SUBJECTS = st.sampled_from(
    [
        "feat: a",
        "fix(x)!: b (#7)",
        'Revert "feat: a"',
        "Merge branch 'x'",
        "chore: u [no release]",
        " feat: a",
        "\u3000",
        "\U0001f41b fix: c",
    ]
)
PARTS = st.lists(
    st.sampled_from(
        [
            "\n", "\n", "\n\n", "<details>", "</details>", "<BLOCKQUOTE>", "</blockquote >", "</details\n>", "<detailsx>", "```", "~~~",
            "BREAKING CHANGE: x", "* feat: y", "* \u2728 feat: y", "* \u00fcb: y", "[skip release]", "Co-authored-by: d <d@example.com>",
            "Co-authored-by: CVE [skip release] <d@example.com>", "Security: 1", "Upgrade: run", "This reverts commit 1234567.",
            "Reverts #1",
            "(cherry picked from commit abcdef0123)", "Squashed commit of the following:", "\r", "> ", "words", "\U0001f4c5",
        ]
    ),
    max_size=12,
)  # fmt: skip


def raw(text: str) -> str:
    return text.encode().decode("latin-1")


@settings(max_examples=400)
@given(SUBJECTS, PARTS)
@example("feat: a", ["\n", "<details>", "<BLOCKQUOTE>", "</details>", "\n", "Security: 1", "\n", "</blockquote >"])
@example("feat: a", ["\n", "<details>", "\n", "```", "</details>", "```", "\n", "BREAKING CHANGE: x"])
@example("feat: a", ["\n\n", "Co-authored-by: CVE [skip release] <d@example.com>"])
def test_condensed__says_the_same(subject: str, parts: list[str]) -> None:
    text = subject + "".join(parts)
    assert Text(raw(text)).message == parse(text)


def test_condensed__the_body_of_a_bot__is_dropped() -> None:
    people = "Co-authored-by: update-bot[bot] <update-bot@example.com>"
    quoted = (
        '<details>\n<blockquote>\n\n* feat: theirs (<a href="https://example.com">#1</a>)\n</blockquote>\n</details>\n'
    )
    text = f"build(deps): bump x\n\nBumps x. \U0001f4c5\n\n{quoted * 40}\n{people}\n"
    assert condense(raw(text)) == (f"build(deps): bump x\n{people}", False)


@pytest.mark.parametrize("body", ["", "\n\nwords \u2728", "\n\nBREAKING CHANGE: \u2728"])
def test_log__of_every_script__is_text(tmp_path: Path, body: str) -> None:
    make(tmp_path, [Planned(f"feat: \u00fc\U0001f41b{body}", author="dev-\u00e9", email="dev-\u00e9@example.com")])
    [commit] = read_log(Git(tmp_path), "HEAD").commits
    assert (commit.author, commit.email) == ("dev-\u00e9", "dev-\u00e9@example.com")
    assert commit.message.subject == "feat: \u00fc\U0001f41b"
    assert commit.message.warnings == ()
    if "BREAKING" in body:
        assert commit.message.body is not None
        assert commit.message.body.breaking == ("\u2728",)
