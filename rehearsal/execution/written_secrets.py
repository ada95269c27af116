"""Secrets of a world in what a story left: logs of jobs, artifacts, the journal, the event log, messages.

What holds secrets because it has to is left out: the emulators' own stores, and the homes of the users, whose clones are theirs.
"""

from __future__ import annotations

import base64
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rehearsal.scenario.event_log import EventLog
from rehearsal.scenario.world_client import WorldClient

SHORTEST = 8
"""A shorter value is an ordinary word."""
SECRETS = ("TOKEN", "KEY", "PASSWORD", "SECRET", "WEBHOOK", "DSN", "BYPASS")
"""How the names of variables end that hold one."""
SEARCHED = ("runner", "github/assets", "tmp", "world.log")
"""In the world's folder: what jobs write and upload, assets of releases, and what the world itself prints."""
LARGEST = 64 << 20
"""Bytes of a file, or of a member of an archive, that are read."""


def secrets_of(world: WorldClient) -> dict[str, str]:
    """Name -> value of what the users and jobs of a world are given."""
    given = {f"the token of {login}": token for login, token in world.tokens.items()}
    given |= {"the world's own token": world.control_token}
    held = {name: value for name, value in world.environ.items() if name.endswith(SECRETS) and len(value) >= SHORTEST}
    return given | held


def find(world: WorldClient, log: EventLog) -> list[str]:
    """Which secret stands where, for people; never the secret itself. Empty as it has to be."""
    return search(secrets_of(world), _written(world, log))


def search(secrets: Mapping[str, str], texts: Iterable[tuple[str, bytes]]) -> list[str]:
    """`texts`: places and what is written there."""
    wanted = [(name, form) for name, secret in secrets.items() for form in forms(secret)]
    return sorted({f"{name} is written in {place}" for place, text in texts for name, form in wanted if form in text})


def forms(secret: str) -> set[bytes]:
    """As it is, percent-encoded, in JSON, and in base64 wherever in a longer text it begins.

    Made apart from the masks of the runner: a form that those forget is to be found here.
    """
    found = {secret, quote(secret), quote(secret, safe="")}
    found |= {json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
    for shift, begin in ((0, 0), (1, 2), (2, 3)):
        packed = base64.b64encode(b"\0" * shift + secret.encode()).decode()
        found |= {packed[begin : (shift + len(secret.encode())) * 8 // 6]}
    return {form.encode() for form in found}


def contents(place: str, file: Path) -> Iterator[tuple[str, bytes]]:
    """A file, or the members of an archive."""
    if file.stat().st_size > LARGEST:
        return
    if not zipfile.is_zipfile(file):
        yield place, file.read_bytes()
        return
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if member.file_size <= LARGEST:
                yield f"{place}: {member.filename}", archive.read(member)


def _written(world: WorldClient, log: EventLog) -> Iterator[tuple[str, bytes]]:
    """Place and content of everything that the story left."""
    yield "the event log", "\n".join(_texts([asdict(event) for event in log.events])).encode()
    for what in ("journal", "messages", "logs"):
        yield f"the {what}", "\n".join(_texts(world.inspect(what))).encode()
    for part in SEARCHED:
        yield from _below(world.root, world.root / part)


def _texts(value: Any) -> Iterator[str]:
    """Every text in JSON data, names included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)


def _below(root: Path, part: Path) -> Iterator[tuple[str, bytes]]:
    for file in [part] if part.is_file() else sorted(part.rglob("*")):
        try:
            if file.is_file() and not file.is_symlink():
                yield from contents(file.relative_to(root).as_posix(), file)
        except FileNotFoundError:
            continue  # a job has cleaned up meanwhile
