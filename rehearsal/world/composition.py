"""One world, put together: services first, then the emulators, then GitHub with its runner; ended in the other order."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rehearsal import definition
from rehearsal.callers import Token
from rehearsal.control import control_app
from rehearsal.definition import Definition
from rehearsal.emulators.capabilities import CACHE_URL, DATABASE_SERVER, DATABASE_URL, IDENTITY_PROVIDER
from rehearsal.github.app import GitHub
from rehearsal.home import home
from rehearsal.runner import checkout_bytecode
from rehearsal.runner.actions import PROGRAMS
from rehearsal.runner.engine import ActRunner
from rehearsal.runner.settings import Settings
from rehearsal.services import browser
from rehearsal.services.availability import ServiceUnavailable
from rehearsal.services.postgres import Postgres
from rehearsal.services.redis import Redis
from rehearsal.world import provision
from rehearsal.world.credentials import Credentials
from rehearsal.world.emulator_set import EmulatorSet, WorldParts
from rehearsal.world.inspection import Inspection
from rehearsal.world.pages import WorldPages
from rehearsal.world.plain_sites import PlainSites
from rehearsal.world.servers import Servers

WHEELS = f"{platform.machine()}-manylinux_2_28"
"""Images run on this machine, whichever it is: on Linux on arm64, wheels for that."""
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


@dataclass(frozen=True)
class GitHubIdentity:
    """GitHub as the identity provider of its jobs: what `IDENTITY_PROVIDER` offers."""

    github: GitHub
    definition: Definition

    @property
    def issuer(self) -> str:
        return self.github.instance.issuer

    @property
    def repository_id(self) -> int:
        return self.github.instance.repository(self.definition.repository).id

    @property
    def owner_id(self) -> int:
        database = self.github.instance.database
        return database.users[self.github.instance.repository(self.definition.repository).owner].id

    async def keys(self) -> Mapping[str, Any]:
        return self.github.instance.oidc.jwks()


class Composition:
    """Start it once; `stop` ends everything it started. `over` is set when it is asked to end."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.over = asyncio.Event()
        self.definition = definition.read(options.repository / "shipmate.yml")
        self.credentials = Credentials.new()
        self.servers = Servers()
        self.journal = self.servers.journal
        self.control_token = secrets.token_urlsafe(32)
        self.databases: dict[str, str] = {}
        self.people: dict[str, str] = {}
        self.postgres = Postgres(options.root / "postgres")
        self.redis = Redis(options.root / "redis")
        self.github = GitHub(options.root / "github", lambda: datetime.now(UTC))
        self.emulators = EmulatorSet(
            self.credentials,
            WorldParts(
                root=options.root,
                definition=self.definition,
                servers=self.servers,
                capabilities={
                    IDENTITY_PROVIDER: GitHubIdentity(self.github, self.definition),
                    DATABASE_URL: self.databases.__getitem__,
                    DATABASE_SERVER: lambda: ("127.0.0.1", self.postgres.port),
                    CACHE_URL: self._redis_of,
                },
                time_scale=options.time_scale,
                process_environment={"SHIPMATE_WORLD": str(os.getpid())},
            ),
        )

    async def start(self) -> None:
        """Everything up, provisioned and reachable. Raises OSError, ContractUnavailable and what services raise."""
        await self._start_services()
        await self.emulators.start()
        await self._start_github()
        await self._provision_github()
        self.emulators.seed()
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

    async def _start_github(self) -> None:
        await self.github.start()
        await self._serve_github()
        self.environ = await asyncio.to_thread(self._step_environment)
        compiled = await asyncio.to_thread(checkout_bytecode.refresh, self.options.repository)
        # The jobs' /tmp goes with the world; anyone who becomes another user in a job may write there too.
        temporary = self.options.root / "tmp"
        temporary.mkdir()
        temporary.chmod(0o1777)
        extra = {**self.environ, "TMPDIR": str(temporary), "REHEARSAL_BYTECODE": str(compiled)}
        self.runner = ActRunner(
            self.github.hub,
            Settings(root=self.options.root / "runner", extra_env=extra, services=("postgres", "redis")),
        )
        await self.runner.start()
        self.github.attach(self.runner)

    async def _serve_github(self) -> None:
        """GitHub, and at the same port every site under its plain address: there is one port to know."""
        github = self.servers.observed(self.github, self.github.who)
        pages = WorldPages(self.definition, self.emulators.received)
        sites = PlainSites(
            sites=dict(self.servers.apps), github=github, pages=pages.app, server=lambda: self.github.address
        )
        address = await self.servers.serve(self.github.name, sites, self.options.port, related=sites.related)
        self.servers.publish(self.github, address, github)
        self.github.address = address

    def _step_environment(self) -> dict[str, str]:
        """What every step of a job finds, beside what GitHub gives."""
        found = {
            "SHIPMATE_OVERLAY": str(self.overlay),
            "SHIPMATE_HOME": str(home()),
            "SHIPMATE_VENV": str(self.options.repository / ".venv"),
            # By itself mypy looks whether what it kept is of the same files: cold it takes 8 s of processor time, else 0.4 s.
            "MYPY_CACHE_DIR": str(home() / "mypy"),
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
        self.people.update({login: seed.token(login) for login in provision.PEOPLE})
        provision.make_environments(seed, self.definition, self.credentials)
        provision.protect(seed, self.definition)
        if (self.options.repository / CI).is_file():
            # A platform that people work on was not born red: what its main holds had passed before this world began.
            await self.runner.seed_run(await seed.first_push(name, by=provision.AUTHOR), CI, self.definition.checks)

    async def _serve_control(self) -> None:
        app = control_app(self.servers.faults, self.servers.journal, self.servers.violations)
        app.router.routes.extend(Inspection(self).routes())
        app.router.routes.extend(self.emulators.control_routes())
        self.control = await self.servers.serve("control", Token(app, self.control_token))

    def _write_overlay(self) -> None:
        content = {
            **self.emulators.overlay(),
            "hosts": self.servers.hosts,
            "time_scale": self.options.time_scale,
            "wheels": WHEELS,
        }
        _write_whole(self.overlay, content)

    def _lay_out_programs(self) -> None:
        """ROOT/programs: what a terminal has here in place of the machine's, as it reaches nothing outside of the world."""
        folder = self.options.root / "programs"
        folder.mkdir()
        for program in self.emulators.programs():
            (folder / program).symlink_to(PROGRAMS / program)

    def write_ready(self) -> None:
        """ROOT/world.json: everything a story, a terminal or a person needs to know."""
        content = {
            **self.emulators.facts(),
            "root": str(self.options.root),
            "api": self.github.address,
            "server": self.github.address,
            "repository": self.definition.repository,
            "tokens": self.people,
            "hosts": self.definition.hosts(),
            "releases": self.definition.releases,
            "overlay": str(self.overlay),
            "control": self.control,
            "control_token": self.control_token,
            "environ": {
                **self._step_environment(),
                "REHEARSAL_PYTHON": os.path.realpath(sys.executable),
                **self.credentials.at_terminal(self.definition),
                **self.emulators.terminal(),
            },
        }
        _write_whole(self.options.root / "world.json", content)

    async def stop(self) -> None:
        """End everything. Idempotent; goes on past what fails to end."""
        if hasattr(self, "runner"):
            await self.runner.stop()
        await self.github.stop()
        await self.emulators.stop()
        await self.servers.stop()
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
