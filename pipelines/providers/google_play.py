"""Google Play's Developer API, as far as a delivery needs it: what users have, and edits that bring a bundle to a track.

Refusals are distinguished by their words alone: most are HTTP 400, and what is wrong with a bundle or a release comes as 403 too.
Sources: developers.google.com/android-publisher/api-ref/rest (edits, edits.bundles, edits.tracks, applications.tracks.releases);
for uploads in pieces developers.google.com/android-publisher/upload.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import CredentialsError, ProviderError, ProviderUnavailable
from pipelines.providers.google_api import GoogleApi, GoogleRefused

if TYPE_CHECKING:
    import requests

    from pipelines.http import Http

ROOT = "https://androidpublisher.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/androidpublisher"
PIECE = 8 * 1024 * 1024
"""Bytes that are sent at once: of memory, and of what a broken connection costs. A multiple of 256 KiB, as Google asks for."""
BREAKS = 10
"""How often an upload may break before it is given up; each goes on where the one before ended."""
_OVERTAKEN = (
    "made to the application outside of this Edit",
    "has been deleted",
    "has expired",
    "already been successfully committed",
)
_DRAFT_APP = "Only releases with status draft"
_ASK_A_PERSON = "cannot be sent for review automatically"
_IN_REVIEW = "already in review"
_USED = "has already been used"
_NOT_ALLOWED = "caller does not have permission"
_NOT_ENABLED = "has not been used in project"


class PlayRefused(GoogleRefused):
    """Play refused, and not because of who we are."""

    def _says(self, *words: str) -> bool:
        return any(word in self.message for word in words)

    @property
    def overtaken(self) -> bool:
        """The edit is void: a commit or someone in the console was faster, or it is too old. All of it must be made again."""
        return self._says(*_OVERTAKEN) or (self.status == 404 and "Edit" in self.message)

    @property
    def draft_app(self) -> bool:
        """The app was never released: it takes drafts alone, which a person must roll out in the console."""
        return self._says(_DRAFT_APP)

    @property
    def needs_a_person(self) -> bool:
        """After a rejection, say: the changes wait until someone sends them for review in the console."""
        return self._says(_ASK_A_PERSON)

    @property
    def in_review(self) -> bool:
        """Earlier changes are in review. The edit stays as it is, and can be committed later."""
        return self._says(_IN_REVIEW)

    @property
    def number_used(self) -> bool:
        return self._says(_USED)


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A bundle that Play holds."""

    number: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Released:
    """A release of a track, as users have it."""

    name: str
    numbers: tuple[int, ...]
    state: str
    """DRAFT, NOT_SENT_FOR_REVIEW, IN_REVIEW, APPROVED_NOT_PUBLISHED, NOT_APPROVED, PUBLISHED"""


@dataclass(frozen=True, kw_only=True)
class Committed:
    """A release of a track as it was committed, which users may not have yet."""

    raw: Mapping[str, Any]
    """All of it, as Play writes it."""

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(int(code) for code in self.raw.get("versionCodes", []))

    @property
    def name(self) -> str:
        return str(self.raw.get("name", ""))

    @property
    def status(self) -> str:
        """draft, inProgress, halted or completed."""
        return str(self.raw.get("status", ""))

    @property
    def percent(self) -> float:
        """Of users who get it, or got it before it was halted. A draft is nobody's."""
        if self.status == "completed":
            return 100.0
        return round(100 * float(self.raw.get("userFraction") or 0), 6)

    def rolled_out(self, status: str, percent: float) -> dict[str, Any]:
        """The same release with another status, for `put`. 100 per cent is `completed`, which has no fraction."""
        kept = {name: value for name, value in self.raw.items() if name not in ("status", "userFraction")}
        if status == "inProgress" and percent >= 100:
            return {**kept, "status": "completed"}
        return {**kept, "status": status, "userFraction": percent / 100}


class PlayApi(GoogleApi):
    """Its refusals are Play's own: what is wrong with a bundle or a release comes as 403 too."""

    provider = "Google Play"
    refused = PlayRefused

    def forbidden(self, code: str, message: str, where: str) -> CredentialsError | None:
        if code and _NOT_ALLOWED not in message and _NOT_ENABLED not in message:
            return None
        return CredentialsError(
            f"Google Play refuses: {message}",
            where=where,
            why="the service account is no user of the Play Console, or lacks a right for this app, or its project has not enabled the API",
            next_step="Play Console → Users and permissions → invite the account of `mobile/android/service_account` and let it release "
            "this app; it can take a day until that counts",
        )


class Play:
    """One app. `token` gives an access token with `SCOPE`."""

    def __init__(self, http: Http, token: Callable[[], str], package: str) -> None:
        self._http = http
        self._api = PlayApi(http, token, ROOT)
        self.package = package
        self._app = f"/androidpublisher/v3/applications/{package}"

    def released(self, track: str) -> list[Released]:
        """What a track has, without the obsolete ones. Needs no edit, and disturbs none."""
        listed = self._call("GET", f"{self._app}/tracks/{track}/releases").get("releases", [])
        return [
            Released(
                name=str(each.get("releaseName", "")),
                numbers=tuple(int(one["versionCode"]) for one in each.get("activeArtifacts", [])),
                state=str(each.get("releaseLifecycleState", "")).removeprefix("RELEASE_LIFECYCLE_STATE_"),
            )
            for each in listed
        ]

    def open(self) -> str:
        """A new edit; its id. An open edit of the same account is void from then on."""
        return str(self._call("POST", f"{self._app}/edits", body={})["id"])

    def drop(self, edit: str) -> None:
        """Give an edit up; one that is void already is no error."""
        try:
            self._call("DELETE", f"{self._app}/edits/{edit}")
        except PlayRefused as error:
            if not error.overtaken:
                raise

    def bundles(self, edit: str) -> list[Bundle]:
        """The current ones: Play does not tell every number it ever saw."""
        listed = self._call("GET", f"{self._app}/edits/{edit}/bundles").get("bundles", [])
        return [Bundle(number=int(each["versionCode"]), sha256=str(each["sha256"])) for each in listed]

    def numbers(self, edit: str) -> set[int]:
        """Every build number that Play shows: of current bundles, and of the releases of all tracks."""
        found = {each.number for each in self.bundles(edit)}
        for track in self._call("GET", f"{self._app}/edits/{edit}/tracks").get("tracks", []):
            for release in track.get("releases", []):
                found |= {int(code) for code in release.get("versionCodes", [])}
        return found

    def committed(self, edit: str, track: str) -> dict[int, str]:
        """Of a track, what was committed, drafts too: number -> draft, inProgress, halted or completed."""
        return {code: each.status for each in self.releases(edit, track) for code in each.numbers}

    def releases(self, edit: str, track: str) -> list[Committed]:
        """Of a track, all that was committed. PlayRefused where there is no such track."""
        found = self._call("GET", f"{self._app}/edits/{edit}/tracks/{track}").get("releases", [])
        return [Committed(raw=each) for each in found]

    def put(self, edit: str, track: str, release: Mapping[str, Any]) -> None:
        """What a track shall have. A completed release that is there stays until this one is completed, too."""
        body = {"track": track, "releases": [dict(release)]}
        self._call("PUT", f"{self._app}/edits/{edit}/tracks/{track}", body=body)

    def commit(self, edit: str, *, sent_by_a_person: bool = False) -> None:
        """Make it so. A review that is under way is never cancelled: PlayRefused (`in_review`) then.

        `sent_by_a_person`: the changes are not sent for review; only after Play asked for it (`needs_a_person`).
        """
        query = {"changesInReviewBehavior": "ERROR_IF_IN_REVIEW"}
        if sent_by_a_person:
            query["changesNotSentForReview"] = "true"
        self._call("POST", f"{self._app}/edits/{edit}:commit", params=query)

    def upload(self, edit: str, file: Path, progress: Callable[[int, int], None] = lambda sent, size: None) -> Bundle:
        """Bring a bundle into an edit, in pieces; `progress` is called with bytes sent and bytes in all.

        Raises PlayRefused, CredentialsError, ProviderUnavailable when it broke too often.
        """
        size, session = file.stat().st_size, self._session(edit, file.stat().st_size)
        sent, breaks = 0, 0
        with file.open("rb") as stream:
            while True:
                stream.seek(sent)
                try:
                    answer = self._send(session, stream.read(PIECE), sent, size)
                except ProviderUnavailable:
                    breaks += 1
                    if breaks > BREAKS:
                        raise
                    answer = self._send(session, b"", size, size, asking=True)
                if answer.status_code == 200:
                    found = answer.json()
                    return Bundle(number=int(found["versionCode"]), sha256=str(found["sha256"]))
                sent = _received(answer)
                progress(sent, size)

    def _session(self, edit: str, size: int) -> str:
        """Where the pieces go: an address that is its own credential."""
        path = f"/upload{self._app}/edits/{edit}/bundles"
        headers = {"X-Upload-Content-Type": "application/octet-stream", "X-Upload-Content-Length": str(size)}
        answer = self._api.answer(
            "POST", path, params={"uploadType": "resumable"}, headers=headers, data=b"", ok=(200,)
        )
        if "Location" not in answer.headers:
            raise ProviderError(
                "the answer does not say where the bundle goes",
                where=self._api.where("POST", path),
                next_step="run this again: nothing was sent",
            )
        return str(answer.headers["Location"])

    def _send(self, session: str, piece: bytes, begin: int, size: int, *, asking: bool = False) -> requests.Response:
        """One piece, or nothing but the question how much arrived. 200: all; 308: so much (the header Range)."""
        at = f"bytes */{size}" if asking else f"bytes {begin}-{begin + len(piece) - 1}/{size}"
        answer = self._http.request(
            "PUT",
            session,
            data=piece,
            headers={"Content-Range": at, "Content-Type": "application/octet-stream"},
            retry=asking,  # a piece is not sent again before asking what of it arrived
            allow_redirects=False,
        )
        if answer.status_code not in (200, 308):
            raise self._api.refusal(answer, "Google Play, upload of a bundle")
        return answer

    def _call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        return self._api.call(method, path, **request) or {}


def digest(file: Path) -> str:
    """SHA-256 of a file as Play writes it: hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _received(answer: requests.Response) -> int:
    """Bytes that arrived, by the header `Range: bytes=0-N`; none when there is no such header."""
    given = answer.headers.get("Range", "")
    return int(given.rpartition("-")[2]) + 1 if given else 0
