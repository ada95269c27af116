from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from rehearsal.services import child, postgres_program
from rehearsal.services.availability import ServiceUnavailable
from rehearsal.services.postgres import Postgres, make_template
from rehearsal.services.unprivileged import command_as_other
from tests.rehearsal.services.waiting import until


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return True
    return False


def test_each_environment_has_its_own_database_and_credentials(tmp_path: Path) -> None:
    async def scenario() -> None:
        server = Postgres(tmp_path)
        await server.start()
        try:
            urls = {
                name: await server.create_database(name, user=f"{name}-api", password="p/ss wörd:@")
                for name in ("staging", "production")
            }
            assert (
                await server.create_database("staging", user="staging-api", password="p/ss wörd:@") == urls["staging"]
            )
            with psycopg.connect(urls["production"]) as connection:
                connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
                connection.execute("CREATE TABLE notes (meaning vector(2))")
                connection.execute("INSERT INTO notes VALUES ('[3,4]')")
                assert connection.execute("SELECT meaning <-> '[0,0]' FROM notes").fetchone() == (5.0,)
            wrong_database = urls["production"].removesuffix("/production") + "/staging"
            wrong_password = urls["production"].replace("p%2Fss", "other")
            for url in (wrong_database, wrong_password):
                with pytest.raises(psycopg.OperationalError):
                    psycopg.connect(url, connect_timeout=5)
        finally:
            await server.stop()

    asyncio.run(scenario())


def test_it_ends_with_connections_open_and_goes_on_with_its_data(tmp_path: Path) -> None:
    async def scenario() -> None:
        server = Postgres(tmp_path)
        port = await server.start()
        url = await server.create_database("notes", user="api", password="secret-of-the-test")
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept (n int)")
            connection.commit()
            await server.stop()
        assert refuses(port)
        await server.stop()
        await server.start()
        try:
            with psycopg.connect(await server.create_database("notes", user="api", password="another")) as again:
                assert again.execute("SELECT count(*) FROM kept").fetchone() == (0,)
        finally:
            await server.stop()

    asyncio.run(scenario())


def test_a_port_lost_meanwhile_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = holder.getsockname()[1]
        real, asked = child.free_port, iter([taken])
        monkeypatch.setattr(child, "free_port", lambda: next(asked, None) or real())

        async def scenario() -> None:
            server = Postgres(tmp_path)
            assert await server.start() != taken
            await server.stop()

        asyncio.run(scenario())


def test_a_server_that_does_not_start_shows_its_log(tmp_path: Path) -> None:
    server = Postgres(tmp_path, settings={"shared_buffers": "nonsense"})
    with pytest.raises(ServiceUnavailable, match=r"Postgres does not start.*invalid value for parameter"):
        asyncio.run(server.start())


def test_it_dies_with_the_world(tmp_path: Path) -> None:
    script = (
        "import asyncio, os, signal, sys\n"
        "from pathlib import Path\n"
        "from rehearsal.services.postgres import Postgres\n"
        "print(asyncio.run(Postgres(Path(sys.argv[1])).start()), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    until(lambda: refuses(int(done.stdout)))


def test_the_template_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPMATE_HOME", str(tmp_path / "home"))
    program = postgres_program.find()
    template = make_template(program)
    password = (template / "password").read_text()
    assert make_template(program) == template
    assert (template / "password").read_text() == password
    assert [path.name for path in template.parent.iterdir()] == [template.name]


def test_what_initdb_says_is_in_the_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPMATE_HOME", str(tmp_path))
    broken = tmp_path / "bin"
    broken.mkdir()
    (broken / "initdb").write_text("#!/bin/sh\necho no space left >&2\nexit 1\n")
    (broken / "initdb").chmod(0o755)
    program = postgres_program.PostgresProgram(bin=broken, version="18.0", origin="test")
    with pytest.raises(ServiceUnavailable, match="no space left"):
        make_template(program)
    assert list((tmp_path / "postgres").iterdir()) == []


def test_one_without_pgvector_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, version in (("postgres", "17.2"), ("initdb", "17.2")):
        (tmp_path / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert postgres_program.find().bin != tmp_path
    monkeypatch.setattr(postgres_program, "find_spec", lambda _name: None)
    monkeypatch.setattr(postgres_program, "_DISTRIBUTIONS", ())
    with pytest.raises(ServiceUnavailable, match=r"run `make setup`.*has no pgvector"):
        postgres_program.find()


def test_one_with_pgvector_that_is_installed_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("postgres", "initdb"):
        (folder / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 17.2 (Debian 17.2-1)'\n")
        (folder / name).chmod(0o755)
    extension = tmp_path / "share" / "extension"
    extension.mkdir(parents=True)
    (extension / "vector.control").touch()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    found = postgres_program.find()
    assert (found.bin, found.version, found.origin) == (folder, "17.2", "installed")


def test_a_command_never_runs_as_root_wherever_it_lies(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    (hidden / "who").write_text("#!/bin/sh\nid -u\n")
    (hidden / "who").chmod(0o755)
    argv = command_as_other([str(hidden / "who")], reaching=[hidden / "who"])
    done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=True)
    assert done.stdout.strip() == str(os.geteuid() or 65534)


def test_the_url_is_for_the_application(tmp_path: Path) -> None:
    async def scenario() -> str:
        server = Postgres(tmp_path)
        await server.start()
        try:
            return await server.create_database("notes", user="api", password="secret-of-the-test")
        finally:
            await server.stop()

    parts = urlsplit(asyncio.run(scenario()))
    assert (parts.scheme, parts.hostname, parts.username, parts.path) == ("postgresql", "127.0.0.1", "api", "/notes")
