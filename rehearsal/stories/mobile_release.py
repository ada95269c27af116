"""A version of the apps: edited, reviewed, merged, tagged; built once for each platform, and with its testers on both stores."""

from __future__ import annotations

from rehearsal.scenario import assertions as proof
from rehearsal.scenario import mobile_apps as apps
from rehearsal.scenario import workflows
from rehearsal.scenario.steps import Routine

VERSION = "1.0.1"
TAG = f"mobile-v{VERSION}"
OWN_SECONDS = "Verify, Start the builds, Deliver and Create GitHub release without EAS's and Apple's own time"


def tell(at: Routine) -> None:
    at.observer.api("PUT", f"actions/workflows/{workflows.STAGING}/disable")  # it delivers the platform, not its apps
    dev, reviewer = at.person("dev-1"), at.person("dev-2")
    apps.writes_version(dev, VERSION)
    apps.reaches_main(at, dev, reviewer, "apps-1.0.1", "fix: let the apps find notes again")
    run = apps.tagged(at, TAG)
    at.must_end(run, "success")
    at.diary.note("live", f"{TAG} is with its testers", release=TAG)
    apps.is_with_its_testers_once(at, TAG)
    people_know(at, run)
    asked_again_nothing_happens(at, run)


def people_know(at: Routine, run: int) -> None:
    with at.diary.during("proof", "people are told what it is, who made it, and where to install it"):
        told = [message["text"] for message in at.place.messages() if TAG in message["text"]]
        proof.that(told, "somebody was told")
        for part in (
            "is with its testers",
            "release-manager",
            "internal testing",
            "TestFlight",
            f"/actions/runs/{run}",
        ):
            proof.that(all(part in text for text in told), f"the message says {part!r}", told)
        notes = at.observer.api("GET", f"releases/tags/{TAG}")
        proof.that(
            "sha256:" in notes["body"] and "let the apps find notes" in notes["body"], "the notes", notes["body"]
        )


def asked_again_nothing_happens(at: Routine, run: int) -> None:
    at.person("release-manager").api("POST", f"actions/runs/{run}/rerun")
    at.must_end(run, "success")
    begun = {name for name, job in at.jobs(run).items() if job["conclusion"] == "success"}
    with at.diary.during("proof", "run again, it finds everything done"):
        proof.that(begun == {workflows.VERIFY}, "only Verify ran", begun)
        apps.is_with_its_testers_once(at, TAG)
