"""Decide whether a release is approved. Facts in, a verdict out; nothing here talks to anybody."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pipelines.delivery.review import UNKNOWN
from pipelines.manifest.model import Approval

COMMAND = re.compile(r"/approve ([0-9a-f]{64})")
BYPASS = "skipped"
"""What GitHub calls it in the list of reviews when an administrator starts the jobs that wait (*Start all waiting jobs*)."""
RANKS: Mapping[str, int] = {"none": 0, "read": 1, "triage": 1, "write": 2, "maintain": 3, "admin": 4}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is to be approved, and who may not approve it alone."""

    release: str
    plan: str
    """SHA-256 of the plan, in hexadecimal."""
    since: datetime
    """Answers older than this belong to something else."""
    starters: frozenset[str] = frozenset()
    """Logins, in lower case, of those who started the run or any attempt of it."""
    authors: frozenset[str] = frozenset()
    """Logins, in lower case, of who wrote what nobody else has reviewed; UNKNOWN among them for those without an account."""

    @property
    def eyes(self) -> int:
        """How many must approve. Where an author has no account, an approver may be that author: then two people."""
        return 2 if UNKNOWN in self.authors else 1


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer: a review of the environment, or a comment."""

    user: str
    role: str
    """On the repository: none, read, triage, write, maintain, admin, or a role of the organisation's own."""
    text: str
    at: datetime
    url: str
    review: str = ""
    """approved or rejected for an environment's review, BYPASS for none; empty for a comment."""


@dataclass(frozen=True, kw_only=True)
class Approved:
    """As many answers that count as are needed."""

    by: str
    """Logins, separated by commas."""
    at: datetime
    """Of the oldest: from here on it ages."""
    url: str
    text: str = ""
    broke_glass: bool = False


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """A person who may approve rejected it."""

    by: str
    text: str
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Not enough counts yet; `ignored` says why each answer did not."""

    ignored: tuple[str, ...] = ()
    have: int = 0


def decide(asked: Asked, answers: Sequence[Answer], rule: Approval, now: datetime) -> Approved | Rejected | Waiting:
    """The verdict. A rejection by anyone who may approve ends it."""
    ignored: list[str] = []
    counted: dict[str, Answer] = {}
    for answer in sorted(answers, key=lambda answer: answer.at):
        reason = _why_not(asked, answer, rule, now)
        if reason:
            ignored.append(f"{answer.user}: {reason}")
        elif answer.review == "rejected":
            return Rejected(by=answer.user, text=answer.text, url=answer.url)
        else:
            counted.setdefault(answer.user.lower(), answer)
    if len(counted) < asked.eyes:
        if counted:
            ignored.append(
                f"{', '.join(each.user for each in counted.values())}: approved, but an author of unreviewed commits has no account, "
                "so a second person must approve"
            )
        return Waiting(ignored=tuple(ignored), have=len(counted))
    used = list(counted.values())[: asked.eyes]
    text = " · ".join(each.text for each in used if each.review and each.text)
    return Approved(by=", ".join(each.user for each in used), at=used[0].at, url=used[-1].url, text=text)


def break_glass(
    asked: Asked, answers: Sequence[Answer], rule: Approval, now: datetime
) -> Approved | Rejected | Waiting:
    """The verdict on going without approval: the review of a person on call, who may have started it, is what counts."""
    alone = replace(asked, starters=frozenset(), authors=frozenset())
    found = decide(alone, answers, replace(rule, by=rule.break_glass), now)
    return replace(found, broke_glass=True) if isinstance(found, Approved) else found


def may_answer(user: str, rule: Approval) -> bool:
    """Whether a login is among those the policy names; cheap, so it is asked before anything of GitHub is."""
    return not rule.by or user.lower() in [login.lower() for login in rule.by]


def _why_not(asked: Asked, answer: Answer, rule: Approval, now: datetime) -> str:
    if answer.review == BYPASS:
        return "bypassed the environment's protection, which is no review"
    if not answer.review:
        named = COMMAND.fullmatch(answer.text.strip())
        if named is None:
            return "not exactly `/approve` and the digest"
        if named.group(1) != asked.plan:
            return f"approves plan {named.group(1)[:12]}, not {asked.plan[:12]}"
    if answer.at < asked.since:
        return "was given before this was asked"
    if now - answer.at > timedelta(minutes=rule.expires_minutes):
        return f"is older than {rule.expires_minutes} minutes"
    return _not_entitled(asked, answer, rule)


def _not_entitled(asked: Asked, answer: Answer, rule: Approval) -> str:
    user = answer.user.lower()
    if not may_answer(user, rule):
        return "is not among those who may approve (shipmate.yml, approval)"
    if RANKS.get(answer.role, 0) < RANKS[rule.permission]:
        return f"has the role {answer.role!r} on the repository, {rule.permission!r} is needed"
    if answer.review == "rejected":
        return ""
    if user in asked.starters:
        return "started this release, so someone else must approve it"
    if user in asked.authors:
        return "wrote commits that nobody else has reviewed, so someone else must approve it"
    return ""
