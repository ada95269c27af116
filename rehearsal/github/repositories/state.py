"""A repository and everything that stands in it, its git objects excepted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from rehearsal.github.accounts.rate_limit import Allowance, RequestCount
from rehearsal.github.attestations.state import Attestation
from rehearsal.github.checks.state import CheckRun, CheckSuite, CommitStatus
from rehearsal.github.deployments.state import Deployment
from rehearsal.github.environments.state import Environment
from rehearsal.github.issues.state import Comment, Issue, Label
from rehearsal.github.protection.state import BranchProtection, Ruleset
from rehearsal.github.pulls.state import PullRequest
from rehearsal.github.releases.state import Release
from rehearsal.github.runs.state import RunAttempt, Workflow
from rehearsal.github.secrets.state import Secret, Variable


@dataclass(kw_only=True)
class Settings:
    """What an administrator chooses for a repository."""

    allow_merge_commit: bool = True
    allow_squash_merge: bool = True
    allow_rebase_merge: bool = True
    delete_branch_on_merge: bool = False
    immutable_releases: bool = False
    actions_may_review: bool = False
    """Whether a job's token may open and approve pull requests; off by default, as on GitHub."""
    immutable_subject: bool = False
    """Whether the subject of OIDC tokens carries the numbers of owner and repository, as for every repository made since
    15 July 2026."""
    plan: str = "enterprise"
    """What the owner pays for, which limits private repositories: free, pro, team or enterprise."""


@dataclass(kw_only=True)
class Repository:
    id: int
    owner: str
    name: str
    private: bool = False
    description: str | None = None
    default_branch: str = "main"
    fork_of: str | None = None
    created_at: datetime
    updated_at: datetime
    pushed_at: datetime
    settings: Settings = field(default_factory=Settings)
    roles: dict[str, str] = field(default_factory=dict)
    """login -> role"""
    last_number: int = 0
    """Of issues and pull requests, which share their numbers."""

    signed: list[str] = field(default_factory=list)
    """Commits that GitHub made itself and signed: merges and squashes by its button."""
    issues: dict[int, Issue] = field(default_factory=dict)
    pulls: dict[int, PullRequest] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    statuses: list[CommitStatus] = field(default_factory=list)
    """Oldest first."""
    check_suites: dict[int, CheckSuite] = field(default_factory=dict)
    check_runs: dict[int, CheckRun] = field(default_factory=dict)
    deployments: dict[int, Deployment] = field(default_factory=dict)
    releases: dict[int, Release] = field(default_factory=dict)
    latest_release_id: int | None = None
    """The release someone marked as the latest."""
    burnt_tags: list[str] = field(default_factory=list)
    """Tags of deleted immutable releases: never to be released again."""
    hidden_tags: dict[str, int] = field(default_factory=dict)
    """New tag -> reads of the list of tags that shall not see it yet."""
    attestations: list[Attestation] = field(default_factory=list)
    environments: dict[str, Environment] = field(default_factory=dict)
    protections: dict[str, BranchProtection] = field(default_factory=dict)
    rulesets: dict[int, Ruleset] = field(default_factory=dict)
    secrets: dict[str, Secret] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    workflows: dict[str, Workflow] = field(default_factory=dict)
    """By path."""
    attempts: dict[int, list[RunAttempt]] = field(default_factory=dict)
    """By workflow run, the first one first."""
    jobs_allowance: Allowance = field(default_factory=Allowance)
    """Of the GITHUB_TOKENs of all jobs together."""
    requests: dict[int, RequestCount] = field(default_factory=dict)
    """By workflow run; kept when the run is deleted."""

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"

    def environment(self, name: str) -> Environment | None:
        """An environment; their names differ by more than case, as on GitHub."""
        return next((one for key, one in self.environments.items() if key.lower() == name.lower()), None)

    def role_of(self, login: str) -> str:
        """The role of an account; on a public repository everybody may read."""
        if login == self.owner:
            return "admin"
        return self.roles.get(login, "none" if self.private else "read")

    def next_number(self) -> int:
        self.last_number += 1
        return self.last_number

    def comments_of(self, number: int) -> list[Comment]:
        return [comment for comment in self.comments.values() if comment.number == number]

    def open_pulls(self) -> list[PullRequest]:
        return [pull for pull in self.pulls.values() if self.issues[pull.number].state == "open"]

    def release_tagged(self, tag: str) -> Release | None:
        """The published release of a tag; drafts have no tag yet."""
        return next((one for one in self.releases.values() if one.tag_name == tag and not one.draft), None)

    def unpublish(self, release: Release) -> None:
        """Back to a draft; what tag there is stays."""
        release.draft, release.published_at = True, None
        if self.latest_release_id == release.id:
            self.latest_release_id = None

    def check_runs_of(self, sha: str) -> list[CheckRun]:
        return [run for run in self.check_runs.values() if run.head_sha == sha]

    def statuses_of(self, sha: str) -> list[CommitStatus]:
        """Every status of a commit, newest first."""
        return [status for status in reversed(self.statuses) if status.sha == sha]
