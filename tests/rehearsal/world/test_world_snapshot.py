"""A world begins where another one was kept: what providers and databases hold is there, keys and tokens are its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rehearsal.scenario.world_client import WorldClient
from rehearsal.world.handle import World, WorldFailed

ROOT = Path(__file__).parents[3]


def database(place: WorldClient, statement: str) -> list[tuple[Any, ...]]:
    """As the superuser of the world's Postgres."""
    import psycopg

    data = place.root / "postgres"
    port = (data / "data/postmaster.pid").read_text().splitlines()[3]
    password = (data / "password").read_text()
    url = f"host=127.0.0.1 port={port} user=postgres password={password} dbname=platform_staging"
    with psycopg.connect(url, autocommit=True) as connection:
        done = connection.execute(statement)
        return done.fetchall() if done.description else []


def api(place: WorldClient, method: str, path: str, body: Any = None) -> Any:
    with place.github("dev-1") as client:
        answer = client.request(method, f"/repos/{place.repository}/{path}", json=body)
    assert answer.status_code < 300, answer.text
    return answer.json()


def environments(place: WorldClient) -> dict[str, list[str]]:
    """Environment -> names of its secrets."""
    return {
        one["name"]: [secret["name"] for secret in api(place, "GET", f"environments/{one['name']}/secrets")["secrets"]]
        for one in api(place, "GET", "environments")["environments"]
    }


@pytest.mark.long
@pytest.mark.world
def test_a_world_begins_where_another_was_kept(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    first = World(ROOT)
    with first as place:
        api(place, "POST", "issues", {"title": "Kept"})
        database(place, "CREATE TABLE kept AS SELECT n FROM generate_series(1, 10000) AS n")
        first.save(kept)
        api(place, "POST", "issues", {"title": "Too late"})
        database(place, "INSERT INTO kept VALUES (0)")
        first.save(kept)
        assert database(place, "SELECT count(*) FROM kept") == [(10_001,)], "Postgres goes on"
        taken = tmp_path / "file"
        taken.write_text("not a folder")
        with pytest.raises(WorldFailed, match="cannot be kept in"):
            first.save(taken / "below")
        taken.unlink()
        assert list((place.root / "saved").iterdir()) == [], "nothing is left where the world wrote it"
        old_token, before = place.tokens["dev-1"], environments(place)
    assert kept.stat().st_mode & 0o077 == 0
    assert [file.name for file in tmp_path.iterdir()] == ["kept"]

    for _ in range(2):  # a snapshot is not used up
        with World(ROOT, from_snapshot=kept) as place:
            assert [issue["title"] for issue in api(place, "GET", "issues")] == ["Kept"]
            assert database(place, "SELECT count(*) FROM kept") == [(10_000,)]
            assert place.tokens["dev-1"] != old_token
            assert environments(place) == before
            assert place.inspect("violations") == []


@pytest.mark.world
def test_what_is_no_snapshot_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorldFailed, match=r"No such file .*nowhere"), World(ROOT, from_snapshot=tmp_path / "nowhere"):
        pytest.fail("it started")


def test_only_a_started_world_can_be_kept(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="not started"):
        World(ROOT).save(tmp_path / "kept")
