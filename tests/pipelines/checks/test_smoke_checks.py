"""Smoke checks against a server that answers rightly and wrongly, and their report."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from pipelines.checks import smoke
from pipelines.checks.report import Report, Result
from pipelines.errors import InputError
from pipelines.faults import Policy
from pipelines.http import Http
from pipelines.manifest.model import Smoke
from pipelines.overlay import Overlay
from rehearsal.emulators.edge.authority import issue
from rehearsal.serving import running

FACTS = {"release": "v1.2.0", "commit": "abc"}
HOST = "api.techmate.ai"


@dataclass
class Site:
    """Answers by path; what came is kept."""

    seen: list[Mapping[str, str]] = field(default_factory=list)
    flaky_until: int = 0
    origins: str = "one"
    limited: int = 0
    """How many requests are refused yet."""
    retry_after: str = "7"
    strangers_limited: bool = False

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self.answer, methods=["GET", "POST", "OPTIONS", "HEAD"])])

    async def answer(self, request: Request) -> Response:
        self.seen.append({**request.headers, ":method": request.method, ":body": (await request.body()).decode()})
        path = request.path_params["path"]
        if self.strangers_limited and request.headers.get("origin") == smoke.STRANGER:
            return PlainTextResponse("too many", 429)
        if self.limited and path != "health":
            self.limited -= 1
            return PlainTextResponse("too many", 429, headers={"Retry-After": self.retry_after})
        if path == "slow":
            await asyncio.sleep(1.0)
        if path == "moved":
            return RedirectResponse("/version")
        if path == "text":
            return PlainTextResponse("a plain page with <b>markup</b>")
        if path == "broken" or (path == "flaky" and len(self.seen) < self.flaky_until):
            return PlainTextResponse("Internal\nServer Error", 500)
        origin = request.headers.get("origin", "")
        allowed = {
            "one": "https://techmate.ai" if origin == "https://techmate.ai" else "",
            "all": "*",
            "reflect": origin,
        }
        headers = {"X-Request-ID": "0b0e", "Access-Control-Allow-Origin": allowed[self.origins]}
        body = {"release": "v1.2.0", "commit": "abc", "checks": [{"ok": True, "count": 3}]}
        return JSONResponse(body, headers={name: value for name, value in headers.items() if value})


@contextlib.contextmanager
def site(tmp_path: Path | None = None, **fields: Any) -> Iterator[tuple[Site, Http, str]]:
    """By TLS when there is a folder for the certificates."""
    made = Site(**fields)
    if tmp_path is None:
        with running(made.app()) as server:
            yield made, Http(overlay=Overlay(time_scale=0.01), policy=Policy(scale=0.01)), server.url
        return
    certificates = issue(tmp_path, (HOST,))
    with running(made.app(), certificate=certificates.leaf, key=certificates.key) as server:
        overlay = Overlay(hosts={HOST: server.url, "plain.techmate.ai": server.url}, ca=str(certificates.ca))
        yield made, Http(overlay=overlay), f"https://{HOST}"


def ask(http: Http, url: str, **check: Any) -> Result:
    made = Smoke(**{"name": "a check", "component": "backend", "path": "/version", **check})
    return smoke.run([made], {"backend": url}, FACTS, http).results[0]


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        ({}, ""),
        ({"json": {"release": "{release}", "commit": "{commit}", "checks.0.ok": "true", "checks.0.count": "3"}}, ""),
        ({"json": {"release": "v1.3.0"}}, "release is 'v1.2.0' instead of 'v1.3.0'"),
        ({"json": {"checks.1.ok": "true"}}, "has no checks.1.ok"),
        ({"path": "/text", "json": {"a": "b"}}, "is not JSON (a plain page"),
        ({"path": "/text", "contains": ("plain page",)}, ""),
        ({"path": "/text", "contains": ("{release}",)}, "does not contain 'v1.2.0'"),
        ({"path": "/broken"}, "answered 500 instead of 200 (Internal Server Error)"),
        ({"path": "/broken", "status": 500}, ""),
        ({"path": "/moved"}, "answered 307 instead of 200"),
        ({"path": "/moved", "status": 307, "answer_headers": {"location": "^/version$"}}, ""),
        ({"answer_headers": {"X-Request-ID": "[0-9a-f]{4}"}}, ""),
        ({"answer_headers": {"X-Request-ID": "[0-9a-f]{36}"}}, "header X-Request-ID is '0b0e', which does not match"),
        ({"answer_headers": {"Strict-Transport-Security": "."}}, "has no header Strict-Transport-Security"),
        ({"within_ms": 60000}, ""),
        ({"path": "/slow", "within_ms": 500}, "more than 500 ms"),
        ({"cors_origin": "https://techmate.ai"}, ""),
        ({"cors_origin": "https://other.techmate.ai"}, "allows the origin 'nobody', not https://other.techmate.ai"),
        ({"tls_days": 1}, "is not served by TLS"),
    ],
)
def test_each_expectation_is_held_against_the_answer(check: dict[str, Any], problem: str) -> None:
    with site() as (_, http, url):
        result = ask(http, url, **check)
    if problem:
        assert len(result.problems) == 1
        assert problem in result.problems[0]
    else:
        assert result.problems == ()


@pytest.mark.parametrize(
    ("origins", "says"), [("all", "answered \\* to"), ("reflect", "answered https://not-allowed.example")]
)
def test_cors_that_lets_everybody_in_is_found(origins: str, says: str) -> None:
    with site(origins=origins) as (_, http, url):
        result = ask(http, url, cors_origin="https://techmate.ai")
    assert any(re.search(says, problem) for problem in result.problems)


def test_what_is_sent_is_what_the_manifest_says() -> None:
    with site() as (made, http, url):
        checks = [
            Smoke(
                name="post",
                component="backend",
                method="POST",
                path="/x",
                body='{"release": "{release}"}',
                headers={"X-A": "b"},
            )
        ]
        headers = {"backend": {"x-bypass": "secret"}, "web": {"x-bypass": "another"}}
        report = smoke.run(checks, {"backend": url + "/"}, FACTS, http, headers=headers)
    seen = made.seen[0]
    assert (seen[":method"], seen[":body"], seen["x-a"], seen["x-bypass"]) == (
        "POST",
        '{"release": "v1.2.0"}',
        "b",
        "secret",
    )
    assert "secret" not in report.as_junit() + report.as_text() + json.dumps(report.as_json())


def test_certificates_are_checked_against_the_name(tmp_path: Path) -> None:
    with site(tmp_path) as (_, http, url):
        assert ask(http, url, tls_days=1).problems == ()
        assert "ends in" in ask(http, url, tls_days=100_000).problems[0]
        wrong = ask(http, "https://plain.techmate.ai", tls_days=1)
    assert wrong.status is None
    assert "no answer" in wrong.problems[0]


def test_nobody_there_is_a_failure_in_words() -> None:
    with running(Site().app()) as server:
        url = server.url
    result = ask(Http(overlay=Overlay()), url)
    assert (result.status, result.problems) == (None, ("no answer: connection refused",))


def test_nothing_to_check_is_a_failure() -> None:
    report = smoke.run([], {}, FACTS, Http(overlay=Overlay()))
    assert report.failed
    assert report.failures() == "there was nothing to check"
    assert parsed(report).find(".//failure") is not None


def test_a_check_without_an_address_is_named() -> None:
    with pytest.raises(InputError, match="is of 'web', which has no address"):
        smoke.plan([Smoke(name="page", component="web")], {"backend": "https://x"}, FACTS)


def test_a_wrong_answer_is_asked_once() -> None:
    with site(flaky_until=4) as (made, http, url):
        checks = [Smoke(name="flaky", component="backend", path="/flaky")]
        assert smoke.run(checks, {"backend": url}, FACTS, http).failed
        assert len(made.seen) == 1


# rate limits ------------------------------------------------------------------------------------------------------------


def limited_run(*paths: str, limited: int, retry_after: str = "7", **check: Any) -> tuple[Report, Site, list[float]]:
    """What checks of some paths find while so many requests are refused, and the waits they made."""
    waits: list[float] = []
    http = Http(overlay=Overlay(), policy=Policy(scale=0.01, sleep=waits.append))
    checks = [Smoke(name=path, component="backend", path=path, **check) for path in paths]
    with site(limited=limited, retry_after=retry_after) as (made, _, url):
        return smoke.run(checks, {"backend": url}, FACTS, http), made, waits


def test_a_rate_limit_is_waited_out_as_long_as_it_asks() -> None:
    found, made, waits = limited_run("/version", limited=2)
    assert not found.failed
    assert found.results[0].ok
    assert len(made.seen) == 3
    assert waits == pytest.approx([0.07, 0.07])


@pytest.mark.parametrize(("retry_after", "requests"), [("7", 9), ("0", 61), ("100", 1), ("soon", 61)])
def test_patience_with_a_rate_limit_has_an_end(retry_after: str, requests: int) -> None:
    found, made, _ = limited_run("/version", limited=10**6, retry_after=retry_after)
    assert len(made.seen) == requests
    assert (found.results[0].ok, found.results[0].failed, found.results[0].limited) == (False, False, True)


def test_what_a_rate_limit_refused_is_no_failure_beside_what_passed() -> None:
    found, _, _ = limited_run("/health", "/version", limited=10**6)
    assert not found.failed
    assert (found.passed, found.limited, found.failures()) == (1, 1, "")
    assert found.as_text().splitlines()[-1].startswith("2 checks, 1 passed, 1 limited, in ")
    assert "refused by a rate limit (429)" in found.as_text()
    assert "| ⏳ | /version | 429 |" in found.as_markdown()
    root = parsed(found)
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("2", "0", "1")
    assert root.find(".//skipped") is not None
    assert found.as_json()["results"][1]["limited"] is True


def test_a_rate_limit_that_refused_everything_is_a_failure() -> None:
    found, _, _ = limited_run("/version", limited=10**6)
    assert found.failed
    assert found.failures() == "nothing was checked: a rate limit (429) refused all of 1 checks"
    assert found.as_text().splitlines()[-1].startswith("1 checks, nothing was checked: that is a failure, 1 limited")
    assert parsed(found).find(".//failure") is not None


def test_a_rate_limit_does_not_hide_a_failure() -> None:
    found, _, _ = limited_run("/health", "/version", limited=10**6, status=404)
    assert found.failed
    assert found.failures().startswith("1 of 2 checks failed: /health")
    assert found.as_text().splitlines()[-1].startswith("2 checks, 1 failed, 1 limited")


def test_a_stranger_whom_a_rate_limit_refused_was_not_refused_by_cors() -> None:
    http = Http(overlay=Overlay(), policy=Policy(scale=0.0))
    with site(strangers_limited=True) as (made, _, url):
        found = ask(http, url, cors_origin="https://techmate.ai")
    assert (found.ok, found.failed, found.limited) == (False, False, True)
    assert len(made.seen) > 2, "it was waited for"


def test_a_rate_limit_that_is_expected_passes() -> None:
    found, made, _ = limited_run("/version", limited=1, status=429)
    assert not found.failed
    assert len(made.seen) == 1


def test_reports_made_at_the_same_time_are_one() -> None:
    made = Report.joined(
        [report(result(name="a")), Report(results=(result(name="b"),), seconds=3.0), Report(results=(), seconds=0.0)]
    )
    assert ([one.name for one in made.results], made.seconds, made.failed) == (["a", "b"], 3.0, False)
    assert Report.joined([]).failed


def test_a_hundred_checks_wait_for_the_slowest_only() -> None:
    checks = [
        Smoke(name=f"check {n}", component="backend", path="/slow" if n == 50 else "/version") for n in range(100)
    ]
    with site() as (made, http, url):
        started = time.monotonic()
        report = smoke.run(checks, {"backend": url}, FACTS, http)
        seconds = time.monotonic() - started
    assert not report.failed
    assert [result.name for result in report.results] == [check.name for check in checks]
    assert len(made.seen) == 100
    assert seconds < 10, "one after the other would be no slower"
    assert report.slowest_ms >= 1000


def report(*results: Result) -> Report:
    return Report(results=results, seconds=1.25)


def result(**fields: Any) -> Result:
    return Result(**{"name": "n", "component": "backend", "url": "https://x/", "status": 200, "ms": 12.3, **fields})


def parsed(made: Report) -> ElementTree.Element:
    return ElementTree.fromstring(made.as_junit().encode())  # noqa: S314 - our own XML


TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=60)


@given(TEXT, TEXT)
def test_text_from_outside_cannot_break_the_report(name: str, problem: str) -> None:
    made = report(result(name=name, problems=(problem,)), result())
    root = parsed(made)
    assert (root.get("tests"), root.get("failures")) == ("2", "1")
    rows = made.as_markdown().split("\n")
    assert len(rows) == 4
    for row in rows[2:]:
        assert row.replace("\\|", "").count("|") == 6
        assert "<" not in row
    assert json.loads(json.dumps(made.as_json()))["results"][0]["problems"] == [problem]


def test_a_report_says_which_failed_and_how_long_it_took() -> None:
    made = report(result(name="good"), result(name="bad", status=503, ms=40.0, problems=("answered 503", "took long")))
    assert made.failed
    assert made.failures() == "1 of 2 checks failed: bad (https://x/): answered 503; took long"
    assert made.slowest_ms == 40.0
    assert made.as_text().splitlines()[-1] == "2 checks, 1 failed, in 1.2 s"
    assert report(result()).failures() == ""
