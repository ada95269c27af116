"""Workflows, runs, jobs, logs, artifacts, approvals, check runs."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from rehearsal.github.runs.rest.runs import in_range
from rehearsal.runner.model import Annotation, Artifact
from tests.rehearsal.github.scene import REPOSITORY, Person, Scene

HERE = f"/repos/{REPOSITORY}"
DISPATCHES = f"{HERE}/actions/workflows/deploy-production.yml/dispatches"


def dispatch(person: Person) -> int:
    body = {"ref": "main", "inputs": {"version": "v1.0.0"}, "return_run_details": True}
    return int(person.post(DISPATCHES, body, status=200)["workflow_run_id"])


def test_workflows_are_the_files_of_the_default_branch(dev: Person) -> None:
    listed = dev.get(f"{HERE}/actions/workflows")
    assert listed["total_count"] == 2
    names = {one["path"].rpartition("/")[2]: one["name"] for one in listed["workflows"]}
    assert names == {"ci.yml": "CI", "deploy-production.yml": "Deploy to Production"}
    first = listed["workflows"][0]
    assert dev.get(f"{HERE}/actions/workflows/{first['id']}") == first
    assert dev.get(f"{HERE}/actions/workflows/ci.yml")["id"] == first["id"]
    assert dev.api("GET", f"{HERE}/actions/workflows/none.yml").status_code == 404


def test_dispatching_answers_nothing_or_the_run(scene: Scene, dev: Person) -> None:
    assert dev.api("POST", DISPATCHES, json={"ref": "main", "inputs": {"version": "v1.0.0"}}).status_code == 204
    event = scene.events("workflow_dispatch")[-1]
    assert (event.ref, event.sha, event.payload["inputs"]) == ("refs/heads/main", scene.main(), {"version": "v1.0.0"})
    assert event.payload["workflow"] == ".github/workflows/deploy-production.yml"
    run = dev.get(f"{HERE}/actions/runs/{dispatch(dev)}")
    assert (run["event"], run["status"], run["actor"]["login"]) == ("workflow_dispatch", "in_progress", "dev-1")


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("deploy-production.yml", {"ref": "nowhere", "inputs": {}}, 422, "No ref found for: nowhere"),
        ("deploy-production.yml", {"ref": "main", "inputs": {"verison": "x"}}, 422, "Unexpected inputs provided"),
        ("deploy-production.yml", {"ref": "main"}, 422, "Required input 'version' not provided"),
        ("ci.yml", {"ref": "main"}, 422, "does not have 'workflow_dispatch' trigger"),
        ("none.yml", {"ref": "main"}, 404, "Not Found"),
    ],
)
def test_dispatches_that_cannot_be(dev: Person, path: str, body: dict[str, Any], status: int, message: str) -> None:
    answer = dev.api("POST", f"{HERE}/actions/workflows/{path}/dispatches", json=body)
    assert answer.status_code == status
    assert message in answer.json()["message"]


def test_dispatching_takes_write_access(scene: Scene) -> None:
    reader = scene.person("on-call")
    assert reader.api("POST", DISPATCHES, json={"ref": "main", "inputs": {"version": "v1"}}).status_code == 403


def test_a_job_may_dispatch_and_that_starts_a_run(scene: Scene) -> None:
    """workflow_dispatch and repository_dispatch are the two events a job's token can start workflows with."""
    job = scene.job_token({"actions": "write", "contents": "write"})
    job.post(DISPATCHES, {"ref": "main", "inputs": {"version": "v1"}}, status=204)
    assert scene.events("workflow_dispatch")[-1].actor == "github-actions[bot]"
    job.post(f"{HERE}/dispatches", {"event_type": "mobile", "client_payload": {"a": 1}}, status=204)
    assert scene.events("repository_dispatch")[-1].payload["client_payload"] == {"a": 1}


def test_a_disabled_workflow_cannot_be_dispatched(dev: Person) -> None:
    assert dev.api("PUT", f"{HERE}/actions/workflows/deploy-production.yml/disable").status_code == 204
    refused = dev.api("POST", DISPATCHES, json={"ref": "main", "inputs": {"version": "v1"}})
    assert "disabled workflow" in refused.json()["message"]
    assert dev.api("PUT", f"{HERE}/actions/workflows/deploy-production.yml/enable").status_code == 204
    dispatch(dev)


def test_runs_are_found_by_what_they_are(scene: Scene, dev: Person) -> None:
    first, second = dispatch(dev), dispatch(dev)
    scene.do(scene.runner.finish, first, "failure")

    def found(query: str) -> list[int]:
        return [run["id"] for run in dev.get(f"{HERE}/actions/runs?{query}")["workflow_runs"]]

    assert found("") == [second, first], "newest first"
    assert found("status=failure") == [first]
    assert found("status=in_progress") == [second]
    assert found(f"branch=main&event=workflow_dispatch&actor=dev-1&head_sha={scene.main()}") == [second, first]
    assert found("event=push") == []
    of_workflow = dev.get(f"{HERE}/actions/workflows/deploy-production.yml/runs?per_page=1")
    assert (of_workflow["total_count"], len(of_workflow["workflow_runs"])) == (2, 1)


@pytest.mark.parametrize(
    ("wanted", "within"),
    [
        ("2026-11-22", True),
        (">=2026-11-22", True),
        (">2026-11-22", False),
        ("<2026-11-22T18:00:01Z", True),
        ("<=2026-11-21", False),
        ("2026-11-20..2026-11-22", True),
        ("2026-11-23..*", False),
        ("*..2026-11-22T17:59:59Z", False),
    ],
)
def test_dates_of_runs_are_given_as_in_searches(wanted: str, within: bool) -> None:
    assert in_range(datetime(2026, 11, 22, 18, tzinfo=UTC), wanted) == within


def test_jobs_steps_and_logs(scene: Scene, dev: Person) -> None:
    run = dispatch(dev)
    (job,) = dev.get(f"{HERE}/actions/runs/{run}/jobs")["jobs"]
    assert (job["name"], job["status"], job["steps"]) == ("deploy", "in_progress", [])
    assert dev.api("GET", f"{HERE}/actions/jobs/{job['id']}/logs", allow_redirects=False).status_code == 404
    scene.do(scene.runner.finish, run, "failure", ("hello", "##[error]no"))
    job = dev.get(f"{HERE}/actions/jobs/{job['id']}")
    assert [(step["number"], step["name"], step["conclusion"]) for step in job["steps"]] == [
        (1, "Set up job", "success"),
        (2, "Run true", "failure"),
    ]
    redirect = dev.api("GET", f"{HERE}/actions/jobs/{job['id']}/logs", allow_redirects=False)
    assert redirect.status_code == 302
    text = requests.get(redirect.headers["location"], timeout=10).text
    assert text.splitlines()[-1] == "2026-11-22T18:00:00.0000000Z ##[error]no"
    archive = zipfile.ZipFile(io.BytesIO(dev.api("GET", f"{HERE}/actions/runs/{run}/logs").content))
    assert archive.namelist() == ["1_deploy.txt", "deploy/1_Set up job.txt", "deploy/2_Run true.txt"]
    assert dev.get(f"{HERE}/actions/runs/{run}/timing")["run_duration_ms"] > 0


def test_a_rerun_is_another_attempt_of_the_same_run(scene: Scene, dev: Person) -> None:
    run = dispatch(dev)
    assert dev.api("POST", f"{HERE}/actions/runs/{run}/rerun").status_code == 403, "it has not ended"
    scene.do(scene.runner.finish, run, "failure")
    dev.post(f"{HERE}/actions/runs/{run}/rerun-failed-jobs")
    again = dev.get(f"{HERE}/actions/runs/{run}")
    assert (again["id"], again["run_attempt"], again["status"]) == (run, 2, "in_progress")
    before = dev.get(f"{HERE}/actions/runs/{run}/attempts/1")
    assert (before["run_attempt"], before["conclusion"]) == (1, "failure")
    scene.do(scene.runner.finish, run)
    (old,) = dev.get(f"{HERE}/actions/runs/{run}/attempts/1/jobs")["jobs"]
    (new,) = dev.get(f"{HERE}/actions/runs/{run}/jobs")["jobs"]
    assert (old["conclusion"], new["conclusion"], new["run_attempt"]) == ("failure", "success", 2)
    assert len(dev.get(f"{HERE}/actions/runs/{run}/jobs?filter=all")["jobs"]) == 2
    assert dev.api("GET", f"{HERE}/actions/runs/{run}/attempts/3").status_code == 404
    log = dev.api("GET", f"{HERE}/actions/runs/{run}/attempts/1/logs")
    assert zipfile.ZipFile(io.BytesIO(log.content)).namelist()[0] == "1_deploy.txt"


def test_a_run_can_be_cancelled_once(dev: Person) -> None:
    run = dispatch(dev)
    assert dev.api("POST", f"{HERE}/actions/runs/{run}/cancel").status_code == 202
    assert dev.get(f"{HERE}/actions/runs/{run}")["conclusion"] == "cancelled"
    assert dev.api("POST", f"{HERE}/actions/runs/{run}/cancel").status_code == 409


def test_deployments_are_reviewed_by_who_may(scene: Scene, dev: Person, manager: Person) -> None:
    scene.do(scene.github.seed.environment, REPOSITORY, "production", reviewers=["release-manager"])
    run = dispatch(dev)
    assert manager.get(f"{HERE}/actions/runs/{run}/pending_deployments") == []
    scene.do(scene.runner.wait_for_review, run, ["release-manager"])
    path = f"{HERE}/actions/runs/{run}/pending_deployments"
    (pending,) = dev.get(path)
    assert (pending["environment"]["name"], pending["current_user_can_approve"]) == ("production", False)
    assert pending["reviewers"][0]["reviewer"]["login"] == "release-manager"
    (waiting,) = dev.get(f"{HERE}/deployments")
    states = [status["state"] for status in dev.get(f"{HERE}/deployments/{waiting['id']}/statuses")]
    assert states == ["pending", "in_progress"], "REST has no word for waiting"
    answer = {"environment_ids": [pending["environment"]["id"]], "state": "approved", "comment": "Go"}
    assert dev.api("POST", path, json=answer).status_code == 403
    assert scene.job_token({"deployments": "write"}).api("POST", path, json=answer).status_code == 403
    assert manager.api("POST", path, json={**answer, "environment_ids": [1]}).status_code == 422
    (deployment,) = manager.post(path, answer, status=200)
    assert (deployment["environment"], deployment["task"]) == ("production", "deploy")
    (approval,) = dev.get(f"{HERE}/actions/runs/{run}/approvals")
    assert (approval["user"]["login"], approval["state"], approval["comment"]) == ("release-manager", "approved", "Go")
    assert approval["environments"][0]["name"] == "production"


def test_who_started_a_run_cannot_approve_it_where_that_is_prevented(scene: Scene, manager: Person) -> None:
    scene.do(scene.github.seed.environment, REPOSITORY, "production", reviewers=["release-manager"])
    run = dispatch(manager)
    scene.do(scene.runner.wait_for_review, run, ["release-manager"])
    path = f"{HERE}/actions/runs/{run}/pending_deployments"
    assert manager.get(path)[0]["current_user_can_approve"] is True
    scene.github.instance.repository(REPOSITORY).environments["production"].prevent_self_review = True
    assert manager.get(path)[0]["current_user_can_approve"] is False


def test_a_job_with_an_environment_makes_its_own_deployment(scene: Scene, dev: Person) -> None:
    run = dispatch(dev)
    (deployment,) = dev.get(f"{HERE}/deployments?environment=production")
    assert (deployment["task"], deployment["ref"], deployment["sha"]) == ("deploy", "main", scene.main())
    scene.do(scene.runner.finish, run)
    statuses = dev.get(f"{HERE}/deployments/{deployment['id']}/statuses")
    assert [status["state"] for status in statuses] == ["success", "in_progress"]
    assert statuses[0]["log_url"].startswith(f"{scene.url}/{REPOSITORY}/actions/runs/{run}/job/")
    assert scene.events("deployment") == [], "GitHub's own deployments start nothing"


def test_a_job_that_is_no_deployment_makes_its_environment_known_alone(scene: Scene, dev: Person) -> None:
    run = dispatch(dev)
    job = scene.runner.runs[run].jobs[0]
    job.environment, job.makes_deployment, job.id = "notices", False, job.id + 1
    scene.do(scene.runner.finish, run)
    assert dev.get(f"{HERE}/deployments?environment=notices") == []
    assert dev.get(f"{HERE}/environments/notices")["name"] == "notices"


def reported(scene: Scene) -> list[tuple[str, str | None]]:
    """What was reported of runs so far."""
    scene.run(scene.github.hub.run_events.wait())
    return [
        (event.payload["action"], event.payload["workflow_run"]["conclusion"]) for event in scene.events("workflow_run")
    ]


def test_a_finished_run_is_reported_to_the_default_branch(scene: Scene, dev: Person, tmp_path: Path) -> None:
    checkout = dev.clone(tmp_path / "clone")
    dev.git("checkout", "-q", "-b", "feature", cwd=checkout)
    head = dev.commit(checkout, "a.txt", "a", "Add a")
    dev.git("push", "-q", "origin", "feature", cwd=checkout)
    dev.post(f"{HERE}/pulls", {"title": "Add a", "head": "feature", "base": "main"})
    (run,) = scene.runner.runs.values()
    assert reported(scene) == [("in_progress", None)]
    scene.do(scene.runner.finish, run.id, "failure")
    assert reported(scene) == [("in_progress", None), ("completed", "failure")]
    event = scene.events("workflow_run")[-1]
    assert (event.ref, event.sha, event.actor) == ("refs/heads/main", scene.main(), "dev-1")
    about = event.payload["workflow_run"]
    assert {
        name: about[name] for name in ("id", "name", "path", "event", "head_sha", "head_branch", "run_attempt")
    } == {
        "id": run.id,
        "name": "CI",
        "path": ".github/workflows/ci.yml",
        "event": "pull_request",
        "head_sha": head,
        "head_branch": "feature",
        "run_attempt": 1,
    }
    assert event.payload["workflow"]["path"] == ".github/workflows/ci.yml"
    dev.post(f"{HERE}/actions/runs/{run.id}/rerun")
    scene.do(scene.runner.finish, run.id)
    assert reported(scene)[2:] == [("in_progress", None), ("completed", "success")]


def test_a_run_that_a_job_dispatched_is_reported_too(scene: Scene) -> None:
    job = scene.job_token({"actions": "write"})
    body = {"ref": "main", "inputs": {"version": "v1.0.0"}}
    job.post(DISPATCHES, body, status=204)
    run = max(scene.runner.runs)
    scene.do(scene.runner.finish, run)
    assert ("completed", "success") in reported(scene)
    assert scene.events("workflow_run")[-1].by_workflow_token is False


def keep_artifact(scene: Scene, run: int, number: int, folder: Path, name: str = "report") -> None:
    """An artifact of a run, as its job left it."""
    folder.mkdir()
    (folder / "report.txt").write_text("fine")
    kept = {"name": name, "size": 4, "digest": "ab" * 32, "path": str(folder), "job_id": 20_000}
    artifact = Artifact(id=number, created_at=scene.clock(), **kept)
    scene.runner.runs[run].artifacts.append(artifact)


def test_artifacts_are_listed_and_downloaded(scene: Scene, dev: Person, tmp_path: Path) -> None:
    first, second = dispatch(dev), dispatch(dev)
    keep_artifact(scene, second, 9, tmp_path / "a")
    keep_artifact(scene, first, 7, tmp_path / "b")
    keep_artifact(scene, first, 8, tmp_path / "c", "other")
    listed = dev.get(f"{HERE}/actions/runs/{first}/artifacts?name=report")
    assert [(one["name"], one["size_in_bytes"]) for one in listed["artifacts"]] == [("report", 4)]
    every = dev.get(f"{HERE}/actions/artifacts?name=report&per_page=1")
    assert (every["total_count"], [one["id"] for one in every["artifacts"]]) == (2, [7]), "the newest first"
    assert [one["id"] for one in dev.get(f"{HERE}/actions/artifacts?per_page=2&page=2")["artifacts"]] == [9]
    assert dev.get(f"{HERE}/actions/artifacts?name=none")["total_count"] == 0
    repository = dev.get(HERE)["id"]
    assert every["artifacts"][0]["digest"] == f"sha256:{'ab' * 32}"
    assert every["artifacts"][0]["workflow_run"] == {
        "id": first,
        "repository_id": repository,
        "head_repository_id": repository,
        "head_branch": "main",
        "head_sha": scene.main(),
    }
    job = scene.job_token({"actions": "read"})
    archive = job.api("GET", f"{HERE}/actions/artifacts/7/zip").content
    assert zipfile.ZipFile(io.BytesIO(archive)).read("report.txt") == b"fine"
    assert scene.job_token({"contents": "read"}).api("GET", f"{HERE}/actions/artifacts").status_code == 403


def test_an_artifact_goes_when_it_is_deleted_and_stays_listed_when_it_is_old(
    scene: Scene, dev: Person, tmp_path: Path
) -> None:
    run = dispatch(dev)
    keep_artifact(scene, run, 7, tmp_path / "a")
    keep_artifact(scene, run, 8, tmp_path / "b", "other")
    assert scene.job_token({"actions": "read"}).api("DELETE", f"{HERE}/actions/artifacts/7").status_code == 403
    assert dev.api("DELETE", f"{HERE}/actions/artifacts/7").status_code == 204
    assert dev.api("GET", f"{HERE}/actions/artifacts/7").status_code == 404
    scene.clock.time += timedelta(days=90)
    (old,) = dev.get(f"{HERE}/actions/artifacts")["artifacts"]
    assert (old["id"], old["expired"]) == (8, True)
    assert dev.api("GET", f"{HERE}/actions/artifacts/8/zip").status_code == 410


def test_anybody_who_may_write_deletes_a_run_with_all_that_belongs_to_it(
    scene: Scene, dev: Person, reviewer: Person, tmp_path: Path
) -> None:
    run, other = dispatch(dev), dispatch(dev)
    keep_artifact(scene, run, 7, tmp_path / "a")
    refused = reviewer.api("DELETE", f"{HERE}/actions/runs/{run}")
    assert (refused.status_code, refused.json()["message"]) == (403, "Could not delete the workflow run")
    scene.do(scene.runner.finish, run)
    assert scene.person("on-call").api("DELETE", f"{HERE}/actions/runs/{run}").status_code == 403
    assert scene.job_token({"actions": "read"}).api("DELETE", f"{HERE}/actions/runs/{run}").status_code == 403
    assert reviewer.api("DELETE", f"{HERE}/actions/runs/{run}").status_code == 204
    for path in (f"runs/{run}", f"runs/{run}/jobs", f"runs/{run}/attempts/1", "artifacts/7"):
        assert dev.api("GET", f"{HERE}/actions/{path}").status_code == 404, path
    runs = dev.get(f"{HERE}/actions/workflows/deploy-production.yml/runs?branch=main&event=workflow_dispatch")
    assert [one["id"] for one in runs["workflow_runs"]] == [other]
    assert len(dev.get(f"{HERE}/commits/main/check-runs")["check_runs"]) == 1


def test_an_attempt_keeps_who_started_it_and_how_it_ended(scene: Scene, dev: Person, reviewer: Person) -> None:
    run = dispatch(dev)
    scene.do(scene.runner.finish, run)
    reviewer.post(f"{HERE}/actions/runs/{run}/rerun")
    path = f"{HERE}/actions/runs/{run}"
    first = dev.get(f"{path}/attempts/1")
    assert (first["conclusion"], first["status"], first["triggering_actor"]["login"]) == (
        "success",
        "completed",
        "dev-1",
    )
    assert dev.api("POST", f"{path}/cancel").status_code == 202
    assert dev.get(f"{path}/attempts/1") == first
    second = dev.get(path)
    assert (second["run_attempt"], second["conclusion"]) == (2, "cancelled")
    assert (second["triggering_actor"]["login"], second["actor"]["login"]) == ("dev-2", "dev-1")
    assert dev.get(f"{path}/attempts/2")["conclusion"] == "cancelled"
    (job,) = dev.get(f"{path}/attempts/1/jobs")["jobs"]
    assert (job["conclusion"], job["run_attempt"]) == ("success", 1)
    assert dev.api("GET", f"{path}/attempts/3/jobs").status_code == 404


def test_a_run_is_run_again_for_thirty_days(scene: Scene, dev: Person) -> None:
    run = dispatch(dev)
    scene.do(scene.runner.finish, run, "failure")
    path = f"{HERE}/actions/runs/{run}"
    scene.clock.time += timedelta(days=29)
    dev.post(f"{path}/rerun")
    scene.do(scene.runner.finish, run, "failure")
    scene.clock.time += timedelta(days=1)
    for again, word in (("rerun", "re-run"), ("rerun-failed-jobs", "retry")):
        refused = dev.api("POST", f"{path}/{again}")
        assert refused.status_code == 403
        message = f"Unable to {word} this workflow run because it was created over a month ago"
        assert refused.json()["message"] == message
    assert dev.get(path)["run_attempt"] == 2


def test_each_job_is_a_check_run_of_the_same_number(scene: Scene, dev: Person) -> None:
    run = dispatch(dev)
    job = scene.runner.runs[run].jobs[0]
    job.annotations.append(Annotation(level="failure", message="boom", path="app.py", start_line=3, title="Oops"))
    scene.do(scene.runner.finish, run, "failure")
    check = dev.get(f"{HERE}/check-runs/{job.id}")
    assert (check["name"], check["conclusion"], check["output"]["annotations_count"]) == ("deploy", "failure", 1)
    assert check["html_url"] == f"{scene.url}/{REPOSITORY}/actions/runs/{run}/job/{job.id}"
    (annotation,) = dev.get(f"{HERE}/check-runs/{job.id}/annotations")
    assert (annotation["path"], annotation["start_line"], annotation["message"]) == ("app.py", 3, "boom")
    (suite,) = dev.get(f"{HERE}/commits/main/check-suites")["check_suites"]
    assert (suite["status"], suite["conclusion"]) == ("completed", "failure")
    assert dev.get(f"{HERE}/check-suites/{suite['id']}/check-runs")["total_count"] == 1
    fixed = scene.job_token({"checks": "write"}).api(
        "PATCH", f"{HERE}/check-runs/{job.id}", json={"conclusion": "success"}
    )
    assert fixed.status_code == 403, "the check of a workflow's job cannot be changed from outside"


def test_check_runs_are_made_by_apps_only(scene: Scene, dev: Person) -> None:
    body = {"name": "lint", "head_sha": scene.main(), "status": "in_progress"}
    refused = dev.api("POST", f"{HERE}/check-runs", json=body)
    assert (refused.status_code, refused.json()["message"]) == (403, "You must authenticate via a GitHub App.")
    job = scene.job_token({"checks": "write"})
    made = job.post(f"{HERE}/check-runs", body)
    annotation = {"path": "a.py", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "no"}
    output = {"title": "Lint", "summary": "1 problem", "annotations": [annotation]}
    done = job.api("PATCH", f"{HERE}/check-runs/{made['id']}", json={"conclusion": "failure", "output": output}).json()
    assert (done["status"], done["conclusion"], done["output"]["annotations_count"]) == ("completed", "failure", 1)
    named = dev.get(f"{HERE}/commits/main/check-runs?check_name=lint")
    assert named["total_count"] == 1


def test_statuses_add_up(scene: Scene, dev: Person) -> None:
    path = f"{HERE}/statuses/{scene.main()}"
    assert dev.get(f"{HERE}/commits/main/status")["state"] == "pending"
    dev.post(path, {"state": "failure", "context": "lint", "description": "no", "target_url": "http://127.0.0.1/"})
    dev.post(path, {"state": "success", "context": "unit"})
    assert dev.get(f"{HERE}/commits/main/status")["state"] == "failure"
    dev.post(path, {"state": "success", "context": "lint"})
    combined = dev.get(f"{HERE}/commits/main/status")
    assert (combined["state"], combined["total_count"]) == ("success", 2)
    assert len(dev.get(f"{HERE}/commits/main/statuses")) == 3
    assert dev.api("POST", f"{HERE}/statuses/{'0' * 40}", json={"state": "success"}).status_code == 422
