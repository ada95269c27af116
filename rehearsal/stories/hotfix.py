"""A fix for what is live, while main has moved on: from a maintenance line, by the same staging, approval and checks."""

from __future__ import annotations

import json

from rehearsal.scenario import assertions as proof
from rehearsal.scenario import workflows
from rehearsal.scenario.steps import Routine
from rehearsal.stories.unapproved import next_version


def tell(at: Routine) -> None:
    dev = at.person("dev-1")
    tagged_and_never_released(at)
    live = at.public_release("production")["web"]
    dev.types("git fetch -q --tags origin")
    line, version = after(live, dev.git("tag", "--list").out.split())
    main = dev.git("rev-parse", "origin/main").out
    # The line begins at what is live; what is put on it comes by a reviewed pull request, as on main.
    dev.types(f"git push -q origin {live}^{{}}:refs/heads/{line}")
    first = dev.git("rev-parse", f"{live}^{{}}").out.strip()
    at.must_end(at.run_of(first, workflows.CI, "push", branch=line), "success")
    dev.types(f"git switch -q -c robots-again {live}")
    dev.writes("apps/web/public/robots.txt", "User-agent: *\nDisallow: /\n")
    dev.git("add", "-A")
    dev.types('git commit -q -m "fix: keep robots out of everything"')
    dev.types("git push -q origin robots-again")
    number = at.open_pull_request(dev, "robots-again", "fix: keep robots out of everything", base=line)
    at.must_end(at.run_of(dev.git("rev-parse", "HEAD").out.strip(), workflows.CI, "pull_request"), "success")
    at.approve_pull_request(at.person("dev-2"), number)
    with at.diary.during("act", f"merges pull request #{number} into {line}", who=dev.login):
        sha = str(dev.api("PUT", f"pulls/{number}/merge", {"merge_method": "squash"})["sha"])
    ci = at.run_of(sha, workflows.CI, "push")
    at.must_end(ci, "success")
    # By main's workflow: the line's own file has no say in it.
    at.must_end(at.followed(ci), "success")
    dev.git("fetch", "-q", "origin")
    dev.git("switch", "-q", "--detach", sha)
    at.tag(dev, version)
    at.release_reaches_production(version)
    with at.diary.during("proof", f"{version} is live and the latest release; main is where it was"):
        both = {"backend": version, "web": version}
        proof.that(at.public_release("production") == both, "both answer with it", at.public_release("production"))
        latest = at.observer.api("GET", "releases/latest")["tag_name"]
        proof.that(latest == version, "the GitHub release is the latest", latest)
        dev.git("fetch", "-q", "origin")
        proof.that(dev.git("rev-parse", "origin/main").out == main, "nothing was pushed to main")
    looked_at_in_a_browser(at)


def looked_at_in_a_browser(at: Routine) -> None:
    """All browser tests of what the line left on staging, as every night: main's workflow, the line's tests, two runners."""
    run = at.dispatch(at.person("dev-1"), workflows.BROWSER_TESTS, environment="staging", shards="2")
    at.must_end(run, "success")
    with at.diary.during("proof", "every browser test ran on one of two runners, and the reports are one") as entry:
        listed = at.observer.api("GET", f"actions/runs/{run}/artifacts")["artifacts"]
        kept = {each["name"]: each["id"] for each in listed}
        proof.that({"browser-tests-1", "browser-durations-staging"} <= set(kept), "report and durations are kept", kept)
        tests = json.loads(at.observer.artifact(kept["browser-tests-1"])["e2e.json"])["tests"]
        seconds = json.loads(at.observer.artifact(kept["browser-durations-staging"])["durations.json"])["seconds"]
        proof.that({each["shard"] for each in tests} == {1, 2}, "both runners had some", tests)
        proof.that({each["test"] for each in tests} == set(seconds), "each has a duration for the next night", seconds)
        entry.facts["tests"] = len(tests)


def tagged_and_never_released(at: Routine) -> None:
    """A higher version is tagged and does not go out: users do not have it, so it must not count."""
    dev = at.person("dev-1")
    dev.git("switch", "-q", "--detach", "origin/main")
    dev.git("commit", "-q", "--allow-empty", "-m", "feat: not yet")
    at.tag(dev, next_version(at))


def after(live: str, tags: list[str]) -> tuple[str, str]:
    """The maintenance line of what is live, and the next version on it that no tag has."""
    line = live.rpartition(".")[0]
    patches = [
        int(tag.removeprefix(f"{line}."))
        for tag in tags
        if tag.startswith(f"{line}.") and tag[len(line) + 1 :].isdigit()
    ]
    return f"release/{line.removeprefix('v')}.x", f"{line}.{max(patches) + 1}"
