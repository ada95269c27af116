"""Releases, their assets, and generated notes."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import RedirectResponse, Response

from rehearsal.github.problems import Problem, not_found
from rehearsal.github.releases import render
from rehearsal.github.releases.rules import latest, sees_drafts
from rehearsal.github.releases.service import assets, releases
from rehearsal.github.releases.service.notes import generate
from rehearsal.github.releases.state import Asset, Release
from rehearsal.github.rest import download_links
from rehearsal.github.rest.answers import Answer, created, no_content, ok
from rehearsal.github.rest.call import Call
from rehearsal.github.rest.endpoint import Endpoints

endpoints = Endpoints()


@endpoints.add("GET", "releases", "contents:read")
async def list_releases(call: Call) -> Answer:
    """Drafts are shown to who may write; a new release may be missing for a while."""
    page = call.page(releases.visible(call.repository, with_drafts=sees_drafts(call.identity, call.repository)))
    return page.answer([render.release(call.view, call.repository, one) for one in page.items])


@endpoints.add("POST", "releases", "contents:write")
async def create_release(call: Call) -> Answer:
    fields, wanted = call.fields, _wanted(call)
    if fields.flag("generate_release_notes", False):
        notes = await generate(call.instance, call.repository, wanted.tag_name or "", wanted.target_commitish, None)
        body = f"{wanted.body}\n\n{notes.body}" if wanted.body else notes.body
        wanted = replace(wanted, name=wanted.name or notes.name, body=body)
    release = await releases.create(call.instance, call.repository, wanted, call.identity)
    rendered = render.release(call.view, call.repository, release)
    return created(rendered, rendered["url"])


@endpoints.add("POST", "releases/generate-notes", "contents:write")
async def generate_notes(call: Call) -> Answer:
    fields = call.fields
    notes = await generate(
        call.instance,
        call.repository,
        fields.required_text("tag_name"),
        fields.maybe_text("target_commitish"),
        fields.maybe_text("previous_tag_name"),
    )
    return ok({"name": notes.name, "body": notes.body})


@endpoints.add("GET", "releases/latest", "contents:read")
async def get_latest(call: Call) -> Answer:
    found = latest(call.repository)
    if found is None:
        raise not_found()
    return ok(render.release(call.view, call.repository, found))


@endpoints.add("GET", "releases/tags/{tag:path}", "contents:read")
async def get_by_tag(call: Call) -> Answer:
    found = call.repository.release_tagged(call.path("tag"))
    if found is None:
        raise not_found()
    return ok(render.release(call.view, call.repository, found))


@endpoints.add("GET", "releases/assets/{asset}", "contents:read")
async def get_asset(call: Call) -> Answer | Response:
    """The asset's description, or with `Accept: application/octet-stream` a redirect to its bytes."""
    release, asset = _asset(call)
    if "octet-stream" in call.request.headers.get("accept", ""):
        if asset.state != "uploaded":
            raise not_found()
        asset.download_count += 1
        return RedirectResponse(download_links.create(call.instance, "asset", asset.id), 302)
    return ok(render.asset(call.view, call.repository, release, asset))


@endpoints.add("PATCH", "releases/assets/{asset}", "contents:write")
async def update_asset(call: Call) -> Answer:
    release, asset = _asset(call)
    assets.rename(release, asset, name=call.fields.maybe_text("name"), label=call.fields.maybe_text("label"))
    return ok(render.asset(call.view, call.repository, release, asset))


@endpoints.add("DELETE", "releases/assets/{asset}", "contents:write")
async def delete_asset(call: Call) -> Answer:
    release, asset = _asset(call)
    assets.delete(call.instance, release, asset)
    return no_content()


@endpoints.add("GET", "releases/{release}", "contents:read")
async def get_release(call: Call) -> Answer:
    return ok(render.release(call.view, call.repository, _release(call)))


@endpoints.add("PATCH", "releases/{release}", "contents:write")
async def update_release(call: Call) -> Answer:
    release = _release(call)
    await releases.update(call.instance, call.repository, release, _wanted(call), call.identity)
    return ok(render.release(call.view, call.repository, release))


@endpoints.add("DELETE", "releases/{release}", "contents:write")
async def delete_release(call: Call) -> Answer:
    await releases.delete(call.instance, call.repository, _release(call), call.identity)
    return no_content()


@endpoints.add("GET", "releases/{release}/assets", "contents:read")
async def list_assets(call: Call) -> Answer:
    release = _release(call)
    page = call.page(release.assets)
    return page.answer([render.asset(call.view, call.repository, release, one) for one in page.items])


@endpoints.add("POST", "releases/{release}/assets", "contents:write", raw=True)
async def upload_asset(call: Call) -> Answer:
    """On GitHub this one lives on another host; here it is where `upload_url` says."""
    release, name = _release(call), call.query("name")
    if not name:
        raise Problem(422, 'Invalid request.\n\n"name" wasn\'t supplied.')
    asset = await assets.upload(
        call.instance,
        release,
        name=name.replace(" ", "."),
        label=call.query("label") or None,
        content_type=call.request.headers.get("content-type", "application/octet-stream"),
        content=call.request.stream(),
        by=call.identity,
    )
    body = render.asset(call.view, call.repository, release, asset)
    return created(body, body["url"])


def _wanted(call: Call) -> releases.ReleaseRequest:
    fields = call.fields
    choice = fields.choice("make_latest", ("true", "false", "legacy")) if "make_latest" in fields else None
    return releases.ReleaseRequest(
        tag_name=fields.maybe_text("tag_name"),
        target_commitish=fields.maybe_text("target_commitish"),
        name=fields.maybe_text("name"),
        body=fields.maybe_text("body"),
        draft=fields.maybe_flag("draft"),
        prerelease=fields.maybe_flag("prerelease"),
        make_latest=choice,
    )


def _release(call: Call) -> Release:
    found = call.repository.releases.get(call.number("release"))
    if found is None or (found.draft and not sees_drafts(call.identity, call.repository)):
        raise not_found()
    return found


def _asset(call: Call) -> tuple[Release, Asset]:
    wanted = call.number("asset")
    for release in call.repository.releases.values():
        for asset in release.assets:
            if asset.id == wanted and (not release.draft or sees_drafts(call.identity, call.repository)):
                return release, asset
    raise not_found()
