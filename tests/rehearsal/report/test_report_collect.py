"""What a story left behind becomes what the report says of it."""

from __future__ import annotations

from typing import Any, cast

from rehearsal.report import collect
from rehearsal.report.model import Caught, Entry
from rehearsal.scenario.event_log import Diary
from rehearsal.scenario.world_client import Place

BEGAN = 1_800_000_000.0


class World:
    """Answers as the control port of a world does."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = {"runs": [], "shifts": [], "messages": []} | answers

    def inspect(self, what: str) -> Any:
        return self.answers[what.partition("?")[0]]

    def messages(self) -> Any:
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
                "guests": 0.0,
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


def told(diary: Diary, world: World) -> Any:
    return collect.story(
        cast(Place, world),
        diary,
        title="A story",
        problem="",
        started=BEGAN,
        ended=BEGAN + 60,
        pictures={"The app": "pictures/a-1.png"},
        missing={},
    )


def diary(clock: float = BEGAN + 9) -> Diary:
    return Diary(story="a", clock=lambda: clock)


def test_runs_and_messages_are_those_of_its_time() -> None:
    world = World(
        runs=[raw_run(BEGAN + 70), raw_run(BEGAN + 3), raw_run(BEGAN - 30)],
        messages=[{"via": "slack", "at": f"{BEGAN + t}", "text": str(t)} for t in (-5, 5, 65)],
    )
    found = told(diary(), world)
    assert [(run.id, run.github_requests) for run in found.runs] == [(103, 90)]
    assert [message.text for message in found.messages] == ["5"]


def test_logs_come_without_colours_and_at_a_bounded_length() -> None:
    log = told(diary(), World(runs=[raw_run(BEGAN + 3)])).runs[0].jobs[0].log
    assert log[0] == "red and loud"
    assert len(log[1]) == collect.LINE_LENGTH


def test_what_went_live_names_the_run_that_had_just_ended() -> None:
    book = diary(BEGAN + 9)
    book.note("live", "v1.0.1 is live", environment="production", release="v1.0.1")
    assert told(book, World(runs=[raw_run(BEGAN + 5)])).live[0].run == 105
    assert told(book, World(runs=[raw_run(BEGAN + 1)])).live[0].run is None


def test_a_scene_holds_the_shifts_of_its_time_and_environment() -> None:
    book = diary()
    backend = [[BEGAN + 6, 4.0, True, "v2"], [BEGAN + 4, 5.0, False, "HTTP 503"]]
    book.note("users", "what users saw meanwhile", sights={"backend": backend, "web": []})
    book.note("users", "nobody asked", sights={"backend": [], "web": []})
    shifts = [
        {"at": BEGAN + at, "environment": environment, "component": "backend", "text": "v2 100 %"}
        for at, environment in ((5, "production"), (5, "staging"), (30, "production"))
    ]
    found = told(book, World(runs=[raw_run(BEGAN + 5)], shifts=shifts))
    (scene,) = found.scenes
    assert scene.title == "Deploy v1.0.1 to production"
    assert [(sight.release, sight.ok) for sight in scene.users["backend"]] == [("HTTP 503", False), ("v2", True)]
    assert list(scene.users) == ["backend"]
    assert [shift.at for shift in scene.shifts] == [BEGAN + 5]
    assert [entry.kind for entry in found.entries] == []


def test_a_scene_of_commands_is_named_after_them() -> None:
    times = iter([BEGAN + 1, BEGAN + 2, BEGAN + 3, BEGAN + 4])
    book = Diary(story="a", clock=lambda: next(times))
    book.note("act", "$ shipmate rollback --environment production", who="on-call")
    book.note(
        "users", "what users saw meanwhile", sights={"web": [[BEGAN, 1.0, True, "v1"], [BEGAN + 9, 1.0, True, "v1"]]}
    )
    assert told(book, World()).scenes[0].title == "shipmate rollback --environment production"


def test_what_was_caught_is_said_by_the_proof_of_it() -> None:
    line = {
        "release": "bad",
        "wrong": "it is slow",
        "by": "the watch",
        "share": 10,
        "exposed": 1.5,
        "failed": 1,
        "asked": 30,
        "seconds": 6.0,
    }
    book = diary()
    book.note("proof", "bad was caught", caught=line)
    book.note("proof", "it is well")
    assert told(book, World()).caught == [Caught(**line)]


def test_what_was_taken_back_is_said_by_the_proof_of_it() -> None:
    def entry(text: str, **facts: Any) -> Entry:
        return Entry(kind="proof", text=text, who="", started=BEGAN, ended=BEGAN, facts=facts)

    found = collect.returns(
        [
            entry("v2 was taken back", back_seconds=4.5),
            entry("production is back to v1 in 3.0 s", seconds=3.0),
            entry("the tests took long", seconds=60.0),
            entry("nothing was published"),
        ]
    )
    assert [(one.text, one.seconds) for one in found] == [
        ("v2 was taken back", 4.5),
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


def test_one_failed_story_or_breach_or_untold_story_fails_the_whole() -> None:
    good = told(diary(), World())

    def whole(**more: Any) -> bool:
        given: dict[str, Any] = {"untold": [], "violations": [], "requests": {}} | more
        return collect.report([good], repository="a/b", machine={}, **given).passed

    assert whole()
    assert not whole(untold=["rollback"])
    assert not whole(violations=["breach"])
