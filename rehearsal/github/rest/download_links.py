"""Addresses from which something is downloaded without credentials, as GitHub's redirects to its storage are."""

from __future__ import annotations

import secrets

from rehearsal.github.instance import GitHubInstance

_KEPT = 1_000


def create(instance: GitHubInstance, kind: str, number: int | str) -> str:
    """A new address of a file; the oldest one makes room when there are too many."""
    key = secrets.token_hex(16)
    while len(instance.downloads) >= _KEPT:
        del instance.downloads[next(iter(instance.downloads))]
    instance.downloads[key] = (kind, str(number))
    return f"{instance.address}/_downloads/{key}"
