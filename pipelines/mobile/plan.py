"""What a release of the apps consists of, as a document: the job that verified it writes it, the jobs after it read it by its digest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import documents

if TYPE_CHECKING:
    from pipelines.manifest.mobile import Platform

FORMAT = 1
FILE = "release.json"
AGAIN = "re-run all jobs of the workflow"


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
    """The notes that testers are shown, in plain text."""

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
        return documents.digest_of(self.document)

    def write(self, folder: Path) -> None:
        """As FILE, which the job uploads."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_bytes(self.document)


def fetch(folder: Path, digest: str) -> Plan:
    """The plan that the first job of the run wrote. Raises InputError when there is none, RefusedError for another."""
    document = documents.fetch(folder / FILE, "plan of the release", job="verify", next_step=AGAIN)
    raw = documents.read(document, digest, form=FORMAT, where=FILE, done="verified", next_step=AGAIN)
    del raw["format"]
    return Plan(**raw)
