"""A release that fails its checks never gets traffic, or is taken back; nothing is published, people are told, users keep the old one."""

from __future__ import annotations

from rehearsal.scenario import assertions as proof
from rehearsal.scenario import workflows
from rehearsal.scenario.steps import Routine
from rehearsal.scenario.user_traffic import Observer
from rehearsal.stories.unapproved import next_version

HEALTH = "apps/backend/backend/routes/health.py"
START = "apps/backend/backend/__main__.py"
WELL_HEALTH = '    return JSONResponse({"status": "ok"})\n\n\ndef _page'
SICK_HEALTH = (
    "    # Well at its own address and on staging; sick where users are.\n"
    '    sick = request.headers.get("host", "").startswith("api.techmate")\n'
    '    return JSONResponse({"status": "ok"}, status_code=503 if sick else 200)\n\n\ndef _page'
)
WELL_START = "    configure_logging(settings.log_level)\n"
DEAD_START = (
    "    configure_logging(settings.log_level)\n"
    '    if (settings.environment, settings.release) == ("production", "%s"):\n        return 1\n'
)


def tell(at: Routine) -> None:
    """One bad change, released twice: as one version it does not even start in production, as the next it is sick where users are."""
    dev = at.person("dev-1")
    dead = next_version(at)
    sick = f"{dead.rpartition('.')[0]}.1"
    dev.git("checkout", "-q", "main")
    dev.git("pull", "-q", "origin", "main")
    dev.edits(START, WELL_START, DEAD_START % dead)
    dev.edits(HEALTH, WELL_HEALTH, SICK_HEALTH)
    at.branch(dev, "bad", "feat: be bad in production")
    at.change_reaches_staging(dev, at.person("dev-2"), "bad", "feat: be bad in production")
    never_gets_traffic(at, dead)
    is_taken_back(at, sick)


def never_gets_traffic(at: Routine, version: str) -> None:
    """It does not start in production."""
    before, run, users = _release(at, version)
    with at.diary.during("proof", f"{version} never had traffic, and nothing was published"):
        jobs = {name: job["conclusion"] for name, job in at.jobs(run).items()}
        proof.that(jobs[workflows.DEPLOY] == "failure", "the candidate failed", jobs)
        proof.that(jobs[workflows.GO_LIVE] == "skipped", "no traffic was shifted", jobs)
        seen = users.releases("backend")
        proof.that(seen == [before["backend"]], "users were served by the old one alone", seen)
        _nothing_published(at, version, before, users)


def is_taken_back(at: Routine, version: str) -> None:
    """It answers at its own address, and fails where users are."""
    before, run, users = _release(at, version)
    with at.diary.during("proof", f"{version} was taken back, backend and web together") as entry:
        jobs = {name: job["conclusion"] for name, job in at.jobs(run).items()}
        proof.that(jobs[workflows.ROLL_BACK_JOB] == "success", "the way back was gone", jobs)
        proof.that(version in users.releases("backend"), "it had traffic for a while", users.releases("backend"))
        entry.facts["back_seconds"] = _seconds(at, run, workflows.ROLL_BACK_JOB)
        _nothing_published(at, version, before, users)


def _release(at: Routine, version: str) -> tuple[dict[str, str], int, Observer]:
    """Bring main to production, which will fail there; users ask all the while."""
    before = at.public_release("production")
    messages = len(at.place.messages())
    at.tag(at.person("dev-1"), version)
    with Observer(place=at.place, environment="production") as users:
        run = at.dispatch(at.person("dev-1"), workflows.PRODUCTION, version=version)
        at.waiting_for_review(run)
        at.review(at.person("release-manager"), run, "approved", f"{version} may go")
        at.must_end(run, "failure")
    sights = {k: [[s.at, s.ms, s.ok, s.seen] for s in v] for k, v in users.sights.items()}
    at.diary.note("users", "what users saw meanwhile", sights=sights)
    told = at.place.messages()[messages:]
    at.diary.note("message", "people were told", messages=told)
    ways = {message["via"] for message in told if version in message["text"]}
    proof.that(ways >= {"slack", "smtp"}, "Slack and mail were told of it", told)
    return before, run, users


def _nothing_published(at: Routine, version: str, before: dict[str, str], users: Observer) -> None:
    at.observer.api("GET", f"releases/tags/{version}", ok=(404,))
    live = at.public_release("production")
    proof.that(live == before, "users have what they had", live)
    proof.that(not users.failures(), "no user saw a failed request", users.failures()[:3])


def _seconds(at: Routine, run: int, job: str) -> float:
    """How long a job took, to the millisecond."""
    found = next(r for r in at.place.inspect("runs") if r["id"] == run)
    return next(float(j["ended"] - j["started"]) for j in found["jobs"] if j["name"] == job)
