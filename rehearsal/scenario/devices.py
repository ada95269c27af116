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

from rehearsal.scenario import assertions as proof
from rehearsal.scenario.world_client import Place

UPDATES = "u.expo.dev"
BATCH = 50
"""Devices that are asked before it is looked again: at 10 % all of them are left out once in two hundred times."""
SECONDS = 120
"""How long it is looked for an update that is being published."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a device runs; both are empty for what is inside its build."""

    update: str = ""
    code: str = ""
    """SHA-256 of its JavaScript: an update that is published again is another one with the same code."""


@dataclass(kw_only=True)
class Devices:
    """Those of one channel."""

    place: Place
    channel: str
    app: Mapping[str, Any]
    """`expo` of app.json."""
    runtimes: Mapping[str, str]
    """Platform -> runtime version of the build that they have."""
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def given(self, platform: str, device: str) -> Given:
        """What one of them is given when it starts."""
        answer = self.place.ask_provider(
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
            return Given()
        proof.that(answer.status_code == 200, f"{UPDATES} answers a device", answer.text[:300])
        return _read(answer)

    def some(self, count: int = BATCH) -> list[str]:
        """Devices that nobody asked yet."""
        return [f"device-{number}" for number in itertools.islice(self.numbers, count)]

    def other_than(self, platform: str, codes: set[str], alive: Callable[[], None] | None = None) -> tuple[str, Given]:
        """A device that is given something else, once there is one; and what. `alive` may raise to end the wait early."""

        def ask() -> tuple[str, Given] | None:
            found = ((device, self.given(platform, device)) for device in self.some())
            return next(((device, given) for device, given in found if given.code not in codes), None)

        what = f"a device with {platform} to be given something else"
        return proof.eventually(ask, what, seconds=SECONDS, alive=alive)

    def use(self, given: Given, sessions: int, crashed: int = 0) -> None:
        """Their sessions with an update end, so many by a crash. The app reports them to Sentry under the update's name."""
        release = f"{self.app['ios']['bundleIdentifier']}@{self.app['version']}+update.{given.update.lower()}"
        [sentry] = (options for name, options in self.plugins() if name == "@sentry/react-native/expo")
        self.place.happens(
            "sentry", "use", project=sentry["project"], release=release, sessions=sessions, crashed=crashed
        )

    def plugins(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Of the app, those with options."""
        return ((plugin[0], plugin[1]) for plugin in self.app["plugins"] if isinstance(plugin, list))


def _read(answer: httpx.Response) -> Given:
    head = f"content-type: {answer.headers['content-type']}\r\n\r\n".encode()
    for part in email.message_from_bytes(head + answer.content).walk():
        if part.get_param("name", header="content-disposition") == "manifest":
            manifest = json.loads(str(part.get_payload()))
            return Given(update=manifest["id"], code=manifest["launchAsset"]["fileSHA256"])
    return Given()
