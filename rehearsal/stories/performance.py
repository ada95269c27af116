"""What goes to production must have met the performance targets on staging: a release that did is deployed, a slow one is refused.

Load cannot be scaled in time: visits take the seconds they take. So the profile is the brief one, and page loads, which take
minutes, are no target here. On a machine that is busy with other work the healthy platform may be slow, and a load test invalid: it is
made again, and what then has not passed is refused. That a slow release is refused holds on every machine.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection

from rehearsal.scenario import workflows
from rehearsal.scenario.assertions import eventually, expect
from rehearsal.scenario.steps import Scenario
from rehearsal.scenario.user import User

PROFILE = "brief"
NOTES = "apps/backend/backend/routes/notes.py"
IMPORTS = "import json\n"
SORTED_IMPORTS = "import asyncio\nimport json\nimport time\n"
QUICK = "    limit = _limit(request, default=PAGE)\n"
HEALTHY_SECONDS = 90
"""How long a process of the slow release is fast, as one that leaks: the checks of its deployment are over by then."""
SLOW = f"    await asyncio.sleep(0.8 if time.monotonic() > STARTED + {HEALTHY_SECONDS} else 0)\n" + QUICK
LOG = '_log = Log("backend.notes")\n'
ATTEMPTS = 2
"""Load tests of one release, at the most."""
WORST_FIRST = ("invalid", "missed", "no data", "too short to tell", "passed")
TARGETS = {"API responses", "database queries"}
"""What load without a browser answers."""


def run(scenario: Scenario) -> None:
    scenario.disable_workflow(workflows.PERFORMANCE)  # it is dispatched below
    dev = scenario.user("dev-1")
    a_measured_release_is_deployed(scenario, dev)
    a_slow_release_is_stopped(scenario, dev)


def a_measured_release_is_deployed(scenario: Scenario, dev: User) -> None:
    """A release is refused until its commit was measured on staging and met its targets."""
    dev.write("apps/backend/backend/greeting.py", '"""A greeting."""\n\nGREETING = "Welcome aboard"\n')
    scenario.push_branch(dev, "welcome", "feat: welcome people aboard")
    sha = scenario.deliver_to_staging(dev, scenario.user("dev-2"), "welcome", "feat: welcome people aboard")
    version = scenario.next_version()
    scenario.tag(dev, version)
    _is_refused(scenario, dev, version, "no load test of this commit was made")
    verdict = _load_test(scenario, dev, sha, {"passed"})
    if verdict != "passed":
        _is_refused(scenario, dev, version, verdict)
        return
    _plan_shows_the_load_test(scenario, version)
    scenario.deliver_to_production(version)


def a_slow_release_is_stopped(scenario: Scenario, dev: User) -> None:
    """It passes every check of its deployment, and the list of notes becomes slow a while later. No check looks then; a load test does."""
    dev.edit(NOTES, IMPORTS, SORTED_IMPORTS)
    dev.edit(NOTES, LOG, LOG + "STARTED = time.monotonic()\n")
    dev.edit(NOTES, QUICK, SLOW)
    scenario.push_branch(dev, "slow", "feat: be careful with notes")
    sha = scenario.deliver_to_staging(dev, scenario.user("dev-2"), "slow", "feat: be careful with notes")
    _wait_until_slow(scenario)
    verdict = _load_test(scenario, dev, sha, {"missed", "passed"})
    version = scenario.next_version()
    scenario.tag(dev, version)
    _is_refused(scenario, dev, version, verdict)
    with scenario.then(f"{version} was stopped before production: {verdict}", verdict=verdict):
        expect(verdict != "passed", "the load test did not pass", verdict)
        made = scenario.world.deployments_of(version)
        expect(not any(made.values()), "no provider has anything of it", made)
        scenario.expect_unpublished(version)


def _is_refused(scenario: Scenario, dev: User, version: str, why: str) -> None:
    """It is refused before an approval is requested; the run says why."""
    run = scenario.dispatch(dev, workflows.PRODUCTION, version=version)
    scenario.expect_conclusion(run, "failure")
    with scenario.then(f"{version} is refused before an approval is requested: {why}"):
        text = scenario.failure_logs(run)
        expect("has not met every performance target on staging" in text, "the run says what is missing", text)
        expect(why in text, f"and why: {why}", text)
        started = scenario.started_jobs(run)
        expect(started == {workflows.PLAN}, "nothing else was started", started)


def _wait_until_slow(scenario: Scenario) -> None:
    with scenario.world.https_client() as client, scenario.log.record("wait", "the release on staging becomes slow"):

        def slow() -> bool:
            sent = time.monotonic()
            scenario.world.request(client, scenario.world.hosts["staging"]["backend"], "/notes")
            return time.monotonic() - sent > 0.7

        eventually(slow, "an answer of 0.7 s", seconds=HEALTHY_SECONDS + 120, every=3)


def _load_test(scenario: Scenario, dev: User, sha: str, good_enough: Collection[str]) -> str:
    """The verdict of a load test of staging; repeated where the machine may be the cause and not the platform."""
    scenario.enable_workflow(workflows.PERFORMANCE)
    verdict = ""
    for attempt in range(1, ATTEMPTS + 1):
        inputs = {"environment": "staging", "profile": PROFILE, "runners": "1", "pages": "false"}
        run = scenario.dispatch(dev, workflows.PERFORMANCE, **inputs)
        ended = scenario.wait_for_run(run)["conclusion"]
        verdict = _verdict(scenario, run, sha)
        scenario.log.add("assertion", f"load test {attempt} of {sha[:7]}: {verdict}", verdict=verdict)
        expect((ended == "success") == (verdict == "passed"), f"a run that {verdict} does not end so", ended)
        if verdict in good_enough:
            break
    scenario.disable_workflow(workflows.PERFORMANCE)
    return verdict


def _verdict(scenario: Scenario, run: int, sha: str) -> str:
    """The worst of the answers, as the artifact has them that plans read."""
    name = f"performance-staging-{sha}"
    kept = scenario.observer.api("GET", f"actions/runs/{run}/artifacts?name={name}")["artifacts"]
    expect(len(kept) == 1, f"the run keeps {name}", scenario.failure_logs(run))
    answers = json.loads(scenario.observer.artifact(kept[0]["id"])["performance.json"])["answers"]
    expect({each["target"] for each in answers} == TARGETS, "each target is answered", answers)
    verdicts = {each["verdict"] for each in answers}
    return next(each for each in WORST_FIRST if each in verdicts)


def _plan_shows_the_load_test(scenario: Scenario, version: str) -> None:
    manager = scenario.user("release-manager")
    manager.git("checkout", "-q", "main")
    manager.git("pull", "-q", "--tags", "origin", "main")
    result = manager.command(f"shipmate plan --environment production --version {version}")
    with scenario.then(f"the plan of {version} shows what was measured"):
        expect(f"load test '{PROFILE}' on staging" in result.out, "the plan names the load test", result.out)
        expect(": passed: p95 " in result.out, "and what came of it", result.out)
