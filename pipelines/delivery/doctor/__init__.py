"""Look at everything a delivery stands on outside the repository, with the accounts of an administrator.

Each finding has the command that fixes it. Nothing is changed, and what cannot be read is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.delivery.context import Context, require_github
from pipelines.delivery.doctor import database, github, google, trust, vercel
from pipelines.findings import Finding


def examine(contexts: Mapping[str, Context]) -> list[Finding]:
    """Every finding, of all environments of the manifest. `contexts`: environment -> its context. Raises CredentialsError without a
    token of GitHub."""
    first = next(iter(contexts.values()))
    repository, manifest = require_github(first), first.manifest
    return [
        *github.look(repository, manifest, list(contexts)),
        *trust.look(repository, manifest, contexts),
        *google.look(manifest, contexts),
        *vercel.look(contexts),
        *database.look(contexts),
    ]
