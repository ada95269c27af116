from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest

from rehearsal.emulators.app_store.access import public_part
from rehearsal.emulators.app_store.declaration import EMULATOR
from tests.rehearsal.emulators.app_store_client import APP, ISSUER, KEY, Client, app_store_client


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Client]:
    with app_store_client(tmp_path) as client:
        yield client


OTHER_KEY = EMULATOR.secrets()["APP_STORE_KEY"]


@pytest.mark.parametrize(
    "made",
    [
        {"pem": OTHER_KEY},
        {"headers": {"kid": "AAAAAAAAAA"}},
        {"headers": {}},
        {"iss": "57246542-96fe-1a63-e053-0824d011072a"},
        {"aud": "appstoreconnect-v2"},
        {"exp": 1_700_000_000},
        {"exp": 1_700_001_201},
        {"exp": None},
    ],
    ids=["signature", "kid", "no kid", "issuer", "audience", "past", "over 20 minutes", "no end"],
)
def test_a_wrong_token_is_one_answer_whatever_is_wrong(store: Client, made: dict[str, Any]) -> None:
    claims = {name: value for name, value in made.items() if name not in ("pem", "headers")}
    pem, headers = made.get("pem"), made.get("headers")
    token = store.token(**({"pem": pem} if pem else {}), **({"headers": headers or {"kid": KEY}}), **claims)
    if headers == {}:
        token = jwt.encode({"iss": ISSUER, "exp": 1_700_000_600, "aud": "appstoreconnect-v1"}, OTHER_KEY, "ES256")
    answer = store.ask("GET", "/v1/apps", token=token)
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["code"], error["title"]) == (
        401,
        "NOT_AUTHORIZED",
        "Authentication credentials are missing or invalid.",
    )
    assert set(error) == {"id", "status", "code", "title", "detail"}
    assert "x-rate-limit" not in answer.headers or made.keys() & {"exp"}


def test_another_algorithm_is_refused(store: Client) -> None:
    claims = {"iss": ISSUER, "exp": 1_700_000_600, "aud": "appstoreconnect-v1"}
    secret = "a shared secret that is long enough for the hash"
    token = jwt.encode(claims, secret, algorithm="HS256", headers={"kid": KEY})
    assert store.ask("GET", "/v1/apps", token=token).status_code == 401
    assert store.ask("GET", "/v1/apps", token="no token").status_code == 401


def test_a_token_lives_for_twenty_minutes_of_real_time(store: Client) -> None:
    token = store.token()
    assert store.ask("GET", "/v1/apps", token=token).status_code == 200
    store.account.skip(86_400)
    store.clock.forward(1199)
    assert store.ask("GET", "/v1/apps", token=token).status_code == 200
    store.clock.forward(1)
    assert store.ask("GET", "/v1/apps", token=token).status_code == 401


def test_a_revoked_key_is_none(store: Client) -> None:
    store.key.revoked = True
    assert store.ask("GET", "/v1/apps").status_code == 401


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("ADMIN", {"apps", "certificates", "upload", "version"}),
        ("APP_MANAGER", {"apps", "certificates", "upload", "version"}),
        ("DEVELOPER", {"apps", "certificates", "upload"}),
        ("MARKETING", {"apps"}),
        ("FINANCE", {"apps"}),
    ],
)
def test_a_key_does_what_its_role_may(store: Client, role: str, allowed: set[str]) -> None:
    store.key.roles = frozenset({role})
    related = {"relationships": {"app": {"data": {"type": "apps", "id": APP}}}}
    upload = {"cfBundleShortVersionString": "1.0", "cfBundleVersion": "1", "platform": "IOS"}
    version = {"versionString": "1.0", "platform": "IOS"}
    answers = {
        "apps": store.ask("GET", "/v1/apps"),
        "certificates": store.ask("GET", "/v1/certificates"),
        "upload": store.ask(
            "POST", "/v1/buildUploads", json={"data": {"type": "buildUploads", "attributes": upload, **related}}
        ),
        "version": store.ask(
            "POST",
            "/v1/appStoreVersions",
            json={"data": {"type": "appStoreVersions", "attributes": version, **related}},
        ),
    }
    assert {name for name, answer in answers.items() if answer.status_code < 300} == allowed
    for name in answers.keys() - allowed:
        [error] = answers[name].json()["errors"]
        assert (answers[name].status_code, error["code"]) == (403, "FORBIDDEN_ERROR")


def test_a_missing_agreement_is_only_shown_by_refusing_everything(store: Client) -> None:
    """aau-giraf/weekplanner-OLDUI#736"""
    upload = store.deliver()
    store.account.agreements_missing = True
    for method, path in (("GET", "/v1/apps"), ("GET", f"/v1/buildUploads/{upload}"), ("GET", "/v1/certificates")):
        answer = store.ask(method, path)
        [error] = answer.json()["errors"]
        assert (answer.status_code, error["code"]) == (403, "FORBIDDEN.REQUIRED_AGREEMENTS_MISSING_OR_EXPIRED")
        assert error["title"] == "A required agreement is missing or has expired."
    assert store.reserve("1.0.2", status=403)["code"].startswith("FORBIDDEN.")
    store.account.agreements_missing = False
    assert store.ask("GET", "/v1/apps").status_code == 200


def test_requests_are_counted_for_each_key_in_any_hour(tmp_path: Path) -> None:
    with app_store_client(tmp_path, hourly=3) as store:
        seen = [store.ask("GET", "/v1/apps").headers["x-rate-limit"] for _ in range(3)]
        assert seen == [f"user-hour-lim:3;user-hour-rem:{left};" for left in (2, 1, 0)]
        refused = store.ask("GET", "/v1/apps")
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (429, "RATE_LIMIT_EXCEEDED")
        other = replace(store.key, id="BBBBBBBBBB", public=public_part(OTHER_KEY))
        store.app_store.access.keys.append(other)
        token = store.token(OTHER_KEY, {"kid": "BBBBBBBBBB"})
        assert store.ask("GET", "/v1/apps", token=token).status_code == 200
        store.clock.forward(3600)
        assert store.ask("GET", "/v1/apps").status_code == 200


def test_signing_says_until_when(store: Client) -> None:
    [certificate] = store.get("/v1/certificates", **{"filter[certificateType]": "DISTRIBUTION"})["data"]
    assert certificate["attributes"]["expirationDate"] == "2024-11-13T22:13:20.000+00:00"
    [profile] = store.get("/v1/profiles", include="certificates")["data"]
    assert (profile["attributes"]["profileState"], profile["attributes"]["profileType"]) == ("ACTIVE", "IOS_APP_STORE")
    store.account.skip(365 * 86_400)
    [profile] = store.get("/v1/profiles")["data"]
    assert profile["attributes"]["profileState"] == "INVALID"
