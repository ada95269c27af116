"""Jobs of the emulated Cloud Run, driven by Google's own client and held against Google's own description."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulators.cloud_run.app import CloudRun
from rehearsal.emulators.cloud_run.images import WorldRegistry
from rehearsal.emulators.cloud_run.names import JobName
from rehearsal.emulators.registry.app import Registry
from tests.rehearsal.emulators.images_of_apps import HOST, put_server
from tests.rehearsal.emulators.in_process import served

pytestmark = pytest.mark.world

PARENT = "projects/p/locations/europe-west1"
JOB = f"{PARENT}/jobs/work"
NAME = JobName("p", "europe-west1", "work")
PROGRAM = """
import os, pathlib, sys, time
tried = pathlib.Path(os.environ["HOME"], "tried")
tried.write_text(tried.read_text() + "x" if tried.exists() else "x")
print(os.environ["CLOUD_RUN_JOB"], os.environ["CLOUD_RUN_TASK_ATTEMPT"], os.environ.get("PGHOSTADDR", "no database"), flush=True)
if sys.argv[1] == "sleep":
    time.sleep(600)
sys.exit(0 if len(tried.read_text()) > int(sys.argv[1]) else 3)
"""


class Client:
    """Google's discovery client, waiting for operations."""

    def __init__(self, url: str, run: CloudRun, image: str) -> None:
        self.run, self.image = run, image
        self.api = build(
            "run", "v2", credentials=AnonymousCredentials(), client_options={"api_endpoint": url}, cache_discovery=False
        )
        self.locations = self.api.projects().locations()
        self.jobs = self.locations.jobs()

    def job(self, *arguments: str, **task: Any) -> dict[str, Any]:
        container = {"image": self.image, "command": ["python", "/app/main.py", *arguments]}
        return {"template": {"template": {"containers": [container], **task}}}

    def done(self, operation: dict[str, Any]) -> dict[str, Any]:
        for _ in range(20):
            if operation.get("done"):
                return operation
            operation = self.locations.operations().wait(name=operation["name"], body={"timeout": "5s"}).execute()
        raise AssertionError(f"{operation['name']} never ends")

    def made(self, *arguments: str, **task: Any) -> dict[str, Any]:
        return self.done(self.jobs.create(parent=PARENT, jobId="work", body=self.job(*arguments, **task)).execute())

    def executed(self) -> dict[str, Any]:
        name = self.done(self.jobs.run(name=JOB, body={}).execute())["response"]["name"]
        found: dict[str, Any] = self.jobs.executions().get(name=name).execute()
        return found

    def task(self, execution: dict[str, Any]) -> dict[str, Any]:
        (task,) = self.jobs.executions().tasks().list(parent=execution["name"]).execute()["tasks"]
        found: dict[str, Any] = task
        return found

    def printed(self, execution: dict[str, Any]) -> list[str]:
        return [line.text for line in self.run.execution_logs(NAME, execution["name"].rpartition("/")[2])]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    registry = Registry(tmp_path / "registry")
    image = put_server(registry.repositories, "job", script=PROGRAM)
    run = CloudRun(
        tmp_path / "run",
        WorldRegistry(registry.repositories, (HOST,)),
        pause=0.0,
        seed=7,
        database_server=lambda: ("127.0.0.1", 5432),
    )
    violations: list[Violation] = []
    with served(Checked(run.app, load("run"), violations), run.stop) as url:
        client = Client(url, run, image)
        yield client
        client.api.close()
    assert [violation.text for violation in violations] == []


def refused(call: Any) -> tuple[int, str]:
    """HTTP status, and Google's word for it."""
    with pytest.raises(HttpError) as caught:
        call.execute()
    return int(caught.value.resp.status), json.loads(caught.value.content)["error"]["status"]


def completed(execution: dict[str, Any]) -> dict[str, Any]:
    (found,) = (each for each in execution["conditions"] if each["type"] == "Completed")
    return dict(found)


def test_a_job_runs_when_it_is_asked_to_and_not_before(client: Client) -> None:
    assert client.made("0")["response"]["@type"].endswith("google.cloud.run.v2.Job")
    job = client.jobs.get(name=JOB).execute()
    assert job["terminalCondition"]["state"] == "CONDITION_SUCCEEDED"
    assert job["template"]["template"]["maxRetries"] == 3, "as Cloud Run has it where nothing is said"
    assert "executionCount" not in job
    execution = client.executed()
    assert (execution["succeededCount"], completed(execution)["state"]) == (1, "CONDITION_SUCCEEDED")
    assert client.printed(execution) == ["work 0 no database"]
    assert client.jobs.get(name=JOB).execute()["latestCreatedExecution"]["completionStatus"] == "EXECUTION_SUCCEEDED"
    assert client.jobs.executions().list(parent=JOB).execute()["executions"] == [execution]
    assert client.task(execution)["lastAttemptResult"] == {"status": {}}


@pytest.mark.parametrize(("retries", "tried", "ends"), [(0, 1, False), (1, 2, False), (3, 3, True)])
def test_a_task_that_fails_is_tried_as_often_as_the_job_says(
    client: Client, retries: int, tried: int, ends: bool
) -> None:
    client.made("2", maxRetries=retries)
    execution = client.executed()
    assert len(client.printed(execution)) == tried
    if ends:
        assert execution["succeededCount"] == 1
        return
    assert execution["failedCount"] == 1
    assert completed(execution)["executionReason"] == "NON_ZERO_EXIT_CODE"
    assert client.task(execution)["lastAttemptResult"]["exitCode"] == 3


def test_a_task_is_killed_at_the_end_of_its_time(client: Client) -> None:
    client.made("sleep", maxRetries=0, timeout="1s")
    execution = client.executed()
    assert "timeout was reached" in completed(execution)["message"]
    result = client.task(execution)["lastAttemptResult"]
    assert (result["termSignal"], "exitCode" in result) == (9, False)


def test_a_socket_of_cloud_sql_is_answered_where_the_volume_is(client: Client) -> None:
    volume = {"name": "cloudsql", "cloudSqlInstance": {"instances": ["p:europe-west1:main"]}}
    client.made("0", volumes=[volume])
    assert client.printed(client.executed()) == ["work 0 127.0.0.1"]
    client.run.launcher.allows = lambda account, permission, resource: permission != "cloudsql.instances.connect"
    assert client.printed(client.executed()) == ["work 0 no database"], "its account lacks roles/cloudsql.client"


def test_a_patch_replaces_all_and_an_etag_that_is_not_the_newest_is_refused(client: Client) -> None:
    client.made("0", timeout="5s")
    etag = client.jobs.get(name=JOB).execute()["etag"]
    client.done(client.jobs.patch(name=JOB, body={**client.job("0"), "etag": etag}).execute())
    assert client.jobs.get(name=JOB).execute()["template"]["template"]["timeout"] == "600s"
    assert refused(client.jobs.patch(name=JOB, body={**client.job("0"), "etag": etag})) == (409, "ABORTED")
    assert refused(client.jobs.run(name=JOB, body={"etag": etag})) == (409, "ABORTED")


def test_what_is_no_job_is_refused(client: Client) -> None:
    def create(body: dict[str, Any], job: str = "work") -> Any:
        return client.jobs.create(parent=PARENT, jobId=job, body=body)

    assert refused(create({})) == (400, "INVALID_ARGUMENT")
    assert refused(create(client.job("0"), "Work")) == (400, "INVALID_ARGUMENT")
    assert refused(create(client.job("0", maxRetries=11))) == (400, "INVALID_ARGUMENT")
    probed = client.job("0")
    probed["template"]["template"]["containers"][0]["startupProbe"] = {"tcpSocket": {}}
    assert refused(create(probed)) == (400, "INVALID_ARGUMENT")
    assert refused(client.jobs.run(name=JOB, body={})) == (404, "NOT_FOUND")
    client.made("0")
    assert refused(create(client.job("0"))) == (409, "ALREADY_EXISTS")


def test_a_job_whose_image_is_not_there_is_not_ready(client: Client) -> None:
    client.image = client.image.partition("@")[0] + "@sha256:" + "0" * 64
    assert "not found" in client.made("0")["error"]["message"]
    assert client.jobs.get(name=JOB).execute()["terminalCondition"]["state"] == "CONDITION_FAILED"


def test_it_is_forgotten_with_its_executions_once_none_runs(client: Client, tmp_path: Path) -> None:
    client.made("sleep")
    client.jobs.run(name=JOB, body={}).execute()
    etag = client.jobs.get(name=JOB).execute()["etag"]
    assert refused(client.jobs.delete(name=JOB, etag=etag)) == (400, "FAILED_PRECONDITION")
    other = CloudRun(tmp_path / "other", WorldRegistry(Registry(tmp_path / "images").repositories, ()))
    other.load(json.loads(json.dumps(client.run.save())))
    (execution,) = other.jobs.executions(NAME)
    assert execution.completed, "its process is not in the other world"
    assert other.jobs.delete(NAME, etag=etag).done.is_set()
