"""A real PostgreSQL and Redis: those of TEST_DATABASE_URL and TEST_REDIS_URL, or throw-away ones of our own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psycopg
import pytest
import redis
from backend.services import Services
from backend.settings import Settings
from development.migrations import apply_all
from development.services import ServiceUrls, running_services

BACKEND = Path(__file__).parents[2]
WEB = "https://techmate.ai"
TOKEN = "0123456789abcdef"


@pytest.fixture(scope="session")
def service_urls() -> Iterator[ServiceUrls]:
    given = ServiceUrls(os.environ.get("TEST_DATABASE_URL", ""), os.environ.get("TEST_REDIS_URL", ""))
    if given.database and given.redis:
        yield given
        return
    with running_services() as own:
        yield ServiceUrls(given.database or own.database, given.redis or own.redis)


@pytest.fixture(scope="session")
def empty_database(service_urls: ServiceUrls) -> Callable[[], Any]:
    """A context manager that makes a database without tables and drops it."""

    @contextmanager
    def make() -> Iterator[str]:
        name = f"test_{uuid4().hex}"
        with psycopg.connect(service_urls.database, autocommit=True) as server:
            server.execute(f"CREATE DATABASE {name}")
            yield urlsplit(service_urls.database)._replace(path=f"/{name}").geturl()
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")

    return make


@pytest.fixture(scope="session")
def database_url(empty_database: Callable[[], Any]) -> Iterator[str]:
    with empty_database() as url:
        apply_all(url)
        yield url


@pytest.fixture
def empty_notes(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("TRUNCATE notes CASCADE")


@pytest.fixture
def make_settings(database_url: str, service_urls: ServiceUrls) -> Iterator[Callable[..., Settings]]:
    """Settings of a process that shares its Redis keys with nobody."""
    namespace = f"test-{uuid4().hex}"

    def make(**changed: Any) -> Settings:
        values = {"database_url": database_url, "redis_url": service_urls.redis, "redis_namespace": namespace}
        return Settings(**{**values, "cors_origins": (WEB,), **changed})

    yield make
    forget(service_urls.redis, namespace)


@pytest.fixture
def connect(make_settings: Callable[..., Settings]) -> Callable[..., AbstractAsyncContextManager[Services]]:
    """The parts of the backend, connected."""

    @asynccontextmanager
    async def open_services(**changed: Any) -> AsyncIterator[Services]:
        services = Services.build(make_settings(**changed))
        await services.database.open()
        try:
            yield services
        finally:
            await services.close()

    return open_services


@dataclass
class RunningBackend:
    """A process of the backend; its log is read as it is written."""

    process: subprocess.Popen[str]
    port: int
    namespace: str
    lines: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


@pytest.fixture(scope="session")
def start_backend(database_url: str, service_urls: ServiceUrls) -> Callable[..., Any]:
    """A context manager that runs `python -m backend` with variables of one's own."""

    @contextmanager
    def start(**variables: str) -> Iterator[RunningBackend]:
        namespace = f"test-{uuid4().hex}"
        addresses = {"DATABASE_URL": database_url, "REDIS_URL": service_urls.redis, "REDIS_NAMESPACE": namespace}
        env = {**os.environ, **addresses, "PORT": "0", "CORS_ORIGINS": WEB, "LOG_LEVEL": "debug", **variables}
        process = subprocess.Popen(
            [sys.executable, "-m", "backend"], cwd=BACKEND, env=env, stdout=subprocess.PIPE, text=True
        )
        try:
            yield _reading(process, namespace)
        finally:
            process.kill()
            process.wait()
            forget(service_urls.redis, namespace)

    return start


@pytest.fixture(scope="session")
def backend(start_backend: Callable[..., Any]) -> Iterator[RunningBackend]:
    """One process for all tests that only call it; each test is a user of its own."""
    named = {"RELEASE": "v1.0.0", "COMMIT": "abc123", "ENVIRONMENT": "staging"}
    with start_backend(WORKERS="on", PROBE_TOKEN=TOKEN, **named) as running:
        yield running


@pytest.fixture
def api(backend: RunningBackend) -> Iterator[httpx.Client]:
    headers = {"X-Shipmate-Load": TOKEN, "X-User": uuid4().hex}
    with httpx.Client(base_url=backend.url, headers=headers) as client:
        yield client


def forget(redis_url: str, namespace: str) -> None:
    """Delete every key of a namespace."""
    with redis.Redis.from_url(redis_url) as client:
        for key in client.scan_iter(f"{namespace}:*"):
            client.delete(key)


def _reading(process: subprocess.Popen[str], namespace: str) -> RunningBackend:
    """The backend once it listens. The first line it writes says where."""
    assert process.stdout is not None
    output = process.stdout
    first = json.loads(output.readline())
    assert first["message"] == "listening", first
    running = RunningBackend(process, first["context"]["port"], namespace, [first])
    reader = threading.Thread(target=_read, args=(output, running.lines), daemon=True)
    reader.start()
    return running


def _read(output: IO[str], lines: list[dict[str, Any]]) -> None:
    with output:
        lines.extend(json.loads(line) for line in output)
