"""Each job of a release of the apps is killed at its work; *Re-run failed jobs* ends with one build and one delivery for each platform."""

from __future__ import annotations

from rehearsal.scenario import mobile_apps as apps
from rehearsal.scenario import workflows
from rehearsal.scenario.steps import Routine
from rehearsal.stories.killed import kill_job


def tell(at: Routine) -> None:
    at.observer.api("PUT", f"actions/workflows/{workflows.STAGING}/disable")
    apps.quick(at)
    dev = at.person("dev-1")
    tag = f"mobile-v{apps.version(dev)}"
    run = apps.tagged(at, tag)
    for at_once in ((workflows.VERIFY,), (workflows.START_BUILDS,), workflows.DELIVER.values(), (workflows.PUBLISH,)):
        for job in at_once:
            kill_job(at, run, job)
        at.finished(run)
        at.person("release-manager").api("POST", f"actions/runs/{run}/rerun-failed-jobs")
    at.must_end(run, "success")
    apps.is_with_its_testers_once(at, tag)
