"""Phones with the apps of the stores: they ask for updates over the air as expo-updates does, and report how their sessions end.

Sources: docs.expo.dev/technical-specs/expo-updates-1; apps/mobile/src/reports.mjs
"""

from __future__ import annotations

import email
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from rehearsal.scenario.assertions import eventually, expect
from rehearsal.scenario.world_client import WorldClient

UPDATES = "u.expo.dev"
BATCH = 50
"""Devices that ask before the next attempt: at 10 % all of them are left out once in two hundred times."""
SECONDS = 120
"""How long an update may take until a device gets it."""


@dataclass(frozen=True, kw_only=True)
class ServedUpdate:
    """The update that a device gets; both fields are empty for what is inside its build."""

    update: str = ""
    code: str = ""
    """SHA-256 of its JavaScript: an update that is published again is another one with the same code."""


@dataclass(kw_only=True)
class Devices:
    """The devices of one channel."""

    world: WorldClient
    channel: str
    app: Mapping[str, Any]
    """`expo` of app.json."""
    runtimes: Mapping[str, str]
    """Platform -> runtime version of the build that they have."""
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def served_update(self, platform: str, device: str) -> ServedUpdate:
        """What a device gets when the app starts."""
        answer = self.world.request_provider(
            UPDATES,
            urlsplit(self.app["updates"]["url"]).path,
            {
                "accept": "multipart/mixed",
                "expo-protocol-version": "1",
                "expo-platform": platform,
                "expo-runtime-version": self.runtimes[platform],
                "expo-channel-name": self.channel,
                "eas-client-id": device,
            },
        )
        if answer.status_code == 204:
            return ServedUpdate()
        expect(answer.status_code == 200, f"{UPDATES} answers a device", answer.text[:300])
        return _read(answer)

    def new_devices(self, count: int = BATCH) -> list[str]:
        """Devices that have not asked yet."""
        return [f"device-{number}" for number in itertools.islice(self.numbers, count)]

    def find_other_update(
        self, platform: str, codes: set[str], alive: Callable[[], None] | None = None
    ) -> tuple[str, ServedUpdate]:
        """A device that gets other code, once there is one, and its update. `alive` may raise to end the wait early."""

        def ask() -> tuple[str, ServedUpdate] | None:
            found = ((device, self.served_update(platform, device)) for device in self.new_devices())
            return next(((device, served) for device, served in found if served.code not in codes), None)

        what = f"a device with {platform} to get another update"
        return eventually(ask, what, seconds=SECONDS, alive=alive)

    def report_sessions(self, served: ServedUpdate, sessions: int, crashed: int = 0) -> None:
        """Sessions with an update end, some by a crash. The app reports them to Sentry under the update's name."""
        release = f"{self.app['ios']['bundleIdentifier']}@{self.app['version']}+update.{served.update.lower()}"
        [sentry] = (options for name, options in self.plugins() if name == "@sentry/react-native/expo")
        self.world.provider_event(
            "sentry", "use", project=sentry["project"], release=release, sessions=sessions, crashed=crashed
        )

    def plugins(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Of the app, those with options."""
        return ((plugin[0], plugin[1]) for plugin in self.app["plugins"] if isinstance(plugin, list))


def _read(answer: httpx.Response) -> ServedUpdate:
    head = f"content-type: {answer.headers['content-type']}\r\n\r\n".encode()
    for part in email.message_from_bytes(head + answer.content).walk():
        if part.get_param("name", header="content-disposition") == "manifest":
            manifest = json.loads(str(part.get_payload()))
            return ServedUpdate(update=manifest["id"], code=manifest["launchAsset"]["fileSHA256"])
    return ServedUpdate()
