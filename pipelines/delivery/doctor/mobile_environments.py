"""What releases of the apps stand on at GitHub: environments that admit the tags of the apps alone, each with the secrets of its job.

A pushed tag runs the workflow of the tagged commit, so nothing in a file guards the secrets of the stores: these settings do.
Sources: docs.github.com/rest/deployments/environments, …/branch-policies, …/actions/secrets
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipelines.delivery import protection
from pipelines.findings import Finding

if TYPE_CHECKING:
    from pipelines.github import GitHub
    from pipelines.manifest import Manifest
    from pipelines.manifest.mobile import Mobile

WORKFLOW = "mobile-release.yml"
"""What a tag of the apps starts."""
PROMOTES = "mobile-promote.yml"
MAINTAINERS = (2, 5)
"""Ids by which GitHub knows the roles maintain and admin; all others may be anybody's who writes."""
SECRETS = ("EXPO_TOKEN", "APP_STORE_KEY")
"""That belong to these environments."""


def environments_of(manifest: Manifest) -> list[str]:
    """Names at GitHub of the environments in which the apps are built, delivered and promoted; none without apps."""
    mobile = manifest.mobile
    return [] if mobile is None else [mobile.eas.environment, *_stores(mobile), mobile.promotion.environment]


def needed(manifest: Manifest) -> list[str]:
    """Secrets that jobs of the apps cannot do without, of all environments together."""
    mobile = manifest.mobile
    return [] if mobile is None else [n for name in environments_of(manifest) for n in _needed(manifest, mobile, name)]


def tags(manifest: Manifest) -> str:
    """Pattern of the tags that release the apps: `mobile-v*`; empty without apps."""
    mobile = manifest.mobile
    return "" if mobile is None else manifest.release.components[mobile.component].tag_format.replace("{version}", "*")


def look(github: GitHub, manifest: Manifest) -> Iterator[Finding]:
    """Whom each environment admits, and what it holds. Raises what GitHub's calls raise."""
    mobile = manifest.mobile
    if mobile is None:
        return
    yield _who_tags(github, tags(manifest))
    by_tag = f"tag {tags(manifest)}"
    for name, admits in (
        (mobile.eas.environment, by_tag),
        *((name, by_tag) for name in _stores(mobile)),
        (mobile.promotion.environment, manifest.release.main),
    ):
        yield from protection.admitted_by(github, name, admits)
        if github.find_json(f"/repos/{github.name}/environments/{quote(name, safe='')}") is not None:
            yield from _secrets(github, name, _needed(manifest, mobile, name), alone=name == mobile.eas.environment)


def _who_tags(github: GitHub, pattern: str) -> Finding:
    """Anyone who may make such a tag, on whatever commit, decides what runs beside the secrets of the stores."""
    subject = f"who makes tags {pattern}"
    rulesets = [
        ruleset
        for ruleset in protection.tag_rulesets(github)
        if protection.is_about(ruleset, pattern)
        and any(rule["type"] == "creation" for rule in ruleset.get("rules", ()))
    ]
    make = protection.api("POST", f"repos/{github.name}/rulesets", ruleset_of_makers(pattern))
    if not rulesets:
        says = "everybody who may write: on a commit of their own, whose workflow gets the secrets of the stores"
        return Finding(subject=subject, state="missing", says=says, fix=make)
    if not any("bypass_actors" in ruleset for ruleset in rulesets):
        return Finding(subject=subject, state="unknown", says="is shown to administrators only")
    # Each of several must let someone in.
    listed = [ruleset.get("bypass_actors") or () for ruleset in rulesets]
    if all(any(_writes(actor) for actor in actors) for actors in listed):
        says = "everybody who may write may bypass the rule"
        return Finding(subject=subject, state="missing", says=says, fix=make)
    fewest = min(listed, key=len)
    who = ", ".join(f"{actor['actor_type']} {actor.get('actor_id') or ''}".strip() for actor in fewest)
    return Finding(subject=subject, state="ok", says=f"{who or 'nobody'} alone")


def _writes(actor: Mapping[str, Any]) -> bool:
    return actor["actor_type"] == "RepositoryRole" and actor.get("actor_id") not in MAINTAINERS


def ruleset_of_makers(pattern: str) -> dict[str, Any]:
    """The ruleset by which maintainers alone make tags, as the API takes it. Moving and deleting is another's, which nobody bypasses."""
    return {
        "name": f"Shipmate: who makes {pattern}",
        "target": "tag",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": [f"refs/tags/{pattern}"], "exclude": []}},
        "rules": [{"type": "creation"}],
        "bypass_actors": [{"actor_id": MAINTAINERS[0], "actor_type": "RepositoryRole", "bypass_mode": "always"}],
    }


def _stores(mobile: Mobile) -> list[str]:
    stores = (mobile.android, mobile.ios)
    return list(dict.fromkeys(store.environment for store in stores if store is not None))


def _secrets(github: GitHub, environment: str, needs: Sequence[str], *, alone: bool) -> Iterator[Finding]:
    """Only their names can be read. `alone`: it may hold nothing else."""
    path = f"/repos/{github.name}/environments/{quote(environment, safe='')}/secrets?per_page=100"
    held = sorted(each["name"] for each in github.json("GET", path)["secrets"])
    lacks = [name for name in needs if name not in held]
    subject = f"environment {environment}"
    if lacks:
        fix = " && ".join(f"gh secret set {name} --env {environment}" for name in lacks)
        yield Finding(subject=subject, state="missing", says=f"has no secret {', '.join(lacks)}", fix=fix)
    others = [name for name in held if name not in needs] if alone else []
    if others:
        yield Finding(
            subject=subject,
            state="missing",
            says=f"holds {', '.join(others)}: code of the app, which eas evaluates there, can read it",
            fix=" && ".join(f"gh secret delete {name} --env {environment}" for name in others),
        )
    if needs and not lacks and not others:
        yield Finding(subject=subject, state="ok", says=f"holds {', '.join(needs)}")


def _needed(manifest: Manifest, mobile: Mobile, environment: str) -> Sequence[str]:
    """Secrets that the jobs of an environment cannot do without."""
    promotes, builds = environment == mobile.promotion.environment, environment == mobile.eas.environment
    apple = mobile.ios is not None and environment in (mobile.ios.environment, mobile.promotion.environment)
    sentry = promotes and manifest.performance.app_starts is not None
    needed = {"EXPO_TOKEN": not promotes, "APP_STORE_KEY": apple and not builds, "SENTRY_READ_TOKEN": sentry}
    return [name for name, wanted in needed.items() if wanted]
