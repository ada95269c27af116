"""Where errors are reported: a project at an error tracker, as sections of shipmate.yml name it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from pipelines.manifest.metadata import policy_key

_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]*")
_ADDRESS = re.compile(r"https://[A-Za-z0-9.-]+(:\d+)?/?")


class Project(Protocol):
    """A project at Sentry."""

    @property
    def url(self) -> str: ...
    @property
    def organization(self) -> str: ...
    @property
    def project(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class ErrorTracker:
    """Where a site reports its errors: a project at Sentry, which gets the build's source maps."""

    url: str = field(
        default="https://sentry.io",
        metadata=policy_key("Where the organization lives: https://us.sentry.io, https://de.sentry.io, or your own."),
    )
    organization: str = field(metadata=policy_key("As in its address.", "techmate"))
    project: str = field(metadata=policy_key("Of the site, as in its address.", "web"))


def problems(project: Project, where: str) -> Iterator[tuple[str, str]]:
    """What is wrong with the names of a project: a token is sent to `url`, which so is one host, by https, and nothing else."""
    if not _ADDRESS.fullmatch(project.url):
        yield f"{where}/url", f"{project.url!r} must be https:// and a host, as in https://de.sentry.io"
    for key, value in (("organization", project.organization), ("project", project.project)):
        if not _SLUG.fullmatch(value):
            yield f"{where}/{key}", f"{value!r} must be as in its address: small letters, digits, - and _"
