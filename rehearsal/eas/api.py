"""Requests to the emulator of EAS. This wire is the rehearsal's own: `POST /rehearsal/{operation}` with JSON in and out.

The real program sends GraphQL to https://api.expo.dev/graphql with the same header. Who else asks the emulator asks by this program.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from rehearsal.eas.refusal import Failed, Refused, Unreachable

HOST = "api.expo.dev"
SECONDS = 60


class Api:
    """EAS as `EXPO_TOKEN` sees it."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._overlay = _overlay()

    @property
    def time_scale(self) -> float:
        return float(self._overlay.get("time_scale", 1.0))

    def ask(self, operation: str, **fields: Any) -> Any:
        """The answer. Raises Refused, Unreachable."""
        return self._send(operation, json.dumps(fields).encode(), "application/json")

    def upload(self, archive: bytes) -> str:
        """Send a project's files; the upload's id. Raises Refused, Unreachable."""
        return str(self._send("upload-project", archive, "application/zip")["id"])

    def _send(self, operation: str, body: bytes, kind: str) -> Any:
        base = self._overlay.get("hosts", {}).get(HOST)
        if base is None:
            raise Unreachable(
                f"This is the rehearsal's eas, and SHIPMATE_OVERLAY names no {HOST}: it runs in the world of a rehearsal alone."
            )
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": kind}
        request = urllib.request.Request(f"{base}/rehearsal/{operation}", data=body, headers=headers, method="POST")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=SECONDS) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            # What EAS answers with nothing is reported by the program itself.
            refused = Failed if error.code == 404 else Refused
            raise refused(_message(error)) from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise Unreachable(f"request to https://{HOST}/graphql failed, reason: {reason}") from error


def _message(error: urllib.error.HTTPError) -> str:
    try:
        errors = json.loads(error.read())["errors"]
        return "\n".join(str(one["message"]) for one in errors)
    except (ValueError, KeyError, TypeError):
        return str(error.reason)


def _overlay() -> dict[str, Any]:
    name = os.environ.get("SHIPMATE_OVERLAY")
    if not name:
        return {}
    try:
        overlay: dict[str, Any] = json.loads(Path(name).read_text())
    except (OSError, ValueError) as error:
        raise Unreachable(f"{name} cannot be read: {error}") from error
    return overlay
