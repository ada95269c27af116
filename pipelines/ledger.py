"""The history of what went live when, by whom and from which run, kept in GitHub Deployments.

A record is one deployment of task `shipmate` (or `shipmate:rollback`); its payload is what was known when it was opened, and never
changes; what comes later goes into statuses. Providers are the truth of what is live; this is how it came to be.
Source: docs.github.com/rest/deployments
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pipelines.faults import once

if TYPE_CHECKING:
    from pipelines.github import GitHub

State = Literal["queued", "in_progress", "success", "failure", "error", "inactive"]
DEPLOY = "shipmate"
ROLLBACK = "shipmate:rollback"
DESCRIPTION_LIMIT = 140


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened to a record."""

    state: str
    text: str
    at: str
    by: str
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One deployment or rollback."""

    id: int
    task: str
    environment: str
    release: str
    commit: str
    artifacts: Mapping[str, str] = field(default_factory=dict)
    """Component -> digest."""
    run: str = ""
    """URL of the run."""
    run_id: str = ""
    attempt: str = ""
    plan: str = ""
    """Digest of the plan people approved."""
    by: str = ""
    at: str = ""
    events: tuple[Event, ...] = ()
    """Newest first."""

    @property
    def state(self) -> str:
        return self.events[0].state if self.events else "queued"

    def approval(self) -> Event | None:
        """The newest approval on the record."""
        return next(
            (event for event in self.events if event.text.startswith(("approved by ", "break-glass by "))), None
        )


class Ledger:
    """The records of one repository."""

    def __init__(self, github: GitHub) -> None:
        self.github = github

    def records(self, environment: str, *, limit: int = 30, events: bool = True) -> list[Record]:
        """Newest first, deployments and rollbacks; each with its events when asked (one call a record)."""
        found: list[Record] = []

        def read() -> list[Any]:
            path = f"/repos/{self.github.name}/deployments?environment={environment}&per_page=100"
            raw: list[Any] = self.github.json("GET", path)
            return raw

        for raw in read():
            if raw["task"] in (DEPLOY, ROLLBACK) and len(found) < limit:
                found.append(self._record(raw, events=events))
        return found

    def of_run(self, environment: str, run_id: str, task: str = DEPLOY) -> Record | None:
        """The record a run opened."""
        return next((r for r in self.records(environment, events=False) if (r.run_id, r.task) == (run_id, task)), None)

    def live(self, environment: str) -> Record | None:
        """The newest record that ended well."""
        return next((r for r in self.records(environment) if r.state == "success"), None)

    def open(
        self,
        *,
        environment: str,
        release: str,
        commit: str,
        artifacts: Mapping[str, str],
        run: str,
        run_id: str,
        attempt: str,
        plan: str = "",
        task: str = DEPLOY,
    ) -> Record:
        """The record of this run, made when there is none yet: once, whatever answers are lost."""
        payload = {
            "release": release,
            "commit": commit,
            "artifacts": dict(artifacts),
            "run": run,
            "run_id": run_id,
            "attempt": attempt,
            "plan": plan,
        }
        body = {
            "ref": commit,
            "task": task,
            "environment": environment,
            "description": _short(f"{release} by {run or 'hand'}"),
            "payload": payload,
            "auto_merge": False,
            "required_contexts": [],
            "production_environment": environment == "production",
        }

        def find() -> Record | None:
            return self.of_run(environment, run_id, task) if run_id else None

        def write() -> Record:
            raw = self.github.json("POST", f"/repos/{self.github.name}/deployments", body)
            return self._record(raw, events=False)

        return find() or once(write, find, policy=self.github.policy)

    def note(self, record: Record, state: State, text: str, *, url: str = "", live_url: str = "") -> None:
        """Add an event. Repeated after a lost answer it may stand twice, which harms nothing."""
        body: dict[str, Any] = {"state": state, "description": _short(text), "auto_inactive": False}
        if url:
            body["log_url"] = url
        if live_url:
            body["environment_url"] = live_url
        path = f"/repos/{self.github.name}/deployments/{record.id}/statuses"

        def write() -> bool:
            self.github.json("POST", path, body)
            return True

        def find() -> bool | None:
            newest = self._events(record.id)[:1]
            return True if newest and (newest[0].state, newest[0].text) == (state, _short(text)) else None

        once(write, find, policy=self.github.policy)

    def _record(self, raw: Mapping[str, Any], *, events: bool) -> Record:
        payload = raw.get("payload") or {}
        if isinstance(payload, str):
            payload = json.loads(payload) if payload.startswith("{") else {}
        return Record(
            id=raw["id"],
            task=raw["task"],
            environment=raw["environment"],
            release=payload.get("release", raw.get("ref", "")),
            commit=payload.get("commit", raw["sha"]),
            artifacts=payload.get("artifacts", {}),
            run=payload.get("run", ""),
            run_id=str(payload.get("run_id", "")),
            attempt=str(payload.get("attempt", "")),
            plan=payload.get("plan", ""),
            by=(raw.get("creator") or {}).get("login", ""),
            at=raw["created_at"],
            events=self._events(raw["id"]) if events else (),
        )

    def _events(self, deployment: int) -> tuple[Event, ...]:
        raw = self.github.json("GET", f"/repos/{self.github.name}/deployments/{deployment}/statuses?per_page=100")
        events = [
            Event(
                state=item["state"],
                text=item.get("description") or "",
                at=item["created_at"],
                by=(item.get("creator") or {}).get("login", ""),
                url=item.get("log_url") or "",
            )
            for item in raw
        ]
        return tuple(sorted(events, key=lambda event: event.at, reverse=True))


def _short(text: str) -> str:
    """GitHub refuses longer descriptions."""
    return text if len(text) <= DESCRIPTION_LIMIT else text[: DESCRIPTION_LIMIT - 1] + "…"
