"""Vercel as a host: a deployment without domains, promoted when it is proved, and instant rollback.

What is live is what the public address's alias points at. A deployment carries who it is in its `meta`; the marks of `roles.Marks`
are kept in the project's plain variable SHIPMATE_MARKS (docs/decisions/0007). Paths: @vercel/sdk 1.28.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipelines import faults
from pipelines.clock import Clock
from pipelines.errors import CheckFailed, ConflictError, InputError, ProviderUnavailable
from pipelines.http import Http
from pipelines.manifest.targets import Vercel
from pipelines.polling import Polling
from pipelines.providers import vercel_protection
from pipelines.providers.files import Upload, uploads
from pipelines.providers.marks import require_lock, with_stable
from pipelines.providers.vercel_api import VercelApi, VercelRefused
from pipelines.providers.vercel_deployments import (
    FAILED,
    FIELDS,
    MARK,
    PROMOTED,
    ROLLED_BACK,
    ROLLING,
    created,
    deployed,
    identity_of,
    problem_of,
    state_of,
    ways_back,
)
from pipelines.providers.vercel_marks import VercelMarks
from pipelines.roles import Artifact, Deployed, Identity, Live, Marks

PLAN_REFUSES = 402
"""What Vercel answers when a plan does not have something."""
POLLING = Polling(interval=0.2, growth=1.5, longest=2.0)
LIMIT = 600.0
"""Seconds a deployment or a promotion may take."""


class VercelHost:
    """`roles.Host` for a project on Vercel. Traffic moves as a whole."""

    def __init__(self, target: Vercel, http: Http, token: str, *, bypass: str = "") -> None:
        self._target = target
        self._api = VercelApi(http, token, target.team)
        self._policy = http.policy
        self._bypass = bypass
        self._marks = VercelMarks(self._api, lambda: self._project, http.policy, target.project)
        self._known: str | None = None
        """The live deployment as this process last saw or made it."""

    @cached_property
    def _settings(self) -> dict[str, Any]:
        """The project as it was when it was first asked for. Raises InputError when there is no such project."""
        found = self._api.find(f"/v9/projects/{self._target.project}")
        if found is None:
            raise InputError(
                f"there is no project {self._target.project} in team {self._target.team}",
                where="Vercel",
                why="it was never created, or the token cannot see it",
                next_step="create it, or correct `project` in shipmate.yml",
            )
        settings: dict[str, Any] = found
        return settings

    @property
    def _project(self) -> str:
        return str(self._settings["id"])

    def live(self) -> Live:
        """The real state. Raises CredentialsError, ProviderError, ProviderUnavailable."""
        current = self._current()
        self._known = current
        listed = self._deployments()
        if current and current not in {raw["uid"] for raw in listed}:
            listed.append(self._read(current))
        ways = ways_back(listed, current, hobby=self._is_hobby)
        deployments = tuple(replace(deployed(raw, current), back_by=ways.get(str(raw["uid"]), "")) for raw in listed)
        return Live(url=self._target.url, deployments=deployments, version=current, marks=self._marks.read())

    def stage(self, artifact: Artifact, identity: Identity) -> Deployed:
        """See roles.Host; the artifact's reference is the folder with the build."""
        config = {**self._target.config, "release": identity.release, "commit": identity.commit}
        files = uploads(_folder(artifact), config)
        found = self._find(identity)
        if found is None:
            self._hold_domains()
            found = faults.once(
                lambda: self._create(files, identity), lambda: self._find(identity), policy=self._policy
            )
        return deployed(self._until_ready(str(found.get("uid") or found["id"])), self._current())

    def shift(self, key: str, percent: int, *, lock: str = "") -> Live:
        """See roles.Host. A deployment that was live before is brought back by instant rollback, another is promoted.

        Vercel has no conditional write. The lock is looked at before and after: who took it in between looks once more at their end.
        """
        if percent != 100:
            raise InputError(
                f"{percent} % of the traffic",
                where="Vercel",
                why="it moves traffic as a whole only",
                next_step="leave `shift` out in shipmate.yml",
            )
        current = self._current()
        if self._known is not None and current != self._known:
            raise ConflictError(
                f"{current or 'nothing'} is live, it was {self._known or 'nothing'}",
                where=self._target.project,
                why="someone promoted or rolled back meanwhile",
                next_step="see `shipmate status`, then run this again: it decides anew",
            )
        require_lock(self._marks.read(), lock, self._target.project)
        if current != key:
            self._move(key, back=self._can_roll_back(self._require_ready(key), current))
        self._until_live(key)
        self._known = key
        live = self.live()
        self._undo_if_late(live.marks, key, lock)
        require_lock(live.marks, lock, self._target.project)
        return live

    def _undo_if_late(self, marks: Marks, key: str, lock: str) -> None:
        """A process that took the lock during our write has finished, and cannot put right what came after: we do, going to what
        they marked as stable. One that is still at work looks once more itself."""
        stable = next(iter(marks.stable), "")
        if lock and marks.lock is None and stable not in ("", key):
            self._move(stable, back=True)
            self._until_live(stable)
            self._known = stable

    def address(self, key: str) -> str:
        """See roles.Host: every deployment has one."""
        return f"https://{self._require_ready(key)['url']}"

    def mark_stable(self, key: str, *, lock: str = "") -> None:
        """See roles.Host. Vercel's own word is the second signal: what it says never had traffic is not marked."""
        deployment = self._read(key)
        identity = identity_of(deployment)

        def change(marks: Marks) -> Marks:
            require_lock(marks, lock, self._target.project)
            self._require_promoted(deployment)
            return with_stable(marks, key, identity.release if identity else "")

        self.mark(change)

    def mark(self, change: Callable[[Marks], Marks]) -> None:
        """See roles.Host. Raises ProviderError when the mark cannot be read back."""
        self._marks.change(change)

    def headers(self) -> Mapping[str, str]:
        """What lets a check through a protected deployment."""
        return {vercel_protection.HEADER: self._bypass} if self._bypass else {}

    def require_checkable(self) -> None:
        """See roles.Host. By the project's settings, read once."""
        vercel_protection.require_bypass(self._settings, self._bypass, lets_in=self._lets_in)

    def _lets_in(self) -> bool | None:
        """Whether the newest deployment that is ready answers to the bypass; None when there is none."""
        ready = next((raw for raw in self._deployments() if state_of(raw) == "READY"), None)
        if ready is None:
            return None
        answer = self._api.http.request(
            "GET", f"https://{ready['url']}/", headers=self.headers(), allow_redirects=False
        )
        to_login = urlsplit(answer.headers.get("location", "")).hostname == "vercel.com"
        return answer.status_code not in (401, 403) and not to_login

    def concerns(self) -> tuple[str, ...]:
        return ()

    def _create(self, files: list[Upload], identity: Identity) -> dict[str, Any]:
        """Create the deployment, sending the files Vercel says it does not have. Twice: it may forget some in between."""
        marks = {f"{MARK}{field}": getattr(identity, field) for field in FIELDS if getattr(identity, field)}
        body = {
            "name": self._target.project,
            "project": self._project,
            "target": "production",
            "files": [{"file": file.path, "sha": file.sha1, "size": len(file.content)} for file in files],
            # What is sent is the finished build: nothing is to be built there.
            "projectSettings": {
                "framework": None,
                "buildCommand": None,
                "installCommand": None,
                "outputDirectory": None,
            },
            "meta": marks,
        }
        params = {"forceNew": "1", "skipAutoDetectionConfirmation": "1"}
        for last in (False, False, True):
            try:
                created: dict[str, Any] = self._api.call("POST", "/v13/deployments", params=params, body=body)
                return created
            except VercelRefused as error:
                if error.code != "missing_files" or last:
                    raise
                missing = set(error.error.get("missing", ()))
                self._send([file for file in files if not missing or file.sha1 in missing])
        raise AssertionError("unreachable: the loop returns or raises")

    def _send(self, files: list[Upload]) -> None:
        """Files go by their SHA-1, so one that was sent already can be sent again."""
        for file in {file.sha1: file for file in files}.values():
            headers = {"Content-Type": "application/octet-stream", "x-vercel-digest": file.sha1}

            def write(file: Upload = file, headers: Mapping[str, str] = headers) -> bool:
                self._api.call("POST", "/v2/files", data=file.content, headers=headers)
                return True

            faults.once(write, lambda: None, policy=self._policy)

    def _hold_domains(self) -> None:
        """Production domains stay where they are until we say so. A promotion turns this back on, so it is looked at each time."""
        path = f"/v9/projects/{self._project}"
        if self._api.call("GET", path).get("autoAssignCustomDomains") is False:
            return

        def write() -> bool:
            self._api.call("PATCH", path, body={"autoAssignCustomDomains": False})
            return True

        faults.once(write, lambda: None, policy=self._policy)

    def _can_roll_back(self, deployment: Mapping[str, Any], current: str) -> bool:
        """Whether instant rollback gives it the traffic: it was live before, what is live now is newer, and the plan reaches so far."""
        if not current or deployment.get("readySubstate") != PROMOTED:
            return False
        if created(deployment) >= created(self._read(current)):
            return False
        if not self._is_hobby:
            return True
        return ways_back(self._deployments(), current, hobby=True).get(str(deployment["id"])) == ROLLED_BACK

    @property
    def _is_hobby(self) -> bool:
        """Whether the team's plan is Hobby, as what is live says; of a project where nothing is, nobody goes back."""
        live = (self._settings.get("targets") or {}).get("production") or {}
        return live.get("plan") == "hobby"

    def _move(self, key: str, *, back: bool) -> None:
        """`back`: by instant rollback. Where the plan turns out not to reach so far, by promotion."""
        try:
            self._ask_to_move(key, back=back)
        except VercelRefused as error:
            if not back or error.status != PLAN_REFUSES:
                raise
            self._ask_to_move(key, back=False)

    def _ask_to_move(self, key: str, *, back: bool) -> None:
        path = (
            f"/v1/projects/{self._project}/rollback/{key}" if back else f"/v10/projects/{self._project}/promote/{key}"
        )

        def write() -> bool:
            try:
                self._api.call("POST", path)
            except VercelRefused as error:
                if error.status not in (409, 422):
                    raise
                # Another request is being worked on: who is live in the end decides.
            return True

        faults.once(write, lambda: self._current() == key or None, policy=self._policy)

    def _until_live(self, key: str) -> None:
        """By two witnesses: the public address shows it, and it is not ROLLING, which is live for a share of the visitors only."""
        for _ in self._ticks(f"the promotion of {key}"):
            if self._current() == key and self._read(key).get("readySubstate") != ROLLING:
                return

    def _require_promoted(self, deployment: Mapping[str, Any]) -> None:
        """Raises ConflictError for what Vercel says was not live, or is not wholly."""
        substate = deployment.get("readySubstate")
        if substate in (None, PROMOTED):
            return
        raise ConflictError(
            f"{deployment['uid']} is not marked as stable: Vercel says it is {substate}",
            where=self._target.project,
            why="only what had all the traffic is good to come back to",
            next_step="see `shipmate status`; someone else moved the traffic, or a rolling release of the project is under way",
        )

    def _until_ready(self, key: str) -> dict[str, Any]:
        """Raises CheckFailed in Vercel's words."""
        for _ in self._ticks(f"deployment {key}"):
            deployment = self._read(key)
            if deployment["readyState"] == "READY":
                return deployment
            if deployment["readyState"] in FAILED:
                raise CheckFailed(
                    f"{key} did not become ready: {problem_of(deployment)}",
                    where=self._target.project,
                    why="the build was refused; it never had traffic",
                    next_step=f"read its log: {deployment.get('inspectorUrl') or 'Vercel → Deployments'}",
                )
        raise AssertionError("unreachable: the ticks return or raise")

    def _require_ready(self, key: str) -> dict[str, Any]:
        deployment = self._api.find(f"/v13/deployments/{key}")
        if deployment is None or deployment["readyState"] != "READY":
            state = deployment["readyState"] if deployment else "gone"
            raise InputError(
                f"deployment {key} is {state}",
                where=self._target.project,
                next_step="`shipmate status` shows what is there; stage the release again",
            )
        found: dict[str, Any] = deployment
        return found

    def _find(self, identity: Identity) -> dict[str, Any] | None:
        """The newest deployment of this release with this digest that has not failed."""
        for raw in self._deployments():
            known = identity_of(raw)
            if (
                known
                and (known.release, known.digest) == (identity.release, identity.digest)
                and state_of(raw) not in FAILED
            ):
                return raw
        return None

    def _deployments(self) -> list[dict[str, Any]]:
        params = {"projectId": self._project, "target": "production", "limit": "100"}
        found: list[dict[str, Any]] = self._api.call("GET", "/v7/deployments", params=params)["deployments"]
        return sorted(found, key=created, reverse=True)

    def _read(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = self._api.call("GET", f"/v13/deployments/{key}")
        return {**found, "uid": found.get("id") or found.get("uid")}

    def _current(self) -> str:
        """The deployment the public address points at; empty when it points nowhere."""
        alias = self._api.find(f"/v4/aliases/{urlsplit(self._target.url).hostname}")
        return str((alias or {}).get("deploymentId") or "")

    def _ticks(self, what: str) -> Iterator[None]:
        """Look after look. Raises ProviderUnavailable at the end of the time allowed."""
        clock = Clock.pausing(self._policy)
        for _ in POLLING.looks(clock, clock.deadline(LIMIT)):
            yield
        raise ProviderUnavailable(
            f"{what} was not done after {LIMIT:.0f} s",
            where=self._target.project,
            why="Vercel is slow or stuck",
            next_step="look at vercel-status.com, then run this again: it goes on from what is there",
        )


def _folder(artifact: Artifact) -> Path:
    folder = Path(artifact.reference)
    if not folder.is_dir():
        raise InputError(
            f"{artifact.reference} is no folder with a build",
            where=artifact.component,
            next_step="get the build's files first (`images.pull_files`)",
        )
    return folder
