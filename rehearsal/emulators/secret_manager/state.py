"""Secrets and their versions, without HTTP."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rehearsal.emulators import saving
from rehearsal.emulators.google.errors import GoogleError, invalid, not_found
from rehearsal.emulators.google.wire import timestamp
from rehearsal.emulators.secret_manager.checksum import crc32c

ENABLED, DISABLED, DESTROYED = "ENABLED", "DISABLED", "DESTROYED"
_SECRET_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_LARGEST_PAYLOAD = 64 * 1024
_SETTABLE = ("labels", "annotations", "topics", "ttl", "expireTime", "rotation", "versionAliases", "versionDestroyTtl")


@dataclass(kw_only=True)
class Version:
    """One immutable payload; `data` is None once destroyed. Times are epoch seconds."""

    number: int
    data: bytes | None
    state: str
    created: float
    changed: float
    checked: bool = False
    """The writer sent a checksum."""

    def etag(self) -> str:
        """Changes with the state."""
        return f'"{self.number:x}-{self.changed:.6f}"'


@dataclass(kw_only=True)
class Secret:
    """`name` is `projects/P/secrets/S`; `settings` holds labels, annotations, replication as they were sent."""

    name: str
    settings: dict[str, Any]
    created: float
    changed: float
    versions: list[Version] = field(default_factory=list)

    def etag(self) -> str:
        """Changes with the settings."""
        return f'"{self.changed:.6f}"'

    def version(self, which: str) -> Version:
        """By number, by "latest" (the newest of any state, as the service does) or by alias."""
        if which == "latest" and self.versions:
            return self.versions[-1]
        which = str(self.settings.get("versionAliases", {}).get(which, which))
        if which.isdigit() and 1 <= int(which) <= len(self.versions):
            return self.versions[int(which) - 1]
        raise not_found(f"{self.name}/versions/{which}")


class Secrets:
    """Every secret of every project."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._secrets: dict[str, Secret] = {}

    def create(self, project: str, secret_id: str, settings: Mapping[str, Any]) -> Secret:
        """A secret without versions. Raises GoogleError INVALID_ARGUMENT or ALREADY_EXISTS."""
        if not _SECRET_ID.fullmatch(secret_id):
            raise invalid("secretId", "1 to 255 letters, digits, '-' and '_'.")
        if "replication" not in settings:
            raise invalid("secret.replication", "required.")
        name = f"projects/{project}/secrets/{secret_id}"
        if name in self._secrets:
            raise GoogleError("ALREADY_EXISTS", f"Secret [{name}] already exists.")
        kept = {key: settings[key] for key in (*_SETTABLE, "replication") if key in settings}
        now = self._clock()
        self._secrets[name] = Secret(name=name, settings=kept, created=now, changed=now)
        return self._secrets[name]

    def get(self, name: str) -> Secret:
        """Raises GoogleError NOT_FOUND."""
        if name not in self._secrets:
            raise not_found(name)
        return self._secrets[name]

    def all(self, project: str) -> list[Secret]:
        """The project's secrets, newest first."""
        mine = [secret for name, secret in self._secrets.items() if name.startswith(f"projects/{project}/")]
        return sorted(mine, key=lambda secret: secret.created, reverse=True)

    def patch(self, name: str, body: Mapping[str, Any], fields: list[str]) -> Secret:
        """Set `fields` from `body`. Raises GoogleError."""
        secret = self.get(name)
        self._match(secret.etag(), body.get("etag"))
        for path in fields:
            if path not in _SETTABLE:
                raise invalid("updateMask", f"'{path}' cannot be changed.")
        for path in fields:
            secret.settings.pop(path, None)
            if path in body:
                secret.settings[path] = body[path]
        secret.changed = self._clock()
        return secret

    def delete(self, name: str, etag: str | None) -> None:
        """Remove a secret with all its versions."""
        self._match(self.get(name).etag(), etag)
        del self._secrets[name]

    def add_version(self, name: str, data: bytes, checksum: int | None = None) -> Version:
        """Append a version. Raises GoogleError INVALID_ARGUMENT on a wrong checksum or too long a payload."""
        secret = self.get(name)
        if len(data) > _LARGEST_PAYLOAD:
            raise invalid("payload.data", f"{len(data)} bytes; at most {_LARGEST_PAYLOAD} are allowed.")
        if checksum is not None and checksum != crc32c(data):
            raise invalid("payload.dataCrc32c", "does not match the data that arrived.")
        now, number = self._clock(), len(secret.versions) + 1
        version = Version(
            number=number, data=data, state=ENABLED, created=now, changed=now, checked=checksum is not None
        )
        secret.versions.append(version)
        return version

    def access(self, name: str, which: str) -> tuple[Version, bytes]:
        """The payload. Raises GoogleError FAILED_PRECONDITION unless the version is enabled."""
        version = self.get(name).version(which)
        if version.state != ENABLED or version.data is None:
            raise _not_in(f"{name}/versions/{version.number}", version.state)
        return version, version.data

    def set_state(self, name: str, which: str, state: str, etag: str | None) -> Version:
        """Enable, disable or destroy; destroying drops the payload for good."""
        version = self.get(name).version(which)
        self._match(version.etag(), etag)
        if version.state == DESTROYED and state != DESTROYED:
            raise _not_in(f"{name}/versions/{version.number}", DESTROYED)
        if version.state != state:
            version.state, version.changed = state, self._clock()
            version.data = None if state == DESTROYED else version.data
        return version

    def put(self, project: str, secret_id: str, data: bytes) -> Version:
        """Set up the world: add a version, creating the secret when it is new."""
        name = f"projects/{project}/secrets/{secret_id}"
        if name not in self._secrets:
            self.create(project, secret_id, {"replication": {"automatic": {}}})
        return self.add_version(name, data)

    def clear(self) -> None:
        """Forget everything."""
        self._secrets.clear()

    def save(self) -> dict[str, Any]:
        """JSON of every secret, payloads included."""
        return {"secrets": [saving.to_json(secret) for secret in self._secrets.values()]}

    def load(self, saved: dict[str, Any]) -> None:
        """Replace everything by a saved state."""
        self._secrets = {entry["name"]: saving.from_json(Secret, entry) for entry in saved["secrets"]}

    @staticmethod
    def _match(current: str, etag: object) -> None:
        if etag and etag != current:
            raise GoogleError("ABORTED", f"The etag {etag} is stale; the current one is {current}.")


def secret_json(secret: Secret) -> dict[str, Any]:
    """The API's Secret."""
    return {
        "name": secret.name,
        "createTime": timestamp(secret.created),
        "etag": secret.etag(),
        **secret.settings,
    }


def version_json(secret: str, version: Version) -> dict[str, Any]:
    """The API's SecretVersion."""
    body: dict[str, Any] = {
        "name": f"{secret}/versions/{version.number}",
        "createTime": timestamp(version.created),
        "state": version.state,
        "replicationStatus": {"automatic": {}},
        "etag": version.etag(),
        "clientSpecifiedPayloadChecksum": version.checked,
    }
    if version.state == DESTROYED:
        body["destroyTime"] = timestamp(version.changed)
    return body


def _not_in(name: str, state: str) -> GoogleError:
    return GoogleError("FAILED_PRECONDITION", f"Secret Version [{name}] is in {state} state.")
