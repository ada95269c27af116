"""What people do with apps that report to Sentry, while a pipeline is at work."""

from __future__ import annotations

from rehearsal.emulators.sentry.envelope import Item
from rehearsal.emulators.sentry.state import Organization


class Control:
    """Each method is one event at the provider."""

    def __init__(self, organization: Organization) -> None:
        self._organization = organization

    def use(self, project: str, release: str, sessions: int, crashed: int = 0, environment: str = "production") -> None:
        """Sessions of a release end, so many of them by a crash; their SDK reports them as one aggregate. Raises KeyError."""
        counts = {"exited": sessions - crashed, "crashed": crashed}
        payload = {"attrs": {"release": release, "environment": environment}, "aggregates": [counts]}
        self._organization.take(self._organization.projects[project], Item(type="sessions", payload=payload))
