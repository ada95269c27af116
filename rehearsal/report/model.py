"""What a report says. `report.json` is this, field by field; its schema is made from these types (schema.py)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a job."""

    name: str
    conclusion: str
    started: float
    """Seconds since the epoch, as all times here."""
    ended: float


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job of a run."""

    name: str
    conclusion: str
    created: float
    started: float
    ended: float
    attempt: int
    url: str
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of a workflow, with the jobs of all its attempts."""

    id: int
    workflow: str
    title: str
    event: str
    actor: str
    conclusion: str
    created: float
    ended: float
    url: str
    jobs: list[Job] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of a story's diary."""

    kind: str
    text: str
    who: str
    started: float
    ended: float
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Sight:
    """One request of the users' client."""

    at: float
    ms: float
    ok: bool
    release: str


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A screenshot; `data` is base64 of a PNG."""

    title: str
    data: str


@dataclass(frozen=True, kw_only=True)
class Story:
    """One story as it was told."""

    name: str
    title: str
    passed: bool
    problem: str
    started: float
    ended: float
    entries: list[Entry] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    users: dict[str, list[Sight]] = field(default_factory=dict)
    """Component -> requests, oldest first."""
    pictures: list[Picture] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return self.ended - self.started


@dataclass(frozen=True, kw_only=True)
class Share:
    """Where time went: seconds of the whole rehearsal's clock."""

    what: str
    seconds: float
    part: float
    """Of the whole, 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """How the conversation with the providers was held against their descriptions."""

    requests: dict[str, int]
    """Emulator -> requests it answered."""
    violations: list[str]


@dataclass(frozen=True, kw_only=True)
class Report:
    """A whole rehearsal."""

    version: int = 1
    passed: bool
    started: float
    ended: float
    machine: dict[str, str]
    stories: list[Story]
    shares: list[Share]
    messages: list[dict[str, str]]
    checked: Checked
