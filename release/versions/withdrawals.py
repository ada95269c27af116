"""Which versions were withdrawn, and which are out: the forge knows, git does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from pipelines.errors import ShipmateError

if TYPE_CHECKING:
    from pipelines.github import GitHub

_PAGES = 100
WITHDRAWN = "<!-- shipmate withdrawn -->"
"""Stands in the notes of a release that was withdrawn."""


def published_on(github: GitHub) -> dict[str, bool]:
    """Tags of the releases that are out -> whether they were withdrawn. Raises what GitHub's answers raise.

    Source: docs.github.com/rest/releases/releases#list-releases
    """
    found: dict[str, bool] = {}
    for page in range(1, _PAGES + 1):
        listed = github.json("GET", f"/repos/{github.name}/releases?per_page=100&page={page}")
        found.update({raw["tag_name"]: WITHDRAWN in (raw["body"] or "") for raw in listed if not raw["draft"]})
        if len(listed) < 100:
            break
    return found


def withdrawn_at(github: GitHub, warn: Callable[[str], None]) -> Callable[[str], bool]:
    """Whether the release of a tag was withdrawn, one call each; `warn` is called once when GitHub cannot be asked, and nothing was then.

    Source: docs.github.com/rest/releases/releases#get-a-release-by-tag-name
    """
    known: dict[str, bool] = {}
    broken: list[str] = []

    def withdrawn(tag: str) -> bool:
        if tag not in known and not broken:
            try:
                found = github.find_json(f"/repos/{github.name}/releases/tags/{quote(tag)}")
                known[tag] = found is not None and WITHDRAWN in (found.get("body") or "")
            except ShipmateError as error:
                broken.append(tag)
                warn(f"whether {tag} was withdrawn is not known: {error.what}")
        return known.get(tag, False)

    return withdrawn
