"""The instances of one revision: started, kept alive, chosen in turn, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.emulators.cloud_run.command import Command
from rehearsal.emulators.cloud_run.instance import SYSTEM, Instance, Probes
from rehearsal.emulators.cloud_run.logs import LogBook

_LAST_LINES = 24  # Node says what is wrong before the stack, which is some sixteen lines
_PORT_TAKEN = "address already in use"
_TRIES = 3
_LONGEST_BACKOFF = 5.0  # seconds between restarts of an instance that keeps ending


class StartFailed(Exception):
    """A revision cannot start. `reason` is Cloud Run's, of the kind `reason_field` says."""

    def __init__(self, reason: str, message: str, *, reason_field: str = "reason") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.reason_field = reason_field


class NoInstance(Exception):
    """No instance became available for a request in time."""


class Stopped(NoInstance):
    """The fleet was stopped while a request waited for it: where the request belongs now is to be asked again."""


@dataclass(frozen=True, kw_only=True)
class Launch:
    """What a revision runs: `secrets` are read anew for each start, as "latest" means latest then."""

    command: Command
    env: Mapping[str, str]
    secrets: Callable[[], Mapping[str, str]]
    probes: Probes
    port: int
    """The container's port as its template has it; error messages name it."""


class Fleet:
    """`size` processes of a revision, with `home` (an existing folder) as their home.

    `prepare` pulls the image and says what to run; it raises StartFailed. `drain`: seconds that requests under way get
    when the fleet is stopped. A fleet that was stopped stays so: going back to a revision makes a new one.
    """

    def __init__(
        self,
        name: str,
        prepare: Callable[[], Awaitable[Launch]],
        *,
        size: int,
        home: Path,
        drain: float,
        logs: LogBook,
    ) -> None:
        self.stopped = False
        self._logs = logs
        self._name = name
        self._prepare = prepare
        self._size = size
        self._home = home
        self._drain = drain
        self._instances: list[Instance] = []
        self._keepers: list[asyncio.Task[None]] = []
        self._starting: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()
        self._turn = 0

    @property
    def running(self) -> bool:
        """Whether it has been started and not stopped."""
        return self._starting is not None and not self.stopped

    @property
    def pids(self) -> list[int]:
        """Process ids of its instances."""
        return [instance.pid for instance in self._instances if instance.pid]

    async def start(self) -> None:
        """Return when every instance has passed its startup probe. Raises StartFailed; then nothing is left running."""
        if self._starting is None and not self.stopped:
            self._starting = asyncio.create_task(self._start(), name=f"start {self._name}")
        # Several callers may wait for one start; one that gives up must not end it for the others.
        if self._starting is None:
            return
        try:
            await asyncio.shield(self._starting)
        except asyncio.CancelledError:
            if not self.stopped:
                raise
            raise StartFailed("REVISION_FAILED", f"{self._name} was stopped while it started.") from None

    @contextlib.asynccontextmanager
    async def lease(self, wait: float) -> AsyncIterator[Instance]:
        """An instance for one request, started if need be. Raises NoInstance after `wait` seconds."""
        instance = self._next() or await self._awaited(wait)
        async with instance.request():
            yield instance

    async def stop(self) -> None:
        """Finish requests, then end all processes."""
        self.stopped = True
        tasks = [*self._keepers, *([self._starting] if self._starting is not None else [])]
        await _cancelled(tasks)
        await asyncio.gather(*(instance.stop(drain=self._drain) for instance in self._instances))
        self._instances.clear()
        await self._notify()

    async def _start(self) -> None:
        firsts: list[asyncio.Task[Instance]] = []
        try:
            launch = await self._prepare()
            firsts = [asyncio.create_task(self._first(launch)) for _ in range(self._size)]
            instances = await asyncio.gather(*firsts)
        except BaseException:
            await _cancelled(firsts)
            await self._abandon()
            self._starting = None
            raise
        for instance in instances:
            keeper = asyncio.create_task(self._keep(instance, launch), name=f"keep {instance.label}")
            self._keepers.append(keeper)

    async def _first(self, launch: Launch) -> Instance:
        """A new instance that serves. Raises StartFailed with its last words."""
        instance = None
        for _ in range(_TRIES):
            instance = await self._launched(launch)
            if await instance.started():
                instance.serving = True
                await self._notify()
                return instance
            await self._drop(instance)
            # Someone else took the port between our choice and the bind.
            if not any(_PORT_TAKEN in line.lower() for line in self._logs.tail(instance.label, _LAST_LINES)):
                break
        raise self._unhealthy(instance, launch)

    async def _keep(self, instance: Instance, launch: Launch) -> None:
        """Replace the instance whenever it ends, until the fleet is stopped."""
        while True:
            self._logs.add(instance.label, SYSTEM, await instance.fails())
            await self._drop(instance)
            instance = await self._restarted(launch)

    async def _restarted(self, launch: Launch) -> Instance:
        backoff = 0.1
        while True:
            try:
                return await self._first(launch)
            except StartFailed as failed:
                self._logs.add(self._name, SYSTEM, failed.message)
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, _LONGEST_BACKOFF)

    async def _launched(self, launch: Launch) -> Instance:
        instance = Instance(f"{self._name}-{secrets.token_hex(3)}", launch.command, launch.probes, self._logs)
        self._instances.append(instance)
        try:
            await instance.launch({**launch.env, **launch.secrets()}, self._home)
        except OSError as error:
            self._instances.remove(instance)
            message = f"The container's entry point cannot be executed: {error}"
            raise StartFailed("HEALTH_CHECK_CONTAINER_ERROR", message, reason_field="revisionReason") from error
        return instance

    async def _drop(self, instance: Instance) -> None:
        await instance.kill()
        if instance in self._instances:
            self._instances.remove(instance)
        await self._notify()

    async def _abandon(self) -> None:
        for instance in list(self._instances):
            await self._drop(instance)

    def _next(self) -> Instance | None:
        serving = [instance for instance in self._instances if instance.serving]
        if not serving:
            return None
        self._turn += 1
        return serving[self._turn % len(serving)]

    async def _awaited(self, wait: float) -> Instance:
        """Wait for an instance to serve, starting the fleet when it is down."""
        try:
            async with asyncio.timeout(wait):
                if self.stopped:
                    raise Stopped(f"{self._name} was stopped")
                await self.start()
                async with self._changed:
                    while (instance := self._next()) is None:
                        if self.stopped:
                            raise Stopped(f"{self._name} was stopped")
                        await self._changed.wait()
                return instance
        except (TimeoutError, StartFailed) as error:
            if self.stopped:
                raise Stopped(f"{self._name} was stopped") from error
            raise NoInstance(f"{self._name}: no instance within {wait:g} s ({error})") from error

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _unhealthy(self, instance: Instance | None, launch: Launch) -> StartFailed:
        last = self._logs.tail(instance.label, _LAST_LINES) if instance is not None else []
        text = "\n".join(last) or "(it printed nothing)"
        if launch.probes.startup.path is None:
            what = (
                "The user-provided container failed to start and listen on the port defined provided by the "
                f"PORT={launch.port} environment variable within the allocated timeout."
            )
        else:
            what = "The user-provided container failed the configured startup probe checks."
        message = f"{what} Last log lines:\n{text}"
        return StartFailed("HEALTH_CHECK_CONTAINER_ERROR", message, reason_field="revisionReason")


async def _cancelled(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
