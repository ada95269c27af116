"""Requests that change uploads, builds and TestFlight. Each gives what is shown of the change: a resource, or nothing."""

from __future__ import annotations

from starlette.requests import Request

from rehearsal.emulators.app_store import body, build_views, testflight, uploads
from rehearsal.emulators.app_store.model import Group
from rehearsal.emulators.app_store.resource import Resource
from rehearsal.emulators.app_store.state import Account, found


class BuildRequests:
    """One method for each operation."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def create_upload(self, request: Request) -> Resource:
        sent = await body.resource(request)
        upload = uploads.create(
            self._account,
            sent.required_relation("app"),
            sent.attribute("cfBundleShortVersionString"),
            sent.attribute("cfBundleVersion"),
            sent.attribute("platform"),
        )
        return build_views.upload(self._account, upload)

    async def delete_upload(self, request: Request) -> None:
        held = self._account.uploads
        uploads.delete(self._account, found("buildUploads", request.path_params["id"], held.values()))

    async def create_file(self, request: Request) -> Resource:
        sent = await body.resource(request)
        file = uploads.add_file(
            self._account,
            sent.required_relation("buildUpload"),
            sent.attribute("fileName"),
            sent.attribute("fileSize"),
            sent.attribute("uti"),
            sent.attribute("assetType"),
        )
        return build_views.file(file)

    async def update_file(self, request: Request) -> Resource:
        file = found("buildUploadFiles", request.path_params["id"], self._account.files.values())
        sent = await body.resource(request)
        if sent.attributes.get("uploaded"):
            uploads.commit(self._account, file, sent.attributes.get("sourceFileChecksums") or {})
        return build_views.file(file)

    async def update_build(self, request: Request) -> Resource:
        build = self._account.build(request.path_params["id"])
        sent = (await body.resource(request)).attributes
        if sent.get("usesNonExemptEncryption") is not None:
            testflight.declare_encryption(build, sent["usesNonExemptEncryption"])
        if sent.get("expired") is not None:
            testflight.expire(build, sent["expired"])
        return build_views.build(self._account, build)

    async def add_to_group(self, request: Request) -> None:
        testflight.add_to_group(self._account, self._group(request), await body.identifiers(request))

    async def remove_from_group(self, request: Request) -> None:
        testflight.remove_from_group(self._group(request), await body.identifiers(request))

    async def add_groups(self, request: Request) -> None:
        build = self._account.build(request.path_params["id"])
        chosen = [found("betaGroups", i, self._account.groups.values()) for i in await body.identifiers(request)]
        for group in chosen:
            testflight.add_to_group(self._account, group, [build.id])

    async def remove_groups(self, request: Request) -> None:
        build = self._account.build(request.path_params["id"])
        for identifier in await body.identifiers(request):
            group = found("betaGroups", identifier, self._account.groups.values())
            testflight.remove_from_group(group, [build.id])

    async def create_notes(self, request: Request) -> Resource:
        sent = await body.resource(request)
        build = self._account.build(sent.required_relation("build"))
        notes = testflight.add_notes(self._account, build, sent.attribute("locale"), sent.attributes.get("whatsNew"))
        return build_views.build_notes(notes)

    async def update_notes(self, request: Request) -> Resource:
        notes = found("betaBuildLocalizations", request.path_params["id"], self._account.build_notes.values())
        sent = (await body.resource(request)).attributes
        if "whatsNew" in sent:
            testflight.write_notes(notes, sent["whatsNew"])
        return build_views.build_notes(notes)

    async def submit(self, request: Request) -> Resource:
        sent = await body.resource(request)
        submission = testflight.submit(self._account, sent.required_relation("build"))
        return build_views.beta_submission(self._account, submission)

    def _group(self, request: Request) -> Group:
        return found("betaGroups", request.path_params["id"], self._account.groups.values())
