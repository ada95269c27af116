"""The event log and the world of a story become its part of the report."""

from __future__ import annotations

from typing import Any, cast

from rehearsal.report import collect
from rehearsal.report.model import CaughtRelease, Event
from rehearsal.scenario.event_log import EventLog
from rehearsal.scenario.steps import UNTITLED_TRAFFIC
from rehearsal.scenario.world_client import WorldClient

BEGAN = 1_800_000_000.0


class World:
    """Answers as the control port of a world does."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = {"runs": [], "traffic-changes": [], "messages": []} | answers

    def inspect(self, activity: str) -> Any:
        return self.answers[activity.partition("?")[0]]

    def notifications(self) -> Any:
        return self.answers["messages"]


def raw_run(created: float, **more: Any) -> dict[str, Any]:
    job = {
        "id": 5,
        "name": "Deploy",
        "conclusion": "failure",
        "created": created,
        "started": created,
        "ended": created + 2,
        "attempt": 1,
        "steps": [
            {
                "name": "Check",
                "conclusion": "failure",
                "started": created,
                "ended": created + 1,
                "busy": 0.5,
                "nested_busy": 0.0,
            }
        ],
        "log": ["\x1b[31mred\x1b[0m and \x07loud", "x" * 900],
    }
    run = {
        "id": int(created - BEGAN) + 100,
        "workflow": "Deploy to Production",
        "title": "Deploy v1.0.1 to production",
        "event": "workflow_dispatch",
        "actor": "dev-1",
        "conclusion": "success",
        "created": created,
        "ended": created + 2,
        "waits_for": [],
        "requests": {"counted": 90, "not_modified": 3},
        "jobs": [job],
    }
    return run | more


def collected(log: EventLog, world: World) -> Any:
    return collect.story(
        cast(WorldClient, world),
        log,
        title="A story",
        problem="",
        started=BEGAN,
        ended=BEGAN + 60,
        screenshots={"The app": "screenshots/a-1.png"},
        missing={},
    )


def log(clock: float = BEGAN + 9) -> EventLog:
    return EventLog(story="a", clock=lambda: clock)


def test_runs_and_notifications_are_those_of_its_time() -> None:
    world = World(
        runs=[raw_run(BEGAN + 70), raw_run(BEGAN + 3), raw_run(BEGAN - 30)],
        messages=[{"via": "slack", "at": f"{BEGAN + t}", "text": str(t)} for t in (-5, 5, 65)],
    )
    found = collected(log(), world)
    assert [(run.id, run.github_requests) for run in found.runs] == [(103, 90)]
    assert [message.text for message in found.notifications] == ["5"]


def test_logs_come_without_colours_and_at_a_bounded_length() -> None:
    lines = collected(log(), World(runs=[raw_run(BEGAN + 3)])).runs[0].jobs[0].log
    assert lines[0] == "red and loud"
    assert len(lines[1]) == collect.LINE_LENGTH


def test_what_went_live_names_the_run_that_had_just_ended() -> None:
    book = log(BEGAN + 9)
    book.add("live", "v1.0.1 is live", environment="production", release="v1.0.1")
    assert collected(book, World(runs=[raw_run(BEGAN + 5)])).live[0].run == 105
    assert collected(book, World(runs=[raw_run(BEGAN + 1)])).live[0].run is None


def test_traffic_holds_the_shifts_of_its_time_and_environment() -> None:
    book = log()
    backend = [[BEGAN + 6, 4.0, True, "v2"], [BEGAN + 4, 5.0, False, "HTTP 503"]]
    book.add("traffic", UNTITLED_TRAFFIC, requests={"backend": backend, "web": []})
    book.add("traffic", "no requests", requests={"backend": [], "web": []})
    shifts = [
        {"at": BEGAN + at, "environment": environment, "component": "backend", "text": "v2 100 %"}
        for at, environment in ((5, "production"), (5, "staging"), (30, "production"))
    ]
    found = collected(book, World(**{"runs": [raw_run(BEGAN + 5)], "traffic-changes": shifts}))
    (traffic,) = found.traffic
    assert traffic.title == "Deploy v1.0.1 to production"
    assert [(request.release, request.ok) for request in traffic.requests["backend"]] == [
        ("HTTP 503", False),
        ("v2", True),
    ]
    assert list(traffic.requests) == ["backend"]
    assert [shift.at for shift in traffic.shifts] == [BEGAN + 5]
    assert [event.kind for event in found.events] == []


def test_traffic_of_commands_is_named_after_them() -> None:
    times = iter([BEGAN + 1, BEGAN + 2, BEGAN + 3, BEGAN + 4])
    book = EventLog(story="a", clock=lambda: next(times))
    book.add("action", "$ shipmate rollback --environment production", user="on-call")
    book.add("traffic", UNTITLED_TRAFFIC, requests={"web": [[BEGAN, 1.0, True, "v1"], [BEGAN + 9, 1.0, True, "v1"]]})
    assert collected(book, World()).traffic[0].title == "shipmate rollback --environment production"


def test_caught_releases_are_facts_of_assertions() -> None:
    line = {
        "release": "bad",
        "defect": "it is slow",
        "gate": "the watch",
        "traffic_percent": 10,
        "exposed_seconds": 1.5,
        "failed_requests": 1,
        "requests": 30,
        "seconds": 6.0,
    }
    book = log()
    book.add("assertion", "bad was caught", caught=line)
    book.add("assertion", "it is well")
    assert collected(book, World()).caught == [CaughtRelease(**line)]


def test_rollbacks_are_facts_of_assertions() -> None:
    def event(text: str, **facts: Any) -> Event:
        return Event(kind="assertion", text=text, user="", started=BEGAN, ended=BEGAN, facts=facts)

    found = collect.rollbacks(
        [
            event("v2 was rolled back", rollback_seconds=4.5),
            event("production is back to v1 in 3.0 s", rollback_seconds=3.0),
            event("the tests took long", seconds=60.0),
            event("nothing was published"),
        ]
    )
    assert [(one.text, one.seconds) for one in found] == [
        ("v2 was rolled back", 4.5),
        ("production is back to v1 in 3.0 s", 3.0),
    ]


def test_hits_of_one_fault_are_counted_together() -> None:
    fired = [
        {"number": number, "kind": kind, "emulator": "vercel", "method": "GET", "path": path, "host": "", "time": BEGAN}
        for number, kind, path in ((2, "cut", "/b"), (1, "status", "/first"), (1, "status", "/second"))
    ]
    assert [(hits.kind, hits.path, hits.times) for hits in collect.faults(fired)] == [
        ("status", "/first", 2),
        ("cut", "/b", 1),
    ]


def test_one_failed_story_or_breach_or_story_that_was_not_run_fails_the_whole() -> None:
    good = collected(log(), World())

    def whole(**more: Any) -> bool:
        given: dict[str, Any] = {"not_run": [], "violations": [], "requests": {}} | more
        return collect.report([good], repository="a/b", machine={}, **given).passed

    assert whole()
    assert not whole(not_run=["rollback"])
    assert not whole(violations=["breach"])
