"""Where a component lives: the targets of an environment, one type for each provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from pipelines.manifest.metadata import policy_key, release_key


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """Instances of the live service."""

    min: int = field(default=2, metadata=policy_key("Instances kept ready."))
    max: int = field(default=50, metadata=policy_key("Instances at the most."))


@dataclass(frozen=True, kw_only=True)
class Probes:
    """Paths the platform asks to know how an instance is."""

    startup: str = field(default="/health/ready", metadata=policy_key("Traffic is possible once this answers 200."))
    liveness: str = field(default="/health/live", metadata=policy_key("The instance is restarted when this fails."))


@dataclass(frozen=True, kw_only=True)
class Vpc:
    """How instances reach a private network: by a connector, or directly by network and subnet."""

    connector: str | None = field(
        default=None,
        metadata=policy_key("Serverless VPC Access connector.", "projects/p/locations/europe-west1/connectors/c"),
    )
    network: str | None = field(default=None, metadata=policy_key("Network of direct egress.", "default"))
    subnet: str | None = field(default=None, metadata=policy_key("Its subnet.", "default"))
    egress: Literal["private-ranges-only", "all-traffic"] = field(
        default="private-ranges-only", metadata=policy_key("What goes that way.")
    )


@dataclass(frozen=True, kw_only=True)
class CloudRun:
    """A service on Google Cloud Run. Of CPU, memory, concurrency, time-out, network and databases what is left out stays as the serving
    revision has it."""

    provider: Literal["cloud-run"] = field(metadata=policy_key("cloud-run"))
    project: str = field(metadata=policy_key("Google Cloud project."))
    region: str = field(metadata=policy_key("Region.", "europe-west1"))
    service: str = field(metadata=policy_key("Name of the service."))
    url: str = field(metadata=policy_key("Its public address."))
    service_account: str = field(metadata=policy_key("The account its instances run as."))
    scaling: Scaling = field(default=Scaling(), metadata=release_key("Instances."))
    probes: Probes = field(default=Probes(), metadata=release_key("Health probes."))
    cpu: str | None = field(default=None, metadata=release_key("CPUs of an instance.", "2"))
    memory: str | None = field(default=None, metadata=release_key("Memory of an instance.", "1Gi"))
    concurrency: int | None = field(
        default=None, metadata=release_key("Requests that an instance takes at once; 80 for a new service.", 80)
    )
    timeout_seconds: int | None = field(
        default=None, metadata=release_key("How long a request may take; 300 for a new service.", 300)
    )
    start_seconds: int = field(
        default=40, metadata=release_key("How long an instance may take until `probes.startup` answers; at most 240.")
    )
    vpc: Vpc | None = field(default=None, metadata=policy_key("The private network it reaches."))
    cloud_sql: tuple[str, ...] | None = field(
        default=None,
        metadata=policy_key("Cloud SQL instances whose sockets stand below /cloudsql.", ["project:region:instance"]),
    )
    env: Mapping[str, str] = field(default_factory=dict, metadata=release_key("Plain environment variables."))
    secrets: Mapping[str, str] = field(
        default_factory=dict,
        metadata=release_key(
            "Environment variables from Secret Manager: secret@version (a number).", {"DATABASE_URL": "database-url@1"}
        ),
    )
    workers: bool = field(
        default=True, metadata=release_key("Run background workers in the live revision (never in a candidate).")
    )
    shift: tuple[int, ...] = field(
        default=(10, 50, 100), metadata=policy_key("Steps of traffic, in per cent, each watched.")
    )
    watch_seconds: float = field(default=30.0, metadata=policy_key("How long each step is watched."))
    database_secret: str | None = field(
        default=None, metadata=policy_key("Secret with the address the migrations run against: secret@version.")
    )
    migrate_by: Literal["workflow", "job"] = field(
        default="workflow",
        metadata=policy_key(
            "Where migrations run: workflow: in the workflow's job, which must reach the database; job: in a Cloud Run job of the "
            "release's image, in the service's network and as its account (the image needs `migrator: true`)."
        ),
    )
    probe_secret: str | None = field(
        default=None,
        metadata=policy_key(
            "Secret that smoke checks and journeys send as `X-Shipmate-Probe`, so that a rate limit of the app knows them: secret@version.",
            "probe-token@1",
        ),
    )
    database_read_secret: str | None = field(
        default=None,
        metadata=policy_key(
            "Secret with an address of the same database for a user who may only read: rows that a migration would violate are counted "
            "there; left out: at `database_secret`, in a session that can only read.",
            "read-database-url@1",
        ),
    )
    database_copy_secret: str | None = field(
        default=None,
        metadata=policy_key(
            "Secret with the address of a copy or a branch of the database, with credentials of its own: migrations are tried there "
            "when a release is planned.",
            "copy-database-url@1",
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Vercel:
    """A site on Vercel."""

    provider: Literal["vercel"] = field(metadata=policy_key("vercel"))
    team: str = field(metadata=policy_key("Team slug."))
    project: str = field(metadata=policy_key("Project name."))
    url: str = field(metadata=policy_key("Its public address."))
    config: Mapping[str, str] = field(
        default_factory=dict,
        metadata=release_key("Written to config.json beside the build: what the app reads at run time."),
    )
    # All traffic moves at once, and no database is behind it.
    shift: ClassVar[tuple[int, ...]] = (100,)
    watch_seconds: ClassVar[float] = 0.0
    database_secret: ClassVar[None] = None
    migrate_by: ClassVar[Literal["workflow"]] = "workflow"
    probe_secret: ClassVar[None] = None
    database_read_secret: ClassVar[None] = None
    database_copy_secret: ClassVar[None] = None


Target = CloudRun | Vercel
"""Each has url, shift, watch_seconds and the keys of databases and probes, as manifest keys or as class constants."""
