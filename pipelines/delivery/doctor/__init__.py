"""Look at everything a delivery stands on outside the repository, with the accounts of an administrator.

Each finding has the command that fixes it. Nothing is changed, and what cannot be read is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelines.delivery.context import Context, require_github
from pipelines.delivery.doctor import database, github, trust
from pipelines.findings import Finding
from pipelines.providers import account_findings, sentry_findings


def examine(contexts: Mapping[str, Context]) -> list[Finding]:
    """Every finding, of all environments of the manifest. `contexts`: environment -> its context. Raises CredentialsError without a
    token of GitHub."""
    first = next(iter(contexts.values()))
    repository, manifest = require_github(first), first.manifest
    return [
        *github.look(repository, manifest, list(contexts)),
        *trust.look(repository, manifest, contexts),
        *(each for name, context in contexts.items() for each in _accounts(name, context)),
        *sentry_findings.look(manifest, list(contexts), first.http, first.credentials.sentry_token),
        *database.look(contexts),
    ]


def _accounts(name: str, context: Context) -> Iterator[Finding]:
    """What each provider says of the account that the environment's components live in."""
    yield from account_findings(name, context.manifest, context.http, context.credentials)
