"""Ask GitHub for the facts of an approval, wait for it within bounds, and write it to the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipelines.approvals.rules import Answer, Approved, Asked, Rejected, Waiting, decide, may_break_glass
from pipelines.errors import RefusedError

if TYPE_CHECKING:
    from pipelines.github import GitHub
    from pipelines.ledger import Ledger, Record
    from pipelines.manifest.model import Approval
    from pipelines.runtime import Runtime


@dataclass(kw_only=True)
class Gate:
    """The approval of one run."""

    github: GitHub
    ledger: Ledger
    rule: Approval
    runtime: Runtime
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep

    def pass_with_approval(self, asked: Asked, record: Record, run_id: str, *, wait_seconds: float) -> Approved:
        """The approval, waited for at most `wait_seconds`. Raises RefusedError on a rejection or when none came."""
        reviews = self._reviews(run_id)
        issue = None if reviews else self._issue(asked, record)
        deadline = self.now().timestamp() + wait_seconds
        while True:
            answers = self._reviews(run_id) if issue is None else self._comments(issue)
            verdict = decide(asked, answers, self.rule, self.now())
            if isinstance(verdict, Approved):
                self._write_down(record, verdict, asked, "approved by")
                return verdict
            if isinstance(verdict, Rejected):
                self.ledger.note(record, "error", f"rejected by {verdict.by}")
                raise RefusedError(
                    f"{verdict.by} rejected it: {verdict.text or 'no reason given'}",
                    where=f"approval of {asked.release}",
                )
            if self.now().timestamp() >= deadline:
                raise self._nobody(asked, verdict, issue)
            self.sleep(5 * self.github.policy.scale)

    def break_glass(self, asked: Asked, record: Record, reason: str) -> Approved:
        """Go without approval, audited. Raises RefusedError when the dispatcher may not."""
        refusal = may_break_glass(asked.dispatcher, reason, self.rule)
        if refusal:
            raise RefusedError(refusal, where="break-glass", next_step="ask somebody else to approve, or to start it")
        approved = Approved(by=asked.dispatcher, at=self.now(), url=self.runtime.run_url)
        self._write_down(record, approved, asked, "break-glass by")
        self.runtime.annotate("warning", f"{asked.dispatcher} goes without approval: {reason}", title="Break-glass")
        return approved

    def _write_down(self, record: Record, approved: Approved, asked: Asked, words: str) -> None:
        if record.approval() is None:
            text = f"{words} {approved.by} for plan {asked.plan}, run {record.run_id or '-'}, attempt {record.attempt or '-'}"
            self.ledger.note(record, "queued", text, url=approved.url)

    def _reviews(self, run_id: str) -> list[Answer]:
        """Answers to *Review deployments* of this run for our approval environment."""
        raw = self.github.json("GET", f"/repos/{self.github.name}/actions/runs/{run_id}/approvals") if run_id else []
        answers = []
        for item in raw:
            if self.rule.environment in [environment["name"] for environment in item["environments"]]:
                answers.append(self._answer(item["user"]["login"], item["comment"] or "", item, review=item["state"]))
        return answers

    def _answer(self, user: str, text: str, item: dict[str, Any], *, review: str = "") -> Answer:
        stamp = item.get("created_at") or next((e.get("updated_at") for e in item.get("environments", ())), None)
        at = self.now() if review or not stamp else datetime.fromisoformat(stamp)
        url = item.get("html_url") or self.runtime.run_url
        return Answer(user=user, permission=self.github.permission(user), text=text, at=at, url=url, review=review)

    def _issue(self, asked: Asked, record: Record) -> int:
        """The issue of this run where people comment; found by its title when it exists."""
        title = (
            f"Approve {asked.release} for {record.environment} (plan {asked.plan}, run {record.run_id or record.id})"
        )
        found = self._open_issue(title)
        if found:
            return found
        body = (
            f"@{asked.dispatcher} wants to release **{asked.release}** to {record.environment}.\n\n"
            f"What would happen: {record.run or 'see the plan'}\n\n"
            f"To approve, comment exactly:\n\n```\n/approve {asked.plan}\n```\n\n"
            f"Who may: {', '.join(self.rule.by) or f'anyone with {self.rule.permission}'}; not {asked.dispatcher}"
            + (f", not {asked.author}" if asked.author else "")
            + "."
        )
        issue = self.github.call(
            "create issue", lambda: self.github.repository.create_issue(title=title, body=body), writes=True
        )
        self.runtime.annotate("notice", f"waiting for a comment on {issue.html_url}", title="Approval needed")
        return int(issue.number)

    def _open_issue(self, title: str) -> int | None:
        raw = self.github.json("GET", f"/repos/{self.github.name}/issues?state=open&per_page=100")
        return next((int(issue["number"]) for issue in raw if issue["title"] == title), None)

    def _comments(self, issue: int) -> list[Answer]:
        raw = self.github.json("GET", f"/repos/{self.github.name}/issues/{issue}/comments?per_page=100")
        return [
            self._answer(item["user"]["login"], item["body"] or "", item)
            for item in raw
            if "/approve" in (item["body"] or "") and item["created_at"] == item["updated_at"]
        ]

    def _nobody(self, asked: Asked, verdict: Waiting, issue: int | None) -> RefusedError:
        return RefusedError(
            f"{asked.release} is not approved",
            where=f"plan {asked.plan}",
            why="; ".join(verdict.ignored) or "nobody has answered",
            next_step=(
                f"somebody who may comments `/approve {asked.plan}` on issue #{issue}, then re-run this job"
                if issue is not None
                else "somebody else who may approves in *Review deployments*; then re-run all jobs"
            ),
        )


def require(record: Record | None, *, plan: str, attempt: str, rule: Approval | None, now: datetime) -> None:
    """The gate every deploying job begins with: an approval of this plan stands in the ledger and is fresh.

    A re-run of failed jobs goes on under the approval of its run; a re-run of all jobs asks again, because the approving job runs again.
    Raises RefusedError.
    """
    if rule is None:
        return
    approval = record.approval() if record else None
    where = f"plan {plan}, attempt {attempt}"
    if record is None or approval is None:
        raise RefusedError(
            "there is no approval of this release in the ledger",
            where=where,
            next_step="start it by the production workflow",
        )
    if f"plan {plan}," not in approval.text:
        raise RefusedError(
            f"the ledger holds another approval: {approval.text}", where=where, next_step="start the workflow again"
        )
    age = now - datetime.fromisoformat(approval.at)
    if age.total_seconds() > rule.expires_minutes * 60:
        raise RefusedError(
            f"the approval by {approval.by} is older than {rule.expires_minutes} minutes",
            where=where,
            next_step="re-run all jobs: it asks again",
        )
