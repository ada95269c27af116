"""The identity of our probes, from a Secret Manager, and a component's checks that carry it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipelines.delivery.context import Context
from pipelines.delivery.probes import HEADER, probe_headers
from pipelines.delivery.steps.smoke import observe, observe_environment, require_passed
from pipelines.errors import CheckFailed
from pipelines.faults import Policy
from pipelines.http import Http
from pipelines.manifest import parse
from pipelines.overlay import Overlay
from pipelines.providers import Credentials
from pipelines.runtime import Runtime
from rehearsal.emulators.secret_manager.app import SecretManager
from rehearsal.serving import running
from tests.memory_hosts import MemoryHost, Writes
from tests.shop_files import MANIFEST

SECRET = "      probe_secret: probe-token@1\n"
WITH_SECRET = MANIFEST.replace("      service: api\n", f"      service: api\n{SECRET}")
JOURNEYS = """journeys:
  see what there is: {component: backend, requests: [{path: /things, contains: [thing]}]}
  open the page: {component: web, requests: [{path: /things}]}
"""
TOKEN = "a-token-of-a-test"


@dataclass
class World:
    """A Secret Manager, and a platform that keeps what it is asked."""

    secrets: SecretManager = field(default_factory=SecretManager)
    log: io.StringIO = field(default_factory=io.StringIO)
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    limits: bool = False
    things: bool = True
    http: Http = field(default_factory=Http)

    async def answer(self, request: Request) -> Response:
        self.seen.append((request.headers["host"], request.url.path, dict(request.headers)))
        if self.limits and HEADER not in request.headers and request.url.path != "/health":
            return JSONResponse({}, 429)
        if request.url.path == "/things":
            return JSONResponse(["thing"] if self.things else [])
        return JSONResponse({"release": "v1"})

    def context(self, manifest: str = WITH_SECRET) -> Context:
        runtime = Runtime(environ={"GOOGLE_OAUTH_ACCESS_TOKEN": "token", "GITHUB_ACTIONS": "true"}, stream=self.log)
        hosts = {
            name: MemoryHost(url=f"https://{host}", gradual=False, writes=Writes())
            for name, host in (("backend", "api-staging.techmate.ai"), ("web", "staging.techmate.ai"))
        }
        for host in hosts.values():
            host.put("v1", "c" * 40, "sha256:x")
        return Context(
            manifest=parse(manifest),
            environment="staging",
            runtime=runtime,
            http=self.http,
            credentials=Credentials(http=self.http, runtime=runtime),
            host_of=hosts.__getitem__,
        )

    def sent(self, host: str) -> set[str | None]:
        """The identities that requests to a host carried."""
        return {headers.get(HEADER.lower()) for name, _, headers in self.seen if name == host}


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    made.secrets.secrets.put("techmate-staging", "probe-token", f"{TOKEN}\n".encode())
    asked = Route("/{path:path}", made.answer)
    with running(made.secrets.app) as keeper, running(Starlette(routes=[asked])) as site:
        hosts = {**dict.fromkeys(made.secrets.hosts, keeper.url), "*.techmate.ai": site.url}
        made.http = Http(overlay=Overlay(hosts=hosts, time_scale=0.0), policy=Policy(scale=0.0))
        yield made


def test_the_identity_is_a_secret_that_is_read_once_and_masked(world: World) -> None:
    context = world.context()
    assert probe_headers(context, "backend") == {HEADER: TOKEN}
    world.secrets.secrets.put("techmate-staging", "probe-token", b"another")
    assert probe_headers(context, "backend") == {HEADER: TOKEN}
    assert world.log.getvalue().splitlines().count(f"::add-mask::{TOKEN}") == 1
    assert TOKEN not in repr(context)


def test_a_component_without_one_sends_none(world: World) -> None:
    assert probe_headers(world.context(), "web") == {}
    assert probe_headers(world.context(MANIFEST), "backend") == {}
    assert world.log.getvalue() == ""


def test_without_secret_manager_checks_go_as_anybodys_with_a_warning(world: World) -> None:
    context = world.context(WITH_SECRET.replace("probe-token@1", "lost@1"))
    assert probe_headers(context, "backend") == {}
    assert probe_headers(context, "backend") == {}
    (warning,) = [line for line in world.log.getvalue().splitlines() if line.startswith("::warning")]
    assert "checks of backend go without an identity" in warning
    assert "gcloud secrets versions add lost" in warning


def test_every_request_to_the_component_carries_it_and_none_to_another(world: World) -> None:
    report = observe_environment(world.context(WITH_SECRET + JOURNEYS), "v1")
    assert not report.failed, report.as_text()
    assert [result.name for result in report.results[-2:]] == ["see what there is", "open the page"]
    assert world.sent("api-staging.techmate.ai") == {TOKEN}
    assert world.sent("staging.techmate.ai") == {None}
    assert TOKEN not in json.dumps(report.as_json())


def test_an_apps_rate_limit_that_knows_it_refuses_nothing(world: World) -> None:
    world.limits = True
    known = observe(world.context(WITH_SECRET + JOURNEYS), "backend", "https://api-staging.techmate.ai", "v1", "c")
    assert require_passed(known, "staging", "here").startswith("3 checks passed, slowest ")
    unknown = observe(world.context(MANIFEST + JOURNEYS), "backend", "https://api-staging.techmate.ai", "v1", "c")
    assert require_passed(unknown, "staging", "here").startswith("1 checks passed, slowest ")
    assert require_passed(unknown, "staging", "here").endswith(", 2 not answered (rate limit)")


@pytest.mark.parametrize(("journeys", "failed"), [(True, True), (False, False)])
def test_a_journey_that_fails_fails_the_component(world: World, journeys: bool, failed: bool) -> None:
    world.things = False
    context, url = world.context(WITH_SECRET + JOURNEYS), "https://api-staging.techmate.ai"
    more: dict[str, Any] = {"headers": {"x-bypass": "open"}, "journeys": journeys}
    report = observe(context, "backend", url, "v1", "c", **more)
    assert report.failed is failed
    assert {headers["x-bypass"] for _, _, headers in world.seen} == {"open"}
    if failed:
        with pytest.raises(CheckFailed, match=r"1 of 3 checks failed: see what there is .*does not contain 'thing'"):
            require_passed(report, "staging", url)
