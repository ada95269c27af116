"""The edge: routing, TLS, streaming, and no lost request while revisions change."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import ASGIApp

from rehearsal.emulators.cloud_run.app import CloudRun
from rehearsal.emulators.cloud_run.front import Destination
from rehearsal.emulators.cloud_run.images import WorldRegistry
from rehearsal.emulators.cloud_run.names import ServiceName
from rehearsal.emulators.edge.app import Edge
from rehearsal.emulators.registry.app import Registry
from tests.rehearsal.emulators.images_of_apps import HOST, put_server

pytestmark = pytest.mark.world

API = ServiceName("techmate-production", "europe-west1", "api")
REVISION = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
PROBE = {"httpGet": {"path": "/ready"}, "periodSeconds": 5, "failureThreshold": 6}


class World:
    """Cloud Run behind an edge, and a client that trusts its authority and connects every host to it."""

    def __init__(self, folder: Path, serve: Callable[[str], ASGIApp | None], **options: Any) -> None:
        self.registry = Registry(folder / "registry")
        settings = {"time_scale": 0.1, "retire_after": 0.05, "pause": 0.0, "seed": 1, "request_wait": 5.0}
        self.run = CloudRun(
            folder / "run", WorldRegistry(self.registry.repositories, (HOST,)), **{**settings, **options}
        )
        self.edge = Edge(folder / "edge", self.run.front, domains={"api.techmate.ai": API}, serve=serve)
        self.api = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.run.app), base_url="http://run.test/v2/")
        self.client = httpx.AsyncClient()

    async def start(self) -> None:
        await self.edge.start()
        self.client = httpx.AsyncClient(verify=ssl.create_default_context(cafile=self.edge.ca_path), timeout=20)

    async def stop(self) -> None:
        await self.edge.stop()
        await self.run.stop()
        await self.api.aclose()
        await self.client.aclose()

    async def ask(self, host: str, path: str = "/", method: str = "GET", **options: Any) -> httpx.Response:
        headers = {"Host": host, **options.pop("headers", {})}
        return await self.client.request(
            method, f"{self.edge.url}{path}", headers=headers, extensions={"sni_hostname": host}, **options
        )

    async def deploy(self, mask: str = "", **body: Any) -> dict[str, Any]:
        params = {"allowMissing": "true", **({"updateMask": mask} if mask else {})}
        operation = (await self.api.patch(str(API), params=params, json=body)).json()
        assert "name" in operation, operation
        ended = (await self.api.post(f"{operation['name']}:wait", json={})).json()
        assert "error" not in ended, ended
        return dict(ended)

    async def release(self, version: str, traffic: list[dict[str, Any]] | None = None) -> None:
        image = put_server(self.registry.repositories, version)
        template = {"revision": f"api-{version}", "containers": [{"image": image, "startupProbe": PROBE}]}
        await self.deploy(template=template, traffic=traffic or [to(version, 100)])

    async def shift(self, *traffic: dict[str, Any]) -> None:
        await self.deploy("traffic", traffic=list(traffic))


def to(version: str, percent: int = 0, tag: str = "") -> dict[str, Any]:
    target = {"type": REVISION, "revision": f"api-{version}", "percent": percent}
    return target | ({"tag": tag} if tag else {})


def vercel(host: str) -> ASGIApp | None:
    async def ticking() -> Any:
        for number in range(3):
            yield f"{number}\n"

    if host == "stream.vercel.app":
        return StreamingResponse(ticking())
    return PlainTextResponse(f"the web at {host}") if host in ("techmate.ai", "web-abc.vercel.app") else None


def run_scenario(folder: Path, scenario: Callable[[World], Awaitable[None]], **options: Any) -> None:
    async def play() -> None:
        world = World(folder, vercel, **options)
        await world.start()
        try:
            async with asyncio.timeout(90):
                await scenario(world)
        finally:
            await world.stop()

    asyncio.run(play())


def test_hosts_lead_to_services_tags_and_deployments(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.release("v1")
        await world.release("v2", [to("v1", 100), to("v2", tag="cand")])
        assert (await world.ask("api.techmate.ai")).json()["version"] == "v1"
        assert (await world.ask(API.host())).json()["version"] == "v1"
        assert (await world.ask(API.host("cand"))).json()["version"] == "v2"
        assert (await world.ask("techmate.ai")).text == "the web at techmate.ai"
        assert (await world.ask("stream.vercel.app")).text == "0\n1\n2\n"
        unknown = await world.ask("nothing.vercel.app")
        assert (unknown.status_code, unknown.headers["x-vercel-error"]) == (404, "DEPLOYMENT_NOT_FOUND")
        nothing = await world.ask("other---api-xxxxxxxxxx-ew.a.run.app")
        assert (nothing.status_code, "Page not found" in nothing.text) == (404, True)

    run_scenario(tmp_path, scenario)


def test_what_an_instance_sees_of_a_request(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.release("v1")
        answer = await world.ask(
            "api.techmate.ai", "/a%20b?x=1&y=%2F", headers={"X-Forwarded-For": "203.0.113.7", "Connection": "close"}
        )
        document = answer.json()
        assert document["path"] == "/a%20b?x=1&y=%2F"
        headers = document["headers"]
        assert headers["host"] == "api.techmate.ai"
        assert headers["x-forwarded-for"] == "203.0.113.7,127.0.0.1"
        assert headers["x-forwarded-proto"] == "https"
        assert "connection" not in headers
        assert "/" in headers["x-cloud-trace-context"]
        assert answer.headers["server"] == "Google Frontend"
        assert len(answer.headers.get_list("date")) == 1

    run_scenario(tmp_path, scenario)


def test_bodies_of_any_size_and_form_pass(tmp_path: Path) -> None:
    async def pieces() -> Any:
        for _ in range(50):
            yield b"x" * 10_000

    async def scenario(world: World) -> None:
        await world.release("v1")
        for content, size in ((b"", 0), (b"abc", 3), (b"y" * 3_000_000, 3_000_000), (pieces(), 500_000)):
            answer = await world.ask("api.techmate.ai", method="POST", content=content)
            assert answer.json()["received"] == size
        assert (await world.ask("api.techmate.ai", method="HEAD")).headers["content-type"] == "application/json"

    run_scenario(tmp_path, scenario)


def test_certificates_are_checked_and_the_key_can_be_pinned(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await world.ask("elsewhere.test")
        async with httpx.AsyncClient() as distrusting:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await distrusting.get(world.edge.url)
        leaf = x509.load_pem_x509_certificate((tmp_path / "edge" / "edge.pem").read_bytes())
        key = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        assert world.edge.leaf_spki == base64.b64encode(hashlib.sha256(key).digest()).decode()
        assert (tmp_path / "edge" / "edge.key").stat().st_mode & 0o077 == 0

    run_scenario(tmp_path, scenario)


def test_plain_http_is_sent_to_https(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        url = f"http://127.0.0.1:{world.edge.http_port}/a%20b?x=1"
        answer = await world.client.post(url, headers={"Host": "techmate.ai"}, content=b"x")
        assert (answer.status_code, answer.headers["location"]) == (308, "https://techmate.ai/a%20b?x=1")

    run_scenario(tmp_path, scenario)


def test_no_instance_and_a_crash_are_503(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        assert (await world.ask("api.techmate.ai")).status_code == 503
        await world.release("v1")
        crashed = await world.ask("api.techmate.ai", "/crash")
        assert (crashed.status_code, "without an answer" in crashed.headers["x-rehearsal-reason"]) == (503, True)
        assert (await world.ask("api.techmate.ai")).json()["version"] == "v1"

    run_scenario(tmp_path, scenario)


def test_an_answer_that_breaks_off_is_not_taken_for_a_whole_one(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.release("v1")
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await world.ask("api.techmate.ai", "/half")
        assert (await world.ask("api.techmate.ai")).json()["version"] == "v1"

    run_scenario(tmp_path, scenario)


def test_a_client_that_leaves_frees_the_instance(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.release("v1")
        request = world.client.build_request(
            "GET",
            f"{world.edge.url}/endless",
            headers={"Host": "api.techmate.ai"},
            extensions={"sni_hostname": API.host()},
        )
        answer = await world.client.send(request, stream=True)
        assert b"piece" in await anext(answer.aiter_raw())
        async with world.run.front.lease(Destination(API)) as instance:
            assert instance.in_flight == 2
            await answer.aclose()
            async with asyncio.timeout(5):
                while instance.in_flight > 1:  # noqa: ASYNC110 - the counter is no event
                    await asyncio.sleep(0.01)

    run_scenario(tmp_path, scenario)


class Hammer:
    """Clients that never stop asking."""

    def __init__(self, world: World, clients: int) -> None:
        self._world = world
        self._going = True
        self.seen: Counter[str] = Counter()
        self._tasks = [asyncio.create_task(self._ask(number)) for number in range(clients)]

    async def stop(self) -> None:
        self._going = False
        await asyncio.gather(*self._tasks)

    async def versions(self, *wanted: str) -> None:
        """Wait until each of `wanted` has answered ten times from now on."""
        async with asyncio.timeout(20):
            self.seen.clear()
            while any(self.seen[version] < 10 for version in wanted):  # noqa: ASYNC110 - the counter is no event
                await asyncio.sleep(0.01)

    async def _ask(self, number: int) -> None:
        method = "POST" if number % 2 else "GET"
        while self._going:
            answer = await self._world.ask("api.techmate.ai", method=method)
            self.seen[answer.json()["version"] if answer.status_code == 200 else f"status {answer.status_code}"] += 1
            assert answer.status_code == 200, answer.headers
            self.asked += 1

    asked = 0


def test_a_client_that_never_stops_asking_sees_no_failure(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.release("v1")
        hammer = Hammer(world, clients=4)
        await hammer.versions("v1")
        for number in (2, 3, 4):
            old, new = f"v{number - 1}", f"v{number}"
            await world.release(new, [to(old, 100), to(new, tag="cand")])
            await world.shift(to(old, 50), to(new, 50, tag="cand"))
            await hammer.versions(old, new)
            await world.shift(to(new, 100))
            await hammer.versions(new)
            await world.shift(to(old, 100))  # back, mostly to a revision that has been stopped
            await hammer.versions(old)
            await world.shift(to(new, 100))
        await hammer.stop()
        assert hammer.asked > 100
        assert not [seen for seen in hammer.seen if seen.startswith("status")]

    run_scenario(tmp_path, scenario)
