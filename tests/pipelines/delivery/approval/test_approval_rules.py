"""Who may approve what: the verdict for every kind of answer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.delivery.approval.rules import Answer, Approved, Asked, Rejected, Waiting, decide, may_break_glass
from pipelines.manifest.model import Approval

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
PLAN = "0123456789ab"
ASKED = Asked(release="v1.0.0", plan=PLAN, starters=("dev-1",), author="dev-2", since=NOW - timedelta(minutes=10))
RULE = Approval(
    environment="production-approval",
    by=("release-manager", "dev-1", "dev-2"),
    permission="write",
    expires_minutes=60,
    break_glass=("on-call",),
)
GOOD = Answer(user="release-manager", permission="write", text=f"/approve {PLAN}", at=NOW, url="https://x.test/1")


def why(answer: Answer, rule: Approval = RULE, asked: Asked = ASKED) -> str:
    verdict = decide(asked, [answer], rule, NOW)
    assert isinstance(verdict, Waiting)
    return verdict.ignored[0]


@pytest.mark.parametrize(
    "text", [f"/approve {PLAN}", f"Looks well.\n/approve {PLAN}  \nThanks", f"/approve {PLAN}\r\n"]
)
def test_a_comment_approves(text: str) -> None:
    assert decide(ASKED, [replace(GOOD, text=text)], RULE, NOW) == Approved(
        by="release-manager", at=NOW, url="https://x.test/1", text=text
    )


def test_a_review_approves_without_a_digest() -> None:
    assert isinstance(decide(ASKED, [replace(GOOD, text="fine", review="approved")], RULE, NOW), Approved)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "LGTM",
        f"> /approve {PLAN}",
        f"please /approve {PLAN}",
        f"/approve {PLAN} maybe",
        f"/approve {PLAN[:-1]}",
        f"/approve {PLAN}0",
    ],
)
def test_other_words_do_not(text: str) -> None:
    assert "not an approval" in why(replace(GOOD, text=text))


def test_another_plan_does_not() -> None:
    assert "approves plan ffffffffffff" in why(replace(GOOD, text="/approve ffffffffffff"))


@pytest.mark.parametrize("review", ["", "approved"])
@pytest.mark.parametrize(
    ("user", "said"),
    [
        ("dev-1", "started this release"),
        ("DEV-1", "started this release"),
        ("dev-2", "last commit"),
        ("stranger", "not among"),
    ],
)
def test_who_may_not(user: str, said: str, review: str) -> None:
    assert said in why(replace(GOOD, user=user, review=review))


def test_permission_is_needed_too() -> None:
    assert "'read'" in why(replace(GOOD, permission="read"))
    assert isinstance(decide(ASKED, [replace(GOOD, permission="admin")], RULE, NOW), Approved)


def test_it_expires_and_cannot_be_from_before() -> None:
    assert "older than 60" in why(
        replace(GOOD, at=NOW - timedelta(minutes=61)), asked=replace(ASKED, since=NOW - timedelta(days=1))
    )
    assert "before this was asked" in why(replace(GOOD, at=NOW - timedelta(minutes=11)))


def test_a_rejection_ends_it_even_by_the_dispatcher() -> None:
    rejected = replace(GOOD, user="dev-1", review="rejected", text="wait", at=NOW - timedelta(minutes=1))
    assert decide(ASKED, [rejected, GOOD], RULE, NOW) == Rejected(by="dev-1", text="wait", url="https://x.test/1")


def test_a_strangers_rejection_stops_nobody() -> None:
    assert isinstance(decide(ASKED, [replace(GOOD, user="stranger", review="rejected"), GOOD], RULE, NOW), Approved)


def test_breaking_the_glass_needs_name_and_reason() -> None:
    assert may_break_glass("on-call", "checkout is down for everybody", RULE) == ""
    assert "not among" in may_break_glass("dev-1", "checkout is down for everybody", RULE)
    assert "reason" in may_break_glass("on-call", "now", RULE)
