"""Deployments: what is where, since when, by whom, and what was there before."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from rehearsal.github.deployments.state import Deployment
from rehearsal.github.environments.state import Environment
from rehearsal.github.pages.context import PageContext
from rehearsal.github.pages.paging import part
from rehearsal.github.pages.serving import Pages
from rehearsal.github.problems import not_found
from rehearsal.github.repositories.state import Repository

pages = Pages()

_LIVE = 2.0
_SHOWN = 6


@dataclass(frozen=True, kw_only=True)
class EnvironmentHistory:
    """One environment with its deployments, newest first."""

    environment: Environment
    current: Deployment | None
    """The last one that succeeded and was not made inactive."""
    history: Sequence[Deployment]


@pages.show("deployments")
async def overview(context: PageContext) -> Response:
    environments = _environments(context.repository)
    return context.page(
        "deployments.html",
        live=_LIVE,
        environments=environments,
        shown=_SHOWN,
        payload=_payload,
        describe=_rules,
        title=_titles(context),
    )


@pages.show("deployments/{name:path}")
async def one_environment(context: PageContext) -> Response:
    found = next(
        (one for one in _environments(context.repository) if one.environment.name == context.path("name")), None
    )
    if found is None:
        raise not_found()
    return context.page(
        "environment.html",
        live=_LIVE,
        shown=found,
        history=part(context.request, found.history),
        payload=_payload,
        describe=_rules,
        title=_titles(context),
    )


def _environments(repository: Repository) -> list[EnvironmentHistory]:
    """Environments, the one that changed last first; those that were never deployed to at the end."""
    by_name: dict[str, list[Deployment]] = {name: [] for name in repository.environments}
    for one in sorted(repository.deployments.values(), key=lambda one: one.id, reverse=True):
        by_name.setdefault(one.environment, []).append(one)
    found = [
        EnvironmentHistory(
            environment=repository.environments[name],
            current=next((one for one in history if one.state == "success"), None),
            history=history,
        )
        for name, history in by_name.items()
        if name in repository.environments
    ]
    return sorted(found, key=lambda one: one.history[0].id if one.history else 0, reverse=True)


def _rules(environment: Environment) -> list[str]:
    """The protection of an environment in words."""
    rules = []
    if environment.reviewers:
        own = ", not by who started the run" if environment.prevent_self_review else ""
        rules.append(f"reviewed by {', '.join(environment.reviewers)}{own}")
    if environment.wait_minutes:
        rules.append(f"waits {environment.wait_minutes} min")
    if environment.protected_branches:
        rules.append("protected branches only")
    if environment.policies:
        rules.append("only from " + ", ".join(policy.name for policy in environment.policies))
    return rules


def _titles(context: PageContext) -> Callable[[Deployment], str]:
    """What each deployment is called: as it was described, else by the run and the job that made it, else by its ref."""
    made = {job.id: f"{run.title}: {job.name}" for run in context.instance.runs(context.repository) for job in run.jobs}
    return lambda one: one.description or made.get(one.job_id or 0) or one.ref


def _payload(value: Any) -> str:
    """A deployment's payload for reading; nothing for an empty one."""
    if not value:
        return ""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
