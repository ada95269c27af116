"""A pull request reaches production, by the commands of the quick start; then a second release."""

from __future__ import annotations

import json
import re

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
    with scenario.then(
        f"what users report of {version} can be read: the source maps of its scripts are at Sentry alone"
    ):
        _traces_can_be_read(scenario)


def _traces_can_be_read(scenario: Scenario) -> None:
    """By what a browser gets: the script's own debug id, of which Sentry has the map, and nobody else."""
    world, site = scenario.world, scenario.world.hosts["production"]["web"]
    with world.https_client() as client:
        page = world.request(client, site, "/").text
        [path] = re.findall(r'<script[^>]* src="(/assets/[^"]+\.js)"', page)
        script = world.request(client, site, path).text
        mapped = world.request(client, site, f"{path}.map").status_code
    expect(mapped == 404, "no source map is public", mapped)
    found = re.search(r"^//# debugId=([0-9a-f-]{36})$", script, re.MULTILINE)
    expect(found is not None and script.count(found[1]) == 2, "the script registers its debug id", script[-200:])
    debug_id = found[1] if found else ""
    listed = world.request_provider(
        "de.sentry.io",
        f"/api/0/projects/techmate/web/files/artifact-bundles/?query={debug_id}",
        {"Authorization": f"Bearer {world.environ['SENTRY_AUTH_TOKEN']}"},
    )
    expect(listed.status_code == 200 and len(listed.json()) == 1, "Sentry has its source map", listed.text)
