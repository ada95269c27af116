"""The history of what went live when, by whom and from which run, kept in GitHub Deployments for people to read.

A record is one deployment of task `shipmate` (or `shipmate:rollback`); its payload is what was known when it was opened, and never
changes; what comes later goes into statuses. Any workflow of any branch can write both, so nothing is decided by them: what is live,
stable, failed or withdrawn the providers say (roles.Marks), what was proved the proving run (proof.py), who approved the run's reviews.
Lists are asked for by task: the jobs' own `environment:` makes deployments too.
Source: docs.github.com/rest/deployments
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

from pipelines.faults import once

if TYPE_CHECKING:
    from pipelines.github import GitHub

State = Literal["queued", "in_progress", "success", "failure", "error", "inactive"]
DEPLOY = "shipmate"
ROLLBACK = "shipmate:rollback"
DESCRIPTION_LIMIT = 140


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event of a record."""

    id: int
    """Rises with time, over all records."""
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
    plan: str = ""
    """Digest of the plan."""
    by: str = ""
    """Who started it: of a workflow the login its job wrote down, of a terminal the account."""
    at: str = ""
    events: tuple[Event, ...] = ()
    """Newest first."""

    @property
    def state(self) -> str:
        return self.events[0].state if self.events else "queued"

    @property
    def ended_well(self) -> Event | None:
        """The last time it did, whatever became of it since."""
        return next((event for event in self.events if event.state == "success"), None)

    @property
    def stands(self) -> Event | None:
        """The last time it ended well, unless it was rolled back since. A run that was rolled back may be run again and end well."""
        return next(
            (event if event.state == "success" else None for event in self.events if event.state in _FINAL), None
        )


_FINAL = ("success", "inactive")


def live(records: Sequence[Record], component: str) -> Record | None:
    """What a component serves by the records: of those that stand, deployments and rollbacks alike, the one that ended well last."""
    return _newest((record, record.stands) for record in records if component in record.artifacts)


def last_of(records: Sequence[Record], component: str, release: str) -> Record | None:
    """By which record a component came to a release last; None when none ended well."""
    of = (record for record in records if component in record.artifacts and record.release == release)
    return _newest((record, record.ended_well) for record in of)


def _newest(pairs: Iterable[tuple[Record, Event | None]]) -> Record | None:
    found = [(event.id, record) for record, event in pairs if event is not None]
    return max(found, key=lambda pair: pair[0])[1] if found else None


class Ledger:
    """The records of one repository."""

    def __init__(self, github: GitHub) -> None:
        self.github = github

    def records(self, environment: str, *, limit: int = 30, events: bool = True) -> list[Record]:
        """Newest first, deployments and rollbacks; each with its events when asked (one call a record)."""
        return [self._record(raw, events=events) for raw in self._listed(environment)[:limit]]

    def of_run(self, environment: str, run_id: str, task: str = DEPLOY) -> Record | None:
        """The record a run opened; the first, should a lagging list ever have led to two."""
        listed = (self._record(raw, events=False) for raw in self._listed(environment, tasks=(task,)))
        return min((each for each in listed if each.run_id == run_id), key=lambda each: each.id, default=None)

    def open(
        self,
        *,
        environment: str,
        release: str,
        commit: str,
        artifacts: Mapping[str, str],
        run: str,
        run_id: str,
        plan: str = "",
        by: str = "",
        task: str = DEPLOY,
    ) -> Record:
        """The record of this run, made when there is none yet. Repeated after a lost answer it may stand twice, which harms nothing."""
        payload = {
            "release": release,
            "commit": commit,
            "artifacts": dict(artifacts),
            "run": run,
            "run_id": run_id,
            "plan": plan,
            **({"by": by} if by else {}),
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

    def _listed(self, environment: str, *, tasks: tuple[str, ...] = (DEPLOY, ROLLBACK)) -> list[Mapping[str, Any]]:
        """The newest hundred of each task, newest first."""
        found: list[Mapping[str, Any]] = []
        for task in tasks:
            query = urlencode({"environment": environment, "task": task, "per_page": "100"})
            found += self.github.json("GET", f"/repos/{self.github.name}/deployments?{query}")
        return sorted(found, key=lambda raw: int(raw["id"]), reverse=True)

    def _record(self, raw: Mapping[str, Any], *, events: bool) -> Record:
        payload = _payload(raw.get("payload"))
        return Record(
            id=raw["id"],
            task=raw["task"],
            environment=raw["environment"],
            release=str(payload.get("release", raw.get("ref", ""))),
            commit=str(payload.get("commit", raw["sha"])),
            artifacts=payload["artifacts"] if isinstance(payload.get("artifacts"), dict) else {},
            run=str(payload.get("run", "")),
            run_id=str(payload.get("run_id", "")),
            plan=str(payload.get("plan", "")),
            by=_starter(raw, payload),
            at=raw["created_at"],
            events=self._events(raw["id"]) if events else (),
        )

    def _events(self, deployment: int) -> tuple[Event, ...]:
        raw = self.github.json("GET", f"/repos/{self.github.name}/deployments/{deployment}/statuses?per_page=100")
        events = [
            Event(
                id=item["id"],
                state=item["state"],
                text=item.get("description") or "",
                at=item["created_at"],
                by=(item.get("creator") or {}).get("login", ""),
                url=item.get("log_url") or "",
            )
            for item in raw
            # GitHub's own deployments of the same environment make earlier ones inactive, ours too; it says nothing, we always do.
            if item.get("description")
        ]
        return tuple(sorted(events, key=lambda event: event.id, reverse=True))


def _payload(raw: Any) -> dict[str, Any]:
    """Of our records a mapping; of others whatever their writer liked."""
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except ValueError:
            return {}
    return raw if isinstance(raw, dict) else {}


def _starter(raw: Mapping[str, Any], payload: Mapping[str, Any]) -> str:
    """A job's account is a bot: it says for whom it works. People's own accounts speak for nobody else."""
    account = str((raw.get("creator") or {}).get("login", ""))
    return str(payload.get("by") or account) if account.endswith("[bot]") else account


def _short(text: str) -> str:
    """GitHub refuses longer descriptions."""
    return text if len(text) <= DESCRIPTION_LIMIT else text[: DESCRIPTION_LIMIT - 1] + "…"
