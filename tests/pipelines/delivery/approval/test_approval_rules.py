"""Who may approve what: the verdict for every kind of answer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.delivery.approval.rules import Answer, Approved, Asked, Rejected, Waiting, break_glass, decide
from pipelines.delivery.review import UNKNOWN
from pipelines.manifest.model import Approval

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
PLAN = "0123456789abcdef" * 4
OTHER = "f" * 64
ASKED = Asked(
    release="v1.0.0",
    plan=PLAN,
    since=NOW - timedelta(minutes=10),
    starters=frozenset({"dev-1"}),
    authors=frozenset({"dev-2"}),
)
RULE = Approval(
    environment="production-approval",
    by=("release-manager", "dev-1", "dev-2", "dev-3"),
    permission="write",
    expires_minutes=60,
    break_glass=("on-call", "dev-1"),
)
GOOD = Answer(user="release-manager", role="write", text=f"/approve {PLAN}", at=NOW, url="https://x.test/1")


def why(answer: Answer, rule: Approval = RULE, asked: Asked = ASKED) -> str:
    verdict = decide(asked, [answer], rule, NOW)
    assert isinstance(verdict, Waiting)
    assert verdict.have == 0
    return verdict.ignored[0]


@pytest.mark.parametrize("text", [f"/approve {PLAN}", f"/approve {PLAN}\r\n", f"\n /approve {PLAN}  \n"])
def test_a_comment_approves(text: str) -> None:
    assert decide(ASKED, [replace(GOOD, text=text)], RULE, NOW) == Approved(
        by="release-manager", at=NOW, url="https://x.test/1"
    )


def test_a_review_approves_without_a_digest() -> None:
    reviewed = replace(GOOD, text="fine", review="approved")
    assert decide(ASKED, [reviewed], RULE, NOW) == Approved(by=GOOD.user, at=NOW, url=GOOD.url, text="fine")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "LGTM",
        f"> /approve {PLAN}",
        f"please /approve {PLAN}",
        f"/approve {PLAN} maybe",
        f"Looks well.\n/approve {PLAN}\nThanks",
        f"/approve {PLAN}\n/approve {OTHER}",
        f"`/approve {PLAN}`",
        f"/approve {PLAN[:12]}",
        f"/approve {PLAN[:-1]}",
        f"/approve {PLAN}0",
        f"/approve {PLAN.upper()}",
        f"/approve  {PLAN}",
        f"/APPROVE {PLAN}",
        "/approve ٠" + PLAN[1:],
    ],
)
def test_other_words_do_not(text: str) -> None:
    assert "not exactly `/approve` and the digest" in why(replace(GOOD, text=text))


def test_another_plan_does_not() -> None:
    assert f"approves plan {OTHER[:12]}, not {PLAN[:12]}" in why(replace(GOOD, text=f"/approve {OTHER}"))


@pytest.mark.parametrize("review", ["", "approved"])
@pytest.mark.parametrize(
    ("user", "message"),
    [
        ("dev-1", "started this release"),
        ("DEV-1", "started this release"),
        ("dev-2", "wrote commits that nobody else has reviewed"),
        ("Dev-2", "wrote commits that nobody else has reviewed"),
        ("stranger", "not among"),
        ("on-call", "not among"),
    ],
)
def test_who_may_not(user: str, message: str, review: str) -> None:
    assert message in why(replace(GOOD, user=user, review=review))


@pytest.mark.parametrize("role", ["none", "read", "triage", "", "release-captain"])
def test_too_small_or_strange_a_role_does_not(role: str) -> None:
    """A role of the organisation's own is not guessed at."""
    assert "'write' is needed" in why(replace(GOOD, role=role))


@pytest.mark.parametrize(
    ("needed", "role", "enough"),
    [
        ("maintain", "write", False),
        ("maintain", "maintain", True),
        ("maintain", "admin", True),
        ("admin", "maintain", False),
    ],
)
def test_maintain_is_more_than_write(needed: str, role: str, enough: bool) -> None:
    rule = replace(RULE, permission=needed)  # type: ignore[arg-type]
    assert isinstance(decide(ASKED, [replace(GOOD, role=role)], rule, NOW), Approved) == enough


def test_where_nobody_is_named_everybody_with_the_permission_may() -> None:
    rule = replace(RULE, by=())
    assert isinstance(decide(ASKED, [replace(GOOD, user="dev-9")], rule, NOW), Approved)
    assert "started this release" in why(replace(GOOD, user="dev-1"), rule)
    assert "'read'" in why(replace(GOOD, user="dev-9", role="read"), rule)


def test_it_expires_and_cannot_be_from_before() -> None:
    assert "older than 60" in why(
        replace(GOOD, at=NOW - timedelta(minutes=61)), asked=replace(ASKED, since=NOW - timedelta(days=1))
    )
    assert "before this was asked" in why(replace(GOOD, at=NOW - timedelta(minutes=11)))


def test_a_rejection_ends_it_even_by_who_started_it() -> None:
    rejected = replace(GOOD, user="dev-1", review="rejected", text="wait", at=NOW - timedelta(minutes=1))
    assert decide(ASKED, [rejected, GOOD], RULE, NOW) == Rejected(by="dev-1", text="wait", url="https://x.test/1")


def test_a_strangers_rejection_stops_nobody() -> None:
    assert isinstance(decide(ASKED, [replace(GOOD, user="stranger", review="rejected"), GOOD], RULE, NOW), Approved)


def test_an_author_without_an_account_needs_two_people() -> None:
    """Either may be that author: one of two is someone else."""
    asked = replace(ASKED, authors=frozenset({UNKNOWN, "dev-2"}))
    second = replace(GOOD, user="dev-3", at=NOW + timedelta(seconds=1), url="https://x.test/2")
    one = decide(asked, [GOOD], RULE, NOW)
    assert isinstance(one, Waiting)
    assert one.have == 1
    assert "a second person must approve" in one.ignored[-1]
    twice = decide(asked, [GOOD, replace(GOOD, user="Release-Manager", url="https://x.test/2")], RULE, NOW)
    assert isinstance(twice, Waiting)
    assert decide(asked, [second, GOOD], RULE, NOW) == Approved(
        by="release-manager, dev-3", at=NOW, url="https://x.test/2"
    )


def test_breaking_the_glass_is_the_review_of_someone_on_call_who_may_have_started_it() -> None:
    reviewed = replace(GOOD, review="approved", text="the shop is down")
    for user in ("on-call", "dev-1", "ON-CALL"):
        found = break_glass(ASKED, [replace(reviewed, user=user)], RULE, NOW)
        assert isinstance(found, Approved)
        assert (found.by, found.broke_glass) == (user, True)
    for user in ("release-manager", "dev-2", "stranger"):
        assert isinstance(break_glass(ASKED, [replace(reviewed, user=user)], RULE, NOW), Waiting)
    assert isinstance(break_glass(ASKED, [], RULE, NOW), Waiting)
    assert isinstance(break_glass(ASKED, [replace(reviewed, user="on-call", role="read")], RULE, NOW), Waiting)


def test_breaking_the_glass_needs_one_person_the_one_who_wrote_the_commits() -> None:
    asked = replace(ASKED, authors=frozenset({UNKNOWN, "on-call"}))
    assert isinstance(break_glass(asked, [replace(GOOD, user="on-call", review="approved")], RULE, NOW), Approved)


def test_an_approval_that_did_not_break_the_glass_says_so() -> None:
    found = decide(ASKED, [GOOD], RULE, NOW)
    assert isinstance(found, Approved)
    assert not found.broke_glass
