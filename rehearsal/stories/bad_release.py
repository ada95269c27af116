"""A release that fails its checks never gets traffic, or is rolled back; nothing is published, users keep the old one."""

from __future__ import annotations

from rehearsal.scenario import workflows
from rehearsal.scenario.assertions import expect
from rehearsal.scenario.steps import Scenario
from rehearsal.scenario.synthetic_users import SyntheticUsers

HEALTH = "apps/backend/backend/routes/health.py"
START = "apps/backend/backend/__main__.py"
HEALTHY = '    return JSONResponse({"status": "ok"})\n\n\ndef _page'
UNHEALTHY = (
    "    # Healthy at its own address and on staging; unhealthy at the public address.\n"
    '    unhealthy = request.headers.get("host", "").startswith("api.techmate")\n'
    '    return JSONResponse({"status": "ok"}, status_code=503 if unhealthy else 200)\n\n\ndef _page'
)
STARTS = "    configure_logging(settings.log_level)\n"
DOES_NOT_START = (
    "    configure_logging(settings.log_level)\n"
    '    if (settings.environment, settings.release) == ("production", "%s"):\n        return 1\n'
)


def run(scenario: Scenario) -> None:
    """One bad change, released twice: as one version it does not start in production, as the next it is unhealthy at its public address."""
    dev = scenario.user("dev-1")
    never_starts = scenario.next_version()
    unhealthy = f"{never_starts.rpartition('.')[0]}.1"
    dev.update_main()
    dev.edit(START, STARTS, DOES_NOT_START % never_starts)
    dev.edit(HEALTH, HEALTHY, UNHEALTHY)
    scenario.push_branch(dev, "bad", "feat: be bad in production")
    scenario.deliver_to_staging(dev, scenario.user("dev-2"), "bad", "feat: be bad in production")
    never_gets_traffic(scenario, never_starts)
    is_rolled_back(scenario, unhealthy)


def never_gets_traffic(scenario: Scenario, version: str) -> None:
    """It does not start in production."""
    before, run, users = _release(scenario, version)
    with scenario.then(f"{version} never had traffic, and nothing was published"):
        jobs = scenario.job_conclusions(run)
        expect(jobs[workflows.DEPLOY] == "failure", "the candidate failed", jobs)
        expect(jobs[workflows.GO_LIVE] == "skipped", "no traffic was shifted", jobs)
        seen = users.releases("backend")
        expect(seen == [before["backend"]], "users were served by the old one alone", seen)
        _nothing_published(scenario, version, before, users)


def is_rolled_back(scenario: Scenario, version: str) -> None:
    """It answers at its own address, and fails at the public one."""
    before, run, users = _release(scenario, version)
    with scenario.then(f"{version} was rolled back, backend and web together") as event:
        jobs = scenario.job_conclusions(run)
        expect(jobs[workflows.ROLL_BACK_JOB] == "success", "the job that rolls back succeeded", jobs)
        expect(version in users.releases("backend"), "it had traffic for a while", users.releases("backend"))
        event.facts["rollback_seconds"] = _seconds(scenario, run, workflows.ROLL_BACK_JOB)
        _nothing_published(scenario, version, before, users)


def _release(scenario: Scenario, version: str) -> tuple[dict[str, str], int, SyntheticUsers]:
    """Release main to production, where it fails, while users send requests; what was live before, the run, the users."""
    before = scenario.public_releases("production")
    messages = len(scenario.world.notifications())
    scenario.tag(scenario.user("dev-1"), version)
    with scenario.user_traffic() as users:
        run = scenario.start_release(version)
        scenario.expect_conclusion(run, "failure")
    sent = scenario.world.notifications()[messages:]
    scenario.log.add("notification", "Slack and mail were notified", messages=sent)
    scenario.expect_notified(version, messages)
    return before, run, users


def _nothing_published(scenario: Scenario, version: str, before: dict[str, str], users: SyntheticUsers) -> None:
    scenario.expect_unpublished(version)
    live = scenario.public_releases("production")
    expect(live == before, "users have the release they had", live)
    expect(not users.failures(), "no user saw a failed request", users.failures()[:3])


def _seconds(scenario: Scenario, run: int, job: str) -> float:
    """How long a job took, to the millisecond."""
    found = scenario.run_state(run)
    return next(float(j["ended"] - j["started"]) for j in found["jobs"] if j["name"] == job)
