"""Refusals, as GraphQL errors: `{"errors": [{"message", "extensions": {"errorCode"}}]}`.

Sentences are those of public threads where one is named; the others are general knowledge, and a client must not depend on them.
"""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from rehearsal.emulators.refusal import Refusal

_PERMISSION = (
    "You don't have the required permissions to perform this operation.\n\nThis can sometimes happen if you are logged in as "
    "incorrect user.\nRun eas whoami to check the username you are logged in as.\nRun eas login to change the account.\n\n"
    "Original error message: "
)
"""What eas-cli writes before an UNAUTHORIZED_ERROR."""


class EasError(Refusal):
    """A refusal."""

    def __init__(self, message: str, code: str, status: int = 200) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status

    def response(self) -> Response:
        """The refusal as HTTP."""
        body = {"errors": [{"message": self.message, "extensions": {"errorCode": self.code, "errorType": "USER"}}]}
        return JSONResponse(body, self.status)


def invalid_token() -> EasError:
    """Of a wrong token (expo/eas-cli#3528); that an expired one gets the same answer is general knowledge."""
    return EasError("The bearer token is invalid.", "AUTHENTICATION_ERROR", 401)


def not_yours(project: str) -> EasError:
    """An app of another account, or none: EAS answers both in the same way."""
    return EasError(
        f"{_PERMISSION}Entity not authorized: AppEntity[{project}] (viewer = RobotViewerContext, action = READ, ruleIndex = -1)",
        "UNAUTHORIZED_ERROR",
        403,
    )


def no_build(identifier: str) -> EasError:
    """General: asked for by id, a build that is not there is like one of another account."""
    return EasError(
        f"{_PERMISSION}Entity not authorized: TurtleBuildEntity[{identifier}] (viewer = RobotViewerContext, action = READ, "
        "ruleIndex = -1)",
        "UNAUTHORIZED_ERROR",
        403,
    )


def bad_upload(reason: str) -> EasError:
    """General."""
    return EasError(f"The project archive cannot be read: {reason}", "TURTLE_INVALID_ARCHIVE", 400)


def not_found(message: str) -> EasError:
    """What eas-cli itself says where EAS answers with nothing."""
    return EasError(message, "NOT_FOUND", 404)


def rolling_out(group: str, platform: str, runtime: str) -> EasError:
    """Publishing, also of roll-backs, is blocked during a roll-out (expo/eas-cli#4233 reports it without the sentence)."""
    return EasError(
        f"Cannot publish: the rollout of update group {group} for platform {platform} and runtime version {runtime} is in "
        "progress. Complete or revert it first.",
        "UPDATE_ROLLOUT_IN_PROGRESS",
        400,
    )


def only_raised(previous: int) -> EasError:
    """eas-cli asks before; its sentence."""
    return EasError(
        f"Rollout percentage must be greater than previous rollout percentage ({previous})", "VALIDATION_ERROR", 400
    )


def invalid(message: str) -> EasError:
    """General."""
    return EasError(message, "VALIDATION_ERROR", 400)
