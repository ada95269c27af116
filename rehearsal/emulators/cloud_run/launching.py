"""From a revision's template to something that runs: its image, its secrets, its command and its probes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.emulators.cloud_run.command import Command, NotExecutable, command
from rehearsal.emulators.cloud_run.executions import Execution
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


DatabaseServer = Callable[[], tuple[str, int]]
"""Host and port of the server that Cloud SQL's sockets lead to."""


@dataclass(frozen=True, kw_only=True)
class TaskLaunch:
    """What the task of an execution runs; each of its attempts is a process of its own."""

    command: Command
    env: Mapping[str, str]


class Launcher:
    """Prepares revisions and tasks. `env` is added to every process (a mark of the world, to find its processes by)."""

    def __init__(
        self,
        work: Path,
        source: ImageSource,
        read_secret: ReadSecret = no_secrets,
        *,
        allows: Allows = everything_allowed,
        env: Mapping[str, str] | None = None,
        time_scale: float = 1.0,
        database_server: DatabaseServer | None = None,
    ) -> None:
        self._work = work
        self.allows = allows
        self._source = source
        self._read_secret = read_secret
        self._env = dict(env or {})
        self._time_scale = time_scale
        self._database_server = database_server
        self._layers = LayerStore(work)

    async def prepare(self, revision: Revision) -> Launch:
        """Pull what is missing and say what to run. Sets the revision's digest. Raises StartFailed."""
        service = ServiceName.parse(revision.service)
        secrets = self._secrets_of(revision.template, service.project)
        secrets()  # Cloud Run checks access before it starts anything
        # By digest once it is known: the tag of an image may have moved since the revision was made.
        runs, revision.digest = await self._runnable(service.project, revision.container, _pinned(revision))
        names = {"K_SERVICE": service.service, "K_CONFIGURATION": service.service, "K_REVISION": revision.name}
        return Launch(
            command=runs,
            env={**self._env, **names, **self._sockets(revision.template)},
            secrets=secrets,
            probes=self._probes(revision.container),
            port=revision.container["ports"][0]["containerPort"],
        )

    async def prepare_task(self, execution: Execution) -> TaskLaunch:
        """The same for the task of an execution. Raises StartFailed."""
        job = execution.job
        secrets = self._secrets_of(execution.template, job.project)()
        runs, _ = await self._runnable(job.project, execution.container, str(execution.container["image"]))
        names = {"CLOUD_RUN_JOB": job.job, "CLOUD_RUN_EXECUTION": execution.name}
        tasks = {"CLOUD_RUN_TASK_INDEX": "0", "CLOUD_RUN_TASK_COUNT": "1"}
        return TaskLaunch(
            command=runs, env={**self._env, **names, **tasks, **self._sockets(execution.template), **secrets}
        )

    async def _runnable(self, project: str, container: Mapping[str, Any], image: str) -> tuple[Command, str]:
        """What to execute of a container, and the digest of its image. Raises StartFailed."""
        try:
            self._check_pull(project, Reference.parse(str(container["image"])))
            pulled = await pull(self._source, image, await asyncio.to_thread(self._scratch))
            root = await self._layers.root_of(self._source, pulled)
            interpreters = await asyncio.to_thread(Interpreters.under, self._work)
            runs = await asyncio.to_thread(command, pulled.config, container, root, interpreters)
        except ImageRefused as refused:
            raise StartFailed(refused.reason, refused.message) from refused
        except NotExecutable as error:
            message = f"The container cannot be started: {error}."
            raise StartFailed("HEALTH_CHECK_CONTAINER_ERROR", message, reason_field="revisionReason") from error
        return runs, pulled.digest

    def _sockets(self, template: Mapping[str, Any]) -> Mapping[str, str]:
        """Where the sockets of Cloud SQL below /cloudsql lead, for clients that go by libpq: there is no such folder here."""
        volumes = (volume.get("cloudSqlInstance", {}) for volume in template.get("volumes", ()))
        instances = [instance for volume in volumes for instance in volume.get("instances", ())]
        account = template.get("serviceAccount", "")
        if self._database_server is None or not any(self._connects(account, instance) for instance in instances):
            return {}
        host, port = self._database_server()
        return {"PGHOSTADDR": host, "PGPORT": str(port)}

    def _connects(self, account: str, instance: str) -> bool:
        project, _, name = instance.rsplit(":", 2)
        return self.allows(account, "cloudsql.instances.connect", f"projects/{project}/instances/{name}")

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
        return self._home(ServiceName.parse(revision.service).project, revision.name)

    def home_of_task(self, execution: Execution) -> Path:
        """The same for the task of an execution."""
        return self._home(execution.job.project, execution.name)

    def _home(self, project: str, name: str) -> Path:
        folder = self._work / "homes" / project / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _secrets_of(self, template: Mapping[str, Any], project: str) -> Callable[[], Mapping[str, str]]:
        account = template.get("serviceAccount", "")

        def read() -> Mapping[str, str]:
            values = {}
            for variable in template["containers"][0].get("env", []):
                reference = variable.get("valueSource", {}).get("secretKeyRef")
                if reference is not None:
                    values[variable["name"]] = self._secret(account, project, reference)
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
