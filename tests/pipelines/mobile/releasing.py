"""Releases of an app as GitHub runs them: the jobs of mobile-release.yml, step by step, against emulators of all that they talk to.

Every job gets what its file gives it and no more: the secrets of its environment, a token of its permissions, the artifacts it downloads.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

from pipelines.clock import Clock
from pipelines.faults import Policy
from pipelines.http import Http
from pipelines.mobile import clients
from pipelines.mobile import context as contexts
from pipelines.overlay import Overlay
from pipelines.providers import eas as eas_provider
from pipelines.providers.eas_program import Ended
from pipelines.runtime import Runtime
from pipelines.runtime import run as run_action
from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulators.eas.state import Pace
from rehearsal.emulators.google_play.app import GooglePlay
from rehearsal.emulators.slack.app import Slack
from rehearsal.faults import Faults, Faulty
from rehearsal.runner.expressions import Scope, condition, interpolate, interpolate_all
from rehearsal.runner.model import Event, Run
from rehearsal.serving import running
from tests.memory_hosts import Killed, Writes
from tests.pipelines.mobile.expo import TOKEN as EXPO_TOKEN
from tests.pipelines.mobile.expo import Expo, expo
from tests.rehearsal.emulators.app_store_client import APP as APPLE_APP
from tests.rehearsal.emulators.app_store_client import BUNDLE, ISSUER, KEY, PEM
from tests.rehearsal.emulators.app_store_client import Client as Apple
from tests.rehearsal.emulators.eas_client import APP, EAS_JSON, PROJECT, SKIPS
from tests.shop import REPOSITORY, SERVER, Shop, open_shop
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


class Deaths(Writes):
    """Every write to the outside. Armed, the process dies at the first that it did not die at yet, before or after its effect."""

    armed: bool = False

    def __init__(self) -> None:
        super().__init__()
        self.died: set[tuple[str, bool]] = set()

    @contextmanager
    def one(self, what: str) -> Iterator[None]:
        name = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,}|(?<![a-z])\d+", "#", what)
        self.seen.append(name)
        dies = (
            next((each for each in ((name, False), (name, True)) if each not in self.died), None)
            if self.armed
            else None
        )
        if dies is not None:
            self.died.add(dies)
        if dies == (name, False):
            raise Killed(what)
        yield
        if dies is not None:
            raise Killed(what)


class CountedHttp(Http):
    """Our client, whose writes are counted with GitHub's."""

    writes: Writes

    def request(self, method: str, url: str, **options: Any) -> Any:
        if method in ("GET", "HEAD"):
            return super().request(method, url, **options)
        with self.writes.one(f"{method} {url.partition('?')[0]}"):
            return super().request(method, url, **options)


@dataclass
class Flow:
    """A run of the workflow. `failed` leaves no output; a job that was not run has no result."""

    run: Run
    tag: str
    commit: str
    folder: Path
    inputs: dict[str, str] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    legs: dict[str, dict[str, str]] = field(default_factory=dict)
    """Job -> platform -> result."""
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    artifacts: dict[str, Path] = field(default_factory=dict)

    @property
    def needs(self) -> dict[str, Any]:
        return {key: {"result": result, "outputs": self.outputs.get(key, {})} for key, result in self.results.items()}


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
            return _upload(flow, given, workspace)
        elif action == "actions/download-artifact":
            return _download(flow, given, workspace)
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


def _upload(flow: Flow, given: Mapping[str, Any], workspace: Path) -> dict[str, str] | None:
    source, kept = workspace / given["path"], flow.folder / given["name"]
    if not source.exists():
        return {} if given["if-no-files-found"] == "ignore" else None
    assert given["overwrite"] or not kept.exists(), "an artifact of one name is refused"
    shutil.rmtree(kept, ignore_errors=True)
    if source.is_dir():
        shutil.copytree(source, kept)
    else:
        kept.mkdir()
        shutil.copy(source, kept)
    flow.artifacts[given["name"]] = kept
    return {}


def _download(flow: Flow, given: Mapping[str, Any], workspace: Path) -> dict[str, str] | None:
    if "name" in given and given["name"] not in flow.artifacts:
        return None
    start = given["name"] if "name" in given else given["pattern"].removesuffix("*")
    for name, folder in flow.artifacts.items():
        if name == start or ("pattern" in given and name.startswith(start)):
            shutil.copytree(folder, workspace / given["path"], dirs_exist_ok=True)
    return {}


@contextmanager
def open_release(folder: Path) -> Iterator[Release]:
    """Nothing of the apps was ever tagged; Play has 1 in production and internal testing. At the end no call may have been against a
    provider's own description."""
    violations: list[Violation] = []
    with ExitStack() as stack:
        shop = stack.enter_context(open_shop(folder / "shop"))
        (folder / "expo").mkdir()
        builder = stack.enter_context(expo(folder / "expo"))
        apple = Apple(folder / "apple")
        builder.time = builder.emulator.account.clock = apple.clock  # type: ignore[assignment]
        builder.account.pace = Pace(queue=15.0, build=30.0)
        play = GooglePlay(folder / "play", packages=[BUNDLE], clock=apple.clock)
        play.console.quota(BUNDLE, 1_000_000)
        slack = Slack(channels=("deployments",), webhooks={HOOK.partition("/services/")[2]: "#deployments"})
        faults, served = Faults(), {}
        for name, app, contracts, hosts in (
            ("google-play", play.app, play.contract, play.hosts),
            ("app-store", apple.app_store.app, ("app-store",), apple.app_store.hosts),
            ("slack", slack.app, (), slack.hosts),
        ):
            checked = app
            for contract in contracts:
                checked = Checked(checked, load(contract), violations)
            server = stack.enter_context(running(Faulty(checked, name, faults), name))
            served.update(dict.fromkeys(hosts, server.url))
        shop.writes = deaths = Deaths()
        http = CountedHttp(
            overlay=Overlay(hosts={**dict.fromkeys(builder.emulator.hosts, builder.program.base), **served}),
            policy=Policy(tries=3, scale=0.0),
        )
        http.writes = deaths
        stores = {"EXPO_TOKEN": EXPO_TOKEN, "APP_STORE_KEY": PEM, "SLACK_WEBHOOK": HOOK}
        made = Release(
            shop=shop, expo=builder, play=play, apple=apple, slack=slack, http=http, folder=folder, deaths=deaths, faults=faults,
            secrets={"mobile-build": {"EXPO_TOKEN": EXPO_TOKEN}, "mobile-stores": stores},
        )  # fmt: skip
        _prepare(made)
        for target, replacement in _replaced(made).items():
            stack.enter_context(mock.patch(target, replacement))
        yield made
    assert [violation.text for violation in (*violations, *apple.violations)] == []


def _prepare(release: Release) -> None:
    shop = release.shop
    shop.do(shop.github.seed.protect_tags, REPOSITORY, ("mobile-v*",), name="tags mobile-v*")
    shop.commit("ci: releases of the apps", files={"shipmate.yml": MANIFEST, FILE: (ROOT / FILE).read_text()})

    async def dispatch(event: Event, path: str) -> Run:
        assert set(event.payload["inputs"]) <= {"above"}, "an input that the workflow does not have"
        shop.runner.events.append(event)
        return shop.runner._begin(event, path, "Mobile Release", "verify")

    shop.runner.dispatch = dispatch  # type: ignore[method-assign]


def _replaced(release: Release) -> dict[str, Any]:
    """Where the jobs reach the outside: the same clients, but counted, on one clock, with eas in this process."""
    open_context, app_store, Eas = contexts.open_context, clients.app_store, eas_provider.Eas

    def opened(*arguments: Any, **options: Any) -> contexts.Context:
        found = open_context(*arguments, **options)
        found.access = replace(found.access, http=release.http)
        if found.github is not None:
            found.github = release.shop.client(found.github.token)
        found.clock = Clock(real=release.apple.clock, wait=release.apple.clock.forward)
        return found

    def signed(settings: Any, access: clients.Access) -> Any:
        made = app_store(settings, access)
        made._now = release.apple.clock
        return made

    def run(words: Any, *, folder: Path, environ: Mapping[str, str], **options: Any) -> Ended:
        release.programs.append((words[0], folder, dict(environ)))
        writes = words[0] in ("build", "build:cancel")
        with release.deaths.one(f"eas {words[0]}") if writes else contextlib.nullcontext():
            return release.expo.run(words, folder=folder, environ=environ, **options)

    return {
        "pipelines.mobile.context.open_context": opened,
        "pipelines.mobile.clients.app_store": signed,
        "pipelines.providers.eas.Eas": functools.partial(Eas, run=run),
        "release.publishing.publish._pause": release.apple.clock.forward,
        "release.publishing.lease._machine": lambda: f"runner-{release._number}",
    }
