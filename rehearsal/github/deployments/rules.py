"""Whether something may be deployed, which deployments a successful one replaces, and which may be deleted."""

from __future__ import annotations

from collections.abc import Sequence

from rehearsal.github.checks.rules import states
from rehearsal.github.deployments.state import Deployment
from rehearsal.github.problems import conflict, unprocessable
from rehearsal.github.repositories.state import Repository


def check_contexts(repository: Repository, ref: str, sha: str, contexts: Sequence[str] | None) -> None:
    """Raise Problem 409 for checks of a commit that have not passed; None: every check that was ever reported on it."""
    found = states(repository, sha)
    required = list(found) if contexts is None else contexts
    if any(found.get(context) != "passed" for context in required):
        raise conflict(f"Conflict: Commit status checks failed for {ref}.")


def superseded(repository: Repository, deployment: Deployment) -> list[Deployment]:
    """What a success makes inactive: earlier successes of the environment, neither transient nor production."""
    return [
        other
        for other in repository.deployments.values()
        if other.id < deployment.id
        and other.environment == deployment.environment
        and other.state == "success"
        and not other.transient
        and not other.production
    ]


def check_delete(repository: Repository, deployment: Deployment) -> None:
    """Raise Problem 422 for a deployment that is active and not alone in its environment."""
    same = [one for one in repository.deployments.values() if one.environment == deployment.environment]
    if deployment.state not in (None, "inactive") and len(same) > 1:
        raise unprocessable("We cannot delete an active deployment unless it is the only deployment.")
