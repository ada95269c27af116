"""The registry as an emulator."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from rehearsal.emulator import ProviderEmulator
from rehearsal.emulators.google.access import Authorise, anyone
from rehearsal.emulators.registry.access import Gate
from rehearsal.emulators.registry.api import IamPolicy, artifact_registry_app
from rehearsal.emulators.registry.routes import RegistryRoutes
from rehearsal.emulators.registry.state import Repositories


class Registry(ProviderEmulator):
    """Artifact Registry's Docker endpoint. Content lies under `root`; without `authorise` or a `gate` everybody may do all."""

    name = "registry"
    hosts: tuple[str, ...] = ("europe-west1-docker.pkg.dev",)
    contract: str | None = None  # the distribution spec is prose; there is no machine-readable description

    def __init__(
        self,
        root: Path,
        *,
        hosts: tuple[str, ...] = (),
        authorise: Authorise | None = None,
        gate: Gate | None = None,
        immutable: frozenset[str] = frozenset(),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.hosts = hosts or self.hosts
        self.repositories = Repositories(root, immutable=immutable)
        self.app: ASGIApp = RegistryRoutes(self.repositories, gate or Gate(authorise, clock=clock), clock).app()

    def reset(self) -> None:
        """Forget every repository and all content."""
        self.repositories.clear()

    def save(self) -> dict[str, Any]:
        """Repositories, manifests and tags; their content stays under `root`."""
        return self.repositories.save()

    def load(self, saved: dict[str, Any]) -> None:
        """Replace them; `root` must hold the content."""
        self.repositories.load(saved)


class ArtifactRegistry(ProviderEmulator):
    """artifactregistry.googleapis.com: which repositories there are, and who may do what with them."""

    name = "artifact-registry"
    hosts: tuple[str, ...] = ("artifactregistry.googleapis.com",)
    contract: str | None = "artifactregistry"

    def __init__(self, iam_policy: IamPolicy, *, authorise: Authorise = anyone) -> None:
        self.repositories: set[str] = set()
        self.app: ASGIApp = artifact_registry_app(self.repositories, iam_policy, authorise)

    def reset(self) -> None:
        """Forget every repository."""
        self.repositories.clear()

    def save(self) -> dict[str, Any]:
        """The names of repositories; who may do what there is the world's policy."""
        return {"repositories": sorted(self.repositories)}

    def load(self, saved: dict[str, Any]) -> None:
        """Replace them."""
        self.repositories.clear()
        self.repositories.update(saved["repositories"])
