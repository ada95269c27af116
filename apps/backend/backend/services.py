"""Everything that answering a request may need, made once per process."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from starlette.requests import Request

from backend.cache import SearchCache
from backend.database import Database
from backend.health import Health
from backend.jobs import JobQueue
from backend.moving_window import PROBE_LIMIT, SharedWindow
from backend.notes import NoteStore
from backend.settings import Settings
from backend.telemetry import Report
from backend.worker import NoteJobs, Worker

_REDIS_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Services:
    """The parts, wired together; nothing is connected yet."""

    settings: Settings
    database: Database
    redis: Redis
    notes: NoteStore
    cache: SearchCache
    queue: JobQueue
    window: SharedWindow
    probe_window: SharedWindow
    health: Health

    @classmethod
    def build(cls, settings: Settings, *, patience: float = 5.0) -> Services:
        """`patience` is how long a query may take, in seconds."""
        database = Database(settings.database_url, timeout=patience)
        redis = connect_redis(settings.redis_url)
        namespace = settings.redis_namespace
        return cls(
            settings=settings,
            database=database,
            redis=redis,
            notes=NoteStore(database),
            cache=SearchCache(redis, namespace=namespace),
            queue=JobQueue(redis, namespace=namespace),
            window=SharedWindow(redis, namespace=namespace),
            probe_window=SharedWindow(redis, namespace=namespace, limit=PROBE_LIMIT),
            health=Health(database, redis),
        )

    def worker(self, report: Report) -> Worker:
        """A worker on this process's queue."""
        jobs = NoteJobs(self.notes, self.cache)
        return Worker(self.queue, jobs.handlers(), overdue=jobs.overdue, report=report)

    async def close(self) -> None:
        """Close every connection."""
        await self.redis.aclose()
        await self.database.close()


def connect_redis(url: str) -> Redis:
    """A client that connects when it is first used."""
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=_REDIS_SECONDS,
        # Longer than a worker's BLMOVE, which blocks for up to a second.
        socket_timeout=3 * _REDIS_SECONDS,
        # One more try on a new connection, for those that a restart of Redis left dead in the pool; no waiting in
        # between, since every use has something better to do without Redis.
        retry=Retry(NoBackoff(), 1),
        client_name=f"backend-{uuid4().hex[:8]}",
    )


def services_of(request: Request) -> Services:
    """The services of the application that got `request`."""
    services: Services = request.app.state.services
    return services
