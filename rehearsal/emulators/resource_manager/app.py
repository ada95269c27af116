"""Resource Manager as an emulator."""

from __future__ import annotations

from typing import Any

from starlette.types import ASGIApp

from rehearsal.emulator import ProviderEmulator
from rehearsal.emulators.google.access import Authorise, anyone
from rehearsal.emulators.resource_manager.routes import HierarchyRoutes, IamPolicy
from rehearsal.emulators.resource_manager.state import Hierarchy


class ResourceManager(ProviderEmulator):
    """cloudresourcemanager.googleapis.com. `iam_policy`: who was given what on a resource."""

    name = "resource-manager"
    hosts: tuple[str, ...] = ("cloudresourcemanager.googleapis.com",)
    contract: str | None = "cloudresourcemanager"

    def __init__(self, iam_policy: IamPolicy, *, authorise: Authorise = anyone) -> None:
        self.hierarchy = Hierarchy()
        self.app: ASGIApp = HierarchyRoutes(self.hierarchy, iam_policy, authorise).app()

    def reset(self) -> None:
        """Forget every project and folder."""
        self.hierarchy.clear()

    def save(self) -> dict[str, Any]:
        """Projects and folders; who may do what there is the world's policy."""
        return self.hierarchy.save()

    def load(self, saved: dict[str, Any]) -> None:
        """Replace them."""
        self.hierarchy.load(saved)
