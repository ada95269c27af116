"""The world's own port: set faults, read the journal and the violations, cause events at the providers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.contracts.middleware import Violation
from rehearsal.faults import BadFault, Fault, Faults
from rehearsal.journal import Journal


def control_app(faults: Faults, journal: Journal, violations: list[Violation]) -> Starlette:
    """`/_world/faults` (GET, POST, DELETE), `/_world/faults/{number}` (DELETE), `/_world/journal`, `/_world/violations`.

    POST takes one fault or a list of them, as `Fault` has the fields. `/_world/journal?emulator=&after=` pages by the
    entries' numbers. DELETE on a collection empties it.
    """
    return Starlette(
        routes=[
            Route("/_world/faults", _FaultsEndpoint(faults).answer, methods=["GET", "POST", "DELETE"]),
            Route("/_world/faults/{number:int}", _FaultsEndpoint(faults).remove, methods=["DELETE"]),
            Route("/_world/journal", _JournalEndpoint(journal).answer, methods=["GET", "DELETE"]),
            Route("/_world/violations", _ViolationsEndpoint(violations).answer, methods=["GET", "DELETE"]),
        ]
    )


def emulator_route(name: str, control: object) -> Route:
    """`POST /_control/<emulator>/<method of its control>` with the arguments as JSON: 204; 404 for a method that it does not have, 422
    with what is wrong."""

    async def act(request: Request) -> Response:
        action = request.path_params["action"]
        method: Callable[..., None] | None = None if action.startswith("_") else getattr(control, action, None)
        if method is None:
            return JSONResponse({"message": f"{name} has no control {action!r}"}, 404)
        try:
            method(**await request.json())
        except Exception as error:
            return JSONResponse({"message": f"{action}: {error}"}, 422)
        return Response(status_code=204)

    return Route(f"/_control/{name}/{{action}}", act, methods=["POST"])


class _FaultsEndpoint:
    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    async def answer(self, request: Request) -> Response:
        if request.method == "POST":
            return await self._add(request)
        if request.method == "DELETE":
            self._faults.clear()
        return JSONResponse(self._faults.as_json())

    async def _add(self, request: Request) -> Response:
        try:
            sent: Any = await request.json()
            wanted = [Fault.from_json(one) for one in (sent if isinstance(sent, list) else [sent])]
        except ValueError as error:
            return JSONResponse({"message": f"not a fault: {error}"}, 422 if isinstance(error, BadFault) else 400)
        return JSONResponse([asdict(self._faults.add(fault)) for fault in wanted], 201)

    async def remove(self, request: Request) -> Response:
        number = request.path_params["number"]
        if not self._faults.remove(number):
            return JSONResponse({"message": f"no fault {number} is in force"}, 404)
        return Response(status_code=204)


class _JournalEndpoint:
    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def answer(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._journal.clear()
        after = request.query_params.get("after", "0")
        if not after.isdigit():
            return JSONResponse({"message": f"after: {after!r} is not the number of an entry"}, 422)
        return JSONResponse(self._journal.as_json(emulator=request.query_params.get("emulator"), after=int(after)))


class _ViolationsEndpoint:
    def __init__(self, violations: list[Violation]) -> None:
        self._violations = violations

    async def answer(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._violations.clear()
        return JSONResponse([{**asdict(violation), "text": violation.text} for violation in self._violations])
