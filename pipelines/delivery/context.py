"""One delivery: an environment, what is to run there, and the clients to do it with. Edges build it; flows use it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pipelines.delivery.plan import Part
from pipelines.errors import CredentialsError, InputError
from pipelines.manifest.model import Environment, Manifest
from pipelines.roles import Artifact, Host, Identity, Live
from pipelines.threads import together

if TYPE_CHECKING:
    from pipelines.delivery.ledger import Ledger
    from pipelines.github import GitHub
    from pipelines.http import Http
    from pipelines.providers import Credentials
    from pipelines.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What is to be released: a name, a commit, and the artifact of each component by reference (`host/path@sha256:…`)."""

    release: str
    commit: str
    artifacts: Mapping[str, str]
    schema: str = "0000"
    plan: str = ""
    """Digest of the approved plan; empty where nobody approves."""

    def digests(self) -> dict[str, str]:
        return {component: reference.rpartition("@")[2] for component, reference in self.artifacts.items()}


@dataclass(kw_only=True)
class Delivery:
    """An environment of the platform and the clients to change it with."""

    manifest: Manifest
    environment: str
    runtime: Runtime
    http: Http
    credentials: Credentials
    github: GitHub | None = None
    host_of: Callable[[str], Host] | None = None
    """Instead of the providers' own, in tests."""
    _hosts: dict[str, Host] = field(default_factory=dict)

    @cached_property
    def settings(self) -> Environment:
        return settings_of(self.manifest, self.environment)

    @cached_property
    def ledger(self) -> Ledger:
        from pipelines.delivery.ledger import Ledger

        if self.github is None:
            raise CredentialsError("the ledger needs GitHub", next_step="set GITHUB_TOKEN and GITHUB_REPOSITORY")
        return Ledger(self.github)

    def host(self, component: str) -> Host:
        """The provider that runs a component here. Raises InputError for one that does not live here."""
        if component not in self.settings.targets:
            raise InputError(
                f"{component!r} does not live in {self.environment}",
                where="component",
                next_step=f"one of: {', '.join(self.settings.targets)}",
            )
        if component not in self._hosts:
            self._hosts[component] = self.host_of(component) if self.host_of else self._provider_host(component)
        return self._hosts[component]

    def _provider_host(self, component: str) -> Host:
        from pipelines.providers import host

        return host(self.settings.targets[component], self.settings, self.http, self.credentials)

    def lives(self, components: list[str] | None = None) -> dict[str, Live]:
        """The real state of each component, asked at the same time."""
        names = list(self.settings.targets) if components is None else components
        hosts = {name: self.host(name) for name in names}
        return dict(zip(hosts, together(host.live for host in hosts.values()), strict=True))

    def parts(self, candidate: Candidate, components: list[str]) -> list[Part]:
        """What plans are made from: each component's artifact, identity and live state."""
        lives = self.lives(components)
        return [self._part(candidate, component, lives[component]) for component in components]

    def _part(self, candidate: Candidate, component: str, live: Live) -> Part:
        target = self.settings.targets[component]
        return Part(
            component=component,
            artifact=self.artifact(candidate, component),
            identity=self.identity(candidate, component),
            live=live,
            shift=target.shift,
            watch_seconds=target.watch_seconds,
        )

    def artifact(self, candidate: Candidate, component: str) -> Artifact:
        reference = candidate.artifacts.get(component, "")
        digest = reference.rpartition("@")[2]
        if not digest.startswith("sha256:"):
            raise InputError(
                f"{reference or 'nothing'} is not a reference by digest",
                where=f"{component} of {candidate.release}",
                next_step="pass what the image job put out: host/path@sha256:…",
            )
        return Artifact(component=component, digest=digest, reference=reference)

    def identity(self, candidate: Candidate, component: str) -> Identity:
        return Identity(
            release=candidate.release,
            commit=candidate.commit,
            digest=self.artifact(candidate, component).digest,
            schema=candidate.schema,
            run=self.runtime.run_url,
            attempt=self.runtime.environ.get("GITHUB_RUN_ATTEMPT", ""),
        )


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
