"""App Store Connect, as far as a delivery needs it: builds and their uploads, and what TestFlight does with them.

Errors are distinguished by `code`; details are for people. A missing attribute and a null one are the same.
Sources: developer.apple.com/documentation/appstoreconnectapi (generating tokens, build uploads, builds, prerelease versions and beta
testers); what is not described there is named in docs/MOBILE.md with where it was seen.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import CredentialsError, ProviderError, ShipmateError
from pipelines.providers.api import Api, Query, Refused, body_text

if TYPE_CHECKING:
    import requests

    from pipelines.http import Http

ROOT = "https://api.appstoreconnect.apple.com"
TOKEN_SECONDS = 15 * 60
"""Life of a token; Apple takes 20 minutes at the most."""
_EARLY = 60
PAGES = 20
"""Of 200 each."""


class AppleRefused(Refused):
    """Apple refused, and not because of who we are."""

    def __init__(self, status: int, errors: list[Mapping[str, Any]], *, where: str) -> None:
        words = "; ".join(
            f"{each.get('title', '')}: {each.get('detail', '')} ({each.get('code', '')})" for each in errors
        )
        super().__init__(status, "", words[:800], where=where, next_step="read Apple's words above")
        self.codes = tuple(str(each.get("code", "")) for each in errors)

    def is_(self, code: str) -> bool:
        """Whether an error has this code, or one below it."""
        return any(each == code or each.startswith(f"{code}.") for each in self.codes)

    @property
    def duplicate(self) -> bool:
        return self.is_("ENTITY_ERROR.ATTRIBUTE.INVALID.DUPLICATE")


@dataclass(frozen=True, kw_only=True)
class Build:
    """A build that Apple shows."""

    id: str
    state: str
    """PROCESSING, VALID, INVALID or FAILED."""
    expired: bool
    encryption: bool | None
    """Whether it uses encryption that is not exempt; None while it was not stated."""
    number: str = ""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """What was sent, or shall be."""

    id: str
    state: str
    """AWAITING_UPLOAD, PROCESSING, FAILED or COMPLETE."""
    problems: tuple[str, ...]
    codes: tuple[str, ...]
    checksum: str
    """MD5 of the file that was sent; empty when none was."""


class AppStoreApi(Api):
    """Calls for the account of an API key; they raise AppleRefused and CredentialsError."""

    provider = "App Store Connect"

    def following(self, answer: requests.Response, page: Any, path: str, params: Query) -> tuple[str, Query] | None:
        following = (page.get("links") or {}).get("next")
        return (following, ()) if following else None

    def refusal(self, answer: requests.Response, where: str) -> ShipmateError:
        try:
            errors: list[Mapping[str, Any]] = answer.json()["errors"]
            code = str(errors[0].get("code", ""))
        except (ValueError, LookupError, TypeError, AttributeError):
            errors, code = [{"title": body_text(answer)}], ""
        if answer.status_code == 401:
            return CredentialsError(
                "App Store Connect does not accept the API key",
                where=where,
                why="the key was revoked, or `mobile/ios/key`, `mobile/ios/issuer` and APP_STORE_KEY do not belong together",
                next_step="App Store Connect → Users and Access → Integrations shows the keys and the issuer id",
            )
        if answer.status_code == 403 and "AGREEMENTS" in code:
            return CredentialsError(
                "an agreement with Apple is missing or has expired",
                where=where,
                why="until it is signed Apple refuses every change",
                next_step="the account holder signs it: App Store Connect → Business → Agreements",
            )
        if answer.status_code == 403:
            return CredentialsError(
                f"the API key may not do this: {errors[0].get('detail', '')}",
                where=where,
                why="its role is too small: uploads need Developer, reviews App Manager",
                next_step="make a key with the role App Manager, and replace the secret APP_STORE_KEY and `mobile/ios/key`",
            )
        return AppleRefused(answer.status_code, errors, where=where)


class AppStore:
    """One app. `issuer` and `key` are those of the API key whose private part, PEM, is `secret`."""

    def __init__(
        self, http: Http, *, app: str, issuer: str, key: str, secret: str, now: Callable[[], float] = time.time
    ) -> None:
        self._http = http
        self._issuer, self._key, self._secret = issuer, key, secret
        self._now = now
        self._token, self._until = "", 0.0
        self._api = AppStoreApi(http, self._bearer, ROOT)
        self.app = app

    # builds

    def build(self, version: str, number: int) -> Build | None:
        """The build of a version (its train) with a number, once Apple shows it."""
        query = {
            "filter[app]": self.app,
            "filter[version]": str(number),
            "filter[preReleaseVersion.version]": version,
        }
        found = next(self.pages("/v1/builds", query), None)
        return None if found is None else _build(found)

    def builds(self, version: str) -> list[Build]:
        """Those of a version that Apple shows, the newest first."""
        query = {"filter[app]": self.app, "filter[preReleaseVersion.version]": version, "sort": "-uploadedDate"}
        return [_build(each) for each in self.pages("/v1/builds", query)]

    def newest_version(self) -> str:
        """The version of the build that was uploaded last; empty where there is none."""
        query = {"filter[app]": self.app, "sort": "-uploadedDate", "limit": "1", "include": "preReleaseVersion"}
        found = next(self.documents("/v1/builds", query), {}).get("included", [])
        return next((str(each["attributes"]["version"]) for each in found), "")

    def what_to_test(self, build: str) -> dict[str, str]:
        """The notes that testers of a build are shown: locale -> text."""
        listed = self.pages(f"/v1/builds/{build}/betaBuildLocalizations", {"limit": "50"})
        return {str(each["attributes"]["locale"]): str(each["attributes"].get("whatsNew") or "") for each in listed}

    def numbers(self) -> set[int]:
        """Every build number that Apple shows, of builds and of uploads."""
        builds = self.pages("/v1/builds", {"filter[app]": self.app, "limit": "200"})
        uploads = self.pages(f"/v1/apps/{self.app}/buildUploads", {"limit": "200"})
        values = [*(each["attributes"].get("version") for each in builds)]
        values += [each["attributes"].get("cfBundleVersion") for each in uploads]
        return {int(number) for number in values if str(number).isdecimal()}

    def declare_encryption(self, build: str, uses: bool) -> None:
        """Answer the question of export compliance, once."""
        self.patch("builds", build, {"usesNonExemptEncryption": uses})

    # uploads

    def uploads(self, version: str, number: int) -> list[Upload]:
        """Those of a version and number, the newest first."""
        query = {
            "filter[cfBundleShortVersionString]": version,
            "filter[cfBundleVersion]": str(number),
            "sort": "-uploadedDate",
        }
        return [self._upload(each) for each in self.pages(f"/v1/apps/{self.app}/buildUploads", query)]

    def reserve(self, version: str, number: int) -> str:
        """Announce an upload; its id. AppleRefused (`duplicate`) for a number that a build of this version has."""
        attributes = {"cfBundleShortVersionString": version, "cfBundleVersion": str(number), "platform": "IOS"}
        return str(self.post("buildUploads", attributes, app=("apps", self.app))["id"])

    def forget(self, upload: str) -> None:
        """Take an announcement back to which nothing was sent."""
        self.call("DELETE", f"/v1/buildUploads/{upload}")

    def send(self, upload: str, file: Path, progress: Callable[[int, int], None] = lambda sent, size: None) -> None:
        """Send an IPA in the parts that Apple asks for, and say that all of it is there."""
        size = file.stat().st_size
        about = {"fileName": file.name, "fileSize": size, "uti": "com.apple.ipa", "assetType": "ASSET"}
        made = self.post("buildUploadFiles", about, buildUpload=("buildUploads", upload))
        sent = 0
        with file.open("rb") as stream:
            for part in made["attributes"]["uploadOperations"]:
                stream.seek(part["offset"])
                self._put(part, stream.read(part["length"]))
                sent += int(part["length"])
                progress(sent, size)
        checksums = {"file": {"hash": checksum(file), "algorithm": "MD5"}}
        self.patch("buildUploadFiles", made["id"], {"uploaded": True, "sourceFileChecksums": checksums})

    # TestFlight

    def beta_state(self, build: str) -> tuple[str, str] | None:
        """What the build is to internal and to external testers; None while Apple does not know, for a while after processing."""
        try:
            found = self.call("GET", f"/v1/builds/{build}/buildBetaDetail")["data"]["attributes"]
        except AppleRefused as error:
            if error.status == 404:
                return None
            raise
        return str(found.get("internalBuildState", "")), str(found.get("externalBuildState", ""))

    def groups(self) -> dict[str, Mapping[str, Any]]:
        """Groups of testers by name: `id`, `isInternalGroup`, `hasAccessToAllBuilds`."""
        listed = self.pages("/v1/betaGroups", {"filter[app]": self.app, "limit": "200"})
        return {str(each["attributes"]["name"]): {"id": each["id"], **each["attributes"]} for each in listed}

    def builds_of(self, group: str) -> set[str]:
        """Ids of the builds that a group has."""
        return {str(each["id"]) for each in self.pages(f"/v1/betaGroups/{group}/builds", {"limit": "200"})}

    def give(self, build: str, group: str) -> None:
        """Let a group have a build."""
        self.call("POST", f"/v1/betaGroups/{group}/relationships/builds", {"data": [{"type": "builds", "id": build}]})

    def say_what_to_test(self, build: str, notes: Mapping[str, str]) -> None:
        """Locale -> text; a language that is there already is overwritten when it says something else."""
        listed = self.pages(f"/v1/builds/{build}/betaBuildLocalizations", {"limit": "50"})
        there = {str(each["attributes"]["locale"]): each for each in listed}
        for locale, text in notes.items():
            if locale not in there:
                self.post("betaBuildLocalizations", {"locale": locale, "whatsNew": text}, build=("builds", build))
            elif there[locale]["attributes"].get("whatsNew") != text:
                self.patch("betaBuildLocalizations", there[locale]["id"], {"whatsNew": text})

    def submit_for_beta_review(self, build: str) -> None:
        """AppleRefused with ENTITY_UNPROCESSABLE.ANOTHER_BUILD_IN_REVIEW while another of its version is under review."""
        self.post("betaAppReviewSubmissions", {}, build=("builds", build))

    def _upload(self, raw: Mapping[str, Any]) -> Upload:
        state = raw["attributes"].get("state") or {}
        listed = list(self.pages(f"/v1/buildUploads/{raw['id']}/buildUploadFiles", {}))
        checksums = [(each["attributes"].get("sourceFileChecksums") or {}).get("file") or {} for each in listed]
        message = state.get("errors") or []
        return Upload(
            id=str(raw["id"]),
            state=str(state.get("state", "")),
            problems=tuple(f"{each.get('code', '')}: {each.get('description', '')}" for each in message),
            codes=tuple(str(each.get("code", "")) for each in message),
            checksum=next((str(each["hash"]).lower() for each in checksums if each.get("algorithm") == "MD5"), ""),
        )

    def _put(self, part: Mapping[str, Any], content: bytes) -> None:
        """To Apple's storage, with exactly the headers it names: the address is the credential."""
        headers = {each["name"]: each["value"] for each in part["requestHeaders"]}
        answer = self._http.request(part["method"], part["url"], data=content, headers=headers)
        if answer.status_code not in (200, 201, 204):
            raise ProviderError(
                f"HTTP {answer.status_code}: {answer.text.strip()[:300]}",
                where=f"Apple's storage, part {part.get('partNumber', '')}",
                next_step="run this again: the file is announced and sent anew",
            )

    # calls

    def post(self, kind: str, attributes: Mapping[str, Any], **related: tuple[str, str]) -> dict[str, Any]:
        """Make a resource; what was made. `related`: relationship -> (type, id)."""
        links = {name: {"data": {"type": other, "id": id_}} for name, (other, id_) in related.items()}
        data = {"type": kind, "relationships": links, **({"attributes": dict(attributes)} if attributes else {})}
        made: dict[str, Any] = self.call("POST", f"/v1/{kind}", {"data": data})["data"]
        return made

    def patch(self, kind: str, id_: str, attributes: Mapping[str, Any]) -> None:
        """Change attributes of a resource."""
        self.call("PATCH", f"/v1/{kind}/{id_}", {"data": {"type": kind, "id": id_, "attributes": dict(attributes)}})

    def pages(self, path: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """All resources of a list."""
        for page in self.documents(path, query):
            yield from page.get("data", [])

    def documents(self, path: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """The pages of a list, each with what is `included`."""
        yield from self._api.pages(path, query, most=PAGES)

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """One call, its answer whole. Raises AppleRefused, CredentialsError, ProviderUnavailable."""
        return self._api.call(method, path, body=body) or {}

    def _bearer(self) -> str:
        """A token of our own making, kept for its life. Raises CredentialsError for a key that is none."""
        now = self._now()
        if not self._token or now >= self._until - _EARLY:
            import jwt

            claims = {
                "iss": self._issuer,
                "iat": int(now),
                "exp": int(now + TOKEN_SECONDS),
                "aud": "appstoreconnect-v1",
            }
            try:
                self._token = jwt.encode(
                    claims, self._secret, algorithm="ES256", headers={"kid": self._key, "typ": "JWT"}
                )
            except (ValueError, TypeError, jwt.PyJWTError) as error:
                raise CredentialsError(
                    "the API key is no private key in PEM",
                    where="App Store Connect",
                    why="the secret APP_STORE_KEY is missing, or is not the whole file that Apple gave",
                    next_step="put the content of AuthKey_….p8, all of its lines, into the secret APP_STORE_KEY",
                ) from error
            self._until = now + TOKEN_SECONDS
        return self._token


def _build(raw: Mapping[str, Any]) -> Build:
    attributes = raw["attributes"]
    return Build(
        id=str(raw["id"]),
        number=str(attributes.get("version", "")),
        state=str(attributes.get("processingState", "")),
        expired=bool(attributes.get("expired")),
        encryption=attributes.get("usesNonExemptEncryption"),
    )


def checksum(file: Path) -> str:
    """MD5 as Apple's upload API requires it."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
