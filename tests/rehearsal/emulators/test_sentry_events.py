"""What is asked of Sentry: transactions of an app, read back with a token, page by page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import sentry_sdk

from rehearsal.emulators.sentry.access import Limit
from rehearsal.emulators.sentry.app import Sentry
from rehearsal.emulators.sentry.declaration import EMULATOR
from rehearsal.serving import running
from tests.rehearsal.emulators.contexts import context, platform

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
READER = "token-that-reads"
TOKENS = {READER: ("org:read",), "token-of-releases": ("org:ci",)}
COLD = "measurements.app_start_cold"


class Client:
    def __init__(self, *, limit: Limit | None = None) -> None:
        self.sentry = Sentry(tokens=TOKENS, limit=limit, clock=NOW.timestamp)
        self.url = ""

    def send(self, payload: dict[str, Any], project: str = "mobile") -> None:
        held = self.sentry.organization.projects[project]
        body = "\n".join(json.dumps(line) for line in ({}, {"type": payload.get("type", "event")}, payload))
        url = f"{self.url}/api/{held.id}/envelope/?sentry_key={held.public_key}"
        assert requests.post(url, data=body, timeout=5).status_code == 200

    def start(self, took: float | None = 1200.0, *, minutes: float = 5, release: str = "1.0.0", **more: Any) -> None:
        self.send(start(took, minutes=minutes, release=release, **more))

    def get(self, *pairs: tuple[str, str], token: str = READER, organization: str = "techmate") -> requests.Response:
        url = f"{self.url}/api/0/organizations/{organization}/events/"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.get(url, params=pairs, headers=headers, timeout=5)

    def rows(self, query: str = "", *fields: str, **params: str) -> list[dict[str, Any]]:
        chosen = [("field", field) for field in fields or ("transaction",)]
        answer = self.get(("dataset", "spans"), ("query", query), *chosen, *params.items())
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["data"]
        return found


def start(took: float | None, *, minutes: float = 5, release: str = "1.0.0", **more: Any) -> dict[str, Any]:
    """A transaction as @sentry/react-native sends it with the first screen."""
    began = (NOW - timedelta(minutes=minutes)).timestamp()
    measured = {} if took is None else {"app_start_cold": {"value": took, "unit": "millisecond"}}
    trace = {"trace_id": "a" * 32, "span_id": f"{int(began * 1000) % 16**16:016x}", "op": "ui.load"}
    child = {"span_id": "c" * 16, "op": "app.start.cold", "start_timestamp": began, "timestamp": began + 1}
    payload = {
        "type": "transaction",
        "transaction": "Notes",
        "release": release,
        "environment": "production",
        "sdk": {"name": "sentry.javascript.react-native", "version": "8.28.0"},
        "contexts": {"trace": trace},
        "measurements": measured,
        "spans": [child],
        "start_timestamp": began,
        "timestamp": began + 2,
    }
    return payload | more


@pytest.fixture
def client() -> Iterator[Client]:
    made = Client()
    with running(made.sentry.app) as server:
        made.url = server.url
        yield made


def test_a_start_that_the_python_sdk_reports_is_read_back(client: Client) -> None:
    client.sentry.organization.clock = lambda: datetime.now(UTC).timestamp() + 5
    own = sentry_sdk.Client(
        dsn=client.sentry.dsn("mobile", client.url),
        release="com.techmate.app@1.2.0+45",
        environment="production",
        traces_sample_rate=1.0,
        default_integrations=False,
    )
    with sentry_sdk.new_scope() as scope:
        scope.set_client(own)
        # Deprecated in Python alone: the SDKs of apps go on with it.
        with sentry_sdk.start_transaction(op="ui.load", name="Notes") as transaction, pytest.deprecated_call():
            transaction.set_measurement("app_start_cold", 1234.5, "millisecond")
    own.close(timeout=5)
    [row] = client.rows(f"is_transaction:true has:{COLD}", COLD, "release", "environment", "span.op")
    assert (row[COLD], row["release"]) == (1234.5, "com.techmate.app@1.2.0+45")
    assert (row["environment"], row["span.op"], row["project.name"]) == ("production", "ui.load", "mobile")


def test_what_a_row_has_and_what_is_kept_of_it(client: Client) -> None:
    client.start(1200.0, tags={"store": "play"})
    answer = client.get(("dataset", "spans"), ("query", "is_transaction:true"), *_fields(COLD, "timestamp", "store"))
    body = answer.json()
    assert body["data"] == [
        {
            COLD: 1200.0,
            "timestamp": "2026-11-28T11:55:00+00:00",
            "store": "play",
            "id": body["data"][0]["id"],
            "project.name": "mobile",
        }
    ]
    assert (body["meta"]["fields"][COLD], body["meta"]["units"][COLD]) == ("duration", "millisecond")
    assert (body["meta"]["dataset"], body["meta"]["dataScanned"]) == ("spans", "full")


def _fields(*names: str) -> list[tuple[str, str]]:
    return [("field", name) for name in names]


def test_newer_sdks_send_the_start_as_a_transaction_of_its_own(client: Client) -> None:
    """Without a measurement: Sentry makes it of the attributes."""
    data = {"app.vitals.start.value": 900.5, "app.vitals.start.type": "cold", "app.vitals.start.prewarmed": True}
    trace = {"trace_id": "a" * 32, "span_id": "b" * 16, "op": "app.start", "data": data}
    client.start(None, transaction="App Start", contexts={"trace": trace})
    prewarmed = "tags[app.vitals.start.prewarmed,boolean]"
    [row] = client.rows(f"has:{COLD}", COLD, prewarmed)
    assert (row[COLD], row[prewarmed]) == (900.5, True)


def test_a_start_of_more_than_three_minutes_is_dropped_as_sentry_drops_it(client: Client) -> None:
    client.start(180_001.0, minutes=1)
    client.start(180_000.0, minutes=2)
    assert [row[COLD] for row in client.rows(f"has:{COLD}", COLD)] == [180_000.0]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["1.0.0", "1.1.0", "1.1.0", "web"]),
        ("release:1.1.0", ["1.1.0", "1.1.0"]),
        ('release:"1.1.0"', ["1.1.0", "1.1.0"]),
        ("!release:1.1.0", ["1.0.0", "web"]),
        ("release:1.*", ["1.0.0", "1.1.0", "1.1.0"]),
        ("release:[1.0.0, web]", ["1.0.0", "web"]),
        (f"has:{COLD}", ["1.0.0", "1.1.0"]),
        (f"!has:{COLD}", ["1.1.0", "web"]),
        (f"{COLD}:>=1200", ["1.0.0"]),
        (f"{COLD}:<1200 AND release:1.1.0", ["1.1.0"]),
        ("timestamp:>2026-11-28T11:50:00", ["1.1.0", "web"]),
        ("span.op:ui.load", ["1.0.0", "1.1.0", "1.1.0", "web"]),
        ("Notes", ["1.0.0", "1.1.0", "1.1.0"]),
        ("store:play", []),
        ("tags[store]:[play]", []),
    ],
)
def test_what_a_query_finds(client: Client, query: str, found: list[str]) -> None:
    client.start(1200, minutes=60, release="1.0.0")
    client.start(800, minutes=20, release="1.1.0")
    client.start(None, minutes=2, release="1.1.0")
    client.send(start(None, minutes=1, release="web", transaction="/"), project="web")
    rows = client.rows(f"is_transaction:true {query}", "release")
    assert sorted(row["release"] for row in rows) == found


def test_projects_environments_and_periods(client: Client) -> None:
    client.start(1, minutes=60)
    client.start(2, minutes=30, environment="preview")
    client.send(start(3, minutes=10), project="web")
    number = client.sentry.organization.projects["web"].id

    def took(**params: str) -> list[float]:
        return sorted(row[COLD] for row in client.rows("is_transaction:true", COLD, **params))

    assert took() == took(project="-1") == [1, 2, 3]
    assert took(project="web") == took(project=number) == [3]
    assert took(environment="preview") == [2]
    assert took(statsPeriod="45m") == [2, 3]
    assert took(start="2026-11-28T11:00:00", end="2026-11-28T11:40:00") == [1, 2]


def test_the_spans_of_a_transaction_and_errors_are_rows_as_well(client: Client) -> None:
    client.start(1200)
    client.send({"message": "boom", "timestamp": NOW.timestamp() - 60, "tags": [["store", "play"]]})
    assert [row["span.op"] for row in client.rows("is_transaction:false", "span.op")] == ["app.start.cold"]
    [error] = client.get(("dataset", "errors"), ("query", "boom"), *_fields("title", "level", "store")).json()["data"]
    assert (error["title"], error["level"], error["store"]) == ("boom", "error", "play")


def test_pages_follow_each_other_until_there_is_no_more(client: Client) -> None:
    for minute in range(1, 6):
        client.start(float(minute), minutes=minute)
    asked = [("dataset", "spans"), ("query", "is_transaction:true"), *_fields(COLD, "timestamp")]
    asked += [("sort", "-timestamp"), ("per_page", "2")]
    cursor, seen = "", []
    for results in ("true", "true", "false"):
        answer = client.get(*asked, *([("cursor", cursor)] if cursor else []))
        seen.append([row[COLD] for row in answer.json()["data"]])
        following = answer.links["next"]
        assert (following["results"], following["cursor"]) == (results, f"0:{2 * len(seen)}:0")
        cursor = following["cursor"]
    assert seen == [[1, 2], [3, 4], [5]]
    assert answer.links["previous"]["results"] == "true"
    query = dict(parse_qsl(urlsplit(answer.links["previous"]["url"]).query))
    assert (query["cursor"], query["sort"]) == ("0:2:1", "-timestamp")


@pytest.mark.parametrize(
    ("params", "status", "message"),
    [
        ({"field": ""}, 400, "No columns selected"),
        ({"field": "count()"}, 400, "This world gives rows, and computes nothing of them: count()"),
        ({"field": "x" * 201}, 400, f"{'x' * 201} is too long, can be a maximum of 200 characters"),
        ({"dataset": "transactions"}, 400, "dataset must be one of: errors, spans"),
        ({"dataset": ""}, 400, "dataset must be one of: errors, spans"),
        ({"per_page": "101"}, 400, "Invalid per_page value. Must be between 1 and 100."),
        ({"per_page": "many"}, 400, "Invalid per_page parameter."),
        ({"cursor": "next"}, 400, "Invalid cursor parameter."),
        ({"sort": "-timestamp"}, 400, "orderby must also be in the selected columns or groupby"),
        ({"statsPeriod": "1 day"}, 400, "Invalid statsPeriod: '1 day'"),
        ({"start": "2026-11-28"}, 400, "start and end are both required"),
        ({"start": "2026-11-28", "end": "2026-11-28"}, 400, "start must be before end"),
        ({"start": "yesterday", "end": "today"}, 400, "yesterday is not a valid ISO8601 date query"),
        ({"query": "release:"}, 400, "Parse error at 'relea' (column 1)."),
        ({"query": "a:1 OR b:2"}, 400, "This world reads conditions that must all hold"),
        ({"query": "(a:1)"}, 400, "This world reads conditions that must all hold"),
        ({"project": "unknown"}, 403, "You do not have permission to perform this action."),
        ({"environment": "unknown"}, 404, "The requested resource does not exist"),
    ],
)
def test_questions_that_are_refused(client: Client, params: dict[str, str], status: int, message: str) -> None:
    asked = {"dataset": "spans", "field": "transaction", **params}
    answer = client.get(*((key, value) for key, value in asked.items() if value))
    assert answer.status_code == status
    assert answer.json()["detail"].startswith(message), answer.text


def test_more_fields_than_a_table_has(client: Client) -> None:
    answer = client.get(("dataset", "spans"), *_fields(*(f"tag{number}" for number in range(21))))
    assert answer.json() == {"detail": "You can view up to 20 fields at a time. Please delete some and try again."}


def test_a_name_that_is_no_field_is_read_as_a_tag(client: Client) -> None:
    """As at Sentry: a misspelt name is no refusal, but null in every row."""
    client.start(1200)
    [row] = client.rows("is_transaction:true", "measurments.app_start_cold")
    assert row["measurments.app_start_cold"] is None


@pytest.mark.parametrize(
    ("token", "organization", "status", "message"),
    [
        ("", "techmate", 401, "Authentication credentials were not provided."),
        ("unknown", "techmate", 401, "Invalid token"),
        ("token-of-releases", "techmate", 403, "You do not have permission to perform this action."),
        (READER, "acme", 404, "The requested resource does not exist"),
    ],
)
def test_who_may_not_read(client: Client, token: str, organization: str, status: int, message: str) -> None:
    answer = client.get(("dataset", "spans"), ("field", "id"), token=token, organization=organization)
    assert (answer.status_code, answer.json()) == (status, {"detail": message})


def test_the_one_who_asks_too_often_is_reported_until_when() -> None:
    client = Client(limit=Limit(requests=2, seconds=10))
    with running(client.sentry.app) as server:
        client.url = server.url
        answers = [client.get(("dataset", "spans"), ("field", "id")) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["X-Sentry-Rate-Limit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert answers[2].headers["X-Sentry-Rate-Limit-Reset"] == str(int(NOW.timestamp()) + 10)
    assert answers[2].json()["detail"].endswith("Limit is 2 requests in 10 seconds")


def test_saved_starts_are_found_again(client: Client) -> None:
    client.start(1200)
    saved = json.loads(json.dumps(client.sentry.save()))
    client.sentry.reset()
    assert client.rows() == []
    client.sentry.load(saved)
    assert [row[COLD] for row in client.rows(f"has:{COLD}", COLD)] == [1200.0]


def of_world(manifest: dict[str, Any]) -> tuple[Sentry, str]:
    """As a world of a platform has it, and its token."""
    held = EMULATOR.secrets()
    built = EMULATOR.build(context(EMULATOR, Path("unused"), manifest, secrets=held))
    assert isinstance(built, Sentry)
    return built, held["SENTRY_READ_TOKEN"]


def test_the_token_of_a_persons_terminal_announces_releases_and_reads_nothing() -> None:
    reports = {"organization": "acme", "project": "app"}
    held = EMULATOR.secrets()
    given = context(EMULATOR, Path("unused"), {"mobile": {"reports": reports}}, secrets=held)
    with running(EMULATOR.build(given).app) as server:
        url = f"{server.url}/api/0/organizations/acme"
        bearer = {"Authorization": f"Bearer {held['SENTRY_AUTH_TOKEN']}"}
        values = {"version": "app@1.0.0", "projects": ["app"]}
        assert requests.post(f"{url}/releases/", json=values, headers=bearer, timeout=5).status_code == 201
        assert requests.get(f"{url}/sessions/?field=sum(session)", headers=bearer, timeout=5).status_code == 403


def test_a_world_has_the_organization_and_the_project_that_apps_report_to() -> None:
    starts = {"url": "https://errors.acme.test:8443/", "organization": "acme-apps", "project": "app"}
    service = {"api": {"provider": "cloud-run"}, "web": {"provider": "vercel"}, "branch": "main"}
    manifest = {"platform": {"repository": "acme/shop"}, "environments": {"staging": service, "production": service}}
    plain, _ = of_world(manifest)
    assert (plain.organization.slug, list(plain.organization.projects)) == ("acme", ["api"])
    assert not EMULATOR.used(platform(manifest)), "no secret is asked for"
    declared = manifest | {"performance": {"app_starts": starts}}
    assert EMULATOR.used(platform(declared))
    sentry, token = of_world(declared)
    assert (sentry.organization.slug, list(sentry.organization.projects)) == ("acme-apps", ["api", "app"])
    assert set(sentry.hosts) == {*Sentry.hosts, "errors.acme.test"}
    with running(sentry.app) as server:
        url = f"{server.url}/api/0/organizations/acme-apps/events/?dataset=spans&field=id&project=app"
        assert requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=5).json()["data"] == []
