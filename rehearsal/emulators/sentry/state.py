"""Projects, and the events that arrived for them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from rehearsal.emulators.sentry.envelope import Item


@dataclass(kw_only=True)
class Event:
    """An error or a transaction."""

    id: str
    project: str
    type: str
    """"error" or "transaction"."""
    received: float
    release: str | None
    environment: str | None
    level: str
    title: str
    payload: dict[str, Any]


@dataclass(kw_only=True)
class Sessions:
    """Sessions of one release in one environment, received at one time."""

    project: str
    received: float
    release: str | None
    environment: str | None
    total: int
    crashed: int


@dataclass(kw_only=True)
class Release:
    """A release that was announced; `given` is its description."""

    version: str
    created: float
    projects: list[str] = field(default_factory=list)
    given: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class BundledFile:
    """A script or a source map in a bundle."""

    type: str
    """"minified_source" or "source_map", and two more."""
    url: str
    """`~/assets/index.js`"""
    debug_id: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """Scripts and source maps that came together."""

    id: str
    received: float
    projects: list[str]
    files: list[BundledFile]


@dataclass(kw_only=True)
class Assembly:
    """How far a bundle is that was asked for."""

    chunks: list[str]
    projects: list[str]
    state: str = "created"
    """created, assembling, ok, error"""
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project; its public key is in the DSN that its SDKs get."""

    id: str
    slug: str
    public_key: str


@dataclass(kw_only=True)
class Organization:
    """One organization."""

    slug: str
    clock: Callable[[], float] = time.time
    projects: dict[str, Project] = field(default_factory=dict)
    """By slug."""
    events: list[Event] = field(default_factory=list)
    sessions: list[Sessions] = field(default_factory=list)
    releases: dict[str, Release] = field(default_factory=dict)
    """By version, those that were announced."""
    chunk_size: int = 256 * 1024
    """Bytes at the most; Sentry has 8 MB, which no build of a rehearsal would be more than one of."""
    chunks: dict[str, bytes] = field(default_factory=dict)
    """By SHA-1."""
    assemblies: dict[str, Assembly] = field(default_factory=dict)
    """By the SHA-1 of the bundle."""
    bundles: dict[str, Bundle] = field(default_factory=dict)
    """The same, those that are done."""

    def add_projects(self, slugs: Iterable[str]) -> None:
        """Create projects, numbered from 1, each with a key."""
        for slug in slugs:
            number = str(len(self.projects) + 1)
            key = uuid.uuid5(uuid.NAMESPACE_DNS, f"{self.slug}/{slug}").hex
            self.projects[slug] = Project(id=number, slug=slug, public_key=key)

    def source_maps(self, project: str) -> dict[str, str]:
        """Debug id -> source map, of a project."""
        return {
            file.debug_id: file.text
            for bundle in self.bundles.values()
            if project in bundle.projects
            for file in bundle.files
            if file.type == "source_map" and file.debug_id
        }

    def project_by_id(self, number: str) -> Project | None:
        """The project an SDK names."""
        return next((project for project in self.projects.values() if project.id == number), None)

    def take(self, project: Project, item: Item) -> str | None:
        """Keep an item of an envelope; the id of an event."""
        payload = item.payload
        if item.type in ("event", "transaction") and isinstance(payload, dict):
            return self._keep_event(project, "error" if item.type == "event" else "transaction", payload)
        if item.type == "session" and payload.get("init"):
            self._keep_sessions(project, payload.get("attrs", {}), 1, int(payload.get("status") == "crashed"))
        elif item.type == "session" and payload.get("status") == "crashed":
            self._keep_sessions(project, payload.get("attrs", {}), 0, 1)
        elif item.type == "sessions":
            counts = payload.get("aggregates", [])
            crashed = sum(int(count.get("crashed", 0)) for count in counts)
            others = sum(int(count.get(kind, 0)) for count in counts for kind in ("exited", "errored", "abnormal"))
            self._keep_sessions(project, payload.get("attrs", {}), others + crashed, crashed)
        return None

    def _keep_event(self, project: Project, kind: str, payload: dict[str, Any]) -> str:
        event_id = str(payload.get("event_id") or uuid.uuid4().hex).replace("-", "")
        self.events.append(
            Event(
                id=event_id,
                project=project.slug,
                type=kind,
                received=self.clock(),
                release=payload.get("release"),
                environment=payload.get("environment"),
                level=str(payload.get("level", "error" if kind == "error" else "info")),
                title=title_of(payload),
                payload=payload,
            )
        )
        return event_id

    def _keep_sessions(self, project: Project, attributes: dict[str, Any], total: int, crashed: int) -> None:
        self.sessions.append(
            Sessions(
                project=project.slug,
                received=self.clock(),
                release=attributes.get("release"),
                environment=attributes.get("environment"),
                total=total,
                crashed=crashed,
            )
        )


def title_of(payload: dict[str, Any]) -> str:
    """How Sentry names an event: its exception, else its message, else its transaction."""
    values = (payload.get("exception") or {}).get("values") or []
    if values:
        last = values[-1]
        return f"{last.get('type', 'Error')}: {last.get('value', '')}"
    message = payload.get("message") or (payload.get("logentry") or {}).get("formatted")
    if isinstance(message, dict):
        message = message.get("formatted") or message.get("message")
    return str(message or payload.get("transaction") or "<unlabeled event>")
