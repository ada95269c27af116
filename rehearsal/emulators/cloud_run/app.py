"""Cloud Run as an emulator.

What it executes of an image, and what it leaves out: command.py, layers.py and interpreter.py say it where it is done.
Beyond that it does not limit concurrency, CPU or memory, does not scale with load or to zero, and does not ask who
invokes a service.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp

from rehearsal.definition import Definition
from rehearsal.emulator import ProviderEmulator, TrafficChange, release_in
from rehearsal.emulators.cloud_run.checking import Checks
from rehearsal.emulators.cloud_run.control import Control
from rehearsal.emulators.cloud_run.fleets import Fleets
from rehearsal.emulators.cloud_run.front import Front, Lag
from rehearsal.emulators.cloud_run.images import ImageSource
from rehearsal.emulators.cloud_run.job_routes import JobRoutes
from rehearsal.emulators.cloud_run.jobs import Jobs
from rehearsal.emulators.cloud_run.launching import DatabaseServer, Launcher, ReadSecret, no_secrets
from rehearsal.emulators.cloud_run.logs import LogLine
from rehearsal.emulators.cloud_run.names import JobName, ServiceName
from rehearsal.emulators.cloud_run.quota import CpuLimit, no_limit
from rehearsal.emulators.cloud_run.routes import RunRoutes
from rehearsal.emulators.cloud_run.state import Services
from rehearsal.emulators.cloud_run.tasks import Tasks
from rehearsal.emulators.cloud_run.traffic import changes
from rehearsal.emulators.google.access import Allows, Authorise, anyone, everything_allowed
from rehearsal.emulators.google.errors import exception_handlers
from rehearsal.journal import Entry


class CloudRun(ProviderEmulator):
    """run.googleapis.com, and the revisions behind it.

    work: folder for unpacked images. source: where images are pulled from (images.WorldRegistry).
    process_env: added to every process, to find a world's processes by.
    max_processes_per_revision: a real revision has up to maxInstanceCount instances; here one is enough to be true, two
    show that instances share nothing, and each costs the memory of the app.
    time_scale: factor on delays and periods of probes. pause: seconds every change takes at least.
    retire_after: seconds a revision without traffic and tag stays up. drain: seconds its requests get to finish then.
    request_wait: seconds a request is held for an instance. seed: of the traffic split and of revision names.
    cpu_limit: the quota of each project and region. database_server: where the sockets of Cloud SQL lead; without one, nowhere.
    """

    name = "cloud-run"
    hosts: tuple[str, ...] = ("run.googleapis.com",)
    contract: str | None = "run"

    def __init__(
        self,
        work: Path,
        source: ImageSource,
        *,
        read_secret: ReadSecret = no_secrets,
        authorise: Authorise = anyone,
        allows: Allows = everything_allowed,
        process_env: Mapping[str, str] | None = None,
        max_processes_per_revision: int = 1,
        time_scale: float = 1.0,
        pause: float = 0.05,
        retire_after: float = 5.0,
        drain: float = 10.0,
        request_wait: float = 15.0,
        seed: int | None = None,
        cpu_limit: CpuLimit = no_limit,
        database_server: DatabaseServer | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        dice = random.Random(seed)  # noqa: S311 - it splits traffic
        self.launcher = Launcher(
            work,
            source,
            read_secret,
            allows=allows,
            env=process_env,
            time_scale=time_scale,
            database_server=database_server,
        )
        self._fleets = Fleets(self.launcher, most=max_processes_per_revision, retire_after=retire_after, drain=drain)
        self.services = Services(self._fleets, pause=pause, dice=dice, clock=clock)
        self.services.quota.limit = cpu_limit
        self.front = Front(self.services, self._fleets, dice=dice, wait=request_wait, clock=clock)
        self.control: Control = Control(self.front)
        self._tasks = Tasks(self.launcher, clock)
        self.jobs = Jobs(
            self.services.operations, self._tasks, self.launcher.prepare_task, pause=pause, dice=dice, clock=clock
        )
        checks = Checks(authorise)
        services, jobs = RunRoutes(self.services, self._fleets, checks), JobRoutes(self.jobs, self._tasks, checks)
        self.app: ASGIApp = Starlette(
            routes=[*services.routes(), *jobs.routes()], exception_handlers=exception_handlers()
        )

    def logs(self, service: ServiceName, revision: str) -> list[LogLine]:
        """What a revision has printed, newest 2,000 lines. Raises GoogleError NOT_FOUND."""
        return self._fleets.logs(self.services.revision(service, revision))

    def pids(self, service: ServiceName, revision: str) -> list[int]:
        """The process ids of a revision's instances. Raises GoogleError NOT_FOUND."""
        return self._fleets.pids(self.services.revision(service, revision))

    def execution_logs(self, name: JobName, execution: str) -> list[LogLine]:
        """What an execution of a job has printed. Raises GoogleError NOT_FOUND."""
        return self._tasks.logs(self.jobs.execution(name, execution))

    async def stop(self) -> None:
        """End every process, after the requests under way."""
        await self.quiesce()
        await self._fleets.stop_all()

    async def quiesce(self) -> None:
        """Cancel the operations under way; a revision goes on when it is needed."""
        await self.services.quiesce()
        await self.jobs.quiesce()

    def reset(self) -> None:
        """Forget every service and job; processes are ended by `stop`."""
        self.services.clear()
        self.jobs.clear()
        self.front.lag = Lag()

    def save(self) -> dict[str, Any]:
        """Services, revisions, jobs and executions; not their processes, and not operations."""
        return {**self.services.save(), "jobs": self.jobs.save()}

    def load(self, saved: dict[str, Any]) -> None:
        """Replace them. A revision's processes start with the first request to it."""
        self.services.load(saved)
        self.jobs.load(saved["jobs"])

    def deployments_of(self, release: str) -> int:
        """Revisions that carry the release in their annotations."""
        revisions = (revision for service in self.services.all() for revision in service.revisions.values())
        return sum(release in revision.template.get("annotations", {}).values() for revision in revisions)

    def traffic_changes(self, requests: Iterable[Entry], definition: Definition) -> Iterator[TrafficChange]:
        """Every request that gave revisions of a service of the platform other shares."""
        return changes(requests, definition.services, self._release_of)

    def _release_of(self, name: str) -> str:
        """The release in a revision's annotations, else its name."""
        found = (service.revisions.get(name) for service in self.services.all())
        return next((release_in(r.template.get("annotations", {})) or name for r in found if r), name)
