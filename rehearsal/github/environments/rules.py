"""What an environment's rules come to: what the owner's plan has, and who may review a deployment."""

from __future__ import annotations

from collections.abc import Sequence

from rehearsal.github.environments.state import Environment
from rehearsal.github.problems import Problem, forbidden, not_found
from rehearsal.github.repositories.state import Repository


def in_plan(repository: Repository) -> bool:
    """Whether environments, their secrets and their rules count: not in private repositories on the free plan."""
    return not repository.private or repository.settings.plan != "free"


def reviewers_in_plan(repository: Repository) -> bool:
    """Whether environments can ask for reviewers and wait: in private repositories on the enterprise plan only."""
    return not repository.private or repository.settings.plan == "enterprise"


def in_force(repository: Repository, name: str | None) -> Environment | None:
    """The environment of that name, where the owner's plan has environments."""
    return repository.environment(name) if name and in_plan(repository) else None


def check_plan(repository: Repository, *, reviewers: bool, wait_timer: bool) -> None:
    """Raise Problem 404 where the owner's plan has no environments, 422 where it has none with these rules."""
    if not in_plan(repository):
        raise not_found()
    for rule, wanted in (("required reviewers", reviewers), ("wait timer", wait_timer)):
        if wanted and not reviewers_in_plan(repository):
            raise Problem(
                422,
                "Failed to create the environment protection rule. Please ensure the billing plan supports the "
                f"{rule} protection rule.",
            )


def review_refusal(environment: Environment | None, reviewers: Sequence[str], starter: str, login: str) -> str:
    """Why a user may not review a deployment to an environment; empty when they may. `starter` started the run."""
    if login not in reviewers:
        name = environment.name if environment is not None else "this environment"
        return "Sign in to review." if login == "anonymous" else f"{login} is not a reviewer of {name}."
    if environment is not None and environment.prevent_self_review and login == starter:
        return f"{login} started this run, and {environment.name} does not allow self-review."
    return ""


def check_bypass(environment: Environment | None) -> None:
    """Raise Problem 403 where not even an administrator starts what waits."""
    if environment is not None and not environment.admins_bypass:
        raise forbidden(f"Administrators may not bypass the protection rules of {environment.name}.")
