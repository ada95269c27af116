"""Releases: the list, one with its notes and assets, downloads."""

from __future__ import annotations

from starlette.responses import FileResponse, RedirectResponse, Response

from rehearsal.github.pages.context import PageContext
from rehearsal.github.pages.paging import part
from rehearsal.github.pages.serving import Pages
from rehearsal.github.problems import not_found
from rehearsal.github.releases import rules
from rehearsal.github.releases.state import Release

pages = Pages()

_DRAFT = "untagged-"


@pages.show("releases")
async def release_list(context: PageContext) -> Response:
    found = sorted(_visible(context), key=lambda one: (one.draft, one.created_at, one.id), reverse=True)
    released = {one.tag_name for one in found}
    return context.page(
        "releases.html",
        live=3,
        releases=part(context.request, found),
        latest=rules.latest(context.repository),
        commits=await _commits(context, found),
        tags=[name for name in reversed(list(context.git.tags())) if name not in released][:20],
    )


@pages.show("releases/latest")
async def latest(context: PageContext) -> Response:
    found = rules.latest(context.repository)
    if found is None:
        raise not_found()
    return context.go(f"{context.home}/releases/tag/{found.tag_name}")


@pages.show("releases/tag/{tag:path}")
async def release_page(context: PageContext) -> Response:
    """A release; for a tag without one, its commit."""
    name = context.path("tag")
    found = next((one for one in _visible(context) if name == _page_name(one)), None)
    if found is None:
        sha = await context.git.resolve(f"refs/tags/{name}")
        if sha is None:
            raise not_found()
        return context.go(f"{context.home}/commit/{sha}")
    return context.page(
        "release.html",
        live=3,
        release=found,
        latest=rules.latest(context.repository),
        commits=await _commits(context, [found]),
    )


@pages.show("releases/assets/{asset}")
async def asset(context: PageContext) -> Response:
    """The bytes of an asset, of drafts and private repositories too, for those who may see them."""
    wanted = context.number("asset")
    found = next((one for release in _visible(context) for one in release.assets if one.id == wanted), None)
    if found is None or found.state != "uploaded":
        raise not_found()
    found.download_count += 1
    path = context.instance.asset_path(found.id)
    return FileResponse(path, media_type="application/octet-stream", filename=found.name)


@pages.show("tags")
async def tags(context: PageContext) -> Response:
    return RedirectResponse(f"{context.home}/releases", 302)


def _visible(context: PageContext) -> list[Release]:
    """Drafts are for those who may write. Unlike the API's lists a page does not lag."""
    writes = rules.sees_drafts(context.identity, context.repository)
    return [one for one in context.repository.releases.values() if writes or not one.draft]


def _page_name(release: Release) -> str:
    return f"{_DRAFT}{release.id}" if release.draft else release.tag_name


async def _commits(context: PageContext, found: list[Release]) -> dict[int, str | None]:
    """The commit of each release; None while its tag is not there."""
    return {one.id: await context.git.resolve(f"refs/tags/{one.tag_name}") for one in found}
