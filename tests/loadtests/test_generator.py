"""The generator against a server whose every way is known: what it asks, what it counts, how it ends.

A generator is a process that imports Locust, which takes a second of CPU: a few runs are made once, and looked at from many sides.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from benchmarks._latency_service import latency_server, seen
from loadtests import validity
from loadtests.arrivals import Profile, due_times
from loadtests.recording import NOBODY_FREE, Recording, RecordingRefused
from loadtests.report import write
from loadtests.run import Progress, run
from loadtests.verdicts import judge
from pipelines.manifest.model import Journey, JourneyRequest
from pipelines.overlay import Overlay
from rehearsal.emulators.edge.authority import issue
from rehearsal.serving import running
from tests.loadtests.items import ITEMS

ROOT = Path(__file__).parents[2]


def journey(*requests: JourneyRequest) -> Journey:
    return Journey(component="backend", requests=requests)


WAYS = {
    "items": ITEMS,
    "gzip": journey(JourneyRequest(path="/gzip", contains=("packed",))),
    "redirect": journey(JourneyRequest(path="/redirect")),
    "moved": journey(JourneyRequest(path="/redirect?declared=1", status=302)),
    "drop": journey(JourneyRequest(path="/drop")),
    "hang": journey(JourneyRequest(path="/hang")),
    "trickle": journey(JourneyRequest(path="/trickle")),
    "binary": journey(JourneyRequest(path="/binary")),
    "limited": journey(JourneyRequest(path="/limited")),
    "wrong": journey(JourneyRequest(path="/constant", contains=("something else",))),
    "cookies": journey(
        JourneyRequest(path="/cookies", json={"cookie": ""}),
        JourneyRequest(path="/cookies", json={"cookie": "session=one"}),
    ),
    "breaks out": journey(
        JourneyRequest(path="/items", find={"rest": '("items)'}),
        JourneyRequest(path="/items", headers={"X-Text": "{rest}\nX-Evil: 1"}),
    ),
}


@dataclass
class Ran:
    """A run, what its server saw, and the messages meanwhile."""

    recording: Recording
    seen: dict[str, Any]
    progress: list[Progress]

    def errors(self, endpoint: str) -> dict[str, int]:
        return dict(self.recording.total(endpoint).errors)

    def count(self, endpoint: str) -> int:
        return self.recording.total(endpoint).count


def ran(profile: Profile, journeys: dict[str, Journey], **more: Any) -> Ran:
    progress: list[Progress] = []
    with latency_server() as url:
        recording = run(
            profile,
            journeys,
            {"backend": url},
            **{"hosts": ["127.0.0.1"], "environment": "bench", "seed": 5, "progress": progress.append, **more},
        )
        return Ran(recording, seen(url), progress)


# every way an answer can be -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ways() -> Ran:
    """Two processes, for two seconds; answers may take one."""
    return ran(Profile(name="ways", rate=40, seconds=2, stop_errors=1.0), WAYS, processes=2, timeout=1.0)


def test_every_request_that_the_server_saw_is_counted_once(ways: Ran) -> None:
    """Locust loses what was under way at the end (locust#1936) and the last half second (locust#1972)."""
    answered = sum(slices.count for name in ways.recording.endpoints for slices in ways.recording.slices(name).values())
    refused = ways.errors("backend GET /items").get("unreadable answer", 0)
    assert answered == sum(ways.seen["requests"].values()) + refused


def test_the_processes_together_begin_every_visit_that_was_due(ways: Ran) -> None:
    due = due_times(Profile(name="ways", rate=40, seconds=2), 5)
    assert ways.recording.asked.total() == ways.recording.started.total() == len(due)
    assert ways.recording.lag.total + ways.recording.waited.total == len(due)
    assert ways.recording.later_lag.total == ways.recording.total().count - len(due) > 0
    assert ways.recording.held == {0, 1}
    assert not ways.recording.lost


def test_the_report_has_what_all_processes_did(ways: Ran, tmp_path: Path) -> None:
    """locust#2908: with several processes the HTML report was empty."""
    written = write(judge(ways.recording, {}), ways.recording, tmp_path)
    text, page = json.loads(written.json.read_text()), written.html.read_text()
    due = len(due_times(Profile(name="ways", rate=40, seconds=2), 5))
    assert text["run"]["visits_asked"] == text["run"]["visits_begun"] == due
    assert [name for name in ways.recording.endpoints if name.split()[-1] not in page] == []


def test_answers_that_never_come_keep_nobody_from_beginning(ways: Ran) -> None:
    """locust#1810: requests that wait for one another inflate each other's times."""
    assert ways.recording.waited.total == 0


def test_connections_are_kept_within_a_visit_and_never_beyond(ways: Ran) -> None:
    """Kept for ever they hide what it takes to connect."""
    lost = sum(ways.count(f"backend GET /{way}") for way in ("hang", "trickle"))
    visits = ways.recording.asked.total()
    # One more asked what was seen. What breaks out is refused before it is sent.
    assert visits <= ways.seen["connections"] - 1 <= visits + lost


def test_a_connection_that_closes_without_an_answer_is_asked_once(ways: Ran) -> None:
    """Below Locust a GET is sent up to twelve times then (size of the pool + 2), without a word, whatever `max_retries` says."""
    assert ways.errors("backend GET /drop") == {"connection closed": ways.seen["requests"]["GET /drop"]}


def test_redirects_are_answers(ways: Ran) -> None:
    """A client that follows them counts two requests as one (locust#1238)."""
    moved = ways.recording.total("backend GET /redirect")
    assert set(moved.statuses) == {302}
    assert 0 < moved.errors["status 302"] < moved.count == ways.seen["requests"]["GET /redirect"]
    assert ways.seen["requests"]["GET /constant"] == ways.count("backend GET /constant")


def test_what_takes_longer_than_the_time_of_an_answer_has_failed(ways: Ran) -> None:
    """Also when its bytes keep coming (locust#2408: not counted as failed)."""
    assert set(ways.errors("backend GET /hang")) == set(ways.errors("backend GET /trickle")) == {"timed out"}


def test_an_error_whose_body_is_no_text_is_an_error_like_any_other(ways: Ran) -> None:
    """locust#1447: the user broke."""
    assert set(ways.errors("backend GET /binary")) == {"status 500"}


def test_a_rate_limit_and_a_wrong_body_are_kinds_of_their_own(ways: Ran) -> None:
    assert set(ways.errors("backend GET /limited")) == {"rate limited (429)"}
    assert set(ways.errors("backend GET /constant")) == {"wrong answer"}


def test_packed_answers_are_unpacked_and_cookies_kept_for_a_visit(ways: Ran) -> None:
    assert not ways.errors("backend GET /gzip")
    assert not ways.errors("backend GET /cookies")
    assert ways.count("backend GET /cookies") >= 2


def test_what_was_filled_in_cannot_become_a_header(ways: Ran) -> None:
    assert set(ways.errors("backend GET /items")) == {"unreadable answer"}


def test_what_visits_made_is_removed_and_the_database_times_are_kept(ways: Ran) -> None:
    assert ways.seen["made"] == ways.count("backend POST /items") > 0
    assert ways.seen["items"] == 0
    assert ways.recording.total("backend POST /items").database.total == ways.seen["made"]


def test_users_take_turns(ways: Ran) -> None:
    """No user makes more than the platform allows it; a visit has three requests at most."""
    users = {name: number for name, number in ways.seen["users"].items() if name}
    assert max(users.values()) <= 3
    assert len(users) == ways.recording.asked.total()


def test_progress_is_of_all_processes(ways: Ran) -> None:
    last = ways.progress[-1]
    assert last.due == last.begun == ways.recording.asked.total()
    assert 0 < last.errors < last.requests


# a server that stalls -----------------------------------------------------------------------------------------------------


def test_a_stall_is_seen_by_everybody_who_was_due_in_it() -> None:
    """Half of every second nothing is answered. Ten users who wait for their answers would ask little in that half."""
    profile = Profile(name="stall", arrivals="constant", rate=40, seconds=3)
    stalled = ran(profile, {"stall": journey(JourneyRequest(path="/stall?every=1&for=0.5&ms=1"))})
    whole = stalled.recording.total()
    assert not whole.errors
    assert whole.count == len(due_times(profile, 5))
    assert {second: found.count for second, found in stalled.recording.slices().items()} == {0: 40, 1: 40, 2: 40}
    # Half were due in a stall, and of those four in five more than 100 ms before its end; the machine may add more.
    assert whole.times.above(100) >= 0.35 * whole.count


def test_a_visit_for_which_nobody_is_free_waits_and_is_never_dropped() -> None:
    """A refused user rests as long as the answer asks; here all of them, for longer than the run."""
    profile = Profile(name="rest", rate=60, seconds=5, stop_errors=1.0)
    rested = ran(profile, {"limited": journey(JourneyRequest(path="/limited?rest=30"))}, timeout=2.0)
    due, errors = len(due_times(profile, 5)), rested.recording.total().errors
    assert errors["rate limited (429)"] == rested.seen["requests"]["GET /limited"] == len(rested.seen["users"])
    assert errors["rate limited (429)"] == rested.recording.started.total()
    assert errors[NOBODY_FREE] > 0
    assert errors.total() == rested.recording.asked.total() == due
    assert not rested.recording.stopped


# a generator that stalls --------------------------------------------------------------------------------------------------


def test_a_generator_that_stood_still_says_how_late_its_later_requests_were() -> None:
    """Here it is stopped for half a second; garbage collection, a loop that is busy, another process do the same."""
    stopped: list[threading.Timer] = []

    def stop(_: Progress) -> None:
        if not stopped:
            child = next(each for each in psutil.Process().children() if "loadtests.generator" in each.cmdline())
            child.suspend()
            stopped.append(threading.Timer(0.5, child.resume))
            stopped[0].start()

    late = ran(Profile(name="late", rate=60, seconds=3), {"items": ITEMS}, progress=stop).recording
    assert late.later_lag.above(100) > 0
    assert late.lag.above(100) > 0
    assert any("later requests of visits" in problem for problem in validity.problems(late))


# how a run ends -----------------------------------------------------------------------------------------------------------


def test_it_stops_by_itself_when_the_platform_fails() -> None:
    failing = {"failing": journey(JourneyRequest(path="/failing?after=30"))}
    hurt = ran(Profile(name="hurt", rate=60, seconds=60), failing)
    (why,) = hurt.recording.stopped
    assert "failed, more than 20%" in why
    assert hurt.recording.total().count == hurt.seen["requests"]["GET /failing"]
    assert hurt.recording.total().count < hurt.recording.asked.total() / 2
    assert hurt.recording.total().errors["status 500"] == hurt.recording.total().count - 30


SCRIPT = """
import sys
from loadtests.arrivals import Profile
from loadtests.run import run
from tests.loadtests.items import SLOWLY

recording = run(
    Profile(name="long", rate=20, seconds=600), {"items": SLOWLY}, {"backend": sys.argv[1]}, hosts=["127.0.0.1"],
    environment="bench", progress=lambda progress: print(progress.requests, flush=True),
)
print(recording.to_json())
"""


@pytest.fixture
def under_way() -> Iterator[tuple[subprocess.Popen[str], str, psutil.Process]]:
    """A process that runs a load test of ten minutes, its server's address, and its generator; there are items by now."""
    with latency_server() as url:
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, url],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert process.stdout is not None
        process.stdout.readline()
        (generator,) = psutil.Process(process.pid).children()
        assert seen(url)["items"] > 0
        yield process, url, generator
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_a_recording_that_says_so_and_nothing_on_the_server(
    under_way: tuple[subprocess.Popen[str], str, psutil.Process], how: signal.Signals
) -> None:
    process, url, generator = under_way
    process.send_signal(how)
    output, _ = process.communicate(timeout=60)
    recording = Recording.from_json(output[output.index("{") :])
    assert recording.stopped == {"interrupted"}
    assert recording.total().count == sum(seen(url)["requests"].values()) > 0
    assert seen(url)["items"] == 0
    assert not recording.total().errors
    assert not generator.is_running()


def test_a_generator_ends_when_the_one_who_began_it_is_gone(
    under_way: tuple[subprocess.Popen[str], str, psutil.Process],
) -> None:
    """locust#1407: workers went on without their master."""
    process, url, generator = under_way
    process.kill()
    generator.wait(timeout=60)
    assert seen(url)["items"] == 0


def test_a_generator_that_dies_makes_the_run_invalid() -> None:
    """locust#1707: what is lost must neither stop the others unseen nor be left out of the counts unseen."""
    killed: list[int] = []

    def kill(_: Progress) -> None:
        if not killed:
            child = next(each for each in psutil.Process().children() if "loadtests.generator" in each.cmdline())
            killed.append(child.pid)
            child.kill()

    profile = Profile(name="short", rate=10, seconds=2)
    with latency_server() as url, pytest.raises(RecordingRefused, match="left no recording"):
        run(
            profile,
            {"items": ITEMS},
            {"backend": url},
            hosts=["127.0.0.1"],
            environment="bench",
            processes=2,
            progress=kill,
        )


def test_machines_that_share_a_run_leave_parts_of_it() -> None:
    profile = Profile(name="part", rate=20, seconds=1)
    part = ran(profile, {"items": ITEMS}, shard=1, shards=2)
    assert part.recording.held == {1}
    assert part.recording.lost == [0]
    assert 0 < part.recording.asked.total() < len(due_times(profile, 5))
    assert part.recording.total().count == 3 * part.recording.asked.total()


def test_a_machine_that_comes_late_makes_the_run_invalid() -> None:
    with pytest.raises(RecordingRefused, match="began"):
        ran(Profile(name="late", rate=5, seconds=1), {"items": ITEMS}, shard=1, shards=2, start=time.time() - 30)


# through an overlay -------------------------------------------------------------------------------------------------------


def test_a_mapped_host_is_asked_by_its_own_name_and_its_certificate_is_looked_at(tmp_path: Path) -> None:
    asked: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        asked.append(f"{request.url.scheme} {request.headers['host']} {request.headers['x-shipmate-load']}")
        await PlainTextResponse("well")(scope, receive, send)

    known, stranger = issue(tmp_path / "known", ("api.test",)), issue(tmp_path / "stranger", ("api.test",))
    journeys = {"read": journey(JourneyRequest(path="/", contains=("well",)))}
    with running(app, certificate=known.leaf, key=known.key) as server:

        def through(ca: Path) -> Recording:
            return run(
                Profile(name="tls", rate=20, seconds=1, stop_errors=1.0),
                journeys,
                {"backend": "https://api.test"},
                hosts=["api.test"],
                environment="rehearsal",
                headers={"backend": {"X-Shipmate-Load": "token"}},
                overlay=Overlay(hosts={"api.test": server.url}, ca=str(ca)),
            )

        well, ill = through(known.ca), through(stranger.ca)
    assert set(asked) == {"https api.test token"}
    assert len(asked) == well.total().count
    assert not well.total().errors
    assert set(ill.total().errors) == {"no secure connection"}
