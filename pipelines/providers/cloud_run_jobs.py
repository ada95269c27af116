"""A Cloud Run job beside a service: what it runs is set, started once, and waited for.

Source: discovery document run.v2 (projects.locations.jobs, executions, tasks). A job's patch has no mask: it is sent whole, with its etag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from pipelines import faults
from pipelines.clock import Clock
from pipelines.errors import ConflictError, ProviderError, RefusedError
from pipelines.http import Http
from pipelines.manifest.targets import CloudRun
from pipelines.polling import Polling
from pipelines.providers import cloud_run_template as templates
from pipelines.providers.cloud_run_quota import RunApi
from pipelines.providers.cloud_run_service import ROOT, CloudRunService, until_done
from pipelines.providers.cloud_run_traffic import short
from pipelines.providers.google_api import GoogleRefused
from pipelines.roles import Artifact, JobEnd

POLLING = Polling(interval=0.5, growth=1.5, longest=5.0)
CHANGE_SECONDS = 300.0
"""How long a change of the job's settings may take."""
LATE_SECONDS = 300.0
"""How much longer than its time-out an execution may take: instances have to be found for it first."""
_PAGES = 20
_TRIES = 3
_VERDICTS = ("CONDITION_SUCCEEDED", "CONDITION_FAILED")
_RUN = ("image", "command", "args", "env")

Job = Mapping[str, Any]
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
        execution = self._find(wanted, lambda each: not _ended(each)) or self._started(wanted)
        return self._end(self._until_complete(execution))

    def _started(self, wanted: Mapping[str, Any]) -> Execution:
        """The execution that is begun once the job is as wanted.

        An etag may go stale by what Cloud Run itself writes down of executions: then it is read again, where nobody changed the settings.
        """
        job: Job | None = self._api.find(self.path)
        for _ in range(_TRIES):
            try:
                return self._start(self._prepared(job, wanted), wanted)
            except GoogleRefused as error:
                if not error.conflict and error.code != "ALREADY_EXISTS":
                    raise
                refusal, before = error, job
            job = self._api.find(self.path)
            if job is None or not (_does(job, wanted) or (before and before.get("template") == job.get("template"))):
                break
        raise self._changed(refusal.message) from refusal

    def _prepared(self, job: Job | None, wanted: Mapping[str, Any]) -> str:
        """The etag of the job once it is as wanted."""
        if job is not None:
            self._require_ours(job)
        if job is None or not _does(job, wanted):
            self._write(job, wanted)
        steady = self._until_steady()
        if _mark(steady.get("template", {})) != _mark(wanted["template"]):
            raise self._changed("its settings are another's")
        return str(steady.get("etag", ""))

    def _require_ours(self, job: Job) -> None:
        """Raises RefusedError for a job of that name that was made by others: it would be lost."""
        if job.get("labels", {}).get("managed-by") != "shipmate" and not _mark(job.get("template", {})):
            raise RefusedError(
                f"there is a job {self._id} that Shipmate did not make",
                where=self.path,
                why="migrations are applied by a job of that name, and its settings would be overwritten",
                next_step="give that job another name or delete it; or hand it over: "
                f"`gcloud run jobs update {self._id} --update-labels=managed-by=shipmate`",
            )

    def _write(self, job: Job | None, wanted: Mapping[str, Any]) -> None:
        def write() -> Any:
            if job is None:
                return self._api.call("POST", f"{self._parent}/jobs", params={"jobId": self._id}, body=dict(wanted))
            kept = {key: job[key] for key in ("annotations",) if key in job}
            labels = {**job.get("labels", {}), **wanted["labels"]}
            body = {**kept, **wanted, "labels": labels, "etag": job.get("etag", "")}
            return self._api.call("PATCH", self.path, body=body)

        def find() -> Any:
            now = self._api.find(self.path)
            return now if now is not None and _does(now, wanted) else None

        answer = faults.once(write, find, policy=self._policy)
        if "/operations/" in str(answer.get("name", "")):
            self._until_done(answer)

    def _until_done(self, operation: Mapping[str, Any]) -> None:
        """Before its end a look at the job could show it as it was. What was wrong is told by the job's own condition."""
        for _ in self._looks(CHANGE_SECONDS, f"operation {short(operation['name'])}"):
            if operation.get("done"):
                return
            operation = self._api.call("GET", operation["name"])

    def _start(self, etag: str, wanted: Mapping[str, Any]) -> Execution:
        """Begin an execution, once: when the answer is lost, the one that is new is ours."""
        known = {each["name"] for each in self._executions()}

        def write() -> Execution:
            operation: Execution = self._api.call("POST", f"{self.path}:run", body={"etag": etag})
            started: Execution = operation["metadata"]
            return started

        return faults.once(
            write, lambda: self._find(wanted, lambda each: each["name"] not in known), policy=self._policy
        )

    def _find(self, wanted: Mapping[str, Any], fits: Callable[[Execution], bool]) -> Execution | None:
        asked = _asked(wanted["template"])
        return next((each for each in self._executions() if _asked(each) == asked and fits(each)), None)

    def _executions(self) -> list[Execution]:
        """All of them; none where there is no job."""
        try:
            pages = self._api.pages(f"{self.path}/executions", {"pageSize": "100"}, most=_PAGES)
            return [execution for page in pages for execution in page.get("executions", ())]
        except GoogleRefused as error:
            if error.missing:
                return []
            raise

    def _until_steady(self) -> Job:
        for _ in self._looks(CHANGE_SECONDS, f"the job {self._id}"):
            job: Job = self._api.call("GET", self.path)
            condition = job.get("terminalCondition", {})
            if job.get("reconciling") or condition.get("state") not in _VERDICTS:
                continue
            if condition.get("state") == "CONDITION_FAILED":
                raise ProviderError(
                    f"the job cannot run: {condition.get('message', 'no reason given')}",
                    where=self.path,
                    next_step="read Cloud Run's words above; nothing was run",
                )
            return job
        raise AssertionError("unreachable: the looks end with an error")

    def _until_complete(self, execution: Execution) -> Execution:
        name, missed = execution["name"], 0
        for _ in self._looks(templates.JOB_SECONDS + LATE_SECONDS, short(name)):
            found: Execution | None = self._api.find(name)
            if found is not None and _ended(found):
                return found
            missed = 0 if found is not None else missed + 1
            if missed == _TRIES:
                break
        raise ProviderError(
            f"the execution {short(name)} is gone",
            where=self.path,
            why="it was deleted before it could be seen how it ended",
            next_step="run this again: what it applied is not applied twice",
        )

    def _end(self, execution: Execution) -> JobEnd:
        completed = _completed(execution)
        failed = completed.get("state") != "CONDITION_SUCCEEDED"
        return JobEnd(
            name=short(execution["name"]),
            exit_code=self._exit_code(execution["name"]) if failed else 0,
            problem=str(completed.get("message") or completed.get("executionReason") or "it failed") if failed else "",
            log=str(execution.get("logUri", "")),
        )

    def _exit_code(self, execution: str) -> int | None:
        """Of its task; None for one that never began or was killed."""
        clock = Clock.pausing(self._policy)
        for _ in islice(POLLING.looks(clock, clock.deadline(LATE_SECONDS)), _TRIES):
            tasks: list[Mapping[str, Any]] = self._api.call("GET", f"{execution}/tasks").get("tasks", [])
            # The end of an execution may be seen before that of its task.
            if not tasks or "lastAttemptResult" in tasks[0]:
                break
        result = tasks[0].get("lastAttemptResult", {}) if tasks else {}
        return int(result.get("exitCode", 0)) or None

    def _looks(self, seconds: float, what: str) -> Iterator[None]:
        return until_done(what, POLLING, seconds, policy=self._policy, where=self.path)

    def _changed(self, why: str) -> ConflictError:
        return ConflictError(
            f"the job {self._id} was changed by someone else meanwhile",
            where=self.path,
            why=why,
            next_step="run this again: it sets and starts the job anew",
        )


def _does(job: Job, wanted: Mapping[str, Any]) -> bool:
    return _asked(job.get("template", {})) == _asked(wanted["template"])


def _asked(template: Mapping[str, Any]) -> tuple[Any, ...]:
    """What the executions of a job's template, or one of them, run. The mark alone would not do: it stays when a job is changed by
    hand, and is on executions that were started with other arguments."""
    task = template.get("template", {})
    container: Mapping[str, Any] = next(iter(task.get("containers", ())), {})
    return _mark(template), task.get("serviceAccount"), *(container.get(key) for key in _RUN)


def _ended(execution: Execution) -> bool:
    """Whether it is known how: `completionTime` is in no order with the conditions, and may be there before."""
    return _completed(execution).get("state") in _VERDICTS


def _completed(execution: Execution) -> Mapping[str, Any]:
    conditions: Sequence[Mapping[str, Any]] = execution.get("conditions", ())
    return next((each for each in conditions if each.get("type") == "Completed"), {})


def _mark(template: Mapping[str, Any]) -> str:
    return str(template.get("annotations", {}).get(templates.ASKED, ""))
