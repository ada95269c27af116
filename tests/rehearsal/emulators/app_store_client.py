"""A client of the App Store emulator, for tests: signs its tokens, and asks through the checks against Apple's description."""

from __future__ import annotations

import hashlib
import io
import plistlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt

from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulators.app_store.access import Key, public_part
from rehearsal.emulators.app_store.app import AppStore
from rehearsal.emulators.app_store.declaration import EMULATOR
from rehearsal.emulators.app_store.model import App, Build, Pace
from tests.rehearsal.emulators.in_process import InProcess

APP, BUNDLE, KEY, ISSUER = "6471234567", "ai.techmate.app", "2X9R4HXF34", "69a6de70-0000-47e3-e053-5b8c7c11a4d1"
PEM = EMULATOR.secrets()["APP_STORE_KEY"]
PACE = Pace(
    accept=10, appear=20, process=100, detail=5, beta_queue=1000, beta_review=100, queue=2000, review=500, day=10_000
)
UNTIL_TESTING = PACE.accept + PACE.appear + PACE.process + PACE.detail


class Clock:
    """Stands still until the test moves it."""

    def __init__(self) -> None:
        self.seconds = 1_700_000_000.0

    def __call__(self) -> float:
        return self.seconds

    def forward(self, seconds: float) -> None:
        self.seconds += seconds


def ipa(
    version: str = "1.0.1",
    number: str = "7",
    bundle: str = BUNDLE,
    *,
    encryption: bool | None = None,
    binary: bool = True,
    padding: int = 0,
) -> bytes:
    """The smallest archive that says what it is."""
    info: dict[str, Any] = {
        "CFBundleIdentifier": bundle,
        "CFBundleShortVersionString": version,
        "CFBundleVersion": number,
        "MinimumOSVersion": "15.1",
    }
    if encryption is not None:
        info["ITSAppUsesNonExemptEncryption"] = encryption
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        form = plistlib.FMT_BINARY if binary else plistlib.FMT_XML
        archive.writestr("Payload/TechMate.app/Info.plist", plistlib.dumps(info, fmt=form))
        archive.writestr("Payload/TechMate.app/TechMate", b"\0" * padding)
    return packed.getvalue()


class Client:
    """`app_store` is the emulator, `clock` its time."""

    def __init__(self, root: Path, **options: Any) -> None:
        self.clock = Clock()
        key = Key(id=KEY, issuer=ISSUER, public=public_part(PEM))
        self.app_store = AppStore(
            root,
            record=App(id=APP, bundle=BUNDLE, name="TechMate AI"),
            keys=[key],
            groups={"internal": ["Team"], "external": ["Friends"]},
            pace=PACE,
            clock=self.clock,
            **options,
        )
        self.account = self.app_store.account
        self.account.part_size = 200
        self.key = key
        self.violations: list[Violation] = []
        self._http = InProcess(Checked(self.app_store.app, load("app-store"), self.violations))

    def token(self, pem: str = PEM, headers: dict[str, Any] | None = None, **claims: Any) -> str:
        now = int(self.clock())
        content = {"iss": ISSUER, "iat": now, "exp": now + 1200, "aud": "appstoreconnect-v1", **claims}
        return jwt.encode(content, pem, algorithm="ES256", headers=headers or {"kid": KEY})

    def ask(self, method: str, path: str, *, token: str | None = None, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.token()}"}
        return self._http.request(method, path, headers=headers, **options)

    def get(self, path: str, **params: str) -> Any:
        answer = self.ask("GET", path, params=params or None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, method: str, path: str, body: Any, status: int) -> Any:
        """The answer's `data`, or its first error."""
        answer = self.ask(method, path, json={"data": body})
        assert answer.status_code == status, answer.text
        if not answer.content:
            return None
        document = answer.json()
        return document["data"] if status < 400 else document["errors"][0]

    def post(self, kind: str, attributes: Any = None, status: int = 201, **related: tuple[str, str]) -> Any:
        body: dict[str, Any] = {"type": kind, "relationships": _related(related)}
        return self.send("POST", f"/v1/{kind}", body | ({"attributes": attributes} if attributes else {}), status)

    def patch(self, kind: str, identifier: str, attributes: Any, status: int = 200) -> Any:
        body = {"type": kind, "id": identifier, "attributes": attributes}
        return self.send("PATCH", f"/v1/{kind}/{identifier}", body, status)

    def put(self, operation: Any, content: bytes, **headers: str) -> httpx.Response:
        """Send one part as its operation says."""
        target = urlsplit(operation["url"])
        wanted = {header["name"]: header["value"] for header in operation["requestHeaders"]} | headers
        part = content[operation["offset"] : operation["offset"] + operation["length"]]
        return self._http.put(f"{target.path}?{target.query}", content=part, headers=wanted)

    # uploads ----------------------------------------------------------------------------------------------------------

    def reserve(self, version: str = "1.0.1", number: str = "7", status: int = 201) -> Any:
        attributes = {"cfBundleShortVersionString": version, "cfBundleVersion": number, "platform": "IOS"}
        return self.post("buildUploads", attributes, status, app=("apps", APP))

    def add_file(self, upload: str, content: bytes, status: int = 201) -> Any:
        attributes = {"fileName": "a.ipa", "fileSize": len(content), "uti": "com.apple.ipa", "assetType": "ASSET"}
        return self.post("buildUploadFiles", attributes, status, buildUpload=("buildUploads", upload))

    def commit(self, file: str, content: bytes, status: int = 200, *, algorithm: str = "MD5") -> Any:
        digest = hashlib.new(algorithm.replace("_", "").lower(), content, usedforsecurity=False).hexdigest()
        checksums = {"file": {"hash": digest, "algorithm": algorithm}}
        return self.patch("buildUploadFiles", file, {"uploaded": True, "sourceFileChecksums": checksums}, status)

    def deliver(self, content: bytes | None = None, version: str = "1.0.1", number: str = "7") -> str:
        """Id of the upload of a whole IPA, committed."""
        content = ipa(version, number) if content is None else content
        upload: str = self.reserve(version, number)["id"]
        file = self.add_file(upload, content)
        for operation in file["attributes"]["uploadOperations"]:
            assert self.put(operation, content).status_code == 200
        self.commit(file["id"], content)
        return upload

    def upload_state(self, upload: str) -> Any:
        return self.get(f"/v1/buildUploads/{upload}")["data"]["attributes"]["state"]

    def build(self, version: str = "1.0.1", number: str = "7", *, encryption: bool | None = False) -> Build:
        """A build that is ready for testers."""
        upload = self.account.uploads[self.deliver(ipa(version, number, encryption=encryption), version, number)]
        self.clock.forward(UNTIL_TESTING)
        return self.account.builds[upload.build or ""]

    def beta_states(self, build: str) -> tuple[str, str]:
        found = self.get(f"/v1/builds/{build}/buildBetaDetail")["data"]["attributes"]
        return found["internalBuildState"], found["externalBuildState"]

    def group(self, name: str) -> str:
        [found] = [group for group in self.account.groups.values() if group.name == name]
        return found.id

    # the store --------------------------------------------------------------------------------------------------------

    def version(self, version: str, status: int = 201, **attributes: Any) -> Any:
        return self.post(
            "appStoreVersions", {"platform": "IOS", "versionString": version, **attributes}, status, app=("apps", APP)
        )

    def prepare(self, version: str = "2.0.0", number: str = "20", **attributes: Any) -> str:
        """Id of a version that lacks nothing."""
        identifier: str = self.version(version, **attributes)["id"]
        build = {"type": "builds", "id": self.build(version, number).id}
        self.send("PATCH", f"/v1/appStoreVersions/{identifier}/relationships/build", build, 204)
        if len(self.account.approved(APP, "IOS")):
            [notes] = self.get(f"/v1/appStoreVersions/{identifier}/appStoreVersionLocalizations")["data"]
            self.patch("appStoreVersionLocalizations", notes["id"], {"whatsNew": "Faster."})
        return identifier

    def submit(self, version: str) -> str:
        """Id of the review submission of a version."""
        submission: str = self.post("reviewSubmissions", {"platform": "IOS"}, app=("apps", APP))["id"]
        self.add_item(submission, version)
        self.patch("reviewSubmissions", submission, {"submitted": True})
        return submission

    def add_item(self, submission: str, version: str, status: int = 201) -> Any:
        related = {
            "reviewSubmission": ("reviewSubmissions", submission),
            "appStoreVersion": ("appStoreVersions", version),
        }
        return self.post("reviewSubmissionItems", None, status, **related)

    def store_state(self, version: str) -> str:
        found: str = self.get(f"/v1/appStoreVersions/{version}")["data"]["attributes"]["appStoreState"]
        return found


def _related(related: dict[str, tuple[str, str]]) -> dict[str, Any]:
    return {name: {"data": {"type": kind, "id": identifier}} for name, (kind, identifier) in related.items()}


@contextmanager
def app_store_client(root: Path, **options: Any) -> Iterator[Client]:
    """An emulator without a socket; at the end nothing may have violated Apple's description."""
    client = Client(root, **options)
    yield client
    assert [violation.text for violation in client.violations] == []
