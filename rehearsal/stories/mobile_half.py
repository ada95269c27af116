"""Apple cannot process the build, Google Play has its own: the release starts again by itself, and delivers the missing one alone."""

from __future__ import annotations

from rehearsal.scenario import assertions as proof
from rehearsal.scenario import mobile_apps as apps
from rehearsal.scenario import workflows
from rehearsal.scenario.steps import Routine


def tell(at: Routine) -> None:
    at.observer.api("PUT", f"actions/workflows/{workflows.STAGING}/disable")
    apps.quick(at)
    dev = at.person("dev-1")
    tag = f"mobile-v{apps.version(dev)}"
    at.place.happens("app-store", "next_upload", state="INVALID")
    run = apps.tagged(at, tag)
    at.must_end(run, "failure")
    with at.diary.during("proof", "one platform hides nothing of the other"):
        ended = {name: job["conclusion"] for name, job in at.jobs(run).items()}
        wanted = {workflows.DELIVER["android"]: "success", workflows.DELIVER["ios"]: "failure"}
        proof.that({name: ended.get(name) for name in wanted} == wanted, "Android is delivered, iOS is not", ended)
        proof.that(ended.get(workflows.PUBLISH) == "skipped", "nothing is published", ended)
        delivered = at.place.inventory(tag)["google-play"]
    again = apps.started_again(at, run)
    at.must_end(again, "success")
    with at.diary.during("proof", "the next number is built for iOS alone, and the rest is found done"):
        made = at.place.inventory(tag)
        proof.that(made["google-play"] == delivered == 1, "Google Play has it once", made)
        proof.that(made["eas"] == 3, "one build for Android, two for iOS", made)
        said = str(at.observer.api("GET", f"actions/jobs/{at.jobs(again)[workflows.DELIVER['android']]['id']}/logs"))
        proof.that("already" in said, "Android says that it is there already", said[-1500:])
        at.observer.api("GET", f"releases/tags/{tag}")
    with at.diary.during("proof", "and people are told once, of how it ended"):
        told = [message["text"] for message in at.place.messages() if tag in message["text"]]
        proof.that(len({text.partition("\n")[0] for text in told if "testers" in text}) >= 1, "people are told", told)
        proof.that(not any("not with all" in text for text in told), "nobody is told of the half", told)
