"""The dispatcher cannot approve; a rejection stops everything."""

from __future__ import annotations

from rehearsal.stories import proof
from rehearsal.stories.routine import Routine


def tell(at: Routine) -> None:
    before = at.public_release("production")
    manager = at.person("release-manager")
    dev = at.person("dev-1")
    version = next_version(at)
    dev.git("checkout", "-q", "main")
    dev.git("pull", "-q", "origin", "main")
    at.tag(dev, version)
    run = at.dispatch(manager, "deploy-production.yml", version=version)
    at.waiting_for_review(run)
    with at.diary.during("proof", "who started it cannot approve it, nor can a developer"):
        at.review(manager, run, "approved", "my own", ok=(403, 422))
        at.review(dev, run, "approved", "not on the list", ok=(403, 422))
        proof.that(at.waiting_for_review(run) == ["production-approval"], "it still waits")
    at.review(at.person("on-call"), run, "rejected", "not on a Friday")
    at.must_end(run, "failure")
    with at.diary.during("proof", "nothing was deployed, nothing released"):
        skipped = {name: job["conclusion"] for name, job in at.jobs(run).items()}
        proof.that(
            skipped["Deploy backend"] == "skipped" and skipped["Shift traffic"] == "skipped",
            "no deploying job ran",
            skipped,
        )
        proof.that(at.public_release("production") == before, "users have what they had")
        proof.that(at.observer.api("GET", f"releases/tags/{version}", ok=(404,)) is not None, "no release exists")
    dev.types(f"git push -q origin :refs/tags/{version}", ok=None)


def next_version(at: Routine) -> str:
    """A version higher than every tag."""
    at.observer.git("fetch", "-q", "--tags", "origin")
    tags = at.observer.git("tag", "--list", "v*").out.split()
    major, minor, _ = max((tuple(int(part) for part in tag[1:].split(".")) for tag in tags), default=(1, 0, 0))
    return f"v{major}.{minor + 1}.0"
