"""Obtain the approval of a release: who asks, who answers, and where it is written."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.delivery.approval.gate import Gate
from pipelines.delivery.approval.rules import Approved, Asked
from pipelines.delivery.resolve import author_of, require_unmoved
from pipelines.errors import CredentialsError, RefusedError

if TYPE_CHECKING:
    from pipelines.delivery.context import Delivery
    from pipelines.delivery.ledger import Record


def obtain(
    delivery: Delivery, *, release: str, commit: str, plan: str, break_glass: str, wait_seconds: float
) -> Approved | None:
    """The approval, None where the environment needs none. Raises RefusedError."""
    rule = delivery.settings.approval
    if rule is None:
        return None
    if delivery.github is None:
        raise CredentialsError("an approval needs GitHub", next_step="pass `token: ${{ github.token }}`")
    record = _record(delivery, release, plan)
    require_unmoved(delivery.github, release, commit)
    asked = Asked(
        release=release,
        plan=plan,
        starters=_starters(delivery),
        author=author_of(delivery.github, commit),
        since=datetime.fromisoformat(record.at),
    )
    gate = Gate(github=delivery.github, ledger=delivery.ledger, rule=rule, runtime=delivery.runtime)
    if break_glass:
        return gate.break_glass(asked, record, break_glass)
    run_id = delivery.runtime.environ.get("GITHUB_RUN_ID", "")
    return gate.pass_with_approval(asked, record, run_id, wait_seconds=wait_seconds)


def _starters(delivery: Delivery) -> tuple[str, ...]:
    """Who started this attempt, and who dispatched the run."""
    env = delivery.runtime.environ
    named = (env.get("GITHUB_TRIGGERING_ACTOR", ""), env.get("GITHUB_ACTOR", ""))
    return tuple(dict.fromkeys(login for login in named if login))


def _record(delivery: Delivery, release: str, plan: str) -> Record:
    run_id = delivery.runtime.environ.get("GITHUB_RUN_ID", "")
    record = delivery.ledger.expect(delivery.environment, run_id)
    if record is None or record.plan != plan:
        raise RefusedError(
            f"the ledger holds no plan {plan} of this run",
            where=f"{release} to {delivery.environment}",
            why="the plan job did not run in this run, or planned something else",
            next_step="start the workflow again",
        )
    return record
