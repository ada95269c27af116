"""Every path of the API and of the storage, and what answers it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.emulators.app_store import resource
from rehearsal.emulators.app_store.access import DEVELOPERS, MANAGERS, READERS, Access
from rehearsal.emulators.app_store.build_requests import BuildRequests
from rehearsal.emulators.app_store.errors import Refused, not_routed
from rehearsal.emulators.app_store.resource import Query, Resource
from rehearsal.emulators.app_store.state import Account
from rehearsal.emulators.app_store.storage import FOLDER, Storage
from rehearsal.emulators.app_store.store_requests import StoreRequests
from rehearsal.emulators.app_store.views import Views
from rehearsal.emulators.refusal import exception_handlers

Roles = frozenset[str]
Change = Callable[[Request], Awaitable[Resource | None]]
Handler = Callable[[Request], Awaitable[Response]]

_LISTS = (
    "apps", "builds", "preReleaseVersions", "buildBetaDetails", "betaGroups", "betaBuildLocalizations",
    "betaAppReviewSubmissions", "reviewSubmissions", "certificates", "profiles",
)  # fmt: skip
_SINGLE = (
    "apps", "builds", "buildUploads", "buildUploadFiles", "preReleaseVersions", "buildBetaDetails", "betaGroups",
    "betaBuildLocalizations", "betaAppReviewSubmissions", "appStoreVersions", "appStoreVersionLocalizations",
    "reviewSubmissions", "certificates", "profiles",
)  # fmt: skip
_RELATED = {
    "apps": ("builds", "buildUploads", "betaGroups", "preReleaseVersions", "appStoreVersions", "reviewSubmissions"),
    "builds": (
        "app", "appStoreVersion", "betaAppReviewSubmission", "betaBuildLocalizations", "buildBetaDetail", "preReleaseVersion",
    ),
    "buildUploads": ("buildUploadFiles",),
    "preReleaseVersions": ("app", "builds"),
    "buildBetaDetails": ("build",),
    "betaGroups": ("app", "builds"),
    "betaBuildLocalizations": ("build",),
    "betaAppReviewSubmissions": ("build",),
    "appStoreVersions": ("appStoreVersionLocalizations", "appStoreVersionPhasedRelease", "build"),
    "reviewSubmissions": ("items",),
    "profiles": ("certificates",),
}  # fmt: skip
"""Each at `/v1/{type}/{id}/{name}`, and its ids at `/relationships/{name}`."""
_SIGNING = ("certificates", "profiles")


def app(account: Account, access: Access) -> Starlette:
    """The API of one account, and the storage beside it."""
    storage = Storage(account)
    return Starlette(
        routes=[
            *_Api(account, access).routes(),
            Route(f"{FOLDER}/{{token}}", storage.put, methods=["PUT"]),
        ],
        exception_handlers=exception_handlers(not_routed),
    )


class _Api:
    def __init__(self, account: Account, access: Access) -> None:
        self._account = account
        self._access = access
        self._views = Views(account)

    def routes(self) -> Iterator[Route]:
        for kind in _LISTS:
            yield self._route("GET", f"/v1/{kind}", _readers(kind), self._listed(kind))
        for kind in _SINGLE:
            yield self._route("GET", f"/v1/{kind}/{{id}}", _readers(kind), self._shown(kind))
        for kind, names in _RELATED.items():
            for name in names:
                yield self._route("GET", f"/v1/{kind}/{{id}}/{name}", _readers(kind), self._related(kind, name))
                path = f"/v1/{kind}/{{id}}/relationships/{name}"
                yield self._route("GET", path, _readers(kind), self._linkage(kind, name))
        for method, path, roles, change in self._changes():
            yield self._route(method, f"/v1/{path}", roles, self._changed(method, path, change))

    def _changes(self) -> Iterator[tuple[str, str, Roles, Change]]:
        builds, store = BuildRequests(self._account), StoreRequests(self._account)
        yield "POST", "buildUploads", DEVELOPERS, builds.create_upload
        yield "DELETE", "buildUploads/{id}", DEVELOPERS, builds.delete_upload
        yield "POST", "buildUploadFiles", DEVELOPERS, builds.create_file
        yield "PATCH", "buildUploadFiles/{id}", DEVELOPERS, builds.update_file
        yield "PATCH", "builds/{id}", DEVELOPERS, builds.update_build
        yield "POST", "betaGroups/{id}/relationships/builds", DEVELOPERS, builds.add_to_group
        yield "DELETE", "betaGroups/{id}/relationships/builds", DEVELOPERS, builds.remove_from_group
        yield "POST", "builds/{id}/relationships/betaGroups", DEVELOPERS, builds.add_groups
        yield "DELETE", "builds/{id}/relationships/betaGroups", DEVELOPERS, builds.remove_groups
        yield "POST", "betaBuildLocalizations", DEVELOPERS, builds.create_notes
        yield "PATCH", "betaBuildLocalizations/{id}", DEVELOPERS, builds.update_notes
        yield "POST", "betaAppReviewSubmissions", MANAGERS, builds.submit
        yield "POST", "appStoreVersions", MANAGERS, store.create_version
        yield "PATCH", "appStoreVersions/{id}", MANAGERS, store.update_version
        yield "DELETE", "appStoreVersions/{id}", MANAGERS, store.delete_version
        yield "PATCH", "appStoreVersions/{id}/relationships/build", MANAGERS, store.attach_build
        yield "POST", "appStoreVersionReleaseRequests", MANAGERS, store.release
        yield "POST", "appStoreVersionLocalizations", MANAGERS, store.create_notes
        yield "PATCH", "appStoreVersionLocalizations/{id}", MANAGERS, store.update_notes
        yield "POST", "appStoreVersionPhasedReleases", MANAGERS, store.create_phased
        yield "PATCH", "appStoreVersionPhasedReleases/{id}", MANAGERS, store.update_phased
        yield "DELETE", "appStoreVersionPhasedReleases/{id}", MANAGERS, store.delete_phased
        yield "POST", "reviewSubmissions", MANAGERS, store.create_submission
        yield "PATCH", "reviewSubmissions/{id}", MANAGERS, store.update_submission
        yield "POST", "reviewSubmissionItems", MANAGERS, store.create_item
        yield "DELETE", "reviewSubmissionItems/{id}", MANAGERS, store.delete_item

    def _route(self, method: str, path: str, roles: Roles, handler: Handler) -> Route:
        async def admitted(request: Request) -> Response:
            try:
                self._access.admit(request, roles)
                given = await handler(request)
            except Refused as refused:
                given = refused.response()
            given.headers.update(self._access.limits(request))
            return given

        return Route(path, admitted, methods=[method])

    def _listed(self, kind: str) -> Handler:
        async def handler(request: Request) -> Response:
            return JSONResponse(resource.several(self._views.all(kind), _query(request), self._views.find))

        return handler

    def _shown(self, kind: str) -> Handler:
        async def handler(request: Request) -> Response:
            found = self._views.find((kind, request.path_params["id"]))
            return JSONResponse(resource.single(found, _query(request), self._views.find))

        return handler

    def _related(self, kind: str, name: str) -> Handler:
        async def handler(request: Request) -> Response:
            owner, query, find = self._views.find((kind, request.path_params["id"])), _query(request), self._views.find
            if name in owner.many:
                links = owner.many[name]
                return JSONResponse(resource.several([find(link) for link in links], query, find))
            if name == "buildBetaDetail" and owner.one[name] is None:
                # Not nothing, but not there: fastlane/fastlane#20645, codemagic-ci-cd/cli-tools#346.
                find(("buildBetaDetails", owner.id))
            one = owner.one[name]
            return JSONResponse(resource.single(None if one is None else find(one), query, find))

        return handler

    def _linkage(self, kind: str, name: str) -> Handler:
        async def handler(request: Request) -> Response:
            owner = self._views.find((kind, request.path_params["id"]))
            return JSONResponse(resource.linkage(owner, name, _query(request)))

        return handler

    def _changed(self, method: str, path: str, change: Change) -> Handler:
        status = 201 if method == "POST" else 200

        async def handler(request: Request) -> Response:
            made = await change(request)
            if made is None:
                return Response(status_code=204)
            query = Query(path=made.path, parameters={})
            document: dict[str, Any] = resource.single(made, query, self._views.find)
            return JSONResponse(document, status)

        return handler


def _readers(kind: str) -> Roles:
    return DEVELOPERS if kind in _SIGNING else READERS


def _query(request: Request) -> Query:
    return Query(path=request.url.path, parameters=dict(request.query_params))
