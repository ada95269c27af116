"""Ask GitHub for the facts of an approval, and wait for it within bounds.

What counts is read where it was given: the run's own reviews, or the comment itself. Statuses and records are written for people, and
decide nothing: any workflow of any branch can write them. Who may approve is read from the head of the default branch at that moment.
Sources: docs.github.com/rest/actions/workflow-runs (approvals, attempts), …/issues/comments, …/collaborators
"""

from __future__ import annotations

import base64
import io
import json
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipelines.clock import Clock
from pipelines.delivery.approval.rules import (
    BYPASS,
    Answer,
    Approved,
    Asked,
    Rejected,
    Waiting,
    break_glass,
    decide,
    may_answer,
)
from pipelines.errors import InputError, RefusedError, ShipmateError
from pipelines.faults import once
from pipelines.polling import Polling

if TYPE_CHECKING:
    from pipelines.github import GitHub
    from pipelines.manifest import Manifest
    from pipelines.manifest.model import Approval
    from pipelines.runtime import Runtime

LAG_SECONDS = 30.0
"""How long a review that let this job start may take to show in GitHub's list of reviews."""
POLLING = Polling(interval=30.0, growth=1.5, longest=120.0)
"""For an answer: a token may make 1,000 requests an hour, all jobs of the repository together."""
SEEN = "seen.json"
"""What the job uploads in the end, so that a later attempt knows which reviews were used up."""


@dataclass(frozen=True, kw_only=True)
class Granted:
    """An approval, as the deploying jobs receive it."""

    by: str
    url: str
    text: str
    until: datetime
    """It is not started with after this."""
    broke_glass: bool


@dataclass(kw_only=True)
class Gate:
    """The approval of one attempt of one run."""

    github: GitHub
    rule: Approval
    runtime: Runtime
    environment: str
    """Of the suite, like production."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep
    seen: list[str] = field(default_factory=list)
    """Logins of every approving review that GitHub listed."""
    _roles: dict[str, str] = field(default_factory=dict)
    _unaccounted: bool = False
    """Whether the attempt before this one left no list of what it saw."""

    @property
    def run_id(self) -> str:
        """Raises InputError outside a workflow."""
        if not self.runtime.run_id:
            raise InputError(
                "GITHUB_RUN_ID is not set", next_step="an approval is of a run of a workflow: dispatch one"
            )
        return self.runtime.run_id

    @property
    def attempt(self) -> int:
        return int(self.runtime.attempt or 1)

    def obtain(self, asked: Asked, *, reason: str, wait_seconds: float) -> Granted:
        """The approval, waited for at most `wait_seconds`. `reason`: why to go without one, when someone does.

        Raises RefusedError on a rejection, or when nobody came who counts.
        """
        judge = break_glass if reason else decide
        if reason and not self.rule.break_glass:
            raise RefusedError(
                "nobody may go without approval",
                where="shipmate.yml, approval/break_glass",
                next_step="have it approved",
            )
        name = self.rule.break_glass_environment if reason else self.rule.environment
        reviewed = self._has_reviewers(name)
        issue: int | None = None
        # A policy that waits for nothing waits for no answer either.
        scale = self.github.policy.scale
        clock = Clock(scale=scale or 1.0, real=lambda: self.now().timestamp(), wait=self.sleep)
        for look in POLLING.looks(clock, clock.deadline(wait_seconds if scale else 0.0)):
            lagging = scale > 0 and look.waited < LAG_SECONDS
            reviews = self._reviews(name) if reviewed else []
            if self._unaccounted and lagging:
                # The review that let this job start may not show yet, and those that do may all be of the attempt before.
                reviews = []
            elif len([each for each in reviews if each.review == "approved"]) > 1:
                reviews = _of_one(reviews, asked, lambda each: judge(asked, [each], self.rule, self.now()))
            answers = [*reviews, *(self._comments(issue, reason) if issue else [])]
            verdict = judge(asked, answers, self.rule, self.now())
            if isinstance(verdict, Approved):
                self._close(issue)
                return self._granted(verdict)
            if isinstance(verdict, Rejected):
                self._close(issue)
                raise self._rejected(verdict, asked)
            # A review that was given already cannot be given again; only a second person may still comment.
            answered = any(each.review != BYPASS for each in answers)
            over = reviewed and not verdict.have and (answered or not lagging)
            if over or look.last:
                self._close(issue)
                raise self._nobody(asked, verdict, reviewed=reviewed)
            if issue is None and (not reviewed or verdict.have):
                issue = self._issue(asked, reason)
        raise AssertionError("unreachable: the last look returns or raises")

    def starters(self) -> frozenset[str]:
        """Who started the run or any attempt of it. Raises RefusedError for a bot: it is nobody's second pair of eyes."""
        found: dict[str, str] = {}
        for number in range(1, self.attempt + 1):
            raw = self.github.json("GET", f"{self._run}/attempts/{number}")
            for account in (raw.get("actor"), raw.get("triggering_actor")):
                if account:
                    found[str(account["login"]).lower()] = str(account.get("type", ""))
        bots = [login for login, kind in found.items() if kind == "Bot" or login.endswith("[bot]")]
        if bots:
            raise RefusedError(
                f"{', '.join(bots)} started this",
                where=self.runtime.run_url,
                why="what two people must agree on is started by a person: nobody knows who is behind a bot",
                next_step="dispatch the workflow yourself",
            )
        return frozenset(found)

    def since(self) -> datetime:
        """When this attempt began."""
        raw = self.github.json("GET", f"{self._run}/attempts/{self.attempt}")
        return datetime.fromisoformat(raw.get("run_started_at") or raw["created_at"])

    def write_seen(self, folder: Path) -> None:
        """Which reviews this attempt has used up, for a later one."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / SEEN).write_text(json.dumps({"attempt": self.attempt, "seen": self.seen}))

    @property
    def _run(self) -> str:
        return f"/repos/{self.github.name}/actions/runs/{self.run_id}"

    def _granted(self, found: Approved) -> Granted:
        return Granted(
            by=found.by,
            url=found.url,
            text=found.text,
            until=found.at + timedelta(minutes=self.rule.expires_minutes),
            broke_glass=found.broke_glass,
        )

    def _has_reviewers(self, name: str) -> bool:
        """Whether the environment asks people itself; not every plan of GitHub has that."""
        if not name:
            return False
        found = self.github.find_json(f"/repos/{self.github.name}/environments/{quote(name, safe='')}")
        return any(rule["type"] == "required_reviewers" for rule in (found or {}).get("protection_rules", ()))

    def _reviews(self, environment: str) -> list[Answer]:
        """Answers to *Review deployments* of this attempt.

        GitHub lists those of earlier attempts too, without a time. Each that an earlier attempt saw is used up.
        """
        raw = [
            item
            for item in self.github.json("GET", f"{self._run}/approvals")
            if environment in [each["name"] for each in item["environments"]]
        ]
        self.seen = [item["user"]["login"] for item in raw if item["state"] == "approved"]
        used = self._used_up()
        fresh: list[Mapping[str, Any]] = []
        for item in raw:
            if item["state"] == "approved" and item["user"]["login"] in used:
                used.remove(item["user"]["login"])
            else:
                fresh.append(item)
        return [self._answer(item["user"]["login"], item["comment"] or "", self.now(), item) for item in fresh]

    def _named(self, login: str, *, breaking: bool) -> bool:
        """Whether the policy names someone; cheap, so it is asked before GitHub is."""
        return login.lower() in map(str.lower, self.rule.break_glass) if breaking else may_answer(login, self.rule)

    def _used_up(self) -> list[str]:
        """Logins of reviews that earlier attempts saw, as the newest of them wrote it down in the run's own artifacts."""
        if self.attempt < 2:
            return []
        listed = self.github.json("GET", f"{self._run}/artifacts?per_page=100")["artifacts"]
        earlier = [f"approval-{number}" for number in range(self.attempt - 1, 0, -1)]
        by_name = {each["name"]: each for each in listed if not each.get("expired")}
        self._unaccounted = earlier[0] not in by_name
        newest = next((by_name[name] for name in earlier if name in by_name), None)
        if newest is None:
            return []
        packed = self.github.download(f"/repos/{self.github.name}/actions/artifacts/{newest['id']}/zip", most=100_000)
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            found: list[str] = json.loads(archive.read(SEEN))["seen"]
        return found

    def _answer(self, login: str, text: str, at: datetime, item: Mapping[str, Any]) -> Answer:
        return Answer(
            user=login,
            role=self._role(login),
            text=text,
            at=at,
            url=str(item.get("html_url") or self.runtime.run_url),
            review=str(item.get("state") or "") if "environments" in item else "",
        )

    def _role(self, login: str) -> str:
        """One call for each login."""
        if login not in self._roles:
            self._roles[login] = self.github.role(login)
        return self._roles[login]

    def _issue(self, asked: Asked, reason: str) -> int:
        """The issue of this attempt where people comment; found again by its title, when a workflow made it."""
        run = f"run {self.run_id}, attempt {self.attempt}"
        title = f"Approve {asked.release} for {self.environment} (plan {asked.plan[:12]}, {run})"
        may = self.rule.break_glass if reason else self.rule.by
        excluded = [] if reason else sorted({*asked.starters, *filter(None, asked.authors)})
        body = (
            f"**{asked.release}** is to go to {self.environment}{' without approval' if reason else ''}.\n\n"
            f"What would happen: {self.runtime.run_url}\n\n"
            f"To approve, comment exactly this and nothing else:\n\n```\n/approve {asked.plan}\n```\n\n"
            f"Who may: {', '.join(may) or f'anyone with {self.rule.permission}'}"
            + (f"; not {', not '.join(excluded)}" if excluded else "")
            + (f"; {asked.eyes} people are needed" if asked.eyes > 1 and not reason else "")
            + "."
        )

        def write() -> int:
            made = self.github.json("POST", f"/repos/{self.github.name}/issues", {"title": title, "body": body})
            return int(made["number"])

        found = self._open_issue(title)
        issue = found or once(write, lambda: self._open_issue(title), policy=self.github.policy)
        self.runtime.annotate("notice", f"waiting for a comment on issue #{issue}", title="Approval needed")
        return issue

    def _open_issue(self, title: str) -> int | None:
        raw = self.github.json("GET", f"/repos/{self.github.name}/issues?state=open&per_page=100")
        ours = (each for each in raw if each["title"] == title and str(each["user"]["login"]).endswith("[bot]"))
        return next((int(issue["number"]) for issue in ours), None)

    def _comments(self, issue: int, reason: str) -> list[Answer]:
        """Comments of people the policy names; strangers' cost no call. An edited one may be someone else's word, and does not count."""
        path = f"/repos/{self.github.name}/issues/{issue}/comments"
        found: list[Answer] = []
        for page in range(1, 11):
            raw = self.github.json("GET", f"{path}?per_page=100&page={page}")
            found += [
                self._answer(
                    item["user"]["login"], item["body"] or "", datetime.fromisoformat(item["created_at"]), item
                )
                for item in raw
                if item["user"]
                and self._named(item["user"]["login"], breaking=bool(reason))
                and (item["body"] or "").strip().startswith("/approve")
                and item["created_at"] == item["updated_at"]
            ]
            if len(raw) < 100:
                break
        return found

    def _close(self, issue: int | None) -> None:
        """The question is answered. Left open it harms nobody, so GitHub's trouble is only reported."""
        if issue is None:
            return
        try:
            self.github.json("PATCH", f"/repos/{self.github.name}/issues/{issue}", {"state": "closed"})
        except ShipmateError as error:
            self.runtime.annotate("warning", f"issue #{issue} stays open: {error.what}", title="Approval")

    def _rejected(self, verdict: Rejected, asked: Asked) -> RefusedError:
        return RefusedError(
            f"{verdict.by} rejected it: {verdict.text or 'no reason given'}",
            where=f"approval of {asked.release}",
            next_step="when the reason is gone, dispatch the workflow again: a rejected run stays rejected",
        )

    def _nobody(self, asked: Asked, verdict: Waiting, *, reviewed: bool) -> RefusedError:
        return RefusedError(
            f"{asked.release} is not approved",
            where=f"plan {asked.plan[:12]}",
            why="; ".join(verdict.ignored) or "nobody has answered",
            next_step="re-run this job: it asks again; then someone else who may "
            + ("approves in *Review deployments*" if reviewed else f"comments `/approve {asked.plan}` while it waits"),
        )


def _of_one(
    reviews: Sequence[Answer], asked: Asked, judge: Callable[[Answer], Approved | Rejected | Waiting]
) -> list[Answer]:
    """Of several approving reviews the one that may stand for this attempt, which GitHub lets begin by one alone.

    Where an attempt ended before it could say what it saw, nobody can tell whose review is the new one. So it counts only when each of
    them would, and never as the first of two people's.
    """
    approving = [each for each in reviews if each.review == "approved"]
    others = [each for each in reviews if each.review != "approved"]
    doubtful = [each for each in approving if isinstance(found := judge(each), Waiting) and not found.have]
    if doubtful or asked.eyes > 1:
        return [*others, *doubtful]
    return [*others, approving[-1]]


def rule_of(github: GitHub, began_with: Manifest, environment: str) -> Approval | None:
    """Who may approve, by the head of the default branch now; None where the policy says that nobody has to.

    `began_with` is the policy that the run began with. Raises RefusedError when the rule was there then and is gone.
    """
    from pipelines.manifest import parse

    main, name = began_with.release.main, began_with.file.name
    raw = github.json("GET", f"/repos/{github.name}/contents/{name}?ref={quote(main, safe='')}")
    head = parse(base64.b64decode(raw["content"]).decode(), Path(name))
    settings = head.environments.get(environment)
    before = began_with.environments[environment].approval
    if settings is None or (settings.approval is None and (before is not None or not settings.unapproved)):
        raise RefusedError(
            f"{main} says nothing any more about who approves releases to {environment}",
            where=f"{name} at the head of {main}",
            why="the rule was there when this run began, and was removed since: that opens no gate",
            next_step="start the workflow again: it plans by what the policy says now",
        )
    return settings.approval


def require_in_time(until: str, now: datetime) -> None:
    """The age of an approval, looked at once when a job begins. Raises RefusedError."""
    if until and now > datetime.fromisoformat(until):
        raise RefusedError(
            f"the approval counted until {until}",
            where="approval",
            why="what was true when someone approved may not be true any more",
            next_step="re-run all jobs: it plans anew, and asks again",
        )


def authors_of(unreviewed: Sequence[Any]) -> frozenset[str]:
    """Everybody who wrote what nobody else has reviewed."""
    return frozenset(author for each in unreviewed for author in each.authors)
