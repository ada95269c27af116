"""Decide whether a release is approved. Facts in, a verdict out; nothing here talks to anybody."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.manifest.model import Approval

COMMAND = re.compile(r"^/approve[ \t]+([0-9a-f]{12})[ \t]*$", re.MULTILINE)
RANKS = {"none": 0, "read": 1, "triage": 1, "write": 2, "maintain": 3, "admin": 4}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is to be approved, and who may not approve it."""

    release: str
    plan: str
    """Digest of the plan: twelve hex digits."""
    starters: tuple[str, ...]
    """Logins of who started this attempt and of who dispatched the run: one, unless somebody else re-runs it."""
    author: str
    """Login of the author of the release's last commit; empty if it has none on GitHub."""
    since: datetime
    """Answers older than this belong to something else."""

    @property
    def by(self) -> str:
        """Who asks."""
        return self.starters[0] if self.starters else "somebody"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What somebody said: a review of the environment, or a comment."""

    user: str
    permission: str
    text: str
    at: datetime
    url: str
    review: str = ""
    """approved or rejected for an environment's review; empty for a comment."""


@dataclass(frozen=True, kw_only=True)
class Approved:
    """The first answer that counts."""

    by: str
    at: datetime
    url: str
    text: str = ""
    """The comment; without an approval the reason to go without."""
    broke_glass: bool = False


@dataclass(frozen=True, kw_only=True)
class Rejected:
    by: str
    text: str
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Nothing counts yet; `ignored` says why each answer did not."""

    ignored: tuple[str, ...] = ()


def decide(asked: Asked, answers: Sequence[Answer], rule: Approval, now: datetime) -> Approved | Rejected | Waiting:
    """The verdict. A rejection by anyone who may approve ends it."""
    ignored = []
    for answer in sorted(answers, key=lambda answer: answer.at):
        reason = _why_not(asked, answer, rule, now)
        if reason:
            ignored.append(f"{answer.user}: {reason}")
        elif answer.review == "rejected":
            return Rejected(by=answer.user, text=answer.text, url=answer.url)
        else:
            return Approved(by=answer.user, at=answer.at, url=answer.url, text=answer.text)
    return Waiting(ignored=tuple(ignored))


def _why_not(asked: Asked, answer: Answer, rule: Approval, now: datetime) -> str:
    if not answer.review:
        named = COMMAND.search(answer.text.replace("\r\n", "\n"))
        if named is None:
            return "not an approval"
        if named.group(1) != asked.plan:
            return f"approves plan {named.group(1)}, not {asked.plan}"
    if answer.at < asked.since:
        return "was said before this was asked"
    if now - answer.at > timedelta(minutes=rule.expires_minutes):
        return f"is older than {rule.expires_minutes} minutes"
    return _not_entitled(asked, answer, rule)


def _not_entitled(asked: Asked, answer: Answer, rule: Approval) -> str:
    user = answer.user.lower()
    if user in [login.lower() for login in asked.starters] and answer.review != "rejected":
        return "started this release, so somebody else must approve it"
    if asked.author and user == asked.author.lower() and answer.review != "rejected":
        return "wrote the release's last commit, so somebody else must approve it"
    if rule.by and user not in [login.lower() for login in rule.by]:
        return "is not among those who may approve (shipmate.yml, approval/by)"
    if RANKS.get(answer.permission, 0) < RANKS[rule.permission]:
        return f"has the permission {answer.permission!r} on the repository, {rule.permission!r} is needed"
    return ""


def may_break_glass(user: str, reason: str, rule: Approval) -> str:
    """Why this user may not go without approval; empty when they may."""
    if user.lower() not in [login.lower() for login in rule.break_glass]:
        return f"{user} is not among those who may break the glass (shipmate.yml, approval/break_glass)"
    if len(reason.split()) < 3:
        return "breaking the glass needs a reason of at least three words; it is recorded and sent to everybody"
    return ""
