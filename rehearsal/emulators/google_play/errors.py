"""Refusals in Google Play's own words.

The Developer API keeps the older form of Google's errors, with `errors[]` beside `status`. Sentences and codes are those
that people quote in public threads, named beside each; where none is named, code and sentence are general knowledge.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ExceptionHandler

from rehearsal.emulators import refusal
from rehearsal.emulators.google.errors import GoogleError
from rehearsal.emulators.refusal import Refusal

_STATUSES = {
    # google.rpc.Code -> (HTTP status, reason in errors[])
    "INVALID_ARGUMENT": (400, "badRequest"),
    "FAILED_PRECONDITION": (400, "failedPrecondition"),
    "UNAUTHENTICATED": (401, "authError"),
    "PERMISSION_DENIED": (403, "forbidden"),
    "NOT_FOUND": (404, "notFound"),
    "RESOURCE_EXHAUSTED": (429, "rateLimitExceeded"),
    "UNIMPLEMENTED": (501, "notImplemented"),
}


class PlayError(Refusal):
    """An answer of the Developer API that is a refusal; `status` is a google.rpc.Code name."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def response(self) -> Response:
        """The error as an HTTP answer."""
        code, reason = _STATUSES[self.status]
        one = {"message": self.message, "domain": "global", "reason": reason}
        body: dict[str, Any] = {"code": code, "message": self.message, "errors": [one], "status": self.status}
        return JSONResponse({"error": body}, status_code=code)


def bad_request(message: str) -> PlayError:
    return PlayError("INVALID_ARGUMENT", message)


def forbidden(message: str) -> PlayError:
    """What Play found wrong in a bundle or a release travels as 403 too, not only a lack of permission."""
    return PlayError("PERMISSION_DENIED", message)


# -- who asks


def no_permission() -> PlayError:
    """Triple-T/gradle-play-publisher#805, r0adkll/upload-google-play#98."""
    return forbidden("The caller does not have permission")


def package_not_found(package: str) -> PlayError:
    """bitrise-steplib/steps-google-play-deploy#84: also for an app whose first upload was not made by hand."""
    return PlayError("NOT_FOUND", f"Package not found: {package}.")


def quota_exceeded() -> PlayError:
    """The limit by the minute; Triple-T/gradle-play-publisher#1036 shows the words, with the older code 403."""
    return PlayError(
        "RESOURCE_EXHAUSTED",
        "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of service "
        "'androidpublisher.googleapis.com' for consumer 'project_number:100000000001'.",
    )


# -- edits


def edit_not_found() -> PlayError:
    return PlayError("NOT_FOUND", "Edit not found.")


def edit_deleted() -> PlayError:
    """Triple-T/gradle-play-publisher#998; the same was 410 `editDeleted` until 2020 (#811)."""
    return bad_request("This Edit has been deleted.")


def edit_committed() -> PlayError:
    """fastforgedev/fastforge#214."""
    return bad_request("This edit has already been successfully committed, please create a new Edit.")


def edit_expired() -> PlayError:
    """tramlinehq/tramline#335; status as in SovranBitcoin/Sovran#260."""
    return PlayError("FAILED_PRECONDITION", "This edit has expired, please create a new Edit.")


def edit_overtaken() -> PlayError:
    """Triple-T/gradle-play-publisher#910; kiwix's release script looks for these words."""
    return bad_request("A change was made to the application outside of this Edit, please create a new edit.")


def in_review() -> PlayError:
    """For ERROR_IF_IN_REVIEW. The description says only that there is an error: the words are ours."""
    return PlayError("FAILED_PRECONDITION", "There are changes already in review. The edit was not committed.")


def must_not_be_sent() -> PlayError:
    """Triple-T/gradle-play-publisher#956, keymanapp/keyman#6216: after a rejection."""
    return bad_request(
        "Changes cannot be sent for review automatically. Please set the query parameter changesNotSentForReview to "
        "true. Once committed, the changes in this edit can be sent for review from the Google Play Console UI."
    )


def are_sent_automatically() -> PlayError:
    """Triple-T/gradle-play-publisher#970 (also on a draft app), pathorsAI/parley#388."""
    return bad_request(
        "Changes are sent for review automatically. The query parameter changesNotSentForReview must not be set."
    )


# -- bundles


def not_a_bundle() -> PlayError:
    """Triple-T/gradle-play-publisher#900."""
    return forbidden(
        "We have failed to run 'bundletool build-apks' on this Android App Bundle. Please ensure your bundle is valid "
        "by running 'bundletool build-apks' locally and try again."
    )


def wrong_package() -> PlayError:
    """bitrise-steplib/steps-google-play-deploy#113: it says APK of bundles too."""
    return forbidden("APK has the wrong package name.")


def not_signed() -> PlayError:
    """PatilShreyas/AndroidFastlaneCICD#3."""
    return forbidden("The Android App Bundle was not signed. Please sign the bundle using jarsigner.")


def wrong_key(found: str, expected: str) -> PlayError:
    """Triple-T/gradle-play-publisher#896, expo/eas-cli#2246."""
    return forbidden(
        f"The Android App Bundle was signed with the wrong key. Found: SHA1: {found}, expected: SHA1: {expected}"
    )


def already_used(version_code: int) -> PlayError:
    """fastlane/fastlane#21642, whether or not the number is in any track."""
    return forbidden(f"Version code {version_code} has already been used.")


def too_high(version_code: int, highest: int) -> PlayError:
    """The limit is Android's documented one (developer.android.com/studio/publish/versioning)."""
    return forbidden(f"Version code {version_code} is too high: the greatest that is allowed is {highest}.")


def media_type(sent: str) -> PlayError:
    """The media types are those of the description."""
    return bad_request(f"Media type '{sent}' is not supported. Valid media types: [application/octet-stream]")


# -- tracks and releases


def track_not_found() -> PlayError:
    """fastlane/fastlane#16159."""
    return PlayError("NOT_FOUND", "Track not found.")


def too_many(kind: str) -> PlayError:
    """`completed`: fastlane/fastlane#15772; `staged`: fastlane/fastlane#29134."""
    return bad_request(f"Too many {kind} releases specified.")


def fraction_too_high() -> PlayError:
    """Triple-T/gradle-play-publisher#884 and #927."""
    return bad_request("User fraction must be lower than one.")


def fraction_too_low() -> PlayError:
    return bad_request("User fraction must be greater than zero.")


def fraction_missing() -> PlayError:
    return bad_request("IN_PROGRESS release must have fraction")


def fraction_unwanted(status: str) -> PlayError:
    """DRAFT: r0adkll/upload-google-play#139; COMPLETED: astraedus/nudge#16."""
    return bad_request(f"{status.upper()} release must not have fraction")


def draft_app() -> PlayError:
    """fastlane/fastlane#15693; `edits:validate` says it too."""
    return bad_request("Only releases with status draft may be created on draft app.")


def codes_not_found(version_codes: Iterable[int]) -> PlayError:
    """googleapis/google-api-python-client#1944: given by validate and commit, not by the update of the track."""
    listed = ", ".join(str(code) for code in version_codes)
    return forbidden(f"The following APK version codes could not be found: {listed}")


def no_upgrade() -> PlayError:
    """Triple-T/gradle-play-publisher#1060, bitrise-steplib/steps-google-play-deploy#60."""
    return forbidden(
        "You cannot rollout this release because it does not allow any existing users to upgrade to the newly added APKs."
    )


def notes_too_long(language: str, length: int, longest: int) -> PlayError:
    """keymanapp/keyman#5533, given by commit."""
    return forbidden(
        f"The release created has notes in language {language} with length {length}, which is too long (max: {longest})."
    )


def exception_handlers() -> dict[Any, ExceptionHandler]:
    """For `Starlette(exception_handlers=...)`: refusals, what `Authorise` raises, and routing's own 404 and 405."""

    async def google(_request: Request, error: Exception) -> Response:
        if not isinstance(error, GoogleError):
            raise error
        known = error.status in _STATUSES
        return PlayError(error.status, error.message).response() if known else error.response()

    return {**refusal.exception_handlers(_not_routed), GoogleError: google}


def _not_routed(request: Request, error: HTTPException) -> Response:
    message = f"No method answers {request.method} {request.url.path}."
    return PlayError("NOT_FOUND" if error.status_code == 404 else "UNIMPLEMENTED", message).response()
