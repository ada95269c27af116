"""A world as its user holds it: two at once, gone without a trace, and why one cannot start."""

from __future__ import annotations

import shutil
import socket
from base64 import b64decode
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from rehearsal import processes
from rehearsal.scenario.world_client import WorldClient
from rehearsal.world.handle import World, WorldFailed
from tests.rehearsal.commands.upping import children
from tests.rehearsal.example_manifest import written

ROOT = Path(__file__).parents[3]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ports(place: WorldClient) -> list[int]:
    return [urlsplit(address).port or 0 for address in (place.api, place.edge, place.control)]


@pytest.mark.world
def test_two_worlds_at_once_share_nothing_and_leave_nothing() -> None:
    first, second = World(ROOT), World(ROOT, changes={"docs/of-one.md": "Only here.\n"})
    with first as one, second as other:
        assert one.root != other.root
        assert not set(ports(one)) & set(ports(other))
        assert one.tokens["dev-1"] != other.tokens["dev-1"]
        assert 0 < first.seconds_to_ready < 60
        with one.github("dev-1") as client:
            assert client.post(f"/repos/{one.repository}/issues", json={"title": "Here"}).status_code == 201
            assert client.get(f"/repos/{one.repository}/contents/docs/of-one.md").status_code == 404
        with other.github("dev-1") as client:
            assert client.get(f"/repos/{other.repository}/issues").json() == []
            changed = client.get(f"/repos/{other.repository}/contents/docs/of-one.md").json()
            assert b64decode(changed["content"]) == b"Only here.\n"
            foreign = client.get("/user", headers={"Authorization": f"token {one.tokens['dev-1']}"})
            assert foreign.status_code == 401
        owned = [first.pid, second.pid, *children(first.pid), *children(second.pid)]
        assert len(owned) > 6
    assert not [pid for pid in owned if Path(f"/proc/{pid}").exists()]
    assert not processes.marked("SHIPMATE_WORLD", str(first.pid))
    assert not [port for place in (one, other) for port in ports(place) if listens(port)]
    assert not one.root.exists()
    assert not other.root.exists()
    with pytest.raises(httpx.ConnectError):
        one.inspect("runs")


def test_a_manifest_it_cannot_read_is_reported(tmp_path: Path) -> None:
    written(tmp_path, {"platform": {}})
    world = World(tmp_path)
    with pytest.raises(WorldFailed, match=r"shipmate\.yml .*: 'repository' is missing\n  next: "), world:
        pytest.fail("it started")
    assert not world.alive()


def test_a_checkout_without_a_manifest_is_reported(tmp_path: Path) -> None:
    with pytest.raises(WorldFailed, match=r"No such file .*shipmate\.yml"), World(tmp_path):
        pytest.fail("it started")


def test_a_service_that_is_missing_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SHIPMATE_HOME, where what the set-up fetched is kept, is no folder."""
    shutil.copy(ROOT / "shipmate.yml", tmp_path / "shipmate.yml")
    (tmp_path / "home").write_text("a file")
    monkeypatch.setenv("SHIPMATE_HOME", str(tmp_path / "home"))
    with pytest.raises(WorldFailed, match=r"^the world did not start:\n\w+: .*home"), World(tmp_path):
        pytest.fail("it started")


def test_a_world_that_was_not_started_has_no_process() -> None:
    world = World(ROOT)
    assert not world.alive()
    assert world.output() == ""
    with pytest.raises(RuntimeError, match="not started"):
        _ = world.pid


def test_on_another_system_than_linux_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rehearsal.world.handle.sys.platform", "darwin")
    with pytest.raises(WorldFailed, match=r"a world needs Linux.*virtual machine or a container"), World(ROOT):
        raise AssertionError("it began")
