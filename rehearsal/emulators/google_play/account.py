"""A developer account: its apps, who may do what in them, and how many questions a minute are answered.

Nothing runs in the background: what is due by the clock is done when an app is looked at (`Account.app`).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from rehearsal.emulators.google_play import reviews
from rehearsal.emulators.google_play.errors import no_permission, package_not_found, quota_exceeded
from rehearsal.emulators.google_play.state import DEPLOYER, App

QUERIES_PER_MINUTE = 3000
_MINUTE = 60.0


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long operations take, in seconds. None of it is documented; a review takes hours to days."""

    review: float = 3600.0
    edit: float = 3600.0
    """From opening an edit until it expires."""
    session: float = 7 * 86_400.0
    """Of a resumable upload, as Google documents it."""
    vitals_lag: float = 2 * 86_400.0
    """From an event until its day can be asked for."""


@dataclass(kw_only=True)
class Account:
    """A developer account on Google Play."""

    pace: Pace = field(default_factory=Pace)
    clock: Callable[[], float] = time.time
    apps: dict[str, App] = field(default_factory=dict)
    grants: dict[str, dict[str, frozenset[str]]] = field(default_factory=dict)
    """Address of a user or service account -> package -> AppLevelPermissions."""
    queries_per_minute: int = QUERIES_PER_MINUTE
    asked: deque[float] = field(default_factory=deque)

    def grant(self, user: str, package: str, permissions: frozenset[str] = DEPLOYER) -> None:
        """Set what a user may do in an app; none takes the app away."""
        self.grants.setdefault(user, {})[package] = permissions

    def app(self, user: str, package: str, *one_of: str) -> App:
        """An app, for a user with one of these permissions. Raises PlayError (403, 404)."""
        if package not in self.apps:
            raise package_not_found(package)
        if not self.granted(user, package).intersection(one_of):
            raise no_permission()
        app = self.apps[package]
        reviews.advance(app, self.clock())
        return app

    def granted(self, user: str, package: str) -> frozenset[str]:
        return self.grants.get(user, {}).get(package, frozenset())

    def count(self) -> None:
        """One more question. Raises PlayError (429) where there were too many within a minute."""
        now = self.clock()
        while self.asked and self.asked[0] <= now - _MINUTE:
            self.asked.popleft()
        if len(self.asked) >= self.queries_per_minute:
            raise quota_exceeded()
        self.asked.append(now)
