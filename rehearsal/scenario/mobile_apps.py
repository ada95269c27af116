"""What people do with the apps of the stores, as phrases for the stories, and what must be true of a release after it."""

from __future__ import annotations

import re

from rehearsal.scenario import assertions as proof
from rehearsal.scenario import workflows
from rehearsal.scenario.steps import Routine
from rehearsal.scenario.user import Person

FILE = "apps/mobile/app.json"
PACKAGE = "ai.techmate.app"
SHOWN_BY = "apps/mobile/App.tsx"


def version(who: Person) -> str:
    """The version in the clone's app.json."""
    found = re.search(r'"version": "([^"]+)"', (who.clone / FILE).read_text())
    proof.that(found, f"{FILE} has a version")
    return found[1] if found else ""


def writes_version(who: Person, wanted: str) -> None:
    """Edit app.json."""
    who.edits(FILE, f'"version": "{version(who)}"', f'"version": "{wanted}"')


def quick(at: Routine) -> None:
    """Let EAS and Apple take no time: what a story is about happens elsewhere."""
    at.place.happens("eas", "queue", position=1, seconds=0.2)
    for _ in range(8):
        at.place.happens("eas", "next_build", seconds=0.5)


def reaches_main(at: Routine, who: Person, reviewer: Person, branch: str, title: str) -> str:
    """Pull request, CI, review, merge, CI on the new head of main; that head."""
    at.branch(who, branch, title)
    number = at.open_pull_request(who, branch, title)
    head = who.git("rev-parse", branch).out.strip()
    at.must_end(at.run_of(head, workflows.CI, "pull_request"), "success")
    at.approve_pull_request(reviewer, number)
    sha = at.merge(who, branch)
    at.must_end(at.run_of(sha, workflows.CI, "push"), "success")
    return sha


def tagged(at: Routine, tag: str, *, branch: str = "main") -> int:
    """A maintainer tags the head of a branch, and pushes it; the run. Others may make no such tag."""
    who = at.person("release-manager")
    who.types(f"git fetch -q origin {branch}")
    sha = who.git("rev-parse", "FETCH_HEAD").out.strip()
    before = {one["id"] for one in at.place.inspect("runs")}
    who.types(f"git tag {tag} FETCH_HEAD")
    who.types(f"git push -q origin {tag}")
    return proof.eventually(
        lambda: next((i for i in _runs(at, sha) if i not in before), None), f"{tag} to start a run", seconds=60
    )


def started_again(at: Routine, after: int) -> int:
    """The run that another one started."""
    sha = at.observer.api("GET", f"actions/runs/{after}")["head_sha"]
    return proof.eventually(
        lambda: next((i for i in _runs(at, sha) if i > after), None), f"run {after} to start another", seconds=60
    )


def _runs(at: Routine, sha: str) -> list[int]:
    listed = at.observer.api("GET", f"actions/runs?head_sha={sha}&per_page=50")["workflow_runs"]
    return [int(run["id"]) for run in listed if run["path"].endswith(workflows.APPS)]


def is_with_its_testers_once(at: Routine, tag: str, *, builds: int = 2) -> None:
    """One build for each platform, one delivery to each store, one GitHub release, one record in the ledger."""
    with at.diary.during("proof", f"{tag} is with its testers, once"):
        made = at.place.inventory(tag)
        proof.that(made["eas"] == builds, f"{builds} builds at EAS", made)
        proof.that(made["google-play"] == 1, "one delivery to Google Play", made)
        proof.that(made["app-store"] == 1, "one build that testers have at TestFlight", made)
        listed = at.observer.api("GET", "releases?per_page=100")
        mine = [each for each in listed if each["tag_name"] == tag]
        proof.that(len(mine) == 1 and not mine[0]["draft"], "one GitHub release", [each["name"] for each in mine])


def nothing_was_built(at: Routine, run: int, tag: str) -> None:
    """Nothing but the first job ran, and no provider has anything of the tag."""
    begun = {name for name, job in at.jobs(run).items() if job["conclusion"] not in ("skipped", None)}
    proof.that(begun == {workflows.VERIFY}, "nothing but Verify ran", begun)
    made = at.place.inventory(tag)
    proof.that(made["eas"] == made["google-play"] == 0, "nothing was built or delivered", made)
    numbers = at.observer.api("GET", "git/matching-refs/shipmate/builds")
    proof.that(not numbers, "no build number is used up", numbers)
