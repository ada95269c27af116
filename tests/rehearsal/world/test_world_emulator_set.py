"""The emulators of a world, composed by their declarations: a new one is served, seeded and asked like all others."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal import definition
from rehearsal.emulator import Notification, ProviderEmulator
from rehearsal.emulators.capabilities import AUTHORISE, OPERATOR
from rehearsal.emulators.declaration import Capability, Declaration, NotOffered, WorldContext, alerting
from rehearsal.emulators.refusal import bearer, exception_handlers
from rehearsal.emulators.table import EMULATORS
from rehearsal.faults import Fault
from rehearsal.world.credentials import Credentials
from rehearsal.world.emulator_set import NeedsInACircle, in_order
from rehearsal.world.servers import Servers
from tests.rehearsal.emulators.contexts import SERVICES, composed
from tests.rehearsal.example_manifest import MANIFEST

PAGES = Capability[list[str]]("numbers that were called")


class Pager(ProviderEmulator):
    """A provider that nobody has: it calls a number, for every identity of Google."""

    name = "pager"
    hosts = ("api.pager.test",)

    def __init__(self, root: Path, authorise: Any) -> None:
        self.root = root
        self.called: list[str] = []
        self.control = self
        self._authorise = authorise
        self.app = Starlette(
            routes=[Route("/call/{number}", self._call, methods=["POST"])], exception_handlers=exception_handlers()
        )

    async def _call(self, request: Request) -> Response:
        self._authorise(bearer(request), "pager.calls.create", "projects/acme-staging")
        self.called.append(request.path_params["number"])
        return JSONResponse({"called": self.called})

    def pick_up(self, number: str) -> None:
        self.called.remove(number)

    def reset(self) -> None:
        self.called.clear()

    def save(self) -> dict[str, Any]:
        return {"called": list(self.called)}

    def load(self, saved: dict[str, Any]) -> None:
        self.called[:] = saved["called"]

    def notifications(self) -> list[Notification]:
        return [Notification(float(at), number) for at, number in enumerate(self.called)]


def build(context: WorldContext) -> Pager:
    def authorise(token: str | None, permission: str, resource: str) -> str:
        assert permission.startswith("pager.")
        return context.need(AUTHORISE)(token, "run.services.get", resource)

    return Pager(context.root, authorise)


def seed(pager: Pager, context: WorldContext) -> None:
    pager.called.append(f"{context.secrets['PAGER_TOKEN']} at {context.address}")
    pager.root.mkdir()
    (pager.root / "numbers").write_text("112")


PAGER = Declaration(
    name=Pager.name,
    build=build,
    needs=(AUTHORISE, OPERATOR),
    offers={PAGES: lambda pager, context: pager.called},
    seed=seed,
    secrets=lambda: {"PAGER_TOKEN": "made"},
    environments=alerting,
    overlay=lambda pager, context: {"pager": context.need(OPERATOR)},
    facts=lambda pager, context: {"pages": len(pager.called)},
    terminal=lambda pager, context: {"PAGER_URL": context.address},
    programs=("page",),
    files_in_snapshot=True,
)
TABLE = (PAGER, *EMULATORS)


def test_one_more_line_of_the_table_is_served_like_the_others(tmp_path: Path) -> None:
    servers = Servers()
    servers.faults.add(Fault(kind="status", emulator="pager", status=503, times=1))

    async def asked() -> list[httpx.Response]:
        emulators = composed(tmp_path, TABLE, servers)
        await emulators.start()
        try:
            emulators.seed()
            token = emulators.terminal()["GOOGLE_OAUTH_ACCESS_TOKEN"]
            url = servers.hosts["api.pager.test"]
            assert emulators.terminal()["PAGER_URL"] == url
            async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
                headers = [{}, {}, {"authorization": f"Bearer {token}"}]
                found = [await client.post("/call/113", headers=each) for each in headers]
            assert emulators.facts()["pages"] == 2
            assert emulators.overlay()["pager"].startswith("on-call@")
            assert [one["text"] for one in emulators.notifications()] == [f"made at {url}", "113"]
        finally:
            await emulators.stop()
            await servers.stop()
        return found

    broken, stranger, answer = asyncio.run(asked())
    assert (broken.status_code, stranger.status_code, answer.status_code) == (503, 401, 200)
    assert [entry.status for entry in servers.journal.entries(emulator="pager")] == [503, 401, 200]
    assert set(servers.addresses) == {each.name for each in TABLE}


def test_one_more_line_adds_to_the_files_of_a_world_and_to_github(tmp_path: Path) -> None:
    emulators, credentials = composed(tmp_path, TABLE), Credentials.new(TABLE)
    platform = definition.of(MANIFEST)
    assert credentials.in_environment(platform, "production-approval")["PAGER_TOKEN"] == "made"
    assert "PAGER_TOKEN" in credentials.at_terminal(platform)
    assert "page" in emulators.programs()
    assert "/_control/pager/{action}" in [route.path for route in emulators.control_routes()]
    assert emulators.deployments_of("v1")["pager"] == 0


def test_what_a_snapshot_keeps_is_loaded_by_another_world(tmp_path: Path) -> None:
    one, other = composed(tmp_path / "one", TABLE), composed(tmp_path / "other", TABLE)
    pager = one["pager"]
    assert isinstance(pager, Pager)
    pager.called.append("114")
    for declaration in TABLE:
        if declaration.files_in_snapshot:
            (tmp_path / "one" / declaration.name).mkdir(parents=True, exist_ok=True)
            (tmp_path / "one" / declaration.name / "kept").write_text(declaration.name)
    saved = json.loads(json.dumps(asyncio.run(one.save())))
    one.save_files(tmp_path / "snapshot")
    other.load(saved)
    assert other["pager"].save() == {"called": ["114"]}
    assert {"pager", "registry", "vercel"} <= set(saved)
    assert not {"secret-manager", "google-sts", "edge"} & set(saved), "each world has its own"
    kept = {file.parent.name: file.read_text() for file in (tmp_path / "snapshot").rglob("kept")}
    assert kept == {"pager": "pager", "registry": "registry"}


def declared(name: str, **more: Any) -> Declaration[Any]:
    return Declaration(name=name, build=build, **more)


def test_each_is_built_after_those_it_needs() -> None:
    names = [each.name for each in in_order(reversed(TABLE), SERVICES)]
    for before, after in (("google-sts", "pager"), ("sentry", "secret-manager"), ("cloud-run", "edge")):
        assert names.index(before) < names.index(after)


def test_what_cannot_be_composed_says_why() -> None:
    with pytest.raises(NotOffered, match="lonely needs numbers that were called, which neither"):
        in_order([declared("lonely", needs=(PAGES,))])
    twice = [declared(name, offers={PAGES: lambda pager, context: []}) for name in ("one", "two")]
    with pytest.raises(ValueError, match="numbers that were called is offered by one and by two"):
        in_order(twice)
    with pytest.raises(ValueError, match="offered by the world itself and by one"):
        in_order(twice[:1], [PAGES])
    with pytest.raises(ValueError, match="two emulators are called pager"):
        in_order([PAGER, PAGER], [AUTHORISE, OPERATOR])
    circle = [
        declared("one", needs=(PAGES,), offers={OPERATOR: lambda pager, context: ""}),
        declared("two", needs=(OPERATOR,), offers={PAGES: lambda pager, context: []}),
    ]
    with pytest.raises(NeedsInACircle, match=r"one -> two -> one|two -> one -> two"):
        in_order(circle)


def test_a_need_that_is_not_declared_is_refused(tmp_path: Path) -> None:
    hidden = Declaration(name="hidden", build=build)
    emulator = composed(tmp_path, [hidden])["hidden"]
    assert isinstance(emulator, Pager)
    with pytest.raises(NotOffered, match="hidden asks for authorising a Google token, which its declaration"):
        emulator._authorise(None, "pager.calls.create", "projects/acme-staging")
