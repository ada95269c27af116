"""What a load test may do, and to what: the addresses of an environment, who its users are, and which release they meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.delivery.approval.rules import may_answer
from pipelines.delivery.context import require_github, settings_of
from pipelines.delivery.probes import HEADER, probe_headers
from pipelines.errors import InputError, RefusedError
from pipelines.manifest.model import Journey
from pipelines.manifest.performance import Load, LoadProfile

if TYPE_CHECKING:
    from pipelines.delivery.context import Context
    from pipelines.manifest import Manifest
    from pipelines.manifest.model import Approval

LOAD_HEADER = "X-Shipmate-Load"
"""Carries the token of the probes: the app then tells in Server-Timing what a request waited for its database, and limits as always."""


@dataclass(frozen=True, kw_only=True)
class Serving:
    """What users meet: release and commit of every component that has traffic."""

    release: str
    commit: str


@dataclass(frozen=True, kw_only=True)
class LoadTarget:
    """An environment, as a load test meets it."""

    environment: str
    journeys: Mapping[str, Journey]
    """Those of components that live here, and that anybody does under load."""
    addresses: Mapping[str, str]
    """Component -> its public address. No other host is asked."""
    headers: Mapping[str, Mapping[str, str]]
    limits: Load


def profile_named(manifest: Manifest, name: str) -> LoadProfile:
    """Raises InputError naming those there are."""
    profiles = manifest.performance.profiles
    if name not in profiles:
        raise InputError(
            f"there is no profile {name!r}",
            where=f"{manifest.file.name}, performance/profiles",
            next_step=f"one of: {', '.join(profiles)}" if profiles else "declare one there (docs/PERFORMANCE.md)",
        )
    return profiles[name]


def limits_of(manifest: Manifest, environment: str) -> Load:
    """Raises InputError for an environment there is not, RefusedError for one that takes no load."""
    limits = settings_of(manifest, environment).load
    if limits is None:
        raise RefusedError(
            f"no load test may be made of {environment}",
            where=f"{manifest.file.name}, environments/{environment}",
            why="it has no `load` there, which says how much it takes",
            next_step="choose another environment; or have `load: {visits_per_second: …}` added by a pull request",
        )
    return limits


def load_target(context: Context, *, accepted: bool) -> LoadTarget:
    """Who and what a load test meets. `accepted`: the caller confirmed that users are here.

    Raises RefusedError where load is not allowed: without `load` in the manifest, and, where releases need an approval, without
    `accepted` and a review of this very run.
    """
    limits = limits_of(context.manifest, context.environment)
    if context.settings.approval is not None:
        _require_approval(context, context.settings.approval, accepted=accepted)
    journeys = {
        name: each
        for name, each in context.manifest.journeys.items()
        if each.component in context.settings.targets and each.weight > 0
    }
    if not journeys:
        raise RefusedError(
            f"nothing says what users of {context.environment} do",
            where=f"{context.manifest.file.name}, journeys",
            next_step="declare a journey of a component that lives there (docs/MANIFEST.md)",
        )
    asked = {each.component for each in journeys.values()}
    return LoadTarget(
        environment=context.environment,
        journeys=journeys,
        addresses={name: url for name, url in context.urls().items() if name in asked},
        headers={name: _load_headers(context, name) for name in asked},
        limits=limits,
    )


def require_within(profile: LoadProfile, limits: Load, where: str) -> None:
    """Raises RefusedError for a profile that asks for more than an environment takes."""
    over = [
        f"{asked:g} {unit}, and {most:g} at the most"
        for asked, most, unit in (
            (profile.most_per_second, limits.visits_per_second, "visits per second"),
            (profile.seconds, limits.seconds, "seconds"),
        )
        if asked > most
    ]
    if over:
        raise RefusedError(
            f"the profile asks for more than {where} takes: {'; '.join(over)}",
            where=f"environments/{where}/load",
            next_step="choose another profile, or have the limit raised by a pull request",
        )


def serving(context: Context, components: Mapping[str, str]) -> Serving:
    """What `components` (name -> anything) serve now. Raises RefusedError while they serve more than one release, or one of nobody."""
    lives = context.lives(list(components))
    found: dict[tuple[str, str], list[str]] = {}
    for name, live in lives.items():
        for each in live.serving():
            known = (each.identity.release, each.identity.commit) if each.identity else ("unknown", "")
            found.setdefault(known, []).append(name)
        if not live.serving():
            found.setdefault(("nothing", ""), []).append(name)
    if len(found) != 1 or not all(commit for _, commit in found):
        text = "; ".join(f"{', '.join(dict.fromkeys(names))}: {release}" for (release, _), names in found.items())
        raise RefusedError(
            f"{context.environment} does not serve one release: {text}",
            where=context.environment,
            why="what is measured must be what one commit does: a delivery is under way, or components went back alone",
            next_step="`shipmate status` says what is live; measure when the delivery has ended",
        )
    ((release, commit),) = found
    return Serving(release=release, commit=commit)


def _load_headers(context: Context, component: str) -> Mapping[str, str]:
    token = probe_headers(context, component).get(HEADER)
    return {LOAD_HEADER: token} if token else {}


def _require_approval(context: Context, rule: Approval, *, accepted: bool) -> None:
    if not accepted:
        raise RefusedError(
            f"users are on {context.environment}",
            where=context.environment,
            why="a load test takes capacity from them",
            next_step=f"say so: dispatch *Performance* for {context.environment}; it asks for an approval",
        )
    run = context.runtime.run_id
    github = require_github(context) if run else None
    reviews = github.json("GET", f"/repos/{github.name}/actions/runs/{run}/approvals") if github else []
    for review in reviews:
        login, asked = str(review["user"]["login"]), [each["name"] for each in review["environments"]]
        another = login.lower() != context.runtime.actor.lower()
        if review["state"] == "approved" and rule.environment in asked and another and may_answer(login, rule):
            return
    raise RefusedError(
        f"nobody approved a load test of {context.environment}",
        where=f"run {run}" if run else "this terminal",
        why="who may approve a release must approve it, in a run of *Performance* that someone else started",
        next_step=f"dispatch *Performance* for {context.environment}, and have it reviewed",
    )
