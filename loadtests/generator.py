"""Makes the visits of one shard with Locust's users, and leaves a recording. A process of its own: Locust patches the one that imports it.

`python -m loadtests.generator` reads its plan as the first line of its input (`loadtests.plan.Plan`), says `{"ready": true}` when all its
users stand by, reads the instant at which the run begins as the second line, and says once a second how it goes. When its input
ends, so has its parent: then it stops as it does for SIGTERM, and in every case it leaves its recording.
"""

from __future__ import annotations

import gc
import json
import logging
import resource
import signal
import sys
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

# First: it patches what the rest builds upon.
from locust import FastHttpUser, task  # isort: skip

import gevent
from gevent.event import AsyncResult, Event
from gevent.fileobject import FileObject
from gevent.hub import Waiter, get_hub
from gevent.socket import SOCK_STREAM, gaierror, getaddrinfo
from gevent.timeout import Timeout
from geventhttpclient.header import Headers
from locust.contrib.fasthttp import FastRequest, FastResponse
from locust.env import Environment

from loadtests import visits
from loadtests.arrivals import share_of
from loadtests.connections import FAILED, NO_FIELDS, OWN, Fields, Line, connected, failure, trusting
from loadtests.plan import Address, Plan
from loadtests.recording import NOBODY_FREE, Recording, Sample
from loadtests.visits import Answer, Visit
from pipelines.checks.course import charset
from pipelines.manifest.model import Journey, JourneyRequest

LATE_MS = 10.0
"""An arrival that began later than this was late."""
USER_HEADER = "X-User"
"""Who a simulated user is. The API believes it beside the token of a load test alone; without one all of them are one address."""
MOST_USERS = 20_000
_REST = 60.0
"""Seconds a refused user rests at most."""
_WINDOW = 10
"""Seconds over which errors are counted that stop a run …"""
_FEWEST = 20
"""… once there were so many requests in them."""
_CLEAN_UP = 10.0
"""Seconds that visits have, above a whole answer, to remove what they made when a run stops."""
_LOOK = 0.25
"""Seconds after which a sleeping user checks whether the run stops."""
_LOOK_UP = 60.0
"""Seconds between two looks whether a host has moved."""
UNANSWERED = "no answer before the end"


class Run:
    """One shard of a run under way."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        drawn = visits.drawn(plan.profile, plan.journeys, plan.seed)
        self.visits = [drawn[i] for i in share_of(plan.profile, len(drawn), plan.shard, plan.shards, plan.seed)]
        self.users = min(
            MOST_USERS, max(1, visits.users_needed(plan.profile, plan.journeys, plan.timeout, plan.shards))
        )
        self.tls = trusting(plan.ca)
        self.found: dict[str, list[Any]] = {}
        self.look_up()
        self.recording = self._empty(0.0)
        self.stopped = Event()
        self.broken: BaseException | None = None
        self._free: deque[LoadUser] = deque()
        self._waiting: deque[Visit] = deque()
        self.busy: dict[LoadUser, Visit] = {}
        self._started = 0.0
        self._recent: deque[list[int]] = deque([[0, 0]], maxlen=_WINDOW)
        self.counts = {"due": 0, "begun": 0, "late": 0, "requests": 0, "errors": 0}

    def _empty(self, start: float) -> Recording:
        plan = self.plan
        return Recording.of_shard(
            profile=plan.profile.name,
            environment=plan.environment,
            release=plan.release,
            seed=plan.seed,
            start=start,
            seconds=plan.profile.seconds,
            shard=plan.shard,
            shards=plan.shards,
        )

    def now(self) -> float:
        """Seconds from the start of the run; below zero before it."""
        return time.monotonic() - self._started

    @property
    def stands_by(self) -> bool:
        """Whether all users wait for their first visit."""
        return len(self._free) >= self.users

    def look_up(self) -> None:
        """Find the addresses of all hosts; later also what has moved meanwhile."""
        for component, address in self.plan.addresses.items():
            host, port, _ = connected(address)
            self.found.setdefault(component, [])[:] = getaddrinfo(host, port, 0, SOCK_STREAM)

    def stop(self, why: str) -> None:
        """End before the time. What is under way removes what it made."""
        if not self.stopped.is_set():
            self.recording.stopped.add(why)
            self.stopped.set()

    def make_all(self, start: float) -> None:
        """Make all visits; returns when the last has ended. `start`: seconds since 1970."""
        self.recording = self._empty(start)
        self._started = time.monotonic() + start - time.time()
        self.recording.began_late_ms = max(0, round(self.now() * 1000))
        self.recording.expect(visit.due for visit in self.visits)
        watch = gevent.spawn(self._watch)
        for visit in self.visits:
            if not self._sleep_until(visit.due):
                break
            self._hand_out(visit)
        self._finish()
        watch.kill()

    def _sleep_until(self, moment: float) -> bool:
        """False when the run stops instead. Never too early: the hub's clock may be older than its timers take it to be."""
        while not self.stopped.is_set():
            left = moment - self.now()
            if left <= 0:
                return True
            gevent.sleep(min(left, _LOOK))
        return False

    def _hand_out(self, visit: Visit) -> None:
        self.counts["due"] += 1
        if self._free:
            user = self._free.popleft()
            # From here on, not from when it wakes: the run may end in between.
            self.busy[user] = visit
            user.take(visit)
        else:
            self._waiting.append(visit)

    def next_for(self, user: LoadUser) -> Visit:
        """The visit that `user` makes next. Users take turns, so that none is asked for more than others."""
        self.busy.pop(user, None)
        if self._waiting and not self.stopped.is_set():
            visit, nobody = self._waiting.popleft(), True
        else:
            self._free.append(user)
            visit, nobody = user.given(), False
        lag_ms = max(0.0, self.now() - visit.due) * 1000
        self.recording.arrived(visit.due, lag_ms, late=nobody)
        self.counts["begun"] += 1
        self.counts["late"] += lag_ms > LATE_MS
        self.busy[user] = visit
        return visit

    def record(self, sample: Sample) -> None:
        self.recording.add(sample)
        failed = bool(sample.error)
        self.counts["requests"] += 1
        self.counts["errors"] += failed
        newest = self._recent[-1]
        newest[0] += 1
        newest[1] += failed

    def _finish(self) -> None:
        """Let what is under way end; what does not is recorded as unanswered, and no visit that was due is left out."""
        plan = self.plan
        thinking = max((sum(visit.thinks) for visit in self.busy.values()), default=0.0)
        requests = max(len(journey.requests) for journey in plan.journeys.values())
        self._until_idle(thinking + requests * plan.timeout, stoppable=True)
        if self.busy or self._waiting:
            self.stopped.set()
            self._until_idle(plan.timeout + _CLEAN_UP, stoppable=False)
        for user in self.busy:
            if user.under_way is not None:
                due, endpoint = user.under_way
                self.record(Sample(due, endpoint, (self.now() - due) * 1000, None, UNANSWERED))
        for visit in self._waiting:
            journey = plan.journeys[visit.journey]
            name = visits.endpoint(journey, journey.requests[0])
            self.record(Sample(visit.due, name, (self.now() - visit.due) * 1000, None, NOBODY_FREE))

    def _until_idle(self, seconds: float, *, stoppable: bool) -> None:
        until = self.now() + seconds
        while (self.busy or (self._waiting and not self.stopped.is_set())) and self.now() < until and not self.broken:
            if stoppable and self.stopped.is_set():
                return
            gevent.sleep(0.05)

    def _watch(self) -> None:
        """Once a second: the CPU that this took, its progress, and whether too many requests fail."""
        gevent.sleep(max(0.0, -self.now()))
        cpu, moment, look_up_at = time.process_time(), self.now(), _LOOK_UP
        while True:
            gevent.sleep(1.0)
            now, used = self.now(), time.process_time()
            self.recording.used_cpu(now, (used - cpu) / (now - moment))
            cpu, moment = used, now
            _say({"seconds": round(now, 1), **self.counts})
            self._stop_for_errors()
            self._recent.append([0, 0])
            if now >= look_up_at:
                # One that is not found now keeps the address it had.
                with suppress(gaierror):
                    self.look_up()
                look_up_at = now + _LOOK_UP

    def _stop_for_errors(self) -> None:
        requests, errors = (sum(second[i] for second in self._recent) for i in (0, 1))
        limit = self.plan.profile.stop_errors
        if requests >= _FEWEST and errors > limit * requests:
            self.stop(f"{errors} of {requests} requests in {len(self._recent)} s failed, more than {limit:.0%}")


class LoadUser(FastHttpUser):
    """A user of Locust's who waits for a visit, makes it on connections of its own, and waits for the next."""

    abstract = True
    host = "https://named-by-the-plan.invalid"
    run_of: ClassVar[Run]
    reports_to_locust: ClassVar[bool] = False
    """Whether Locust's own statistics are kept as well."""
    _number: ClassVar[int] = 0

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        run = self._run = self.run_of
        type(self)._number += 1
        name = f"load-{run.plan.seed:x}-{run.plan.shard}-{self._number}"
        self._name = name
        self._lines: dict[str, Line] = {}
        self._inbox: Waiter = Waiter()
        self.under_way: tuple[float, str] | None = None
        self.now, self.stopping = run.now, run.stopped.is_set

    @task
    def visits(self) -> None:
        """As long as the run lasts: Locust's own loop around each visit would cost as much as a small request."""
        run = self._run
        try:
            while True:
                visit = run.next_for(self)
                limited = visits.make(run.plan.journeys[visit.journey], visit, self)
                for line in self._lines.values():
                    line.hang_up()
                self.client.cookiejar.clear()
                if limited:
                    run.busy.pop(self, None)
                    run.stopped.wait(min(limited, _REST))
        except Exception as error:
            # Locust would log it and go on; a bug of ours must not look like a slow server.
            run.broken = error
            run.stop("the generator broke")
            raise

    def take(self, visit: Visit) -> None:
        """Wake this user with a visit, as soon as the hub comes round."""
        get_hub().loop.run_callback(self._inbox.switch, visit)

    def given(self) -> Visit:
        visit: Visit = self._inbox.get()
        self._inbox.clear()
        return visit

    def wait_until(self, moment: float) -> None:
        if self._run._sleep_until(moment):
            self._run.recording.went_on(max(0.0, self.now() - moment) * 1000)

    def ask(self, journey: Journey, filled: JourneyRequest, due: float, endpoint: str) -> Answer:
        self.under_way = (due, endpoint)
        try:
            with Timeout(self._run.plan.timeout):
                return self._asked(journey.component, filled)
        except FAILED as error:
            if isinstance(error, OSError) and error.errno in OWN:
                self._run.stop(f"the generator's machine has no more connections: {error.strerror}")
            # What is left of it may hold half an answer.
            line = self._lines.pop(journey.component, None)
            if line is not None:
                line.close()
            return Answer(None, NO_FIELDS, "", failure(error))
        finally:
            self.under_way = None

    def _asked(self, component: str, filled: JourneyRequest) -> Answer:
        address = self._run.plan.addresses[component]
        path = address.path + filled.path
        cookies = self.client.cookiejar
        more = self._with_cookies(address, path) if len(cookies) else {}
        sent = self._line(component, address).ask(filled, more)
        response = FastResponse(sent)
        content = response.content or b""
        if "set-cookie" in sent.info():
            cookies.extract_cookies(response, self._request(address, path))  # type: ignore[arg-type]
        fields = Fields(sent.info())
        body = content.decode(charset(fields.get("Content-Type", "")), errors="replace")
        return Answer(response.status_code, fields, body)

    def _line(self, component: str, address: Address) -> Line:
        line = self._lines.get(component)
        if line is None:
            run = self._run
            headers = {**run.plan.headers.get(component, {}), USER_HEADER: self._name}
            line = self._lines[component] = Line(address, headers, run.tls, run.found[component])
        return line

    def _request(self, address: Address, path: str) -> FastRequest:
        return FastRequest(f"{address.scheme}://{address.host}:{address.port}{path}", headers=Headers())

    def _with_cookies(self, address: Address, path: str) -> dict[str, str]:
        request = self._request(address, path)
        self.client.cookiejar.add_cookie_header(request)
        return dict(request.headers.items())

    def record(self, sample: Sample) -> None:
        self._run.record(sample)
        if self.reports_to_locust:
            _, method, path = sample.endpoint.split(" ", 2)
            self.environment.events.request.fire(
                request_type=method,
                name=path,
                response_time=sample.ms,
                response_length=0,
                exception=RuntimeError(sample.error) if sample.error else None,
                context={},
            )


def _say(entry: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(entry) + "\n")
    sys.stdout.flush()


def _standing_by(run: Run) -> Environment:
    """The environment with all users waiting for their first visit."""
    users: type[LoadUser] = type("PlannedUser", (LoadUser,), {"abstract": False, "run_of": run})
    environment = Environment(user_classes=[users], catch_exceptions=False)
    runner = environment.create_local_runner()
    runner.start(run.users, spawn_rate=run.users, wait=False)
    while not run.stands_by and not run.broken:
        gevent.sleep(0.01)
    return environment


def _follow(lines: Any, run: Run, start: AsyncResult) -> None:
    """What the parent says: the instant of the start, then nothing until its end."""
    first = lines.readline()
    start.set(json.loads(first)["start"] if first else None)
    while lines.readline():
        pass
    run.stop("interrupted")


def main() -> int:
    """0 with a recording, whatever was found; 1 for a bug."""
    # It warns of many users at once, which only wait here; what it says of failures is recorded.
    logging.getLogger("locust").setLevel(logging.CRITICAL)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    lines = FileObject(sys.stdin.buffer, "rb", close=False)
    plan = Plan.from_json(lines.readline().decode())
    run = Run(plan)
    for each in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(each, run.stop, "interrupted")
    environment = _standing_by(run)
    # What is there by now stays, and what a request leaves is small and without cycles: to look for those after every seven hundred objects
    # took a tenth of the CPU.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
    _say({"ready": True, "users": run.users, "visits": len(run.visits)})
    start: AsyncResult = AsyncResult()
    gevent.spawn(_follow, lines, run, start)
    instant = start.get()
    run.make_all(time.time() if instant is None else instant)
    runner = environment.runner
    assert runner is not None  # noqa: S101 - made by _standing_by
    runner.quit()
    if run.broken is not None:
        raise run.broken
    file = Path(plan.file)
    fresh = file.with_suffix(".new")
    fresh.write_text(run.recording.to_json())
    fresh.replace(file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
