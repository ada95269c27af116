"""The phases of a deployment, shared by staging and production: stage a candidate, shift traffic, prove it, settle it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipelines.delivery import lock
from pipelines.delivery.acts import Acts
from pipelines.delivery.approval.gate import require
from pipelines.delivery.plan import plan_settle, plan_shift, plan_stage
from pipelines.delivery.run import Done, carry_out
from pipelines.errors import CheckFailed, ConflictError, CredentialsError, RefusedError, ShipmateError

if TYPE_CHECKING:
    from pipelines.checks.report import Report
    from pipelines.delivery.context import Candidate, Delivery
    from pipelines.delivery.ledger import Record
    from pipelines.github import GitHub


def begin(delivery: Delivery, candidate: Candidate) -> Record | None:
    """The gate every deploying job begins with: our record, its approval, and nobody else at work. None without GitHub.

    Raises InputError, RefusedError, ConflictError.
    """
    for component in candidate.artifacts:
        delivery.artifact(candidate, component)
    if delivery.github is None:
        _go_alone(delivery)
        return None
    attempt = delivery.runtime.environ.get("GITHUB_RUN_ATTEMPT", "")
    record = _own(delivery, candidate)
    require(record, plan=candidate.plan, attempt=attempt, rule=delivery.settings.approval, now=datetime.now(UTC))
    history = delivery.ledger.records(delivery.environment, limit=lock.RECENT)
    lock.require_newest(history, record)
    lock.require_free(delivery.github, history, record)
    return record if record.state == "in_progress" else _take(delivery, delivery.github, record, candidate.release)


def _go_alone(delivery: Delivery) -> None:
    """Without a token there is neither lock nor ledger: said, and refused where somebody must approve."""
    if delivery.settings.approval is not None:
        raise CredentialsError(
            f"{delivery.environment} needs an approval, and without a token GitHub cannot be asked for it",
            next_step="pass `token: ${{ github.token }}`",
        )
    delivery.runtime.annotate(
        "warning",
        "no GITHUB_TOKEN: the ledger is not told, and nobody is kept from deploying at the same time",
        title="Ledger",
    )


def _own(delivery: Delivery, candidate: Candidate) -> Record:
    """The record of this run. Where a plan is approved it was opened by the plan job, and is never made here."""
    env = delivery.runtime.environ
    run_id = env.get("GITHUB_RUN_ID", "")
    planned = delivery.ledger.expect(delivery.environment, run_id) if candidate.plan else None
    if planned is not None:
        _require_as_planned(planned, candidate)
        return planned
    return delivery.ledger.open(
        environment=delivery.environment,
        release=candidate.release,
        commit=candidate.commit,
        artifacts=candidate.digests(),
        run=delivery.runtime.run_url,
        run_id=run_id,
        attempt=env.get("GITHUB_RUN_ATTEMPT", ""),
        by=delivery.runtime.actor,
        plan=candidate.plan,
    )


def _require_as_planned(record: Record, candidate: Candidate) -> None:
    """What is deployed is what staging proved, by digest. Raises RefusedError."""
    wanted, given = dict(record.artifacts), candidate.digests()
    if (record.commit, wanted) == (candidate.commit, given):
        return
    other = [name for name in {**wanted, **given} if wanted.get(name) != given.get(name)] or ["the commit"]
    raise RefusedError(
        f"{', '.join(other)} of {candidate.release} is not what staging proved and was planned",
        where=record.run,
        why=f"planned: {record.commit[:7]} {wanted}; given: {candidate.commit[:7]} {given}",
        next_step="pass on what the plan job put out; to release another build, let staging prove it and start the workflow again",
    )


def _take(delivery: Delivery, github: GitHub, record: Record, release: str) -> Record:
    """Say that we are at work, and look again: whoever said so earlier goes first. Raises ConflictError."""
    delivery.ledger.note(record, "in_progress", f"deploying {release}", url=delivery.runtime.run_url)
    record = delivery.ledger.read(record)
    history = delivery.ledger.records(delivery.environment, limit=lock.RECENT)
    try:
        lock.require_free(github, history, record)
    except ConflictError:
        delivery.ledger.note(record, "queued", "another run was faster", url=delivery.runtime.run_url)
        raise
    return record


def stage(delivery: Delivery, candidate: Candidate, component: str) -> list[Done]:
    """A candidate of one component without traffic, checked at its own address."""
    record = begin(delivery, candidate)
    acts = Acts(delivery=delivery, candidate=candidate)
    steps = plan_stage(delivery.parts(candidate, [component])[0])
    with failing(delivery, record, f"{component} of {candidate.release}"):
        return carry_out(steps, acts.table(), delivery.runtime)


def shift(delivery: Delivery, candidate: Candidate) -> list[Done]:
    """All components live: traffic in watched steps."""
    record = begin(delivery, candidate)
    acts = Acts(delivery=delivery, candidate=candidate)
    with failing(delivery, record, f"traffic to {candidate.release}"):
        steps = plan_shift(delivery.parts(candidate, list(candidate.artifacts)))
        return carry_out(steps, acts.table(), delivery.runtime)


def prove(delivery: Delivery, candidate: Candidate) -> Report:
    """Every smoke check of the environment, from outside. Raises CheckFailed."""
    from pipelines.checks import smoke

    urls = {name: target.url for name, target in delivery.settings.targets.items()}
    facts = {"release": candidate.release, "commit": candidate.commit}
    return smoke.run(list(delivery.settings.smoke), urls, facts, delivery.http)


def observe(delivery: Delivery, release: str | None) -> Report:
    """The smoke checks against whatever is live, or against the release that is expected."""
    from pipelines.checks import smoke

    urls = {name: target.url for name, target in delivery.settings.targets.items()}
    main = next((found for live in delivery.lives().values() if (found := live.main()) and found.identity), None)
    identity = main.identity if main else None
    facts = {
        "release": release or (identity.release if identity else ""),
        "commit": identity.commit if identity else "",
    }
    return smoke.run(list(delivery.settings.smoke), urls, facts, delivery.http)


def settle(delivery: Delivery, candidate: Candidate, report: Report) -> list[Done]:
    """After the proof: good to come back to; the ledger says it is live."""
    record = begin(delivery, candidate)
    with failing(delivery, record, f"smoke tests of {candidate.release}"):
        require_passed(delivery, report)
        acts = Acts(delivery=delivery, candidate=candidate)
        done = carry_out(
            plan_settle(delivery.parts(candidate, list(candidate.artifacts))), acts.table(), delivery.runtime
        )
    if record is not None:
        url = next(iter(t.url for t in reversed(list(delivery.settings.targets.values()))), "")
        delivery.ledger.note(
            record, "success", f"{candidate.release} is live, {len(report.results)} checks passed", live_url=url
        )
    return done


def require_passed(delivery: Delivery, report: Report) -> None:
    """Raises CheckFailed naming every check that failed."""
    if report.failed:
        raise CheckFailed(report.failures(), where=delivery.environment, next_step="see the checks above")


class failing:
    """Writes a failure to the ledger on its way up; the ledger's own trouble never hides it."""

    def __init__(self, delivery: Delivery, record: Record | None, what: str) -> None:
        self.delivery, self.record, self.what = delivery, record, what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self.record is None or not isinstance(error, ShipmateError):
            return
        try:
            self.delivery.ledger.note(
                self.record, "failure", f"{self.what}: {error.what}", url=self.delivery.runtime.run_url
            )
        except ShipmateError as also:
            self.delivery.runtime.annotate("warning", f"the ledger could not be told: {also}")
