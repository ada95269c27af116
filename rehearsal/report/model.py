"""What a report says. `report.json` is this, field by field; its schema and its reference page are made from here (schema.py)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a job."""

    name: str
    """As the workflow names it."""
    conclusion: str
    """success, failure, cancelled or skipped."""
    started: float
    """Seconds since the epoch, as all times here."""
    ended: float
    """When it ended."""
    busy: float
    """Seconds of processor time of what it started; the rest of its time it waited for others."""
    nested_busy: float
    """Seconds of processor time of the actions that its own action uses: stand-ins of actions from outside."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job of a run, in one attempt."""

    id: int
    """GitHub's number of the job."""
    name: str
    """As GitHub shows it."""
    conclusion: str
    """success, failure, cancelled, skipped or timed_out; its status when it had not ended."""
    created: float
    """When all it needed was finished."""
    started: float
    """When a runner took it; 0 when none did."""
    ended: float
    """When it ended; 0 when it had not."""
    attempt: int
    """1, or more for a re-run."""
    steps: list[Step] = field(default_factory=list)
    """Those that started, in order."""
    log: list[str] = field(default_factory=list)
    """The last lines of a job that failed, without their times; empty for the others."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of a workflow, with the jobs of all its attempts."""

    id: int
    """GitHub's number of the run; each story has a GitHub of its own."""
    workflow: str
    """Name of the workflow."""
    title: str
    """What started it: a commit's or a pull request's title, or the workflow's run-name."""
    event: str
    """push, pull_request, workflow_dispatch, …"""
    actor: str
    """Who started it."""
    conclusion: str
    """As of a job."""
    created: float
    """When the event happened."""
    ended: float
    """When the last of its jobs ended."""
    github_requests: int
    """Requests with its jobs' tokens that counted: GitHub gives a repository 1,000 an hour, all jobs together."""
    jobs: list[Job] = field(default_factory=list)
    """By attempt, then in the order in which they were made."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event of a story's log."""

    kind: str
    """action, wait, assertion, live, notification, faults, or failure for the one in which the story ended."""
    text: str
    """What happened, in one line."""
    user: str
    """Login of the user who did it; empty where there is none."""
    started: float
    """When it started."""
    ended: float
    """When it ended; the same for what took no time."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What belongs to it: exit code, run, release, error, …"""


@dataclass(frozen=True, kw_only=True)
class UserRequest:
    """One request of the synthetic users, at a public address."""

    at: float
    """When it was sent."""
    ms: float
    """Until the whole answer was there, in milliseconds."""
    ok: bool
    """Whether the answer was the expected one."""
    release: str
    """Which release answered; for a failure what went wrong."""


@dataclass(frozen=True, kw_only=True)
class TrafficShift:
    """A request to a provider that moves users' traffic."""

    at: float
    """When the provider was asked."""
    component: str
    """Whose traffic."""
    text: str
    """Which release then got how much."""


@dataclass(frozen=True, kw_only=True)
class UserTraffic:
    """A span of time in which synthetic users sent requests without a pause."""

    title: str
    """What went on meanwhile."""
    environment: str
    """Whose public addresses."""
    requests: dict[str, list[UserRequest]]
    """Component -> requests, oldest first."""
    shifts: list[TrafficShift] = field(default_factory=list)
    """Oldest first."""


@dataclass(frozen=True, kw_only=True)
class WentLive:
    """A release that went live."""

    at: float
    """When the story observed it."""
    text: str
    """In one line."""
    environment: str
    """staging or production."""
    release: str
    """Its name: v1.2.0, or sha-1234567 on staging."""
    run: int | None = None
    """The run that deployed it, if one did."""


@dataclass(frozen=True, kw_only=True)
class Rollback:
    """A release that was rolled back."""

    at: float
    """When it was over."""
    text: str
    """In one line."""
    seconds: float
    """From the decision, by a person or by a failed check, until users had the earlier release."""


@dataclass(frozen=True, kw_only=True)
class CaughtRelease:
    """A bad release, and the gate that caught it."""

    release: str
    """Its name."""
    defect: str
    """What it does that it should not, in words."""
    gate: str
    """The gate that refused it."""
    traffic_percent: int
    """Per cent of the traffic that it had at most; 0 when it was caught before it had any."""
    exposed_seconds: float
    """Seconds in which it had traffic."""
    failed_requests: int
    """Users' requests that failed from its start until it was caught, whichever release answered them."""
    requests: int
    """Users' requests in the same time."""
    seconds: float
    """From its start until the earlier release served alone, for good."""


@dataclass(frozen=True, kw_only=True)
class FaultHits:
    """Faults of one kind that hit one kind of request."""

    kind: str
    """delay, status, cut, throttle or lose_answer."""
    emulator: str
    """Which provider misbehaved."""
    method: str
    """HTTP method."""
    path: str
    """Of the first request that was hit."""
    times: int
    """How many requests were hit."""


@dataclass(frozen=True, kw_only=True)
class Screenshot:
    """A screenshot."""

    title: str
    """What it shows."""
    file: str
    """Path of the PNG beside report.json."""


@dataclass(frozen=True, kw_only=True)
class Notification:
    """A message that the pipeline sent."""

    via: str
    """slack or smtp."""
    at: float
    """When it arrived."""
    text: str
    """All of its text."""


@dataclass(frozen=True, kw_only=True)
class Story:
    """One story that was run."""

    name: str
    """As in `shipmate rehearse --story NAME`."""
    title: str
    """In words."""
    passed: bool
    """Whether every assertion held."""
    problem: str
    """The assertion that failed, or the trace of an error; empty when it passed."""
    started: float
    """When it started."""
    ended: float
    """When it ended."""
    events: list[Event] = field(default_factory=list)
    """Its log, in the order in which they started."""
    runs: list[Run] = field(default_factory=list)
    """Created while it ran, oldest first."""
    traffic: list[UserTraffic] = field(default_factory=list)
    """The requests of synthetic users."""
    live: list[WentLive] = field(default_factory=list)
    """Releases that went live."""
    rollbacks: list[Rollback] = field(default_factory=list)
    """Releases that were rolled back."""
    caught: list[CaughtRelease] = field(default_factory=list)
    """Bad releases, in the order in which they were tried."""
    faults: list[FaultHits] = field(default_factory=list)
    """Faults of the providers that hit requests."""
    notifications: list[Notification] = field(default_factory=list)
    """Messages that were sent meanwhile, oldest first."""
    screenshots: list[Screenshot] = field(default_factory=list)
    """Taken at its end."""
    missing_screenshots: dict[str, str] = field(default_factory=dict)
    """Title of a screenshot that could not be taken -> why."""

    @property
    def seconds(self) -> float:
        return self.ended - self.started


@dataclass(frozen=True, kw_only=True)
class TimeShare:
    """A part of the rehearsal's time."""

    activity: str
    """What took it; "waiting" is the rest."""
    seconds: float
    """Its part of every moment, added up."""
    part: float
    """Of the whole, 0 to 1. All parts add up to 1."""


@dataclass(frozen=True, kw_only=True)
class ContractChecks:
    """How requests and answers of the providers were validated against their descriptions."""

    requests: dict[str, int]
    """Emulator -> requests it answered."""
    violations: list[str]
    """Breaches, each in words; one is enough for the rehearsal to fail."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """A whole rehearsal."""

    version: int = 2
    """Of this format; a field that goes or changes its meaning makes it the next."""
    passed: bool
    """Every story passed, and no contract was breached."""
    repository: str
    """What was delivered: owner/name."""
    started: float
    """When the first story started."""
    ended: float
    """When the last one ended."""
    machine: dict[str, str]
    """What the figures were measured on, in words: cores, python, system, world (how long it took to be ready)."""
    started_from: str = ""
    """The kept world that it started from; empty for a new one."""
    not_run: list[str] = field(default_factory=list)
    """Names of the stories that were not run, because what they start from failed."""
    stories: list[Story]
    """In the order of `shipmate rehearse --list`; two run at a time."""
    time_shares: list[TimeShare]
    """Where the time went, from the first start to the last end."""
    contracts: ContractChecks
    """Validation against the providers' descriptions."""
