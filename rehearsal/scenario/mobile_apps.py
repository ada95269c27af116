"""Steps with the apps of the stores, and what is expected of a release after them."""

from __future__ import annotations

import re

from rehearsal.scenario import workflows
from rehearsal.scenario.assertions import eventually, expect
from rehearsal.scenario.steps import Scenario
from rehearsal.scenario.user import User

FILE = "apps/mobile/app.json"
PACKAGE = "ai.techmate.app"
COMPONENT = "apps/mobile/App.tsx"


def version(user: User) -> str:
    """The version in the clone's app.json."""
    found = re.search(r'"version": "([^"]+)"', (user.clone / FILE).read_text())
    expect(found, f"{FILE} has a version")
    return found[1] if found else ""


def write_version(user: User, wanted: str) -> None:
    """Edit app.json."""
    user.edit(FILE, f'"version": "{version(user)}"', f'"version": "{wanted}"')


def speed_up_providers(scenario: Scenario) -> None:
    """EAS and Apple take no time: what such a scenario is about happens elsewhere."""
    scenario.world.provider_event("eas", "queue", position=1, seconds=0.2)
    for _ in range(8):
        scenario.world.provider_event("eas", "next_build", seconds=0.5)


def merge_to_main(scenario: Scenario, user: User, reviewer: User, branch: str, title: str) -> str:
    """Pull request, CI, review, merge, CI on the new head of main; that head."""
    scenario.push_branch(user, branch, title)
    number = scenario.open_pull_request(user, branch, title)
    scenario.expect_conclusion(scenario.find_run(user.head(branch), workflows.CI, "pull_request"), "success")
    scenario.approve_pull_request(reviewer, number)
    sha = scenario.merge(user, branch)
    scenario.expect_conclusion(scenario.find_run(sha, workflows.CI, "push"), "success")
    return sha


def push_tag(scenario: Scenario, tag: str, *, branch: str = "main") -> int:
    """A maintainer tags the head of a branch, and pushes it; the run. Others may make no such tag."""
    user = scenario.user("release-manager")
    user.command(f"git fetch -q origin {branch}")
    sha = user.head("FETCH_HEAD")
    before = {one["id"] for one in scenario.world.inspect("runs")}
    user.command(f"git tag {tag} FETCH_HEAD")
    user.command(f"git push -q origin {tag}")
    return eventually(
        lambda: next((i for i in _runs(scenario, sha) if i not in before), None), f"{tag} to start a run", seconds=60
    )


def find_restarted_run(scenario: Scenario, after: int) -> int:
    """The run that another one started."""
    sha = scenario.observer.api("GET", f"actions/runs/{after}")["head_sha"]
    return eventually(
        lambda: next((i for i in _runs(scenario, sha) if i > after), None), f"run {after} to start another", seconds=60
    )


def _runs(scenario: Scenario, sha: str) -> list[int]:
    listed = scenario.observer.api("GET", f"actions/runs?head_sha={sha}&per_page=50")["workflow_runs"]
    return [int(run["id"]) for run in listed if run["path"].endswith(workflows.APPS)]


def expect_delivered_once(scenario: Scenario, tag: str, *, builds: int = 2) -> None:
    """One build for each platform, one delivery to each store, one GitHub release, one record in the ledger."""
    with scenario.then(f"{tag} is with its testers, once"):
        made = scenario.world.deployments_of(tag)
        expect(made["eas"] == builds, f"{builds} builds at EAS", made)
        expect(made["google-play"] == 1, "one delivery to Google Play", made)
        expect(made["app-store"] == 1, "one build that testers have at TestFlight", made)
        listed = scenario.observer.api("GET", "releases?per_page=100")
        mine = [each for each in listed if each["tag_name"] == tag]
        expect(len(mine) == 1 and not mine[0]["draft"], "one GitHub release", [each["name"] for each in mine])


def expect_nothing_built(scenario: Scenario, run: int, tag: str) -> None:
    """Nothing but the first job ran, and no provider has anything of the tag."""
    started = scenario.started_jobs(run)
    expect(started == {workflows.VERIFY}, "nothing but Verify ran", started)
    made = scenario.world.deployments_of(tag)
    expect(made["eas"] == made["google-play"] == 0, "nothing was built or delivered", made)
    numbers = scenario.observer.api("GET", "git/matching-refs/shipmate/builds")
    expect(not numbers, "no build number is used up", numbers)
