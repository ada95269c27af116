"""A watch during a change: errors are seen, and silence is not success."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from starlette.types import Receive, Scope, Send

from pipelines.checks.watch import watching
from pipelines.errors import CheckFailed
from pipelines.http import Http
from pipelines.overlay import Overlay
from rehearsal.serving import cut, running


@dataclass
class Service:
    """Answers what it is told to, and counts."""

    status: int = 200
    asked: int = 0
    cuts: int = 0
    hang: bool = False

    def __post_init__(self) -> None:
        self.again = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        self.again.set()
        if self.cuts:
            self.cuts -= 1
            await cut(scope, receive)
            return
        await send({"type": "http.response.start", "status": self.status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def service() -> Iterator[tuple[Service, Http, str]]:
    made = Service()
    with running(made) as server:
        yield made, Http(overlay=Overlay()), server.url


def test_a_good_change_is_counted(service: tuple[Service, Http, str]) -> None:
    made, http, url = service
    with watching(http, url, interval=0.01) as watch:
        watch.hold(0.3)
    assert watch.errors == []
    assert watch.asked == made.asked > 3
    assert f"{watch.asked} requests watched, none failed" in watch.says()
    asked = made.asked
    made.again.clear()
    assert not made.again.wait(0.1), "it goes on asking after its end"
    assert made.asked == asked


def test_a_missing_page_is_an_answer(service: tuple[Service, Http, str]) -> None:
    made, http, url = service
    made.status = 404
    with watching(http, url, interval=0.01) as watch:
        watch.hold(0.1)
    assert watch.errors == []


@pytest.mark.parametrize("how", ["status", "cuts"])
def test_errors_end_the_watch_at_once(service: tuple[Service, Http, str], how: str) -> None:
    made, http, url = service
    with (
        pytest.raises(CheckFailed, match="requests failed while traffic moved"),
        watching(http, url, interval=0.01) as watch,
    ):
        setattr(made, how, 503 if how == "status" else 100)
        watch.hold(60)
    assert len(watch.errors) >= 2


def test_one_lost_request_is_told_and_tolerated(service: tuple[Service, Http, str]) -> None:
    made, http, url = service
    with watching(http, url, interval=0.01) as watch:
        made.cuts = 1
        watch.hold(0.2)
    assert len(watch.errors) == 1
    assert "1 failed" in watch.says()


def test_an_address_that_was_failing_before_is_no_reason_to_stop(service: tuple[Service, Http, str]) -> None:
    made, http, url = service
    made.status = 503
    with watching(http, url, interval=0.01) as watch:
        watch.hold(0.1)
    assert len(watch.errors) > 1
    assert "failed before the change already" in watch.says()


def test_a_short_watch_goes_on_until_it_has_seen_something(service: tuple[Service, Http, str]) -> None:
    _, http, url = service
    with watching(http, url, interval=0.1) as watch:
        watch.hold(0.001)
    assert watch.asked >= 2


def test_no_data_is_not_success(service: tuple[Service, Http, str], monkeypatch: pytest.MonkeyPatch) -> None:
    _, http, url = service
    monkeypatch.setattr("pipelines.checks.watch._FIRST", 0.0)
    with pytest.raises(CheckFailed, match="not one request"), watching(http, url, interval=60) as watch:
        watch.hold(0.05)


def test_nothing_is_asked_when_nothing_is_live(service: tuple[Service, Http, str]) -> None:
    made, http, url = service
    with watching(http, url, enabled=False) as watch:
        watch.hold(60)
    assert (made.asked, watch.says()) == (0, "")
