"""Apple cannot process its build, Google Play has its own: the release restarts by itself, and delivers the missing one alone."""

from __future__ import annotations

from rehearsal.scenario import mobile_apps, workflows
from rehearsal.scenario.assertions import expect
from rehearsal.scenario.steps import Scenario


def run(scenario: Scenario) -> None:
    scenario.disable_workflow(workflows.STAGING)
    mobile_apps.speed_up_providers(scenario)
    dev = scenario.user("dev-1")
    tag = f"mobile-v{mobile_apps.version(dev)}"
    scenario.world.provider_event("app-store", "next_upload", state="INVALID")
    first = mobile_apps.push_tag(scenario, tag)
    scenario.expect_conclusion(first, "failure")
    with scenario.then("one platform does not hold up the other"):
        ended = scenario.job_conclusions(first)
        wanted = {workflows.DELIVER["android"]: "success", workflows.DELIVER["ios"]: "failure"}
        expect({name: ended.get(name) for name in wanted} == wanted, "Android is delivered, iOS is not", ended)
        expect(ended.get(workflows.PUBLISH) == "skipped", "nothing is published", ended)
        delivered = scenario.world.deployments_of(tag)["google-play"]
    again = mobile_apps.find_restarted_run(scenario, first)
    scenario.expect_conclusion(again, "success")
    with scenario.then("the next number is built for iOS alone, and the rest is already done"):
        made = scenario.world.deployments_of(tag)
        expect(made["google-play"] == delivered == 1, "Google Play has it once", made)
        expect(made["eas"] == 3, "one build for Android, two for iOS", made)
        output = scenario.job_log(scenario.jobs(again)[workflows.DELIVER["android"]]["id"])
        expect("already" in output, "Android says that it is there already", output[-1500:])
        scenario.observer.api("GET", f"releases/tags/{tag}")
    with scenario.then("one notification says how it ended"):
        sent = [message["text"] for message in scenario.world.notifications() if tag in message["text"]]
        expect(len({text.partition("\n")[0] for text in sent if "testers" in text}) >= 1, "testers are named", sent)
        expect(not any("not with all" in text for text in sent), "no message of the half", sent)
