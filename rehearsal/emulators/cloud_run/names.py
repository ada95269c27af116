"""Names: resources, revisions, and the run.app hosts made of them."""

from __future__ import annotations

import base64
import hashlib
import random
import re
from dataclasses import dataclass
from functools import cache

from rehearsal.emulators.google.access import project_number
from rehearsal.emulators.google.errors import invalid

_SERVICE_ID = re.compile(r"[a-z](?:[a-z0-9-]{0,47}[a-z0-9])?")
_REVISION = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_TAG = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?")
_LONGEST_LABEL = 63
_SUFFIX_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, order=True)
class ServiceName:
    """`projects/P/locations/L/services/S`."""

    project: str
    location: str
    service: str

    def __str__(self) -> str:
        return f"{self.parent}/services/{self.service}"

    @classmethod
    def parse(cls, text: str) -> ServiceName:
        """The reverse of `str`. Raises ValueError."""
        parts = text.split("/")
        if len(parts) != 6 or parts[::2] != ["projects", "locations", "services"]:
            raise ValueError(f"'{text}' is not projects/P/locations/L/services/S")
        return cls(parts[1], parts[3], parts[5])

    @property
    def parent(self) -> str:
        """`projects/P/locations/L`."""
        return f"projects/{self.project}/locations/{self.location}"

    def revision(self, name: str) -> str:
        """The full name of one of its revisions."""
        return f"{self}/revisions/{name}"

    def host(self, tag: str = "") -> str:
        """`[tag---]service-hash-region.a.run.app`.

        The real hash is the project's and opaque; here it is made of the project's name. The region's letters are the
        initials of its parts ("europe-west1" is "ew").
        """
        region = "".join(part[0] for part in self.location.split("-"))
        prefix = f"{tag}---" if tag else ""
        return f"{prefix}{self.service}-{_project_hash(self.project)}-{region}.a.run.app"

    def numbered_host(self) -> str:
        """`service-PROJECT_NUMBER.region.run.app`: the address that is known before the service exists."""
        return f"{self.service}-{project_number(self.project)}.{self.location}.run.app"


@dataclass(frozen=True, order=True)
class JobName:
    """`projects/P/locations/L/jobs/J`."""

    project: str
    location: str
    job: str

    def __str__(self) -> str:
        return f"{self.parent}/jobs/{self.job}"

    @property
    def parent(self) -> str:
        """`projects/P/locations/L`."""
        return f"projects/{self.project}/locations/{self.location}"

    def execution(self, name: str) -> str:
        """The full name of one of its executions."""
        return f"{self}/executions/{name}"


def check_job_id(job_id: str) -> None:
    """Raises GoogleError INVALID_ARGUMENT."""
    if not _REVISION.fullmatch(job_id):
        raise invalid(
            "jobId", f"'{job_id}': lower case letters, digits and '-', begins with a letter, at most 63 long."
        )


def generated_execution(job: JobName, dice: random.Random) -> str:
    """`job-abcde`, as Cloud Run names executions."""
    return f"{job.job}-{''.join(dice.choice(_SUFFIX_LETTERS) for _ in range(5))}"


def check_service_id(service_id: str) -> None:
    """Raises GoogleError INVALID_ARGUMENT."""
    if not _SERVICE_ID.fullmatch(service_id):
        raise invalid(
            "serviceId", f"'{service_id}': lower case letters, digits and '-', begins with a letter, at most 49 long."
        )


def check_revision_name(service: ServiceName, name: str) -> None:
    """A revision's name is the service's, '-', and a suffix. Raises GoogleError INVALID_ARGUMENT."""
    if not _REVISION.fullmatch(name) or not name.startswith(f"{service.service}-"):
        raise invalid(
            "template.revision", f"'{name}' must begin with '{service.service}-' and be a DNS label of at most 63."
        )


def check_tag(service: ServiceName, tag: str) -> None:
    """A tag becomes part of a host name. Raises GoogleError INVALID_ARGUMENT."""
    if not _TAG.fullmatch(tag):
        raise invalid("traffic.tag", f"'{tag}': lower case letters, digits and '-', begins with a letter.")
    label = service.host(tag).partition(".")[0]
    if len(label) > _LONGEST_LABEL:
        raise invalid("traffic.tag", f"'{tag}' makes the host label {label} longer than {_LONGEST_LABEL}.")


def generated_revision(service: ServiceName, generation: int, dice: random.Random) -> str:
    """`service-00042-abc`, as Cloud Run names revisions that were given no name."""
    suffix = "".join(dice.choice(_SUFFIX_LETTERS) for _ in range(3))
    return f"{service.service}-{generation:05d}-{suffix}"


@cache
def _project_hash(project: str) -> str:
    digest = hashlib.sha256(project.encode()).digest()
    return base64.b32encode(digest).decode().lower()[:10]
