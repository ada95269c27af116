"""HTTP of the emulator's hosts: the wire of the rehearsal's eas, files of builds, and what devices ask.

The wire is the rehearsal's own (rehearsal/eas/api.py): EAS speaks GraphQL, whose schema no package carries.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from rehearsal.emulators.eas import builds, errors, updates, views
from rehearsal.emulators.eas.state import Account, Build, Update
from rehearsal.emulators.refusal import bearer, exception_handlers

Operation = Callable[..., Any]
_BOUNDARY = "eas-update"


def app(account: Account) -> Starlette:
    """The hosts of one account."""
    wire, files = _Wire(account), _Files(account)
    return Starlette(
        routes=[
            Route("/rehearsal/upload-project", wire.upload, methods=["POST"]),
            Route("/rehearsal/{operation}", wire.act, methods=["POST"]),
            Route("/artifacts/eas/{name}", files.artifact, methods=["GET"]),
            Route("/stored/{name}", files.stored, methods=["GET"]),
            Route("/logs/{name}", files.log, methods=["GET"]),
            Route("/update/{update}", files.update, methods=["GET"]),
            Route("/{project}", files.manifest, methods=["GET"]),
        ],
        exception_handlers=exception_handlers(),
    )


class _Wire:
    def __init__(self, account: Account) -> None:
        self._account = account
        self._known: Mapping[str, Operation] = {
            "actor": lambda: views.robot(account),
            "project": lambda project: views.project(account.project(project)),
            "start-build": self._start_build,
            "builds": self._builds,
            "build": lambda build: views.build(account, account.build(build)),
            "cancel-build": self._cancel_build,
            "channels": self._channels,
            "channel": self._channel,
            "branch": self._branch,
            "branch-of-channel": self._branch_of_channel,
            "groups": self._groups,
            "group": lambda group: self._updates(updates.group(account, group)),
            "update": self._update,
            "publish": self._publish,
            "set-percentage": self._set_percentage,
            "delete-group": self._delete_group,
            "insights": self._insights,
        }

    async def upload(self, request: Request) -> Response:
        self._admit(request)
        return JSONResponse({"id": builds.save_upload(self._account, await request.body())})

    async def act(self, request: Request) -> Response:
        self._admit(request)
        operation = self._known.get(request.path_params["operation"])
        if operation is None:
            raise errors.invalid(f"no operation {request.path_params['operation']!r}")
        try:
            fields: dict[str, Any] = await request.json()
            return JSONResponse(operation(**fields))
        except (TypeError, ValueError, KeyError) as error:
            raise errors.invalid(str(error)) from error

    def _admit(self, request: Request) -> None:
        self._account.admit(bearer(request) or "")

    def _start_build(self, **order: Any) -> dict[str, Any]:
        return views.build(self._account, builds.start(self._account, builds.Order(**order)))

    def _builds(self, project: str, offset: int, limit: int, **wanted: str) -> list[dict[str, Any]]:
        self._account.project(project)
        newest = reversed(self._account.builds.values())
        shown = [views.build(self._account, one) for one in newest if one.project == project and _named(one, wanted)]
        status = wanted.get("status")
        return [one for one in shown if status in (None, one["status"])][offset : offset + limit]

    def _cancel_build(self, build: str) -> dict[str, Any]:
        found = self._account.build(build)
        builds.cancel(self._account, found)
        return {"id": found.id, "status": builds.status(self._account, found)}

    def _channels(self, project: str, offset: int, limit: int) -> list[dict[str, Any]]:
        self._account.project(project)
        found = [one for one in self._account.channels.values() if one.project == project]
        return [views.channel(self._account, one) for one in found][offset : offset + limit]

    def _channel(self, project: str, name: str) -> dict[str, Any]:
        return views.channel(self._account, updates.channel(self._account, project, name, make=False))

    def _branch(self, project: str, name: str, make: bool) -> dict[str, Any]:
        found = updates.branch(self._account, project, name, make=make)
        return {"id": found.id, "name": found.name}

    def _branch_of_channel(self, project: str, name: str) -> dict[str, Any]:
        found = self._account.branches[updates.channel(self._account, project, name).branch]
        return {"id": found.id, "name": found.name}

    def _groups(
        self, project: str, offset: int, limit: int, branch: str | None, runtime: str | None, platform: str | None
    ) -> list[list[dict[str, Any]]]:
        names = [branch] if branch else [one.name for one in self._account.branches.values() if one.project == project]
        held = [updates.branch(self._account, project, name).id for name in names]
        found = [
            update
            for update in reversed(self._account.updates.values())
            if update.branch in held and runtime in (None, update.runtime) and platform in (None, update.platform)
        ]
        return [self._updates(group) for group in updates.groups(found)[offset : offset + limit]]

    def _update(self, update: str) -> dict[str, Any]:
        if update not in self._account.updates:
            raise errors.not_found(f'Could not find update with ID: "{update}"')
        return views.update(self._account, self._account.updates[update])

    def _publish(self, branch: str, pieces: list[dict[str, Any]], about: dict[str, Any]) -> list[dict[str, Any]]:
        return self._updates(updates.publish(self._account, branch, updates.pieces(pieces), updates.About(**about)))

    def _set_percentage(self, update: str, percentage: int) -> dict[str, Any]:
        return views.update(self._account, updates.set_percentage(self._account, update, percentage))

    def _delete_group(self, group: str) -> dict[str, Any]:
        updates.delete_group(self._account, group)
        return {"state": "SUCCESS"}

    def _insights(self, group: str, start: str, end: str) -> list[dict[str, Any]]:
        found = updates.group(self._account, group)
        return views.insights(self._account, found, _seconds(start), _seconds(end))

    def _updates(self, found: list[Update]) -> list[dict[str, Any]]:
        return [views.update(self._account, one) for one in found]


class _Files:
    def __init__(self, account: Account) -> None:
        self._account = account

    async def artifact(self, request: Request) -> Response:
        """expo.dev sends on to where the file lies."""
        self._content(request)
        return RedirectResponse(f"https://{views.STORAGE}/stored/{request.path_params['name']}", 302)

    async def stored(self, request: Request) -> Response:
        return Response(self._content(request), media_type="application/octet-stream")

    async def log(self, request: Request) -> Response:
        build = self._account.builds.get(request.path_params["name"].removesuffix(".txt").removesuffix("-xcode"))
        if build is None or not views.build(self._account, build)["logFiles"]:
            raise HTTPException(404)
        return Response(builds.log(self._account, build), media_type="text/plain")

    async def update(self, request: Request) -> Response:
        found = self._account.updates.get(request.path_params["update"])
        return Response(status_code=404) if found is None else _manifest(found)

    async def manifest(self, request: Request) -> Response:
        """docs.expo.dev/technical-specs/expo-updates-1: nothing new is a 204."""
        headers = request.headers
        try:
            line = updates.channel(
                self._account, request.path_params["project"], headers.get("expo-channel-name", ""), make=False
            )
        except errors.EasError as refused:
            raise HTTPException(404) from refused
        found = updates.served(
            self._account,
            line,
            headers.get("expo-platform", ""),
            headers.get("expo-runtime-version", ""),
            headers.get("eas-client-id", ""),
        )
        return Response(status_code=204) if found is None else _manifest(found)

    def _content(self, request: Request) -> bytes:
        identifier, _, extension = request.path_params["name"].partition(".")
        build = self._account.builds.get(identifier)
        content = builds.artifact(self._account, build) if build else None
        if build is None or content is None or builds.EXTENSIONS[build.platform] != extension:
            raise HTTPException(404)
        return content


def _manifest(update: Update) -> Response:
    if update.embedded:
        kind, part = (
            "directive",
            {"type": "rollBackToEmbedded", "parameters": {"commitTime": views.moment(update.created)}},
        )
    else:
        made = {"id": update.id, "createdAt": views.moment(update.created), "runtimeVersion": update.runtime}
        kind, part = "manifest", {**made, **json.loads(update.manifest)}
    head = f'--{_BOUNDARY}\r\ncontent-disposition: form-data; name="{kind}"\r\ncontent-type: application/json\r\n\r\n'
    body = f"{head}{json.dumps(part)}\r\n--{_BOUNDARY}--\r\n"
    return Response(body, headers={"expo-protocol-version": "1"}, media_type=f"multipart/mixed; boundary={_BOUNDARY}")


def _named(build: Build, wanted: Mapping[str, str]) -> bool:
    held = {
        "platform": build.platform,
        "distribution": build.distribution.lower(),
        "channel": build.channel,
        "app-version": build.version,
        "app-build-version": build.number,
        "runtime-version": build.runtime,
        "app-identifier": build.identifier,
        "build-profile": build.profile,
        "git-commit-hash": build.commit,
        "fingerprint-hash": build.fingerprint,
    }
    return all(held[name] == value for name, value in wanted.items() if name != "status")


def _seconds(moment: str) -> float:
    read = datetime.datetime.fromisoformat(moment)
    return (read if read.tzinfo else read.replace(tzinfo=datetime.UTC)).timestamp()
