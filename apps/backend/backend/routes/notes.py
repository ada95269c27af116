"""/notes: list, add, read, delete, search."""

from __future__ import annotations

import json
from uuid import UUID

from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from backend.answers import Refusal
from backend.jobs import Job
from backend.logs import Log
from backend.notes import PAGE, NoteRefusedError, checked
from backend.services import Services, services_of
from backend.worker import SUMMARISE

_BODY_LIMIT = 64 * 1024
_log = Log("backend.notes")


async def list_notes(request: Request) -> Response:
    """GET /notes?limit=&before=: newest first; `next` is the `before` of the following page, or null."""
    limit = _limit(request, default=PAGE)
    before = _identifier(request.query_params["before"]) if "before" in request.query_params else None
    notes = await services_of(request).notes.newest(limit=limit, before=before)
    following = str(notes[-1].id) if len(notes) == limit else None
    return JSONResponse({"notes": [note.as_json() for note in notes], "next": following})


async def add_note(request: Request) -> Response:
    """POST /notes {"text": …}: 201 with the note, which can be found at once; its summary follows."""
    services = services_of(request)
    text = await _text(request)
    try:
        note = await services.notes.add(text)
    except NoteRefusedError as error:
        raise Refusal(400, str(error)) from error
    await services.cache.clear()
    await _ask_for_summary(services, note.id)
    return JSONResponse(note.as_json(), status_code=201, headers={"Location": f"/notes/{note.id}"})


async def get_note(request: Request) -> Response:
    """GET /notes/{id}."""
    identifier = _identifier(request.path_params["id"])
    note = await services_of(request).notes.get(identifier)
    if note is None:
        raise _no_such_note(identifier)
    return JSONResponse(note.as_json())


async def delete_note(request: Request) -> Response:
    """DELETE /notes/{id}: 204."""
    services = services_of(request)
    identifier = _identifier(request.path_params["id"])
    if not await services.notes.remove(identifier):
        raise _no_such_note(identifier)
    await services.cache.clear()
    return Response(status_code=204)


async def search_notes(request: Request) -> Response:
    """GET /notes/search?q=&limit=: nearest in meaning first, each with its score; X-Cache says hit or miss."""
    services = services_of(request)
    limit = _limit(request, default=10)
    try:
        query = checked(request.query_params.get("q", ""))
    except NoteRefusedError as error:
        raise Refusal(400, f"q: {error}") from error
    key = await services.cache.key(query, limit)
    kept = await services.cache.get(key)
    if kept is not None:
        return _results(query, kept, cache="hit")
    answer = [match.as_json() for match in await services.notes.search(query, limit=limit)]
    await services.cache.put(key, answer)
    return _results(query, answer, cache="miss")


def _results(query: str, results: list[dict[str, object]], *, cache: str) -> Response:
    return JSONResponse({"query": query, "results": results}, headers={"X-Cache": cache})


async def _ask_for_summary(services: Services, note: UUID) -> None:
    try:
        await services.queue.add(Job(kind=SUMMARISE, note=note))
    except RedisError as error:
        # The note is stored; a summary is not worth failing for.
        _log.warn("no summary asked for: the queue is away", error=error, note=str(note))


async def _text(request: Request) -> str:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Refusal(415, "Send the note as application/json.")
    try:
        body = json.loads(await _body(request))
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "The body is not JSON.") from error
    text = body.get("text") if isinstance(body, dict) else None
    if not isinstance(text, str):
        raise Refusal(400, 'The body must be {"text": "…"}.')
    return text


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_LIMIT:
            raise Refusal(413, f"The body may have at most {_BODY_LIMIT // 1024} KB.")
    return bytes(body)


def _limit(request: Request, *, default: int) -> int:
    value = request.query_params.get("limit", str(default))
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:4]) <= 100 and len(value) <= 3):
        raise Refusal(400, "limit: a whole number from 1 to 100.")
    return int(value)


def _identifier(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Refusal(404, "There is no such note: its id is not a UUID.") from error


def _no_such_note(identifier: UUID) -> Refusal:
    return Refusal(404, f"There is no note {identifier}.")


ROUTES: list[BaseRoute] = [
    Route("/notes", list_notes, methods=["GET"]),
    Route("/notes", add_note, methods=["POST"]),
    Route("/notes/search", search_notes, methods=["GET"]),
    Route("/notes/{id}", get_note, methods=["GET"]),
    Route("/notes/{id}", delete_note, methods=["DELETE"]),
]
