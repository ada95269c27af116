"""The history of what went live when, by whom and from which run, kept in GitHub Deployments.

A record is one deployment of task `shipmate` (or `shipmate:rollback`); its payload is what was known when it was opened, and never
changes; what comes later goes into statuses. Providers are the truth of what is live; this is how it came to be.
Lists are asked for by task: the jobs' own `environment:` makes deployments too, nine for each of ours.
Source: docs.github.com/rest/deployments
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

from pipelines.faults import Policy, once

if TYPE_CHECKING:
    from pipelines.github import GitHub

State = Literal["queued", "in_progress", "success", "failure", "error", "inactive"]
DEPLOY = "shipmate"
ROLLBACK = "shipmate:rollback"
DESCRIPTION_LIMIT = 140
SAID = re.compile(r"words of \S+(?: \((?P<part>\d+)/\d+\))?: (?P<text>.*)")
MOST_PARTS = 8
"""Events that one person's words may take."""
LOOKS = 4
"""How often a list is read for what must be in it: lists lag behind writes for some seconds."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened to a record."""

    id: int
    """Rises with time, over all records."""
    state: str
    text: str
    at: str
    by: str
    url: str = ""

    @property
    def approves(self) -> bool:
        """Whether a job of ours wrote an approval here: people's own accounts can add statuses too, but are no `…[bot]`."""
        return self.text.startswith(("approved by ", "break-glass by ")) and self.by.endswith("[bot]")

    @property
    def approver(self) -> str:
        """Login in the text of an approval."""
        return self.text.split()[2]


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
    contracts: Mapping[str, str] = field(default_factory=dict)
    """Component -> the highest contract migration the plan allows; nothing where nobody planned."""
    by: str = ""
    """Who started it: of a workflow the login its job wrote down, of a terminal the account."""
    at: str = ""
    events: tuple[Event, ...] = ()
    """Newest first."""

    @property
    def state(self) -> str:
        return self.events[0].state if self.events else "queued"

    @property
    def went_out(self) -> bool:
        """Whether it ever ended well, whatever became of it since."""
        return any(event.state == "success" for event in self.events)

    def approvals(self) -> tuple[Event, ...]:
        """Newest first."""
        return tuple(event for event in self.events if event.approves)

    @property
    def approved(self) -> str:
        """Who let it pass at last; empty where nobody did."""
        newest = next(iter(self.approvals()), None)
        how = " (break-glass)" if newest and newest.text.startswith("break-glass") else ""
        return f"{newest.approver}{how}" if newest else ""

    @property
    def said(self) -> str:
        """What they said: the comment of the approval, or the reason to go without. Its events stand before that of the approval."""
        later = iter(self.events)
        found: list[str] = []
        if next((event for event in later if event.approves), None) is None:
            return ""
        for event in later:
            words = SAID.fullmatch(event.text) if event.by.endswith("[bot]") else None
            if words is None:
                break
            found.insert(0, words["text"])
            if words["part"] in (None, "1"):
                break
        return " ".join(found)


class Ledger:
    """The records of one repository."""

    def __init__(self, github: GitHub) -> None:
        self.github = github

    def records(self, environment: str, *, limit: int = 30, events: bool = True) -> list[Record]:
        """Newest first, deployments and rollbacks; each with its events when asked (one call a record)."""
        return [self._record(raw, events=events) for raw in self._listed(environment)[:limit]]

    def walk(self, environment: str) -> Iterator[Record]:
        """`records` without a limit; the events of each are read when its turn comes."""
        for raw in self._listed(environment):
            yield self._record(raw, events=True)

    def of_run(self, environment: str, run_id: str, task: str = DEPLOY) -> Record | None:
        """The record a run opened, with its events; the first, should a lagging list ever have led to two."""
        return self._first(environment, task, lambda record: record.run_id == run_id)

    def expect(self, environment: str, run_id: str, task: str = DEPLOY) -> Record | None:
        """`of_run` for a record that an earlier job of the run opened: waits for a list that lags."""
        return _patient(lambda: self.of_run(environment, run_id, task), self.github.policy)

    def of_commit(self, environment: str, commit: str) -> list[Record]:
        """The deployments of a commit, newest first."""
        return [self._record(raw, events=True) for raw in self._listed(environment, tasks=(DEPLOY,), commit=commit)]

    def of_release(self, environment: str, release: str) -> list[Record]:
        """The deployments of a release, newest first."""
        listed = (self._record(raw, events=False) for raw in self._listed(environment, tasks=(DEPLOY,)))
        return [self.read(record) for record in listed if record.release == release]

    def live(self, environment: str, component: str = "") -> Record | None:
        """The newest record that ended well; of a component when one is named, for each can go back alone."""
        held = (r for r in self.walk(environment) if not component or component in r.artifacts)
        return next((record for record in held if record.state == "success"), None)

    def artifacts(self, environment: str) -> dict[str, str]:
        """Component -> digest, each from the newest record that ended well and holds it: components can go back alone."""
        found: dict[str, str] = {}
        for record in self.walk(environment):
            if record.state == "success":
                found = {**record.artifacts, **found}
                if record.task == DEPLOY:
                    break
        return found

    def read(self, record: Record) -> Record:
        """The record with its events as they are now."""
        return replace(record, events=self._events(record.id))

    def _first(self, environment: str, task: str, wanted: Callable[[Record], bool]) -> Record | None:
        """The oldest record that is wanted, with its events."""
        listed = (self._record(raw, events=False) for raw in self._listed(environment, tasks=(task,)))
        found = min((record for record in listed if wanted(record)), key=lambda record: record.id, default=None)
        return None if found is None else self.read(found)

    def _listed(
        self, environment: str, *, tasks: tuple[str, ...] = (DEPLOY, ROLLBACK), commit: str = ""
    ) -> list[Mapping[str, Any]]:
        """The newest hundred of each task, newest first."""
        found: list[Mapping[str, Any]] = []
        for task in tasks:
            query = {"environment": environment, "task": task, "per_page": "100", **({"sha": commit} if commit else {})}
            found += self.github.json("GET", f"/repos/{self.github.name}/deployments?{urlencode(query)}")
        return sorted(found, key=lambda raw: int(raw["id"]), reverse=True)

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
        by: str = "",
        contracts: Mapping[str, str] | None = None,
        task: str = DEPLOY,
    ) -> Record:
        """The record of this run, made when there is none yet: once, whatever answers are lost.

        A run that built something else in a later attempt has one for each. A terminal has no run: there the newest record is gone on
        with when it is of the same thing.
        """
        payload = {
            "release": release,
            "commit": commit,
            "artifacts": dict(artifacts),
            "run": run,
            "run_id": run_id,
            "attempt": attempt,
            "plan": plan,
            **({"by": by} if by else {}),
            **({"contracts": dict(contracts)} if contracts else {}),
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
            if run_id:
                return self._first(
                    environment, task, lambda r: (r.run_id, dict(r.artifacts)) == (run_id, dict(artifacts))
                )
            newest = next(self.walk(environment), None)
            return newest if newest and newest.task == task and _same(newest, payload) else None

        def write() -> Record:
            raw = self.github.json("POST", f"/repos/{self.github.name}/deployments", body)
            return self._record(raw, events=False)

        return find() or once(write, lambda: _patient(find, self.github.policy), policy=self.github.policy)

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

    def quote(self, record: Record, login: str, text: str, *, url: str = "") -> None:
        """Write down what somebody said, on one line, in as many events as it takes; nothing where nothing was said."""
        for part in _parts(login, text):
            self.note(record, "queued", part, url=url)

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
            contracts=payload.get("contracts", {}),
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


def _starter(raw: Mapping[str, Any], payload: Mapping[str, Any]) -> str:
    """A job's account is a bot: it says for whom it works. People's own accounts speak for nobody else."""
    account = str((raw.get("creator") or {}).get("login", ""))
    return str(payload.get("by") or account) if account.endswith("[bot]") else account


def _same(record: Record, payload: Mapping[str, Any]) -> bool:
    """Whether a record of a terminal holds this payload."""
    held = (record.release, record.commit, dict(record.artifacts), record.run_id, record.plan)
    return held == tuple(payload[name] for name in ("release", "commit", "artifacts", "run_id", "plan"))


def _patient(find: Callable[[], Record | None], policy: Policy) -> Record | None:
    """Look a few times, with pauses."""
    for look in range(LOOKS):
        found = find()
        if found is not None or look + 1 == LOOKS:
            return found
        policy.sleep(policy.pause(look, None))
    return None


def _parts(login: str, text: str) -> list[str]:
    """Words in descriptions that GitHub takes: without line ends and what does not print, which could pass for something else."""
    import textwrap

    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    width = DESCRIPTION_LIMIT - len(f"words of {login} ({MOST_PARTS}/{MOST_PARTS}): ")
    lines = textwrap.wrap(plain, width, max_lines=MOST_PARTS, placeholder=" …", break_on_hyphens=False)
    if len(lines) == 1:
        return [f"words of {login}: {lines[0]}"]
    return [f"words of {login} ({number}/{len(lines)}): {line}" for number, line in enumerate(lines, 1)]


def _short(text: str) -> str:
    """GitHub refuses longer descriptions."""
    return text if len(text) <= DESCRIPTION_LIMIT else text[: DESCRIPTION_LIMIT - 1] + "…"
