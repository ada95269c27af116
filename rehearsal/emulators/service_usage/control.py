"""What the owners of projects, and Google, set there while a pipeline is at work."""

from __future__ import annotations

from rehearsal.emulators.service_usage.state import Usage


class Control:
    """Each method is one event at the provider. They raise GoogleError for a project that is not there."""

    def __init__(self, usage: Usage) -> None:
        self._usage = usage

    def enable(self, project: str, service: str) -> None:
        """Enable an API: "run.googleapis.com"."""
        self._usage.enable(project, service)

    def disable(self, project: str, service: str) -> None:
        """Disable it."""
        self._usage.disable(project, service)

    def grant_cpu(self, project: str, region: str, milli: int) -> None:
        """Set the quota of Cloud Run's CPU in a region, in milli vCPU; -1 for no limit."""
        self._usage.grant_cpu(project, region, milli)
