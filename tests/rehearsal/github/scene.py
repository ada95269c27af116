"""A GitHub on a loopback port, checked against GitHub's own description, and a runner that does what tests say."""

from __future__ import annotations

import asyncio
import os
import subprocess
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import requests

from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.github.app import GitHub
from rehearsal.runner import titles
from rehearsal.runner.hub import Hub, InputError, NotAllowed
from rehearsal.runner.model import Event, Job, PendingReview, Review, Run, Step
from rehearsal.serving import Server

Result = TypeVar("Result")

REPOSITORY = "techmate/platform"
CI = """name: CI
on:
  push: {branches: [main, "release/**"]}
  pull_request:
jobs:
  ci: {runs-on: ubuntu-latest, steps: [{run: "true"}]}
"""
DEPLOY = """name: Deploy to Production
on:
  workflow_dispatch:
    inputs:
      version: {required: true}
      dry-run: {type: boolean, default: false}
permissions: {}
jobs:
  deploy: {runs-on: ubuntu-latest, environment: production, steps: [{run: "true"}]}
"""
FILES = {
    ".github/workflows/ci.yml": CI,
    ".github/workflows/deploy-production.yml": DEPLOY,
    "README.md": "# Platform\n",
    "apps/backend/app.py": "print('hello')\n",
}


class Clock:
    """A clock that moves a second with each look, so that what is later is shown as later."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


class ScriptedRunner:
    """A `Runner` whose jobs end when a test says so. It starts ci.yml for pushes, pull requests and, where the file names them,
    merge groups."""

    def __init__(self, hub: Hub, clock: Clock) -> None:
        self.runs: dict[int, Run] = {}
        self.events: list[Event] = []
        self._hub = hub
        self._clock = clock
        self._pending: dict[int, list[PendingReview]] = {}

    async def emit(self, event: Event) -> list[Run]:
        self.events.append(event)
        files = await self._hub.workflow_files(event.repository, event.sha)
        path = ".github/workflows/ci.yml"
        known = ("push", "pull_request", "merge_group")
        if event.name not in known or path not in files or event.ref.startswith("refs/tags/"):
            return []
        if event.payload.get("action") in ("enqueued", "dequeued", "destroyed"):
            return []
        if event.name == "merge_group" and "merge_group" not in files[path]:
            return []
        if event.name == "push" and event.ref != "refs/heads/main" and not event.ref.startswith("refs/heads/release/"):
            return []
        return [self._begin(event, path, "CI", "ci")]

    async def dispatch(self, event: Event, workflow_path: str) -> Run:
        inputs = event.payload["inputs"]
        unknown = set(inputs) - {"version", "dry-run"}
        if unknown:
            raise InputError(f"Unexpected inputs provided: {sorted(unknown)}")
        if "version" not in inputs:
            raise InputError("Required input 'version' not provided")
        self.events.append(event)
        return self._begin(event, workflow_path, "Deploy to Production", "deploy", environment="production")

    def pending(self, run_id: int) -> list[PendingReview]:
        return self._pending.get(run_id, [])

    async def review(self, run_id: int, environments: list[str], state: str, user: str, comment: str) -> None:
        for one in self._pending[run_id]:
            if one.environment in environments and user not in one.reviewers:
                raise NotAllowed(f"{user} is not a required reviewer of {one.environment}")
        self._pending[run_id] = [one for one in self._pending[run_id] if one.environment not in environments]
        review = Review(environments=environments, state=state, user=user, comment=comment, at=self._clock())
        self.runs[run_id].reviews.append(review)

    async def bypass(self, run_id: int, environments: list[str], user: str, comment: str) -> None:
        self._pending[run_id] = [one for one in self._pending[run_id] if one.environment not in environments]
        review = Review(environments=environments, state="skipped", user=user, comment=comment, at=self._clock())
        self.runs[run_id].reviews.append(review)

    async def cancel(self, run_id: int) -> None:
        self.finish(run_id, "cancelled")

    async def rerun(self, run_id: int, *, failed_only: bool, actor: str) -> Run:
        run = self.runs[run_id]
        run.attempt += 1
        run.status, run.conclusion, run.triggering_actor = "in_progress", None, actor
        for job in list(run.latest_jobs()):
            if job.conclusion != "success" or not failed_only:
                job.superseded = True
                self._add_job(run, job.key, job.environment)
        return run

    def delete(self, run_id: int) -> None:
        if self.runs[run_id].status != "completed":
            raise NotAllowed("it is not completed")
        del self.runs[run_id]

    def delete_artifact(self, run_id: int, artifact_id: int) -> None:
        run = self.runs[run_id]
        run.artifacts = [one for one in run.artifacts if one.id != artifact_id]

    async def stop(self) -> None:
        self.runs.clear()

    def wait_for_review(self, run_id: int, reviewers: list[str]) -> None:
        run = self.runs[run_id]
        run.status = run.jobs[-1].status = "waiting"
        environment = run.jobs[-1].environment or ""
        pending = PendingReview(environment=environment, reviewers=reviewers, since=self._clock(), wait_timer=0)
        self._pending[run_id] = [pending]
        self._hub.run_changed(run, run.jobs[-1])

    def finish(self, run_id: int, conclusion: str = "success", log: tuple[str, ...] = ("hello",)) -> None:
        """End the run and all its jobs that have not ended."""
        run = self.runs[run_id]
        for job in run.latest_jobs():
            if job.status != "completed":
                lines = [f"2026-11-22T18:00:00.0000000Z {line}" for line in log]
                job.steps = [self._step(1, "Set up job", "success", []), self._step(2, "Run true", conclusion, lines)]
                job.status, job.conclusion, job.completed_at = "completed", conclusion, self._clock()
        run.status, run.conclusion, run.updated_at = "completed", conclusion, self._clock()
        for job in run.latest_jobs():
            self._hub.run_changed(run, job)

    def _step(self, number: int, name: str, conclusion: str, log: list[str]) -> Step:
        now = self._clock()
        return Step(
            number=number,
            name=name,
            status="completed",
            conclusion=conclusion,
            started_at=now,
            completed_at=now,
            log=log,
        )

    def _begin(self, event: Event, path: str, name: str, job: str, *, environment: str | None = None) -> Run:
        now = self._clock()
        run = Run(
            id=1_001 + len(self.runs),
            number=1 + len(self.runs),
            repository=event.repository,
            workflow_path=path,
            workflow_name=name,
            title=name,
            event=event,
            head_branch=titles.head_branch(event),
            head_sha=titles.head_sha(event),
            status="in_progress",
            created_at=now,
            started_at=now,
            updated_at=now,
            triggering_actor=event.actor,
        )
        self.runs[run.id] = run
        self._add_job(run, job, environment)
        return run

    def _add_job(self, run: Run, key: str, environment: str | None) -> None:
        now = self._clock()
        number = 20_000 + sum(len(one.jobs) for one in self.runs.values())
        job = Job(
            id=number,
            run_id=run.id,
            attempt=run.attempt,
            key=key,
            name=key,
            status="in_progress",
            environment=environment,
            created_at=now,
            started_at=now,
        )
        run.jobs.append(job)
        self._hub.run_changed(run, job)


@dataclass
class Person:
    """Someone at a keyboard: a token, an API session, a git configuration."""

    login: str
    token: str
    url: str
    home: Path

    def api(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return requests.request(method, f"{self.url}{path}", headers=headers, timeout=30, **options)

    def get(self, path: str, **options: Any) -> Any:
        answer = self.api("GET", path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, status: int = 201) -> Any:
        answer = self.api("POST", path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def git(self, *arguments: str, cwd: Path, fails: bool = False) -> str:
        """Run git; returns all it printed."""
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": self.login,
            "GIT_COMMITTER_NAME": self.login,
            "GIT_AUTHOR_EMAIL": f"{self.login}@users.noreply.github.com",
            "GIT_COMMITTER_EMAIL": f"{self.login}@users.noreply.github.com",
            "LC_ALL": "C.UTF-8",
        }
        done = subprocess.run(
            ["git", *arguments], check=False, cwd=cwd, env=env, capture_output=True, text=True, timeout=60
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def remote(self, repository: str = REPOSITORY) -> str:
        return f"{self.url.replace('//', f'//{self.login}:{self.token}@')}/{repository}.git"

    def clone(self, to: Path, repository: str = REPOSITORY) -> Path:
        self.git("clone", "-q", self.remote(repository), str(to), cwd=to.parent)
        return to

    def commit(self, checkout: Path, path: str, content: str, message: str) -> str:
        target = checkout / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
        self.git("add", "--", path, cwd=checkout)
        self.git("commit", "-q", "-m", message, cwd=checkout)
        return self.git("rev-parse", "HEAD", cwd=checkout).strip()


@dataclass
class Scene:
    """Everything a test needs; made by `open_scene`."""

    github: GitHub
    runner: ScriptedRunner
    clock: Clock
    folder: Path
    loop: asyncio.AbstractEventLoop
    url: str
    violations: list[Violation] = field(default_factory=list)

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Carry out a coroutine on the world's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def do(self, work: Any, *arguments: Any, **options: Any) -> Any:
        """Carry out a plain function on the world's loop."""

        async def call() -> Any:
            return work(*arguments, **options)

        return self.run(call())

    def person(self, login: str, role: str | None = None, **token: Any) -> Person:
        if role is not None:
            self.do(self.github.seed.role, REPOSITORY, login, role)
        value = self.do(self.github.seed.token, login, **token)
        home = self.folder / f"home-{login}"
        home.mkdir(exist_ok=True)
        return Person(login=login, token=value, url=self.url, home=home)

    def job_token(self, permissions: dict[str, str]) -> Person:
        """The token of a job of some run, with these permissions."""
        event = Event(name="push", repository=REPOSITORY, payload={}, ref="refs/heads/main", sha="", actor="dev-1")
        run = self.do(self.runner._begin, event, ".github/workflows/ci.yml", "CI", "ci")
        token = self.do(self.github.hub.job_token, REPOSITORY, permissions, run, run.jobs[0])
        home = self.folder / "home-job"
        home.mkdir(exist_ok=True)
        return Person(login="x-access-token", token=token, url=self.url, home=home)

    def events(self, name: str) -> list[Event]:
        return [event for event in self.runner.events if event.name == name]

    def main(self) -> str:
        return self.github.instance.git(self.github.instance.repository(REPOSITORY)).refs["refs/heads/main"]


class OpenScene:
    """A `Scene` in a loop on a thread of its own, as a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Scene:
        self._thread.start()
        clock = Clock()
        github = GitHub(self._folder / "github", clock)
        violations: list[Violation] = []
        self._server = Server(Checked(github.app, load("github"), violations), "github")
        runner = ScriptedRunner(github.hub, clock)
        scene = Scene(
            github=github,
            runner=runner,
            clock=clock,
            folder=self._folder,
            loop=self._loop,
            url="",
            violations=violations,
        )
        self._github = github
        scene.run(self._start(github, runner))
        scene.url = github.address
        return scene

    async def _start(self, github: GitHub, runner: ScriptedRunner) -> None:
        await self._server.start()
        github.address = self._server.url
        github.attach(runner)
        await github.seed.repository(
            REPOSITORY,
            files=FILES,
            roles={"dev-1": "write", "dev-2": "write", "release-manager": "admin", "on-call": "read"},
            author="dev-1",
        )

    async def _stop(self) -> None:
        await self._server.stop()
        await self._github.stop()
        # Exits of processes arrive from watcher threads; let the loop see them before it closes.
        await asyncio.get_running_loop().shutdown_default_executor()

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
