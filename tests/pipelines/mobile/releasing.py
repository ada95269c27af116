"""Releases of an app as GitHub runs them: the jobs of mobile-release.yml, step by step, against emulators of all that they talk to.

Every job gets what its file gives it and no more: the secrets of its environment, a token of its permissions, the artifacts it downloads.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

from pipelines.runtime import Runtime
from pipelines.runtime import run as run_action
from rehearsal.emulators.google_play.app import GooglePlay
from rehearsal.emulators.slack.app import Slack
from rehearsal.faults import Faults
from rehearsal.runner.expressions import Scope, condition, interpolate, interpolate_all
from rehearsal.runner.model import Event
from tests.pipelines.mobile.expo import Expo
from tests.pipelines.mobile.release_run import CountedHttp, Deaths, Flow, download, upload
from tests.rehearsal.emulators.app_store_client import APP as APPLE_APP
from tests.rehearsal.emulators.app_store_client import BUNDLE, ISSUER, KEY
from tests.rehearsal.emulators.app_store_client import Client as Apple
from tests.rehearsal.emulators.eas_client import APP, EAS_JSON, PROJECT, SKIPS
from tests.shop import REPOSITORY, SERVER, Shop
from tests.shop_files import MANIFEST as PLATFORM

ROOT = Path(__file__).resolve().parents[3]
FILE = ".github/workflows/mobile-release.yml"
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / FILE).read_text())
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]
HOOK = "https://hooks.slack.com/services/T000/B000/of-the-apps"
PLAY_TOKEN = "play-access-token-of-the-job"
MOBILE = f"""mobile:
  component: mobile
  app: apps/mobile
  eas: {{account: techmate, slug: techmate, project: {PROJECT}}}
  android:
    package: {BUNDLE}
    workload_identity: //iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/github/providers/techmate
    service_account: play@techmate-delivery.iam.gserviceaccount.com
  ios:
    bundle: {BUNDLE}
    app: "{APPLE_APP}"
    issuer: {ISSUER}
    key: {KEY}
    groups: {{internal: [Team]}}
release:
  components:
    platform: {{exclude: [apps/mobile]}}
    mobile:
      tag_format: "mobile-v{{version}}"
      paths: [apps/mobile]
      version_files: [apps/mobile/app.json]
"""
MANIFEST = PLATFORM + MOBILE


def app_files(version: str, **config: Any) -> dict[str, str]:
    """The app at a version, as it is committed. `config`: keys of `expo` in app.json."""
    asked = {"expo": "~57.0.26", "expo-updates": "~57.0.24"}
    locked = {"": {"version": version}, **{f"node_modules/{name}": {"version": asked[name][1:]} for name in asked}}
    files = {
        "app.json": json.dumps({"expo": {**APP["expo"], "version": version, **config}}),
        "eas.json": json.dumps(EAS_JSON),
        "package.json": json.dumps({"name": "mobile", "version": version, "dependencies": asked}),
        "package-lock.json": json.dumps({"packages": locked}),
        "fingerprint.config.js": SKIPS,
        "index.ts": f"export const version = '{version}';\n",
        "assets/icon.png": "icon",
    }
    return {f"apps/mobile/{name}": content for name, content in files.items()}


@dataclass
class Release:
    """GitHub, EAS, Google Play, App Store Connect and Slack, with one app; time goes on only while a job waits."""

    shop: Shop
    expo: Expo
    play: GooglePlay
    apple: Apple
    slack: Slack
    http: CountedHttp
    folder: Path
    deaths: Deaths
    faults: Faults
    secrets: dict[str, dict[str, str]]
    """GitHub environment -> its secrets."""
    google: str = PLAY_TOKEN
    log: str = ""
    """Of the last action."""
    summary: str = ""
    logs: list[str] = field(default_factory=list)
    """Everything that was printed."""
    summaries: list[str] = field(default_factory=list)
    given: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    """Action -> the environment of each of its calls."""
    programs: list[tuple[str, Path, dict[str, str]]] = field(default_factory=list)
    """(command, folder, environment) of each call of eas."""
    _number: int = 0

    # people ---------------------------------------------------------------------------------------------------------

    def commit(
        self,
        version: str = "1.0.1",
        *,
        branch: str = "main",
        files: Mapping[str, str] | None = None,
        message: str = "",
        green: bool = True,
        **config: Any,
    ) -> str:
        """The app at a version on a branch; its SHA."""
        changed = {**app_files(version, **config), **(files or {})}
        sha = self.shop.commit(message or f"feat(mobile): notes of {version}", branch=branch, files=changed)
        if green:
            self.shop.check(sha, branch=branch)
        return sha

    def push(self, tag: str, commit: str, *, actor: str = "dev-1", annotated: bool = False) -> Flow:
        """Tag a commit, which starts the workflow."""
        self.shop.tag(tag, commit, annotated=annotated)
        return self.started(tag, commit, actor=actor)

    def started(self, tag: str, commit: str, *, actor: str = "dev-1", inputs: dict[str, str] | None = None) -> Flow:
        event = Event(
            name="push",
            repository=REPOSITORY,
            payload={"ref": f"refs/tags/{tag}"},
            ref=f"refs/tags/{tag}",
            sha=commit,
            actor=actor,
        )
        run = self.shop.do(self.shop.runner._begin, event, FILE, "Mobile Release", "verify")
        folder = self.folder / f"run-{run.id}"
        folder.mkdir()
        return Flow(run=run, tag=tag, commit=commit, folder=folder, inputs=inputs or {})

    def release(self, version: str = "1.0.1", **config: Any) -> Flow:
        """A commit at a version, pushed, green and tagged; nothing of the workflow is run yet."""
        return self.push(f"mobile-v{version}", self.commit(version, **config))

    # the workflow ---------------------------------------------------------------------------------------------------

    def go(self, flow: Flow, *, until: str = "") -> Flow:
        """All jobs that GitHub runs, in order. A second time: those that did not end well, and what depends on them."""
        ran: set[str] = set()
        flow.run.attempt += bool(flow.results)
        for key, job in JOBS.items():
            needs = job.get("needs", [])
            named = [needs] if isinstance(needs, str) else needs
            if ran & set(named) or flow.results.get(key) not in ("success", "skipped"):
                if ran & set(named) and flow.results.get(key) == "success":
                    flow.legs.pop(key, None)
                ran.add(key)
                self._decided(flow, key, job, [flow.results.get(each, "skipped") for each in named])
            if key == until:
                break
        return flow

    def _decided(self, flow: Flow, key: str, job: dict[str, Any], results: list[str]) -> None:
        status = {
            "success": all(each == "success" for each in results),
            "failure": "failure" in results,
            "cancelled": False,
        }
        if condition(job.get("if"), Scope(contexts=self._contexts(flow, {}), status=status)):
            self.job(flow, key)
        else:
            flow.results[key] = "skipped"

    def job(self, flow: Flow, key: str) -> str:
        """Run a job, its legs that did not end well; its result."""
        job = JOBS[key]
        platforms = json.loads(flow.outputs["verify"]["platforms"]) if "strategy" in job else [""]
        legs = flow.legs.setdefault(key, {})
        for platform in platforms:
            if legs.get(platform) != "success" or not platform:
                legs[platform] = "failure"
                flow.results[key] = "failure"
                legs[platform] = "success" if self._leg(flow, key, job, platform) else "failure"
        flow.results[key] = "success" if set(legs.values()) == {"success"} else "failure"
        return flow.results[key]

    def _leg(self, flow: Flow, key: str, job: dict[str, Any], platform: str) -> bool:
        self._number += 1
        workspace = self.folder / "jobs" / str(self._number)
        workspace.mkdir(parents=True)
        token = self.shop.do(
            self.shop.github.hub.job_token, REPOSITORY, job.get("permissions", {}), flow.run, flow.run.jobs[0]
        )
        secrets = self.secrets.get((job.get("environment") or {}).get("name", ""), {})
        steps: dict[str, Any] = {}
        contexts_ = {**self._contexts(flow, secrets, token), "matrix": {"platform": platform}, "steps": steps}
        well = True
        for step in job["steps"]:
            scope = Scope(contexts=contexts_, status={"success": well, "failure": not well, "cancelled": False})
            if not condition(step.get("if"), scope):
                continue
            given = interpolate_all(step.get("with", {}), scope)
            done = self._step(flow, job, step, given, workspace)
            if done is None:
                well = well and bool(step.get("continue-on-error"))
            elif "id" in step:
                steps[step["id"]] = {"outputs": done}
        if well:
            scope = Scope(contexts=contexts_, status={})
            flow.outputs[key] = {
                name: str(interpolate(text, scope) or "") for name, text in job.get("outputs", {}).items()
            }
        return well

    def _contexts(self, flow: Flow, secrets: Mapping[str, str], token: str = "") -> dict[str, Any]:
        github = {
            "ref_type": "tag",
            "ref_name": flow.tag,
            "sha": flow.commit,
            "token": token,
            "event": {"repository": {"default_branch": "main"}},
        }
        return {"github": github, "needs": flow.needs, "inputs": dict(flow.inputs), "secrets": dict(secrets)}

    def _step(
        self, flow: Flow, job: dict[str, Any], step: dict[str, Any], given: dict[str, Any], workspace: Path
    ) -> dict[str, str] | None:
        """Its outputs; None where it failed."""
        action = step["uses"].partition("@")[0]
        if action == "actions/checkout":
            self._check_out(given["ref"], workspace / given.get("path", ""))
        elif action == "actions/upload-artifact":
            return upload(flow, given, workspace)
        elif action == "actions/download-artifact":
            return download(flow, given, workspace)
        elif action != "./actions/setup":
            return self._act(flow, job, action.removeprefix("./actions/"), given, workspace)
        return {}

    def _check_out(self, ref: str, folder: Path) -> None:
        service = self.shop.github.instance
        bare = service.git_path(service.repository(REPOSITORY))
        if folder.name == "source":
            git("clone", "-q", "--no-checkout", str(bare), str(folder))
            git("checkout", "-q", "--detach", ref, folder=folder)
        else:
            (folder / "shipmate.yml").write_text(git("show", f"{ref}:shipmate.yml", folder=bare))

    def _act(
        self, flow: Flow, job: dict[str, Any], action: str, given: Mapping[str, Any], workspace: Path
    ) -> dict[str, str] | None:
        files = {name: str(workspace / name.lower()) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        environ = {
            "GITHUB_ACTIONS": "true",
            "PATH": os.environ["PATH"],
            "SHIPMATE_OVERLAY": str(self.expo.program.folder / "overlay.json"),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_API_URL": self.shop.url,
            "GITHUB_SERVER_URL": SERVER,
            "GITHUB_RUN_ID": str(flow.run.id),
            "GITHUB_RUN_ATTEMPT": str(flow.run.attempt),
            "GITHUB_ACTOR": flow.run.event.actor,
            "GITHUB_TRIGGERING_ACTOR": flow.run.event.actor,
            **files,
            **{f"IN_{name.upper()}": _text(value) for name, value in given.items()},
        }
        if job["permissions"].get("id-token") == "write":
            environ["GOOGLE_OAUTH_ACCESS_TOKEN"] = self.google
        self.given.setdefault(action, []).append(environ)
        stream = io.StringIO()
        try:
            # Locks of publishing are by the process's own variables.
            with contextlib.chdir(workspace), mock.patch.dict(os.environ, _of_run(environ)):
                code = run_action(import_module(f"actions.{action}").main, Runtime(environ=environ, stream=stream))
        finally:
            self.log, self.summary = stream.getvalue(), _read(files["GITHUB_STEP_SUMMARY"])
            self.logs.append(self.log)
            self.summaries.append(self.summary)
        found = re.findall(r"^([\w-]+)<<(\S+)\n(.*?)\n\2$", _read(files["GITHUB_OUTPUT"]), re.MULTILINE | re.DOTALL)
        return {name: value for name, _, value in found} if code == 0 else None

    @property
    def printed(self) -> str:
        return "\n".join(self.logs)

    # what is there --------------------------------------------------------------------------------------------------

    @property
    def builds(self) -> list[tuple[str, str]]:
        """(platform, number) of each build at EAS that nobody cancelled."""
        return sorted((b.platform, b.number) for b in self.expo.account.builds.values() if b.canceled is None)

    @property
    def on_play(self) -> list[int]:
        """Numbers that the internal track has."""
        return [code for each in self.play.account.apps[BUNDLE].tracks["internal"] for code in each.version_codes]

    @property
    def on_apple(self) -> list[tuple[str, str]]:
        return [(each.version, each.number) for each in self.apple.account.builds.values()]

    @property
    def refs(self) -> list[str]:
        """Reserved numbers: android/2."""
        service = self.shop.github.instance
        start = "refs/shipmate/builds/"
        return sorted(
            ref.removeprefix(start) for ref in service.git(service.repository(REPOSITORY)).refs if ref.startswith(start)
        )

    @property
    def releases(self) -> list[str]:
        """Published at GitHub."""
        return [each["tag_name"] for each in self._seen("/releases") if not each["draft"]]

    @property
    def dispatched(self) -> list[Event]:
        return [each for each in self.shop.runner.events if each.name == "workflow_dispatch"]

    @property
    def errors(self) -> str:
        """What the last action annotated as an error, as a person reads it."""
        found = re.findall(r"^::error[^:]*(?:::|.*?::)(.*)$", self.log, re.MULTILINE)
        return "\n".join(found).replace("%0A", "\n").replace("%25", "%")

    def _seen(self, path: str) -> Any:
        return self.shop.person("dev-1").get(f"/repos/{REPOSITORY}{path}")

    def records(self) -> list[dict[str, Any]]:
        """The apps' records in the ledger, each with its statuses."""
        listed = self._seen("/deployments?task=shipmate:mobile")
        return [{**each, "statuses": self._seen(f"/deployments/{each['id']}/statuses")} for each in listed]


def git(*words: str, folder: Path | None = None) -> str:
    environ = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", *words], cwd=folder, env=environ, capture_output=True, text=True, check=True)
    return done.stdout


def _of_run(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: environ[name] for name in ("GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT")}


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _read(file: str) -> str:
    return Path(file).read_text() if Path(file).is_file() else ""
