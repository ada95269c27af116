"""A pull request reaches production, by the commands of the quick start; then a second release."""

from __future__ import annotations

import json

from rehearsal.scenario import workflows
from rehearsal.scenario.assertions import expect
from rehearsal.scenario.steps import Scenario


def run(scenario: Scenario) -> None:
    # given no load tests: one after each deployment to staging has stories of its own, and would slow down all the others.
    scenario.disable_workflow(workflows.PERFORMANCE)
    with scenario.then("the accounts that deliveries stand on lack nothing"):
        found = scenario.user("on-call").command("shipmate doctor --environment production --json")
        states = {finding["state"] for finding in json.loads(found.out)}
        expect(states <= {"ok", "unknown"}, "shipmate doctor finds nothing missing", found.out)
    first_release(scenario)
    second_release(scenario)


def first_release(scenario: Scenario) -> None:
    """A change in the backend and the web app reaches production as v1.0.0."""
    dev, reviewer = scenario.user("dev-1"), scenario.user("dev-2")
    dev.write("apps/backend/backend/greeting.py", '"""A greeting."""\n\nGREETING = "Welcome aboard"\n')
    dev.write("apps/web/public/robots.txt", "User-agent: *\nDisallow:\n")
    scenario.push_branch(dev, "welcome", "feat: welcome people aboard")
    scenario.deliver_to_staging(dev, reviewer, "welcome", "feat: welcome people aboard")
    scenario.tag(dev, "v1.0.0")
    scenario.deliver_to_production("v1.0.0")
    _is_live(scenario, "v1.0.0")


def second_release(scenario: Scenario) -> None:
    """A fix of the web app alone: CI runs what it affects, and the users see no failed request."""
    dev, reviewer = scenario.user("dev-2"), scenario.user("dev-1")
    dev.update_main()
    dev.write("apps/web/public/robots.txt", "User-agent: *\nDisallow: /private\n")
    scenario.push_branch(dev, "robots", "fix: keep robots out of private pages")
    scenario.deliver_to_staging(dev, reviewer, "robots", "fix: keep robots out of private pages")
    scenario.tag(dev, "v1.0.1")
    with scenario.user_traffic() as users:
        scenario.deliver_to_production("v1.0.1", dispatcher="dev-2")
    expect(not users.failures(), "no user saw a failed request", users.failures()[:3])
    expect(len(users.requests["backend"]) > 20, "users sent requests all the time", len(users.requests["backend"]))
    expect(
        users.releases("backend") == ["v1.0.0", "v1.0.1"], "users went from v1.0.0 to v1.0.1", users.releases("backend")
    )
    _is_live(scenario, "v1.0.1")


def _is_live(scenario: Scenario, version: str) -> None:
    with scenario.then(f"{version} is live, and only once released"):
        scenario.expect_live(version)
        live = scenario.status("production")
        expect(set(live.values()) == {version}, "shipmate status says so", live)
        release = scenario.observer.api("GET", f"releases/tags/{version}")
        expect(not release["draft"], "the GitHub release is published")
        named = [r for r in scenario.observer.api("GET", "releases") if r["tag_name"] == version]
        expect(len(named) == 1, "there is one release of it", len(named))
