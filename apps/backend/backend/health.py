"""What an operator and a load balancer ask a process: how is it, can it serve, is it alive."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from backend.database import Database
from backend.logs import Log

_CGROUP = Path("/sys/fs/cgroup")
_PROC = Path("/proc")
_TIME_LIMIT = 2.0
_MEMORY_FULL = 0.95
_LEAST_FREE_DISK = 50 * 1024 * 1024
_log = Log("backend.health")


@dataclass(frozen=True)
class Observation:
    """One check. `figures` are bytes, counts and milliseconds, as their names say."""

    ok: bool
    figures: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """`status` is up or down."""
        return {"status": "up" if self.ok else "down", **self.figures}


Probe = Callable[[], Awaitable[Observation]]


class Health:
    """Looks at what the process needs. Each look has two seconds; all run at once."""

    def __init__(self, database: Database, redis: Redis, *, cgroup: Path = _CGROUP, proc: Path = _PROC) -> None:
        self._database, self._redis = database, redis
        self._cgroup, self._proc = cgroup, proc

    async def comprehensive(self) -> dict[str, Observation]:
        """Database, Redis, memory and disk."""
        return await _observe(
            {"database": self._look_at_database, "redis": self._look_at_redis, "memory": self._memory, "disk": _disk}
        )

    async def readiness(self) -> dict[str, Observation]:
        """What must be usable before a request can be served."""
        return await _observe({"database": self._look_at_database, "redis": self._look_at_redis})

    async def _look_at_database(self) -> Observation:
        started = time.perf_counter()
        await self._database.check()
        return Observation(True, {"latency_ms": _since(started), **self._database.figures()})

    async def _look_at_redis(self) -> Observation:
        started = time.perf_counter()
        await self._redis.ping()
        return Observation(True, {"latency_ms": _since(started)})

    async def _memory(self) -> Observation:
        return memory(cgroup=self._cgroup, proc=self._proc)


def memory(*, cgroup: Path, proc: Path) -> Observation:
    """Memory of the container, or of the machine where no limit is set; down at 95 %."""
    total, used = _container_memory(cgroup) or _machine_memory(proc)
    pages = int((proc / "self/statm").read_text().split()[1])
    figures = {"used_bytes": used, "limit_bytes": total, "process_bytes": pages * 4096}
    return Observation(used < total * _MEMORY_FULL, figures)


async def _disk() -> Observation:
    usage = shutil.disk_usage(tempfile.gettempdir())
    figures = {"used_bytes": usage.used, "free_bytes": usage.free, "total_bytes": usage.total}
    return Observation(usage.free >= _LEAST_FREE_DISK, figures)


def _container_memory(cgroup: Path) -> tuple[int, int] | None:
    """Limit and working set in bytes (cgroup v2), or None without a limit."""
    try:
        limit = (cgroup / "memory.max").read_text().strip()
        current = int((cgroup / "memory.current").read_text())
        stat = dict(line.split() for line in (cgroup / "memory.stat").read_text().splitlines())
    except OSError:
        return None
    if limit == "max":
        return None
    # File pages that nobody used lately are given back under pressure; counting them would cry wolf.
    return int(limit), current - int(stat.get("inactive_file", 0))


def _machine_memory(proc: Path) -> tuple[int, int]:
    """Total and used bytes of the machine (proc_meminfo(5), figures in kB)."""
    lines = (line.partition(":") for line in (proc / "meminfo").read_text().splitlines())
    kilobytes = {name: int(value.split()[0]) for name, _, value in lines}
    total = kilobytes["MemTotal"] * 1024
    return total, total - kilobytes["MemAvailable"] * 1024


async def _observe(probes: dict[str, Probe]) -> dict[str, Observation]:
    observations = await asyncio.gather(*(_guarded(name, probe) for name, probe in probes.items()))
    return dict(zip(probes, observations, strict=True))


async def _guarded(name: str, probe: Probe) -> Observation:
    try:
        async with asyncio.timeout(_TIME_LIMIT):
            return await probe()
    except TimeoutError:
        return Observation(False, {"error": f"no answer in {_TIME_LIMIT:g} s"})
    except Exception as error:  # whatever is wrong with it is the observation
        # The texts of connection errors carry host names and users: they belong in the log, not on a public page.
        _log.warn("check failed", check=name, cause=str(error))
        return Observation(False, {"error": type(error).__name__})


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
