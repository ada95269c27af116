"""Which release is served, as anybody may see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from pipelines.checks import served
from pipelines.errors import CheckFailed, InputError
from pipelines.faults import Policy
from pipelines.http import Http
from pipelines.manifest.model import Smoke
from pipelines.overlay import Overlay
from rehearsal.serving import running


@dataclass
class Site:
    """Answers by path."""

    answers: dict[str, str] = field(default_factory=dict)
    url: str = ""

    async def answer(self, request: Request) -> PlainTextResponse:
        text = self.answers.get(request.path_params["path"])
        return PlainTextResponse("gone", 404) if text is None else PlainTextResponse(text)

    def release(self, *checks: Smoke, components: tuple[str, ...] = ("backend", "web")) -> str:
        urls = {name: f"{self.url}/{name}" for name in components}
        return served.release(checks, urls, Http(overlay=Overlay()), environment="staging")


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    with running(Starlette(routes=[Route("/{path:path}", made.answer)])) as server:
        made.url = server.url
        yield made


def check(component: str, key: str = "release", **more: Any) -> Smoke:
    return Smoke(name=component, component=component, path="/version", json={key: "{release}"}, **more)


def test_all_components_that_say_it_must_say_the_same(site: Site) -> None:
    site.answers |= {"backend/version": '{"release": "v1.2.0"}', "web/version": '{"built": {"as": "v1.2.0"}}'}
    checks = (check("backend"), check("web", "built.as"), check("mobile"))
    assert site.release(*checks) == "v1.2.0", "what lives elsewhere is not asked"
    site.answers["web/version"] = '{"built": {"as": "v1.3.0"}}'
    with pytest.raises(CheckFailed, match=r"does not serve one release: backend: v1\.2\.0; web: v1\.3\.0"):
        site.release(*checks)


def test_traffic_that_is_still_moving_is_asked_again(site: Site) -> None:
    checks, urls = (check("backend"), check("web")), {name: f"{site.url}/{name}" for name in ("backend", "web")}
    site.answers |= {"backend/version": '{"release": "v2"}', "web/version": '{"release": "v1"}'}

    def arrives(seconds: float) -> None:
        site.answers["web/version"] = '{"release": "v2"}'

    http = Http(overlay=Overlay(), policy=Policy(sleep=arrives))
    assert served.release(checks, urls, http, environment="staging", patience=30) == "v2"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "answered 404: is not JSON (gone)"),
        ("{}", "answered 200: has no release"),
        ('{"release": ""}', "release is no name of a release"),
        ('{"release": "%s"}' % ("x" * 201), "release is no name of a release"),
    ],
)
def test_an_answer_that_says_none_is_no_release(site: Site, answer: str | None, message: str) -> None:
    site.answers = {} if answer is None else {"backend/version": answer}
    with pytest.raises(CheckFailed, match="backend does not say which release it is") as failed:
        site.release(check("backend"))
    assert message in failed.value.why


def test_nobody_there(site: Site) -> None:
    site.url = "http://127.0.0.1:1"
    with pytest.raises(CheckFailed) as failed:
        site.release(check("backend"))
    assert failed.value.why == "no answer: connection refused"


@pytest.mark.parametrize("json", [{}, {"release": "v1"}, {"commit": "{commit}"}])
def test_checks_that_cannot_say_it_are_no_guess(site: Site, json: dict[str, str]) -> None:
    with pytest.raises(InputError, match="nothing says which release staging serves") as refused:
        site.release(Smoke(name="x", component="backend", path="/version", json=json))
    assert "json" in refused.value.next_step
