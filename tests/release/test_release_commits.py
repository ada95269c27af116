"""Commit messages: Conventional Commits 1.0 by its own rules, squashes, merges, and what is odd but must not cost a commit."""

from __future__ import annotations

import pytest

from release.commits import Header, Merge, parse

HEADERS = [
    ("feat: add x", Header("feat", "", False, "add x")),
    ("feat(api): add x", Header("feat", "api", False, "add x")),
    ("feat!: add x", Header("feat", "", True, "add x")),
    ("feat(api)!: add x", Header("feat", "api", True, "add x")),
    ("FIX(Web UI): mend", Header("fix", "Web UI", False, "mend")),
    ("fix:   many spaces ", Header("fix", "", False, "many spaces")),
    ("feat(a/b-c.d): x: y", Header("feat", "a/b-c.d", False, "x: y")),
    ("\n\n  feat: after blank lines", Header("feat", "", False, "after blank lines")),
    ("build(deps): bump @types/node from 1 to 2", Header("build", "deps", False, "bump @types/node from 1 to 2")),
    ("revert: feat: x", Header("revert", "", False, "feat: x")),
    ("feat : space before the colon", None),
    ("feat(): empty scope", Header("feat", "", False, "empty scope")),
    ("just words", None),
    ("https://example.com: is down", None),
    ("", None),
    ("feat:", None),
    ("feat: ", None),
    ("feat(a)(b): two scopes", None),
]


@pytest.mark.parametrize(("text", "header"), HEADERS)
def test_header(text: str, header: Header | None) -> None:
    assert parse(text).header == header


def test_header__no_space_after_the_colon__is_not_conventional_and_warned_of() -> None:
    message = parse("feat:add x")
    assert message.header is None
    assert "a space is missing" in message.warnings[0]


@pytest.mark.parametrize(
    ("subject", "cut", "pulls"),
    [
        ("fix: x (#12)", "fix: x", (12,)),
        ("fix: x (#12) (#345)", "fix: x", (12, 345)),
        ("fix: x (!7)", "fix: x", (7,)),
        ("fix: x (twelve)", "fix: x (twelve)", ()),
        ("fix: f(#1) is odd", "fix: f(#1) is odd", ()),
        ("fix: x (#)", "fix: x (#)", ()),
        ("fix: x (#\u0662)", "fix: x (#\u0662)", ()),
        ("(#1)", "", (1,)),
    ],
)
def test_pulls(subject: str, cut: str, pulls: tuple[int, ...]) -> None:
    message = parse(subject)
    assert (message.subject, message.pulls) == (cut, pulls)


def breaking(text: str, **more: str) -> tuple[str, ...]:
    body = parse(text, **more).body
    return body.breaking if body else ()


def test_footers() -> None:
    assert breaking("fix: x\n\nBREAKING CHANGE: it is gone") == ("it is gone",)
    assert breaking("fix: x\n\nBREAKING-CHANGE: it is gone") == ("it is gone",)
    assert breaking("fix: x\n\nwords\n\nBREAKING CHANGE: a\nmore of a\n\nand more\nReviewed-by: dev-2\nRefs #1") == (
        "a\nmore of a\n\nand more",
    )
    assert breaking("fix: x\n\nBREAKING CHANGE: a\nBREAKING CHANGE: b") == ("a", "b")
    assert breaking("fix: x\r\n\r\nBREAKING CHANGE: a\r\n") == ("a",)
    assert breaking("fix: x\n\nBREAKING CHANGE: a\n\n## Checklist\n- [x] done") == ("a",)
    assert breaking("fix: x\n\nBREAKING CHANGE: a\n---\nCo-authored-by: dev-2 <d@example.com>") == ("a",)


def test_footers__in_a_code_block__are_examples() -> None:
    assert breaking("docs: x\n\n```\nBREAKING CHANGE: not one\n```\n") == ()
    assert breaking("docs: x\n\n~~~md\nBREAKING CHANGE: not one\n~~~\nBREAKING CHANGE: one") == ("one",)


def test_body__that_cannot_be_read__is_a_warning_and_costs_nothing() -> None:
    message = parse("feat: x\n\n```\nnever closed\nBREAKING CHANGE: counts\n")
    assert message.header is not None
    assert message.body is not None
    assert message.body.breaking == ("counts",)
    assert "never ends" in message.warnings[0]


@pytest.mark.parametrize(
    "line", ["breaking change: x", "Breaking Change: x", "BREAKING CHANGE x", "BREAKING: x", "* BREAKING CHANGES: x"]
)
def test_footers__nearly_breaking__warns(line: str) -> None:
    message = parse(f"feat: x\n\n{line}", squash_body="blank")
    assert message.body is not None
    assert message.body.breaking == ()
    assert "is no footer" in message.warnings[0]


def test_footers__breaking_without_text__counts_and_warns() -> None:
    message = parse("feat: x\n\nBREAKING CHANGE:")
    assert message.body is not None
    assert message.body.breaking == ("",)
    assert "says nothing" in message.warnings[0]


def test_footers__upgrade_highlight_security() -> None:
    body = parse("feat: x\n\nUpgrade: run it twice\nHighlight: it flies\nCVE: CVE-2026-1\nSecurity: a hole").body
    assert body is not None
    assert body.upgrade == ("run it twice",)
    assert body.highlights == ("it flies",)
    assert body.security == ("CVE-2026-1", "a hole")


SQUASH = """feat: whole (#9)

* feat: one

why one

BREAKING CHANGE: gone

* fix(api): two
* words only

---------

Co-authored-by: dev-2 <dev-2@example.com>
"""


def test_squash__commit_messages__each_is_a_message() -> None:
    message = parse(SQUASH)
    assert message.body is not None
    assert message.body.squashed == ("feat: one\n\nwhy one\n\nBREAKING CHANGE: gone", "fix(api): two", "words only")
    assert message.body.breaking == ()
    assert message.coauthors == (("dev-2", "dev-2@example.com"),)


def test_squash__pull_request_body__only_footers_count() -> None:
    message = parse(
        "feat: whole (#9)\n\n* fix: a bullet of prose\n\nBREAKING CHANGE: gone", squash_body="pull-request-body"
    )
    assert message.body is not None
    assert (message.body.squashed, message.body.breaking) == ((), ("gone",))


def test_squash__of_git_itself() -> None:
    text = (
        "feat: all\n\nSquashed commit of the following:\n\ncommit abc\nAuthor: dev-1\nDate:   now\n\n"
        "    fix: one\n\n    why\n\ncommit def\n\n    chore: two\n"
    )
    body = parse(text).body
    assert body is not None
    assert body.squashed == ("fix: one\n\nwhy", "chore: two")


@pytest.mark.parametrize(
    ("text", "merge"),
    [
        ("Merge pull request #12 from techmate/topic\n\nfeat: add x", Merge(12, "feat: add x")),
        ("Merge pull request #12 from techmate/topic", Merge(12, "")),
        ("Merged PR 77: fix: mend", Merge(77, "fix: mend")),
        ("Merged in topic (pull request #5)\n\nfix: mend", Merge(5, "fix: mend")),
        ("Merge branch 'topic' into 'main'\n\nfeat: x\n\nSee merge request group/project!34", Merge(34, "feat: x")),
        ("Merge branch 'main' into topic", Merge(0, "")),
        ("Merge remote-tracking branch 'origin/main'", Merge(0, "")),
        ("Merge the two lists of hosts", None),
    ],
)
def test_merge(text: str, merge: Merge | None) -> None:
    assert parse(text).merge == merge


@pytest.mark.parametrize(
    ("text", "of", "title", "depth"),
    [
        ('Revert "feat: x"', "feat: x", "feat: x", 1),
        ('Revert "feat: x (#1)" (#2)', "feat: x (#1)", "feat: x (#1)", 1),
        ('Revert "Revert "feat: x""', 'Revert "feat: x"', "feat: x", 2),
        ('Reapply "feat: x"', 'Revert "feat: x"', "feat: x", 2),
        ('Revert "Reapply "feat: x""', 'Reapply "feat: x"', "feat: x", 3),
        ("revert: feat: x", "feat: x", "feat: x", 1),
        ('revert: Revert "feat: x"', 'Revert "feat: x"', "feat: x", 2),
        ("Reverting is hard", "", "", 0),
    ],
)
def test_revert(text: str, of: str, title: str, depth: int) -> None:
    body = parse(text).body
    assert body is not None
    assert (body.revert_of, body.revert_title, body.revert_depth) == (of, title, depth)


def test_revert__names_commits_and_pull_requests() -> None:
    body = parse(
        'Revert "x"\n\nThis reverts commit 0123456789abcdef0123456789abcdef01234567.\n\nReverts techmate/platform#12'
    ).body
    assert body is not None
    assert body.reverts == ("0123456789abcdef0123456789abcdef01234567",)
    assert body.reverts_pull == 12


def test_skip() -> None:
    assert parse("feat: x [skip release]").skip
    assert parse("feat: x\n\n[Skip Release]").skip
    assert not parse("feat: skip release").skip
    assert not parse('Revert "feat: x [skip release]"\n\nThis reverts commit 0123456.').skip


def test_bytes_that_are_no_text__are_warned_of() -> None:
    message = parse("feat: odd \ufffd")
    assert message.header is not None
    assert "not valid UTF-8" in message.warnings[0]
