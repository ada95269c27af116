"""Steps of workflow runs against a shop: the suite at main in the workspace, the release's commit beside it, hosts in memory."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from pipelines.delivery import context as contexts
from pipelines.delivery import proof
from pipelines.delivery.context import Context
from pipelines.http import Http
from rehearsal.runner.model import Run
from tests.shop import Job, Shop

KEPT = Path("build/delivery")


@dataclass
class Workplace:
    """A runner that carries out one job's steps after the other, each in the same workspace, which `job` empties."""

    shop: Shop
    step: Any
    http: Http
    uploads: dict[tuple[int, str], Path] = field(default_factory=dict)
    """(run, name) -> folder, of what jobs of a run kept for later ones."""

    def job(self, run: Run, commit: str = "", **environ: str) -> None:
        """Begin a job: a fresh checkout of main, and of a commit as data."""
        self.shop.update()
        for left in ("build", "source", "reports"):
            shutil.rmtree(self.shop.checkout / left, ignore_errors=True)
        if commit:
            subprocess.run(["git", "clone", "-q", ".", "source"], cwd=self.shop.checkout, check=True)
            source = self.shop.checkout / "source"
            subprocess.run(["git", "checkout", "-q", "--detach", commit], cwd=source, check=True)
        token = self.shop.job(run).token
        self.step.environ |= {**Job(run=run).environ(), "GITHUB_API_URL": self.shop.url, "IN_TOKEN": token, **environ}
        self.run = run

    def act(self, action: str, *, code: int = 0, **inputs: str) -> dict[str, str]:
        """Run an action, which must end with this code; its outputs."""
        for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
            Path(self.step.environ[name]).unlink(missing_ok=True)
        given = {"token": self.step.environ["IN_TOKEN"], "vercel_token": "v0ken", **inputs}
        assert self.step.run(import_module(f"actions.{action}").main, **given) == code, self.step.log
        found: dict[str, str] = self.step.outputs()
        return found

    def keep(self, name: str, path: Path) -> None:
        """actions/upload-artifact, of a file or a folder."""
        kept = self.shop.folder / f"kept-{self.run.id}-{name}"
        shutil.rmtree(kept, ignore_errors=True)
        if path.is_dir():
            shutil.copytree(path, kept)
        else:
            kept.mkdir()
            shutil.copy(path, kept)
        self.uploads[self.run.id, name] = kept

    def get(self, name: str, path: Path) -> None:
        """actions/download-artifact by name."""
        shutil.copytree(self.uploads[self.run.id, name], path, dirs_exist_ok=True)

    def get_all(self, prefix: str, path: Path) -> None:
        """actions/download-artifact by pattern, merged."""
        for (run, name), folder in self.uploads.items():
            if run == self.run.id and name.startswith(prefix):
                shutil.copytree(folder, path, dirs_exist_ok=True)

    @property
    def summary(self) -> str:
        return str(self.step.summary())

    # the workflows --------------------------------------------------------------------------------------------------

    def stage(self, commit: str, event: Mapping[str, str] | None = None, *, run: Run | None = None) -> Run:
        """Deploy to Staging, up to the proof that its run keeps."""
        run = run or self.shop.workflow("deploy-staging.yml", "Deploy to Staging", proof.JOB, commit=commit)
        run.title = f"Deploy {commit} to staging"
        place, data = {"environment": "staging"}, {"environment": "staging", "commit": commit}
        given = {"GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main", "GITHUB_SHA": commit, **(event or {})}
        self.job(run, commit, **given)
        plan = self.act("plan_staging", **place)
        assert plan["commit"] == commit
        for build in json.loads(plan["builds"]):
            self.job(run, commit)
            built = self.act("build_component", component=build["component"])
            self.keep(f"build-{build['component']}", Path(built["folder"]))
        for component in json.loads(plan["components"]):
            self.job(run, commit)
            self.get(f"build-{component}", KEPT / "layouts" / component)
            self.act("deploy_component", component=component, **data)
            self.keep(f"deployed-{component}", KEPT / "deployed")
        self.job(run, commit)
        self.get_all("deployed-", KEPT / "deployed")
        self.act("go_live", **data)
        if plan["browser_tests"] == "true":
            self.job(run, commit)
            self.act("run_e2e", **place)
        self.job(run, commit)
        self.get_all("deployed-", KEPT / "deployed")
        proved = self.act("mark_stable", **data)
        self.shop.upload(run, proved["name"], {proof.FILE: (Path(proved["proof"]) / proof.FILE).read_bytes()})
        self.shop.end(run, "success")
        return run

    def plan(self, version: str, actor: str = "dev-1", *, run: Run | None = None) -> tuple[Run, dict[str, str]]:
        """The job Plan of Deploy to Production."""
        run = run or self.shop.start(actor)
        self.job(run)
        planned = self.act("plan_release", environment="production", version=version)
        self.keep("plan", KEPT / "plan.json")
        return run, planned

    def approve(self, run: Run, planned: Mapping[str, str], login: str = "release-manager") -> dict[str, str]:
        """The job Approval, reviewed by someone; its outputs as the later jobs take them."""
        self.shop.review(run, login)
        self.job(run)
        self.get("plan", KEPT)
        given = self.act("approval_gate", environment="production", plan=planned["plan"])
        return {
            "environment": "production",
            "plan": given["plan"],
            "approved_by": given["by"],
            "approved_until": given["until"],
        }

    def releasing(self, run: Run, planned: Mapping[str, str]) -> None:
        """What the jobs after the approval begin with."""
        self.job(run, planned["commit"])
        self.get("plan", KEPT)

    def deploy(self, run: Run, planned: Mapping[str, str], approved: Mapping[str, str]) -> None:
        for component in json.loads(planned["components"]):
            self.releasing(run, planned)
            self.act("deploy_component", component=component, **approved)
            self.keep(f"deployed-{component}", KEPT / "deployed")

    def browse(
        self, run: Run, planned: Mapping[str, str], *, code: int = 0, candidates: bool = False
    ) -> dict[str, str]:
        """The release's browser tests that change nothing, against what was deployed or what is live."""
        self.job(run, planned["commit"])
        given = {"environment": "production", "version": planned["version"], "read_only": "true"}
        if candidates:
            self.get_all("deployed-", KEPT / "deployed")
            given |= {"candidates": str(KEPT / "deployed"), "vercel_bypass": "by-pass"}
        return self.act("run_e2e", code=code, **given)

    def go_live(self, run: Run, planned: Mapping[str, str], approved: Mapping[str, str], code: int = 0) -> None:
        self.releasing(run, planned)
        self.act("go_live", code=code, **approved)

    def roll_back(self, run: Run, planned: Mapping[str, str], approved: Mapping[str, str]) -> dict[str, str]:
        self.releasing(run, planned)
        return self.act("rollback", environment="production", plan=approved["plan"])

    def publish(self, run: Run, planned: Mapping[str, str], approved: Mapping[str, str]) -> str:
        self.releasing(run, planned)
        given = {"environment": "production", "plan": approved["plan"]}
        self.act("prepare_release", **given)
        return self.act("publish_release", **given)["url"]


@contextmanager
def workplace(shop: Shop, step: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workplace]:
    """`step` and the actions it runs, in the shop's checkout; its hosts instead of Google's and Vercel's."""
    made = Workplace(shop, step, shop.http)
    real = contexts.open_context

    def open_context(manifest: Any, environment: str, runtime: Any, **more: Any) -> Context:
        found = real(manifest, environment, runtime, **more)
        found.http = found.credentials.http = made.http
        if found.github is not None:
            found.github = shop.client(found.github.token)
        found.host_of = lambda component: shop.host(environment, component)
        return found

    monkeypatch.setattr(contexts, "open_context", open_context)
    monkeypatch.setattr("pipelines.http.Http", lambda: made.http)
    monkeypatch.chdir(shop.checkout)
    yield made
