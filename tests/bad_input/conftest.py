"""A platform to be mistaken about, and the two ways to it: steps of a workflow, and a terminal."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from pipelines.delivery.context import Context
from pipelines.runtime import Runtime, run
from rehearsal.runner.model import Run
from tests.shop import REPOSITORY, SERVER, Shop, open_shop
from tests.small_platform import Terminal, terminal_of_a_world

PLANNING = {"contents": "read", "deployments": "write", "checks": "read", "pull-requests": "read", "actions": "read"}
"""What the plan job may do."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What became of a step."""

    code: int
    log: str
    summary: str
    outputs: dict[str, str]

    def commands(self, name: str) -> list[str]:
        """Lines the runner would read as this workflow command."""
        return re.findall(rf"^::{name}(?: [^\n]*)?::[^\n]*$", self.log, re.MULTILINE)


@dataclass
class Desk:
    """Steps of workflows in a shop; providers are behind its overlay, GitHub at its address."""

    shop: Shop
    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    def step(self, action: str, run_: Run | None = None, **inputs: str) -> Ended:
        """Run an action as a job of a run does."""
        main = import_module(f"actions.{action}").main
        job = run_ or self.shop.start()
        files = {n: self.folder / n.lower() for n in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV")}
        for file in files.values():
            file.unlink(missing_ok=True)
        environ = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.shop.url,
            "GITHUB_SERVER_URL": SERVER,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ID": str(job.id),
            "GITHUB_RUN_ATTEMPT": str(job.attempt),
            "GITHUB_ACTOR": job.event.actor,
            "GITHUB_TRIGGERING_ACTOR": job.triggering_actor or "",
            "GOOGLE_OAUTH_ACCESS_TOKEN": "token",
            **{name: str(file) for name, file in files.items()},
            **self.environ,
            **{f"IN_{name.upper()}": value for name, value in inputs.items()},
        }
        stream = io.StringIO()
        code = run(main, Runtime(environ=environ, stream=stream))
        texts = {name: file.read_text() if file.is_file() else "" for name, file in files.items()}
        found = re.findall(r"^([\w-]+)<<(\S+)\n(.*?)\n\2$", texts["GITHUB_OUTPUT"], re.MULTILINE | re.DOTALL)
        outputs = {name: value for name, _, value in found}
        return Ended(code=code, log=stream.getvalue(), summary=texts["GITHUB_STEP_SUMMARY"], outputs=outputs)

    def allowed(self, run_: Run, permissions: dict[str, str]) -> str:
        """The token of a job of a run."""
        token: str = self.shop.do(self.shop.github.hub.job_token, REPOSITORY, permissions, run_, run_.jobs[0])
        return token

    def plan(self, version: str, run_: Run | None = None, *, token: str = "") -> Ended:
        """The plan job of the production workflow: a checkout with its whole history, and little permission."""
        job = run_ or self.shop.start()
        token = token or self.allowed(job, PLANNING)
        self.shop.person("dev-1").git("fetch", "-q", "--tags", "--force", "origin", cwd=self.shop.checkout)
        return self.step("plan_release", job, environment="production", version=version, token=token)

    def source(self, commit: str) -> None:
        """What a job has beside the workspace: the release's commit, checked out as data."""
        folder = self.shop.checkout / "source"
        shutil.rmtree(folder, ignore_errors=True)
        dev = self.shop.person("dev-1")
        dev.clone(folder)
        dev.git("checkout", "-q", "--detach", commit, cwd=folder)

    def nothing_was_written(self) -> None:
        """Neither the ledger nor a host knows of the attempt."""
        assert [record.release for record in self.shop.ledger().records("production")] == []
        assert all(host.deployments == [] for host in self.shop.sites.hosts.values())


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(tmp_path) as made:
        yield made


@pytest.fixture
def desk(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk in a checkout of the shop."""
    overlay = tmp_path / "overlay.json"
    hosts: Any = dict(shop.http.overlay.hosts)
    overlay.write_text(json.dumps({"hosts": hosts, "time_scale": 0.0}))
    monkeypatch.setenv("SHIPMATE_OVERLAY", str(overlay))
    in_memory = {host.url: host for host in shop.sites.hosts.values()}
    monkeypatch.setattr(Context, "_provider_host", lambda _, target: in_memory[target.url])
    monkeypatch.chdir(shop.checkout)
    return Desk(shop, tmp_path)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    with terminal_of_a_world(tmp_path) as found:
        yield found
