"""When the jobs of the deployments run, after whatever the jobs before them came to."""

from __future__ import annotations

import pytest

from pipelines.manifest import load
from tests.workflows.workflow_files import (
    PRODUCTION,
    ROOT,
    STAGING,
    jobs,
    runs,
    triggers,
)

DEPLOYING = ("deploy", "check-candidate", "go-live")


@pytest.mark.parametrize("job", DEPLOYING)
@pytest.mark.parametrize("ended", ["failure", "cancelled"])
@pytest.mark.parametrize("by_someone", [False, True])
def test_whatever_ends_a_deployment_it_is_taken_back_and_notified(job: str, ended: str, by_someone: bool) -> None:
    """A job that is out of time ends as cancelled, which `failure()` does not see; so do those of a run that is cancelled."""
    later = DEPLOYING[DEPLOYING.index(job) + 1 :]
    results = {job: ended, **dict.fromkeys([*later, "check-live", "release"], "skipped")}
    assert runs(PRODUCTION, "roll-back", results, cancelled=by_someone)
    assert runs(PRODUCTION, "notify", results | {"roll-back": "success"}, cancelled=by_someone)


@pytest.mark.parametrize(
    "results",
    [
        {},
        {"release": "failure"},
        {"check-live": "cancelled", "release": "skipped"},
        {"check-live": "failure", "release": "skipped"},
        {"approval": "failure", "deploy": "skipped", "go-live": "skipped"},
        {"approval": "cancelled", "deploy": "skipped", "go-live": "skipped"},
    ],
    ids=str,
)
def test_what_went_well_or_never_began_is_not_taken_back(results: dict[str, str]) -> None:
    assert not runs(PRODUCTION, "roll-back", results)
    assert runs(PRODUCTION, "notify", results | {"roll-back": "skipped"})


@pytest.mark.parametrize("ended", ["failure", "cancelled", "skipped"])
def test_nothing_is_deployed_that_was_not_approved_and_nothing_goes_live_that_was_not_deployed(ended: str) -> None:
    """Their conditions are GitHub's own: every need has succeeded."""
    for job, need in (
        ("deploy", "approval"),
        ("check-candidate", "deploy"),
        ("go-live", "deploy"),
        ("release", "go-live"),
    ):
        assert need in jobs(PRODUCTION)[job]["needs"]
    assert "if" not in jobs(PRODUCTION)["deploy"], "a condition without a status function asks for success, too"
    for tests in ("true", "false"):
        given = {"browser_tests": tests, "state": "live"}
        skipped = {"check-candidate": "skipped"}
        assert not runs(PRODUCTION, "check-candidate", {"deploy": ended}, outputs=given)
        assert not runs(PRODUCTION, "go-live", skipped | {"deploy": ended}, outputs=given)
        assert not runs(PRODUCTION, "check-live", skipped | {"go-live": ended}, outputs=given)
        assert not runs(PRODUCTION, "release", skipped | {"go-live": ended, "check-live": "skipped"}, outputs=given)
    assert not runs(PRODUCTION, "roll-back", {"approval": ended, "deploy": "skipped", "go-live": "skipped"})


@pytest.mark.parametrize(
    ("result", "tests", "goes"),
    [
        ("success", "true", True),
        ("skipped", "false", True),
        ("skipped", "true", False),
        ("skipped", "", False),
        ("failure", "true", False),
        ("cancelled", "true", False),
    ],
)
def test_a_browser_stands_before_users_and_before_the_world(result: str, tests: str, goes: bool) -> None:
    """A job that was skipped for want of tests lets pass; one that was not carried out does not."""
    given = {"browser_tests": tests, "state": "live"}
    assert runs(PRODUCTION, "go-live", {"check-candidate": result}, outputs=given) is goes
    assert runs(PRODUCTION, "release", {"check-live": result}, outputs=given) is goes
    assert not runs(PRODUCTION, "go-live", {"check-candidate": result}, outputs=given, cancelled=True)


@pytest.mark.parametrize("job", ["check-live", "release"])
def test_a_job_after_one_that_was_skipped_asks_itself_what_succeeded(job: str) -> None:
    """GitHub skips it otherwise, whichever job before it was skipped; and a superseded run has nothing to show."""
    for tests, state in (("true", "live"), ("false", "live"), ("true", "superseded")):
        given = {"browser_tests": tests, "state": state}
        wanted = state == "live" and (tests == "true" or job == "release")
        assert runs(PRODUCTION, job, {}, outputs=given) is wanted
        assert "cancelled()" in jobs(PRODUCTION)[job]["if"]


@pytest.mark.parametrize(("verdict", "back"), [("failed", True), ("not live", False), ("passed", False), ("", False)])
@pytest.mark.parametrize("ended", ["failure", "cancelled"])
def test_what_is_live_is_taken_back_by_what_a_browser_found_there_alone(verdict: str, back: bool, ended: str) -> None:
    results = {"check-live": ended, "release": "skipped"}
    assert runs(PRODUCTION, "roll-back", results, outputs={"verdict": verdict}) is back
    assert not runs(PRODUCTION, "release", results, outputs={"state": "live", "browser_tests": "true"})


def test_a_release_that_is_out_asks_nobody() -> None:
    assert jobs(PRODUCTION)["approval"]["if"] == "needs.plan.outputs.state == 'to do'"


@pytest.mark.parametrize(("ended", "notified"), [("success", False), ("failure", True), ("cancelled", True)])
def test_staging_is_reported_of_what_did_not_succeed(ended: str, notified: bool) -> None:
    for job in jobs(STAGING)["notify"]["needs"]:
        assert runs(STAGING, "notify", {job: ended}) is notified, job


@pytest.mark.parametrize(
    ("go_live", "e2e", "tests", "proved"),
    [
        ("success", "success", "true", True),
        ("success", "failure", "true", False),
        ("success", "cancelled", "true", False),
        ("success", "skipped", "true", False),
        ("success", "skipped", "false", True),
        ("failure", "skipped", "true", False),
        ("failure", "skipped", "false", False),
    ],
)
def test_only_what_is_live_and_passed_its_browser_tests_is_proved(
    go_live: str, e2e: str, tests: str, proved: bool
) -> None:
    outputs = {"browser_tests": tests}
    assert runs(STAGING, "prove", {"go-live": go_live, "e2e": e2e}, outputs=outputs) is proved


def test_a_commit_that_steps_aside_is_neither_built_nor_reported() -> None:
    """What is skipped skips all after it, but for the jobs that ask themselves."""
    assert jobs(STAGING)["build"]["if"] == "needs.plan.outputs.state == 'to do'"
    skipped = dict.fromkeys(("build", "deploy", "go-live", "e2e", "prove"), "skipped")
    for job in ("deploy", "go-live", "e2e", "prove", "notify"):
        before = {name: result for name, result in skipped.items() if name in jobs(STAGING)[job]["needs"]}
        assert not runs(STAGING, job, {"plan": "success", **before}, outputs={"state": "superseded"}), job


def test_the_commit_of_staging_is_asked_for_the_pushed_one_or_that_of_the_run_it_follows() -> None:
    (reference,) = {step["with"]["ref"] for step in jobs(STAGING)["plan"]["steps"] if "ref" in step.get("with", {})}
    assert reference == "${{ inputs.commit || github.event.workflow_run.head_sha || github.sha }}"
    for name, job in jobs(STAGING).items():
        given = {step["with"]["ref"] for step in job["steps"] if "ref" in step.get("with", {})}
        assert name == "plan" or given <= {"${{ needs.plan.outputs.commit }}"}, name


def test_who_may_roll_back_chooses_among_the_environments_of_the_manifest() -> None:
    inputs = triggers(ROOT / ".github/workflows/rollback.yml")["workflow_dispatch"]["inputs"]
    assert set(inputs["environment"]["options"]) == set(load(ROOT / "shipmate.yml").environments)
