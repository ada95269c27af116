"""A job beside a service, against the emulator: real processes, run once whatever becomes of the answers."""

from __future__ import annotations

import asyncio
import copy
import json
import re
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import ConflictError, CredentialsError, ProviderError, RefusedError
from pipelines.http import Http
from pipelines.providers.cloud_run_jobs import CloudRunJob
from pipelines.roles import Artifact, JobEnd
from rehearsal.emulators.cloud_run.names import JobName
from rehearsal.emulators.google.errors import GoogleError
from tests.pipelines.providers.clouds import API, Clouds, Died, Dying, clouds, host, released, target
from tests.rehearsal.emulators.images_of_apps import put_server

pytestmark = pytest.mark.world

NAME = JobName(API.project, API.location, "api-migrate")
PROGRAM = """
import os, pathlib, sys, time
seen = pathlib.Path(sys.argv[2])
with seen.open("a") as file:
    file.write(os.environ.get("ADDRESS", "") + "\\n")
while sys.argv[1] == "wait" and not seen.with_suffix(".go").exists():
    time.sleep(0.02)
print("ends with", sys.argv[3], flush=True)
sys.exit(int(sys.argv[3]))
"""


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Clouds]:
    with clouds(tmp_path) as world:
        yield world


class Runs:
    """A program that writes down that it ran."""

    def __init__(self, cloud: Clouds, folder: Path) -> None:
        self.cloud = cloud
        self.seen = folder / "seen"
        reference = put_server(cloud.registry.repositories, "job", script=PROGRAM)
        self.artifact = Artifact(component="backend", digest=reference.partition("@")[2], reference=reference)

    def job(self, cloud: Clouds | None = None) -> CloudRunJob:
        return CloudRunJob(target(), (cloud or self.cloud).http, lambda: "token")

    def run(
        self,
        code: int = 0,
        *,
        wait: bool = False,
        secrets: Mapping[str, str] | None = None,
        job: CloudRunJob | None = None,
    ) -> JobEnd:
        command = ["python", "/app/main.py", "wait" if wait else "go", str(self.seen), str(code)]
        return (job or self.job()).run(self.artifact, command, env={"MODE": "job"}, secrets=secrets or {})

    def count(self) -> int:
        return len(self.seen.read_text().splitlines()) if self.seen.exists() else 0

    def executions(self) -> int:
        try:
            return len(self.cloud.run.jobs.executions(NAME))
        except GoogleError:
            return 0


@pytest.fixture
def runs(cloud: Clouds, tmp_path: Path) -> Runs:
    return Runs(cloud, tmp_path)


def test_it_runs_once_as_the_service_with_its_secrets(cloud: Clouds, runs: Runs) -> None:
    cloud.secrets.secrets.put(API.project, "address", b"postgresql://hidden")
    ended = runs.run(secrets={"ADDRESS": "address@1"})
    assert (ended.exit_code, ended.problem) == (0, "")
    assert runs.seen.read_text() == "postgresql://hidden\n"
    (execution,) = cloud.run.jobs.executions(NAME)
    assert execution.name == ended.name
    assert execution.name in ended.log
    assert execution.template["serviceAccount"] == target().service_account
    assert execution.template["maxRetries"] == 0, "what failed half-way is looked at, and not run again at once"
    assert "hidden" not in str(execution.template)


def test_the_same_again_is_another_execution_of_the_same_job(cloud: Clouds, runs: Runs) -> None:
    first = runs.run()
    generation = cloud.run.jobs.get(NAME).generation
    second = runs.run()
    assert first.name != second.name
    assert cloud.run.jobs.get(NAME).generation == generation, "nothing was to be changed"
    assert runs.count() == 2


def test_it_says_how_the_program_ended(cloud: Clouds, runs: Runs) -> None:
    ended = runs.run(6)
    assert ended.exit_code == 6
    assert "exited with an error" in ended.problem
    assert runs.count() == 1
    lines = [line.text for line in cloud.run.execution_logs(NAME, ended.name)]
    assert lines == ["ends with 6"]


def test_it_is_in_the_network_of_the_service_that_serves(cloud: Clouds, runs: Runs) -> None:
    """What the manifest leaves to the operator is taken from the service, as a revision does."""
    at = host(cloud)
    released(cloud, at, "v1.0.0")
    access = {"connector": "projects/p/locations/europe-west1/connectors/c", "egress": "PRIVATE_RANGES_ONLY"}
    for revision in cloud.run.services.get(API).revisions.values():
        revision.template["vpcAccess"] = access
    runs.run()
    (execution,) = cloud.run.jobs.executions(NAME)
    assert execution.template["vpcAccess"] == access


def test_an_execution_of_a_run_that_was_killed_is_waited_for(cloud: Clouds, runs: Runs) -> None:
    dying = CloudRunJob(target(), Dying(cloud.http, 1), lambda: "token")
    with pytest.raises(Died):
        runs.run(wait=True, job=dying)
    assert runs.executions() == 1
    threading.Timer(0.2, runs.seen.with_suffix(".go").touch).start()
    assert runs.run(wait=True).exit_code == 0
    assert (runs.count(), runs.executions()) == (1, 1)


@pytest.mark.parametrize("kind", ["cut", "lose_answer", "status", "throttle"])
@pytest.mark.parametrize("path", ["/jobs$", ":run$"])
def test_a_lost_answer_runs_nothing_twice(cloud: Clouds, runs: Runs, kind: str, path: str) -> None:
    cloud.fault(kind=kind, emulator="cloud-run", method="POST", path=path, retry_after=0)
    assert runs.run().exit_code == 0
    assert (runs.count(), runs.executions()) == (1, 1)
    assert len(cloud.faults.fired) == 1


def patched(cloud: Clouds, **container: Any) -> None:
    """Somebody changes the job by hand: what they do not name stays, the mark as well."""

    async def change() -> None:
        jobs = cloud.run.jobs
        spec = copy.deepcopy(dict(jobs.get(NAME).spec))
        spec["template"]["template"]["containers"][0] |= container
        jobs.patch(NAME, spec, principal="operator", dry=False)

    asyncio.run_coroutine_threadsafe(change(), cloud.loop).result(10)


class Meddling(Http):
    """The job changes right before it is started, so many times."""

    def __init__(self, cloud: Clouds, times: int, **container: Any) -> None:
        super().__init__(overlay=cloud.http.overlay, policy=cloud.http.policy)
        self._cloud, self._left, self._container = cloud, times, container

    def request(self, method: str, url: str, **options: Any) -> Any:
        if url.endswith(":run") and self._left:
            self._left -= 1
            patched(self._cloud, **self._container)
        return super().request(method, url, **options)


@pytest.mark.parametrize(("times", "container"), [(1, {"args": ["other"]}), (99, {})])
def test_a_job_that_another_changed_meanwhile_is_not_started(
    cloud: Clouds, runs: Runs, times: int, container: dict[str, Any]
) -> None:
    with pytest.raises(ConflictError, match="changed by someone else meanwhile"):
        runs.run(job=CloudRunJob(target(), Meddling(cloud, times, **container), lambda: "token"))
    assert (runs.count(), runs.executions()) == (0, 0)


def test_an_etag_that_went_stale_with_the_settings_as_they_were_is_read_again(cloud: Clouds, runs: Runs) -> None:
    assert runs.run(job=CloudRunJob(target(), Meddling(cloud, 1), lambda: "token")).exit_code == 0
    assert (runs.count(), runs.executions()) == (1, 1)


def test_what_was_changed_by_hand_is_set_again(cloud: Clouds, runs: Runs) -> None:
    """The mark is there still, and says what ran before."""
    runs.run()
    patched(cloud, args=["-c", "print('other')"])
    runs.run()
    assert runs.count() == 2
    newest, *_ = cloud.run.jobs.executions(NAME)
    assert newest.container["args"][0] == "/app/main.py"


def test_a_job_of_that_name_that_others_made_is_left_alone(cloud: Clouds, runs: Runs) -> None:
    runs.run()
    job = cloud.run.jobs.get(NAME)
    job.spec = {"template": {**job.spec["template"], "annotations": {}}}
    theirs = copy.deepcopy(job.spec)
    with pytest.raises(RefusedError, match="that Shipmate did not make"):
        runs.run(3)
    assert (job.spec, runs.count()) == (theirs, 1)
    job.spec["labels"] = {"managed-by": "shipmate"}
    assert runs.run().exit_code == 0


class Early(Http):
    """Looks that show what is so before all of it is so: each kind once."""

    def __init__(self, cloud: Clouds, shown: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__(overlay=cloud.http.overlay, policy=cloud.http.policy)
        self._shown = dict(shown)

    def request(self, method: str, url: str, **options: Any) -> Any:
        answer = super().request(method, url, **options)
        path = url.rpartition("/locations/")[2]
        for kind in [kind for kind in self._shown if method == "GET" and answer.ok and re.search(kind, path)]:
            answer._content = json.dumps({**answer.json(), **self._shown.pop(kind)}).encode()
        return answer


def test_what_is_seen_before_it_is_settled_is_looked_at_again(cloud: Clouds, runs: Runs) -> None:
    """The discovery document promises no order between a completion time, the conditions and the result of a task."""
    completed = {"type": "Completed", "state": "CONDITION_RECONCILING"}
    early: dict[str, dict[str, Any]] = {
        r"jobs/[^/]+$": {"reconciling": False, "terminalCondition": {"type": "Ready", "state": "CONDITION_PENDING"}},
        r"executions/[^/]+$": {"completionTime": "2026-01-01T00:00:00Z", "conditions": [completed]},
        r"/tasks$": {"tasks": [{"name": "task0"}]},
    }
    http = Early(cloud, early)
    assert runs.run(6, job=CloudRunJob(target(), http, lambda: "token")).exit_code == 6
    assert http._shown == {}
    assert runs.run(job=CloudRunJob(target(), Early(cloud, early), lambda: "token")).problem == ""


def test_an_execution_that_is_deleted_meanwhile_is_reported(cloud: Clouds, runs: Runs) -> None:
    cloud.fault(kind="status", status=404, emulator="cloud-run", path=r"/executions/[^/]+$", times=None)
    with pytest.raises(ProviderError, match=r"the execution api-migrate-\w+ is gone"):
        runs.run()


def test_a_secret_that_it_may_not_read_is_reported_before_anything_runs(runs: Runs) -> None:
    with pytest.raises(ProviderError, match=r"cannot run: Secret .*missing"):
        runs.run(secrets={"ADDRESS": "missing@1"})
    assert runs.executions() == 0


def test_without_the_permission_it_says_which(cloud: Clouds, runs: Runs) -> None:
    cloud.fault(kind="status", status=403, emulator="cloud-run", method="POST", path="/jobs$")
    with pytest.raises(CredentialsError):
        runs.run()
    assert runs.count() == 0
