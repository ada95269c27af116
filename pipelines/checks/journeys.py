"""What users do, as the manifest declares it: requests one after the other, made as a user makes them and held against what must come.

A visit is made once and never tried again: what it found is to be counted. `report` makes one for each journey, as a check.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from pipelines.checks import rate_limit, smoke
from pipelines.checks.course import Course, charset, shown
from pipelines.checks.report import Report, Result
from pipelines.errors import InputError
from pipelines.http import Http
from pipelines.manifest.model import Journey, JourneyRequest
from pipelines.threads import together

if TYPE_CHECKING:
    import requests

TIMEOUT = (2.0, 5.0)
"""Seconds to connect, and to wait for the next byte."""
LONGEST = 10.0
"""Seconds for a whole answer."""
LARGEST = 8 * 2**20
"""Bytes of an answer that are read."""
AT_ONCE = 32


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request of a visit. `status` is None when no answer came."""

    request: str
    """Method and path, as declared: `GET /notes/{note}`."""
    status: int | None
    ms: float


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What came of one visit: well, failed, or limited, which is neither."""

    requests: tuple[Asked, ...]
    reason: str = ""
    """Why it failed, or that it was limited, in words."""
    failed: bool = False
    limited: bool = False
    """A rate limit refused a request (429), so that the visit says nothing."""
    retry_after: float = 0.0
    """Seconds the rate limit asked to wait."""

    @property
    def ms(self) -> float:
        """Of all its requests together."""
        return sum(asked.ms for asked in self.requests)


@dataclass(kw_only=True)
class _Visitor:
    """Who makes a visit: asks for one request after the other."""

    session: requests.Session
    address: str
    headers: Mapping[str, str]
    course: Course
    asked: list[Asked] = field(default_factory=list)

    def make(self, request: JourneyRequest) -> None:
        import requests
        from urllib3.exceptions import HTTPError

        filled = self.course.filled(request)
        started = time.perf_counter()
        try:
            answer, body = self._sent(filled)
        except (requests.RequestException, HTTPError) as error:
            self.asked.append(Asked(request=shown(request), status=None, ms=_since(started)))
            self.course.unanswered(request, smoke.plain(error))
            return
        ms = _since(started)
        self.asked.append(Asked(request=shown(request), status=answer.status_code, ms=ms))
        self.course.answered(request, filled, answer.status_code, answer.headers, body, ms)

    def _sent(self, request: JourneyRequest) -> tuple[requests.Response, str]:
        answer = self.session.request(
            request.method,
            self.address.rstrip("/") + request.path,
            headers={**self.headers, **request.headers},
            data=request.body.encode() or None,
            timeout=TIMEOUT,
            allow_redirects=False,
            stream=True,
        )
        return answer, _text(answer, time.monotonic() + LONGEST)

    def result(self) -> Visit:
        course = self.course
        return Visit(
            requests=tuple(self.asked),
            reason="; then ".join(course.problems) or course.limited,
            failed=bool(course.problems),
            limited=bool(course.limited) and not course.problems,
            retry_after=course.retry_after,
        )


def visit(journey: Journey, address: str, http: Http, *, headers: Mapping[str, str] | None = None) -> Visit:
    """Do what a user does, once, on a connection of its own and without anybody's cookies. No failure raises: it is what is looked for.

    `headers` go with every request (a protection bypass, the probe's identity) and stand in no result.
    """
    with http.new_session() as session:
        course = Course(visit=uuid4().hex)
        visitor = _Visitor(session=session, address=address, headers=headers or {}, course=course)
        for request in journey.requests:
            if course.wants(request):
                visitor.make(request)
        return visitor.result()


def report(
    journeys: Mapping[str, Journey],
    urls: Mapping[str, str],
    http: Http,
    *,
    headers: Mapping[str, Mapping[str, str]] | None = None,
) -> Report:
    """One visit for each journey, at the same time; a rate limit is waited out. In the order of the manifest.

    `urls`: component -> address; `headers`: component -> what its requests carry. Raises InputError for a component without an address.
    """
    for name, journey in journeys.items():
        if not urls.get(journey.component):
            raise InputError(
                f"the journey {name!r} is of {journey.component!r}, which has no address here",
                where="journeys",
                next_step="correct `component` of the journey, or add the target",
            )
    started = time.monotonic()
    carried = headers or {}
    asks = [
        partial(_result, name, journey, urls[journey.component], http, carried.get(journey.component, {}))
        for name, journey in journeys.items()
    ]
    results = together((partial(rate_limit.waited_out, ask, http) for ask in asks), at_once=AT_ONCE)
    return Report(results=tuple(results), seconds=time.monotonic() - started)


def _result(name: str, journey: Journey, url: str, http: Http, headers: Mapping[str, str]) -> Result:
    made = visit(journey, url, http, headers=headers)
    return Result(
        name=name,
        component=journey.component,
        url=url,
        status=next((asked.status for asked in reversed(made.requests)), None),
        ms=made.ms,
        problems=(made.reason,) if made.failed else (),
        limited=made.limited,
        retry_after=made.retry_after,
    )


def _text(answer: requests.Response, until: float) -> str:
    """The whole body. Raises requests.Timeout when it trickles in, requests.RequestException when it has no end."""
    import requests

    body, raw = bytearray(), answer.raw
    while chunk := raw.read1(65536, decode_content=True):
        body += chunk
        if time.monotonic() > until:
            raise requests.Timeout(f"timed out: the answer was not whole after {LONGEST:g} s")
        if len(body) > LARGEST:
            raise requests.RequestException(f"the answer is larger than {LARGEST // 2**20} MiB")
    return body.decode(charset(answer.headers.get("Content-Type", "")), errors="replace")


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
