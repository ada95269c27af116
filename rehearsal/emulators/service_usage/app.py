"""Service Usage as an emulator."""

from __future__ import annotations

from typing import Any

from starlette.types import ASGIApp

from rehearsal.emulator import ProviderEmulator
from rehearsal.emulators.google.access import Authorise, anyone
from rehearsal.emulators.service_usage.control import Control
from rehearsal.emulators.service_usage.routes import UsageRoutes
from rehearsal.emulators.service_usage.state import Usage


class ServiceUsage(ProviderEmulator):
    """serviceusage.googleapis.com."""

    name = "service-usage"
    hosts: tuple[str, ...] = ("serviceusage.googleapis.com",)
    contract: tuple[str, ...] = ("serviceusage", "serviceusage-quotas")
    control: Control

    def __init__(self, *, authorise: Authorise = anyone) -> None:
        self.usage = Usage()
        self.control = Control(self.usage)
        self.app: ASGIApp = UsageRoutes(self.usage, authorise).app()

    def cpu_limit(self, project: str, region: str) -> int:
        """Milli vCPU of Cloud Run in a region; -1 for no limit. Raises GoogleError for a project that is not there."""
        return self.usage.project(project).cpu_limit(region)

    def reset(self) -> None:
        """Forget every project."""
        self.usage.clear()

    def save(self) -> dict[str, Any]:
        """Enabled services and granted quotas."""
        return self.usage.save()

    def load(self, saved: dict[str, Any]) -> None:
        """Replace them."""
        self.usage.load(saved)
