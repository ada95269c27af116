"""Google Play as a world holds it: made of the manifest, and moved by the world's control port."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from rehearsal.contracts.contract import load
from rehearsal.control import emulator_route
from rehearsal.emulators.capabilities import AUTHORISE, OPERATOR
from rehearsal.emulators.declaration import Capability
from rehearsal.emulators.google.access import Authorise
from rehearsal.emulators.google.errors import GoogleError
from rehearsal.emulators.google_auth.policy import Policy, ServiceAccount
from rehearsal.emulators.google_auth.state import Tokens
from rehearsal.emulators.google_play.app import GooglePlay
from rehearsal.emulators.google_play.declaration import EMULATOR
from tests.rehearsal.emulators.contexts import context, platform
from tests.rehearsal.emulators.in_process import InProcess
from tests.rehearsal.emulators.play_client import APPLICATION, PACKAGE

DEPLOYER = "play@techmate-delivery.iam.gserviceaccount.com"
MANIFEST = {"mobile": {"android": {"package": PACKAGE, "service_account": DEPLOYER}}}


def authorise(token: str | None, permission: str, resource: str, /) -> str:
    if token != "of the deployer":
        raise GoogleError("UNAUTHENTICATED", "Request had invalid authentication credentials.")
    assert resource == "projects/techmate-delivery"
    return DEPLOYER


def offered(answer: Authorise) -> Mapping[Capability[Any], Any]:
    return {AUTHORISE: answer, OPERATOR: "on-call@operators.iam.gserviceaccount.com"}


@pytest.fixture
def play(tmp_path: Path) -> GooglePlay:
    built = EMULATOR.build(
        context(EMULATOR, tmp_path, MANIFEST, secrets={}, time_scale=0.01, capabilities=offered(authorise))
    )
    assert isinstance(built, GooglePlay)
    return built


def test_a_platform_without_an_android_app_has_no_account() -> None:
    assert EMULATOR.used(platform(MANIFEST))
    assert not EMULATOR.used(platform({}))
    assert not EMULATOR.used(platform({"mobile": {"ios": {}}}))


def test_a_token_of_the_deployer_opens_it_and_no_other(tmp_path: Path) -> None:
    """By the world's own tokens: the project must let the account use its services, Play must know it."""
    stranger = "other@techmate-delivery.iam.gserviceaccount.com"
    may_use = {"techmate-delivery": frozenset({"serviceusage.services.use"})}
    accounts = tuple(ServiceAccount(email=email, grants=may_use) for email in (DEPLOYER, stranger))
    tokens = Tokens(Policy(provider="projects/1/x/providers/p", issuer="https://x", accounts=accounts), no_keys)
    play = EMULATOR.build(context(EMULATOR, tmp_path, MANIFEST, secrets={}, capabilities=offered(tokens.authorise)))
    client = InProcess(play.app)
    for email, status in ((DEPLOYER, 200), (stranger, 403)):
        headers = {"authorization": f"Bearer {tokens.access_token(email)}"}
        assert client.post(f"{APPLICATION}/edits", json={}, headers=headers).status_code == status


async def no_keys() -> Mapping[str, Any]:
    return {"keys": []}


def test_all_that_is_served_is_described(play: GooglePlay) -> None:
    contracts = [load(name) for name in play.contract]
    served = [(method, path) for path, methods in served_by(play.app) for method in methods - {"HEAD"}]
    assert len(served) == 19
    for method, path in served:
        [covering] = [contract for contract in contracts if contract.covers(path)]
        assert covering.operation(method, path.replace("{", "").replace("}", "")) is not None, f"{method} {path}"


def served_by(app: Any, before: str = "") -> Iterator[tuple[str, set[str]]]:
    for route in app.routes:
        if isinstance(route, Mount):
            yield from served_by(route.app, before + route.path)
        else:
            yield before + route.path, route.methods


def test_the_manifest_names_the_app_and_its_deployer(play: GooglePlay) -> None:
    client = InProcess(play.app)
    assert client.post(f"{APPLICATION}/edits", json={}).status_code == 401
    answer = client.post(f"{APPLICATION}/edits", json={}, headers={"authorization": "Bearer of the deployer"})
    assert answer.status_code == 200
    assert play.account.pace.review == 36.0
    assert [play.deployments_of(name) for name in ("mobile-v0.9.0", "mobile-v1.0.1", "0.9.0")] == [1, 0, 0]
    assert play.notifications() == []


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("change", {}),
        ("draft", {"on": True}),
        ("use_number", {"version_code": 9}),
        ("keep_discarded", {"on": True}),
        ("upload_key", {"sha1": "AB:CD"}),
        ("send_for_review", {}),
        ("managed_publishing", {"on": True}),
        ("publish", {}),
        ("permissions", {"user": DEPLOYER, "permissions": []}),
        ("conclude_review", {"verdict": "reject"}),
        ("next_verdict", {"verdict": "reject"}),
        ("expire_edits", {}),
        ("expire_uploads", {}),
        ("break_upload", {"at": 5}),
        ("quota", {"per_minute": 1}),
        ("observe", {"version_code": 1, "users": 100, "crashed": 3}),
    ],
)
def test_the_console_is_reached_through_the_worlds_port(
    play: GooglePlay, action: str, arguments: dict[str, Any]
) -> None:
    client = InProcess(Starlette(routes=[emulator_route("google-play", play.control)]))
    address = f"/_control/google-play/{action}"
    assert client.post(address, json={"package": PACKAGE, **arguments}).status_code == 204
    assert client.post(address, json={"package": "ai.techmate.other", **arguments}).status_code == 422
    assert client.post(address, json={"package": PACKAGE, "wrong": 1}).status_code == 422


def test_a_review_ends_in_one_of_two_ways(play: GooglePlay) -> None:
    client = InProcess(Starlette(routes=[emulator_route("google-play", play.control)]))
    answer = client.post("/_control/google-play/next_verdict", json={"package": PACKAGE, "verdict": "perhaps"})
    assert (answer.status_code, answer.json()) == (
        422,
        {"message": "next_verdict: 'perhaps' is neither approve nor reject"},
    )


def test_what_the_console_has_not(play: GooglePlay) -> None:
    client = InProcess(Starlette(routes=[emulator_route("google-play", play.control)]))
    for action in ("sell", "_app", "__init__"):
        assert client.post(f"/_control/google-play/{action}", json={"package": PACKAGE}).status_code == 404
