"""How many requests a release to production makes of GitHub, by job and by route: the quick start, in a world.

`python -m benchmarks.github_requests`. The goal: under 150 for the whole run of *Deploy to Production*. All jobs of a repository share
1,000 an hour, so that six releases in an hour leave room for CI and staging. Answers 304 cost nothing and are not counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rehearsal.scenario.event_log import EventLog
from rehearsal.scenario.steps import Scenario
from rehearsal.scenario.workflows import PRODUCTION_NAME, STAGING_NAME
from rehearsal.stories.table import START, STORIES
from rehearsal.world.handle import World

GOAL = 150
ROOT = Path(__file__).parents[1]
REPOSITORY = "/repos/{owner}/{repo}"


def measure() -> list[dict[str, Any]]:
    """The runs of the quick start, as the world shows them."""
    with World(ROOT) as client:
        STORIES[START].run(Scenario(world=client, log=EventLog(story=START)))
        runs: list[dict[str, Any]] = client.inspect("runs")
        return runs


def by_job(run: Mapping[str, Any]) -> dict[str, Counter[str]]:
    """Name of a job -> route -> requests, the job with the most first."""
    names = {str(job["id"]): str(job["name"]) for job in run["jobs"]}
    found: dict[str, Counter[str]] = {}
    for job, routes in run["requests"]["by_job"].items():
        found.setdefault(names.get(job, "the runner"), Counter()).update(routes)
    return dict(sorted(found.items(), key=lambda each: -each[1].total()))


def main() -> None:
    runs = measure()
    for workflow, goal in ((PRODUCTION_NAME, f" (goal: under {GOAL})"), (STAGING_NAME, "")):
        run = max((run for run in runs if run["workflow"] == workflow), key=lambda run: int(run["requests"]["counted"]))
        counted, unchanged = run["requests"]["counted"], run["requests"]["not_modified"]
        print(f"{workflow}: {counted} requests{goal}, and {unchanged} answered 304, which cost nothing")
        jobs = by_job(run)
        for job, routes in jobs.items():
            print(f"  {routes.total():4}  {job}")
        print("  by route:")
        for route, number in sum(jobs.values(), Counter()).most_common():
            print(f"  {number:4}  {route.replace(REPOSITORY, '…')}")


if __name__ == "__main__":
    main()
