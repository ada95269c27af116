"""Refusals in Apple's form: `{"errors": [{id, status, code, title, detail, source}]}`.

Codes and sentences are those of public threads where one is named; Apple describes the form only. What no thread shows is
marked as general: a client must not depend on its wording.
"""

from __future__ import annotations

import uuid
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rehearsal.emulators.refusal import Refusal


class Refused(Refusal):
    """One refusal. `more` goes beside code, title and detail (`source`, `meta`)."""

    def __init__(self, status: int, code: str, title: str, detail: str, **more: Any) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.error = {"status": str(status), "code": code, "title": title, "detail": detail, **more}

    def response(self) -> Response:
        """The refusal as HTTP."""
        return JSONResponse({"errors": [{"id": str(uuid.uuid4()), **self.error}]}, self.status)


def unauthorized() -> Refused:
    """401 (egodigital/node-appstore-connect#3). Apple does not say what is wrong with a token."""
    return Refused(
        401,
        "NOT_AUTHORIZED",
        "Authentication credentials are missing or invalid.",
        "Provide a properly configured and signed bearer token, and make sure that it has not expired. "
        "Learn more about Generating Tokens for API Requests https://developer.apple.com/go/?id=api-generating-tokens",
    )


def forbidden() -> Refused:
    """403 of a key whose role is too small."""
    return Refused(
        403,
        "FORBIDDEN_ERROR",
        "This request is forbidden for security reasons",
        "The API key in use does not allow this request",
    )


def agreements_missing() -> Refused:
    """403 (aau-giraf/weekplanner-OLDUI#736, SharezoneApp/sharezone-app#1981)."""
    return Refused(
        403,
        "FORBIDDEN.REQUIRED_AGREEMENTS_MISSING_OR_EXPIRED",
        "A required agreement is missing or has expired.",
        "This request requires an in-effect agreement that has not been signed or has expired.",
    )


def too_many() -> Refused:
    """429 (AvdLee/appstoreconnect-swift-sdk#239)."""
    return Refused(
        429,
        "RATE_LIMIT_EXCEEDED",
        "The request rate limit has been reached.",
        "We've received too many requests for this API. Please wait and try again or slow down your request rate.",
    )


def not_found(kind: str, identifier: str) -> Refused:
    """404 (codemagic-ci-cd/cli-tools#346)."""
    return Refused(
        404,
        "NOT_FOUND",
        "The specified resource does not exist",
        f"There is no resource of type '{kind}' with id '{identifier}'",
    )


def required(name: str, where: str = "attributes") -> Refused:
    """409 (fastlane/fastlane#16645)."""
    kind = "ATTRIBUTE" if where == "attributes" else "RELATIONSHIP"
    return Refused(
        409,
        f"ENTITY_ERROR.{kind}.REQUIRED",
        f"The provided entity is missing a required {kind.lower()}",
        f"You must provide a value for the {kind.lower()} '{name}' with this request",
        source={"pointer": f"/data/{where}/{name}"},
    )


def used(name: str, detail: str, **meta: str) -> Refused:
    """409: an attribute whose value exists (tuist/tuist#7917, fastlane/fastlane#21888, rorkai/App-Store-Connect-CLI#2583)."""
    return Refused(
        409,
        "ENTITY_ERROR.ATTRIBUTE.INVALID.DUPLICATE",
        "The provided entity includes an attribute with a value that has already been used",
        detail,
        source={"pointer": f"/data/attributes/{name}"},
        **({"meta": meta} if meta else {}),
    )


def invalid(name: str, detail: str) -> Refused:
    """409: an attribute's value."""
    return Refused(
        409,
        "ENTITY_ERROR.ATTRIBUTE.INVALID",
        "The provided entity includes an attribute with an invalid value",
        detail,
        source={"pointer": f"/data/attributes/{name}"},
    )


def unrelated(name: str, detail: str) -> Refused:
    """409: a relationship's value (fastlane/fastlane#18794)."""
    return Refused(
        409,
        "ENTITY_ERROR.RELATIONSHIP.INVALID",
        "The provided entity includes a relationship with an invalid value",
        detail,
        source={"pointer": f"/data/relationships/{name}"},
    )


def wrong_state(detail: str, **more: Any) -> Refused:
    """409 of a state that does not allow it (the title: fastlane/fastlane#21482)."""
    return Refused(409, "STATE_ERROR", "Resource state invalid", detail, **more)


def unprocessable(title: str, detail: str, kind: str = "") -> Refused:
    """422."""
    return Refused(422, "ENTITY_UNPROCESSABLE" + (f".{kind}" if kind else ""), title, detail)


def parameter(name: str, detail: str) -> Refused:
    """400."""
    return Refused(
        400,
        "PARAMETER_ERROR.INVALID",
        "A parameter has an invalid value",
        detail,
        source={"parameter": name},
    )


def not_routed(request: Request, error: HTTPException) -> Response:
    """Of an unknown path, and of an operation a resource does not have (fastlane/fastlane#18408)."""
    resource = request.url.path.strip("/").split("/")[1:2] or [""]
    if error.status_code == 405:
        detail = f"The resource '{resource[0]}' does not allow '{request.method}'."
        return Refused(403, "FORBIDDEN_ERROR", "The given operation is not allowed", detail).response()
    detail = f"The resource '{resource[0]}' does not exist"
    return Refused(404, "PATH_ERROR", "The URL path is not valid", detail).response()
