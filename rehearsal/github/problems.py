"""Every way to say no, in the bodies GitHub uses."""

from __future__ import annotations

from typing import Any

DOCUMENTATION = "https://docs.github.com/rest"


class Problem(Exception):
    """An answer other than success: status, message and, for 422, the fields at fault."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: list[Any] | None = None,
        headers: dict[str, str] | None = None,
        documentation: str = DOCUMENTATION,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = headers or {}
        self.documentation = documentation

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "message": self.message,
            "documentation_url": self.documentation,
            "status": str(self.status),
        }
        if self.errors is not None:
            body["errors"] = self.errors
        return body


def not_found() -> Problem:
    """Also the answer for what exists but must not be known to."""
    return Problem(404, "Not Found")


def bad_credentials() -> Problem:
    return Problem(401, "Bad credentials")


def forbidden(message: str, needed: str = "") -> Problem:
    """`needed` names the permission, as GitHub does in X-Accepted-GitHub-Permissions."""
    return Problem(403, message, headers={"X-Accepted-GitHub-Permissions": needed} if needed else None)


def invalid(resource: str, field: str, code: str = "invalid", message: str = "") -> Problem:
    """422 about one field; `code` is invalid, missing_field, already_exists or custom."""
    error = {"resource": resource, "code": code, "field": field}
    if message:
        error["message"] = message
    return Problem(422, "Validation Failed", errors=[error])


def custom(resource: str, message: str) -> Problem:
    """422 about a resource as a whole."""
    return Problem(422, "Validation Failed", errors=[{"resource": resource, "code": "custom", "message": message}])


def unprocessable(message: str) -> Problem:
    """422 without a field."""
    return Problem(422, message)


def conflict(message: str) -> Problem:
    return Problem(409, message)


def not_allowed(message: str) -> Problem:
    """405, GitHub's answer to a merge that rules forbid."""
    return Problem(405, message)
