"""What a release of the apps consists of, as a document: the job that verified it writes it, the jobs after it read it by its digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import InputError, RefusedError

if TYPE_CHECKING:
    from pipelines.manifest.mobile import Platform

FORMAT = 1
FILE = "release.json"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A version of the apps, from a commit."""

    tag: str
    version: str
    commit: str
    profile: str
    """Of eas.json."""
    numbers: Mapping[Platform, int]
    """Platform -> its build number, reserved."""
    notes: str
    """What testers are told, in plain text."""

    @property
    def platforms(self) -> tuple[Platform, ...]:
        return tuple(self.numbers)

    @property
    def document(self) -> bytes:
        """Canonical JSON."""
        return json.dumps({"format": FORMAT, **asdict(self)}, sort_keys=True, separators=(",", ":")).encode()

    @property
    def digest(self) -> str:
        """SHA-256 of the document, hexadecimal."""
        return hashlib.sha256(self.document).hexdigest()

    def write(self, folder: Path) -> None:
        """As FILE, which the job uploads."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_bytes(self.document)


def fetch(folder: Path, digest: str) -> Plan:
    """The plan that the first job of the run wrote. Raises InputError when there is none, RefusedError for another."""
    file = folder / FILE
    if not file.is_file():
        raise InputError(
            "it is not known what is released",
            where=str(file),
            why="the job that verifies did not run in this run, or its artifact was not downloaded",
            next_step="re-run all jobs of the workflow",
        )
    document = file.read_bytes()
    if hashlib.sha256(document).hexdigest() != digest:
        raise RefusedError(
            "this is not the release that was verified",
            where=str(file),
            why="the artifact was replaced after the job that verified it",
            next_step="re-run all jobs of the workflow",
        )
    raw: dict[str, Any] = json.loads(document)
    if raw.pop("format") != FORMAT:
        raise RefusedError(
            "the release was verified by another version of the suite",
            where=str(file),
            next_step="re-run all jobs of the workflow",
        )
    return Plan(**raw)
