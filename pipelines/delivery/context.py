"""What a delivery works with: an environment, the release that goes there, and the clients to change it with."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import CredentialsError, InputError
from pipelines.manifest import definition as definitions
from pipelines.manifest.model import Environment, Manifest
from pipelines.manifest.targets import Target
from pipelines.roles import Artifact, Host, Identity, Live
from pipelines.threads import together

if TYPE_CHECKING:
    from pipelines.checks.report import Report
    from pipelines.checks.watched import Record
    from pipelines.clock import Clock
    from pipelines.github import GitHub
    from pipelines.http import Http
    from pipelines.providers import Credentials
    from pipelines.runtime import Runtime

WORK = Path("build/delivery")
"""Where the steps of a job exchange files with its other steps, below the workspace."""


@dataclass(kw_only=True)
class Release:
    """What is delivered: a name, a commit, and the artifact of each component by reference (`host/path@sha256:…`)."""

    name: str
    commit: str
    artifacts: dict[str, str] = field(default_factory=dict)
    schema: str = "0000"
    """Highest migration its commit knows."""
    contracts: Mapping[str, str] = field(default_factory=dict)
    """Component -> highest contract migration that may run with it."""
    approved: str = ""
    """Login of who approved it; empty where nobody had to."""

    def artifact(self, component: str) -> Artifact:
        """Raises InputError for what is no reference by digest."""
        reference = self.artifacts.get(component, "")
        digest = digest_of(reference)
        if not digest.startswith("sha256:"):
            raise InputError(
                f"{reference or 'nothing'} is not a reference by digest",
                where=f"{component} of {self.name}",
                next_step="pass what was pushed: host/path@sha256:…",
            )
        return Artifact(component=component, digest=digest, reference=reference)


@dataclass(kw_only=True)
class Context:
    """One delivery. `manifest` is the policy with the release's definition in it; its root is the release's own tree."""

    manifest: Manifest
    environment: str
    runtime: Runtime
    http: Http
    credentials: Credentials
    github: GitHub | None = None
    release: Release | None = None
    work: Path = WORK
    report: Report | None = None
    """What the smoke tests found, once they ran."""
    watches: list[Record] = field(default_factory=list)
    """What was measured of candidate and live, one for each comparison."""
    host_of: Callable[[str], Host] | None = None
    """Instead of the providers' own, in tests."""
    probe_headers: dict[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    """Component -> what probes.py read, once."""
    _hosts: dict[str, Host] = field(default_factory=dict)

    @cached_property
    def settings(self) -> Environment:
        return settings_of(self.manifest, self.environment)

    @cached_property
    def clock(self) -> Clock:
        """All waiting goes by it."""
        from pipelines.clock import Clock

        return Clock.of(self.http.policy)

    @cached_property
    def lock_id(self) -> str:
        """Of this process, as the holder of a lock: of a run, its attempt and its job; of a terminal, one at random."""
        run = self.runtime
        if run.run_id:
            return "/".join((run.run_id, run.attempt, run.environ.get("GITHUB_JOB", "")))
        return uuid.uuid4().hex

    @property
    def delivered(self) -> Release:
        """The release. Raises InputError where none was named: a rollback has none."""
        if self.release is None:
            raise InputError("no release is named", where=self.environment, next_step="name one with its commit")
        return self.release

    def target(self, component: str) -> Target:
        """Where a component lives here. Raises InputError for one that does not."""
        found = self.settings.targets.get(component)
        if found is None:
            raise InputError(
                f"{component!r} does not live in {self.environment}",
                where="component",
                next_step=f"one of: {', '.join(self.settings.targets)}",
            )
        return found

    def host(self, component: str) -> Host:
        """The provider that runs a component here. Raises InputError for one that does not live here."""
        target = self.target(component)
        if component not in self._hosts:
            self._hosts[component] = self.host_of(component) if self.host_of else self._provider_host(target)
        return self._hosts[component]

    def _provider_host(self, target: Target) -> Host:
        from pipelines.providers import host

        return host(target, self.settings, self.http, self.credentials)

    def lives(self, components: Sequence[str] = ()) -> dict[str, Live]:
        """The real state of each component, or of all, asked at the same time."""
        hosts = {name: self.host(name) for name in components or self.settings.targets}
        return dict(zip(hosts, together(host.live for host in hosts.values()), strict=True))

    def identity(self, component: str) -> Identity:
        """What a deployment of the release carries with it."""
        release = self.delivered
        return Identity(
            release=release.name,
            commit=release.commit,
            digest=release.artifact(component).digest,
            schema=release.schema,
            contracts=release.contracts.get(component, "0000"),
            run=self.runtime.run_url,
            attempt=self.runtime.attempt,
            by=self.runtime.actor,
            approved=release.approved,
        )

    def urls(self) -> dict[str, str]:
        """Component -> public address."""
        return {name: target.url for name, target in self.settings.targets.items()}


def open_context(
    manifest: Manifest,
    environment: str,
    runtime: Runtime,
    *,
    release: Release | None = None,
    source: Path | None = None,
    token: str = "",
    vercel_token: str = "",
    vercel_bypass: str = "",
    sentry_token: str = "",
) -> Context:
    """A context as an edge needs it; what is not passed is taken from GITHUB_TOKEN (GH_TOKEN), VERCEL_TOKEN, VERCEL_BYPASS
    and SENTRY_AUTH_TOKEN.

    `manifest` is the policy. `source`: the tree of the release, whose definition is put in. Raises InputError, ManifestError.
    """
    from pipelines.github import GitHub
    from pipelines.http import Http
    from pipelines.providers import Credentials

    if source is not None:
        manifest = definitions.apply(manifest, definitions.read(manifest_in(source)))
    settings = settings_of(manifest, environment)
    env = runtime.environ
    token = token or env.get("GITHUB_TOKEN", "") or env.get("GH_TOKEN", "")
    repository = env.get("GITHUB_REPOSITORY") or manifest.platform.repository
    api_url = env.get("GITHUB_API_URL") or "https://api.github.com"
    http = Http()
    made = Context(
        manifest=manifest,
        environment=environment,
        runtime=runtime,
        http=http,
        credentials=Credentials(
            http=http,
            runtime=runtime,
            deployer=settings.deployer,
            vercel_token=vercel_token or env.get("VERCEL_TOKEN", ""),
            vercel_bypass=vercel_bypass or env.get("VERCEL_BYPASS", ""),
            sentry_token=sentry_token or env.get("SENTRY_AUTH_TOKEN", ""),
        ),
        github=GitHub(repository, token, api_url=api_url) if token else None,
        release=release,
    )
    if release is not None:
        release.schema = highest_schema(manifest, list(settings.targets))
    return made


def require_github(context: Context) -> GitHub:
    """Raises CredentialsError without a token."""
    if context.github is None:
        raise CredentialsError(
            "GitHub is needed here", next_step="pass `token: ${{ github.token }}`, or set GITHUB_TOKEN in a terminal"
        )
    return context.github


def manifest_in(source: Path) -> Path:
    """The manifest of a tree. Raises InputError."""
    from pipelines.manifest.reading import NAME

    file = source / NAME
    if not file.is_file():
        raise InputError(
            f"there is no {NAME}",
            where=str(source),
            why="the release's commit is not checked out there, or is from before it had a manifest",
            next_step="check it out first (actions/checkout with `ref` and `path`)",
        )
    return file


def settings_of(manifest: Manifest, environment: str) -> Environment:
    """The settings of an environment. Raises InputError naming those there are."""
    found = manifest.environments.get(environment)
    if found is None:
        raise InputError(
            f"there is no environment {environment!r}",
            where=manifest.file.name,
            next_step=f"one of: {', '.join(manifest.environments)}",
        )
    return found


def head_commit(root: Path) -> str:
    """The commit that is checked out. Raises InputError."""
    asked = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=False)
    if asked.returncode != 0:
        raise InputError(
            f"this is no git checkout: {asked.stderr.strip()}",
            where=str(root),
            next_step="check the release's commit out first (actions/checkout with ref)",
        )
    return asked.stdout.strip()


def highest_schema(manifest: Manifest, components: Sequence[str]) -> str:
    """The newest migration that the tree of a manifest knows: `0003`, or `0000`."""
    numbers = ["0000"]
    for component in components:
        named = manifest.components[component].migrations
        if named and (manifest.root / named).is_dir():
            numbers += [file.name[:4] for file in (manifest.root / named).glob("[0-9][0-9][0-9][0-9]_*.sql")]
    return max(numbers)


def digest_of(reference: str) -> str:
    """`sha256:…` of host/path@sha256:…; empty for anything else."""
    return reference.rpartition("@")[2] if "@" in reference else ""


def short_name(commit: str) -> str:
    """What a release is called that has no version."""
    return f"sha-{commit[:7]}"
