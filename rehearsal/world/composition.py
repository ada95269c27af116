"""One world, put together: services first, then the providers, then GitHub with its runner; ended in the other order."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from starlette.types import ASGIApp

from rehearsal import definition
from rehearsal.base_image import PYTHON
from rehearsal.contracts.contract import load as load_contract
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.control import control_app, emulator_route
from rehearsal.emulator import Emulator
from rehearsal.emulators.cloud_run.app import CloudRun
from rehearsal.emulators.cloud_run.images import WorldRegistry
from rehearsal.emulators.cloud_run.names import ServiceName
from rehearsal.emulators.declaration import Declaration, Played, Surroundings
from rehearsal.emulators.edge.app import PLATFORM_HOSTS, Edge
from rehearsal.emulators.google_auth.app import Iam, IamCredentials, SecurityTokenService
from rehearsal.emulators.google_auth.policy import Policy
from rehearsal.emulators.google_auth.state import Tokens
from rehearsal.emulators.registry.app import Registry
from rehearsal.emulators.registry.base import seed_base
from rehearsal.emulators.secret_manager.app import SecretManager
from rehearsal.emulators.sentry.app import Sentry
from rehearsal.emulators.smtp.app import Smtp
from rehearsal.emulators.table import EMULATORS
from rehearsal.emulators.vercel.app import Vercel
from rehearsal.faults import Faults, Faulty
from rehearsal.github.app import GitHub
from rehearsal.home import home
from rehearsal.journal import Journal, Journaled
from rehearsal.runner.actions import PROGRAMS
from rehearsal.runner.engine import ActRunner
from rehearsal.runner.model import Run
from rehearsal.runner.settings import Settings
from rehearsal.services import browser
from rehearsal.services.availability import ServiceUnavailable
from rehearsal.services.postgres import Postgres
from rehearsal.services.redis import Redis
from rehearsal.serving import Server
from rehearsal.world import provision
from rehearsal.world.inspection import Inspection

HUB_HOST = "registry-1.docker.io"
DAY = 86_400.0
BASE_REPOSITORY = "library/python"
CI = ".github/workflows/ci.yml"


@dataclass(frozen=True, kw_only=True)
class Options:
    """root: an empty folder for everything. repository: the checkout under delivery. time_scale: of waits between retries and polls.
    port: of GitHub; 0 takes a free one. changes: a folder of files that main holds in place of the checkout's."""

    root: Path
    repository: Path
    time_scale: float = 1.0
    port: int = 0
    changes: Path | None = None


@dataclass(kw_only=True)
class Ports:
    """The servers of one world, by the name of what they serve."""

    servers: dict[str, Server] = field(default_factory=dict)

    async def serve(self, name: str, app: ASGIApp, port: int = 0) -> str:
        """Serve an app; its address. Raises OSError when a wanted port is taken."""
        server = Server(app, name, port=port)
        self.servers[name] = server
        await server.start()
        return server.url

    async def stop(self) -> None:
        for server in reversed(self.servers.values()):
            await server.stop()


class DockerHub(Registry):
    """The public registry the base image comes from: anybody may read it."""

    name = "docker-hub"
    hosts: tuple[str, ...] = (HUB_HOST,)


class Composition:
    """Start it once; `stop` ends everything it began."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.definition = definition.read(options.repository / "shipmate.yml")
        self.keys = provision.Keys()
        self.faults = Faults()
        self.journal = Journal()
        self.violations: list[Violation] = []
        self.ports = Ports()
        self.hosts: dict[str, str] = {}
        self.databases: dict[str, str] = {}
        self.postgres = Postgres(options.root / "postgres")
        self.redis = Redis(options.root / "redis")
        self.github = GitHub(options.root / "github", lambda: datetime.now(UTC))
        self._build_providers()

    def _build_providers(self) -> None:
        root, wanted = self.options.root, self.definition
        self.tokens = Tokens(self._google_policy(""), self._github_keys)
        self.registry = Registry(root / "registry", authorise=self.tokens.authorise, hosts=wanted.registry_hosts)
        self.hub = DockerHub(root / "docker-hub")
        self.secret_manager = SecretManager(authorise=self.tokens.authorise, allows=self.tokens.allows)
        self.cloud_run = CloudRun(
            root / "cloud-run",
            WorldRegistry(self.registry.repositories, wanted.registry_hosts),
            read_secret=self.secret_manager.read,
            authorise=self.tokens.authorise,
            process_env={"SHIPMATE_WORLD": str(os.getpid())},
            time_scale=1.0,  # of probes: a busy laptop starts processes no faster than Cloud Run
        )
        self.vercel = Vercel(
            tokens={self.keys.vercel: "deployer"},
            bypass=(self.keys.vercel_bypass,),
            team=wanted.team,
            projects={site.project: (site.host,) for site in wanted.sites},
        )
        self.declared: Mapping[str, Played] = {each.name: each.build(self._surroundings(each)) for each in EMULATORS}
        self.smtp = Smtp(users={provision.SMTP_USER: self.keys.smtp_password})
        self.edge = Edge(
            root / "edge",
            self.cloud_run.front,
            domains={s.host: ServiceName(s.project, s.region, s.name) for s in wanted.services},
            serve=self.vercel.serve,
            hosts=(*wanted.public_hosts, *PLATFORM_HOSTS),
        )

    @property
    def runs(self) -> dict[int, Run]:
        return self.runner.runs

    def _emulators(self) -> list[Emulator]:
        return [
            SecurityTokenService(self.tokens),
            IamCredentials(self.tokens),
            Iam(self.tokens),
            self.registry,
            self.hub,
            self.secret_manager,
            self.cloud_run,
            self.vercel,
            *self.declared.values(),
            self.github,
        ]

    @property
    def _sentry(self) -> Sentry:
        """Whose addresses the platform's services are given."""
        return cast("Sentry", self.declared[Sentry.name])

    def _surroundings(self, emulator: Declaration) -> Surroundings:
        return Surroundings(
            root=self.options.root / emulator.name,
            manifest=self.definition.manifest,
            secrets={**self.keys.declared[emulator.name], **self.keys.personal[emulator.name]},
            time_scale=self.options.time_scale,
            authorise=self.tokens.authorise,
            operator=provision.OPERATOR,
        )

    def _google_policy(self, issuer: str, repository_id: int = 0) -> Policy:
        apps = self.definition.apps
        trusted = provision.TrustedWorkflows(
            repository_id=repository_id, files=provision.DEPLOYING, tags=apps.tags if apps else ""
        )
        return provision.google_policy(self.definition, issuer, trusted=trusted)

    async def _github_keys(self) -> dict[str, Any]:
        return self.github.service.oidc.jwks()

    async def start(self) -> None:
        """Everything up, provisioned and reachable. Raises OSError, ContractUnavailable and what services raise."""
        await self._start_services()
        for emulator in self._emulators():
            await self._serve(emulator)
        await self.smtp.start()
        await self.edge.start()
        self.hosts.update(dict.fromkeys(self.edge.hosts, self.edge.url))
        await self._start_github()
        await self._provision()
        await self._serve_control()
        self._write_overlay()
        self._lay_out_programs()

    async def _start_services(self) -> None:
        await asyncio.gather(self.postgres.start(), self.redis.start())
        for environment in self.definition.environments:
            name = f"platform_{environment}"
            self.databases[environment] = await self.postgres.create_database(
                name, user=name, password=secrets.token_hex(12)
            )

    async def _serve(self, emulator: Emulator) -> None:
        """An emulator behind its contract, the faults and the journal."""
        await emulator.start()
        app = emulator.app
        contracts = (emulator.contract,) if isinstance(emulator.contract, str) else emulator.contract or ()
        for contract in contracts:
            app = Checked(app, load_contract(contract), self.violations)
        who = self.github.who if emulator is self.github else None
        app = Journaled(Faulty(app, emulator.name, self.faults, who), emulator.name, self.journal)
        url = await self.ports.serve(emulator.name, app, self.options.port if emulator is self.github else 0)
        self.hosts.update(dict.fromkeys(emulator.hosts, url))

    async def _start_github(self) -> None:
        self.github.address = self.ports.servers["github"].url
        self.environ = await asyncio.to_thread(self._step_environment)
        # The jobs' /tmp goes with the world; whoever becomes another user in a job may write there too.
        temporary = self.options.root / "tmp"
        temporary.mkdir()
        temporary.chmod(0o1777)
        extra = {**self.environ, "TMPDIR": str(temporary)}
        self.runner = ActRunner(
            self.github.hub,
            Settings(root=self.options.root / "runner", extra_env=extra, services=("postgres", "redis")),
        )
        await self.runner.start()
        self.github.attach(self.runner)

    def _step_environment(self) -> dict[str, str]:
        """What every step of a job finds, beside what GitHub gives."""
        found = {
            "SHIPMATE_OVERLAY": str(self.overlay),
            "SHIPMATE_HOME": str(home()),
            "SHIPMATE_VENV": str(self.options.repository / ".venv"),
        }
        try:
            return {**found, "SHIPMATE_BROWSER": str(browser.find().path)}
        except ServiceUnavailable:
            return found  # the browser tests say it with the command that gets one; the other stories need none

    def _redis_of(self, environment: str) -> str:
        """A database of its own for each environment."""
        return f"{self.redis.url.rpartition('/')[0]}/{self.definition.environments.index(environment)}"

    @property
    def overlay(self) -> Path:
        return self.options.root / "overlay.json"

    async def _provision(self) -> None:
        wanted = self.definition
        base = seed_base(self.hub.repositories, BASE_REPOSITORY, PYTHON)
        self.images = dict.fromkeys(wanted.base_images, f"docker.io/{BASE_REPOSITORY}@{base}")
        values = provision.secret_values(
            wanted,
            self.databases.__getitem__,
            self._redis_of,
            lambda component: self._sentry.dsn(component, self.ports.servers["sentry"].url),
        )
        for (project, secret), value in values.items():
            self.secret_manager.secrets.put(project, secret, value.encode())
        await self._provision_github()

    async def _provision_github(self) -> None:
        seed, name = self.github.seed, self.definition.repository
        for login in provision.PEOPLE:
            seed.user(login)
        await seed.repository(
            name,
            files=self.options.repository,
            roles=provision.PEOPLE,
            message="Import the platform",
            author=provision.AUTHOR,
        )
        if self.options.changes is not None:
            await seed.commit(
                name, _contents(self.options.changes), message="Configure the platform", author=provision.AUTHOR
            )
        self.people = {login: seed.token(login) for login in provision.PEOPLE}
        provision.make_environments(seed, self.definition, self.keys)
        provision.protect(seed, self.definition)
        number = self.github.service.repository(name).id
        self.tokens.policy = self._google_policy(self.github.service.issuer, number)
        if (self.options.repository / CI).is_file():
            # A platform that people work on was not born red: what its main holds had passed before this world began.
            await self.runner.recall(await seed.first_push(name, by=provision.AUTHOR), CI, self.definition.checks)

    async def _serve_control(self) -> None:
        app = control_app(self.faults, self.journal, self.violations)
        app.router.routes.extend(Inspection(self).routes())
        controls = {name: emulator.control for name, emulator in self.declared.items()}
        app.router.routes.extend(emulator_route(*each) for each in controls.items() if each[1] is not None)
        self.control = await self.ports.serve("control", app)

    def _write_overlay(self) -> None:
        content = {
            "ca": str(self.edge.ca_path),
            "hosts": self.hosts,
            "images": self.images,
            "smtp": self.smtp.address,
            "time_scale": self.options.time_scale,
        }
        _write_whole(self.overlay, content)

    def _lay_out_programs(self) -> None:
        """ROOT/programs: what a terminal has here in place of the machine's, as it reaches nothing outside of the world."""
        folder = self.options.root / "programs"
        folder.mkdir()
        (folder / "eas").symlink_to(PROGRAMS / "eas")

    def write_ready(self) -> None:
        """ROOT/world.json: everything a story, a terminal or a person needs to know."""
        content = {
            "root": str(self.options.root),
            "api": self.github.address,
            "server": self.github.address,
            "repository": self.definition.repository,
            "tokens": self.people,
            "edge": self.edge.url,
            "ca": str(self.edge.ca_path),
            "spki": self.edge.leaf_spki,
            "hosts": self.definition.hosts(),
            "releases": self.definition.releases,
            "overlay": str(self.overlay),
            "control": self.control,
            "environ": {
                **self._step_environment(),
                "REHEARSAL_PYTHON": os.path.realpath(sys.executable),
                **provision.terminal_secrets(self.definition, self.keys),
                **self._google_access(),
            },
        }
        _write_whole(self.options.root / "world.json", content)

    def _google_access(self) -> dict[str, str]:
        """What a person who logged in to Google has in their terminal."""
        return {"GOOGLE_OAUTH_ACCESS_TOKEN": self.tokens.access_token(provision.OPERATOR, lifetime=DAY)}

    def messages(self) -> list[dict[str, str]]:
        """What people were sent, oldest first: {"via", "at", "text"}."""
        found = [
            {"via": name, "at": f"{at:.3f}", "text": text}
            for name, emulator in self.declared.items()
            for at, text in emulator.told()
        ]
        found += [
            {"via": "smtp", "at": f"{m.received:.3f}", "text": f"{m.subject}\n\n{m.text}"} for m in self.smtp.mails
        ]
        return sorted(found, key=lambda message: message["at"])

    def inventory(self, release: str) -> dict[str, int]:
        """How many deployments of a release each provider holds, over all environments."""
        revisions = [r for service in self.cloud_run.services.all() for r in service.revisions.values()]
        deployments = self.vercel.account.deployments.values()
        return {
            "cloud-run": sum(release in revision.template.get("annotations", {}).values() for revision in revisions),
            "vercel": sum(release in deployment.meta.values() for deployment in deployments),
            **{name: emulator.inventory(release) for name, emulator in self.declared.items()},
        }

    def run_url(self, run: Run) -> str:
        return f"{self.github.address}/{run.repository}/actions/runs/{run.id}"

    async def stop(self) -> None:
        """End everything. Idempotent; goes on past what fails to end."""
        if hasattr(self, "runner"):
            await self.runner.stop()
        await self.edge.stop()
        for emulator in reversed(self._emulators()):
            await emulator.stop()
        await self.smtp.stop()
        await self.ports.stop()
        await self.redis.stop()
        await self.postgres.stop()


def _contents(folder: Path) -> dict[str, bytes]:
    """Of every file in a folder, by its path there."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def _write_whole(file: Path, content: dict[str, Any]) -> None:
    """All of it or nothing: readers wait for the file to appear."""
    part = file.with_suffix(".part")
    part.write_text(json.dumps(content, indent=1))
    part.chmod(0o600)
    part.rename(file)
