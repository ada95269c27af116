"""The whole lint: our rules with squawk beside them, and the command that CI runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.cli import shipmate
from pipelines.delivery.migrations import lint, squawk
from pipelines.errors import LocalError, RefusedError

ROOT = Path(__file__).parents[4]


def judged(folder: Path, *texts: str, kind: str = "expand") -> list[tuple[int, str]]:
    for number, text in enumerate(texts, 1):
        (folder / f"{number:04}_x.{kind}.sql").write_text(text)
    return [(each.line, each.rule) for each in lint.judge(folder)]


def test_what_both_find_is_reported_once(tmp_path: Path) -> None:
    text = (
        "ALTER TABLE a DROP COLUMN b;\nALTER TABLE a RENAME TO c;\nCREATE INDEX i ON a (b);\nALTER TABLE a ALTER b TYPE bigint;\n"
        "ALTER TABLE a ADD CHECK (b > 0);\nALTER TABLE a ADD UNIQUE (b);\nALTER TABLE a ADD d int NOT NULL;\n"
    )
    assert judged(tmp_path, text) == [
        (1, "drop"),
        (2, "rename"),
        (3, "concurrently"),
        (4, "type-change"),
        (5, "not-valid"),
        (6, "unique"),
        (7, "required-column"),
    ]


def test_squawk_finds_what_we_do_not(tmp_path: Path) -> None:
    """The tool itself is tried: one that reads nothing would pass for ever."""
    found = judged(tmp_path, f"SELECT 1;\nALTER TABLE a ADD {'x' * 70} int;\nCREATE DOMAIN d AS int CHECK (VALUE > 0);")
    assert (2, "identifier-too-long") in found
    assert judged(tmp_path, "SELECT 1;\nALTRE TABLE a ADD b int;")[0] == (2, "syntax")


def test_its_own_exceptions_do_not_count_and_ours_do(tmp_path: Path) -> None:
    long = f"ALTER TABLE a ADD {'x' * 70} int;"
    assert judged(tmp_path, f"-- squawk-ignore identifier-too-long\n{long}") == [(2, "identifier-too-long")]
    assert judged(tmp_path, f"-- squawk-ignore-file\n{long}") == [(2, "identifier-too-long")]
    assert judged(tmp_path, f"-- shipmate: allow identifier-too-long: cut by Postgres, as meant\n{long}") == []


def test_a_contract_migration_may_drop_for_squawk_too(tmp_path: Path) -> None:
    assert judged(tmp_path, "ALTER TABLE a DROP COLUMN b;", kind="contract") == []


@pytest.mark.parametrize(
    "script",
    [
        "print('[]'); raise SystemExit(1)",
        "print('[]'); raise SystemExit(101)",
        "print('nonsense')",
        "print('{}')",
        """print('[{"rule_name": "x"}]')""",
    ],
)
def test_a_linter_that_did_not_judge_is_no_pass(script: str) -> None:
    with pytest.raises(LocalError, match="squawk did not judge the migrations"):
        squawk.run([sys.executable, "-c", script], "SELECT 1")
    with pytest.raises(LocalError, match="No such file"):
        squawk.run(["/nowhere/squawk"], "SELECT 1")


def test_the_platforms_own_migrations_break_no_rule() -> None:
    assert lint.judge(ROOT / "apps/backend/migrations") == []


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = (ROOT / "shipmate.yml").read_text()
    (tmp_path / "shipmate.yml").write_text(manifest)
    folder = tmp_path / "apps/backend/migrations"
    folder.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    (folder / "0001_a.expand.sql").write_text("CREATE TABLE a (id int);")
    passed = CliRunner().invoke(shipmate, ["migrate", "lint"])
    assert (passed.exit_code, passed.output) == (0, "the migrations of backend break no rule\n")
    (folder / "0002_b.expand.sql").write_text("DROP TABLE a;")
    failed = CliRunner().invoke(shipmate, ["migrate", "lint", "--json"])
    assert isinstance(failed.exception, RefusedError)
    assert "0002_b.expand.sql:1: DROP TABLE a [drop]" in str(failed.exception)
    assert [each["rule"] for each in json.loads(failed.output)] == ["drop"]
    assert CliRunner().invoke(shipmate, ["migrate"], env={"DATABASE_URL": ""}).exit_code == 2
