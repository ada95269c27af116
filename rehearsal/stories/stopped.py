"""Somebody on call rolls back while a release goes live: it stops there, stays away, and is not published. Nothing begins while frozen."""

from __future__ import annotations

from rehearsal.scenario import assertions as proof
from rehearsal.scenario import workflows
from rehearsal.scenario.steps import Routine
from rehearsal.scenario.user_traffic import Observer
from rehearsal.stories.unapproved import next_version


def tell(at: Routine) -> None:
    is_stopped_by_a_rollback(at)
    does_not_begin_while_frozen(at)


def is_stopped_by_a_rollback(at: Routine) -> None:
    """At its first share of the traffic."""
    before, version = at.public_release("production"), next_version(at)
    at.tag(at.person("dev-1"), version)
    with Observer(place=at.place, environment="production") as users:
        run = _approved(at, version)
        proof.eventually(
            lambda: version if version in users.releases("backend") else None,
            f"users to see {version}",
            seconds=180,
            every=0.05,
        )
        said = at.person("on-call").types("shipmate rollback --environment production")
        at.must_end(run, "failure")
    sights = {k: [[s.at, s.ms, s.ok, s.seen] for s in v] for k, v in users.sights.items()}
    at.diary.note("users", "what users saw meanwhile", sights=sights)
    with at.diary.during("proof", f"{version} was stopped, and stays so"):
        proof.that(f"stop the delivery of {version}" in said.text, "the command says what it stops", said.text[-800:])
        live = at.public_release("production")
        proof.that(live == before, "users have what they had", live)
        jobs = {name: job["conclusion"] for name, job in at.jobs(run).items()}
        proof.that(jobs[workflows.GO_LIVE] == "failure", "going live ended there", jobs)
        proof.that(jobs[workflows.PUBLISH] == "skipped", "nothing was published", jobs)
        at.observer.api("GET", f"releases/tags/{version}", ok=(404,))
        proof.that(not users.failures(), "no user saw a failed request", users.failures()[:3])


def does_not_begin_while_frozen(at: Routine) -> None:
    """A plan is refused, and a rollback is not."""
    on_call = at.person("on-call")
    on_call.types("shipmate freeze --environment production --reason 'the sale until Monday'")
    version = next_version(at)
    at.tag(at.person("dev-1"), version)
    run = at.dispatch(at.person("dev-1"), workflows.PRODUCTION, version=version)
    at.must_end(run, "failure")
    with at.diary.during("proof", "nothing begins in a frozen environment"):
        jobs = {name: job["conclusion"] for name, job in at.jobs(run).items()}
        proof.that(jobs[workflows.PLAN] == "failure", "the plan was refused", jobs)
    on_call.types("shipmate thaw --environment production")


def _approved(at: Routine, version: str) -> int:
    run = at.dispatch(at.person("dev-1"), workflows.PRODUCTION, version=version)
    at.waiting_for_review(run)
    at.review(at.person("release-manager"), run, "approved", f"{version} may go")
    return run
