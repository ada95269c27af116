"""The whole of this GitHub as JSON, and back: the state as data, repositories and assets as a tar archive."""

from __future__ import annotations

import base64
import io
import shutil
import tarfile
from typing import Any

from rehearsal import archives
from rehearsal.github.database import Database
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.serialization import from_json, to_json

_FOLDERS = ("repositories", "assets")


def save(instance: GitHubInstance) -> dict[str, Any]:
    """JSON-ready; take it while no push is under way. Runs belong to the runner and are not in it."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for folder in _FOLDERS:
            archive.add(instance.data / folder, arcname=folder)
    return {
        "database": to_json(instance.database),
        "oidc_key": instance.oidc.private_pem().decode(),
        "files": base64.b64encode(stream.getvalue()).decode(),
        "lag": instance.lag,
    }


def load(instance: GitHubInstance, saved: dict[str, Any]) -> None:
    """Replace everything. Raises KeyError or TypeError when `saved` is of another shape."""
    database = from_json(Database, saved["database"])
    instance.forget()
    for folder in _FOLDERS:
        shutil.rmtree(instance.data / folder)
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(saved["files"]))) as archive:
        archives.extract_all(archive, instance.data)
    instance.database = database
    instance.lag = int(saved["lag"])
    instance.oidc.use_key(saved["oidc_key"].encode())
    for repository in database.repositories.values():
        instance.git(repository).reload_now()
