"""Cloud Run, Vercel and what they need, as emulators in one loop on a thread; clients reach them through an overlay."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.faults import Policy
from pipelines.http import Http
from pipelines.manifest import targets
from pipelines.overlay import Overlay
from pipelines.providers.cloud_run import CloudRunHost
from pipelines.roles import Artifact, Deployed, Identity
from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulators.cloud_run.app import CloudRun
from rehearsal.emulators.cloud_run.images import WorldRegistry
from rehearsal.emulators.cloud_run.launching import DatabaseServer
from rehearsal.emulators.cloud_run.names import ServiceName
from rehearsal.emulators.edge.app import Edge
from rehearsal.emulators.registry.app import Registry
from rehearsal.emulators.secret_manager.app import SecretManager
from rehearsal.emulators.vercel.app import Vercel
from rehearsal.faults import Fault, Faults, Faulty
from rehearsal.serving import Server
from tests.rehearsal.emulators.images_of_apps import HOST, put_server

API = ServiceName("techmate-staging", "europe-west1", "api")
VERCEL_TOKEN = "vercel-token"
BYPASS = "bypass-secret-of-the-tests"

APP = """
import http.server, json, os, signal, sys, threading
if VERSION == "ends": sys.exit("no database")
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    def do_GET(self):
        bad = VERSION == "unready" and self.path == "/health/ready"
        bad = bad or VERSION == "bad-workers" and os.environ["WORKERS"] == "on" and self.path == "/health/ready"
        body = json.dumps({k.lower(): os.environ.get(k, "") for k in ("RELEASE", "COMMIT", "WORKERS", "K_REVISION", "GREETING")}).encode()
        wrong = VERSION == "wrong" and self.path == "/things"
        self.send_response(503 if bad else 500 if wrong else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
server = Server(("127.0.0.1", int(os.environ["PORT"])), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
"""


@dataclass(kw_only=True)
class Clouds:
    """The world of one test."""

    loop: asyncio.AbstractEventLoop
    registry: Registry
    secrets: SecretManager
    run: CloudRun
    vercel: Vercel
    edge: Edge
    faults: Faults = field(default_factory=Faults)
    http: Http = field(default_factory=Http)
    asked: list[str] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    """Requests of ours and answers of the emulators that the providers' own descriptions do not allow."""

    def image(self, version: str) -> str:
        """An app called `version`; its reference by digest."""
        import json

        return put_server(self.registry.repositories, version, script=APP.replace("VERSION", json.dumps(version)))

    def fault(self, **fields: Any) -> None:
        self.faults.add(Fault(**fields))

    def answer(self, host: str, path: str = "/", **headers: str) -> Any:
        """What a user gets."""
        return self.http.session.get(f"https://{host}{path}", headers=headers, timeout=10)

    def writes(self, emulator: str) -> list[str]:
        return [line for line in self.asked if line.startswith(emulator) and " GET " not in line]


class Died(BaseException):
    """As if the process had been killed."""


class Dying(Http):
    """Ends its process right after write number `last`."""

    def __init__(self, like: Http, last: int) -> None:
        super().__init__(overlay=like.overlay, policy=like.policy)
        self._left = last

    def request(self, method: str, url: str, **options: Any) -> Any:
        answer = super().request(method, url, **options)
        if method in ("POST", "PATCH"):
            self._left -= 1
            if self._left < 0:
                raise Died
        return answer


@contextlib.contextmanager
def clouds(folder: Path, *, probes: float = 0.1, database_server: DatabaseServer | None = None) -> Iterator[Clouds]:
    """All of it, started; ended with every process. `probes`: factor on the times of Cloud Run's probes. `database_server`: where the
    sockets of Cloud SQL lead."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def do(coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(60)

    world, servers = do(_made(folder, loop, probes, database_server))
    try:
        yield world
        assert [violation.text for violation in world.violations] == []
    finally:
        do(_ended(world, servers))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _made(
    folder: Path, loop: asyncio.AbstractEventLoop, probes: float, database_server: DatabaseServer | None
) -> tuple[Clouds, list[Server]]:
    registry, secrets = Registry(folder / "registry"), SecretManager()
    run = CloudRun(
        folder / "run",
        WorldRegistry(registry.repositories, (HOST,)),
        read_secret=secrets.read,
        time_scale=probes,
        retire_after=0.2,
        pause=0.0,
        seed=1,
        drain=1.0,
        database_server=database_server,
    )
    vercel = Vercel(tokens={VERCEL_TOKEN: "deployer"}, bypass=[BYPASS])
    edge = Edge(folder / "edge", run.front, domains={"api-staging.techmate.ai": API}, serve=vercel.serve)
    world = Clouds(loop=loop, registry=registry, secrets=secrets, run=run, vercel=vercel, edge=edge)
    servers, hosts = [], {}
    for emulator in (secrets, run, vercel):
        checked = Checked(emulator.app, load(str(emulator.contract)), world.violations)
        faulty = Faulty(checked, emulator.name, world.faults)
        server = Server(_Noting(faulty, emulator.name, world.asked), emulator.name)
        await server.start()
        servers.append(server)
        hosts |= dict.fromkeys(emulator.hosts, server.url)
    await edge.start()
    hosts |= dict.fromkeys(edge.hosts, edge.url)
    overlay = Overlay(hosts=hosts, ca=str(edge.ca_path), time_scale=0.01)
    world.http = Http(overlay=overlay, policy=Policy(scale=0.01))
    return world, servers


class _Noting:
    """Keeps what was asked, faults included."""

    def __init__(self, app: Any, name: str, asked: list[str]) -> None:
        self._app, self._name, self._asked = app, name, asked

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._asked.append(f"{self._name} {scope['method']} {scope['path']}?{scope['query_string'].decode()}")
        await self._app(scope, receive, send)


async def _ended(world: Clouds, servers: list[Server]) -> None:
    await world.edge.stop()
    for server in servers:
        await server.stop()
    await world.run.stop()


PUBLIC = "api-staging.techmate.ai"


def target(**more: Any) -> targets.CloudRun:
    values: dict[str, Any] = {
        "provider": "cloud-run",
        "project": API.project,
        "region": API.location,
        "service": API.service,
        "url": f"https://{PUBLIC}",
        "service_account": "api@techmate-staging.iam.gserviceaccount.com",
        "scaling": targets.Scaling(min=2, max=50),
        "env": {"GREETING": "hello"},
    }
    return targets.CloudRun(**{**values, **more})


def host(cloud: Clouds, **more: Any) -> CloudRunHost:
    return CloudRunHost(target(**more), cloud.http, lambda: "token")


def parts(cloud: Clouds, release: str, app: str = "") -> tuple[Artifact, Identity]:
    reference = cloud.image(app or release)
    digest = reference.partition("@")[2]
    identity = Identity(
        release=release, commit="c" * 40, digest=digest, schema="0002", run="https://github.test/run/1", attempt="1"
    )
    return Artifact(component="backend", digest=digest, reference=reference), identity


def stage(cloud: Clouds, at: CloudRunHost, release: str, app: str = "") -> Deployed:
    return at.stage(*parts(cloud, release, app))


def released(cloud: Clouds, at: CloudRunHost, release: str) -> str:
    """Stage, shift and mark as stable; the key that serves."""
    at.shift(stage(cloud, at, release).key, 100)
    main = at.live().main()
    assert main is not None
    at.mark_stable(main.key)
    return main.key
