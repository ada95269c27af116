"""What others do while a pipeline is at work: Expo, people at expo.dev, users' devices."""

from __future__ import annotations

from typing import Any

from rehearsal.emulators.eas import builds, updates
from rehearsal.emulators.eas.state import DAY, EXPIRED, VALID, Account, Launches, Plan


class Control:
    """Each method is one event at the provider. Raises KeyError, ValueError, EasError."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def skip(self, seconds: float) -> None:
        """Let time pass at EAS."""
        self._account.passed += seconds

    def next_build(self, **plan: Any) -> None:
        """How the next build (of a platform) goes: fields of `Plan`."""
        self._account.plans.append(Plan(**plan))

    def queue(self, position: int, seconds: float | None = None) -> None:
        """How many are before the builds that come, and how long they wait there, those that wait already too."""
        self._account.position = position
        if seconds is None:
            return
        now, courses = self._account.now(), builds.courses(self._account)
        for build in self._account.builds.values():
            if now < courses[build.id].started:
                build.queue, build.position = seconds, position

    def concurrency(self, builds: int) -> None:
        """How many builds of the account are taken at once, of those that are started from now on; the others are NEW."""
        self._account.concurrency = builds

    def cancel(self, build: str) -> None:
        """Someone cancels it at expo.dev."""
        builds.cancel(self._account, self._account.build(build))

    def variables(self, variables: dict[str, str], stop: bool = True) -> None:
        """What exists only at EAS, and whether a build whose runtime version differs by it is stopped."""
        self._account.variables = dict(variables)
        self._account.stops_at_mismatch = stop

    def tokens(self, state: str) -> None:
        """Let every robot token be "valid" or "expired"."""
        if state not in (VALID, EXPIRED):
            raise ValueError(f"{state!r} is neither {VALID} nor {EXPIRED}")
        self._account.tokens = dict.fromkeys(self._account.tokens, state)

    def observe(
        self,
        group: str,
        installs: int,
        failed: int = 0,
        users: int | None = None,
        platform: str = "",
        days_ago: float = 0.0,
    ) -> None:
        """Devices that took an update, and those that failed to start it."""
        at = self._account.now() - days_ago * DAY
        for update in updates.group(self._account, group):
            if platform in ("", update.platform):
                update.launches.append(Launches(at=at, installs=installs, failed=failed, users=users or installs))
