"""Ask GitHub for the facts of an approval, wait for it within bounds, and write it to the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipelines.delivery.approval.rules import Answer, Approved, Asked, Rejected, Waiting, decide, may_break_glass
from pipelines.errors import RefusedError, ShipmateError
from pipelines.faults import once

if TYPE_CHECKING:
    from pipelines.delivery.ledger import Ledger, Record
    from pipelines.github import GitHub
    from pipelines.manifest.model import Approval
    from pipelines.runtime import Runtime

LAG_SECONDS = 30.0
"""How long a review that let this job start may take to show in GitHub's list of reviews."""


@dataclass(kw_only=True)
class Gate:
    """The approval of one attempt of one run."""

    github: GitHub
    ledger: Ledger
    rule: Approval
    runtime: Runtime
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep

    def pass_with_approval(self, asked: Asked, record: Record, run_id: str, *, wait_seconds: float) -> Approved:
        """The approval, waited for at most `wait_seconds`. Raises RefusedError on a rejection or when none came.

        Reviews come before this job starts, comments while it waits.
        """
        reviewed = self._has_reviewers()
        issue = None if reviewed else self._issue(asked, record)
        seconds = min(wait_seconds, LAG_SECONDS) * self.github.policy.scale if reviewed else wait_seconds
        deadline = self.now().timestamp() + seconds
        while True:
            answers = self._reviews(run_id, record) if issue is None else self._comments(issue)
            verdict = decide(asked, answers, self.rule, self.now())
            if isinstance(verdict, Approved):
                self._write_down(record, verdict, asked)
                self._close(issue)
                return verdict
            if isinstance(verdict, Rejected):
                raise self._rejected(record, verdict, asked)
            if self.now().timestamp() >= deadline or (reviewed and verdict.ignored):
                self._close(issue)
                raise self._nobody(asked, verdict, reviewed=reviewed)
            self.sleep(5 * self.github.policy.scale)

    def break_glass(self, asked: Asked, record: Record, reason: str) -> Approved:
        """Go without approval, audited. Raises RefusedError when whoever started this may not."""
        refusal = may_break_glass(asked.by, reason, self.rule)
        if refusal:
            raise RefusedError(refusal, where="break-glass", next_step="ask somebody else to approve, or to start it")
        url = self.runtime.run_url
        approved = Approved(by=asked.by, at=self.now(), url=url, text=reason, broke_glass=True)
        self._write_down(record, approved, asked)
        self.runtime.annotate("warning", f"{asked.by} goes without approval: {reason}", title="Break-glass")
        return approved

    @property
    def _attempt(self) -> str:
        return self.runtime.environ.get("GITHUB_RUN_ATTEMPT", "") or "-"

    def _of_this_attempt(self, record: Record) -> bool:
        return any(event.text.endswith(f", attempt {self._attempt}") for event in record.approvals())

    def _write_down(self, record: Record, approved: Approved, asked: Asked) -> None:
        """First what they said, then the approval: whoever finds that finds the words, too."""
        if self._of_this_attempt(record):
            return
        how = "break-glass by" if approved.broke_glass else "approved by"
        run = f"run {record.run_id or '-'}, attempt {self._attempt}"
        self.ledger.quote(record, approved.by, approved.text, url=approved.url)
        self.ledger.note(record, "queued", f"{how} {approved.by} for plan {asked.plan}, {run}", url=approved.url)

    def _rejected(self, record: Record, verdict: Rejected, asked: Asked) -> RefusedError:
        self.ledger.quote(record, verdict.by, verdict.text, url=verdict.url)
        self.ledger.note(record, "error", f"rejected by {verdict.by}", url=verdict.url)
        return RefusedError(
            f"{verdict.by} rejected it: {verdict.text or 'no reason given'}",
            where=f"approval of {asked.release}",
            next_step="when the reason is gone, dispatch the workflow again: a rejected run stays rejected",
        )

    def _has_reviewers(self) -> bool:
        """Whether the environment asks people itself; not every plan of GitHub has that."""
        if self.rule.environment is None:
            return False
        found = self.github.find_json(f"/repos/{self.github.name}/environments/{self.rule.environment}")
        return any(rule["type"] == "required_reviewers" for rule in (found or {}).get("protection_rules", ()))

    def _reviews(self, run_id: str, record: Record) -> list[Answer]:
        """Answers to *Review deployments* of this attempt.

        GitHub lists those of earlier attempts too, without a time: each approval the ledger has from one takes a review away.
        """
        raw = self.github.json("GET", f"/repos/{self.github.name}/actions/runs/{run_id}/approvals") if run_id else []
        spent = [] if self._of_this_attempt(record) else [event.approver for event in record.approvals()]
        answers = []
        for item in raw:
            if self.rule.environment not in [environment["name"] for environment in item["environments"]]:
                continue
            if item["state"] == "approved" and item["user"]["login"] in spent:
                spent.remove(item["user"]["login"])
                continue
            answers.append(self._answer(item, item["comment"] or "", self.now(), review=item["state"]))
        return answers

    def _answer(self, item: dict[str, Any], text: str, at: datetime, *, review: str = "") -> Answer:
        user = item["user"]["login"]
        url = item.get("html_url") or self.runtime.run_url
        return Answer(user=user, permission=self.github.permission(user), text=text, at=at, url=url, review=review)

    def _issue(self, asked: Asked, record: Record) -> int:
        """The issue of this attempt where people comment; found by its title when it exists."""
        run = f"run {record.run_id or record.id}, attempt {self._attempt}"
        title = f"Approve {asked.release} for {record.environment} (plan {asked.plan}, {run})"
        body = (
            f"@{asked.by} wants to release **{asked.release}** to {record.environment}.\n\n"
            f"What would happen: {record.run or 'see the plan'}\n\n"
            f"To approve, comment exactly:\n\n```\n/approve {asked.plan}\n```\n\n"
            f"Who may: {', '.join(self.rule.by) or f'anyone with {self.rule.permission}'}; "
            f"not {', not '.join(dict.fromkeys([*asked.starters, *([asked.author] if asked.author else [])]))}."
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
        return next((int(issue["number"]) for issue in raw if issue["title"] == title), None)

    def _comments(self, issue: int) -> list[Answer]:
        """Comments that may approve; an edited one is somebody else's word, perhaps, and does not count."""
        path = f"/repos/{self.github.name}/issues/{issue}/comments"
        answers: list[Answer] = []
        for page in range(1, 11):
            raw = self.github.json("GET", f"{path}?per_page=100&page={page}")
            answers += [
                self._answer(item, item["body"], datetime.fromisoformat(item["created_at"]))
                for item in raw
                if item["user"] and "/approve" in (item["body"] or "") and item["created_at"] == item["updated_at"]
            ]
            if len(raw) < 100:
                break
        return answers

    def _close(self, issue: int | None) -> None:
        """The question is answered. Left open it harms nobody, so GitHub's trouble is only told."""
        if issue is None:
            return
        try:
            self.github.json("PATCH", f"/repos/{self.github.name}/issues/{issue}", {"state": "closed"})
        except ShipmateError as error:
            self.runtime.annotate("warning", f"issue #{issue} stays open: {error.what}", title="Approval")

    def _nobody(self, asked: Asked, verdict: Waiting, *, reviewed: bool) -> RefusedError:
        return RefusedError(
            f"{asked.release} is not approved",
            where=f"plan {asked.plan}",
            why="; ".join(verdict.ignored) or "nobody has answered",
            next_step="re-run this job: it asks again; then somebody else who may "
            + ("approves in *Review deployments*" if reviewed else f"comments `/approve {asked.plan}` while it waits"),
        )


def require(record: Record | None, *, plan: str, attempt: str, rule: Approval | None, now: datetime) -> None:
    """The gate every deploying job begins with: an approval of this plan stands in the ledger and is fresh.

    A re-run of failed jobs goes on under the approval of its run; a re-run of all jobs asks again, because the approving job runs again.
    Raises RefusedError.
    """
    if rule is None:
        return
    approval = next(iter(record.approvals()), None) if record else None
    where = f"plan {plan}, attempt {attempt}"
    if record is None or approval is None:
        raise RefusedError(
            "there is no approval of this release in the ledger",
            where=where,
            next_step="start it by the production workflow",
        )
    if f" for plan {plan}, run {record.run_id or '-'}," not in approval.text:
        raise RefusedError(
            f"the ledger holds another approval: {approval.text}", where=where, next_step="start the workflow again"
        )
    age = now - datetime.fromisoformat(approval.at)
    if age.total_seconds() > rule.expires_minutes * 60:
        raise RefusedError(
            f"the approval by {approval.approver} is older than {rule.expires_minutes} minutes",
            where=where,
            next_step="re-run all jobs: it asks again",
        )
