"""Gather a story: its diary, the runs GitHub shows for its time, what users saw, and pictures."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rehearsal.report.model import Checked, Entry, Job, Picture, Report, Run, Sight, Step, Story
from rehearsal.report.shares import shares
from rehearsal.stories.diary import Diary
from rehearsal.stories.place import Place


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
    """Runs created in a span of time, oldest first, with the jobs of every attempt; times to the millisecond, finer than GitHub's API."""
    inside = [raw for raw in place.inspect("runs") if started - 0.1 <= raw["created"] <= ended]
    return [_run(raw) for raw in sorted(inside, key=lambda raw: raw["id"])]


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


def _run(raw: dict[str, Any]) -> Run:
    return Run(**{**raw, "jobs": [_job(job) for job in raw["jobs"]]})


def _job(raw: dict[str, Any]) -> Job:
    return Job(**{**raw, "steps": [Step(**step) for step in raw["steps"]]})


def _title(file: Path) -> str:
    return file.stem.partition("-")[2].replace("-", " ") or file.stem
