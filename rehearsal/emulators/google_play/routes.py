"""HTTP of the Developer API (androidpublisher v3) and of the Reporting API (playdeveloperreporting v1beta1)."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from rehearsal.emulators.google.errors import GoogleError
from rehearsal.emulators.google.errors import exception_handlers as google_handlers
from rehearsal.emulators.google.wire import flag, json_body
from rehearsal.emulators.google_play import edits, errors, reviews, tracks, views, vitals
from rehearsal.emulators.google_play.access import Access
from rehearsal.emulators.google_play.account import Account
from rehearsal.emulators.google_play.media import Media
from rehearsal.emulators.google_play.state import (
    DRAFTS,
    PRODUCTION,
    QUALITY,
    TO_PRODUCTION,
    TO_TESTERS,
    VIEW,
    App,
    Edit,
)
from rehearsal.emulators.google_play.uploads import Uploads
from rehearsal.emulators.google_play.vitals import ANRS, CRASHES, MetricSet

_APPLICATION = "/androidpublisher/v3/applications/{package}"
_EDIT = f"{_APPLICATION}/edits/{{edit}}"
_RELEASING = (TO_TESTERS, TO_PRODUCTION, DRAFTS)
_BEHAVIORS = {
    "": False,
    "CHANGES_IN_REVIEW_BEHAVIOR_TYPE_UNSPECIFIED": False,
    "CANCEL_IN_REVIEW_AND_SUBMIT": False,
    "ERROR_IF_IN_REVIEW": True,
}


def app(account: Account, uploads: Uploads, access: Access) -> Starlette:
    """Both interfaces; a request's path says which it means."""
    api = _DeveloperApi(account, access)
    media = Media(uploads, access, api.releasing_as)
    bundles = f"{_EDIT}/bundles"
    return Starlette(
        routes=[
            Route(f"{_APPLICATION}/edits", api.insert, methods=["POST"]),
            Route(f"{_EDIT}:validate", api.validate, methods=["POST"]),
            Route(f"{_EDIT}:commit", api.commit, methods=["POST"]),
            Route(_EDIT, api.get, methods=["GET"]),
            Route(_EDIT, api.delete, methods=["DELETE"]),
            Route(bundles, api.bundles, methods=["GET"]),
            Route(f"{_EDIT}/tracks", api.tracks, methods=["GET"]),
            Route(f"{_EDIT}/tracks/{{track}}", api.track, methods=["GET"]),
            Route(f"{_EDIT}/tracks/{{track}}", api.update_track, methods=["PUT", "PATCH"]),
            Route(f"{_APPLICATION}/tracks/{{track}}/releases", api.releases, methods=["GET"]),
            *(
                route
                for before in ("/upload", "/resumable/upload")
                for route in (
                    Route(before + bundles, media.post, methods=["POST"]),
                    Route(before + bundles, media.put, methods=["PUT"]),
                )
            ),
            Mount("/v1beta1", app=_reporting_app(account, access)),
        ],
        exception_handlers=errors.exception_handlers(),
    )


class _DeveloperApi:
    def __init__(self, account: Account, access: Access) -> None:
        self._account = account
        self._access = access

    def releasing_as(self, request: Request, user: str) -> tuple[App, Edit]:
        """For a user who may release: the app, and the edit that can still be committed. Raises PlayError."""
        self._account.count()
        app = self._account.app(user, request.path_params["package"], *_RELEASING)
        return app, edits.found(self._account, app, request.path_params["edit"])

    def _releasing(self, request: Request) -> tuple[App, Edit]:
        return self.releasing_as(request, self._access.user(request))

    async def insert(self, request: Request) -> Response:
        app, user = self._app(request, VIEW, *_RELEASING)
        await json_body(request)
        return JSONResponse(views.edit(edits.opened(self._account, app, user)))

    async def get(self, request: Request) -> Response:
        return JSONResponse(views.edit(self._viewing(request)[1]))

    async def delete(self, request: Request) -> Response:
        app = self._app(request, VIEW, *_RELEASING)[0]
        edits.existing(self._account, app, request.path_params["edit"]).end = "deleted"
        return Response(status_code=204)

    async def validate(self, request: Request) -> Response:
        app, edit = self._releasing(request)
        edits.validate(app, edit)
        return JSONResponse(views.edit(edit))

    async def commit(self, request: Request) -> Response:
        app, edit = self._releasing(request)
        behavior = request.query_params.get("changesInReviewBehavior", "")
        edits.commit(
            self._account,
            app,
            edit,
            unsent=flag(request, "changesNotSentForReview"),
            error_if_in_review=_BEHAVIORS.get(behavior, False),
        )
        return JSONResponse(views.edit(edit))

    async def bundles(self, request: Request) -> Response:
        app, edit = self._viewing(request)
        return JSONResponse(views.bundles(edits.current_bundles(app, edit)))

    async def tracks(self, request: Request) -> Response:
        return JSONResponse(views.tracks(self._viewing(request)[1].tracks))

    async def track(self, request: Request) -> Response:
        edit, track = self._viewing(request)[1], request.path_params["track"]
        if track not in edit.tracks:
            raise errors.track_not_found()
        return JSONResponse(views.track(track, edit.tracks[track]))

    async def update_track(self, request: Request) -> Response:
        track = request.path_params["track"]
        app = self._app(request, *_needed(track))[0]
        edit = edits.found(self._account, app, request.path_params["edit"])
        body = await json_body(request)
        if track not in edit.tracks:
            raise errors.track_not_found()
        if body.get("track", track) != track:
            raise errors.bad_request("The track in the request's body is not the one in its address.")
        tracks.update(app, edit, track, body.get("releases", []), self._account.clock())
        return JSONResponse(views.track(track, edit.tracks[track]))

    async def releases(self, request: Request) -> Response:
        app, track = self._app(request, VIEW, *_RELEASING)[0], request.path_params["track"]
        if track not in app.tracks:
            raise errors.track_not_found()
        return JSONResponse(views.summaries(track, reviews.summaries(app, track)))

    def _viewing(self, request: Request) -> tuple[App, Edit]:
        app = self._app(request, VIEW, *_RELEASING)[0]
        return app, edits.found(self._account, app, request.path_params["edit"])

    def _app(self, request: Request, *one_of: str) -> tuple[App, str]:
        user = self._access.user(request)
        self._account.count()
        return self._account.app(user, request.path_params["package"], *one_of), user


def _needed(track: str) -> tuple[str, ...]:
    return (TO_PRODUCTION,) if track == PRODUCTION else (TO_TESTERS,)


def _reporting_app(account: Account, access: Access) -> Starlette:
    """The Reporting API has Google's newer form of errors, without `errors[]`."""
    routes = [
        route
        for metrics in (CRASHES, ANRS)
        for route in (
            Route(f"/apps/{{package}}/{metrics.resource}", _Metrics(account, access, metrics).get, methods=["GET"]),
            Route(
                f"/apps/{{package}}/{metrics.resource}:query",
                _Metrics(account, access, metrics).query,
                methods=["POST"],
            ),
        )
    ]
    return Starlette(routes=routes, exception_handlers=google_handlers())


class _Metrics:
    def __init__(self, account: Account, access: Access, metrics: MetricSet) -> None:
        self._account = account
        self._access = access
        self._metrics = metrics

    async def get(self, request: Request) -> Response:
        app = self._app(request)
        fresh = vitals.date_of(self._account.clock() - self._account.pace.vitals_lag)
        return JSONResponse(vitals.described(app.package, self._metrics, fresh))

    async def query(self, request: Request) -> Response:
        app = self._app(request)
        fresh = vitals.date_of(self._account.clock() - self._account.pace.vitals_lag)
        return JSONResponse(vitals.query(app.vitals, self._metrics, await json_body(request), fresh))

    def _app(self, request: Request) -> App:
        try:
            return self._account.app(self._access.user(request), request.path_params["package"], VIEW, QUALITY)
        except errors.PlayError as refused:
            raise GoogleError(refused.status, refused.message) from refused
