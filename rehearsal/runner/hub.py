"""The seam between the runner and the GitHub around it: what each asks of the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from rehearsal.runner.model import Event, Job, PendingReview, Run


@dataclass(frozen=True, kw_only=True)
class EnvironmentRules:
    """Protection of one deployment environment."""

    name: str
    reviewers: tuple[str, ...] = ()
    prevent_self_review: bool = False
    wait_minutes: int = 0
    branch_patterns: tuple[str, ...] = ()
    """Names allowed to deploy (`main`, `release/*`); empty means any."""
    tag_patterns: tuple[str, ...] = ()


class Hub(Protocol):
    """What the runner needs from GitHub. Called on the event loop's thread."""

    async def workflow_files(self, repository: str, sha: str) -> dict[str, str]:
        """Path -> text of every file under .github/workflows at a commit."""

    def disabled_workflows(self, repository: str) -> set[str]:
        """Paths of those that people disabled: no event starts them."""

    async def changed_paths(self, repository: str, before: str, after: str) -> list[str] | None:
        """Paths that differ, for `paths:` filters; None when it is unknown (a new branch)."""

    def clone_url(self, repository: str) -> str:
        """What the checkout stand-in fetches from, without credentials: http://127.0.0.1:PORT/owner/name.git"""

    def api_url(self) -> str: ...

    def server_url(self) -> str: ...

    def job_token(self, repository: str, permissions: dict[str, str], run: Run, job: Job) -> str:
        """A new token that allows exactly `permissions` ({"contents": "read"}) and dies with `retire_token`."""

    def retire_token(self, token: str) -> None: ...

    def secrets(self, repository: str, environment: str | None) -> dict[str, str]:
        """Repository secrets under those of the environment."""

    def variables(self, repository: str, environment: str | None) -> dict[str, str]: ...

    def environment(self, repository: str, name: str) -> EnvironmentRules:
        """The rules of an environment; one that was never configured has none (GitHub creates it on first use)."""

    def default_branch(self, repository: str) -> str: ...

    def sign_oidc(self, claims: dict[str, Any]) -> str:
        """An OIDC token (JWT) of this GitHub's issuer with these claims added to iss, iat and exp."""

    def run_changed(self, run: Run, job: Job | None) -> None:
        """Something about a run changed: update check runs, pages, waiting readers. Must not block."""


class Runner(Protocol):
    """What GitHub asks of the runner. Called on the event loop's thread."""

    runs: dict[int, Run]

    async def emit(self, event: Event) -> list[Run]:
        """Start what the event starts, by the workflow files at its commit; returns at once."""

    async def dispatch(self, event: Event, workflow_path: str) -> Run:
        """Start one workflow by workflow_dispatch. Raises InputError on unknown or missing inputs."""

    def pending(self, run_id: int) -> list[PendingReview]: ...

    async def review(self, run_id: int, environments: list[str], state: str, user: str, comment: str) -> None:
        """Raises NotAllowed when `user` may not review."""

    async def bypass(self, run_id: int, environments: list[str], user: str, comment: str) -> None:
        """Let jobs go that wait, without a review and before their timers end; whether `user` may is not asked here.
        Raises InputError for an environment no job waits for."""

    async def cancel(self, run_id: int) -> None: ...

    async def rerun(self, run_id: int, *, failed_only: bool, actor: str) -> Run: ...

    def delete(self, run_id: int) -> None:
        """Forget a run with its logs and artifacts. Raises NotAllowed while it is not completed."""

    def delete_artifact(self, run_id: int, artifact_id: int) -> None: ...

    async def stop(self) -> None:
        """Cancel everything and reap what is left."""


class InputError(ValueError):
    """A dispatch input that the workflow does not know, lacks, or does not allow."""


class NotAllowed(PermissionError):
    """A review by someone who may not give it."""
