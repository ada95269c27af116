"""A fix for what is live, while main has moved on: from a maintenance branch, by the same staging, approval and checks."""

from __future__ import annotations

import json

from rehearsal.scenario import workflows
from rehearsal.scenario.assertions import expect
from rehearsal.scenario.steps import Scenario


def run(scenario: Scenario) -> None:
    dev = scenario.user("dev-1")
    given_a_tag_that_is_not_released(scenario)
    live = scenario.public_releases("production")["web"]
    dev.command("git fetch -q --tags origin")
    branch, version = maintenance_branch(live, dev.git("tag", "--list").out.split())
    main = dev.head("origin/main")
    # The branch starts at what is live; changes reach it by a reviewed pull request, as on main.
    dev.command(f"git push -q origin {live}^{{}}:refs/heads/{branch}")
    first = dev.head(f"{live}^{{}}")
    scenario.expect_conclusion(scenario.find_run(first, workflows.CI, "push", branch=branch), "success")
    dev.command(f"git switch -q -c robots-again {live}")
    dev.write("apps/web/public/robots.txt", "User-agent: *\nDisallow: /\n")
    dev.git("add", "-A")
    dev.command('git commit -q -m "fix: keep robots out of everything"')
    dev.command("git push -q origin robots-again")
    number = scenario.open_pull_request(dev, "robots-again", "fix: keep robots out of everything", base=branch)
    scenario.expect_conclusion(scenario.find_run(dev.head(), workflows.CI, "pull_request"), "success")
    scenario.approve_pull_request(scenario.user("dev-2"), number)
    with scenario.when(f"merges pull request #{number} into {branch}", user=dev.login):
        sha = str(dev.api("PUT", f"pulls/{number}/merge", {"merge_method": "squash"})["sha"])
    ci = scenario.find_run(sha, workflows.CI, "push")
    scenario.expect_conclusion(ci, "success")
    # By main's workflow: the branch's own file does not count.
    scenario.expect_conclusion(scenario.staging_run_after(ci), "success")
    dev.git("fetch", "-q", "origin")
    dev.git("switch", "-q", "--detach", sha)
    scenario.tag(dev, version)
    scenario.deliver_to_production(version)
    with scenario.then(f"{version} is live and the latest release; main is where it was"):
        scenario.expect_live(version)
        latest = scenario.observer.api("GET", "releases/latest")["tag_name"]
        expect(latest == version, "the GitHub release is the latest", latest)
        dev.git("fetch", "-q", "origin")
        expect(dev.head("origin/main") == main, "nothing was pushed to main")
    passes_every_browser_test(scenario)


def passes_every_browser_test(scenario: Scenario) -> None:
    """All browser tests of what is on staging, as every night: main's workflow, the branch's tests, two runners."""
    run = scenario.dispatch(scenario.user("dev-1"), workflows.BROWSER_TESTS, environment="staging", shards="2")
    scenario.expect_conclusion(run, "success")
    with scenario.then("every browser test ran on one of two runners, and the reports are one") as event:
        listed = scenario.observer.api("GET", f"actions/runs/{run}/artifacts")["artifacts"]
        kept = {each["name"]: each["id"] for each in listed}
        expect({"browser-tests-1", "browser-durations-staging"} <= set(kept), "report and durations are kept", kept)
        tests = json.loads(scenario.observer.artifact(kept["browser-tests-1"])["e2e.json"])["tests"]
        seconds = json.loads(scenario.observer.artifact(kept["browser-durations-staging"])["durations.json"])["seconds"]
        expect({each["shard"] for each in tests} == {1, 2}, "both runners had some", tests)
        expect({each["test"] for each in tests} == set(seconds), "each has a duration for the next night", seconds)
        event.facts["tests"] = len(tests)


def given_a_tag_that_is_not_released(scenario: Scenario) -> None:
    """A higher version is tagged and not released: users do not have it, so it must not count."""
    dev = scenario.user("dev-1")
    dev.git("switch", "-q", "--detach", "origin/main")
    dev.git("commit", "-q", "--allow-empty", "-m", "feat: not yet")
    scenario.tag(dev, scenario.next_version())


def maintenance_branch(live: str, tags: list[str]) -> tuple[str, str]:
    """The maintenance branch of what is live, and the next version on it that no tag has."""
    line = live.rpartition(".")[0]
    patches = [
        int(tag.removeprefix(f"{line}."))
        for tag in tags
        if tag.startswith(f"{line}.") and tag[len(line) + 1 :].isdigit()
    ]
    return f"release/{line.removeprefix('v')}.x", f"{line}.{max(patches) + 1}"
