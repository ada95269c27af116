"""A platform in the middle of its life: a GitHub with history, two environments whose hosts live in memory, people and runs.

`Shop` sets scenes in a line each (a commit that is green and staged, a release that is live) and makes deliveries as jobs and terminals do.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from pipelines.delivery import proof
from pipelines.delivery.context import Context, open_context
from pipelines.faults import Policy
from pipelines.github import GitHub as Client
from pipelines.http import Http
from pipelines.images import pack_files, push
from pipelines.ledger import Ledger
from pipelines.manifest import Manifest, definition, load
from pipelines.overlay import Overlay
from pipelines.runtime import Runtime
from rehearsal.contracts.contract import load as load_contract
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulators.registry.app import Registry
from rehearsal.faults import Fault, Faults, Faulty
from rehearsal.github.app import GitHub
from rehearsal.runner.model import Artifact, Event, Run
from rehearsal.serving import Server
from tests.memory_hosts import MemoryHost, Sites, Writes
from tests.rehearsal.github.scene import Person, ScriptedRunner
from tests.shop_files import FILES, REGISTRY

Result = TypeVar("Result")

REPOSITORY = "techmate/platform"
SERVER = "https://github.test"
COMPONENTS = ("backend", "web")
PEOPLE = {"dev-1": "write", "dev-2": "write", "release-manager": "maintain", "on-call": "maintain", "stranger": "read"}
JOB = dict.fromkeys(("contents", "deployments", "issues", "checks"), "write") | dict.fromkeys(
    ("actions", "pull-requests"), "read"
)


class Clock:
    """The time of the emulated GitHub: now, or as far `ahead` as a test says."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class CountedClient(Client):
    """Our client, whose writes are counted with those of the hosts."""

    writes: Writes

    def json(self, method: str, path: str, body: Any = None) -> Any:
        if method in ("GET", "HEAD"):
            return super().json(method, path, body)
        with self.writes.one(f"{method} {path}"):
            return super().json(method, path, body)

    def brief(self) -> Client:
        made = CountedClient(self.name, self.token, api_url=self.api_url, policy=super().brief().policy)
        made.writes = self.writes
        return made


@dataclass(frozen=True, kw_only=True)
class Job:
    """Where a delivery runs: a workflow run, or a terminal when there is no run."""

    run: Run | None = None

    def environ(self) -> dict[str, str]:
        found = {"GITHUB_REPOSITORY": REPOSITORY, "GOOGLE_OAUTH_ACCESS_TOKEN": "token", "VERCEL_TOKEN": "token"}
        if self.run is None:
            return found
        return {
            **found,
            "GITHUB_SERVER_URL": SERVER,
            "GITHUB_RUN_ID": str(self.run.id),
            "GITHUB_RUN_ATTEMPT": str(self.run.attempt),
            "GITHUB_ACTOR": self.run.event.actor,
            "GITHUB_TRIGGERING_ACTOR": self.run.triggering_actor or self.run.event.actor,
        }


@dataclass
class Shop:
    """The scene of a test. `url` is GitHub's address, `log` what the last delivery printed."""

    folder: Path
    github: GitHub
    runner: ScriptedRunner
    clock: Clock
    loop: asyncio.AbstractEventLoop
    url: str = ""
    faults: Faults = field(default_factory=Faults)
    violations: list[Violation] = field(default_factory=list)
    writes: Writes = field(default_factory=Writes)
    sites: Sites = field(default_factory=Sites)
    http: Http = field(default_factory=Http)
    log: io.StringIO = field(default_factory=io.StringIO)
    _fetched: dict[str, str] = field(default_factory=dict)
    """The refs of the last fetch: most jobs begin where nothing was pushed since the one before."""
    _read: dict[tuple[str, str], Any] = field(default_factory=dict)
    """(what, text of the checkout's manifest) -> what was read of it: a delivery in jobs reads it a dozen times."""

    # people and git -------------------------------------------------------------------------------------------------

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Carry out a coroutine on the world's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def do(self, work: Any, *arguments: Any, **options: Any) -> Any:
        """Carry out a plain function on the world's loop."""

        async def call() -> Any:
            return work(*arguments, **options)

        return self.run(call())

    def person(self, login: str) -> Person:
        home = self.folder / f"home-{login}"
        home.mkdir(exist_ok=True)
        return Person(login=login, token=self.do(self.github.seed.token, login), url=self.url, home=home)

    @property
    def checkout(self) -> Path:
        """A clone at main, made when it is first asked for."""
        found = self.folder / "checkout"
        return found if found.is_dir() else self.person("dev-1").clone(found)

    @property
    def manifest(self) -> Manifest:
        return self._of_manifest("policy", load)

    @property
    def defined(self) -> definition.Definition:
        return self._of_manifest("definition", definition.read)

    def _of_manifest(self, what: str, read: Callable[[Path], Result]) -> Result:
        file = self.checkout / "shipmate.yml"
        known = (what, file.read_text())
        if known not in self._read:
            self._read[known] = read(file)
        found: Result = self._read[known]
        return found

    def commit(
        self, message: str = "feat: more", *, branch: str = "main", author: str = "dev-2", files: Any = None
    ) -> str:
        """A commit on a branch (made from main when it is new); its SHA."""
        repository = self.github.instance.repository(REPOSITORY)
        git = self.github.instance.git(repository)
        if f"refs/heads/{branch}" not in git.refs:
            self.person("dev-1").post(
                f"/repos/{REPOSITORY}/git/refs", {"ref": f"refs/heads/{branch}", "sha": git.refs["refs/heads/main"]}
            )
        changed = files or {"NEWS.md": f"{message} {len(self.writes.seen)} {datetime.now(UTC).isoformat()}\n"}
        return self.run(self.github.seed.commit(REPOSITORY, changed, branch=branch, message=message, author=author))

    def tag(self, name: str, commit: str, *, annotated: bool = False) -> None:
        dev, sha = self.person("dev-1"), commit
        if annotated:
            made = {"tag": name, "message": name, "object": commit, "type": "commit"}
            sha = dev.post(f"/repos/{REPOSITORY}/git/tags", made)["sha"]
        dev.post(f"/repos/{REPOSITORY}/git/refs", {"ref": f"refs/tags/{name}", "sha": sha})

    def check(self, commit: str, conclusion: str | None = "success", *, branch: str = "main") -> Run:
        """A run of CI on a pushed commit; None: still under way."""
        made = self.workflow("ci.yml", "CI", "ci", commit=commit, branch=branch, event="push")
        if conclusion:
            self.end(made, conclusion)
        return made

    def forged_check(self, commit: str, name: str = "ci") -> None:
        """A check run that some other workflow's token wrote."""
        body = {"name": name, "head_sha": commit, "status": "completed", "conclusion": "success"}
        self.job().post(f"/repos/{REPOSITORY}/check-runs", body)

    # runs -----------------------------------------------------------------------------------------------------------

    def start(self, actor: str = "dev-1") -> Run:
        """A run of the production workflow."""
        sha = self.github.instance.git(self.github.instance.repository(REPOSITORY)).refs["refs/heads/main"]
        event = Event(
            name="workflow_dispatch",
            repository=REPOSITORY,
            payload={"inputs": {}},
            ref="refs/heads/main",
            sha=sha,
            actor=actor,
        )
        path = ".github/workflows/deploy-production.yml"
        made: Run = self.do(self.runner._begin, event, path, "Deploy to Production", "deploy")
        return made

    def workflow(
        self,
        file: str,
        name: str,
        job: str,
        *,
        commit: str,
        branch: str = "main",
        event: str = "push",
        actor: str = "dev-1",
        payload: Any = None,
        ref: str = "",
    ) -> Run:
        """A run of any workflow. `ref`: of a tag."""
        ref = ref or f"refs/heads/{branch}"
        happened = Event(
            name=event, repository=REPOSITORY, payload=payload or {"ref": ref}, ref=ref, sha=commit, actor=actor
        )
        made: Run = self.do(self.runner._begin, happened, f".github/workflows/{file}", name, job)
        return made

    def upload(self, run: Run, name: str, files: Mapping[str, bytes]) -> None:
        """An artifact of a run's current attempt."""
        folder = self.folder / f"artifact-{run.id}-{run.attempt}-{name}"
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in files.items():
            (folder / file).write_bytes(content)
        number = 1 + sum(len(each.artifacts) for each in self.runner.runs.values())
        run.artifacts.append(
            Artifact(
                id=9_000 + number,
                name=name,
                size=sum(map(len, files.values())),
                digest=hashlib.sha256(b"".join(files.values())).hexdigest(),
                created_at=self.clock(),
                path=str(folder),
                job_id=run.jobs[-1].id,
            )
        )

    def job(self, run: Run | None = None) -> Person:
        """The token of a job of a run."""
        run = run or self.start()
        token = self.do(self.github.hub.job_token, REPOSITORY, JOB, run, run.jobs[0])
        return Person(login="x-access-token", token=token, url=self.url, home=self.folder)

    def end(self, run: Run, conclusion: str = "failure") -> None:
        self.do(self.runner.finish, run.id, conclusion)

    def again(self, run: Run, actor: str = "dev-1") -> Run:
        """*Re-run all jobs*, of a run that has failed by then."""
        self.end(run)
        return self.again_of(run, actor)

    def again_of(self, run: Run, actor: str = "dev-1") -> Run:
        """*Re-run all jobs*, of a run that has ended."""
        made: Run = self.run(self.runner.rerun(run.id, failed_only=False, actor=actor))
        return made

    def review(
        self,
        run: Run,
        login: str = "release-manager",
        state: str = "approved",
        *,
        environment: str = "production-approval",
    ) -> None:
        """*Review deployments*, as the page does it."""
        run.jobs[-1].environment = environment
        self.do(self.runner.wait_for_review, run.id, [login])
        environments = self.github.instance.repository(REPOSITORY).environments
        body = {"environment_ids": [environments[environment].id], "state": state, "comment": "seen"}
        self.person(login).post(f"/repos/{REPOSITORY}/actions/runs/{run.id}/pending_deployments", body, status=200)
        run.status = "in_progress"

    def bypass(self, run: Run, login: str, *, environment: str = "production-approval") -> None:
        """*Start all waiting jobs*, as an administrator does on the page of the run."""
        run.jobs[-1].environment = environment
        self.do(self.runner.wait_for_review, run.id, ["dev-2"])
        self.run(self.runner.bypass(run.id, [environment], login, "nobody is awake"))
        run.status = "in_progress"

    def reviewers(self, *logins: str, environment: str = "production-approval") -> None:
        """Give an environment reviewers, as plans with that feature have."""
        self.do(self.github.seed.environment, REPOSITORY, environment, reviewers=logins, branches=("main",))

    # deliveries -----------------------------------------------------------------------------------------------------

    def client(self, token: str) -> Client:
        made = CountedClient(REPOSITORY, token, api_url=self.url, policy=Policy(scale=0.0))
        made.writes = self.writes
        return made

    def context(self, environment: str = "production", run: Run | None = None, *, login: str = "on-call") -> Context:
        """As a job of a run makes it, or as the terminal of someone; by the policy of the default branch."""
        token = self.job(run).token if run else self.person(login).token
        self.log = io.StringIO()
        runtime = Runtime(environ=Job(run=run).environ(), stream=self.log)
        self.update()
        made = open_context(self.manifest, environment, runtime, token="-")
        made.http = made.credentials.http = self.http
        made.github = self.client(token)
        made.host_of = lambda component: self.host(environment, component)
        return made

    def update(self) -> None:
        """Bring the checkout to the head of main, with every branch and tag."""
        dev = self.person("dev-1")
        refs = dict(self.github.instance.git(self.github.instance.repository(REPOSITORY)).refs)
        if refs != self._fetched:
            dev.git("fetch", "-q", "--tags", "--force", "origin", cwd=self.checkout)
            self._fetched = refs
        dev.git("reset", "-q", "--hard", "origin/main", cwd=self.checkout)

    def host(self, environment: str, component: str) -> MemoryHost:
        return self.sites.hosts[environment, component]

    def ledger(self) -> Ledger:
        return Ledger(self.client(self.person("on-call").token))

    def artifacts(self, name: str) -> dict[str, str]:
        """References of a release's artifacts; the web's is in the registry."""
        build = self.folder / f"dist-{name}"
        build.mkdir(exist_ok=True)
        (build / "index.html").write_text(name)
        repository = f"{REGISTRY}/techmate-delivery/platform"
        image = hashlib.sha256(name.encode()).hexdigest()
        return {
            "backend": f"{repository}/backend@sha256:{image}",
            "web": push(pack_files(build), f"{repository}/web", http=self.http),
        }

    # the past -------------------------------------------------------------------------------------------------------

    def prove(
        self, commit: str, *, file: str = "deploy-staging.yml", branch: str = "main", event: str = "push", **fields: Any
    ) -> Run:
        """A run that proved a commit on staging, with its artifact; `fields` say what the artifact says otherwise. Not ended yet."""
        head = commit if event == "push" else self.head("main")
        run = self.workflow(file, "Deploy to Staging", proof.JOB, commit=head, branch=branch, event=event)
        run.title = f"Deploy {commit} to staging"
        values = {
            "environment": "staging",
            "commit": commit,
            "definition": self.definition(commit),
            "artifacts": self.artifacts(commit[:12]),
            "run": str(run.id),
            "attempt": str(run.attempt),
            **fields,
        }
        self.upload(run, proof.artifact_name("staging", commit), {proof.FILE: proof.Proof(**values).written()})
        return run

    def definition(self, commit: str) -> str:
        """The digest of the definition of a commit."""
        self.update()
        shown = self.person("dev-1").git("show", f"{commit}:shipmate.yml", cwd=self.checkout)
        file = self.folder / f"definition-{commit}.yml"
        file.write_text(shown)
        return definition.read(file).digest

    def head(self, branch: str) -> str:
        git = self.github.instance.git(self.github.instance.repository(REPOSITORY))
        return str(git.refs[f"refs/heads/{branch}"])

    def proved(self, tag: str, *, branch: str = "main", author: str = "dev-2", files: Any = None) -> str:
        """A commit that is green, was proved on staging, and is tagged; its SHA."""
        commit = self.commit(f"feat: {tag}", branch=branch, author=author, files=files)
        self.check(commit, branch=branch)
        self.end(self.prove(commit, event="push" if branch == "main" else "workflow_run"), "success")
        self.tag(tag, commit)
        return commit

    def released(self, tag: str, environment: str = "production") -> str:
        """A release that is live and stable at the hosts."""
        commit = self.proved(tag)
        self.live(tag, commit, environment)
        return commit

    def live(self, tag: str, commit: str, environment: str = "production") -> None:
        """`released`, without how it came to be."""
        for component, reference in self.artifacts(commit[:12]).items():
            self.host(environment, component).put(tag, commit, reference.rpartition("@")[2])
        self.writes.seen.clear()

    def fault(self, **fields: Any) -> None:
        self.faults.add(Fault(**{"emulator": "github", **fields}))


@contextmanager
def open_shop(folder: Path) -> Iterator[Shop]:
    """A shop in a loop on a thread of its own; what is against GitHub's own description fails the test."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    clock = Clock()
    github = GitHub(folder / "github", clock)
    shop = Shop(folder, github, ScriptedRunner(github.hub, clock), clock, loop)  # type: ignore[arg-type]
    servers: list[Server] = []
    try:
        shop.run(_start(shop, servers))
        yield shop
        assert [violation.text for violation in shop.violations] == []
    finally:
        shop.run(_stop(shop, servers))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _start(shop: Shop, servers: list[Server]) -> None:
    github, registry = shop.github, Registry(shop.folder / "registry")
    app = Faulty(Checked(github.app, load_contract("github"), shop.violations), "github", shop.faults)
    for name, served in (("github", app), ("registry", registry.app), ("sites", shop.sites)):
        server = Server(served, name)
        await server.start()
        servers.append(server)
    shop.url = github.address = servers[0].url
    hosts = {
        REGISTRY: servers[1].url,
        **dict.fromkeys(("techmate.ai", "*.techmate.ai", "*.candidate.test"), servers[2].url),
    }
    shop.http = Http(overlay=Overlay(hosts=hosts, time_scale=0.0), policy=Policy(scale=0.0))
    github.attach(shop.runner)
    await github.seed.repository(REPOSITORY, files=FILES, roles=PEOPLE, author="dev-2")
    for name in ("staging", "production-deploy", "production-approval", "production-break-glass"):
        github.seed.environment(REPOSITORY, name, branches=("main",))
    for pattern in ("main", "release/*"):
        github.seed.branch_ruleset(REPOSITORY, (pattern,), checks=("ci",), reviews=1)
    github.seed.protect_tags(REPOSITORY, ("v*",))
    for environment, dash, www in (("staging", "-staging", "staging."), ("production", "", "")):
        for component, host in (("backend", f"api{dash}.techmate.ai"), ("web", f"{www}techmate.ai")):
            made = MemoryHost(url=f"https://{host}", gradual=component == "backend", writes=shop.writes)
            shop.sites.hosts[environment, component] = made


async def _stop(shop: Shop, servers: list[Server]) -> None:
    for server in reversed(servers):
        await server.stop()
    await shop.github.stop()
    # Exits of processes arrive from watcher threads; let the loop see them before it closes.
    await asyncio.get_running_loop().shutdown_default_executor()
