"""Put into GitHub what a platform team would set up once: people, environments with their secrets, rules of branches and tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rehearsal.definition import Definition
from rehearsal.emulators.declaration import deploying
from rehearsal.world.credentials import Credentials

if TYPE_CHECKING:
    from rehearsal.github.repositories.state import Repository
    from rehearsal.github.seeding import Seed

PEOPLE: Mapping[str, str] = {"dev-1": "write", "dev-2": "write", "release-manager": "maintain", "on-call": "maintain"}
"""Login -> permission on the repository."""
AUTHOR = "dev-2"
"""Who brought what main holds as a world begins, its schedules too."""

MAINTAIN = 2
"""GitHub's number of the role."""


def renew_secrets(seed: Seed, repository: Repository, credentials: Credentials) -> None:
    """This world's values for every secret that an environment has: none gets one it did not have, and no environment is made."""
    values = credentials.all_secrets()
    for environment in repository.environments.values():
        known = {name: values[name] for name in environment.secrets if name in values}
        seed.secrets(repository.full_name, known, environment=environment.name)


def protect(seed: Seed, definition: Definition) -> None:
    """Rules of branches and tags, as .github/README.md asks for."""
    for pattern in ("main", "release/*"):
        seed.branch_ruleset(definition.repository, (pattern,), checks=("ci",), reviews=1)
    for pattern in definition.tags:
        seed.protect_tags(definition.repository, (pattern,), name=f"tags {pattern}")
    if definition.apps is not None:
        # Anyone who makes one has its commit's workflow run beside the secrets of the stores.
        tags = definition.apps.tags
        seed.restrict_tags(definition.repository, (tags,), name=f"who makes {tags}", roles=(MAINTAIN,))


def make_environments(seed: Seed, definition: Definition, credentials: Credentials) -> None:
    """GitHub's environments: each admits the default branch alone, those that release apps their tags; those that ask for approval have
    reviewers."""
    name, apps = definition.repository, definition.apps
    for environment in deploying(definition):
        seed.environment(
            name, environment, branches=("main",), secrets=credentials.in_environment(definition, environment)
        )
    for environment in dict.fromkeys((*apps.environments, apps.promote)) if apps else ():
        tags = (apps.tags,) if apps and environment != apps.promote else ()
        seed.environment(
            name,
            environment,
            branches=() if tags else ("main",),
            tags=tags,
            secrets=credentials.in_environment(definition, environment),
        )
    for approval in definition.approvals:
        seed.environment(
            name,
            approval.environment,
            branches=("main",),
            reviewers=approval.reviewers,
            prevent_self_review=not approval.alone,
            admins_bypass=False,
            secrets=credentials.in_environment(definition, approval.environment),
        )
