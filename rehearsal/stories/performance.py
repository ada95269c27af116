"""What goes to production must have met the performance targets on staging: a release that did is let in, a slow one goes no further.

Load cannot be told in scaled time: visits take the seconds they take. So the profile is the brief one, and page loads, which take
minutes, are no target here. On a machine that is busy with other things the healthy platform may be slow, and a load test invalid: it is
made again, and what then has not passed is refused. That a slow release is not let in holds on every machine.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection

from rehearsal.scenario import assertions as proof
from rehearsal.scenario import workflows
from rehearsal.scenario.steps import Routine
from rehearsal.scenario.user import Person
from rehearsal.stories.unapproved import next_version

PROFILE = "brief"
NOTES = "apps/backend/backend/routes/notes.py"
IMPORTS = "import json\n"
SORTED_IMPORTS = "import asyncio\nimport json\nimport time\n"
QUICK = "    limit = _limit(request, default=PAGE)\n"
WELL_SECONDS = 90
"""How long a process of the slow release is well, as one that leaks: the checks of its deployment are over by then."""
SLOW = f"    await asyncio.sleep(0.8 if time.monotonic() > STARTED + {WELL_SECONDS} else 0)\n" + QUICK
LOG = '_log = Log("backend.notes")\n'
ATTEMPTS = 2
"""Load tests of one release, at the most."""
WORST_FIRST = ("invalid", "missed", "no data", "too short to tell", "passed")
TARGETS = {"API responses", "database queries"}
"""What load without a browser answers."""


def tell(at: Routine) -> None:
    at.observer.api(
        "PUT", f"actions/workflows/{workflows.PERFORMANCE}/disable"
    )  # it is dispatched when its time has come
    dev = at.person("dev-1")
    what_is_measured_is_let_in(at, dev)
    what_is_slow_is_stopped(at, dev)


def what_is_measured_is_let_in(at: Routine, dev: Person) -> None:
    """A release is refused until what it is made of was measured on staging and met its targets."""
    dev.writes("apps/backend/backend/greeting.py", '"""A greeting."""\n\nGREETING = "Welcome aboard"\n')
    at.branch(dev, "welcome", "feat: welcome people aboard")
    sha = at.change_reaches_staging(dev, at.person("dev-2"), "welcome", "feat: welcome people aboard")
    version = next_version(at)
    at.tag(dev, version)
    _is_refused(at, dev, version, "no load test of this commit was made")
    verdict = _measured(at, dev, sha, {"passed"})
    if verdict != "passed":
        _is_refused(at, dev, version, verdict)
        return
    _plan_says(at, version)
    at.release_reaches_production(version)


def what_is_slow_is_stopped(at: Routine, dev: Person) -> None:
    """It passes every check of its deployment, and the list of notes becomes slow a while later. No check looks then; a load test does."""
    dev.edits(NOTES, IMPORTS, SORTED_IMPORTS)
    dev.edits(NOTES, LOG, LOG + "STARTED = time.monotonic()\n")
    dev.edits(NOTES, QUICK, SLOW)
    at.branch(dev, "slow", "feat: be careful with notes")
    sha = at.change_reaches_staging(dev, at.person("dev-2"), "slow", "feat: be careful with notes")
    _until_slow(at)
    verdict = _measured(at, dev, sha, {"missed", "passed"})
    version = next_version(at)
    at.tag(dev, version)
    _is_refused(at, dev, version, verdict)
    with at.diary.during("proof", f"{version} was stopped before production: {verdict}", verdict=verdict):
        proof.that(verdict != "passed", "the load test did not pass", verdict)
        made = at.place.inventory(version)
        proof.that(not any(made.values()), "no provider has anything of it", made)
        at.observer.api("GET", f"releases/tags/{version}", ok=(404,))


def _is_refused(at: Routine, dev: Person, version: str, why: str) -> None:
    """Nobody is asked to approve it; the run says why."""
    run = at.dispatch(dev, workflows.PRODUCTION, version=version)
    at.must_end(run, "failure")
    with at.diary.during("proof", f"{version} is refused before anybody is asked: {why}"):
        said = at.trouble(run)
        proof.that("has not met every performance target on staging" in said, "the run says what is missing", said)
        proof.that(why in said, f"and why: {why}", said)
        begun = {name for name, job in at.jobs(run).items() if job["conclusion"] != "skipped"}
        proof.that(begun == {workflows.PLAN}, "nothing else was begun", begun)


def _until_slow(at: Routine) -> None:
    with at.place.browser_like() as client, at.diary.during("wait", "the release on staging becomes slow"):

        def slow() -> bool:
            asked = time.monotonic()
            at.place.ask(client, at.place.hosts["staging"]["backend"], "/notes", headers={"X-User": "user-1"})
            return time.monotonic() - asked > 0.7

        proof.eventually(slow, "an answer of 0.7 s", seconds=WELL_SECONDS + 120, every=3)


def _measured(at: Routine, dev: Person, sha: str, good_enough: Collection[str]) -> str:
    """The verdict of a load test of what staging serves; made again where it may be this machine's and not the platform's."""
    at.observer.api("PUT", f"actions/workflows/{workflows.PERFORMANCE}/enable")
    verdict = ""
    for attempt in range(1, ATTEMPTS + 1):
        asked = {"environment": "staging", "profile": PROFILE, "runners": "1", "pages": "false"}
        run = at.dispatch(dev, workflows.PERFORMANCE, **asked)
        ended = at.finished(run)["conclusion"]
        verdict = _verdict(at, run, sha)
        at.diary.note("proof", f"load test {attempt} of {sha[:7]}: {verdict}", verdict=verdict)
        proof.that((ended == "success") == (verdict == "passed"), f"a run that {verdict} does not end so", ended)
        if verdict in good_enough:
            break
    at.observer.api("PUT", f"actions/workflows/{workflows.PERFORMANCE}/disable")
    return verdict


def _verdict(at: Routine, run: int, sha: str) -> str:
    """The worst of the answers, as the artifact has them that plans read."""
    name = f"performance-staging-{sha}"
    kept = at.observer.api("GET", f"actions/runs/{run}/artifacts?name={name}")["artifacts"]
    proof.that(len(kept) == 1, f"the run keeps {name}", at.trouble(run))
    answers = json.loads(at.observer.artifact(kept[0]["id"])["performance.json"])["answers"]
    proof.that({each["target"] for each in answers} == TARGETS, "each target is answered", answers)
    verdicts = {each["verdict"] for each in answers}
    return next(each for each in WORST_FIRST if each in verdicts)


def _plan_says(at: Routine, version: str) -> None:
    manager = at.person("release-manager")
    manager.git("checkout", "-q", "main")
    manager.git("pull", "-q", "--tags", "origin", "main")
    said = manager.types(f"shipmate plan --environment production --version {version}")
    with at.diary.during("proof", f"who approves {version} reads what was measured"):
        proof.that(f"load test '{PROFILE}' on staging" in said.out, "the plan names the load test", said.out)
        proof.that(": passed: p95 " in said.out, "and what came of it", said.out)
