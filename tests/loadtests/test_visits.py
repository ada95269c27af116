"""Visits as pure things: what is drawn beforehand, when each request counts from, how answers are judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest
from requests.structures import CaseInsensitiveDict

from loadtests import visits
from loadtests.arrivals import Profile
from loadtests.recording import Sample
from loadtests.visits import Answer, Visit, database_ms, drawn, make, users_needed
from pipelines.manifest.model import Journey, JourneyRequest

ITEMS = Journey(
    component="backend",
    requests=(
        JourneyRequest(method="POST", path="/items", body='{"text": "{visit}"}', status=201, save={"item": "id"}),
        JourneyRequest(path="/items?q={visit}", contains=("{item}",), within_ms=1),
        JourneyRequest(method="DELETE", path="/items/{item}", status=204, always=True),
    ),
)
READ = Journey(component="backend", requests=(JourneyRequest(path="/items"),))
MADE = Answer(201, CaseInsensitiveDict({"server-timing": "app;dur=9, db;dur=12.5"}), '{"id": "i1"}')
LISTED, GONE = Answer(200, CaseInsensitiveDict(), '["i1"]'), Answer(204, CaseInsensitiveDict(), "")
NOTHING: Mapping[str, str] = CaseInsensitiveDict()
PROFILE = Profile(name="average", rate=10, seconds=20)


@dataclass
class Scripted:
    """A world that gives the scripted answers, each after so many seconds."""

    answers: list[Answer]
    each: float = 0.25
    time: float = 0.0
    stops_at: float = float("inf")
    asked: list[str] = field(default_factory=list)
    waited_for: list[float] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def wait_until(self, moment: float) -> None:
        self.waited_for.append(moment)
        self.time = max(self.time, min(moment, self.stops_at))

    def stopping(self) -> bool:
        return self.time >= self.stops_at

    def ask(self, journey: Journey, filled: JourneyRequest, due: float, endpoint: str) -> Answer:
        self.asked.append(f"{filled.method} {filled.path}")
        self.time += self.each
        return self.answers[len(self.asked) - 1]

    def record(self, sample: Sample) -> None:
        self.samples.append(sample)


def without_thinking(journey: Journey) -> Journey:
    return replace(journey, requests=tuple(replace(request, think_seconds=0.0) for request in journey.requests))


VISIT = Visit(10.0, "items", (2.0, 3.0), "v7")


def test_the_first_request_counts_from_when_the_visit_was_due_each_later_one_from_the_answer_before_and_the_thinking() -> (
    None
):
    world = Scripted([MADE, LISTED, GONE], time=10.5)  # half a second late already
    assert make(ITEMS, VISIT, world) == 0
    assert world.asked == ["POST /items", "GET /items?q=v7", "DELETE /items/i1"]
    assert [(sample.due, sample.ms, sample.error) for sample in world.samples] == [
        (10.0, 750.0, ""),
        (12.75, 250.0, ""),
        (16.0, 250.0, ""),
    ]
    assert world.waited_for == [12.75, 16.0]


def test_endpoints_are_named_alike_for_every_user() -> None:
    world = Scripted([MADE, LISTED, GONE])
    make(ITEMS, VISIT, world)
    assert [sample.endpoint for sample in world.samples] == [
        "backend POST /items",
        "backend GET /items",
        "backend DELETE /items/{item}",
    ]


def test_the_database_time_of_each_answer_is_taken() -> None:
    world = Scripted([MADE, LISTED, GONE])
    make(ITEMS, VISIT, world)
    assert [sample.database_ms for sample in world.samples] == [12.5, None, None]


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        ("db;dur=3", 3.0),
        ('db;desc="two, and more";dur=0.25', 0.25),
        ('db;dur=0.125;desc="3 round trips"', 0.125),
        ("cache;dur=9, db;dur=1.5", 1.5),
        ("mydb;dur=9", None),
        ("db", None),
        ("db;dur=1.2.3", None),
        ("", None),
    ],
)
def test_server_timing(message: str, wanted: float | None) -> None:
    assert database_ms({"Server-Timing": message}) == wanted


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(500, NOTHING, "oh"), "status 500"),
        (Answer(302, NOTHING, ""), "status 302"),
        (Answer(201, NOTHING, "{}"), "wrong answer"),
        (Answer(201, NOTHING, "not JSON"), "wrong answer"),
        (Answer(None, NOTHING, "", "timed out"), "timed out"),
    ],
)
def test_a_failure_is_of_a_kind_and_ends_the_visit(answer: Answer, kind: str) -> None:
    """Nothing is known to have been made, so nothing can be removed."""
    world = Scripted([answer])
    make(ITEMS, VISIT, world)
    assert [(sample.error, sample.status) for sample in world.samples] == [(kind, answer.status)]


def test_after_a_failure_what_was_made_is_removed() -> None:
    world = Scripted([MADE, Answer(500, NOTHING, ""), GONE])
    make(ITEMS, VISIT, world)
    assert world.asked == ["POST /items", "GET /items?q=v7", "DELETE /items/i1"]
    assert [sample.error for sample in world.samples] == ["", "status 500", ""]


def test_an_answer_later_than_the_journey_allows_is_no_error_for_times_are_judged_over_all() -> None:
    world = Scripted([MADE, LISTED, GONE], each=30)
    make(ITEMS, VISIT, world)
    assert {sample.error for sample in world.samples} == {""}


def test_a_rate_limit_is_a_kind_of_its_own_and_tells_how_long_its_user_rests() -> None:
    refused = Answer(429, CaseInsensitiveDict({"Retry-After": "7"}), "")
    world = Scripted([MADE, refused, refused])
    assert make(ITEMS, VISIT, world) == 7
    assert [sample.error for sample in world.samples] == ["", visits.LIMITED, visits.LIMITED]


def test_when_the_run_stops_only_what_was_made_is_still_removed_without_thinking() -> None:
    world = Scripted([MADE, GONE], stops_at=10.4, time=10.0)
    make(ITEMS, VISIT, world)
    assert world.asked == ["POST /items", "DELETE /items/i1"]
    assert world.time == pytest.approx(10.65)
    assert world.samples[-1].ms == pytest.approx(250)


def test_visits_are_drawn_from_the_seed_alone() -> None:
    journeys = {"items": ITEMS, "read": READ}
    assert drawn(PROFILE, journeys, 4) == drawn(PROFILE, dict(reversed(journeys.items())), 4)
    assert drawn(PROFILE, journeys, 4) != drawn(PROFILE, journeys, 5)
    made = drawn(PROFILE, journeys, 4)
    assert len({visit.name for visit in made}) == len(made)
    assert {(visit.journey, len(visit.thinks)) for visit in made} == {("items", 2), ("read", 0)}


def test_think_times_have_their_mean_and_an_end() -> None:
    thinks = [
        think for visit in drawn(Profile(name="a", rate=50, seconds=60), {"i": ITEMS}, 1) for think in visit.thinks
    ]
    assert max(thinks) <= visits.LONGEST_THINKING
    assert sum(thinks) / len(thinks) == pytest.approx(1.0, abs=0.05)
    hurried = without_thinking(ITEMS)
    assert {visit.thinks for visit in drawn(PROFILE, {"i": hurried}, 1)} == {(0.0, 0.0)}


def test_journeys_are_taken_by_their_weights() -> None:
    profile = Profile(name="average", rate=50, seconds=60)
    journeys = {"items": ITEMS, "read": replace(READ, weight=3.0)}
    taken = Counter(visit.journey for visit in drawn(profile, journeys, 1))
    assert taken["read"] / taken["items"] == pytest.approx(3, abs=0.4)


def test_there_are_users_enough_for_the_rate_limit_and_for_answers_that_take_long() -> None:
    # Ten visits of three requests a second: 30 requests, of which one user may make 100 a minute.
    quick, items = Profile(name="a", rate=10, seconds=60), {"items": without_thinking(ITEMS)}
    assert users_needed(quick, items, 0.0) == 23
    assert users_needed(quick, items, 10.0) >= 23 + 100
    assert users_needed(quick, items, 10.0, shards=10) < 40
    assert users_needed(quick, {"items": ITEMS}, 0.0) >= 23 + 20
    spike = Profile(name="a", arrivals="spike", rate=10, from_rate=1, seconds=60)
    assert users_needed(spike, items, 0.0) == 23
