"""What a promise, a profile of load and an environment's limit may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import ManifestError
from pipelines.manifest import load, parse
from tests.pipelines.manifest.test_manifest_reading import GOOD
from tests.shop_files import MANIFEST

ROOT = Path(__file__).parents[3]


def section(targets: str = "", profiles: str = "") -> str:
    return f"{GOOD}performance:\n  targets: {{{targets}}}\n  profiles: {{{profiles}}}\n"


def problems(text: str) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        parse(text)
    return [line.partition(": ")[2] for line in caught.value.what.splitlines()]


def test_this_platform_promises_what_its_description_says() -> None:
    manifest = load(ROOT / "shipmate.yml")
    promised = {target.of: target.p95_ms for target in manifest.performance.targets.values()}
    assert promised == {"response": 500, "page-load": 2000, "mobile-start": 3000, "database": 100}
    assert set(manifest.performance.profiles) == {"brief", "smoke", "average", "stress", "spike", "soak"}
    limit = manifest.environments["staging"].load
    assert limit is not None
    assert all(
        (profile.most_per_second <= limit.visits_per_second, profile.seconds <= limit.seconds) == (True, True)
        for profile in manifest.performance.profiles.values()
    )
    assert manifest.environments["production"].load is None, "nobody loads production by a mere command"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("a: {of: response, component: api, p95_ms: 500}", "a/component: there is no component 'api'"),
        ("a: {of: response, component: backend, p95_ms: 0}", "a/p95_ms: 0 must be a number above 0"),
        ("a: {of: database, component: backend, p95_ms: .nan}", "a/p95_ms: nan must be a number above 0"),
    ],
)
def test_a_promise_that_cannot_be_kept(target: str, message: str) -> None:
    assert problems(section(targets=target)) == [f"performance/targets/{message}"]


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ("{seconds: 0}", "seconds: 0 must be a number above 0"),
        ("{seconds: 60, per_second: .inf}", "per_second: inf must be a number above 0"),
        ("{seconds: 60, arrivals: replay}", "recorded: is used with `arrivals: replay` alone"),
        ("{seconds: 60, recorded: [1]}", "recorded: is used with `arrivals: replay` alone"),
        (
            "{seconds: 60, arrivals: replay, recorded: [0, 0]}",
            "recorded: must be numbers, 0 or more, and one above 0",
        ),
    ],
)
def test_a_profile_that_cannot_be_run(profile: str, message: str) -> None:
    assert problems(section(profiles=f"p: {profile}")) == [f"performance/profiles/p/{message}"]


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("visits_per_second: 0", "visits_per_second: 0 must be a number above 0"),
        (
            "visits_per_second: 1, stop_at_errors: 0",
            "stop_at_errors: must be above 0 and at most 100: it is a share in per cent",
        ),
    ],
)
def test_a_limit_that_is_none(limit: str, message: str) -> None:
    text = GOOD.replace("  production:\n", f"  production:\n    load: {{{limit}}}\n")
    assert problems(text) == [f"environments/production/load/{message}"]


@pytest.mark.parametrize(
    ("profile", "most"),
    [
        ("{seconds: 9, per_second: 4}", 4),
        ("{seconds: 9, arrivals: ramp, from_per_second: 7, per_second: 4}", 7),
        ("{seconds: 9, arrivals: spike, from_per_second: 2, per_second: 4}", 4),
        ("{seconds: 9, arrivals: replay, per_second: 9, recorded: [1, 5, 2]}", 5),
    ],
)
def test_the_highest_rate_of_a_profile(profile: str, most: float) -> None:
    assert parse(section(profiles=f"p: {profile}")).performance.profiles["p"].most_per_second == most


@pytest.mark.parametrize(
    ("journey", "message"),
    [
        (
            "{component: backend, weight: -1, requests: [{path: /}]}",
            "weight: -1 must be a number, 0 or more",
        ),
        (
            "{component: backend, requests: [{path: /, think_seconds: 301}]}",
            "requests/0/think_seconds: 301 must be from 0 to 300",
        ),
    ],
)
def test_how_often_and_how_slowly_users_do_a_journey(journey: str, message: str) -> None:
    assert problems(f"{GOOD}journeys: {{j: {journey}}}\n") == [f"journeys/j/{message}"]


STARTS = "mobile start: {of: mobile-start, component: backend, p95_ms: 3000}"


def with_starts(starts: str, targets: str = STARTS) -> str:
    return f"{section(targets=targets)}  app_starts: {starts}\n"


def test_where_apps_report_their_starts() -> None:
    starts = parse(with_starts("{organization: techmate, project: mobile}")).performance.app_starts
    assert starts is not None
    assert (starts.provider, starts.url, starts.environment, starts.days) == (
        "sentry",
        "https://sentry.io",
        "production",
        14,
    )
    assert parse(GOOD).performance.app_starts is None, "then they are not measured"
    own = "{url: 'https://sentry.acme.example:8443/', organization: acme, project: '12', environment: live, days: 30}"
    assert parse(with_starts(own)).performance.app_starts is not None


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("url: 'http://sentry.io'", "/url: 'http://sentry.io' must be https:// and a host, as in https://de.sentry.io"),
        (
            "url: 'https://sentry.io/api'",
            "/url: 'https://sentry.io/api' must be https:// and a host, as in https://de.sentry.io",
        ),
        ("url: sentry.io", "/url: 'sentry.io' must be https:// and a host, as in https://de.sentry.io"),
        (
            "organization: TechMate",
            "/organization: 'TechMate' must be as in its address: small letters, digits, - and _",
        ),
        ("project: ../other", "/project: '../other' must be as in its address: small letters, digits, - and _"),
        ("environment: ''", "/environment: must not be empty"),
        ("days: 0", "/days: 0 must be 1 to 90: nothing is kept for longer"),
        ("days: 91", "/days: 91 must be 1 to 90: nothing is kept for longer"),
        ("provider: datadog", "/provider: must be one of 'sentry', is 'datadog'"),
    ],
)
def test_reports_of_starts_that_cannot_be_found(more: str, message: str) -> None:
    given = {"organization": "techmate", "project": "mobile", **dict([more.split(": ", 1)])}
    text = ", ".join(f"{key}: {value}" for key, value in given.items())
    assert problems(with_starts(f"{{{text}}}")) == [f"performance/app_starts{message}"]


def test_reports_of_starts_that_nothing_is_promised_of() -> None:
    text = with_starts("{organization: techmate, project: mobile}", targets="")
    assert problems(text) == [
        "performance/app_starts: no target is about them: add one with `of: mobile-start`, or take this out"
    ]


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ("targets_required: hourly", "there is no profile 'hourly' (one of: smoke)"),
        ("targets_required: true", "there is no profile 'true'"),
    ],
)
def test_the_gate_asks_a_profile_that_there_is(gate: str, message: str) -> None:
    text = MANIFEST.replace("    proved_by: staging\n", f"    proved_by: staging\n    {gate}\n")
    text += "\nperformance:\n  profiles:\n    smoke: {per_second: 3, seconds: 120}\n"
    with pytest.raises(ManifestError) as caught:
        parse(text)
    assert "environments/production/targets_required" in caught.value.what
    assert message in caught.value.what
