"""Gather a story: its diary, the runs GitHub shows for its time, what users saw, what the providers and people were told."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from rehearsal.report.model import (
    Caught,
    Checked,
    Entry,
    Hits,
    Job,
    Live,
    Message,
    Picture,
    Report,
    Return,
    Run,
    Scene,
    Shift,
    Sight,
    Step,
    Story,
)
from rehearsal.report.time_shares import shares
from rehearsal.scenario.event_log import Diary
from rehearsal.scenario.world_client import Place

LOG_LINES = 40
LINE_LENGTH = 500
PLAIN_SCENE = "what users saw meanwhile"
"""The text of a scene that has no title of its own."""


def story(
    place: Place,
    diary: Diary,
    *,
    title: str,
    problem: str,
    started: float,
    ended: float,
    pictures: Mapping[str, str],
    missing: Mapping[str, str],
) -> Story:
    """One story. Runs, messages and shifts are those of its time. `pictures`: title -> file; `missing`: title -> why."""
    found_runs = runs(place, started, ended)
    entries = [_entry(raw) for raw in diary.as_json() if raw["kind"] != "users"]
    return Story(
        name=diary.story,
        title=title,
        passed=not problem,
        problem=problem,
        started=started,
        ended=ended,
        entries=entries,
        runs=found_runs,
        scenes=scenes(diary, found_runs, place.inspect("shifts")),
        live=[_live(entry, found_runs) for entry in entries if entry.kind == "live"],
        returns=returns(entries),
        caught=[Caught(**entry.facts["caught"]) for entry in entries if "caught" in entry.facts],
        faults=[hits for entry in entries if entry.kind == "faults" for hits in faults(entry.facts.get("fired", []))],
        messages=messages(place, started, ended),
        pictures=[Picture(title=shown, file=file) for shown, file in pictures.items()],
        missing=dict(missing),
    )


def report(
    stories: list[Story],
    *,
    repository: str,
    machine: dict[str, str],
    began: str = "",
    untold: list[str],
    requests: dict[str, int],
    violations: list[str],
) -> Report:
    """The whole. There is at least one story."""
    started, ended = min(s.started for s in stories), max(s.ended for s in stories)
    return Report(
        passed=all(story.passed for story in stories) and not violations and not untold,
        repository=repository,
        started=started,
        ended=ended,
        machine=machine,
        began=began,
        untold=untold,
        stories=stories,
        shares=shares([run for story in stories for run in story.runs], started, ended),
        checked=Checked(requests=requests, violations=violations),
    )


def runs(place: Place, started: float, ended: float) -> list[Run]:
    """Runs created in a span of time, oldest first, with the jobs of every attempt; times to the millisecond, finer than GitHub's API."""
    inside = [raw for raw in place.inspect(f"runs?log={LOG_LINES}") if started - 0.1 <= raw["created"] <= ended]
    return [_run(raw) for raw in sorted(inside, key=lambda raw: raw["id"])]


def messages(place: Place, started: float, ended: float) -> list[Message]:
    """What people were sent in a span of time."""
    told = [Message(via=raw["via"], at=float(raw["at"]), text=raw["text"]) for raw in place.messages()]
    return [message for message in told if started <= message.at <= ended]


def scenes(diary: Diary, found_runs: list[Run], shifted: list[dict[str, Any]]) -> list[Scene]:
    """What the clients saw, scene by scene, with the moments in which traffic moved."""
    return [_scene(entry.text, entry.facts, diary, found_runs, shifted) for entry in diary.entries if _has_users(entry)]


def returns(entries: list[Entry]) -> list[Return]:
    """What was taken back: a proof says in `back_seconds`, or with "is back to" in `seconds`, how long it took."""
    found = []
    for entry in entries:
        seconds = entry.facts.get("back_seconds")
        if seconds is None and "is back to" in entry.text:
            seconds = entry.facts.get("seconds")
        if seconds is not None:
            found.append(Return(at=entry.started, text=entry.text, seconds=float(seconds)))
    return found


def faults(fired: list[dict[str, Any]]) -> list[Hits]:
    """Requests that were hit, those of one fault counted together."""
    number_of = Counter(fault["number"] for fault in fired)
    first = {fault["number"]: fault for fault in reversed(fired)}
    return [
        Hits(kind=f["kind"], emulator=f["emulator"], method=f["method"], path=f["path"], times=number_of[number])
        for number, f in sorted(first.items())
    ]


def _has_users(entry: Any) -> bool:
    return entry.kind == "users" and any(entry.facts.get("sights", {}).values())


def _scene(
    text: str, facts: Mapping[str, Any], diary: Diary, found_runs: list[Run], shifted: list[dict[str, Any]]
) -> Scene:
    users = {
        component: [Sight(at=at, ms=ms, ok=ok, release=seen) for at, ms, ok, seen in sorted(sights)]
        for component, sights in facts["sights"].items()
        if sights
    }
    first = min(sights[0].at for sights in users.values())
    last = max(sights[-1].at for sights in users.values())
    environment = str(facts.get("environment", "production"))
    return Scene(
        title=text if text != PLAIN_SCENE else _what_went_on(diary, found_runs, first, last),
        environment=environment,
        users=users,
        shifts=[
            Shift(at=raw["at"], component=raw["component"], text=raw["text"])
            for raw in shifted
            if raw["environment"] == environment and first <= raw["at"] <= last
        ],
    )


def _what_went_on(diary: Diary, found_runs: list[Run], first: float, last: float) -> str:
    """The runs and commands of a span of time, the first two."""
    did = [(run.created, run.title) for run in found_runs if run.created <= last and run.ended >= first]
    did += [
        (entry.started, entry.text.removeprefix("$ "))
        for entry in diary.entries
        if entry.started <= last and entry.ended >= first and entry.text.startswith("$ shipmate ")
    ]
    named = [text for _, text in sorted(did)]
    return "; ".join(named[:2]) + ("; …" if len(named) > 2 else "") if named else PLAIN_SCENE


def _live(entry: Entry, found_runs: list[Run]) -> Live:
    """With the last run that had ended, unless a command of a person came after it."""
    before = [run for run in found_runs if run.conclusion == "success" and run.ended <= entry.started]
    run = max(before, key=lambda run: run.ended, default=None)
    recent = run is not None and entry.started - run.ended < 5
    return Live(
        at=entry.started,
        text=entry.text,
        environment=str(entry.facts.get("environment", "")),
        release=str(entry.facts.get("release", "")),
        run=run.id if run is not None and recent else None,
    )


def _entry(raw: dict[str, Any]) -> Entry:
    return Entry(**{name: raw[name] for name in ("kind", "text", "who", "started", "ended", "facts")})


def _run(raw: dict[str, Any]) -> Run:
    named = {
        name: raw[name] for name in ("id", "workflow", "title", "event", "actor", "conclusion", "created", "ended")
    }
    requests = int(raw["requests"]["counted"])
    return Run(**named, github_requests=requests, jobs=[_job(job) for job in raw["jobs"]])


def _job(raw: dict[str, Any]) -> Job:
    steps, log = [Step(**step) for step in raw["steps"]], [plain(line)[:LINE_LENGTH] for line in raw["log"]]
    return Job(**{**raw, "steps": steps, "log": log})


def plain(line: str) -> str:
    """Without the colours and the controls of a terminal."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]", "", line)
