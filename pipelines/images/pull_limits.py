"""A registry that limits how often images are pulled from it: Docker Hub counts by address, and hosted runners share theirs.

Source: docs.docker.com/docker-hub/usage/pulls (429, `toomanyrequests`; the count is of six hours, so trying again does not help).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.errors import ProviderUnavailable
from pipelines.images.model import Reference

_HUB = "docker.io"


@contextmanager
def naming_limits(at: Reference) -> Iterator[None]:
    """Raises ProviderUnavailable that says what to do, when what is asked of a registry ends in its limit."""
    try:
        yield
    except ProviderUnavailable as error:
        if "HTTP 429" not in error.what:
            raise
        mirror = f"mirror.gcr.io/{at.path}" if at.host == _HUB else "host/path of a mirror"
        login = "docker login" if at.host == _HUB else f"docker login {at.host}"
        raise ProviderUnavailable(
            f"{at.host} limits how often images are pulled (HTTP 429, toomanyrequests)",
            where=str(at),
            why="pulls without a login are counted by address, and hosted runners share theirs; the count lasts hours",
            next_step=f"name a mirror in shipmate.yml (`image/mirror: {mirror}`), or `{login}` in the job before this",
        ) from error
