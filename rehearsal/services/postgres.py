"""Postgres with pgvector on a loopback port, with its data in a folder of the world."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

from rehearsal.home import home
from rehearsal.services.availability import ServiceUnavailable
from rehearsal.services.child import Child
from rehearsal.services.postgres_program import PostgresProgram, environment, find
from rehearsal.services.unprivileged import command_as_other, give_away

_TEMPLATE_FORMAT = 2
_SUPERUSER = "postgres"
_INITDB_SECONDS = 120
_SETS_WHILE_MAKING = 16
"""The first version whose initdb takes settings. An older one leaves its shared memory in /dev/shm when it is killed."""
# The data is thrown away: nothing waits for a disk, and memory is for a handful of connections.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "dynamic_shared_memory_type": "mmap",
    "autovacuum": "off",
    "logging_collector": "off",
    "timezone": "UTC",
}


class Postgres:
    """One server. Its data folder is copied from a template that is made once (a second) and kept."""

    def __init__(
        self, folder: Path, *, program: PostgresProgram | None = None, settings: dict[str, str] | None = None
    ) -> None:
        self._folder = folder
        self._program = program
        self._settings = {**_SETTINGS, **(settings or {})}
        self._child: Child | None = None

    @property
    def port(self) -> int:
        """`start` must have returned."""
        if self._child is None:
            raise ServiceUnavailable("Postgres is not running")
        return self._child.port

    @property
    def data(self) -> Path:
        """The data folder (PGDATA)."""
        return self._folder / "data"

    @property
    def superuser_url(self) -> str:
        """For administration; applications get an URL of their own from `create_database`."""
        return self._superuser_url_of("postgres")

    async def start(self) -> int:
        """Start and wait until it answers; the port. A folder that was used before goes on with its data.

        Raises ServiceUnavailable.
        """
        program = self._program or find()
        if not self.data.exists():
            template = await asyncio.to_thread(make_template, program)
            await asyncio.to_thread(_copy, template, self._folder)
        argv = [str(program.bin / "postgres"), "-D", str(self.data)]
        argv += [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        self._child = Child(
            "Postgres",
            lambda port: command_as_other([*argv, "-p", str(port)], reaching=[program.bin, self.data]),
            self._is_ready,
            env=environment(program),
            log=self._folder / "postgres.log",
            stop_signal=signal.SIGINT,
        )
        return await self._child.start()

    async def stop(self) -> None:
        """End it at once, open connections included. Idempotent."""
        child, self._child = self._child, None
        if child is not None:
            await child.stop()

    async def create_database(self, name: str, *, user: str, password: str) -> str:
        """Create a role that can log in and a database it owns, unless they are there; the application's URL.

        pgvector is in it: creating the extension takes a superuser, which managed databases do for their users.
        Raises psycopg.Error.
        """
        from psycopg import AsyncConnection, sql

        async with await AsyncConnection.connect(self.superuser_url, autocommit=True) as connection:
            role, secret, database = sql.Identifier(user), sql.Literal(password), sql.Identifier(name)
            known = await connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [user])
            verb = sql.SQL("ALTER") if await known.fetchone() else sql.SQL("CREATE")
            await connection.execute(sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, role, secret))
            there = await connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if not await there.fetchone():
                await connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))
                await connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
        async with await AsyncConnection.connect(self._superuser_url_of(name), autocommit=True) as connection:
            await connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        return self._url(user, password, name)

    def _superuser_url_of(self, database: str) -> str:
        return self._url(_SUPERUSER, (self._folder / "password").read_text(), database)

    def _url(self, user: str, password: str, database: str) -> str:
        return f"postgresql://{quote(user)}:{quote(password, safe='')}@127.0.0.1:{self.port}/{quote(database)}"

    async def _is_ready(self, _port: int) -> bool:
        # The last line of postmaster.pid is the server's own word on its state.
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"


def make_template(program: PostgresProgram) -> Path:
    """A fresh data folder and its superuser's password, kept under SHIPMATE_HOME; made when it is not there.

    Raises ServiceUnavailable with what initdb printed.
    """
    target = home() / "postgres" / f"template-{program.version}-{_TEMPLATE_FORMAT}"
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".template-", dir=target.parent))
    try:
        _initialise(program, fresh)
        fresh.rename(target)
    except OSError:
        # Another process was first; a template that is there is whole.
        if not target.exists():
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def _initialise(program: PostgresProgram, folder: Path) -> None:
    password = folder / "password"
    password.write_text(secrets.token_urlsafe(24))
    give_away(folder)
    options = ["--auth=scram-sha-256", f"--pwfile={password}", f"--username={_SUPERUSER}", "--no-sync"]
    options += ["--wal-segsize=1"]  # the template is copied for every world: 1 MB instead of 16
    if int(program.version.partition(".")[0]) >= _SETS_WHILE_MAKING:
        options += ["--set", f"dynamic_shared_memory_type={_SETTINGS['dynamic_shared_memory_type']}"]
    argv = [str(program.bin / "initdb"), *options, "--encoding=UTF8", "--locale=C", "-D", str(folder / "data")]
    done = subprocess.run(
        command_as_other(argv, reaching=[program.bin, folder / "data"]),
        env=environment(program),
        capture_output=True,
        text=True,
        timeout=_INITDB_SECONDS,
        check=False,
    )
    if done.returncode:
        message = (done.stderr or done.stdout).strip()[-600:]
        raise ServiceUnavailable(f"initdb of {program.bin} failed (exit {done.returncode}): {message}")


def _copy(template: Path, folder: Path) -> None:
    """The template's content into `folder`; its data appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / "data.part"
    shutil.rmtree(part, ignore_errors=True)
    # The content is what counts: everything is the server's own, and only the folder's mode matters to it.
    shutil.copytree(template / "data", part, copy_function=shutil.copyfile)
    part.chmod(0o700)
    shutil.copyfile(template / "password", folder / "password")
    (folder / "password").chmod(0o600)
    give_away(part)
    part.rename(folder / "data")
