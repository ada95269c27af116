"""Google Play with a clock of the test's, and the few calls every test makes of it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from rehearsal.android_bundle import UploadKey, write
from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulators.google_play.app import GooglePlay
from tests.rehearsal.emulators.in_process import InProcess

PACKAGE = "ai.techmate.app"
APPLICATION = f"/androidpublisher/v3/applications/{PACKAGE}"
UPLOAD = f"/upload{APPLICATION}"
KEY = UploadKey.new()
START = 1_790_000_000.0


@dataclass
class Clock:
    """Seconds since 1970, moved by hand."""

    now: float = START

    def __call__(self) -> float:
        return self.now


def checked(play: GooglePlay, violations: list[Violation]) -> Any:
    """The emulator behind both of its descriptions, as a world serves it."""
    app: Any = play.app
    for name in play.contract:
        app = Checked(app, load(name), violations)
    return app


@dataclass
class Store:
    """An app on Google Play, and a client of it that sends one token."""

    play: GooglePlay
    client: InProcess
    clock: Clock
    folder: Path
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **options)

    def edit(self) -> str:
        """The id of a new edit."""
        answer = self.call("POST", f"{APPLICATION}/edits", json={})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def bundle(self, code: int, *, package: str = PACKAGE, key: UploadKey | None = KEY, padding: bytes = b"") -> bytes:
        """The bytes of a bundle."""
        file = self.folder / f"{code}.aab"
        write(file, package=package, version_code=code, version_name=f"1.0.{code}", key=key, padding=padding)
        return file.read_bytes()

    def upload(self, edit: str, code: int, content: bytes | None = None) -> httpx.Response:
        return self.call(
            "POST",
            f"{UPLOAD}/edits/{edit}/bundles",
            params={"uploadType": "media"},
            content=self.bundle(code) if content is None else content,
            headers={"content-type": "application/octet-stream"},
        )

    def put(self, edit: str, track: str, *releases: dict[str, Any]) -> httpx.Response:
        return self.call(
            "PUT", f"{APPLICATION}/edits/{edit}/tracks/{track}", json={"track": track, "releases": list(releases)}
        )

    def validate(self, edit: str) -> httpx.Response:
        return self.call("POST", f"{APPLICATION}/edits/{edit}:validate")

    def commit(self, edit: str, **query: str) -> httpx.Response:
        return self.call("POST", f"{APPLICATION}/edits/{edit}:commit", params=query)

    def release(self, track: str, *releases: dict[str, Any], upload: int | None = None, **query: str) -> httpx.Response:
        """A whole edit: upload, update of one track, commit. The answer to the first call that fails, or to the last."""
        edit = self.edit()
        answers = [self.upload(edit, upload)] if upload else []
        answers.append(self.put(edit, track, *releases))
        failed = next((answer for answer in answers if answer.status_code != 200), None)
        return failed or self.commit(edit, **query)

    def track(self, track: str) -> list[dict[str, Any]]:
        """Committed releases of a track, as a new edit shows them."""
        answer = self.call("GET", f"{APPLICATION}/edits/{self.edit()}/tracks/{track}")
        return list(answer.json().get("releases", []))

    def states(self, track: str) -> list[tuple[list[int], str]]:
        """(version codes, the last words of the lifecycle state) without an edit."""
        listed = self.call("GET", f"{APPLICATION}/tracks/{track}/releases").json().get("releases", [])
        prefix = "RELEASE_LIFECYCLE_STATE_"
        return [
            (
                [artifact["versionCode"] for artifact in each["activeArtifacts"]],
                each["releaseLifecycleState"].removeprefix(prefix),
            )
            for each in listed
        ]


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    """(HTTP status, reason, message) of a refusal in the older form of Google's errors."""
    error = answer.json()["error"]
    assert error["code"] == answer.status_code
    assert error["errors"][0]["message"] == error["message"]
    return answer.status_code, error["errors"][0]["reason"], error["message"]


def completed(*codes: int, **more: Any) -> dict[str, Any]:
    return {"versionCodes": [str(code) for code in codes], "status": "completed", **more}


def staged(code: int, fraction: float, **more: Any) -> dict[str, Any]:
    return {"versionCodes": [str(code)], "status": "inProgress", "userFraction": fraction, **more}


def halted(code: int, fraction: float) -> dict[str, Any]:
    return {"versionCodes": [str(code)], "status": "halted", "userFraction": fraction}


def draft(code: int) -> dict[str, Any]:
    return {"versionCodes": [str(code)], "status": "draft"}


@contextlib.contextmanager
def store(folder: Path, headers: dict[str, str] | None = None, **options: Any) -> Iterator[Store]:
    """An app whose number 1 is in production and in internal testing; nothing may break either description."""
    violations: list[Violation] = []
    clock = Clock()
    play = GooglePlay(folder / "play", packages=[PACKAGE], clock=clock, **options)
    yield Store(play, InProcess(checked(play, violations)), clock, folder, headers or {})
    json.dumps(play.save())
    assert [violation.text for violation in violations] == []
