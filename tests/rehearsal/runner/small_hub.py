"""A small real Hub for the runner's tests: bare repositories served over smart HTTP, with tokens that are checked."""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rehearsal.runner.engine import ActRunner
from rehearsal.runner.hub import EnvironmentRules
from rehearsal.runner.model import Event, Job, Run
from rehearsal.runner.settings import Settings

REPOSITORY = "acme/demo"
CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
KEY = "a key that signs the tests' OIDC tokens, long enough for HS256"

_GIT_ENV = {
    **{name: value for name, value in os.environ.items() if name == "PATH"},
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "dev-1",
    "GIT_AUTHOR_EMAIL": "dev-1@example.com",
    "GIT_COMMITTER_NAME": "dev-1",
    "GIT_COMMITTER_EMAIL": "dev-1@example.com",
}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, env=_GIT_ENV, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@dataclass
class SmallHub:
    """The `Hub` protocol over repositories in one folder; every request needs a living token with `contents`."""

    root: Path
    url: str = ""
    tokens: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    issued: list[dict[str, str]] = field(default_factory=list)
    common_secrets: dict[str, str] = field(default_factory=dict)
    environment_secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    common_variables: dict[str, str] = field(default_factory=dict)
    environments: dict[str, EnvironmentRules] = field(default_factory=dict)
    changes: list[tuple[str, str | None, str]] = field(default_factory=list)
    disabled: set[str] = field(default_factory=set)
    _serial: Any = field(default_factory=itertools.count)

    def create(self, repository: str) -> Path:
        """A new repository; its work tree."""
        bare, tree = self.root / f"{repository}.git", self.root / "trees" / repository
        for folder in (bare, tree):
            folder.mkdir(parents=True)
        git(bare, "init", "-q", "--bare", "-b", "main")
        git(tree, "init", "-q", "-b", "main")
        git(tree, "remote", "add", "origin", str(bare))
        return tree

    def commit(self, files: dict[str, str], repository: str = REPOSITORY, branch: str = "main") -> str:
        """Write files, commit and push; the new commit."""
        tree = self.root / "trees" / repository
        if not tree.exists():
            self.create(repository)
        for path, text in files.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text)
        git(tree, "add", "-A")
        git(tree, "commit", "-q", "--allow-empty", "-m", "Change things")
        git(tree, "push", "-q", "origin", f"HEAD:refs/heads/{branch}")
        return git(tree, "rev-parse", "HEAD")

    async def workflow_files(self, repository: str, sha: str) -> dict[str, str]:
        bare = self.root / f"{repository}.git"
        listed = await asyncio.to_thread(git, bare, "ls-tree", "-r", "--name-only", sha, ".github/workflows/")
        return {path: await asyncio.to_thread(git, bare, "show", f"{sha}:{path}") for path in listed.split()}

    def disabled_workflows(self, repository: str) -> set[str]:
        return self.disabled

    async def changed_paths(self, repository: str, before: str, after: str) -> list[str] | None:
        bare = self.root / f"{repository}.git"
        return (await asyncio.to_thread(git, bare, "diff", "--name-only", before, after)).split()

    def clone_url(self, repository: str) -> str:
        if not (self.root / f"{repository}.git").exists():
            raise KeyError(f"no repository {repository}")
        return f"{self.url}/{repository}.git"

    def api_url(self) -> str:
        return f"{self.url}/api/v3"

    def server_url(self) -> str:
        return self.url

    def job_token(self, repository: str, permissions: dict[str, str], run: Run, job: Job) -> str:
        token = f"token-{next(self._serial)}-of-{job.id}"
        self.tokens[token] = (repository, permissions)
        self.issued.append(permissions)
        return token

    def retire_token(self, token: str) -> None:
        del self.tokens[token]

    def secrets(self, repository: str, environment: str | None) -> dict[str, str]:
        return {**self.common_secrets, **self.environment_secrets.get(environment or "", {})}

    def variables(self, repository: str, environment: str | None) -> dict[str, str]:
        return {**self.common_variables, **({"WHERE": environment} if environment else {})}

    def environment(self, repository: str, name: str) -> EnvironmentRules:
        return self.environments.get(name, EnvironmentRules(name=name))

    def default_branch(self, repository: str) -> str:
        return "main"

    def sign_oidc(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, KEY, algorithm="HS256")

    def run_changed(self, run: Run, job: Job | None) -> None:
        self.changes.append((run.status, job.name if job else None, job.status if job else ""))

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self._git, methods=["GET", "POST"])])

    async def _git(self, request: Request) -> Response:
        if not self._allowed(request):
            return Response(status_code=401, headers={"WWW-Authenticate": 'Basic realm="git"'})
        body = await request.body()
        env = {
            **_GIT_ENV,
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": request.url.path,
            "QUERY_STRING": request.url.query,
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        }
        process = await asyncio.create_subprocess_exec(
            "git", "http-backend", env=env, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate(body)
        head, _, content = out.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(headers.pop("Status", "200").split()[0])
        return Response(content, status_code=status, headers=headers)

    def _allowed(self, request: Request) -> bool:
        _, _, encoded = request.headers.get("authorization", "").partition(" ")
        token = base64.b64decode(encoded).decode().partition(":")[2]
        repository, permissions = self.tokens.get(token, ("", {}))
        named = "/".join(request.url.path.strip("/").split("/")[:2]).removesuffix(".git")
        return named == repository and "contents" in permissions


@dataclass
class World:
    """A hub, a runner, and the few things tests do with them."""

    hub: SmallHub
    runner: ActRunner
    settings: Settings

    def event(self, sha: str, name: str = "push", ref: str = "refs/heads/main", **payload: Any) -> Event:
        body = {"ref": ref, "before": "0" * 40, "after": sha, "deleted": False, **payload}
        return Event(name=name, repository=REPOSITORY, payload=body, ref=ref, sha=sha, actor="dev-1")

    async def push(self, workflow: str, files: dict[str, str] | None = None) -> Run:
        """Commit a workflow, push it, and wait until its run is over."""
        run = await self.begin(workflow, files)
        return await asyncio.wait_for(self.runner.wait(run.id), 60)

    async def begin(self, workflow: str, files: dict[str, str] | None = None) -> Run:
        sha = self.hub.commit({".github/workflows/ci.yml": workflow, **(files or {})})
        (run,) = await self.runner.emit(self.event(sha))
        return run

    async def until(self, condition: Callable[[], object]) -> None:
        """Poll, for 30 seconds at most."""
        async with asyncio.timeout(30):
            while not condition():  # noqa: ASYNC110 - files and processes send no events
                await asyncio.sleep(0.01)


def logs(run: Any) -> str:
    """The logs of all jobs of a run."""
    return "\n".join(job.log_text() for job in run.jobs)
