"""From a revision's template to something that runs: its image, its secrets, its command and its probes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rehearsal.emulators.cloud_run.command import NotExecutable, command
from rehearsal.emulators.cloud_run.fleet import Launch, StartFailed
from rehearsal.emulators.cloud_run.images import ImageRefused, ImageSource, Reference, pull
from rehearsal.emulators.cloud_run.instance import Probes
from rehearsal.emulators.cloud_run.interpreter import Interpreters
from rehearsal.emulators.cloud_run.layers import LayerStore
from rehearsal.emulators.cloud_run.names import ServiceName
from rehearsal.emulators.cloud_run.probes import Probe
from rehearsal.emulators.cloud_run.resources import Revision
from rehearsal.emulators.google.access import Allows, everything_allowed, project_of, repository_name, run_service_agent

ReadSecret = Callable[[str, str, str], bytes]
"""(service account, projects/P/secrets/S, version) -> payload. Raises LookupError and PermissionError."""


def no_secrets(account: str, secret: str, version: str) -> bytes:
    """A `ReadSecret` for worlds without Secret Manager."""
    raise LookupError(f"{secret}/versions/{version} cannot be read for {account or 'no account'}: no Secret Manager.")


class Launcher:
    """Prepares revisions. `env` is added to every process (a mark of the world, to find its processes by)."""

    def __init__(
        self,
        work: Path,
        source: ImageSource,
        read_secret: ReadSecret = no_secrets,
        *,
        allows: Allows = everything_allowed,
        env: Mapping[str, str] | None = None,
        time_scale: float = 1.0,
    ) -> None:
        self._work = work
        self.allows = allows
        self._source = source
        self._read_secret = read_secret
        self._env = dict(env or {})
        self._time_scale = time_scale
        self._layers = LayerStore(work)

    async def prepare(self, revision: Revision) -> Launch:
        """Pull what is missing and say what to run. Sets the revision's digest. Raises StartFailed."""
        service = ServiceName.parse(revision.service)
        secrets = self._secrets_of(revision, service)
        secrets()  # Cloud Run checks access before it starts anything
        try:
            self._check_pull(service.project, Reference.parse(str(revision.container["image"])))
            # By digest once it is known: the tag of an image may have moved since the revision was made.
            image = await pull(self._source, _pinned(revision), await asyncio.to_thread(self._scratch))
            root = await self._layers.root_of(self._source, image)
            interpreters = await asyncio.to_thread(Interpreters.under, self._work)
            runs = await asyncio.to_thread(command, image.config, revision.container, root, interpreters)
        except ImageRefused as refused:
            raise StartFailed(refused.reason, refused.message) from refused
        except NotExecutable as error:
            message = f"The container cannot be started: {error}."
            raise StartFailed("HEALTH_CHECK_CONTAINER_ERROR", message, reason_field="revisionReason") from error
        revision.digest = image.digest
        names = {"K_SERVICE": service.service, "K_CONFIGURATION": service.service, "K_REVISION": revision.name}
        return Launch(
            command=runs,
            env={**self._env, **names},
            secrets=secrets,
            probes=self._probes(revision.container),
            port=revision.container["ports"][0]["containerPort"],
        )

    def _check_pull(self, project: str, image: Reference) -> None:
        """Images are pulled by the service agent of the project, not by the account that the service runs as. Raises ImageRefused."""
        agent, repository = run_service_agent(project), repository_name(image.host, image.repository)
        if self.allows(agent, "artifactregistry.repositories.downloadArtifacts", repository):
            return
        raise ImageRefused(
            "CONTAINER_IMAGE_UNAUTHORIZED",
            f"Google Cloud Run Service Agent {agent} must have permission to read the image, {image.host}/{image.repository}. "
            f"The image is in project {project_of(repository)}, the service in {project}.",
        )

    def home(self, revision: Revision) -> Path:
        """The folder its processes call home; made when new."""
        folder = self._work / "homes" / ServiceName.parse(revision.service).project / revision.name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _secrets_of(self, revision: Revision, service: ServiceName) -> Callable[[], Mapping[str, str]]:
        account = revision.template.get("serviceAccount", "")

        def read() -> Mapping[str, str]:
            values = {}
            for variable in revision.container.get("env", []):
                reference = variable.get("valueSource", {}).get("secretKeyRef")
                if reference is not None:
                    values[variable["name"]] = self._secret(account, service.project, reference)
            return values

        return read

    def _secret(self, account: str, project: str, reference: Mapping[str, Any]) -> str:
        name = reference["secret"]
        full = name if name.startswith("projects/") else f"projects/{project}/secrets/{name}"
        try:
            return self._read_secret(account, full, reference["version"]).decode()
        except (LookupError, PermissionError) as error:
            raise StartFailed("SECRETS_ACCESS_CHECK_FAILED", f"Secret {full}: {error.args[0]}") from error
        except UnicodeDecodeError as error:
            message = f"Secret {full}/versions/{reference['version']} is not UTF-8, as a variable must be."
            raise StartFailed("SECRETS_ACCESS_CHECK_FAILED", message) from error

    def _probes(self, container: Mapping[str, Any]) -> Probes:
        def parsed(name: str) -> Probe | None:
            return Probe.parse(container[name], scale=self._time_scale) if name in container else None

        startup = Probe.parse(container["startupProbe"], scale=self._time_scale)
        return Probes(startup=startup, liveness=parsed("livenessProbe"), readiness=parsed("readinessProbe"))

    def _scratch(self) -> Path:
        return self._layers.scratch


def _pinned(revision: Revision) -> str:
    image = str(revision.container["image"])
    if not revision.digest or "@" in image:
        return image
    folder, _, last = image.rpartition("/")
    return f"{folder}/{last.partition(':')[0]}@{revision.digest}"
