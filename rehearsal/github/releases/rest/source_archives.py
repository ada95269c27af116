"""A commit's files as an archive."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from rehearsal.github.problems import not_found
from rehearsal.github.rest import download_links
from rehearsal.github.rest.call import Call
from rehearsal.github.rest.endpoint import Endpoints

endpoints = Endpoints()


@endpoints.add("GET", "tarball/{ref:path}", "contents:read")
async def get_tarball(call: Call) -> Response:
    return await _redirect(call, "tar.gz")


@endpoints.add("GET", "zipball/{ref:path}", "contents:read")
async def get_zipball(call: Call) -> Response:
    return await _redirect(call, "zip")


async def _redirect(call: Call, form: str) -> Response:
    sha = await call.git.resolve(call.path("ref"))
    if sha is None:
        raise not_found()
    key = f"{call.repository.full_name}/{sha}.{form}"
    return RedirectResponse(download_links.create(call.instance, "source", key), 302)
