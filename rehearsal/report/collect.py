"""Gather a story: its diary, the runs GitHub shows for its time, what users saw, and pictures."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from rehearsal.report.model import Checked, Entry, Job, Picture, Report, Run, Sight, Step, Story
from rehearsal.report.shares import shares
from rehearsal.stories.diary import Diary
from rehearsal.stories.place import Place

READER = "release-manager"


def story(
    place: Place, diary: Diary, *, title: str, problem: str, started: float, ended: float, pictures: Iterable[Path]
) -> Story:
    """One story. Runs are those created while it was told."""
    return Story(
        name=diary.story,
        title=title,
        passed=not problem,
        problem=problem,
        started=started,
        ended=ended,
        entries=[_entry(raw) for raw in diary.as_json() if raw["kind"] != "users"],
        runs=runs(place, started, ended),
        users=_users(diary),
        pictures=[Picture(title=_title(file), data=base64.b64encode(file.read_bytes()).decode()) for file in pictures],
    )


def runs(place: Place, started: float, ended: float) -> list[Run]:
    """Runs created in a span of time, oldest first, with the jobs of every attempt."""
    with place.github(READER) as client:
        base = f"/repos/{place.repository}/actions/runs"
        listed = client.get(base, params={"per_page": 100}).raise_for_status().json()["workflow_runs"]
        inside = [raw for raw in listed if started - 2 <= _seconds(raw["created_at"]) <= ended + 1]
        found = []
        for raw in sorted(inside, key=lambda raw: raw["id"]):
            jobs = (
                client.get(f"{base}/{raw['id']}/jobs", params={"filter": "all", "per_page": 100})
                .raise_for_status()
                .json()["jobs"]
            )
            found.append(
                _run(raw, [_job(job) for job in sorted(jobs, key=lambda job: (job["run_attempt"], job["id"]))])
            )
        return found


def report(
    stories: list[Story],
    *,
    machine: dict[str, str],
    messages: list[dict[str, str]],
    requests: dict[str, int],
    violations: list[str],
) -> Report:
    """The whole."""
    started, ended = min(s.started for s in stories), max(s.ended for s in stories)
    every_run = {run.id: run for story in stories for run in story.runs}
    return Report(
        passed=all(story.passed for story in stories) and not violations,
        started=started,
        ended=ended,
        machine=machine,
        stories=stories,
        shares=shares(every_run.values(), started, ended),
        messages=messages,
        checked=Checked(requests=requests, violations=violations),
    )


def _entry(raw: dict[str, Any]) -> Entry:
    return Entry(
        kind=raw["kind"],
        text=raw["text"],
        who=raw["who"],
        started=raw["started"],
        ended=raw["ended"],
        facts=raw["facts"],
    )


def _users(diary: Diary) -> dict[str, list[Sight]]:
    """What the clients of all scenes saw, in time's order."""
    found: dict[str, list[Sight]] = {}
    for entry in diary.entries:
        if entry.kind == "users":
            for component, sights in entry.facts["sights"].items():
                found.setdefault(component, []).extend(
                    Sight(at=at, ms=ms, ok=ok, release=seen) for at, ms, ok, seen in sights
                )
    return {component: sights for component, sights in found.items() if sights}


def _run(raw: dict[str, Any], jobs: list[Job]) -> Run:
    return Run(
        id=raw["id"],
        workflow=raw["name"],
        title=raw["display_title"],
        event=raw["event"],
        actor=(raw["actor"] or {}).get("login", ""),
        conclusion=raw["conclusion"] or raw["status"],
        created=_seconds(raw["created_at"]),
        ended=max([job.ended for job in jobs], default=_seconds(raw["updated_at"])),
        url=raw["html_url"],
        jobs=jobs,
    )


def _job(raw: dict[str, Any]) -> Job:
    steps = [
        Step(
            name=step["name"],
            conclusion=step["conclusion"] or "",
            started=_seconds(step["started_at"]),
            ended=_seconds(step["completed_at"]),
        )
        for step in raw["steps"] or []
        if step["started_at"] and step["completed_at"]
    ]
    return Job(
        name=raw["name"],
        conclusion=raw["conclusion"] or raw["status"],
        created=_seconds(raw["created_at"]),
        started=_seconds(raw["started_at"] or raw["created_at"]),
        ended=_seconds(raw["completed_at"] or raw["started_at"] or raw["created_at"]),
        attempt=raw["run_attempt"],
        url=raw["html_url"],
        steps=steps,
    )


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp() if stamp else time.time()


def _title(file: Path) -> str:
    return file.stem.partition("-")[2].replace("-", " ") or file.stem
