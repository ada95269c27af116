"""What anybody who may write can make look like something else, and by what it is distinguished from the real one."""

from __future__ import annotations

from tests.rehearsal.github.scene import REPOSITORY, Person, Scene

HERE = f"/repos/{REPOSITORY}"
DISPATCHES = f"{HERE}/actions/workflows/deploy-production.yml/dispatches"


def test_a_check_run_of_another_workflow_stands_in_the_first_suite_of_the_commit(scene: Scene, dev: Person) -> None:
    """GitHub lets nobody choose the suite: neither suite nor address say who made a check run, only the run's jobs do."""
    dev.post(DISPATCHES, {"ref": "main", "inputs": {"version": "v1"}}, status=204)
    (real_run,) = scene.runner.runs.values()
    scene.do(scene.runner.finish, real_run.id, "failure")
    job = scene.job_token({"checks": "write"})
    address = f"{scene.url}/{REPOSITORY}/actions/runs/{real_run.id}/job/{real_run.jobs[0].id}"
    asked = {"name": "deploy", "head_sha": scene.main(), "conclusion": "success", "details_url": address}
    forged = job.post(f"{HERE}/check-runs", asked)
    assert forged["details_url"] == f"{scene.url}/{REPOSITORY}/runs/{forged['id']}", "what a job asks for is not taken"
    every = dev.get(f"{HERE}/commits/main/check-runs?check_name=deploy&filter=all")["check_runs"]
    real = next(one for one in every if one["id"] != forged["id"])
    assert real["details_url"] == address
    assert real["check_suite"] == forged["check_suite"]
    assert (real["app"]["slug"], forged["app"]["slug"]) == ("github-actions", "github-actions")
    jobs = dev.get(f"{HERE}/actions/runs/{real_run.id}/jobs")["jobs"]
    assert [one["id"] for one in jobs] == [real["id"]]
    (found,) = dev.get(f"{HERE}/actions/runs?check_suite_id={forged['check_suite']['id']}")["workflow_runs"]
    assert found["id"] == real_run.id
    latest = dev.get(f"{HERE}/commits/main/check-runs?check_name=deploy")["check_runs"]
    assert [one["id"] for one in latest] == [forged["id"]], "of one suite and one name only the newest is listed"


def test_checks_of_one_name_in_two_runs_are_both_listed(scene: Scene, dev: Person) -> None:
    for _ in range(2):
        dev.post(DISPATCHES, {"ref": "main", "inputs": {"version": "v1"}}, status=204)
    suites = {one["check_suite"]["id"] for one in dev.get(f"{HERE}/commits/main/check-runs")["check_runs"]}
    assert len(suites) == 2


def test_another_apps_check_run_carries_its_name(scene: Scene, dev: Person) -> None:
    value = scene.do(scene.github.seed.app, "quality-gate", REPOSITORY, permissions={"checks": "write"})
    app = Person(login="quality-gate[bot]", token=value, url=scene.url, home=scene.folder)
    body = {"name": "ci", "head_sha": scene.main(), "status": "in_progress", "details_url": "http://127.0.0.1/report"}
    made = app.post(f"{HERE}/check-runs", body)
    assert (made["app"]["slug"], made["details_url"]) == ("quality-gate", "http://127.0.0.1/report")
    job = scene.job_token({"checks": "write"})
    other = job.post(f"{HERE}/check-runs", body)
    assert other["check_suite"] != made["check_suite"]
    refused = job.api("PATCH", f"{HERE}/check-runs/{made['id']}", json={"conclusion": "success"})
    assert (refused.status_code, "can only be modified by the GitHub App" in refused.json()["message"]) == (403, True)
    listed = dev.get(f"{HERE}/commits/main/check-runs?app_id={made['app']['id']}")["check_runs"]
    assert [one["id"] for one in listed] == [made["id"]]
    assert app.api("GET", f"{HERE}/contents/README.md").json()["message"] == "Resource not accessible by integration"


def test_a_job_of_any_branch_writes_deployments_and_statuses(scene: Scene, dev: Person) -> None:
    scene.do(scene.github.seed.environment, REPOSITORY, "production", branches=["main"])
    dev.post(f"{HERE}/git/refs", {"ref": "refs/heads/feature", "sha": scene.main()})
    job = scene.job_token({"deployments": "write"})
    wanted = {"ref": "feature", "environment": "production", "auto_merge": False, "required_contexts": [], "task": "x"}
    made = job.post(f"{HERE}/deployments", {**wanted, "payload": {"run": 1}})
    job.post(f"{HERE}/deployments/{made['id']}/statuses", {"state": "success"})
    (read,) = dev.get(f"{HERE}/deployments?task=x")
    assert (read["environment"], read["creator"]["login"]) == ("production", "github-actions[bot]")
    weak = scene.job_token({"deployments": "read"})
    assert weak.api("POST", f"{HERE}/deployments/{made['id']}/statuses", json={"state": "error"}).status_code == 403
