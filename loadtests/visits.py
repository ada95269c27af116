"""What users do under load: the journeys of the manifest, each request measured from the moment it was due.

A visit is due when the arrival process says so, and its first request counts from then, whether or not someone was free to make it. Each
later one is due its think time after the answer before it. Think times and everything else by chance are drawn beforehand, so that the
same seed makes the same visits whatever the server does.
"""

from __future__ import annotations

import hashlib
import math
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from loadtests.arrivals import Profile, due_times, highest_rate
from loadtests.recording import Sample
from pipelines.checks import rate_limit
from pipelines.checks.course import Course
from pipelines.manifest.model import Journey, JourneyRequest

REQUESTS_A_MINUTE = 100
"""What the platform allows one user."""
ROOM = 1.25
"""How many times as many users there are as the limit needs: the rate of a Poisson process varies."""
LIMITED = "rate limited (429)"
LONGEST_THINKING = 5.0
"""Of the mean: think times end there, so that a run ends too."""
_DATABASE = re.compile(r'(?:^|,)\s*db\s*(?:;\s*\w+=(?:"[^"]*"|[^;,"]*)\s*)*?;\s*dur="?([0-9.]+)')


@dataclass(frozen=True, slots=True)
class Visit:
    """One to be made."""

    due: float
    """Seconds from the start of the run."""
    journey: str
    thinks: tuple[float, ...]
    """Seconds before each request but the first."""
    name: str
    """What {visit} stands for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one request. `status` is None when nothing did, and `error` says why in a word or two."""

    status: int | None
    headers: Mapping[str, str]
    """Looks names up case-insensitively."""
    body: str
    error: str = ""


class World(Protocol):
    """How a visit is made: over HTTP in a generator, with a clock of its own in tests."""

    def now(self) -> float:
        """Seconds from the start of the run."""

    def wait_until(self, moment: float) -> None:
        """Returns then, or when the run stops."""

    def stopping(self) -> bool:
        """Whether the run is to end: then only what a visit made is still removed."""

    def ask(self, journey: Journey, filled: JourneyRequest, due: float, endpoint: str) -> Answer: ...

    def record(self, sample: Sample) -> None: ...


def drawn(profile: Profile, journeys: Mapping[str, Journey], seed: int) -> list[Visit]:
    """All visits of a run, of every shard, in the order in which they are due. Raises InputError."""
    chance = random.Random(f"{seed} visits {profile.name}")  # noqa: S311 - load, not secrets
    names = sorted(journeys)
    weights = [journeys[name].weight for name in names]
    visits = []
    for index, due in enumerate(due_times(profile, seed)):
        name = chance.choices(names, weights)[0]
        thinks = tuple(_thinking(request.think_seconds, chance) for request in journeys[name].requests[1:])
        visit = hashlib.sha256(f"{seed} {profile.name} {index}".encode()).hexdigest()[:32]
        visits.append(Visit(due, name, thinks, visit))
    return visits


def _thinking(mean: float, chance: random.Random) -> float:
    return min(chance.expovariate(1 / mean), mean * LONGEST_THINKING) if mean else 0.0


def endpoint(journey: Journey, request: JourneyRequest) -> str:
    """The name of a request in a recording, the same for every user: `backend GET /notes/{note}`."""
    return f"{journey.component} {request.method} {request.path.partition('?')[0]}"


def users_needed(profile: Profile, journeys: Mapping[str, Journey], patience: float, shards: int = 1) -> int:
    """How many users one shard has: none is asked for more than the platform allows it, and all that wait `patience` seconds
    for an answer leave someone free for the next visit. Raises InputError.
    """
    rate = highest_rate(profile) / shards
    whole = sum(journey.weight for journey in journeys.values())
    requests = sum(journey.weight * len(journey.requests) for journey in journeys.values()) / whole
    thinking = sum(
        journey.weight * request.think_seconds for journey in journeys.values() for request in journey.requests[1:]
    )
    by_limit = rate * requests * 60 / REQUESTS_A_MINUTE
    at_once = rate * (thinking / whole + patience)
    # A Poisson number goes beyond its mean by four standard deviations once in thirty thousand times.
    return math.ceil(ROOM * by_limit) + math.ceil(at_once + 4 * math.sqrt(at_once))


def make(journey: Journey, visit: Visit, world: World) -> float:
    """Make one visit; the seconds that a rate limit asked its user to wait, or 0.

    `within_ms` of a request is not judged: under load the targets judge times, over all requests.
    """
    course = Course(visit=visit.name)
    due, answered = visit.due, None
    for index, request in enumerate(journey.requests):
        if not _goes_on(course, request, world):
            continue
        if answered is not None:
            due = answered + visit.thinks[index - 1]
            world.wait_until(due)
            if not _goes_on(course, request, world):
                continue
            if world.stopping():
                due = world.now()
        name = endpoint(journey, request)
        filled = course.filled(request)
        answer = world.ask(journey, filled, due, name)
        answered = world.now()
        world.record(
            Sample(
                due=due,
                endpoint=name,
                ms=max(0.0, answered - due) * 1000,
                status=answer.status,
                error=_judged(course, request, filled, answer),
                database_ms=database_ms(answer.headers),
            )
        )
    return course.retry_after


def _goes_on(course: Course, request: JourneyRequest, world: World) -> bool:
    return course.cleans_up(request) if world.stopping() else course.wants(request)


def _judged(course: Course, request: JourneyRequest, filled: JourneyRequest, answer: Answer) -> str:
    """The kind of error, in words that do not differ from one visit to the next; "" when it is well."""
    if answer.status is None:
        course.unanswered(request, answer.error)
        return answer.error
    problems = course.answered(request, filled, answer.status, answer.headers, answer.body, 0.0)
    if answer.status == rate_limit.STATUS != request.status:
        return LIMITED
    if not problems:
        return ""
    return f"status {answer.status}" if answer.status != request.status else "wrong answer"


def database_ms(headers: Mapping[str, str]) -> float | None:
    """What `Server-Timing` says of the database (W3C Server Timing, metric `db`); None when it does not."""
    header = headers.get("Server-Timing")
    found = _DATABASE.search(header) if header else None
    if found is None:
        return None
    try:
        return float(found.group(1))
    except ValueError:
        return None
