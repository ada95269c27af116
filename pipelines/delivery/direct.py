"""The whole way of a delivery that nobody approves, in one process: what the workflows walk in jobs, back to its base when it fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipelines.delivery import plan
from pipelines.delivery.context import Context, Release, head_commit, highest_schema
from pipelines.delivery.first_deployment import DomainNotMapped
from pipelines.delivery.notifications import notify_of_rollback
from pipelines.delivery.pipeline import DIRECT
from pipelines.delivery.planning import record, require_checkable
from pipelines.delivery.rollback import mark_announced, return_to_base
from pipelines.errors import CheckFailed, InputError, RefusedError, ShipmateError
from pipelines.history import History
from pipelines.steps import Done, carry_out

if TYPE_CHECKING:
    from pipelines.roles import Identity


def deploy(context: Context, name: str, artifacts: Mapping[str, str]) -> list[Done]:
    """Carry out every step of DIRECT for the commit that is checked out. Every step reads the real state first, so a killed run is
    finished by the next. A release that fails a check with traffic is rolled back to what was live. Raises what the steps raise."""
    manifest = context.manifest
    release = Release(
        name=name,
        commit=head_commit(manifest.root),
        artifacts=dict(artifacts),
        schema=highest_schema(manifest, list(context.settings.targets)),
    )
    context.release = release
    for component in artifacts:
        release.artifact(component)
    require_checkable(context, artifacts)
    made = plan.make(manifest, context.environment, record(context, name, release.commit, artifacts), DIRECT)
    release.contracts = {each.component: each.contracts for each in made.facts}
    history = History(context)
    history.open(name, release.commit, {each.component: each.digest for each in made.facts})
    history.note("in_progress", f"deploying {name}")
    try:
        with history.failing(name):
            done = carry_out([step for _, step in made.steps], context)
    except DomainNotMapped:
        raise  # it stays where it is: nothing was live before, and the next run goes on from there
    except CheckFailed as failed:
        _take_back(context, made, failed)
        raise
    checks = context.report.passed if context.report else 0
    history.note("success", f"{name} is live, {checks} checks passed")
    return done


def _take_back(context: Context, made: plan.Plan, failed: CheckFailed) -> None:
    """A release that has traffic goes back to its base; where to, or why not, is added to the failure."""
    try:
        result = return_to_base(context, made)
    except ShipmateError as error:
        _add(failed, f"it was not rolled back: {error.what}")
        now = f"now: shipmate rollback --environment {context.environment}"
        failed.next_step = error.next_step if isinstance(error, RefusedError) else now
        return
    if not result.changed:
        return
    failed.next_step = f"{context.environment} is back to {result.release}; {failed.next_step}"
    if result.problem is not None:
        _add(failed, f"{result.release}, which is live again, does not answer well: {result.problem.what}")
    message = notify_of_rollback(context, result.release, result.was, result.problem, how="its delivery failed")
    context.runtime.say(f"notified by {', '.join(message)}" if message else "nobody was notified: do it yourself")
    try:
        mark_announced(context, made.components)
    except ShipmateError as error:
        context.runtime.annotate("warning", f"the next rollback tells of it again: {error.what}", title="Rollback")


def _add(failed: CheckFailed, why: str) -> None:
    failed.why = f"{failed.why}; and {why}" if failed.why else why


def references(context: Context, given: Mapping[str, str], source: str | None) -> dict[str, str]:
    """The artifacts to deploy: those given, over those live in the environment `source`. Raises InputError when one is missing."""
    found: dict[str, str] = {}
    if source is not None:
        for component, identity in _live(context, source).items():
            kept = context.manifest.components[component].image or context.manifest.components[component].build
            if kept is not None:
                found[component] = f"{kept.repository}@{identity.digest}"
        if not found:
            raise InputError(
                f"nothing of ours is live in {source}",
                where="--from",
                next_step="name an environment something was released to, or pass --artifact component=host/path@sha256:…",
            )
    found.update(given)
    missing = [name for name in context.settings.targets if name not in found]
    if missing:
        raise InputError(
            f"no artifact for {', '.join(missing)}",
            where="shipmate deploy",
            next_step="pass --artifact component=host/path@sha256:…",
        )
    return found


def _live(context: Context, environment: str) -> dict[str, Identity]:
    """Component -> what serves in another environment."""
    other = Context(
        manifest=context.manifest,
        environment=environment,
        runtime=context.runtime,
        http=context.http,
        credentials=context.credentials,
        host_of=context.host_of,
    )
    mains = {component: live.main() for component, live in other.lives().items()}
    return {component: main.identity for component, main in mains.items() if main is not None and main.identity}
