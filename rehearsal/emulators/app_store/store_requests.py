"""Requests that change App Store versions and their reviews. Each gives what is shown of the change, or nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from starlette.requests import Request

from rehearsal.emulators.app_store import body, phased, store, store_views, submissions
from rehearsal.emulators.app_store.errors import invalid, unrelated
from rehearsal.emulators.app_store.model import Notes, Phased, StoreVersion, Submission
from rehearsal.emulators.app_store.resource import Resource
from rehearsal.emulators.app_store.state import Account, found, new_id

_TEXTS = ("description", "keywords", "marketingUrl", "promotionalText", "supportUrl", "whatsNew")


class StoreRequests:
    """One method for each operation."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def create_version(self, request: Request) -> Resource:
        sent = await body.resource(request)
        version = store.create(
            self._account,
            sent.required_relation("app"),
            sent.attribute("platform"),
            sent.attribute("versionString"),
        )
        if sent.relation("build") is not None:
            store.attach(self._account, version, sent.relation("build"))
        self._set(version, sent.attributes)
        return store_views.version(self._account, version)

    async def update_version(self, request: Request) -> Resource:
        version = self._version(request)
        sent = await body.resource(request)
        if sent.attributes.get("versionString") is not None:
            store.rename(self._account, version, sent.attributes["versionString"])
        if sent.has_relation("build"):
            store.attach(self._account, version, sent.relation("build"))
        self._set(version, sent.attributes)
        return store_views.version(self._account, version)

    async def delete_version(self, request: Request) -> None:
        store.delete(self._account, self._version(request))

    async def attach_build(self, request: Request) -> None:
        store.attach(self._account, self._version(request), await body.identifier(request))

    def _set(self, version: StoreVersion, attributes: dict[str, Any]) -> None:
        """How and when it is released may be changed until it is on sale; the rest while it is prepared."""
        if attributes.get("copyright") is not None:
            store.require_editable(self._account, version)
            version.copyright = attributes["copyright"]
        if attributes.get("releaseType") is None and attributes.get("earliestReleaseDate") is None:
            return
        if store.is_live(self._account, version):
            raise invalid("releaseType", "The version is on sale already.")
        version.release_type = attributes.get("releaseType") or version.release_type
        if attributes.get("earliestReleaseDate") is not None:
            version.earliest = datetime.fromisoformat(attributes["earliestReleaseDate"]).timestamp()

    async def release(self, request: Request) -> Resource:
        sent = await body.resource(request)
        version = self._account.versions.get(sent.required_relation("appStoreVersion"))
        if version is None:
            raise unrelated("appStoreVersion", "There is no such version.")
        store.release(self._account, version)
        return Resource(type="appStoreVersionReleaseRequests", id=new_id(), attributes={})

    async def create_notes(self, request: Request) -> Resource:
        sent = await body.resource(request)
        notes = store.add_notes(
            self._account,
            sent.required_relation("appStoreVersion"),
            sent.attribute("locale"),
            _texts(sent.attributes),
        )
        return store_views.version_notes(notes)

    async def update_notes(self, request: Request) -> Resource:
        notes = self._notes(request)
        store.write_notes(self._account, notes, _texts((await body.resource(request)).attributes))
        return store_views.version_notes(notes)

    async def create_phased(self, request: Request) -> Resource:
        sent = await body.resource(request)
        wanted = sent.attributes.get("phasedReleaseState") or "INACTIVE"
        made = phased.create(self._account, sent.required_relation("appStoreVersion"), wanted)
        return store_views.phased_release(self._account, made)

    async def update_phased(self, request: Request) -> Resource:
        release = self._phased(request)
        wanted = (await body.resource(request)).attributes.get("phasedReleaseState")
        if wanted is not None:
            phased.change(self._account, release, wanted)
        return store_views.phased_release(self._account, release)

    async def delete_phased(self, request: Request) -> None:
        phased.delete(self._account, self._phased(request))

    async def create_submission(self, request: Request) -> Resource:
        sent = await body.resource(request)
        platform = sent.attributes.get("platform") or "IOS"
        made = submissions.create(self._account, sent.required_relation("app"), platform)
        return store_views.submission(self._account, made)

    async def update_submission(self, request: Request) -> Resource:
        submission = self._submission(request)
        sent = (await body.resource(request)).attributes
        if sent.get("submitted"):
            submissions.submit(self._account, submission)
        if sent.get("canceled"):
            submissions.cancel(self._account, submission)
        return store_views.submission(self._account, submission)

    async def create_item(self, request: Request) -> Resource:
        sent = await body.resource(request)
        submission, item = submissions.add_item(
            self._account, sent.required_relation("reviewSubmission"), sent.relation("appStoreVersion")
        )
        return store_views.item(self._account, submission, item)

    async def delete_item(self, request: Request) -> None:
        held = {item.id: (s, item) for s in self._account.submissions.values() for item in s.items}
        item = found("reviewSubmissionItems", request.path_params["id"], [item for _, item in held.values()])
        submissions.remove_item(self._account, held[item.id][0], item)

    def _version(self, request: Request) -> StoreVersion:
        return found("appStoreVersions", request.path_params["id"], self._account.versions.values())

    def _notes(self, request: Request) -> Notes:
        return found("appStoreVersionLocalizations", request.path_params["id"], self._account.version_notes.values())

    def _phased(self, request: Request) -> Phased:
        return found("appStoreVersionPhasedReleases", request.path_params["id"], self._account.phased.values())

    def _submission(self, request: Request) -> Submission:
        return found("reviewSubmissions", request.path_params["id"], self._account.submissions.values())


def _texts(attributes: dict[str, Any]) -> dict[str, str]:
    return {name: attributes[name] for name in _TEXTS if attributes.get(name) is not None}
