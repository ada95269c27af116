"""Smoke checks: what the manifest declares, asked from outside, all at the same time.

Each check is one request (two with `cors_origin`), made once: an answer that is wrong is a finding. Who checks right after a change
asks all of it again (patience.py). A rate limit is waited out.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipelines.checks import rate_limit
from pipelines.checks.report import Report, Result
from pipelines.errors import InputError
from pipelines.http import Http
from pipelines.manifest.model import Request, Smoke
from pipelines.threads import together

if TYPE_CHECKING:
    import requests

AT_ONCE = 32
TIMEOUT = (5.0, 30.0)
STRANGER = "https://not-allowed.example"
"""An origin that no platform allows (RFC 2606)."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One request, ready to be sent, and the check its answer is held against (facts filled in)."""

    check: Smoke
    url: str
    headers: Mapping[str, str]
    names_release: bool = False
    """The check, as declared, asks for the release or its commit."""


def plan(
    checks: Sequence[Smoke],
    urls: Mapping[str, str],
    facts: Mapping[str, str],
    headers: Mapping[str, Mapping[str, str]] | None = None,
) -> list[Probe]:
    """The requests for some checks. `urls`: component -> address below which it is asked. `facts` fill {release} and {commit}.
    `headers`: component -> what its requests carry.

    Raises InputError for a check of a component without an address.
    """
    probes = []
    for check in checks:
        if not urls.get(check.component):
            raise InputError(
                f"the check {check.name!r} is of {check.component!r}, which has no address here",
                where="smoke",
                next_step="correct `component` of the check, or add the target",
            )
        filled = replace(
            check,
            path=_filled(check.path, facts),
            body=_filled(check.body, facts),
            contains=tuple(_filled(text, facts) for text in check.contains),
            json={key: _filled(value, facts) for key, value in check.json.items()},
        )
        sent = {**(headers or {}).get(check.component, {}), **check.headers}
        if check.cors_origin:
            sent["Origin"] = check.cors_origin
        url = urls[check.component].rstrip("/") + filled.path
        probes.append(Probe(check=filled, url=url, headers=sent, names_release=names_release(check)))
    return probes


def run(
    checks: Sequence[Smoke],
    urls: Mapping[str, str],
    facts: Mapping[str, str],
    http: Http,
    *,
    headers: Mapping[str, Mapping[str, str]] | None = None,
) -> Report:
    """Ask all of it, at most 32 at once; the report is in the order of the checks.

    `headers`: component -> what goes with every request to it (a protection bypass). Raises InputError.
    """
    probes = plan(checks, urls, facts, headers)
    started = time.monotonic()
    asks = (partial(ask, probe, http) for probe in probes)
    results = together((partial(rate_limit.waited_out, one, http) for one in asks), at_once=AT_ONCE)
    return Report(results=tuple(results), seconds=time.monotonic() - started)


def names_release(check: Smoke) -> bool:
    """Whether what must come names the release or its commit, so that a right answer is known to be the release's own."""
    wanted = (*check.contains, *check.json.values())
    return any("{release}" in text or "{commit}" in text for text in wanted)


def ask(probe: Probe, http: Http) -> Result:
    """Send one probe once."""
    import requests

    check = probe.check
    started = time.perf_counter()
    try:
        answer = _sent(probe, http, probe.headers)
    except requests.RequestException as error:
        ms = (time.perf_counter() - started) * 1000
        return _result(probe, None, ms, [f"no answer: {plain(error)}"])
    ms = (time.perf_counter() - started) * 1000
    if answer.status_code == rate_limit.STATUS != check.status:
        return _limited(probe, answer, ms)
    problems = judge(check, answer.status_code, answer.headers, answer.text, ms)
    if check.cors_origin:
        problems += _origin_problems(check.cors_origin, answer)
        try:
            other = _sent(probe, http, {**probe.headers, "Origin": STRANGER})
        except requests.RequestException as error:
            return _result(probe, answer.status_code, ms, [*problems, f"no answer to a strange origin: {plain(error)}"])
        if other.status_code == rate_limit.STATUS != check.status and not problems:
            return _limited(probe, other, ms)
        problems += _stranger_problems(other)
    if check.tls_days is not None:
        from pipelines.checks.tls import problem

        problems += problem(probe.url, check.tls_days, http.overlay)
    return _result(probe, answer.status_code, ms, problems)


def judge(check: Request, status: int, headers: Mapping[str, str], text: str, ms: float) -> list[str]:
    """What is wrong with an answer, in words. Pure; `headers` must look names up case-insensitively."""
    problems = []
    if status != check.status:
        problems.append(f"answered {status} instead of {check.status}{_excerpt(text)}")
    problems += [f"does not contain {wanted!r}" for wanted in check.contains if wanted not in text]
    problems += _json_problems(check.json, text)
    problems += _header_problems(check.answer_headers, headers)
    if check.within_ms is not None and ms > check.within_ms:
        problems.append(f"took {ms:.0f} ms, more than {check.within_ms} ms")
    return problems


def _sent(probe: Probe, http: Http, headers: Mapping[str, str]) -> requests.Response:
    # Not http.request: its retries would hide what is to be seen here.
    return http.session.request(
        probe.check.method,
        probe.url,
        headers=dict(headers),
        data=probe.check.body.encode() or None,
        timeout=TIMEOUT,
        allow_redirects=False,
    )


def _origin_problems(wanted: str, answer: requests.Response) -> list[str]:
    """The origin given is let in (Fetch standard, "CORS check") …"""
    allowed = answer.headers.get("Access-Control-Allow-Origin", "")
    return [] if allowed == wanted else [f"allows the origin {allowed or 'nobody'!r}, not {wanted}"]


def _stranger_problems(answer: requests.Response) -> list[str]:
    """… and a stranger is not."""
    let_in = answer.headers.get("Access-Control-Allow-Origin", "")
    return [f"allows any origin (it answered {let_in} to {STRANGER})"] if let_in in ("*", STRANGER) else []


def _json_problems(wanted: Mapping[str, str], text: str) -> list[str]:
    problems = []
    for key, value in wanted.items():
        found, problem = json_value(text, key)
        if problem:
            problems.append(problem)
        elif found != value:
            problems.append(f"{key} is {found!r} instead of {value!r}")
    return list(dict.fromkeys(problems))


def json_value(text: str, dotted: str) -> tuple[str | None, str]:
    """The value at `a.b.0` of a JSON text, as text, and what is wrong when there is none."""
    try:
        body: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None, f"is not JSON{_excerpt(text)}"
    for part in dotted.split("."):
        if isinstance(body, dict) and part in body:
            body = body[part]
        elif isinstance(body, list) and part.isdigit() and int(part) < len(body):
            body = body[int(part)]
        else:
            return None, f"has no {dotted}"
    return (body if isinstance(body, str) else json.dumps(body)), ""


def _header_problems(wanted: Mapping[str, str], headers: Mapping[str, str]) -> list[str]:
    import re

    problems = []
    for name, pattern in wanted.items():
        found = headers.get(name)
        if found is None:
            problems.append(f"has no header {name}")
        elif not re.search(pattern, found):
            problems.append(f"header {name} is {found!r}, which does not match {pattern}")
    return problems


def _limited(probe: Probe, answer: requests.Response, ms: float) -> Result:
    refused = _result(probe, answer.status_code, ms, [])
    return replace(refused, limited=True, retry_after=rate_limit.wait_asked(answer.headers))


def _result(probe: Probe, status: int | None, ms: float, problems: Sequence[str]) -> Result:
    parts = urlsplit(probe.url)
    shown = f"{parts.scheme}://{parts.netloc}{parts.path}"
    return Result(
        name=probe.check.name,
        component=probe.check.component,
        url=shown,
        status=status,
        ms=ms,
        problems=tuple(problems),
        names_release=probe.names_release,
    )


def _filled(text: str, facts: Mapping[str, str]) -> str:
    for name, value in facts.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _excerpt(text: str) -> str:
    short = " ".join(text.split())[:160]
    return f" ({short})" if short else ""


def plain(error: BaseException) -> str:
    """A failed connection in a few words."""
    from pipelines.faults import of_connection

    return of_connection("GET", error, sent=True).text
