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
    """When it was over."""
    busy: float
    """Seconds of processor time of what it started; the rest of its time it waited for others."""
    guests: float
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
    """When it was over; 0 when it was not."""
    attempt: int
    """1, or more for a re-run."""
    steps: list[Step] = field(default_factory=list)
    """Those that began, in order."""
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
    """Whose event it was."""
    conclusion: str
    """As of a job."""
    created: float
    """When the event came."""
    ended: float
    """When the last of its jobs was over."""
    github_requests: int
    """Requests with its jobs' tokens that counted: GitHub gives a repository 1,000 an hour, all jobs together."""
    jobs: list[Job] = field(default_factory=list)
    """By attempt, then in the order in which they were made."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of a story's diary."""

    kind: str
    """act, wait, proof, live, message, faults, or failure for the one in which the story ended."""
    text: str
    """What happened, in one line."""
    who: str
    """Login of the person who did it; empty for what nobody did."""
    started: float
    """When it began."""
    ended: float
    """When it was over; the same for what took no time."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What belongs to it: exit code, run, release, error, …"""


@dataclass(frozen=True, kw_only=True)
class Sight:
    """One request of the users' client, at a public address."""

    at: float
    """When it was sent."""
    ms: float
    """Until the whole answer was there, in milliseconds."""
    ok: bool
    """Whether the answer was the one a user wants."""
    release: str
    """Which release answered; for a failure what went wrong."""


@dataclass(frozen=True, kw_only=True)
class Shift:
    """A moment in which a provider was told to send users elsewhere."""

    at: float
    """When the provider was asked."""
    component: str
    """Whose users."""
    text: str
    """What then got how much."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A span of time in which a client never stopped asking."""

    title: str
    """What went on meanwhile."""
    environment: str
    """Whose public addresses it asked."""
    users: dict[str, list[Sight]]
    """Component -> requests, oldest first."""
    shifts: list[Shift] = field(default_factory=list)
    """Oldest first."""


@dataclass(frozen=True, kw_only=True)
class Live:
    """A release that went live."""

    at: float
    """When the story saw it."""
    text: str
    """In one line."""
    environment: str
    """staging or production."""
    release: str
    """Its name: v1.2.0, or sha-1234567 on staging."""
    run: int | None = None
    """The run that brought it, if one did."""


@dataclass(frozen=True, kw_only=True)
class Return:
    """A release that was taken back."""

    at: float
    """When it was over."""
    text: str
    """In one line."""
    seconds: float
    """From the decision, by a person or by a failed check, until users had the earlier one."""


@dataclass(frozen=True, kw_only=True)
class Caught:
    """A bad release, and what kept it from staying."""

    release: str
    """Its name."""
    wrong: str
    """What it does that it should not, in words."""
    by: str
    """The gate that refused it."""
    share: int
    """Per cent of the traffic that it had at most; 0 when it was caught before it had any."""
    exposed: float
    """Seconds in which it had traffic."""
    failed: int
    """Users' requests that failed from its start until it was caught, whoever answered them."""
    asked: int
    """Users' requests in the same time."""
    seconds: float
    """From its start until the earlier release served alone, for good."""


@dataclass(frozen=True, kw_only=True)
class Hits:
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
class Picture:
    """A screenshot."""

    title: str
    """What it shows."""
    file: str
    """Path of the PNG beside report.json."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """What people were sent."""

    via: str
    """slack or smtp."""
    at: float
    """When it arrived."""
    text: str
    """All of its text."""


@dataclass(frozen=True, kw_only=True)
class Story:
    """One story as it was told."""

    name: str
    """As in `shipmate rehearse --story NAME`."""
    title: str
    """In words."""
    passed: bool
    """Whether all of it held."""
    problem: str
    """What did not hold, or the trace of what broke; empty when it passed."""
    started: float
    """When it began."""
    ended: float
    """When it was over."""
    entries: list[Entry] = field(default_factory=list)
    """Its diary, in the order of beginnings."""
    runs: list[Run] = field(default_factory=list)
    """Created while it was told, oldest first."""
    scenes: list[Scene] = field(default_factory=list)
    """What users saw."""
    live: list[Live] = field(default_factory=list)
    """What went live."""
    returns: list[Return] = field(default_factory=list)
    """What was taken back."""
    caught: list[Caught] = field(default_factory=list)
    """Bad releases, in the order in which they were tried."""
    faults: list[Hits] = field(default_factory=list)
    """What the providers did that they should not."""
    messages: list[Message] = field(default_factory=list)
    """What people were sent meanwhile, oldest first."""
    pictures: list[Picture] = field(default_factory=list)
    """Taken at its end."""
    missing: dict[str, str] = field(default_factory=dict)
    """Title of a picture that could not be taken -> why."""

    @property
    def seconds(self) -> float:
        return self.ended - self.started


@dataclass(frozen=True, kw_only=True)
class Share:
    """Where time went: a part of the rehearsal's clock."""

    what: str
    """What was at work; "waiting" is the rest."""
    seconds: float
    """Its part of every moment, added up."""
    part: float
    """Of the whole, 0 to 1. All parts add up to 1."""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """How the conversation with the providers was held against their descriptions."""

    requests: dict[str, int]
    """Emulator -> requests it answered."""
    violations: list[str]
    """Breaches, each in words; one is enough for the rehearsal to fail."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """A whole rehearsal."""

    version: int = 1
    """Of this format; a field that goes or changes its meaning makes it the next."""
    passed: bool
    """Every story passed, and no contract was breached."""
    repository: str
    """What was delivered: owner/name."""
    started: float
    """When the first story began."""
    ended: float
    """When the last was over."""
    machine: dict[str, str]
    """What the figures were measured on, in words: cores, python, system, world (how long it took to be ready)."""
    began: str = ""
    """What it began in, when that was a kept world and no new one."""
    untold: list[str] = field(default_factory=list)
    """Names of the stories that were not told, since what they start from failed."""
    stories: list[Story]
    """In the order of `shipmate rehearse --list`; two are told at a time."""
    shares: list[Share]
    """Where the time went; seconds since the first beginning."""
    checked: Checked
    """The providers' contracts."""
