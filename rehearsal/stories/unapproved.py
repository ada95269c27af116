"""The dispatcher cannot approve; a rejection stops everything."""

from __future__ import annotations

import re

from rehearsal.scenario import assertions as proof
from rehearsal.scenario import workflows
from rehearsal.scenario.steps import Routine


def tell(at: Routine) -> None:
    before = at.public_release("production")
    manager = at.person("release-manager")
    dev = at.person("dev-1")
    version = next_version(at)
    dev.git("checkout", "-q", "main")
    dev.git("pull", "-q", "origin", "main")
    at.tag(dev, version)
    run = at.dispatch(manager, workflows.PRODUCTION, version=version)
    at.waiting_for_review(run)
    with at.diary.during("proof", "who started it cannot approve it, nor can a developer"):
        at.review(manager, run, "approved", "my own", ok=(403, 422))
        at.review(dev, run, "approved", "not on the list", ok=(403, 422))
        proof.that(at.waiting_for_review(run) == [workflows.APPROVAL_ENVIRONMENT], "it still waits")
    at.review(at.person("on-call"), run, "rejected", "not on a Friday")
    at.must_end(run, "failure")
    with at.diary.during("proof", "nothing was deployed, nothing released"):
        # The legs of a matrix that never began are one job, under the name that the file gives them.
        ended = {name: job["conclusion"] for name, job in at.jobs(run).items()}
        moved = {name: done for name, done in ended.items() if name.startswith("Deploy") or name == workflows.GO_LIVE}
        proof.that(moved and set(moved.values()) == {"skipped"}, "no deploying job ran", ended)
        proof.that(at.public_release("production") == before, "users have what they had")
        proof.that(at.observer.api("GET", f"releases/tags/{version}", ok=(404,)) is not None, "no release exists")
    dev.types(f"git push -q origin :refs/tags/{version}", ok=None)


def next_version(at: Routine) -> str:
    """A version higher than every tag."""
    at.observer.git("fetch", "-q", "--tags", "origin")
    tags = at.observer.git("tag", "--list", "v*").out.split()
    numbers = [re.match(r"v(\d+)\.(\d+)\.", tag) for tag in tags]
    major, minor = max(((int(found[1]), int(found[2])) for found in numbers if found), default=(1, 0))
    return f"v{major}.{minor + 1}.0"
