"""shipmate.yml as types. Each field's `doc` is the documentation and the schema; see fill.py for what fills them.

A key is policy unless it is marked as the release's: policy is read from the protected default branch alone, the release's keys from the
commit that is released (definition.py puts the two together).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from pipelines.manifest.mobile import Mobile
from pipelines.manifest.performance import Load, Performance
from pipelines.manifest.release import Release


def said(doc: str, example: Any = None, **more: Any) -> dict[str, Any]:
    """Metadata of a field: what it means, and a value for the annotated example."""
    return {"doc": doc, "example": example, **more}


def defined(doc: str, example: Any = None, **more: Any) -> dict[str, Any]:
    """`said` for a key that belongs to the release: its value is the one of the commit that is released."""
    return said(doc, example, release=True, **more)


@dataclass(frozen=True, kw_only=True)
class Image:
    """How a component becomes a container image."""

    repository: str = field(metadata=said("Where it is pushed: host/path, without tag."))
    builder: Literal["assembler", "buildx"] = field(
        default="assembler",
        metadata=defined(
            "assembler: our deterministic one, for Python; needs base, requirements, sources and command. "
            "buildx: a Dockerfile, by docker buildx; needs dockerfile."
        ),
    )
    base: str = field(default="", metadata=defined("Assembler: the image it stands on, pinned: name:tag@sha256:…"))
    requirements: str = field(
        default="", metadata=defined("Assembler: locked requirements with hashes, the dependency layer.")
    )
    sources: tuple[str, ...] = field(
        default=(),
        metadata=defined(
            "Assembler: folders of the repository that become the application layer, as `folder` or `folder -> name`."
        ),
    )
    command: tuple[str, ...] = field(default=(), metadata=defined("Assembler: what the container runs."))
    python: str = field(
        default="3.11",
        metadata=defined(
            "Assembler: Python to choose wheels for, where the base does not say its own (PYTHON_VERSION)."
        ),
    )
    dockerfile: str = field(default="", metadata=defined("Buildx: path of the Dockerfile.", "apps/hello/Dockerfile"))
    context: str = field(
        default=".", metadata=defined("Buildx: the folder of the repository that COPY takes files from.", "apps/hello")
    )


KEYS_OF_BUILDERS: Mapping[str, tuple[str, ...]] = {
    "assembler": ("base", "requirements", "sources", "command"),
    "buildx": ("dockerfile",),
}
"""What an image must say for its builder."""


@dataclass(frozen=True, kw_only=True)
class Build:
    """How a component becomes a folder of files."""

    run: tuple[str, ...] = field(metadata=defined("Commands, run in the repository's root."))
    output: str = field(metadata=defined("The folder they make."))
    repository: str = field(metadata=said("Where the build is kept, as an OCI artifact: host/path, without tag."))
    node: tuple[str, ...] = field(
        default=(), metadata=defined("Folders with a package-lock.json whose modules the commands need.", ["apps/web"])
    )


@dataclass(frozen=True, kw_only=True)
class Component:
    """A part of the platform that is delivered, or that others depend on."""

    paths: tuple[str, ...] = field(metadata=said("Globs of the files that belong to it."))
    depends_on: tuple[str, ...] = field(default=(), metadata=said("Components whose change affects this one."))
    image: Image | None = field(default=None, metadata=defined("For a service: its container image."))
    build: Build | None = field(default=None, metadata=defined("For a site: its build."))
    migrations: str | None = field(
        default=None, metadata=defined("Folder of SQL migrations NNNN_name.(expand|contract).sql.")
    )


@dataclass(frozen=True, kw_only=True)
class Check:
    """One job of CI, or one for each Python it lists."""

    run: tuple[str, ...] = field(
        metadata=said("Commands, each without a shell's help unless written so; stops at the first failure.")
    )
    components: tuple[str, ...] = field(metadata=said("Run when one of these is affected."))
    title: str | None = field(
        default=None, metadata=said("What its job is called on GitHub; left out: the check's name.")
    )
    timeout_minutes: int = field(default=15, metadata=said("Its job is ended after this many minutes."))
    node: tuple[str, ...] = field(
        default=(),
        metadata=said("Folders that need Node; the modules of those with a package-lock.json are installed."),
    )
    python: bool = field(
        default=True, metadata=said("Needs the development requirements; false: only those the suite itself runs on.")
    )
    pythons: tuple[str, ...] = field(
        default=(), metadata=said("A job for each of these Pythons, like 3.14; left out: one job on the suite's own.")
    )
    not_rehearsed: str = field(
        default="",
        metadata=said(
            "Why a rehearsal does not run it, for a check that needs more than one machine should download; the report of a rehearsal "
            "says so, and never that it passed. GitHub's runners run it whatever this says.",
            "its packages are 400 MB",
        ),
    )
    services: tuple[Literal["postgres", "redis"], ...] = field(default=(), metadata=said("Services the commands need."))
    reports: tuple[str, ...] = field(default=(), metadata=said("Globs of JUnit files to turn into annotations."))

    def titles(self, name: str) -> dict[str, str]:
        """Of each of its jobs: name -> title on GitHub. `name` is the check's own."""
        title = self.title or name
        if not self.pythons:
            return {name: title}
        return {f"{name}-{python}": f"{title} (Python {python})" for python in self.pythons}


@dataclass(frozen=True, kw_only=True)
class Ci:
    """What a pull request must pass."""

    checks: Mapping[str, Check] = field(metadata=said("By name; ci.yml has a job for each."))
    always: tuple[str, ...] = field(
        default=(".github/**", "shipmate.yml"), metadata=said("Files whose change affects every component.")
    )
    ignore: tuple[str, ...] = field(default=("docs/**", "**/*.md"), metadata=said("Files that affect nothing."))


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """Instances of the live service."""

    min: int = field(default=2, metadata=said("Instances kept ready."))
    max: int = field(default=50, metadata=said("Instances at the most."))


@dataclass(frozen=True, kw_only=True)
class Probes:
    """Paths the platform asks to know how an instance is."""

    startup: str = field(default="/health/ready", metadata=said("Traffic is possible once this answers 200."))
    liveness: str = field(default="/health/live", metadata=said("The instance is restarted when this fails."))


@dataclass(frozen=True, kw_only=True)
class Vpc:
    """How instances reach a private network: by a connector, or directly by network and subnet."""

    connector: str | None = field(
        default=None,
        metadata=said("Serverless VPC Access connector.", "projects/p/locations/europe-west1/connectors/c"),
    )
    network: str | None = field(default=None, metadata=said("Network of direct egress.", "default"))
    subnet: str | None = field(default=None, metadata=said("Its subnet.", "default"))
    egress: Literal["private-ranges-only", "all-traffic"] = field(
        default="private-ranges-only", metadata=said("What goes that way.")
    )


@dataclass(frozen=True, kw_only=True)
class CloudRun:
    """A service on Google Cloud Run. Of CPU, memory, concurrency, time-out, network and databases what is left out stays as the serving
    revision has it."""

    provider: Literal["cloud-run"] = field(metadata=said("cloud-run"))
    project: str = field(metadata=said("Google Cloud project."))
    region: str = field(metadata=said("Region.", "europe-west1"))
    service: str = field(metadata=said("Name of the service."))
    url: str = field(metadata=said("Its public address."))
    service_account: str = field(metadata=said("The account its instances run as."))
    scaling: Scaling = field(default=Scaling(), metadata=defined("Instances."))
    probes: Probes = field(default=Probes(), metadata=defined("Health probes."))
    cpu: str | None = field(default=None, metadata=defined("CPUs of an instance.", "2"))
    memory: str | None = field(default=None, metadata=defined("Memory of an instance.", "1Gi"))
    concurrency: int | None = field(
        default=None, metadata=defined("Requests that an instance takes at once; 80 for a new service.", 80)
    )
    timeout_seconds: int | None = field(
        default=None, metadata=defined("How long a request may take; 300 for a new service.", 300)
    )
    start_seconds: int = field(
        default=40, metadata=defined("How long an instance may take until `probes.startup` answers; at most 240.")
    )
    vpc: Vpc | None = field(default=None, metadata=said("The private network it reaches."))
    cloud_sql: tuple[str, ...] | None = field(
        default=None,
        metadata=said("Cloud SQL instances whose sockets stand below /cloudsql.", ["project:region:instance"]),
    )
    env: Mapping[str, str] = field(default_factory=dict, metadata=defined("Plain environment variables."))
    secrets: Mapping[str, str] = field(
        default_factory=dict,
        metadata=defined(
            "Environment variables from Secret Manager: secret@version (a number).", {"DATABASE_URL": "database-url@1"}
        ),
    )
    workers: bool = field(
        default=True, metadata=defined("Run background workers in the live revision (never in a candidate).")
    )
    shift: tuple[int, ...] = field(default=(10, 50, 100), metadata=said("Steps of traffic, in per cent, each watched."))
    watch_seconds: float = field(default=30.0, metadata=said("How long each step is watched."))
    database_secret: str | None = field(
        default=None, metadata=said("Secret with the address the migrations run against: secret@version.")
    )
    probe_secret: str | None = field(
        default=None,
        metadata=said(
            "Secret that smoke checks and journeys send as `X-Shipmate-Probe`, so that a rate limit of the app knows them: secret@version.",
            "probe-token@1",
        ),
    )
    database_read_secret: str | None = field(
        default=None,
        metadata=said(
            "Secret with an address of the same database for a user who may only read: rows that a migration would violate are counted "
            "there; left out: at `database_secret`, in a session that can only read.",
            "read-database-url@1",
        ),
    )
    database_copy_secret: str | None = field(
        default=None,
        metadata=said(
            "Secret with the address of a copy or a branch of the database, with credentials of its own: migrations are tried there "
            "when a release is planned.",
            "copy-database-url@1",
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Vercel:
    """A site on Vercel."""

    provider: Literal["vercel"] = field(metadata=said("vercel"))
    team: str = field(metadata=said("Team slug."))
    project: str = field(metadata=said("Project name."))
    url: str = field(metadata=said("Its public address."))
    config: Mapping[str, str] = field(
        default_factory=dict,
        metadata=defined("Written to config.json beside the build: what the app reads at run time."),
    )
    # All traffic moves at once, and no database is behind it.
    shift: ClassVar[tuple[int, ...]] = (100,)
    watch_seconds: ClassVar[float] = 0.0
    database_secret: ClassVar[None] = None
    probe_secret: ClassVar[None] = None
    database_read_secret: ClassVar[None] = None
    database_copy_secret: ClassVar[None] = None


Target = CloudRun | Vercel
"""Each has url, shift, watch_seconds, database_secret and probe_secret, as keys or as facts: plans and steps ask no more."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request from outside, and what its answer must be."""

    path: str = field(default="/", metadata=said("Path asked for."))
    method: Literal["GET", "POST", "OPTIONS", "HEAD", "PUT", "PATCH", "DELETE"] = field(
        default="GET", metadata=said("HTTP method.")
    )
    headers: Mapping[str, str] = field(default_factory=dict, metadata=said("Headers sent."))
    body: str = field(default="", metadata=said("Body sent."))
    status: int = field(default=200, metadata=said("Status expected."))
    contains: tuple[str, ...] = field(default=(), metadata=said("Texts the body must contain."))
    json: Mapping[str, str] = field(
        default_factory=dict,
        metadata=said("Dotted keys of a JSON body and their values, like `items.0.name`."),
    )
    answer_headers: Mapping[str, str] = field(
        default_factory=dict, metadata=said("Headers the answer must have; a value is a regular expression.")
    )
    within_ms: int | None = field(default=None, metadata=said("Slowest answer allowed, in milliseconds."))


@dataclass(frozen=True, kw_only=True)
class Smoke(Request):
    """One check from outside: a request and what its answer must be; {release} and {commit} are filled in."""

    name: str = field(metadata=said("What it proves, in a few words."))
    component: str = field(metadata=said("Whose address `path` is below."))
    tls_days: int | None = field(
        default=None, metadata=said("The certificate must be valid for at least this many days.")
    )
    cors_origin: str | None = field(
        default=None, metadata=said("An origin that must be allowed (and a made-up one refused).")
    )


@dataclass(frozen=True, kw_only=True)
class JourneyRequest(Request):
    """A request of a journey; {visit} and what earlier requests took are filled in (not in `answer_headers`)."""

    save: Mapping[str, str] = field(
        default_factory=dict,
        metadata=said("Values taken from a JSON answer for later requests: name -> dotted key.", {"note": "id"}),
    )
    find: Mapping[str, str] = field(
        default_factory=dict,
        metadata=said(
            "Texts taken from an answer for later requests: name -> regular expression with one group.",
            {"script": 'src="/(assets/[^"]+\\.js)"'},
        ),
    )
    always: bool = field(
        default=False,
        metadata=said("Done also when a request before it failed: it removes what the journey made."),
    )
    think_seconds: float = field(
        default=1.0,
        metadata=said(
            "Load tests: how long a user takes on average between the answer before and this request; nothing before the first."
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Journey:
    """What a user does, as requests one after the other: asked of a candidate, of what is live, and of both to compare them."""

    component: str = field(metadata=said("Whose address the paths are below."))
    requests: tuple[JourneyRequest, ...] = field(
        metadata=said("In their order; after one that failed only those with `always` are done.")
    )
    weight: float = field(
        default=1.0, metadata=said("Load tests: how often users do this, beside the weights of the other journeys.")
    )


@dataclass(frozen=True, kw_only=True)
class Deployer:
    """The Google account deployments run as, reached with GitHub's OIDC token."""

    workload_identity: str = field(
        metadata=said("Audience: //iam.googleapis.com/projects/N/locations/global/workloadIdentityPools/P/providers/X")
    )
    service_account: str = field(metadata=said("Account to become."))


@dataclass(frozen=True, kw_only=True)
class Approval:
    """Who may let a release into an environment. Read from the head of the default branch at the moment somebody asks."""

    environment: str = field(
        metadata=said(
            "GitHub environment of the job that asks. With reviewers it asks them; without, people answer by comment.",
            "production-approval",
        )
    )
    break_glass_environment: str = field(
        default="",
        metadata=said(
            "GitHub environment of that job when somebody goes without approval; its reviewers are on call.",
            "production-break-glass",
        ),
    )
    by: tuple[str, ...] = field(default=(), metadata=said("Logins that may approve."))
    permission: Literal["write", "maintain", "admin"] = field(
        default="write", metadata=said("What an approver needs on the repository.")
    )
    expires_minutes: int = field(default=240, metadata=said("An approval older than this counts no more."))
    break_glass: tuple[str, ...] = field(
        default=(), metadata=said("Logins whose review lets a release go without approval; everybody is told.")
    )


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What a watch looks for while traffic moves: pairs of requests, one to the candidate and one to live (docs/DELIVERY.md)."""

    worse_by: float = field(
        default=2.0,
        metadata=said(
            "The smallest difference to find: a candidate that fails so many more of a hundred requests than live."
        ),
    )
    slower_by_ms: float = field(
        default=100.0,
        metadata=said(
            "An answer is slow that takes so many milliseconds longer than live's, and longer by `slower_by`."
        ),
    )
    slower_by: float = field(default=25.0, metadata=said("... in per cent of live's time."))
    pairs_per_second: float = field(
        default=10.0, metadata=said("Pairs asked for in a second; each is two requests beside those of users.")
    )
    patience_seconds: float = field(
        default=600.0,
        metadata=said(
            "How long a step may go on until it is decided; it fails when it still is not, or nothing was measured."
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Where a release runs. Every other key is the name of a component and says where it lives."""

    branch: str | None = field(default=None, metadata=said("Deployed on every push to it."))
    github_environment: str = field(
        default="",
        metadata=said("GitHub environment of the jobs that deploy here; empty: of the same name.", "production-deploy"),
    )
    proved_by: str | None = field(
        default=None, metadata=said("The environment where a release must have been proved first.", "staging")
    )
    approval: Approval | None = field(default=None, metadata=said("Who lets a release in."))
    unapproved: str = field(
        default="",
        metadata=said(
            "Why releases enter without anybody's approval: needed where `proved_by` stands without `approval`."
        ),
    )
    accept_unprotected: str = field(
        default="",
        metadata=said(
            "Why a release may enter although GitHub does not protect what the trust stands on (`shipmate doctor`)."
        ),
    )
    hold_seconds: float = field(
        default=900.0,
        metadata=said("A delivery that is held (`shipmate hold`) goes back to what was live after so many seconds."),
    )
    deployer: Deployer | None = field(default=None, metadata=said("Google identity for deployments."))
    smoke: tuple[Smoke, ...] = field(
        default=(),
        metadata=said(
            "Checks from outside after a deployment: those of the default branch, and what the release adds."
        ),
    )
    watch: Watch = field(default=Watch(), metadata=said("How a candidate is compared with live while traffic moves."))
    targets_required: str = field(
        default="",
        metadata=said(
            "One of `performance/profiles`. Refuse a release unless the newest load test of this profile on `proved_by` that could tell "
            "met every target of `performance` for the components that live here. Without it the plan only tells.",
            "smoke",
        ),
    )
    load: Load | None = field(default=None, metadata=said("What a load test may do here; without it none may be made."))
    targets: Mapping[str, Target] = field(default_factory=dict, metadata=said("Where a component lives.", rest=True))


@dataclass(frozen=True, kw_only=True)
class Quarantine:
    """A browser test that runs, and whose failure stops nothing for a while."""

    test: str = field(metadata=said("Its name in the JUnit file, without what it is parametrised with.", "test_search"))
    owner: str = field(metadata=said("Who fixes it.", "dev-1"))
    until: str = field(
        metadata=said(
            "The last day, YYYY-MM-DD (UTC). After it the test counts again, and staging fails by it.", "2026-12-31"
        )
    )
    reason: str = field(metadata=said("Why it may fail, best with the issue.", "flaky since #12"))


@dataclass(frozen=True, kw_only=True)
class BrowserTests:
    """What a user does, in a browser, against an environment that was just deployed. It is code of the release, and has no secret."""

    run: tuple[str, ...] = field(metadata=defined("Commands, run in the repository's root."))
    report: str = field(metadata=defined("The JUnit file they write: what did not run has not passed."))
    read_only: tuple[str, ...] = field(
        default=(),
        metadata=defined(
            "Commands for those tests that change nothing: run against the candidate before it has users, and against production "
            "after; the same `report`. Without any, no browser looks at production. Before users come, E2E_ROUTES maps the origins "
            "of public addresses to the candidates' own and E2E_ROUTE_HEADERS those to headers (both JSON): requests of the page "
            "must be sent there."
        ),
    )
    thorough: tuple[str, ...] = field(
        default=(),
        metadata=defined(
            "Commands for all tests, also those that a delivery does without: run every night against an environment that is not "
            "guarded by an approval or a proof (a guarded one gets `read_only`); the same `report`; without any, those of `run`. "
            "E2E_SHARD (from 1) and E2E_SHARDS say which share of the tests to run of how many, E2E_DURATIONS names a JSON file of "
            "test to seconds that makes shares equally long. Beside the report, with the ending .json, they leave an account "
            "(e2e/README.md has its form): what was collected and what ran. `read_only` is divided in the same way at night."
        ),
    )
    env: Mapping[str, str] = field(
        default_factory=dict,
        metadata=defined(
            "Their environment variables: {release}, {artifacts} (a folder that is kept) and {url of a component} are filled in.",
            {"E2E_WEB_URL": "{url of web}", "E2E_EXPECT_RELEASE": "{release}"},
        ),
    )
    quarantine: tuple[Quarantine, ...] = field(
        default=(),
        metadata=said(
            "Tests whose failure stops nothing for a while: the default branch's, also for a release that is older."
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Email:
    """Mail alerts."""

    sender: str = field(metadata=said("From."))
    to: tuple[str, ...] = field(metadata=said("To."))
    server: str = field(
        metadata=said("host:port. Encrypted from the start on 465, else by STARTTLS where the server offers it.")
    )
    login: bool = field(
        default=True,
        metadata=said(
            "Whether the server wants SMTP_USER and SMTP_PASSWORD. They are sent encrypted or not at all; without them no mail is tried."
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Alerts:
    """Who is told of failed deployments and of rollbacks. Addresses with a token in them are secrets, not written here."""

    slack_channel: str | None = field(
        default=None, metadata=said("Channel of the incoming webhook in the secret SLACK_WEBHOOK.")
    )
    email: Email | None = field(default=None, metadata=said("Mail."))
    when: tuple[Literal["deployment-failed", "rolled-back", "break-glass", "released"], ...] = field(
        default=("deployment-failed", "rolled-back", "break-glass"), metadata=said("What is told.")
    )


@dataclass(frozen=True, kw_only=True)
class Platform:
    """What is delivered."""

    name: str = field(metadata=said("A short name."))
    repository: str = field(metadata=said("owner/name on GitHub."))


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The one file a team edits."""

    platform: Platform = field(metadata=said("What is delivered."))
    components: Mapping[str, Component] = field(metadata=said("Its parts."))
    ci: Ci = field(metadata=said("What a pull request must pass."))
    environments: Mapping[str, Environment] = field(metadata=said("Where it runs."))
    journeys: Mapping[str, Journey] = field(
        default_factory=dict,
        metadata=said(
            "What users do, by name: those of the default branch, and what the release adds under other names.",
        ),
    )
    browser_tests: BrowserTests | None = field(
        default=None,
        metadata=defined("What users do, in a browser: on staging, and what changes nothing in production."),
    )
    performance: Performance = field(
        default=Performance(), metadata=said("What is promised, and the load under which it must hold.")
    )
    mobile: Mobile | None = field(
        default=None, metadata=said("The apps of the stores; without it, there are none that are released here.")
    )
    release: Release = field(default=Release(), metadata=said("Versions, changelog and GitHub releases."))
    alerts: Alerts = field(default=Alerts(), metadata=said("Who is told."))
    file: Path = field(default=Path("shipmate.yml"), metadata={"hidden": True})

    @property
    def root(self) -> Path:
        """The folder the paths in the manifest are relative to."""
        return self.file.resolve().parent
