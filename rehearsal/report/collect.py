"""Gather a story for the report: its event log, GitHub's runs of its time, users' requests, notifications."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from rehearsal.report.model import (
    CaughtRelease,
    ContractChecks,
    Event,
    FaultHits,
    Notification,
    Report,
    Rollback,
    Run,
    Screenshot,
    Story,
    TrafficShift,
    UserRequest,
    UserTraffic,
    WentLive,
)
from rehearsal.report.time_shares import shares
from rehearsal.scenario.event_log import EventLog, LoggedEvent
from rehearsal.scenario.steps import UNTITLED_TRAFFIC
from rehearsal.scenario.world_client import WorldClient

LOG_LINES = 40
LINE_LENGTH = 500


def story(
    world: WorldClient,
    log: EventLog,
    *,
    title: str,
    problem: str,
    started: float,
    ended: float,
    screenshots: Mapping[str, str],
    missing: Mapping[str, str],
) -> Story:
    """One story. Runs, notifications and shifts are those of its time. `screenshots`: title -> file; `missing`: title -> why."""
    found_runs = runs(world, started, ended)
    events = [msgspec.convert(raw, Event) for raw in log.as_json() if raw["kind"] != "traffic"]
    return Story(
        name=log.story,
        title=title,
        passed=not problem,
        problem=problem,
        started=started,
        ended=ended,
        events=events,
        runs=found_runs,
        traffic=traffic(log, found_runs, world.inspect("traffic-changes")),
        live=[_went_live(event, found_runs) for event in events if event.kind == "live"],
        rollbacks=rollbacks(events),
        caught=[msgspec.convert(event.facts["caught"], CaughtRelease) for event in events if "caught" in event.facts],
        faults=[hits for event in events if event.kind == "faults" for hits in faults(event.facts.get("fired", []))],
        notifications=notifications(world, started, ended),
        screenshots=[Screenshot(title=shown, file=file) for shown, file in screenshots.items()],
        missing_screenshots=dict(missing),
    )


def report(
    stories: list[Story],
    *,
    repository: str,
    machine: dict[str, str],
    started_from: str = "",
    not_run: list[str],
    requests: dict[str, int],
    violations: list[str],
) -> Report:
    """The whole. There is at least one story."""
    started, ended = min(s.started for s in stories), max(s.ended for s in stories)
    return Report(
        passed=all(story.passed for story in stories) and not violations and not not_run,
        repository=repository,
        started=started,
        ended=ended,
        machine=machine,
        started_from=started_from,
        not_run=not_run,
        stories=stories,
        time_shares=shares([run for story in stories for run in story.runs], started, ended),
        contracts=ContractChecks(requests=requests, violations=violations),
    )


def runs(world: WorldClient, started: float, ended: float) -> list[Run]:
    """Runs created in a span of time, oldest first, with the jobs of every attempt; times to the millisecond, finer than GitHub's API."""
    inside = [raw for raw in world.inspect(f"runs?log={LOG_LINES}") if started - 0.1 <= raw["created"] <= ended]
    return [_run(raw) for raw in sorted(inside, key=lambda raw: raw["id"])]


def notifications(world: WorldClient, started: float, ended: float) -> list[Notification]:
    """Messages that were sent in a span of time."""
    sent = [Notification(via=raw["via"], at=float(raw["at"]), text=raw["text"]) for raw in world.notifications()]
    return [one for one in sent if started <= one.at <= ended]


def traffic(log: EventLog, found_runs: list[Run], shifted: list[dict[str, Any]]) -> list[UserTraffic]:
    """Users' requests, span by span, with the moments in which traffic was shifted."""
    return [_traffic(event, log, found_runs, shifted) for event in log.events if _has_requests(event)]


def rollbacks(events: list[Event]) -> list[Rollback]:
    """Releases that were rolled back: assertions with `rollback_seconds`."""
    return [
        Rollback(at=event.started, text=event.text, seconds=float(event.facts["rollback_seconds"]))
        for event in events
        if "rollback_seconds" in event.facts
    ]


def faults(fired: list[dict[str, Any]]) -> list[FaultHits]:
    """Requests that were hit, those of one fault counted together."""
    number_of = Counter(fault["number"] for fault in fired)
    first = {fault["number"]: fault for fault in reversed(fired)}
    return [
        FaultHits(kind=f["kind"], emulator=f["emulator"], method=f["method"], path=f["path"], times=number_of[number])
        for number, f in sorted(first.items())
    ]


def _has_requests(event: LoggedEvent) -> bool:
    return event.kind == "traffic" and any(event.facts.get("requests", {}).values())


def _traffic(event: LoggedEvent, log: EventLog, found_runs: list[Run], shifted: list[dict[str, Any]]) -> UserTraffic:
    requests = {
        component: [UserRequest(at=at, ms=ms, ok=ok, release=answer) for at, ms, ok, answer in sorted(sent)]
        for component, sent in event.facts["requests"].items()
        if sent
    }
    first = min(sent[0].at for sent in requests.values())
    last = max(sent[-1].at for sent in requests.values())
    environment = str(event.facts.get("environment", "production"))
    return UserTraffic(
        title=event.text if event.text != UNTITLED_TRAFFIC else _what_went_on(log, found_runs, first, last),
        environment=environment,
        requests=requests,
        shifts=[
            TrafficShift(at=raw["at"], component=raw["component"], text=raw["text"])
            for raw in shifted
            if raw["environment"] == environment and first <= raw["at"] <= last
        ],
    )


def _what_went_on(log: EventLog, found_runs: list[Run], first: float, last: float) -> str:
    """The runs and commands of a span of time, the first two."""
    did = [(run.created, run.title) for run in found_runs if run.created <= last and run.ended >= first]
    did += [
        (event.started, event.text.removeprefix("$ "))
        for event in log.events
        if event.started <= last and event.ended >= first and event.text.startswith("$ shipmate ")
    ]
    named = [text for _, text in sorted(did)]
    return "; ".join(named[:2]) + ("; …" if len(named) > 2 else "") if named else UNTITLED_TRAFFIC


def _went_live(event: Event, found_runs: list[Run]) -> WentLive:
    """With the last run that had ended, unless a user's command came after it."""
    before = [run for run in found_runs if run.conclusion == "success" and run.ended <= event.started]
    run = max(before, key=lambda run: run.ended, default=None)
    recent = run is not None and event.started - run.ended < 5
    return WentLive(
        at=event.started,
        text=event.text,
        environment=str(event.facts.get("environment", "")),
        release=str(event.facts.get("release", "")),
        run=run.id if run is not None and recent else None,
    )


def _run(raw: dict[str, Any]) -> Run:
    jobs = [_job(job) for job in raw["jobs"]]
    return msgspec.convert({**raw, "github_requests": raw["requests"]["counted"], "jobs": jobs}, Run)


def _job(raw: dict[str, Any]) -> dict[str, Any]:
    return {**raw, "log": [plain(line)[:LINE_LENGTH] for line in raw["log"]]}


def plain(line: str) -> str:
    """Without the colours and the controls of a terminal."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]", "", line)
