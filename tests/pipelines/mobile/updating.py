"""An app at the emulated EAS whose builds people have, and the channel that they follow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from pipelines.manifest.mobile import Platform
from pipelines.mobile.update_notes import FileNotes
from pipelines.mobile.updates import Change, Result, Updates, builds_on_channel
from pipelines.mobile.watch import Health
from pipelines.providers.eas_updates import EasUpdates, Update
from rehearsal.emulators.eas import updates as served
from tests.pipelines.mobile.expo import Expo
from tests.rehearsal.emulators.eas_client import PROJECT

BOTH: tuple[Platform, ...] = ("android", "ios")
GOOD = Health(state="good", says="99.90 % of 2,000 sessions without a crash")
BAD = Health(state="bad", says="97.00 % of 2,000 sessions without a crash, 99.5 % are needed")
UNKNOWN = Health(state="unknown", says="3 of the 500 sessions that tell anything, in 7 days")


class World:
    """An app whose builds people have, and the channel that they follow."""

    def __init__(self, expo: Expo, folder: Path) -> None:
        self.expo, self.folder = expo, folder
        self.eas = EasUpdates(expo.eas())
        self.notes = FileNotes(folder / "state/production.json")
        self.health = GOOD
        self.asked: list[Sequence[Update]] = []
        self.messages: list[str] = []
        self.made = 0
        self.expo.eas().start(BOTH, "production")
        self.expo.time.forward(3600)
        self.first = self.change("one")

    def updates(self) -> Updates:
        def health(updates: Sequence[Update]) -> Health:
            self.asked.append(updates)
            return self.health

        return Updates(
            eas=self.eas,
            channel="production",
            notes=self.notes,
            clock=self.expo.clock,
            health=health,
            say=self.messages.append,
        )

    def change(self, text: str, percent: int = 100, platforms: tuple[Platform, ...] = BOTH) -> Change:
        """Another state of the code, which stays checked out."""
        self.expo.time.forward(60)
        self.made += 1
        eas, commit = self.expo.eas(), self.expo.change(f"{text} {self.made}")
        return Change(
            commit=commit,
            version="1.2.0",
            message=text,
            percent=percent,
            platforms=platforms,
            environment="production",
            runtimes={each: eas.fingerprint(each, "production") for each in platforms},
            builds=builds_on_channel(eas, platforms, "production"),
        )

    def publish(self, change: Change) -> Result:
        return self.updates().publish(change)

    def back(self) -> Result:
        self.expo.time.forward(60)
        return self.updates().roll_back()

    def shares(self) -> dict[str, set[str]]:
        """Platform -> commits of what two hundred devices are given; "build" is what they have inside."""
        account = self.expo.account
        line = served.channel(account, PROJECT, "production")
        return {each: {self._given(account, line, each, f"device-{n}") for n in range(200)} for each in BOTH}

    def _given(self, account: Any, line: Any, platform: str, device: str) -> str:
        found = served.served(account, line, platform, self.first.runtimes[cast(Platform, platform)], device)
        return "build" if found is None or found.embedded else str(found.commit)

    def newest(self) -> dict[str, str]:
        """Platform -> group."""
        return {each.platform: each.group for each in self.expo.account.updates.values()}


def only(commit: str) -> dict[str, set[str]]:
    return {each: {commit} for each in BOTH}
