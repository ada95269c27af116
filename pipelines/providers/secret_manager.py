"""Google Secret Manager: reading one version of a secret (discovery document secretmanager.v1)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from pipelines.errors import CredentialsError, ManifestError
from pipelines.http import Http
from pipelines.providers.google_api import GoogleApi, GoogleRefused

if TYPE_CHECKING:
    from pipelines.providers import Credentials

ROOT = "https://secretmanager.googleapis.com/v1"


def parse(written: str) -> tuple[str, str]:
    """`name@version` as the manifest has it. Raises ManifestError unless the version is a number."""
    name, _, version = written.partition("@")
    if not name or not version.isdigit():
        raise ManifestError(
            f"{written!r} is no secret version",
            why="`latest` would change under a running revision, so a version is a number",
            next_step="write name@number, as in database-url@1",
        )
    return name, version


def access(http: Http, credentials: Credentials, project: str, written: str) -> str:
    """The text of a secret version (`name@version`). Raises CredentialsError, ManifestError, ProviderError."""
    name, version = parse(written)
    path = f"projects/{project}/secrets/{name}/versions/{version}:access"
    try:
        answer = GoogleApi(http, credentials.google, ROOT).call("GET", path)
    except GoogleRefused as error:
        if error.missing or error.code == "FAILED_PRECONDITION":
            raise CredentialsError(
                f"secret {written} of {project} cannot be read: {error.message}",
                where="Secret Manager",
                why="it does not exist, or this version is disabled or destroyed",
                next_step=f"add it: `gcloud secrets versions add {name} --project {project} --data-file -`, "
                "then write its number in shipmate.yml",
            ) from error
        raise
    return base64.b64decode(answer["payload"]["data"]).decode()
