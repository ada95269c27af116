"""Cloud Run as a host: candidates behind a tag, traffic always by revision name, our marks on every revision.

A revision's environment cannot change, and a candidate must not run background workers. So where a target has workers, a
candidate that is to get traffic is followed by its live twin: the same image and settings, WORKERS=on, ready and answering at
an address of its own before the first request goes there (docs/decisions/0103).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from pipelines.errors import (
    CheckFailed,
    ConflictError,
    CredentialsError,
    InputError,
    ProviderError,
    ProviderUnavailable,
    ShipmateError,
)
from pipelines.http import Http
from pipelines.manifest.targets import CloudRun
from pipelines.providers import cloud_run_template as templates
from pipelines.providers.cloud_run_pruning import prunable
from pipelines.providers.cloud_run_quota import cpu_limit, too_little
from pipelines.providers.cloud_run_service import CloudRunService, Revision, Service, problem, ready
from pipelines.providers.cloud_run_traffic import CANDIDATE, LIVE, Traffic, short
from pipelines.providers.marks import read as read_marks
from pipelines.providers.marks import require_lock, with_stable, written
from pipelines.roles import Artifact, Deployed, Identity, Live, Marks


class CloudRunHost:
    """`roles.Host` for a service on Cloud Run."""

    def __init__(self, target: CloudRun, http: Http, token: Callable[[], str]) -> None:
        self._target = target
        self._http = http
        self._token = token
        self._service = CloudRunService(target, http, token)
        self._known: Mapping[str, int] | None = None
        """The traffic as this process last saw or made it."""

    def live(self) -> Live:
        """The real state. Raises CredentialsError, ProviderError, ProviderUnavailable."""
        service = self._service.steady()
        if service is None:
            return Live(url=self._target.url)
        self._known = Traffic.asked(service).percents
        return self._live(service)

    def stage(self, artifact: Artifact, identity: Identity) -> Deployed:
        """See roles.Host. The first revision of all gets the traffic at once: there is nothing else to take it."""
        service = self._service.steady()
        made = templates.template(self._target, templates.image(artifact), identity, self._service.serving(service))
        base = templates.name(self._target.service, identity.release, made)
        if service is None:
            name = base
            service = self._create({**made, "revision": name})
        else:
            name = self._free(base)
            if not self._has_traffic(service, name):
                service = self._stage(service, {**made, "revision": name})
        self._known = Traffic.asked(service).percents
        live = self._live(service)
        staged = live.find(self._serving(live, name)) or live.find(name)
        if staged is None:
            raise ConflictError(
                f"{name} is gone",
                where=self._service.path,
                why="someone deleted it meanwhile",
                next_step="run this again: it deploys a new one",
            )
        return staged

    def shift(self, key: str, percent: int, *, lock: str = "") -> Live:
        """See roles.Host. A candidate's live twin is made, or found, and gets the traffic in its place.

        The etag of the state in which the lock was seen goes with the write: one that came too late is refused by Google.
        """
        service = self._existing()
        self._require_unchanged(service)
        revision = self._revision(key)
        if self._target.workers and templates.role(revision) == templates.CANDIDATE:
            service, key = self._live_twin(service, revision)
            self._require_unchanged(service)
        require_lock(_marks(service), lock, self._service.path)
        wanted = Traffic.asked(service).shifted(key, percent)
        service = self._route(service, wanted)
        self._known = wanted.percents
        return self._live(service)

    def address(self, key: str) -> str:
        """See roles.Host: a revision answers by itself at its tag."""
        service = self._existing()
        tag = Traffic.asked(service).tag_of(key)
        if not tag:
            self._revision(key)
            tag = _tag(CANDIDATE, key)
            service = self._route(service, Traffic.asked(service).tagged(key, tag))
        return _uris(service).get(tag, "")

    def mark_stable(self, key: str, *, lock: str = "") -> None:
        """See roles.Host."""
        service = self._existing()
        require_lock(_marks(service), lock, self._service.path)
        key = self._serving(self._live(service), key)
        identity = templates.identity(self._revision(key))
        marks = with_stable(_marks(service), key, identity.release if identity else "")
        self._write(service, marks, Traffic.asked(service).untagged())
        with suppress(ShipmateError):  # nothing depends on it, and the next release does it again
            self._prune()

    def _prune(self) -> None:
        service = self._existing()
        for name in prunable(service, self._service.revisions(), _marks(service)):
            self._service.delete_revision(name)

    def mark(self, change: Callable[[Marks], Marks]) -> None:
        """See roles.Host. The marks are the service's annotation `shipmate.marks`."""
        for last in (False, False, True):
            service = self._service.steady()
            if service is None:
                return
            try:
                self._write(service, change(_marks(service)), Traffic.asked(service))
            except ConflictError:
                if last:
                    raise
                continue  # someone else wrote meanwhile: what is changed is what they left
            return

    def _write(self, service: Service, marks: Marks, traffic: Traffic) -> None:
        text = written(marks)
        if text == written(_marks(service)) and traffic == Traffic.asked(service):
            return
        kept = {**service.get("annotations", {}), templates.MARKS: text}
        self._service.change(
            service,
            {"annotations": kept, "traffic": traffic.body()},
            lambda now: now.get("annotations", {}).get(templates.MARKS) == text and Traffic.actual(now) == traffic,
            depends_on=lambda now: _marks(now) == _marks(service),
        )

    def headers(self) -> Mapping[str, str]:
        return {}

    def require_checkable(self) -> None:
        """See roles.Host: a tag's address is as open as the service."""

    def concerns(self) -> tuple[str, ...]:
        """See roles.Host: the quota of CPU, where the deployer may read it. A CPU that the manifest leaves out is the serving one's."""
        try:
            limit = cpu_limit(self._http, self._token, self._target.project, self._target.region)
            cpu = self._target.cpu or templates.cpu(self._service.serving(self._service.get()) or {})
        except (CredentialsError, ProviderError, ProviderUnavailable):
            return ()
        return too_little(limit, cpu, self._target)

    def _create(self, template: dict[str, Any]) -> Service:
        name = template["revision"]
        traffic = Traffic(percents={name: 100}, tags={_tag(CANDIDATE, name): name})
        return self._service.create(
            {
                "labels": {"managed-by": "shipmate"},
                "ingress": "INGRESS_TRAFFIC_ALL",
                # Public, as an API behind its own address is; the deployer needs run.services.setIamPolicy for it.
                "invokerIamDisabled": True,
                "scaling": self._scaling(),
                "template": template,
                "traffic": traffic.body(),
            }
        )

    def _scaling(self) -> dict[str, Any]:
        return {"minInstanceCount": self._target.scaling.min}

    def _free(self, base: str) -> str:
        """The name to stage under: the first that is not used by a revision that failed."""
        known = {short(revision["name"]): revision for revision in self._service.revisions()}
        for number in range(1, 100):
            name = templates.attempt(base, number)
            if name not in known or not problem(known[name]):
                return name
        raise CheckFailed(f"{base} failed 99 times", where=self._service.path, next_step="fix it, and release again")

    def _has_traffic(self, service: Service, name: str) -> bool:
        percents = Traffic.actual(service).percents
        return any(revision == name or revision.startswith(f"{name}-live") for revision in percents)

    def _stage(self, service: Service, template: dict[str, Any]) -> Service:
        """The candidate with its tag, and without those of earlier candidates; a delivery that goes live meanwhile keeps its own."""
        name = template["revision"]
        wanted = Traffic.asked(service).tagged(
            name, _tag(CANDIDATE, name), drop=CANDIDATE, keep=self._compared(service)
        )
        if not self._serves(wanted):
            wanted = Traffic(percents={name: 100}, tags=wanted.tags)
        found = self._service.revision(name)
        if found is not None and ready(found):
            return self._route(service, wanted)
        return self._deploy(service, template, wanted, {"scaling": self._scaling()})

    def _compared(self, service: Service) -> set[str]:
        """Revisions that a delivery under way asks at their tags: its own, and what has the traffic."""
        lock = _marks(service).lock
        if lock is None:
            return set()
        identities = {short(each["name"]): templates.identity(each) for each in self._service.revisions()}
        own = {name for name, found in identities.items() if found is not None and found.release == lock.release}
        return own | set(Traffic.asked(service).percents)

    def _serves(self, traffic: Traffic) -> bool:
        """Whether anything that has traffic can take it; after a first revision that failed nothing can."""
        found = (self._service.revision(name) for name in traffic.percents)
        return any(revision is not None and ready(revision) for revision in found)

    def _deploy(self, service: Service, template: dict[str, Any], wanted: Traffic, more: dict[str, Any]) -> Service:
        """A new revision and its tag in one change. When it fails, the tag is taken away again: the service is as it was."""
        before = Traffic.asked(service)
        body = {"template": template, "traffic": wanted.body(), **more}

        def done(now: Service) -> bool:
            return short(now.get("latestCreatedRevision", "")) == template["revision"] and Traffic.asked(now) == wanted

        try:
            return self._service.change(service, body, done)
        except CheckFailed:
            with suppress(ShipmateError):  # the failure itself says more; the next run cleans up too
                now = self._service.steady()
                if now is not None and Traffic.asked(now) == wanted:
                    self._route(now, before)
            raise

    def _route(self, service: Service, wanted: Traffic) -> Service:
        if Traffic.asked(service) == wanted == Traffic.actual(service):
            return service
        return self._service.change(
            service,
            {"traffic": wanted.body()},
            lambda now: Traffic.actual(now) == wanted,
            depends_on=lambda now: _marks(now).lock == _marks(service).lock,
        )

    def _live_twin(self, service: Service, candidate: Revision) -> tuple[Service, str]:
        """The revision with workers for a candidate, ready and answering at its tag."""
        if not ready(candidate):
            raise CheckFailed(
                f"{short(candidate['name'])} is not ready: {problem(candidate) or 'it is still starting'}",
                where=self._service.path,
                next_step="stage the release again",
            )
        name = self._free(f"{short(candidate['name'])}-live")
        found = self._service.revision(name)
        if found is None or not ready(found):
            tag = _tag(LIVE, name)
            wanted = Traffic.asked(service).tagged(name, tag, drop=LIVE)
            service = self._deploy(service, {**templates.live_template(candidate), "revision": name}, wanted, {})
            self._require_answer(service, tag)
        return service, name

    def _require_answer(self, service: Service, tag: str) -> None:
        """One request to the twin at its own address before anybody else is sent there."""
        url = _uris(service).get(tag, "") + self._target.probes.startup
        answer = self._http.request("GET", url)
        if answer.status_code != 200:
            raise CheckFailed(
                f"it answers HTTP {answer.status_code} with workers on: {answer.text.strip()[:200]}",
                where=url,
                why="the same image was well without workers",
                next_step="read its logs; nothing was given traffic",
            )

    def _serving(self, live: Live, key: str) -> str:
        """The twin that has the traffic in the place of a candidate, else the key itself."""
        twins = [d.key for d in live.serving() if d.key == key or d.key.startswith(f"{key}-live")]
        return next(iter(twins), key)

    def _existing(self) -> Service:
        service = self._service.steady()
        if service is None:
            raise InputError(
                f"there is no service {self._target.service}",
                where=self._service.path,
                next_step="stage a release first: it creates the service",
            )
        return service

    def _revision(self, key: str) -> Revision:
        found = self._service.revision(key)
        if found is None:
            raise InputError(
                f"there is no revision {key}",
                where=self._service.path,
                why="it was never deployed here, or was deleted",
                next_step="`shipmate status` shows what is there",
            )
        return found

    def _require_unchanged(self, service: Service) -> None:
        now = Traffic.asked(service).percents
        if self._known is not None and now != self._known:
            raise ConflictError(
                f"the traffic was changed by someone else: {_shown(now)}, it was {_shown(self._known)}",
                where=self._service.path,
                next_step="see `shipmate status`, then run this again: it decides anew",
            )

    def _live(self, service: Service) -> Live:
        traffic, uris = Traffic.actual(service), _uris(service)
        deployments = tuple(_deployed(revision, traffic, uris) for revision in self._service.revisions())
        return Live(
            url=self._target.url,
            deployments=deployments,
            version=str(service.get("etag", "")),
            marks=_marks(service),
        )


def _deployed(revision: Revision, traffic: Traffic, uris: Mapping[str, str]) -> Deployed:
    name = short(revision["name"])
    failure = problem(revision)
    state = "READY" if ready(revision) else "FAILED" if failure else "STARTING"
    return Deployed(
        key=name,
        url=uris.get(traffic.tag_of(name), ""),
        ready=state == "READY",
        identity=templates.identity(revision),
        traffic=traffic.percents.get(name, 0),
        created=str(revision.get("createTime", "")),
        state=state,
        problem=failure,
    )


def _uris(service: Service) -> dict[str, str]:
    return {s["tag"]: str(s["uri"]) for s in service.get("trafficStatuses", ()) if s.get("tag") and s.get("uri")}


def _marks(service: Service) -> Marks:
    annotations = service.get("annotations", {})
    return read_marks(annotations.get(templates.MARKS, ""), annotations.get(templates.STABLE_BEFORE_MARKS, ""))


def _tag(prefix: str, revision: str) -> str:
    """A tag of its own for each revision: one that moved could still lead to the one before."""
    import hashlib

    return prefix + hashlib.sha256(revision.encode()).hexdigest()[:8]


def _shown(percents: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {percent} %" for name, percent in percents.items()) or "none"
