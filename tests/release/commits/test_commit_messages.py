"""Commit messages: Conventional Commits 1.0 by its own rules, squashes, merges, and what is odd but must not cost a commit."""

from __future__ import annotations

import pytest

from release.commits.messages import Header, Merge, parse

HEADERS = [
    ("feat: add x", Header("feat", "", False, "add x")),
    ("feat(api): add x", Header("feat", "api", False, "add x")),
    ("feat!: add x", Header("feat", "", True, "add x")),
    ("feat(api)!: add x", Header("feat", "api", True, "add x")),
    ("FIX(Web UI): fix", Header("fix", "Web UI", False, "fix")),
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


@pytest.mark.parametrize(
    ("subject", "meant"),
    [
        ("feat!(scope): x", "feat(scope)!: x"),
        ("feat (scope)!: x", "feat(scope)!: x"),
        ("feat(s) : x", "feat(s): x"),
        ("feat : x", "feat: x"),
        ("\U0001f41b fix: x", "fix: x"),
        (":bug: fix(a)!: x", "fix(a)!: x"),
        ("[ABC-1] fix: x", "fix: x"),
        ("ABC-1 fix: x", "fix: x"),
        ("feat(a(b)): x", "feat(a/b): x"),
        ("feat(a)(b): x (#3)", "feat(a/b): x"),
        ("note!(a): x", "note(a)!: x"),
        ("feat\uff1ax", "feat: x"),
        ("feat: ", "feat: …"),
        ("BREAKING CHANGE: x", "feat!: …"),
        ("Merge pull request #9 from a/b\n\nfeat!(scope): x", "feat(scope)!: x"),
        ("chore: many\n\n* feat!(scope): x", "feat(scope)!: x"),
    ],
)
def test_header__nearly_conventional__warns_with_what_was_meant(subject: str, meant: str) -> None:
    assert [repr(meant) in warning for warning in parse(subject).warnings] == [True]


@pytest.mark.parametrize(
    "subject",
    ["Note (see a): x", "note : x", "https://example.com: x", "12: x", 'Revert "feat(s) : x"', "Merge branch 'a : b'"],
)
def test_header__prose_with_a_colon__is_not_warned_of(subject: str) -> None:
    assert parse(subject).warnings == ()


def breaking(text: str, squash_body: str = "commit-messages") -> tuple[str, ...]:
    body = parse(text, squash_body=squash_body).body
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


NEARLY = [
    "breaking change: x", "Breaking Change: x", "BREAKING CHANGE x", "BREAKING: x", "* BREAKING CHANGES: x", "BREAKING_CHANGE: x",
    "**BREAKING CHANGE**: x", "**BREAKING CHANGE:** x", "> BREAKING CHANGE: x", "  BREAKING CHANGE: x", "\u26a0 BREAKING CHANGE: x",
    "this is a BREAKING CHANGE: x", "BREAKING CHANGE:x", "## BREAKING CHANGES\n\nx", "- [x] Breaking change",
]  # fmt: skip


@pytest.mark.parametrize("squash_body", ["commit-messages", "pull-request-body", "blank"])
@pytest.mark.parametrize("line", NEARLY)
def test_footers__nearly_breaking__warns(line: str, squash_body: str) -> None:
    for text in (f"feat: x\n\n{line}", f"feat: x\n\n* fix: a\n\n* wip\n\n{line}"):
        message = parse(text, squash_body=squash_body)
        assert message.body is not None
        assert message.body.breaking == ()
        assert "is no footer" in message.warnings[0]


@pytest.mark.parametrize("line", ["**BREAKING CHANGE**: y", "and BREAKING CHANGE: y"])
def test_footers__nearly_breaking_beside_a_proper_one__warns(line: str) -> None:
    message = parse(f"feat: x\n\n{line}\n\nBREAKING CHANGE: x")
    assert message.body is not None
    assert message.body.breaking == ("x",)
    assert "is no footer" in message.warnings[0]


@pytest.mark.parametrize(
    "line",
    ["## Breaking changes\n\nNone.", "**Breaking changes:** none", "- [ ] Breaking change (of the API)", "Use `BREAKING CHANGE: x`.",
     "no breaking change: all is well"],
)  # fmt: skip
def test_footers__no_breaking_change__is_not_warned_of(line: str) -> None:
    assert parse(f"feat: x\n\n{line}").warnings == ()


@pytest.mark.parametrize("squash_body", ["commit-messages", "pull-request-body", "blank"])
@pytest.mark.parametrize(
    "line", ["* BREAKING CHANGE: x", "- BREAKING CHANGE: x", "- BREAKING CHANGE: x\n- no more of it"]
)
def test_footers__breaking_in_a_list__counts(line: str, squash_body: str) -> None:
    assert breaking(f"feat: whole\n\n* did this\n{line}", squash_body=squash_body) == ("x",)


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


def test_footers__in_small_letters__are_read() -> None:
    body = parse("feat: x\n\nupgrade: run it\ncve: CVE-1").body
    assert body is not None
    assert (body.upgrade, body.security) == (("run it",), ("CVE-1",))


def test_footers__value__keeps_its_code_and_lists() -> None:
    code = "run this:\n```\nnpm i x@2\n\nSecurity: not one\n```\n1. stop\n2. start"
    body = parse(f"feat!: x\n\nUpgrade: {code}\n\nBREAKING CHANGE: gone:\n* a\n* b").body
    assert body is not None
    assert body.upgrade == (code,)
    assert body.breaking == ("gone:\n* a\n* b",)
    assert body.security == ()
    alone = parse("feat!: two\n\nUpgrade:\n```\nnpm i x@2\n```").body
    assert alone is not None
    assert alone.upgrade == ("```\nnpm i x@2\n```",)


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


@pytest.mark.parametrize(
    ("text", "squashed", "own"),
    [
        ("fix: x\n\n* did this\n* did that\n\nBREAKING CHANGE: gone", ("did this", "did that"), ("gone",)),
        ("fix: x\n\n* wip\n\nBREAKING CHANGE: gone\nand more", ("wip",), ("gone\nand more",)),
        ("fix: x\n\n* feat: a\n* fix: b\n\nBREAKING CHANGE: gone", ("feat: a", "fix: b"), ("gone",)),
        ("fix: x\n\n* feat: a\n\n* fix: b\n\nBREAKING CHANGE: gone", ("feat: a", "fix: b\n\nBREAKING CHANGE: gone"), ()),
        ("fix: x\n\n* feat: a\n\n* wip\n\nBREAKING CHANGE: gone\n\n* tidy", ("feat: a", "wip", "tidy"), ("gone",)),
        ("fix: x\n\nBREAKING CHANGE: gone:\n\n* a\n* b\n\n* feat: c", ("feat: c",), ("gone:\n\n* a\n* b",)),
        ("fix: x\n\n* wip\n\nBREAKING CHANGE: gone:\n* a\n* b", ("wip",), ("gone:\n* a\n* b",)),
        ("fix: x\n\n* feat: a\n\n---------\n\nBREAKING CHANGE: gone", ("feat: a",), ("gone",)),
        ("fix: x\n\n* Revert the thing\n\nBREAKING CHANGE: gone", ("Revert the thing",), ("gone",)),
        ("fix: x\n\n* feat:a\n\nBREAKING CHANGE: gone", ("feat:a",), ("gone",)),
        ("fix: x\n\nBREAKING CHANGE: gone\n\nSquashed commit of the following:\n\ncommit abc\n\n    wip", ("wip",), ("gone",)),
        ("fix: x\n\nSquashed commit of the following:\n\ncommit abc\n\n    wip\n\n    BREAKING CHANGE: gone", ("wip",), ("gone",)),
        ("fix: x\n\nSquashed commit of the following:\n\ncommit abc\n\n    fix: a\n\nBREAKING CHANGE: gone", ("fix: a",), ("gone",)),
    ],
)  # fmt: skip
def test_squash__footer__belongs_to_a_listed_commit_or_to_all(
    text: str, squashed: tuple[str, ...], own: tuple[str, ...]
) -> None:
    body = parse(text).body
    assert body is not None
    assert (body.squashed, body.breaking) == (squashed, own)


def test_squash__every_footer_below_a_list__is_read() -> None:
    body = parse("fix: x\n\n* a\n* b\n\nUpgrade: u\nSecurity: s\nCVE: c\nHighlight: h").body
    assert body is not None
    assert (body.upgrade, body.security, body.highlights) == (("u",), ("s", "c"), ("h",))


def test_squash__highlights_of_listed_commits__without_what_is_skipped_or_taken_back() -> None:
    body = parse(
        'fix: x\n\n* feat: a\n\nHighlight: h\n\n* feat: b [skip release]\n\nHighlight: i\n\n* feat: c\n\nHighlight: j\n\n* Revert "feat: c"'
    ).body
    assert body is not None
    assert body.highlights == ("h",)


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
    assert body.squashed == ("chore: two", "fix: one\n\nwhy"), "git writes the newest first"


@pytest.mark.parametrize(
    ("text", "merge"),
    [
        ("Merge pull request #12 from techmate/topic\n\nfeat: add x", Merge(12, "feat: add x")),
        ("Merge pull request #12 from techmate/topic", Merge(12, "")),
        ("Merged PR 77: fix: fix", Merge(77, "fix: fix")),
        ("Merged in topic (pull request #5)\n\nfix: fix", Merge(5, "fix: fix")),
        ("Merge branch 'topic' into 'main'\n\nfeat: x\n\nSee merge request group/project!34", Merge(34, "feat: x")),
        ("Merge branch 'main' into topic", Merge(0, "")),
        ("Merge remote-tracking branch 'origin/main'", Merge(0, "")),
        ("Merge the two lists of hosts", None),
    ],
)
def test_merge(text: str, merge: Merge | None) -> None:
    found = parse(text).merge
    assert (found and found[:2]) == (merge and merge[:2])


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
    assert body.reverts_pulls == (12,)


@pytest.mark.parametrize(
    ("sentence", "ids"),
    [
        ("This reverts commit 0123456.", ("0123456",)),
        ("This reverts commit 0123456, reversing\nchanges made to 89abcde.", ("0123456",)),
        ("This reverts commit 0123456 (feat: x, 2026-01-01).", ("0123456",)),
        ("See also. This reverts commit 0123456.", ()),
        ("This reverts commit 0123456 partially", ()),
        ("```\nThis reverts commit 0123456.\n```", ()),
    ],
)
def test_revert__sentence__stands_on_a_line_of_its_own(sentence: str, ids: tuple[str, ...]) -> None:
    body = parse(f'Revert "feat: x"\n\n{sentence}').body
    assert body is not None
    assert body.reverts == ids


@pytest.mark.parametrize("sentence", ["This reverts commit 0123456.", "Reverts #12"])
def test_revert__in_the_body_of_something_else__is_warned_of(sentence: str) -> None:
    message = parse(f"fix: x\n\n{sentence}")
    assert message.body is not None
    assert (message.body.reverts, message.body.reverts_pulls) == ((), ())
    assert "its first line is no revert" in message.warnings[0]


def test_skip() -> None:
    assert parse("feat: x [skip release]").skip
    assert parse("feat: x\n\n[Skip Release]").skip
    assert not parse("feat: skip release").skip
    assert not parse('Revert "feat: x [skip release]"\n\nThis reverts commit 0123456.').skip
    assert not parse("docs: x\n\n```\n[skip release]\n```").skip


def test_skip__of_a_listed_commit__is_not_of_all() -> None:
    message = parse("feat: whole\n\n* feat: a [skip release]\n\n* fix: b")
    assert (message.skip, [each.skip for each in message.listed]) == (False, [True, False])
    assert not parse("feat: whole\n\n* wip [skip release]\n* more").skip
    assert parse("feat: whole [skip release]\n\n* fix: b").skip
    assert parse("feat: whole\n\n[skip release]\n\n* fix: b").skip
    assert parse("feat: whole\n\n* feat: a [skip release]", squash_body="pull-request-body").skip


def test_bytes_that_are_no_text__are_warned_of() -> None:
    message = parse("feat: odd \ufffd")
    assert message.header is not None
    assert "not valid UTF-8" in message.warnings[0]
