"""Outside services, one module each, and the tables of those that can host a component or know how apps start, and of what doctor finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.findings import Finding
    from pipelines.http import Http
    from pipelines.manifest import Manifest
    from pipelines.manifest.model import Deployer, Environment
    from pipelines.manifest.performance import AppStarts
    from pipelines.manifest.targets import CloudRun, Target, Vercel
    from pipelines.providers.google_auth import GoogleAuth
    from pipelines.roles import Host, Job, StartReports
    from pipelines.runtime import Runtime


@dataclass(kw_only=True)
class Credentials:
    """Access to every provider, for one environment. Google's tokens are fetched when first needed."""

    http: Http = field(repr=False)
    runtime: Runtime = field(repr=False)
    deployer: Deployer | None = None
    vercel_token: str = field(default="", repr=False)
    vercel_bypass: str = field(default="", repr=False)
    """Secret of the project's "protection bypass for automation"; empty when its deployments are not protected."""
    sentry_token: str = field(default="", repr=False)
    """Of the organization: it brings source maps, and reads no report."""

    def google(self) -> str:
        """An access token of the account deployments run as. Raises CredentialsError, ProviderUnavailable."""
        return self._google.token()

    @cached_property
    def _google(self) -> GoogleAuth:
        from pipelines.providers.google_auth import GoogleAuth

        return GoogleAuth(self.http, self.deployer, environ=self.runtime.environ, mask=self.runtime.mask)


def _cloud_run(target: CloudRun, http: Http, credentials: Credentials) -> Host:
    from pipelines.providers.cloud_run import CloudRunHost

    return CloudRunHost(target, http, credentials.google)


def _vercel(target: Vercel, http: Http, credentials: Credentials) -> Host:
    from pipelines.providers.vercel import VercelHost

    return VercelHost(target, http, credentials.vercel_token, bypass=credentials.vercel_bypass)


HOSTS: dict[str, Callable[..., Host]] = {"cloud-run": _cloud_run, "vercel": _vercel}
"""`provider:` of a target -> (target, http, credentials) -> Host. A new provider is one module and one line here."""


def host(target: Target, settings: Environment, http: Http, credentials: Credentials) -> Host:
    """The host of a target of an environment. Its deployer is the credentials' unless they have one."""
    if credentials.deployer is None:
        credentials.deployer = settings.deployer
    return HOSTS[target.provider](target, http, credentials)


def _cloud_run_job(target: CloudRun, http: Http, credentials: Credentials) -> Job:
    from pipelines.providers.cloud_run_jobs import CloudRunJob

    return CloudRunJob(target, http, credentials.google)


JOBS: dict[str, Callable[..., Job]] = {"cloud-run": _cloud_run_job}
"""`provider:` of a target -> (target, http, credentials) -> Job, for providers whose targets may say `migrate_by: job`."""


def job(target: Target, settings: Environment, http: Http, credentials: Credentials) -> Job:
    """What runs a program beside a component of an environment."""
    if credentials.deployer is None:
        credentials.deployer = settings.deployer
    return JOBS[target.provider](target, http, credentials)


def _google_findings(name: str, manifest: Manifest, http: Http, credentials: Credentials) -> Iterable[Finding]:
    from pipelines.providers import google_findings

    return google_findings.look(name, manifest, http, credentials)


def _vercel_findings(name: str, manifest: Manifest, http: Http, credentials: Credentials) -> Iterable[Finding]:
    from pipelines.providers import vercel_findings

    return vercel_findings.look(name, manifest, http, credentials)


FINDINGS: dict[str, Callable[..., Iterable[Finding]]] = {"cloud-run": _google_findings, "vercel": _vercel_findings}
"""`provider:` of a target -> (environment, manifest, http, credentials) -> what `shipmate doctor` finds of the account there."""


def account_findings(name: str, manifest: Manifest, http: Http, credentials: Credentials) -> Iterator[Finding]:
    """What is found of the accounts that an environment's components live in, provider after provider."""
    for provider in dict.fromkeys(target.provider for target in manifest.environments[name].targets.values()):
        if provider in FINDINGS:
            yield from FINDINGS[provider](name, manifest, http, credentials)


def _sentry(source: AppStarts, http: Http, token: str) -> StartReports:
    from pipelines.providers.sentry import SentryStarts

    return SentryStarts(source, http, token)


START_REPORTS: dict[str, Callable[..., StartReports]] = {"sentry": _sentry}
"""`provider:` of `performance/app_starts` -> (source, http, token) -> StartReports. A new provider is one module and one line here."""


def start_reports(source: AppStarts, http: Http, token: str) -> StartReports:
    """Where the apps report their starts."""
    return START_REPORTS[source.provider](source, http, token)
