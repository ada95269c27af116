"""What users do, as the manifest declares it: requests one after the other, made as a user makes them and held against what must come.

A visit is made once and never tried again: what it found is to be counted. `report` makes one for each journey, as a check.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote
from uuid import uuid4

from pipelines.checks import rate_limit, smoke
from pipelines.checks.report import Report, Result
from pipelines.errors import InputError
from pipelines.http import Http
from pipelines.manifest.journeys import NAMES, VISIT
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
class _Course:
    """A visit under way."""

    session: requests.Session
    address: str
    headers: Mapping[str, str]
    values: dict[str, str]
    asked: list[Asked] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    limited: str = ""
    retry_after: float = 0.0

    def wants(self, request: JourneyRequest) -> bool:
        """After a failure only what removes something, and only what is known to have been made."""
        if not self.problems and not self.limited:
            return True
        return request.always and _names(request) <= set(self.values)

    def make(self, request: JourneyRequest) -> None:
        import requests
        from urllib3.exceptions import HTTPError

        shown = f"{request.method} {request.path}"
        filled = _filled(request, self.values)
        started = time.perf_counter()
        try:
            answer, body = self._sent(filled)
        except (requests.RequestException, HTTPError) as error:
            self.asked.append(Asked(request=shown, status=None, ms=_since(started)))
            self.problems.append(f"{shown}: no answer: {smoke.plain(error)}")
            return
        ms = _since(started)
        self.asked.append(Asked(request=shown, status=answer.status_code, ms=ms))
        if answer.status_code == rate_limit.STATUS != request.status:
            self.limited, self.retry_after = f"{shown}: answered 429", rate_limit.wait_asked(answer.headers)
            return
        missing = self._take(request, body)
        found = smoke.judge(filled, answer.status_code, answer.headers, body, ms)
        if answer.status_code == request.status:
            found += [problem for problem in missing if problem not in found]
        if found:
            self.problems.append(f"{shown}: {'; '.join(found)}")

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

    def _take(self, request: JourneyRequest, body: str) -> list[str]:
        """Keep what later requests need; what is not there is a problem."""
        problems = []
        for name, key in request.save.items():
            value, problem = smoke.json_value(body, key)
            self.values.update({} if value is None else {name: value})
            problems += [problem] if problem else []
        for name, pattern in request.find.items():
            match = re.search(pattern, body)
            if match and match.group(1):
                self.values[name] = match.group(1)
            else:
                problems.append(f"has nothing that matches {pattern}")
        return list(dict.fromkeys(problems))

    def result(self) -> Visit:
        return Visit(
            requests=tuple(self.asked),
            reason="; then ".join(self.problems) or self.limited,
            failed=bool(self.problems),
            limited=bool(self.limited) and not self.problems,
            retry_after=self.retry_after,
        )


def visit(journey: Journey, address: str, http: Http, *, headers: Mapping[str, str] | None = None) -> Visit:
    """Do what a user does, once, on a connection of its own and without anybody's cookies. No failure raises: it is what is looked for.

    `headers` go with every request (a protection bypass, the probe's identity) and stand in no result.
    """
    with http.new_session() as session:
        course = _Course(session=session, address=address, headers=headers or {}, values={VISIT: uuid4().hex})
        for request in journey.requests:
            if course.wants(request):
                course.make(request)
        return course.result()


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


def _names(request: JourneyRequest) -> set[str]:
    """What a request needs to be known before it."""
    texts = (request.path, request.body, *request.headers.values(), *request.contains, *request.json.values())
    return {name for text in texts for name in NAMES.findall(text)}


def _filled(request: JourneyRequest, values: Mapping[str, str]) -> JourneyRequest:
    from dataclasses import replace

    def fill(text: str) -> str:
        return NAMES.sub(lambda match: values[match.group(1)], text)

    # What an answer said becomes part of a path, and nothing else: no query, no other host.
    path = NAMES.sub(lambda match: quote(values[match.group(1)], safe="/"), request.path)
    return replace(
        request,
        path=path,
        body=fill(request.body),
        headers={name: fill(value) for name, value in request.headers.items()},
        contains=tuple(fill(text) for text in request.contains),
        json={key: fill(value) for key, value in request.json.items()},
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
    return body.decode(_charset(answer), errors="replace")


def _charset(answer: requests.Response) -> str:
    """As its header says, else UTF-8: guessing from the bytes would take longer than the request."""
    import codecs

    from requests.utils import get_encoding_from_headers

    said = get_encoding_from_headers(answer.headers) if "charset" in answer.headers.get("Content-Type", "") else None
    try:
        return codecs.lookup(said or "utf-8").name
    except LookupError:
        return "utf-8"


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
