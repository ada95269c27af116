"""Google's emulators on loopback, set up for this repository's own platform; each test breaks one setting of it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelines.delivery.context import Context, open_context
from pipelines.faults import Policy as Patience
from pipelines.http import Http
from pipelines.manifest import Manifest, load
from pipelines.overlay import Overlay
from pipelines.runtime import Runtime
from rehearsal import definition
from rehearsal.contracts.contract import load as load_contract
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulator import ProviderEmulator
from rehearsal.emulators.google_auth import seeding
from rehearsal.emulators.google_auth.app import Iam
from rehearsal.emulators.google_auth.policy import Policy
from rehearsal.emulators.google_auth.state import Tokens
from rehearsal.emulators.registry.app import ArtifactRegistry
from rehearsal.emulators.resource_manager.app import ResourceManager
from rehearsal.emulators.secret_manager.app import SecretManager
from rehearsal.emulators.service_usage.app import ServiceUsage
from rehearsal.emulators.service_usage.declaration import GRANTED_CPU, enabled
from rehearsal.serving import Server

ROOT = Path(__file__).resolve().parents[3]
PLATFORM = definition.read(ROOT / "shipmate.yml")
REGION = "europe-west1"


class Organisation:
    """What a platform team has set up once, as worlds have it."""

    def __init__(self) -> None:
        trusted = seeding.TrustedWorkflows(repository_id=101, owner_id=7, files=seeding.DEPLOYING)
        policy = seeding.google_policy(PLATFORM, "https://issuer.test", trusted=trusted)
        self.tokens = Tokens(policy, _no_keys)
        shown, decides = self.tokens.iam_policy, self.tokens.authorise
        self.projects = ResourceManager(shown, authorise=decides)
        self.usage = ServiceUsage(authorise=decides)
        self.registry = ArtifactRegistry(shown, authorise=decides)
        self.secrets = SecretManager(authorise=decides, iam_policy=shown)
        self.emulators: tuple[ProviderEmulator, ...] = (
            Iam(self.tokens), self.projects, self.usage, self.registry, self.secrets,
        )  # fmt: skip
        self.violations: list[Violation] = []
        self.hosts: dict[str, str] = {}
        self._set_up()

    def _set_up(self) -> None:
        for project, services in enabled(PLATFORM).items():
            self.projects.hierarchy.add(project)
            self.usage.usage.enable(project, *services)
        for service in PLATFORM.services:
            self.usage.usage.grant_cpu(service.project, service.region, GRANTED_CPU)
            for name in service.secrets:
                self.secrets.secrets.put(service.project, name, b"value")
        self.registry.repositories.update(seeding.repositories(PLATFORM))

    # what is broken and set right -----------------------------------------------------------------------------------------

    def take(self, email: str, resource: str, role: str) -> None:
        """Take a role of an account on a resource away."""
        self._change(email, resource, lambda held: held - {role})

    def give(self, email: str, resource: str, role: str) -> None:
        """Bind it."""
        self._change(email, resource, lambda held: held | {role})

    def allow(self, permissions: frozenset[str], *projects: str) -> None:
        """What the person at the terminal may do, and nothing else."""
        self._replace(seeding.OPERATOR, grants=dict.fromkeys(projects, permissions))

    def show(self, project: str) -> None:
        """Let the person at the terminal read one more project."""
        account = self.tokens.policy.account(seeding.OPERATOR)
        assert account is not None
        self._replace(seeding.OPERATOR, grants={**account.grants, project: seeding.READER_GRANTS})

    def _change(self, email: str, resource: str, change: Any) -> None:
        account = self.tokens.policy.account(email)
        assert account is not None, email
        before = account.roles.get(resource, frozenset())
        after = change(before)
        assert after != before, f"{email} has {sorted(before)} on {resource}"
        self._replace(email, roles={**account.roles, resource: after})

    def _replace(self, email: str, **changed: Any) -> None:
        policy: Policy = self.tokens.policy
        accounts = tuple(replace(each, **changed) if each.email == email else each for each in policy.accounts)
        self.tokens.policy = replace(policy, accounts=accounts)

    # asking ---------------------------------------------------------------------------------------------------------------

    def context(self, manifest: Manifest, environment: str) -> Context:
        """Of a person who is logged in to Google."""
        environ = {"GOOGLE_OAUTH_ACCESS_TOKEN": self.tokens.access_token(seeding.OPERATOR)}
        context = open_context(manifest, environment, Runtime(environ=environ))
        http = Http(overlay=Overlay(hosts=self.hosts, time_scale=0.0), policy=Patience(tries=1))
        context.http = context.credentials.http = http
        return context

    @contextlib.contextmanager
    def served(self) -> Iterator[None]:
        """Every emulator on a port of its own, behind its contract."""
        ready, done, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()

        async def run() -> None:
            servers = [Server(self._checked(each), each.name) for each in self.emulators]
            for server, emulator in zip(servers, self.emulators, strict=True):
                await server.start()
                self.hosts[emulator.hosts[0]] = server.url
            ready.set()
            await done.wait()
            for server in servers:
                await server.stop()

        thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
        thread.start()
        assert ready.wait(10)
        try:
            yield
        finally:
            loop.call_soon_threadsafe(done.set)
            thread.join(10)
            loop.close()
        assert [each.text for each in self.violations] == []

    def _checked(self, emulator: ProviderEmulator) -> Any:
        names = (emulator.contract,) if isinstance(emulator.contract, str) else emulator.contract or ()
        app: Any = emulator.app
        for name in names:
            app = Checked(app, load_contract(name), self.violations)
        return app


async def _no_keys() -> Mapping[str, Any]:
    return {"keys": []}


@dataclass(frozen=True, kw_only=True)
class Examined:
    """An organisation that serves, and the platform's manifest."""

    organisation: Organisation
    manifest: Manifest


@contextlib.contextmanager
def examined() -> Iterator[Examined]:
    organisation = Organisation()
    with organisation.served():
        yield Examined(organisation=organisation, manifest=load(ROOT / "shipmate.yml"))
