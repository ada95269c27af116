"""One Cloud Run service through its Admin API v2: read it, change it once, wait until the change is in effect.

Source: discovery document run.v2, in particular the comments on `reconciling`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pipelines import faults
from pipelines.clock import Clock
from pipelines.errors import CheckFailed, ConflictError, ProviderError, ProviderUnavailable
from pipelines.http import Http
from pipelines.manifest.targets import CloudRun
from pipelines.polling import Polling
from pipelines.providers.cloud_run_quota import RunApi
from pipelines.providers.cloud_run_traffic import Traffic, short
from pipelines.providers.google_api import GoogleRefused

ROOT = "https://run.googleapis.com/v2"
POLLING = Polling(interval=0.2, growth=1.5, longest=2.0)
LIMIT = 900.0
"""Seconds a change may take."""
_PAGES = 20
_SERVICE_AGENT = re.compile(r"service-\d+@serverless-robot-prod\.iam\.gserviceaccount\.com")
_IMAGE = re.compile(r"(?P<location>[\w-]+)-docker\.pkg\.dev/(?P<project>[^/]+)/(?P<repository>[^/]+)/")

Service = dict[str, Any]
Revision = dict[str, Any]


class CloudRunService:
    """Reads and writes; what is asked for is decided by the host."""

    def __init__(self, target: CloudRun, http: Http, token: Callable[[], str]) -> None:
        self._api = RunApi(http, token, ROOT)
        self._policy = http.policy
        self._parent = f"projects/{target.project}/locations/{target.region}"
        self._id = target.service
        self.path = f"{self._parent}/services/{target.service}"

    def get(self) -> Service | None:
        """As it is; None when there is none."""
        found: Service | None = self._api.find(self.path)
        return found

    def steady(self) -> Service | None:
        """As it is once nothing is being changed: while reconciling, traffic and URLs may be about to change."""
        service = self.get()
        return None if service is None else self._until_steady(service)

    def revision(self, name: str) -> Revision | None:
        found: Revision | None = self._api.find(f"{self.path}/revisions/{name}")
        return found

    def revisions(self) -> list[Revision]:
        """All of them, newest first."""
        pages = self._api.pages(f"{self.path}/revisions", {"pageSize": "100"}, most=_PAGES)
        found: list[Revision] = [revision for page in pages for revision in page.get("revisions", [])]
        return sorted(found, key=lambda revision: str(revision.get("createTime", "")), reverse=True)

    def serving(self, service: Service | None) -> Revision | None:
        """The revision with the most traffic; None before the first."""
        percents = Traffic.actual(service).percents if service is not None else {}
        return self.revision(max(percents, key=lambda name: percents[name])) if percents else None

    def delete_revision(self, name: str) -> None:
        """Begin to delete one that has neither traffic nor a tag. Raises ProviderError where Cloud Run refuses."""
        self._api.call("DELETE", f"{self.path}/revisions/{name}")

    def create(self, body: Mapping[str, Any]) -> Service:
        """Make the service; returns when it is in effect. Raises CheckFailed when its revision does not become ready."""
        path, params = f"{self._parent}/services", {"serviceId": self._id}

        def write() -> Service:
            try:
                made: Service = self._api.call("POST", path, params=params, body=dict(body))
            except GoogleRefused as error:
                if error.code == "ALREADY_EXISTS":
                    raise ConflictError(
                        f"service {self._id} was created by someone else meanwhile",
                        where=self.path,
                        next_step="run this again: it goes on from what is there",
                    ) from error
                raise
            return made

        answer = faults.once(write, self.get, policy=self._policy)
        return self._finished(answer, body["template"]["revision"])

    def change(
        self,
        service: Service,
        body: Mapping[str, Any],
        done: Callable[[Service], bool],
        depends_on: Callable[[Service], bool] = lambda now: True,
    ) -> Service:
        """PATCH the fields of `body`; returns the service when the change is in effect.

        `done` recognises the wanted state, so that a lost answer is never followed by a second write, and an etag that went
        stale by someone's unrelated change is not taken for a conflict. `depends_on`: whether what the change was decided on, besides
        the traffic, is still so in a newer state. Raises ConflictError, CheckFailed, ProviderError.
        """
        params = {"updateMask": ",".join(sorted(body))}

        def write(etag: str) -> Service:
            changed: Service = self._api.call("PATCH", self.path, params=params, body={"etag": etag, **body})
            return changed

        def find() -> Service | None:
            now = self.get()
            return now if now is not None and done(now) else None

        try:
            answer = faults.once(lambda: write(service.get("etag", "")), find, policy=self._policy)
        except GoogleRefused as error:
            if not error.conflict and error.code != "ALREADY_EXISTS":
                raise
            refusal = error
            answer = find() or faults.once(
                lambda: write(self._same(service, refusal, depends_on)), find, policy=self._policy
            )
        revision = body.get("template", {}).get("revision", "")
        try:
            changed = self._finished(answer, revision)
        except ProviderError:
            # After a revision that failed, a change of the traffic may end in that revision's error although the traffic moved.
            actual = self.steady() if not revision else None
            if actual is None or not done(actual):
                raise
            return actual
        if not done(changed):
            raise self._not_done(changed)
        return changed

    def _same(self, before: Service, error: GoogleRefused, depends_on: Callable[[Service], bool]) -> str:
        """The new etag, when what the change was decided on still holds. Raises ConflictError."""
        now = self.steady()
        same = now is not None and Traffic.asked(now) == Traffic.asked(before) and depends_on(now)
        if now is not None and same and error.conflict:
            return str(now.get("etag", ""))
        raise ConflictError(
            f"{self._id} was changed by someone else meanwhile",
            where=self.path,
            why=error.message,
            next_step="see `shipmate status`, then run this again: it decides anew",
        ) from error

    def _finished(self, answer: dict[str, Any], revision: str) -> Service:
        """Wait for the operation (or, after a lost answer, the service), then for the service to be steady."""
        if "/operations/" in str(answer.get("name", "")):
            self._until_done(answer, revision)
        service = self.steady()
        if service is None:
            raise ProviderError(
                "the service is gone",
                where=self.path,
                why="someone deleted it meanwhile",
                next_step="run this again: it is made anew",
            )
        if revision:
            self._require_ready(revision)
        return service

    def _until_done(self, operation: dict[str, Any], revision: str) -> None:
        for _ in self._ticks(f"operation {short(operation['name'])}"):
            if operation.get("done"):
                break
            operation = self._api.call("GET", operation["name"])
        if "error" not in operation:
            return
        if revision:
            self._require_ready(revision)
        raise ProviderError(
            str(operation["error"].get("message", operation["error"])),
            where=self.path,
            next_step="read Cloud Run's words above; nothing was given traffic",
        )

    def _until_steady(self, service: Service) -> Service:
        for _ in self._ticks("the service"):
            if _is_steady(service):
                break
            service = self._api.call("GET", self.path)
        return service

    def _require_ready(self, name: str) -> None:
        """Raises CheckFailed in the revision's own words unless it is ready; waits while it cannot say yet."""
        for _ in self._ticks(f"revision {name}"):
            revision = self.revision(name)
            if revision is not None and ready(revision):
                return
            if revision is not None and (failure := problem(revision)):
                raise CheckFailed(
                    f"{name} did not become ready: {failure}",
                    where=self.path,
                    why=_why(failure),
                    next_step=_pull_command(failure, revision)
                    or f"read its logs: {revision.get('logUri') or f'gcloud run revisions describe {name}'}",
                )

    def _ticks(self, what: str) -> Iterator[None]:
        return until_done(what, POLLING, LIMIT, policy=self._policy, where=self.path)

    def _not_done(self, service: Service) -> ProviderError:
        condition = service.get("terminalCondition", {})
        return ProviderError(
            f"the change did not take effect: {condition.get('message') or condition.get('state', 'no reason given')}",
            where=self.path,
            next_step="see `shipmate status` for what is in effect, then run this again",
        )


def until_done(what: str, polling: Polling, seconds: float, *, policy: faults.Policy, where: str) -> Iterator[None]:
    """Look after look at Cloud Run, until the caller has seen enough. Raises ProviderUnavailable at the end of the time allowed."""
    clock = Clock.pausing(policy)
    for _ in polling.looks(clock, clock.deadline(seconds)):
        yield
    raise ProviderUnavailable(
        f"{what} was not done after {seconds:.0f} s",
        where=where,
        why="Cloud Run is slow or stuck",
        next_step="look at status.cloud.google.com, then run this again: it goes on from what is there",
    )


def _is_steady(service: Service) -> bool:
    """Nothing is being changed. After a failure `observedGeneration` may stay at what serves, so the condition counts too."""
    generation = service.get("generation")
    observed = service.get("observedGeneration", generation) == generation
    failed = service.get("terminalCondition", {}).get("state") == "CONDITION_FAILED"
    return not service.get("reconciling") and (observed or failed)


def ready(revision: Mapping[str, Any]) -> bool:
    """It has passed its checks. A retired one has too: it only waits for traffic to be started again."""
    condition = _ready_condition(revision)
    return condition.get("state") == "CONDITION_SUCCEEDED" or condition.get("revisionReason") in ("RETIRED", "RETIRING")


def problem(revision: Mapping[str, Any]) -> str:
    """Why it will never be ready, in Cloud Run's words; nothing while it may be."""
    condition = _ready_condition(revision)
    if condition.get("state") != "CONDITION_FAILED" or ready(revision):
        return ""
    reason = condition.get("revisionReason") or condition.get("reason") or ""
    return ": ".join(part for part in (reason, str(condition.get("message", ""))) if part) or "no reason given"


def _ready_condition(revision: Mapping[str, Any]) -> Mapping[str, Any]:
    conditions: list[Mapping[str, Any]] = revision.get("conditions", [])
    return next((condition for condition in conditions if condition.get("type") == "Ready"), {})


def _pull_command(failure: str, revision: Mapping[str, Any]) -> str:
    """What lets the service agent that Cloud Run names pull the image; empty for another failure."""
    agent = _SERVICE_AGENT.search(failure)
    containers: Sequence[Mapping[str, Any]] = revision.get("containers", ())
    image = _IMAGE.match(str(containers[0].get("image", ""))) if containers else None
    if agent is None or image is None:
        return ""
    return (
        f"gcloud artifacts repositories add-iam-policy-binding {image['repository']} --project={image['project']} "
        f"--location={image['location']} --member=serviceAccount:{agent[0]} --role=roles/artifactregistry.reader"
    )


def _why(failure: str) -> str:
    for sign, why in (
        ("HEALTH_CHECK", "the container ended, or its startup probe never answered 200: read what it printed"),
        ("SECRETS_ACCESS", "its service account may not read a secret, or the version does not exist"),
        (
            "CONTAINER_IMAGE_UNAUTHORIZED",
            "images are pulled by Cloud Run's service agent of the service's project, not by the account that the service runs as",
        ),
        ("CONTAINER_MISSING", "the image is not in the registry"),
    ):
        if sign in failure:
            return why
    return "the revision was refused before it could be checked; it never had traffic"
