"""Each job of a release of the apps is killed; *Re-run failed jobs* ends with one build and one delivery for each platform."""

from __future__ import annotations

from rehearsal.scenario import mobile_apps, workflows
from rehearsal.scenario.job_kills import kill_job
from rehearsal.scenario.steps import Scenario


def run(scenario: Scenario) -> None:
    scenario.disable_workflow(workflows.STAGING)
    mobile_apps.speed_up_providers(scenario)
    dev = scenario.user("dev-1")
    tag = f"mobile-v{mobile_apps.version(dev)}"
    run = mobile_apps.push_tag(scenario, tag)
    for side_by_side in (
        (workflows.VERIFY,),
        (workflows.START_BUILDS,),
        workflows.DELIVER.values(),
        (workflows.PUBLISH,),
    ):
        for job in side_by_side:
            kill_job(scenario, run, job)
        scenario.wait_for_run(run)
        scenario.rerun_failed_jobs(run)
    scenario.expect_conclusion(run, "success")
    mobile_apps.expect_delivered_once(scenario, tag)
