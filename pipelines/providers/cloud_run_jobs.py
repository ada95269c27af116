"""A Cloud Run job beside a service: what it runs is set, started once, and waited for.

Source: discovery document run.v2 (projects.locations.jobs, executions, tasks). A job's patch has no mask: it is sent whole, with its etag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pipelines import faults
from pipelines.clock import Clock
from pipelines.errors import ConflictError, ProviderError, ProviderUnavailable
from pipelines.http import Http
from pipelines.manifest.targets import CloudRun
from pipelines.polling import Polling
from pipelines.providers import cloud_run_template as templates
from pipelines.providers.cloud_run_quota import RunApi
from pipelines.providers.cloud_run_service import ROOT, CloudRunService
from pipelines.providers.cloud_run_traffic import short
from pipelines.providers.google_api import GoogleRefused
from pipelines.roles import Artifact, JobEnd

POLLING = Polling(interval=0.5, growth=1.5, longest=5.0)
CHANGE_SECONDS = 300.0
"""How long a change of the job's settings may take."""
LATE_SECONDS = 300.0
"""How much longer than its time-out an execution may take: instances have to be found for it first."""
_PAGES = 20

Execution = dict[str, Any]


class CloudRunJob:
    """`roles.Job`: `<service>-migrate`, in the project and region of its service."""

    def __init__(self, target: CloudRun, http: Http, token: Callable[[], str]) -> None:
        self._target = target
        self._api = RunApi(http, token, ROOT)
        self._policy = http.policy
        self._service = CloudRunService(target, http, token)
        self._parent = f"projects/{target.project}/locations/{target.region}"
        self._id = f"{target.service}-migrate"
        self.path = f"{self._parent}/jobs/{self._id}"

    def run(
        self, artifact: Artifact, command: Sequence[str], *, env: Mapping[str, str], secrets: Mapping[str, str]
    ) -> JobEnd:
        """See roles.Job."""
        wanted = templates.job(
            self._target,
            templates.image(artifact),
            command,
            env=env,
            secrets=secrets,
            serving=self._service.serving(self._service.get()),
        )
        mark = wanted["template"]["annotations"][templates.ASKED]
        execution = self._find(mark, lambda each: "completionTime" not in each)
        if execution is None:
            etag = self._prepared(wanted, mark)
            execution = self._start(etag, mark)
        return self._end(self._until_complete(execution))

    def _prepared(self, wanted: Mapping[str, Any], mark: str) -> str:
        """The etag of the job once it is as wanted."""
        job = self._api.find(self.path)
        if job is None or _mark(job.get("template", {})) != mark:
            self._write(job, wanted, mark)
        job = self._until_steady()
        if _mark(job.get("template", {})) != mark:
            raise self._changed("its settings are another's")
        return str(job.get("etag", ""))

    def _write(self, job: Mapping[str, Any] | None, wanted: Mapping[str, Any], mark: str) -> None:
        def write() -> Any:
            if job is None:
                return self._api.call("POST", f"{self._parent}/jobs", params={"jobId": self._id}, body=dict(wanted))
            kept = {key: job[key] for key in ("annotations",) if key in job}
            labels = {**job.get("labels", {}), **wanted["labels"]}
            body = {**kept, **wanted, "labels": labels, "etag": job.get("etag", "")}
            return self._api.call("PATCH", self.path, body=body)

        def find() -> Any:
            now = self._api.find(self.path)
            return now if now is not None and _mark(now.get("template", {})) == mark else None

        try:
            faults.once(write, find, policy=self._policy)
        except GoogleRefused as error:
            if error.conflict or error.code == "ALREADY_EXISTS":
                raise self._changed(error.message) from error
            raise

    def _start(self, etag: str, mark: str) -> Execution:
        """Begin an execution, once: when the answer is lost, the one that is new is ours."""
        known = {each["name"] for each in self._executions()}

        def write() -> Execution:
            operation: Execution = self._api.call("POST", f"{self.path}:run", body={"etag": etag})
            started: Execution = operation["metadata"]
            return started

        try:
            return faults.once(
                write, lambda: self._find(mark, lambda each: each["name"] not in known), policy=self._policy
            )
        except GoogleRefused as error:
            if error.conflict:
                raise self._changed(error.message) from error
            raise

    def _find(self, mark: str, wanted: Callable[[Execution], bool]) -> Execution | None:
        return next((each for each in self._executions() if _mark(each) == mark and wanted(each)), None)

    def _executions(self) -> list[Execution]:
        """All of them; none where there is no job."""
        try:
            pages = self._api.pages(f"{self.path}/executions", {"pageSize": "100"}, most=_PAGES)
            return [execution for page in pages for execution in page.get("executions", ())]
        except GoogleRefused as error:
            if error.missing:
                return []
            raise

    def _until_steady(self) -> Mapping[str, Any]:
        for _ in self._looks(CHANGE_SECONDS, f"the job {self._id}"):
            job: Mapping[str, Any] = self._api.call("GET", self.path)
            if job.get("reconciling"):
                continue
            condition = job.get("terminalCondition", {})
            if condition.get("state") == "CONDITION_FAILED":
                raise ProviderError(
                    f"the job cannot run: {condition.get('message', 'no reason given')}",
                    where=self.path,
                    next_step="read Cloud Run's words above; nothing was run",
                )
            return job
        raise AssertionError("unreachable: the looks end with an error")

    def _until_complete(self, execution: Execution) -> Execution:
        name = execution["name"]
        for _ in self._looks(templates.JOB_SECONDS + LATE_SECONDS, short(name)):
            execution = self._api.call("GET", name)
            if "completionTime" in execution:
                break
        return execution

    def _end(self, execution: Execution) -> JobEnd:
        conditions: Sequence[Mapping[str, Any]] = execution.get("conditions", ())
        completed: Mapping[str, Any] = next((each for each in conditions if each.get("type") == "Completed"), {})
        failed = completed.get("state") != "CONDITION_SUCCEEDED"
        return JobEnd(
            name=short(execution["name"]),
            exit_code=self._exit_code(execution["name"]) if failed else 0,
            problem=str(completed.get("message") or completed.get("executionReason") or "it failed") if failed else "",
            log=str(execution.get("logUri", "")),
        )

    def _exit_code(self, execution: str) -> int | None:
        tasks: list[Mapping[str, Any]] = self._api.call("GET", f"{execution}/tasks").get("tasks", [])
        result = tasks[0].get("lastAttemptResult", {}) if tasks else {}
        return int(result["exitCode"]) if "exitCode" in result else None

    def _looks(self, seconds: float, what: str) -> Iterator[None]:
        """Look after look. Raises ProviderUnavailable at the end of the time allowed."""
        clock = Clock.pausing(self._policy)
        for _ in POLLING.looks(clock, clock.deadline(seconds)):
            yield
        raise ProviderUnavailable(
            f"{what} was not done after {seconds:.0f} s",
            where=self.path,
            why="Cloud Run is slow or stuck",
            next_step="look at status.cloud.google.com, then run this again: it waits for the execution that runs",
        )

    def _changed(self, why: str) -> ConflictError:
        return ConflictError(
            f"the job {self._id} was changed by someone else meanwhile",
            where=self.path,
            why=why,
            next_step="run this again: it sets and starts the job anew",
        )


def _mark(template: Mapping[str, Any]) -> str:
    """What the executions of a job's template, or one of them, were asked to do."""
    return str(template.get("annotations", {}).get(templates.ASKED, ""))
