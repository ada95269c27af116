"""Releases: the list, one with its notes and assets, downloads."""

from __future__ import annotations

from starlette.responses import FileResponse, RedirectResponse, Response

from rehearsal.github.pages.context import Visit
from rehearsal.github.pages.paging import part
from rehearsal.github.pages.serving import Pages
from rehearsal.github.problems import not_found
from rehearsal.github.releases.service import releases as changes
from rehearsal.github.releases.state import Release

pages = Pages()

_DRAFT = "untagged-"


@pages.show("releases")
async def release_list(visit: Visit) -> Response:
    found = sorted(_visible(visit), key=lambda one: (one.draft, one.created_at, one.id), reverse=True)
    released = {one.tag_name for one in found}
    return visit.page(
        "releases.html",
        live=3,
        releases=part(visit.request, found),
        latest=changes.latest(visit.repository),
        commits=await _commits(visit, found),
        tags=[name for name in reversed(list(visit.git.tags())) if name not in released][:20],
    )


@pages.show("releases/latest")
async def latest(visit: Visit) -> Response:
    found = changes.latest(visit.repository)
    if found is None:
        raise not_found()
    return visit.go(f"{visit.home}/releases/tag/{found.tag_name}")


@pages.show("releases/tag/{tag:path}")
async def release_page(visit: Visit) -> Response:
    """A release; for a tag without one, its commit."""
    name = visit.path("tag")
    found = next((one for one in _visible(visit) if name == _page_name(one)), None)
    if found is None:
        sha = await visit.git.resolve(f"refs/tags/{name}")
        if sha is None:
            raise not_found()
        return visit.go(f"{visit.home}/commit/{sha}")
    return visit.page(
        "release.html",
        live=3,
        release=found,
        latest=changes.latest(visit.repository),
        commits=await _commits(visit, [found]),
    )


@pages.show("releases/assets/{asset}")
async def asset(visit: Visit) -> Response:
    """The bytes of an asset, of drafts and private repositories too, for whoever may see them."""
    wanted = visit.number("asset")
    found = next((one for release in _visible(visit) for one in release.assets if one.id == wanted), None)
    if found is None or found.state != "uploaded":
        raise not_found()
    found.download_count += 1
    path = visit.service.asset_path(found.id)
    return FileResponse(path, media_type="application/octet-stream", filename=found.name)


@pages.show("tags")
async def tags(visit: Visit) -> Response:
    return RedirectResponse(f"{visit.home}/releases", 302)


def _visible(visit: Visit) -> list[Release]:
    """Drafts are for those who may write. Unlike the API's lists a page does not lag."""
    writes = visit.may("contents:write")
    return [one for one in visit.repository.releases.values() if writes or not one.draft]


def _page_name(release: Release) -> str:
    return f"{_DRAFT}{release.id}" if release.draft else release.tag_name


async def _commits(visit: Visit, found: list[Release]) -> dict[int, str | None]:
    """The commit of each release; None while its tag is not there."""
    return {one.id: await visit.git.resolve(f"refs/tags/{one.tag_name}") for one in found}
