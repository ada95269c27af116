"""Environments, which come into being on first use."""

from __future__ import annotations

from rehearsal.github.environments.state import BranchPolicy, Environment
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.repositories.state import Repository


def ensure(instance: GitHubInstance, repository: Repository, name: str) -> Environment:
    """The environment of that name, made without rules when there is none."""
    found = repository.environment(name)
    if found is None:
        now = instance.now()
        number = instance.database.next_id("environment")
        found = Environment(id=number, name=name, created_at=now, updated_at=now)
        repository.environments[name] = found
    return found


def add_policy(instance: GitHubInstance, environment: Environment, name: str, kind: str = "branch") -> BranchPolicy:
    """Let a name pattern deploy."""
    policy = BranchPolicy(id=instance.database.next_id("branch_policy"), name=name, type=kind)
    environment.policies.append(policy)
    return policy
