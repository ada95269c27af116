"""Addresses on the forge: of commits, pull requests, comparisons and releases. Read from the remote; empty where there is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

_REMOTE = re.compile(
    r"(?:(?P<scheme>https?)://(?:[^@/]+@)?(?P<host>[^/]+)/|(?:ssh://)?(?:[^@/]+@)(?P<sshhost>[^:/]+)(?::\d+)?[:/])"
    r"(?P<path>[\w.-]+/[\w.-]+?)(?:\.git)?/?"
)
_PLAIN = re.compile(r"[A-Za-z0-9._-]+")


class Web(NamedTuple):
    """A repository's pages."""

    server: str
    """https://github.com"""
    repository: str
    """owner/name"""

    def pull(self, number: int) -> str:
        return f"{self.server}/{self.repository}/pull/{number}" if self.repository else ""

    def commit(self, name: str) -> str:
        return f"{self.server}/{self.repository}/commit/{name}" if self.repository else ""

    def compare(self, old: str, new: str) -> str:
        return f"{self.server}/{self.repository}/compare/{_quoted(old)}...{_quoted(new)}" if self.repository else ""

    def release(self, tag: str) -> str:
        return f"{self.server}/{self.repository}/releases/tag/{_quoted(tag)}" if self.repository else ""


def _quoted(tag: str) -> str:
    return tag if _PLAIN.fullmatch(tag) else quote(tag, safe="")


NOWHERE = Web("", "")


def find(remote: str, environ: Mapping[str, str], repository: str = "") -> Web:
    """The pages of a remote's address; GITHUB_REPOSITORY and GITHUB_SERVER_URL (a workflow) and a name given go before it."""
    found = _REMOTE.fullmatch(remote.strip())
    host = (found["host"] or found["sshhost"]) if found else ""
    scheme = (found["scheme"] or "https") if found else "https"
    name = repository or environ.get("GITHUB_REPOSITORY", "") or (found["path"] if found else "")
    server = environ.get("GITHUB_SERVER_URL", "") or (f"{scheme}://{host}" if host else "https://github.com")
    return Web(server.rstrip("/"), name) if name else NOWHERE
