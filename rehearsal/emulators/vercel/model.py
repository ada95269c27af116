"""What the account holds. Times are milliseconds since the epoch, as on Vercel's wire."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(kw_only=True)
class File:
    """A file of a deployment; its bytes are in the account's store under `sha`."""

    path: str
    sha: str
    size: int


@dataclass(kw_only=True)
class Domain:
    """A name that a project's production answers to."""

    name: str
    created: int
    redirect: str | None = None
    verified: bool = True
    """Whether a record in the domain's DNS showed that it belongs to the team."""


@dataclass(kw_only=True)
class Variable:
    """An environment variable. The value of a sensitive one is never given out again."""

    id: str
    key: str
    value: str
    type: str
    target: list[str]
    created: int
    updated: int
    git_branch: str | None = None
    comment: str | None = None
    replaced: tuple[str, int] | None = None
    """The value before the last change, and until when lists still show it."""


@dataclass(kw_only=True)
class AliasRequest:
    """The last promotion or rollback of a project."""

    type: str
    """"promote" or "rollback"."""
    from_id: str | None
    to_id: str
    requested: int
    due: int
    """When the aliases move."""
    status: str = "in-progress"


@dataclass(kw_only=True)
class Project:
    """A site, its settings and who may see it."""

    id: str
    name: str
    created: int
    updated: int
    framework: str | None = None
    auto_assign: bool = True
    """Whether a production deployment takes the domains as soon as it is ready."""
    protection: str | None = "prod_deployment_urls_and_all_previews"
    """`ssoProtection.deploymentType`; None when everyone may see every deployment."""
    password: bool = False
    """Whether deployments ask for a password; shown, not enforced."""
    bypass: dict[str, int] = field(default_factory=dict)
    """Automation bypass secrets, and when they were made."""
    shows_bypass: bool = True
    """Whether the token's role is shown them."""
    to_login: bool = False
    """Whether who may not see a deployment is redirected to the login, instead of being answered with it."""
    repository: str | None = None
    """`owner/name` at GitHub whose pushes Vercel would deploy by itself; shown, not enforced."""
    root_directory: str | None = None
    """The folder of what is deployed that Vercel would take for the whole; shown, not enforced."""
    domains: list[Domain] = field(default_factory=list)
    variables: list[Variable] = field(default_factory=list)
    last_request: AliasRequest | None = None
    rolling: int = 0
    """Of a project with rolling releases: milliseconds that a promotion takes from its first share of the traffic to all of it."""
    rolled_back_to: str | None = None
    rollback_reason: str | None = None


@dataclass(kw_only=True)
class Event:
    """One line of a deployment's log."""

    created: int
    text: str
    type: str = "stdout"


@dataclass(kw_only=True)
class Deployment:
    """An immutable set of files with an address of its own."""

    id: str
    project_id: str
    name: str
    url: str
    target: str | None
    creator: str
    created: int
    files: list[File]
    meta: dict[str, str]
    state: str = "QUEUED"
    building: int | None = None
    ready: int | None = None
    canceled: int | None = None
    error: tuple[str, str] | None = None
    """(code, message) of a failed build."""
    substate: str | None = None
    """Of a ready production deployment: STAGED, ROLLING while a rolling release gives it the traffic in steps, or PROMOTED from the
    day it was live once, whether it is now or not."""
    assigned: int | None = None
    """When it first got all the names it should have."""
    events: list[Event] = field(default_factory=list)


@dataclass(kw_only=True)
class Alias:
    """A host name that shows a deployment."""

    id: str
    name: str
    deployment_id: str
    project_id: str
    created: int
