"""shipmate.yml as types. Each field's `doc` is the documentation and the schema; see fill.py for what fills them.

A key is policy unless it is marked as the release's: policy is read from the protected default branch alone, the release's keys from the
commit that is released (definition.py puts the two together).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipelines.manifest.components import Ci, Component
from pipelines.manifest.metadata import policy_key, release_key
from pipelines.manifest.mobile import Mobile
from pipelines.manifest.performance import Load, Performance
from pipelines.manifest.release import Release
from pipelines.manifest.targets import Target


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request from outside, and what its answer must be."""

    path: str = field(default="/", metadata=policy_key("Path asked for."))
    method: Literal["GET", "POST", "OPTIONS", "HEAD", "PUT", "PATCH", "DELETE"] = field(
        default="GET", metadata=policy_key("HTTP method.")
    )
    headers: Mapping[str, str] = field(default_factory=dict, metadata=policy_key("Headers sent."))
    body: str = field(default="", metadata=policy_key("Body sent."))
    status: int = field(default=200, metadata=policy_key("Status expected."))
    contains: tuple[str, ...] = field(default=(), metadata=policy_key("Texts the body must contain."))
    json: Mapping[str, str] = field(
        default_factory=dict,
        metadata=policy_key("Dotted keys of a JSON body and their values, like `items.0.name`."),
    )
    answer_headers: Mapping[str, str] = field(
        default_factory=dict, metadata=policy_key("Headers the answer must have; a value is a regular expression.")
    )
    within_ms: int | None = field(default=None, metadata=policy_key("Slowest answer allowed, in milliseconds."))


@dataclass(frozen=True, kw_only=True)
class Smoke(Request):
    """One check from outside: a request and what its answer must be; {release} and {commit} are filled in."""

    name: str = field(metadata=policy_key("What it proves, in a few words."))
    component: str = field(metadata=policy_key("Whose address `path` is below."))
    tls_days: int | None = field(
        default=None, metadata=policy_key("The certificate must be valid for at least this many days.")
    )
    cors_origin: str | None = field(
        default=None, metadata=policy_key("An origin that must be allowed (and a made-up one refused).")
    )


@dataclass(frozen=True, kw_only=True)
class JourneyRequest(Request):
    """A request of a journey; {visit} and what earlier requests took are filled in (not in `answer_headers`)."""

    save: Mapping[str, str] = field(
        default_factory=dict,
        metadata=policy_key("Values taken from a JSON answer for later requests: name -> dotted key.", {"note": "id"}),
    )
    find: Mapping[str, str] = field(
        default_factory=dict,
        metadata=policy_key(
            "Texts taken from an answer for later requests: name -> regular expression with one group.",
            {"script": 'src="/(assets/[^"]+\\.js)"'},
        ),
    )
    always: bool = field(
        default=False,
        metadata=policy_key("Done also when a request before it failed: it removes what the journey made."),
    )
    think_seconds: float = field(
        default=1.0,
        metadata=policy_key(
            "Load tests: how long a user takes on average between the answer before and this request; nothing before the first."
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Journey:
    """What a user does, as requests one after the other: asked of a candidate, of what is live, and of both to compare them."""

    component: str = field(metadata=policy_key("Whose address the paths are below."))
    requests: tuple[JourneyRequest, ...] = field(
        metadata=policy_key("In their order; after one that failed only those with `always` are done.")
    )
    weight: float = field(
        default=1.0,
        metadata=policy_key("Load tests: how often users do this, beside the weights of the other journeys."),
    )


@dataclass(frozen=True, kw_only=True)
class Deployer:
    """The Google account deployments run as, reached with GitHub's OIDC token."""

    workload_identity: str = field(
        metadata=policy_key(
            "Audience: //iam.googleapis.com/projects/N/locations/global/workloadIdentityPools/P/providers/X"
        )
    )
    service_account: str = field(metadata=policy_key("Account to become."))


@dataclass(frozen=True, kw_only=True)
class Approval:
    """Who may let a release into an environment. Read from the head of the default branch at the moment someone asks."""

    environment: str = field(
        metadata=policy_key(
            "GitHub environment of the job that asks. With reviewers it asks them; without, people answer by comment.",
            "production-approval",
        )
    )
    break_glass_environment: str = field(
        default="",
        metadata=policy_key(
            "GitHub environment of that job when someone goes without approval; its reviewers are on call.",
            "production-break-glass",
        ),
    )
    by: tuple[str, ...] = field(default=(), metadata=policy_key("Logins that may approve."))
    permission: Literal["write", "maintain", "admin"] = field(
        default="write", metadata=policy_key("What an approver needs on the repository.")
    )
    expires_minutes: int = field(default=240, metadata=policy_key("An approval older than this counts no more."))
    break_glass: tuple[str, ...] = field(
        default=(),
        metadata=policy_key("Logins whose review lets a release go without approval; everybody is notified."),
    )


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What a watch looks for while traffic moves: pairs of requests, one to the candidate and one to live (docs/DELIVERY.md)."""

    worse_by: float = field(
        default=2.0,
        metadata=policy_key(
            "The smallest difference to find: a candidate that fails so many more of a hundred requests than live."
        ),
    )
    slower_by_ms: float = field(
        default=100.0,
        metadata=policy_key(
            "An answer is slow that takes so many milliseconds longer than live's, and longer by `slower_by`."
        ),
    )
    slower_by: float = field(default=25.0, metadata=policy_key("... in per cent of live's time."))
    pairs_per_second: float = field(
        default=10.0, metadata=policy_key("Pairs asked for in a second; each is two requests beside those of users.")
    )
    patience_seconds: float = field(
        default=600.0,
        metadata=policy_key(
            "How long a step may go on until it is decided; it fails when it still is not, or nothing was measured."
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Where a release runs. Every other key is the name of a component and says where it lives."""

    branch: str | None = field(default=None, metadata=policy_key("Deployed on every push to it."))
    github_environment: str = field(
        default="",
        metadata=policy_key(
            "GitHub environment of the jobs that deploy here; empty: of the same name.", "production-deploy"
        ),
    )
    proved_by: str | None = field(
        default=None, metadata=policy_key("The environment where a release must have been proved first.", "staging")
    )
    approval: Approval | None = field(default=None, metadata=policy_key("Who lets a release in."))
    unapproved: str = field(
        default="",
        metadata=policy_key(
            "Why releases enter without anybody's approval: needed where `proved_by` stands without `approval`."
        ),
    )
    accept_unprotected: str = field(
        default="",
        metadata=policy_key(
            "Why a release may enter although GitHub does not protect what the trust stands on (`shipmate doctor`)."
        ),
    )
    hold_seconds: float = field(
        default=900.0,
        metadata=policy_key(
            "A delivery that is held (`shipmate hold`) goes back to what was live after so many seconds."
        ),
    )
    deployer: Deployer | None = field(default=None, metadata=policy_key("Google identity for deployments."))
    smoke: tuple[Smoke, ...] = field(
        default=(),
        metadata=policy_key(
            "Checks from outside after a deployment: those of the default branch, and what the release adds."
        ),
    )
    patience_seconds: float = field(
        default=30.0,
        metadata=policy_key(
            "How long a check that failed is asked again: traffic takes seconds to move, and instances to start. 0 to 300; one that "
            "passed late says so, and a release that answers wrongly again and again is not waited for."
        ),
    )
    watch: Watch = field(
        default=Watch(), metadata=policy_key("How a candidate is compared with live while traffic moves.")
    )
    targets_required: str = field(
        default="",
        metadata=policy_key(
            "One of `performance/profiles`. Refuse a release unless the newest load test of this profile on `proved_by` that could tell "
            "met every target of `performance` for the components that live here. Without it the plan only tells.",
            "smoke",
        ),
    )
    load: Load | None = field(
        default=None, metadata=policy_key("What a load test may do here; without it none may be made.")
    )
    targets: Mapping[str, Target] = field(
        default_factory=dict, metadata=policy_key("Where a component lives.", rest=True)
    )


@dataclass(frozen=True, kw_only=True)
class Quarantine:
    """A browser test that runs, and whose failure stops nothing for a while."""

    test: str = field(
        metadata=policy_key("Its name in the JUnit file, without what it is parametrised with.", "test_search")
    )
    owner: str = field(metadata=policy_key("Who fixes it.", "dev-1"))
    until: str = field(
        metadata=policy_key(
            "The last day, YYYY-MM-DD (UTC). After it the test counts again, and staging fails by it.", "2026-12-31"
        )
    )
    reason: str = field(metadata=policy_key("Why it may fail, best with the issue.", "flaky since #12"))


@dataclass(frozen=True, kw_only=True)
class BrowserTests:
    """What a user does, in a browser, against an environment that was just deployed. It is code of the release, and has no secret."""

    run: tuple[str, ...] = field(metadata=release_key("Commands, run in the repository's root."))
    report: str = field(metadata=release_key("The JUnit file they write: what did not run has not passed."))
    read_only: tuple[str, ...] = field(
        default=(),
        metadata=release_key(
            "Commands for those tests that change nothing: run against the candidate before it has users, and against production "
            "after; the same `report`. Without any, no browser looks at production. Before users come, E2E_ROUTES maps the origins "
            "of public addresses to the candidates' own and E2E_ROUTE_HEADERS those to headers (both JSON): requests of the page "
            "must be sent there."
        ),
    )
    thorough: tuple[str, ...] = field(
        default=(),
        metadata=release_key(
            "Commands for all tests, also those that a delivery does without: run every night against an environment that is not "
            "guarded by an approval or a proof (a guarded one gets `read_only`); the same `report`; without any, those of `run`. "
            "E2E_SHARD (from 1) and E2E_SHARDS say which share of the tests to run of how many, E2E_DURATIONS names a JSON file of "
            "test to seconds that makes shares equally long. Beside the report, with the ending .json, they leave an account "
            "(e2e/README.md has its form): what was collected and what ran. `read_only` is divided in the same way at night."
        ),
    )
    env: Mapping[str, str] = field(
        default_factory=dict,
        metadata=release_key(
            "Their environment variables: {release}, {artifacts} (a folder that is kept) and {url of a component} are filled in.",
            {"E2E_WEB_URL": "{url of web}", "E2E_EXPECT_RELEASE": "{release}"},
        ),
    )
    quarantine: tuple[Quarantine, ...] = field(
        default=(),
        metadata=policy_key(
            "Tests whose failure stops nothing for a while: the default branch's, also for a release that is older."
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Email:
    """Mail alerts."""

    sender: str = field(metadata=policy_key("From."))
    to: tuple[str, ...] = field(metadata=policy_key("To."))
    server: str = field(
        metadata=policy_key("host:port. Encrypted from the start on 465, else by STARTTLS where the server offers it.")
    )
    login: bool = field(
        default=True,
        metadata=policy_key(
            "Whether the server requires SMTP_USER and SMTP_PASSWORD. They are sent encrypted or not at all; without them no mail is tried."
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Alerts:
    """Who is notified of failed deployments and of rollbacks. Addresses with a token in them are secrets, not written here."""

    slack_channel: str | None = field(
        default=None, metadata=policy_key("Channel of the incoming webhook in the secret SLACK_WEBHOOK.")
    )
    email: Email | None = field(default=None, metadata=policy_key("Mail."))
    when: tuple[Literal["deployment-failed", "rolled-back", "break-glass", "released"], ...] = field(
        default=("deployment-failed", "rolled-back", "break-glass"), metadata=policy_key("Which events are notified.")
    )


@dataclass(frozen=True, kw_only=True)
class Platform:
    """What is delivered."""

    name: str = field(metadata=policy_key("A short name."))
    repository: str = field(metadata=policy_key("owner/name on GitHub."))


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The one file a team edits."""

    platform: Platform = field(metadata=policy_key("What is delivered."))
    components: Mapping[str, Component] = field(metadata=policy_key("Its parts."))
    ci: Ci = field(metadata=policy_key("What a pull request must pass."))
    environments: Mapping[str, Environment] = field(metadata=policy_key("Where it runs."))
    journeys: Mapping[str, Journey] = field(
        default_factory=dict,
        metadata=policy_key(
            "What users do, by name: those of the default branch, and what the release adds under other names.",
        ),
    )
    browser_tests: BrowserTests | None = field(
        default=None,
        metadata=release_key("What users do, in a browser: on staging, and what changes nothing in production."),
    )
    performance: Performance = field(
        default=Performance(), metadata=policy_key("What is promised, and the load under which it must hold.")
    )
    mobile: Mobile | None = field(
        default=None, metadata=policy_key("The apps of the stores; without it, there are none that are released here.")
    )
    release: Release = field(default=Release(), metadata=policy_key("Versions, changelog and GitHub releases."))
    alerts: Alerts = field(default=Alerts(), metadata=policy_key("Who is notified."))
    file: Path = field(default=Path("shipmate.yml"), metadata={"hidden": True})

    @property
    def root(self) -> Path:
        """The folder the paths in the manifest are relative to."""
        return self.file.resolve().parent
