"""What the runner asks of this GitHub."""

from __future__ import annotations

import secrets
from typing import Any

from rehearsal.github.accounts.tokens import Token, normalised
from rehearsal.github.checks import service as checks
from rehearsal.github.deployments.service import job_deployments
from rehearsal.github.environments.rules import in_force, reviewers_in_plan
from rehearsal.github.git.bare import ZERO, GitError
from rehearsal.github.git.history import changed_paths, merge_base
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.oidc import subject_prefix
from rehearsal.github.protection.rules import rules_for
from rehearsal.github.pulls.service.merge_queue import MergeQueues
from rehearsal.github.runs.service import runs, workflows
from rehearsal.github.runs.service.events import RunEvents
from rehearsal.runner.hub import EnvironmentRules
from rehearsal.runner.model import Job, Run

_NO_BRANCH = "//"
"""Not a name a branch can have: selected branches only, and none selected yet."""


class GitHubHub:
    """`rehearsal.runner.hub.Hub` on top of the instance."""

    def __init__(self, instance: GitHubInstance) -> None:
        self._instance = instance
        self.run_events = RunEvents(instance)
        self.merge_queues = MergeQueues(instance)

    async def workflow_files(self, repository: str, sha: str) -> dict[str, str]:
        """Path -> text of every file under .github/workflows at a commit."""
        return await workflows.files(self._instance.git(self._instance.repository(repository)), sha)

    def disabled_workflows(self, repository: str) -> set[str]:
        """Paths of those that were disabled."""
        known = self._instance.repository(repository).workflows
        return {path for path, workflow in known.items() if workflow.state == "disabled_manually"}

    async def changed_paths(self, repository: str, before: str, after: str) -> list[str] | None:
        """Paths that differ; None when it is unknown. Diverged commits are compared from their merge base."""
        git = self._instance.git(self._instance.repository(repository))
        if ZERO in (before, after):
            return None
        try:
            base = await merge_base(git, before, after)
            return None if base is None else await changed_paths(git, base, after)
        except GitError:
            return None

    def clone_url(self, repository: str) -> str:
        return f"{self._instance.address}/{repository}.git"

    def api_url(self) -> str:
        return self._instance.address

    def server_url(self) -> str:
        return self._instance.address

    def job_token(self, repository: str, permissions: dict[str, str], run: Run, job: Job) -> str:
        """A new GITHUB_TOKEN that allows exactly `permissions`, in this repository only."""
        bot = self._instance.database.actions_bot(self._instance.now())
        token = Token(
            value=f"ghs_{secrets.token_hex(18)}",
            login=bot.login,
            kind="job",
            permissions=normalised(permissions),
            repository=self._instance.repository(repository).full_name,
            run_id=run.id,
            job_id=job.id,
        )
        self._instance.database.tokens[token.value] = token
        return token.value

    def retire_token(self, token: str) -> None:
        self._instance.database.tokens.pop(token, None)

    def secrets(self, repository: str, environment: str | None) -> dict[str, str]:
        found = self._instance.repository(repository)
        own = {name: secret.value for name, secret in found.secrets.items()}
        of = in_force(found, environment)
        return own if of is None else own | {name: secret.value for name, secret in of.secrets.items()}

    def variables(self, repository: str, environment: str | None) -> dict[str, str]:
        found = self._instance.repository(repository)
        own = {name: variable.value for name, variable in found.variables.items()}
        of = in_force(found, environment)
        return own if of is None else own | {name: variable.value for name, variable in of.variables.items()}

    def environment(self, repository: str, name: str) -> EnvironmentRules:
        """The rules of an environment; `protected branches only` is given as the names of those there are."""
        found = self._instance.repository(repository)
        one = in_force(found, name)
        if one is None:
            return EnvironmentRules(name=name)
        branches = [policy.name for policy in one.policies if policy.type == "branch"]
        tags = [policy.name for policy in one.policies if policy.type == "tag"]
        if one.custom_policies and not one.policies:
            branches = [_NO_BRANCH]
        if one.protected_branches:
            every = self._instance.git(found).branches()
            branches = [branch for branch in every if rules_for(found, f"refs/heads/{branch}").protected]
        return EnvironmentRules(
            name=one.name,
            reviewers=tuple(one.reviewers) if reviewers_in_plan(found) else (),
            prevent_self_review=one.prevent_self_review,
            wait_minutes=one.wait_minutes if reviewers_in_plan(found) else 0,
            branch_patterns=tuple(branches),
            tag_patterns=tuple(tags),
        )

    def default_branch(self, repository: str) -> str:
        return self._instance.repository(repository).default_branch

    def sign_oidc(self, claims: dict[str, Any]) -> str:
        """The claims, their subject in the form that the repository's settings ask for."""
        repository = self._instance.database.repository(str(claims.get("repository", "")))
        named = f"repo:{repository.full_name}:" if repository is not None else ""
        subject = str(claims.get("sub", ""))
        if repository is not None and subject.startswith(named):
            prefix = subject_prefix(self._instance.database, repository)
            claims = {**claims, "sub": f"{prefix}:{subject.removeprefix(named)}"}
        return self._instance.oidc.sign(self._instance.issuer, claims)

    def run_changed(self, run: Run, job: Job | None) -> None:
        """Bring check runs and deployments to where the run is; None: something about the run as a whole."""
        repository = self._instance.database.repository(run.repository)
        if repository is None:
            return
        workflows.ensure(self._instance, repository, run.workflow_path).name = run.workflow_name
        runs.run_changed(self._instance, repository, run)
        for one in [job] if job is not None else run.latest_jobs():
            checks.job_changed(self._instance, repository, run, one)
            job_deployments.job_changed(self._instance, repository, run, one)
        self.run_events.changed(repository, run)
        self._instance.notify()
