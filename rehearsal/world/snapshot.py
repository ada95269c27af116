"""A whole world kept in a folder, to begin another one with: what providers hold, the databases, the registry's content.

Not kept: running processes, tokens of Google, secrets and keys (a world has its own), Redis (a cache and a queue), people's clones.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from rehearsal.definition import Definition
from rehearsal.github.app import GitHub
from rehearsal.runner.engine import ActRunner
from rehearsal.services.postgres import Postgres
from rehearsal.services.unprivileged import give_away
from rehearsal.world import provision
from rehearsal.world.credentials import Credentials
from rehearsal.world.emulator_set import FILES, EmulatorSet

FORMAT = 3
"""Of the folder; a changed one makes older snapshots unusable."""
STATE, DATABASES = "state.json", "postgres"


class Root(Protocol):
    """What of a world's options is needed."""

    @property
    def root(self) -> Path: ...


class Whole(Protocol):
    """The parts of a world that are kept."""

    definition: Definition
    credentials: Credentials
    people: dict[str, str]
    github: GitHub
    runner: ActRunner
    emulators: EmulatorSet
    postgres: Postgres

    @property
    def options(self) -> Root: ...


async def save(world: Whole, folder: Path) -> None:
    """Write a snapshot; it appears whole or not at all. One that is there stays. Raises RuntimeError while a job is at work, OSError."""
    emulators = await world.emulators.save()
    state = {**emulators, "github": world.github.save(), "runner": world.runner.save()}
    await _checkpoint(world.postgres.superuser_url)
    await asyncio.to_thread(_write_whole, folder, state, world)


def prepare(folder: Path, root: Path) -> None:
    """Lay the files that services and emulators begin with into the folder of a world that is not started yet. Raises OSError."""
    shutil.copytree(folder / DATABASES, root / DATABASES)
    (root / DATABASES / "data").chmod(0o700)
    give_away(root / DATABASES / "data")
    shutil.copytree(folder / FILES, root, dirs_exist_ok=True)


def load(world: Whole, folder: Path) -> None:
    """Replace what a started world holds; then let its own people and keys in. Raises OSError, KeyError."""
    state: Mapping[str, Any] = json.loads((folder / STATE).read_text())
    world.github.load(state["github"])
    world.emulators.load(state)
    world.runner.load(state["runner"])
    seed, repository = world.github.seed, world.definition.repository
    world.people.update({login: seed.token(login) for login in provision.PEOPLE})
    provision.renew_secrets(seed, world.github.instance.repository(repository), world.credentials)


async def _checkpoint(url: str) -> None:
    """Everything committed is on disk: commits are asynchronous here, and the last ones may be in memory alone."""
    from psycopg import AsyncConnection

    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("CHECKPOINT")


def _write_whole(folder: Path, state: Mapping[str, Any], world: Whole) -> None:
    part = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        _write(part, state, world)
        part.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another world was first
            raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write(part: Path, state: Mapping[str, Any], world: Whole) -> None:
    root = world.options.root
    part.mkdir(parents=True)
    part.chmod(0o700)
    (part / STATE).write_text(json.dumps(state))
    world.emulators.save_files(part)
    with _still(root / DATABASES / "data"):
        (part / DATABASES).mkdir()
        shutil.copytree(
            root / DATABASES / "data", part / DATABASES / "data", ignore=shutil.ignore_patterns("postmaster.*")
        )
        shutil.copyfile(root / DATABASES / "password", part / DATABASES / "password")


@contextmanager
def _still(data: Path) -> Iterator[None]:
    """Stop every process of a Postgres: what is copied meanwhile is what a power cut would leave, and is recovered from as such."""
    postmaster = int((data / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGSTOP)  # first, so that it starts no more
    stopped = [postmaster, *_children(postmaster)]
    try:
        for pid in stopped[1:]:
            _signal(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in stopped:
            _signal(pid, signal.SIGCONT)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
