"""Documents that one job of a run writes and later ones read by their digest, so that nobody can put another in their place."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pipelines.errors import InputError, RefusedError

AGAIN = "start the workflow again"


def digest_of(document: bytes) -> str:
    """SHA-256, hexadecimal."""
    return hashlib.sha256(document).hexdigest()


def fetch(file: Path, what: str, *, job: str = "plan", next_step: str = AGAIN) -> bytes:
    """A document as an earlier `job` of the run uploaded it. Raises InputError saying `what` is missing."""
    if not file.is_file():
        raise InputError(
            f"there is no {what}",
            where=str(file),
            why=f"the {job} job did not run in this run, or its artifact was not downloaded",
            next_step=next_step,
        )
    return file.read_bytes()


def read(document: bytes, digest: str, *, form: int, where: str, done: str, next_step: str = AGAIN) -> dict[str, Any]:
    """What it holds. Raises RefusedError when it is not the one that is named, which was `done` (approved), or of another `format`."""
    found = digest_of(document)
    if found != digest:
        raise RefusedError(
            f"the plan is not the one that was {done}: {found[:12]}, not {digest[:12] or 'any'}",
            where=where,
            why="the document was changed or replaced after it was planned",
            next_step=next_step,
        )
    raw: dict[str, Any] = json.loads(document)
    if raw.get("format") != form:
        raise RefusedError(
            f"the plan has the form {raw.get('format')}, this suite knows {form}",
            where=where,
            why="it was made by another version of the suite",
            next_step=next_step,
        )
    return raw
