"""A release that fails its checks never gets traffic, or is taken back; nothing is published, people are told, users keep the old one."""

from __future__ import annotations

import time

from rehearsal.stories import proof
from rehearsal.stories.observer import Observer
from rehearsal.stories.routine import Routine
from rehearsal.stories.unapproved import next_version

LIVE = '    return JSONResponse({"status": "ok"})\n\n\ndef _page'
SICK = (
    "    # Well at its own address and on staging; sick where users are.\n"
    '    sick = request.headers.get("host", "").startswith("api.techmate")\n'
    '    return JSONResponse({"status": "ok"}, status_code=503 if sick else 200)\n\n\ndef _page'
)
START = "    configure_logging(settings.log_level)\n"
DEAD = '    configure_logging(settings.log_level)\n    if settings.environment == "production":\n        return 1\n'


def tell(at: Routine) -> None:
    never_gets_traffic(at)
    is_taken_back(at)


def never_gets_traffic(at: Routine) -> None:
    """It does not start in production."""
    before, version, run, users = _release(at, "dead", "apps/backend/backend/__main__.py", START, DEAD)
    with at.diary.during("proof", f"{version} never had traffic, and nothing was published"):
        jobs = {name: job["conclusion"] for name, job in at.jobs(run).items()}
        proof.that(jobs["Deploy backend"] == "failure", "the candidate failed", jobs)
        proof.that(jobs["Shift traffic"] == "skipped", "no traffic was shifted", jobs)
        proof.that(
            users.releases("backend") == [before["backend"]],
            "users were served by the old one alone",
            users.releases("backend"),
        )
        _nothing_published(at, version, before, users)
    _repair(at, "dead", "apps/backend/backend/__main__.py", DEAD, START)


def is_taken_back(at: Routine) -> None:
    """It answers at its own address, and fails where users are."""
    before, version, run, users = _release(at, "sick", "apps/backend/backend/routes/health.py", LIVE, SICK)
    with at.diary.during("proof", f"{version} was taken back, backend and web together") as entry:
        jobs = {name: job["conclusion"] for name, job in at.jobs(run).items()}
        proof.that(jobs["Take it back"] == "success", "the way back was gone", jobs)
        entry.facts["back_seconds"] = _seconds(at, run, "Take it back")
        _nothing_published(at, version, before, users)
    _repair(at, "sick", "apps/backend/backend/routes/health.py", SICK, LIVE)


def _release(at: Routine, name: str, path: str, old: str, new: str) -> tuple[dict[str, str], str, int, Observer]:
    """Bring a change to production that will fail there; users ask all the while."""
    dev, reviewer = at.person("dev-1"), at.person("dev-2")
    before = at.public_release("production")
    messages = len(_messages(at))
    dev.git("checkout", "-q", "main")
    dev.git("pull", "-q", "origin", "main")
    dev.edits(path, old, new)
    at.branch(dev, name, f"feat: be {name} in production")
    at.change_reaches_staging(dev, reviewer, name, f"feat: be {name} in production")
    version = next_version(at)
    at.tag(dev, version)
    with Observer(place=at.place, environment="production") as users:
        run = at.dispatch(dev, "deploy-production.yml", version=version)
        at.waiting_for_review(run)
        at.review(at.person("release-manager"), run, "approved", f"{version} may go")
        at.must_end(run, "failure")
    sights = {k: [[s.at, s.ms, s.ok, s.seen] for s in v] for k, v in users.sights.items()}
    at.diary.note("users", "what users saw meanwhile", sights=sights)
    told = _messages(at)[messages:]
    at.diary.note("message", "people were told", messages=told)
    kinds = {message["via"] for message in told if version in message["text"]}
    proof.that(kinds >= {"slack", "smtp"}, "Slack and mail were told of it", told)
    return before, version, run, users


def _nothing_published(at: Routine, version: str, before: dict[str, str], users: Observer) -> None:
    at.observer.api("GET", f"releases/tags/{version}", ok=(404,))
    proof.that(at.public_release("production") == before, "users have what they had", at.public_release("production"))
    proof.that(not users.failures(), "no user saw a failed request", users.failures()[:3])


def _messages(at: Routine) -> list[dict[str, str]]:
    """What Slack and the mail server hold: {"via", "text"}."""
    return at.place.messages()


def _repair(at: Routine, name: str, path: str, old: str, new: str) -> None:
    """Mend main, without waiting for staging: the next story starts from a healthy head."""
    dev = at.person("dev-1")
    dev.edits(path, old, new)
    at.branch(dev, f"mend-{name}", f"fix: be well again after {name}")
    at.change_reaches_staging(dev, at.person("dev-2"), f"mend-{name}", f"fix: be well again after {name}")


def _seconds(at: Routine, run: int, job: str) -> float:
    found = at.jobs(run)[job]
    return _stamp(found["completed_at"]) - _stamp(found["started_at"])


def _stamp(text: str) -> float:
    return time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))
