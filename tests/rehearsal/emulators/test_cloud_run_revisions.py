"""Cloud Run: revisions are real processes; traffic moves only to what is ready."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulators.cloud_run.app import CloudRun
from rehearsal.emulators.cloud_run.fleet import NoInstance
from rehearsal.emulators.cloud_run.front import Destination
from rehearsal.emulators.cloud_run.images import WorldRegistry
from rehearsal.emulators.cloud_run.names import ServiceName
from rehearsal.emulators.registry.app import Registry
from rehearsal.emulators.secret_manager.app import SecretManager
from tests.rehearsal.emulators.images_of_apps import HOST, put_server

pytestmark = pytest.mark.world

API = ServiceName("techmate-staging", "europe-west1", "api")
LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
REVISION = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
PROBE = {"httpGet": {"path": "/ready"}, "periodSeconds": 5, "failureThreshold": 6}


class World:
    """Cloud Run with a registry and secrets, and a client for its API."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.registry = Registry(folder / "registry")
        self.secrets = SecretManager()
        settings = {"time_scale": 0.1, "retire_after": 0.05, "pause": 0.0, "seed": 1, "request_wait": 10.0}
        self.run = CloudRun(
            folder / "run",
            WorldRegistry(self.registry.repositories, (HOST,)),
            read_secret=self.secrets.read,
            **{**settings, **options},
        )
        self.violations: list[Violation] = []
        checked = Checked(self.run.app, load("run"), self.violations)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=checked), base_url="http://run.test/v2/")
        self.inside = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.run.app), base_url="http://run.test/")
        self.direct = httpx.AsyncClient(limits=httpx.Limits(max_keepalive_connections=0))

    async def close(self) -> None:
        await self.run.stop()
        for client in (self.http, self.inside, self.direct):
            await client.aclose()
        assert [violation.text for violation in self.violations] == []

    def image(self, version: str, script: str = "") -> str:
        return put_server(self.registry.repositories, version, script=script)

    async def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = await self.http.request(method, path, **options)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def done(self, operation: dict[str, Any]) -> dict[str, Any]:
        ended = await self.call("POST", f"{operation['name']}:wait", json={"timeout": "60s"})
        assert ended["done"] is True
        return ended

    async def deploy(self, body: dict[str, Any], mask: str = "") -> dict[str, Any]:
        params = {"allowMissing": "true", **({"updateMask": mask} if mask else {})}
        return await self.done(await self.call("PATCH", str(API), params=params, json=body))

    async def service(self) -> dict[str, Any]:
        return await self.call("GET", str(API))

    async def ask(self, path: str = "/", tag: str = "") -> dict[str, Any]:
        async with self.run.front.lease(Destination(API, tag)) as instance:
            answer = await self.direct.get(f"http://127.0.0.1:{instance.port}{path}")
            return dict(answer.json())

    def pids(self, revision: str) -> list[int]:
        return self.run.pids(API, revision)


def body(
    image: str, revision: str = "", traffic: list[dict[str, Any]] | None = None, **container: Any
) -> dict[str, Any]:
    template: dict[str, Any] = {"containers": [{"image": image, "startupProbe": PROBE, **container}]}
    if revision:
        template["revision"] = revision
    return {"template": template, **({"traffic": traffic} if traffic else {})}


def split(**percent: int) -> list[dict[str, Any]]:
    return [{"type": REVISION, "revision": f"api-{name}", "percent": value} for name, value in percent.items()]


def candidate(live: str, new: str) -> list[dict[str, Any]]:
    return [*split(**{live: 100}), {"type": REVISION, "revision": f"api-{new}", "tag": "cand"}]


def run_scenario(folder: Path, scenario: Callable[[World], Awaitable[None]], **options: Any) -> None:
    async def play() -> None:
        world = World(folder, **options)
        try:
            async with asyncio.timeout(60):
                await scenario(world)
        finally:
            await world.close()

    asyncio.run(play())


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for is outside this process
            await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_image_runs_with_its_own_environment_only(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        world.secrets.secrets.put("techmate-staging", "db-url", b"postgresql://one")
        world.secrets.secrets.put("techmate-staging", "db-url", b"postgresql://two")
        env = [
            {"name": "MODE", "value": "web"},
            {"name": "DATA", "value": "/app/data:/elsewhere"},
            {"name": "DB", "valueSource": {"secretKeyRef": {"secret": "db-url", "version": "1"}}},
            {"name": "DB_NEW", "valueSource": {"secretKeyRef": {"secret": "db-url", "version": "latest"}}},
        ]
        ended = await world.deploy(body(world.image("v1"), "api-one", env=env))
        assert "error" not in ended
        result = await world.ask("/")
        root = result["cwd"].removesuffix("/app")
        seen = result["env"]
        assert (seen["K_SERVICE"], seen["K_REVISION"], seen["K_CONFIGURATION"]) == ("api", "api-one", "api")
        assert (seen["DB"], seen["DB_NEW"]) == ("postgresql://one", "postgresql://two")
        assert (seen["MODE"], seen["GREETING"], seen["WORLD"]) == ("web", "hello", "w1")
        assert seen["DATA"] == f"{root}/app/data:/elsewhere"
        assert seen["PYTHONPATH"] == f"{root}/app/deps:{root}/app"
        assert result["argv"] == [f"{root}/app/main.py", f"--root={root}/app"]
        assert "VIRTUAL_ENV" not in seen
        assert "SECRET_OF_THE_WORLD" not in seen

    os.environ["SECRET_OF_THE_WORLD"] = "x"
    try:
        run_scenario(tmp_path, scenario, process_env={"WORLD": "w1"})
    finally:
        del os.environ["SECRET_OF_THE_WORLD"]


def test_no_package_of_this_machine_leaks_in(tmp_path: Path) -> None:
    script = """
import subprocess, sys, dependency
check = "import importlib.util as u; print([n for n in ('starlette', 'pip', 'yaml', 'requests') if u.find_spec(n)])"
exec(check)
subprocess.run([sys.executable, "-c", check], check=True)
subprocess.run(["python", "-c", check + "; import dependency; print(dependency.VALUE)"], check=True)
"""

    async def scenario(world: World) -> None:
        ended = await world.deploy(body(world.image("v1", script), "api-one"))
        assert ended["error"]["code"] == 9
        printed = [line.text for line in world.run.logs(API, "api-one") if line.stream == "stdout"]
        assert sorted(printed) == ["1", "[]", "[]", "[]"]  # a parent's line comes when it ends

    run_scenario(tmp_path, scenario)


def test_a_candidate_gets_no_traffic_and_answers_at_its_tag(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.deploy(body(world.image("v1"), "api-one", split(one=100)))
        await world.deploy(body(world.image("v2"), "api-two", candidate("one", "two")))
        service = await world.service()
        assert service["trafficStatuses"] == [
            {"type": REVISION, "revision": "api-one", "percent": 100},
            {"type": REVISION, "revision": "api-two", "tag": "cand", "uri": f"https://{API.host('cand')}"},
        ]
        assert service["latestReadyRevision"] == f"{API}/revisions/api-two"
        assert {(await world.ask())["version"] for _ in range(10)} == {"v1"}
        assert (await world.ask(tag="cand"))["version"] == "v2"
        assert world.run.front.find(API.host("cand")) == Destination(API, "cand")
        assert world.run.front.find(API.host("other")) is None
        assert service["urls"][0] == f"https://{API.numbered_host()}"
        assert world.run.front.find(API.numbered_host()) == Destination(API)

    run_scenario(tmp_path, scenario)


def test_traffic_is_split_by_percent_and_the_old_revision_retires_and_comes_back(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.deploy(body(world.image("v1"), "api-one", split(one=100)))
        await world.deploy(body(world.image("v2"), "api-two", candidate("one", "two")))
        await world.deploy({"traffic": split(one=70, two=30)}, "traffic")
        drawn = [(await world.ask())["version"] for _ in range(200)]
        assert 30 <= drawn.count("v2") <= 90
        (old,) = world.pids("api-one")
        await world.deploy({"traffic": split(two=100)}, "traffic")
        await until(lambda: not world.pids("api-one") and not alive(old))
        revision = await world.call("GET", f"{API}/revisions/api-one")
        active = next(c for c in revision["conditions"] if c["type"] == "Active")
        assert (active["state"], active["revisionReason"]) == ("CONDITION_FAILED", "RETIRED")
        await world.deploy({"traffic": split(one=100)}, "traffic")
        assert (await world.ask())["version"] == "v1"
        assert world.pids("api-one") != [old]

    run_scenario(tmp_path, scenario)


def test_the_oldest_revision_that_does_not_serve_is_dropped_beyond_the_most(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        world.run.services.most_revisions = 3
        image = world.image("v1")
        await world.deploy(body(image, "api-one", split(one=100)))
        for name in ("two", "three", "four", "five"):
            await world.deploy(body(image, f"api-{name}", candidate("one", name)))
        found = await world.call("GET", f"{API}/revisions")
        assert [r["name"].rpartition("/")[2] for r in found["revisions"]] == ["api-five", "api-four", "api-one"]
        assert (await world.ask())["version"] == "v1"
        await until(lambda: world.run.services.get(API).wanted() == {"api-one", "api-five"})

    run_scenario(tmp_path, scenario)


def test_a_revision_that_fails_its_startup_probe_leaves_the_traffic_alone(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.deploy(body(world.image("v1"), "api-one", split(one=100)))
        bad = world.image("v2", "print('no database'); raise SystemExit(4)")
        ended = await world.deploy(body(bad, "api-two", candidate("one", "two")))
        assert ended["error"]["code"] == 9
        assert "no database" in ended["error"]["message"]
        service = await world.service()
        assert service["terminalCondition"]["state"] == "CONDITION_FAILED"
        assert service["terminalCondition"]["revisionReason"] == "HEALTH_CHECK_CONTAINER_ERROR"
        assert (service["latestCreatedRevision"], service["latestReadyRevision"]) == (
            f"{API}/revisions/api-two",
            f"{API}/revisions/api-one",
        )
        assert service["observedGeneration"] == service["generation"] == "2"
        assert [t["revision"] for t in service["trafficStatuses"]] == ["api-one"]
        assert (await world.ask())["version"] == "v1"
        assert world.pids("api-two") == []
        again = await world.deploy({"traffic": split(two=100)}, "traffic")
        assert "no database" in again["error"]["message"]
        assert (await world.ask())["version"] == "v1"

    run_scenario(tmp_path, scenario)


@pytest.mark.parametrize(
    ("change", "reason", "message"),
    [
        ({"image": f"{HOST}/techmate-delivery/platform/none:v1"}, "CONTAINER_MISSING", "not found"),
        ({"image": "docker.io/library/python:3.11"}, "CONTAINER_MISSING", "no registry docker.io"),
        ({"command": ["/app/missing"]}, "HEALTH_CHECK_CONTAINER_ERROR", "no such file"),
        (
            {"env": [{"name": "A", "valueSource": {"secretKeyRef": {"secret": "none", "version": "1"}}}]},
            "SECRETS_ACCESS_CHECK_FAILED",
            "projects/techmate-staging/secrets/none",
        ),
        (
            {"startupProbe": {"httpGet": {"path": "/live"}, "periodSeconds": 1}, "command": ["sh", "-c", "sleep 60"]},
            "HEALTH_CHECK_CONTAINER_ERROR",
            "startup probe",
        ),
    ],
)
def test_why_a_revision_cannot_start(tmp_path: Path, change: dict[str, Any], reason: str, message: str) -> None:
    async def scenario(world: World) -> None:
        ended = await world.deploy(_changed(world, change))
        assert message in ended["error"]["message"]
        revision = await world.call("GET", f"{API}/revisions/api-one")
        ready = next(c for c in revision["conditions"] if c["type"] == "Ready")
        assert reason in (ready.get("reason"), ready.get("revisionReason"))
        with pytest.raises(NoInstance):
            await world.ask()

    run_scenario(tmp_path, scenario)


def _changed(world: World, change: dict[str, Any]) -> dict[str, Any]:
    asked = body(world.image("v1"), "api-one")
    asked["template"]["containers"][0].update(change)
    return asked


def test_a_process_that_ends_or_stops_being_alive_is_replaced(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        liveness = {"httpGet": {"path": "/live"}, "periodSeconds": 1, "failureThreshold": 1}
        await world.deploy(body(world.image("v1"), "api-one", livenessProbe=liveness))
        (first,) = world.pids("api-one")
        await world.ask("/break-live")
        await until(lambda: not alive(first))
        second = (await world.ask())["pid"]
        assert second != first
        with pytest.raises(httpx.RemoteProtocolError):
            await world.ask("/crash")
        await until(lambda: world.pids("api-one") not in ([], [second]))
        assert (await world.ask())["pid"] not in (first, second)
        remarks = [line.text for line in world.run.logs(API, "api-one") if line.stream == "varlog/system"]
        assert remarks == ["LIVENESS HTTP probe failed; the instance is restarted.", "Container called exit(3)."]

    run_scenario(tmp_path, scenario)


def test_an_instance_that_is_not_ready_gets_no_requests(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        readiness = {"httpGet": {"path": "/ready"}, "periodSeconds": 1, "failureThreshold": 1}
        scaling = {"scaling": {"minInstanceCount": 2}}
        asked = body(world.image("v1"), "api-one", readinessProbe=readiness)
        asked["template"] |= scaling
        await world.deploy(asked)
        assert len(world.pids("api-one")) == 2
        broken = (await world.ask("/break-ready"))["pid"]
        async with asyncio.timeout(10):
            while broken in {(await world.ask())["pid"] for _ in range(4)}:
                continue
        assert len(world.pids("api-one")) == 2

    run_scenario(tmp_path, scenario, max_processes_per_revision=2)


def test_requests_under_way_finish_before_a_revision_is_stopped(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.deploy(body(world.image("v1"), "api-one", split(one=100)))
        slow = asyncio.create_task(world.ask("/slow"))
        await until(lambda: any("started" in line.text for line in world.run.logs(API, "api-one")))
        await world.deploy(body(world.image("v2"), "api-two", split(two=100)))
        assert (await slow)["version"] == "v1"
        await until(lambda: not world.pids("api-one"))
        assert "ended v1" in [line.text for line in world.run.logs(API, "api-one")]

    run_scenario(tmp_path, scenario)


def test_a_loaded_world_starts_its_processes_with_the_first_request(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.deploy(body(world.image("v1"), "api-one", candidate("one", "one")))
        saved = json.loads(json.dumps(world.run.save()))
        other = World(tmp_path)
        other.registry.load(world.registry.save())
        try:
            other.run.load(saved)
            assert (await other.service())["trafficStatuses"] == (await world.service())["trafficStatuses"]
            assert other.pids("api-one") == []
            assert (await other.ask())["version"] == "v1"
        finally:
            await other.close()

    run_scenario(tmp_path, scenario)


def test_stop_leaves_no_process(tmp_path: Path) -> None:
    pids: list[int] = []

    async def scenario(world: World) -> None:
        await world.deploy(body(world.image("v1"), "api-one"))
        pids.extend(world.pids("api-one"))

    run_scenario(tmp_path, scenario)
    assert pids
    assert not any(alive(pid) for pid in pids)


def test_logs_are_readable_over_http(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.deploy(body(world.image("v1"), "api-one"))
        answer = await world.inside.get("/_inspect/revisions/api-one/logs")
        lines = answer.json()["logs"][0]["lines"]
        assert "started v1" in [line["text"] for line in lines]
        processes = (await world.inside.get("/_inspect/processes")).json()
        assert processes == {f"{API}/revisions/api-one": world.pids("api-one")}
        missing = await world.inside.get("/_inspect/revisions/none/logs")
        assert missing.status_code == 404

    run_scenario(tmp_path, scenario)


def test_a_service_deleted_while_it_starts_leaves_nothing_running(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        started = await world.call("PATCH", f"{API}?allowMissing=true", json=body(world.image("v1"), "api-one"))
        await until(lambda: bool(world.pids("api-one")))
        (pid,) = world.pids("api-one")
        await world.done(await world.call("DELETE", str(API)))
        await world.done(started)
        await until(lambda: not alive(pid))

    run_scenario(tmp_path, scenario)
