"""Which migrations run when: pure plans."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.delivery.migrations import files as schema
from pipelines.delivery.migrations.files import Applied, Migration
from pipelines.errors import InputError, RefusedError


def migration(version: int, kind: str = "expand", sql: str = "SELECT 1") -> Migration:
    return Migration(version=f"{version:04}", name="x", kind=kind, sql=sql)


def row(made: Migration) -> Applied:
    return Applied(version=made.version, name=made.name, kind=made.kind, checksum=made.checksum)


ADD, TAKE, MORE = migration(1), migration(2, "contract"), migration(3)
FILES = [ADD, TAKE, MORE]


def versions(steps: list[Migration]) -> list[str]:
    return [step.version for step in steps]


def test_expand_migrations_run_before_the_candidate_even_past_a_waiting_contract() -> None:
    assert versions(schema.plan([], FILES, "expand")) == ["0001", "0003"]
    assert schema.plan([row(ADD), row(MORE)], FILES, "expand") == []


@pytest.mark.parametrize(
    ("serving", "due"),
    [
        (None, []),  # nobody can say who serves
        ([], []),
        (["0001"], []),  # the release that brings it goes out: the old one does not know it
        (["0001", "0003"], []),  # in the middle of a shift
        (["0003"], ["0002"]),  # a later release: everybody knows it
        (["0002"], ["0002"]),
    ],
)
def test_a_contract_migration_waits_until_every_serving_release_knows_it(
    serving: list[str] | None, due: list[str]
) -> None:
    assert versions(schema.plan([row(ADD), row(MORE)], FILES, "contract", serving)) == due


def test_a_changed_or_renamed_migration_is_refused() -> None:
    with pytest.raises(RefusedError, match="was changed after it was applied"):
        schema.plan([row(migration(1, sql="SELECT 2"))], FILES, "expand")
    with pytest.raises(RefusedError, match="was renamed"):
        schema.plan([Applied(version="0001", name="y", kind="expand", checksum=ADD.checksum)], FILES, "expand")


def test_line_ends_are_no_change() -> None:
    assert migration(1, sql="A\r\nB").checksum == migration(1, sql="A\nB").checksum


def test_a_late_merge_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"0001_x.expand.sql was put in before 0003"):
        schema.plan([row(MORE)], FILES, "expand")


def test_an_older_release_sees_a_newer_database_without_complaint() -> None:
    assert schema.plan([row(ADD), row(TAKE), row(MORE)], [ADD], "expand") == []


def write(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_text("SELECT 1")
    return folder


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("0001_a.expand.sql", "0003_b.expand.sql"), "comes where 0002 is expected"),
        (("0001_a.expand.sql", "0001_b.expand.sql"), "comes where 0002 is expected"),
        (("0002_a.expand.sql",), "comes where 0001 is expected"),
        (("0001_a.sql",), "not named like a migration: 0001_a.sql"),
        (("0001_a.expand.sql", "Notes.sql"), "Notes.sql"),
    ],
)
def test_wrong_folders_are_refused(tmp_path: Path, names: tuple[str, ...], says: str) -> None:
    with pytest.raises(InputError, match=says):
        schema.read(write(tmp_path, *names))


def test_a_folder_is_read_in_order(tmp_path: Path) -> None:
    write(tmp_path, "0002_take_old.contract.sql", "0001_add_new.expand.sql", "README.md")
    found = schema.read(tmp_path)
    assert [(m.file, m.kind) for m in found] == [
        ("0001_add_new.expand.sql", "expand"),
        ("0002_take_old.contract.sql", "contract"),
    ]
    assert schema.read(tmp_path / "nowhere") == []


@given(st.lists(st.sampled_from(["expand", "contract"]), max_size=12), st.data())
def test_over_any_series_of_releases_nobody_serving_ever_loses_what_it_needs(
    kinds: list[str], data: st.DataObject
) -> None:
    """Each release knows some more migrations; its contracts run only later, and all of them run in the end."""
    files = [migration(number, kind) for number, kind in enumerate(kinds, 1)]
    applied: list[Applied] = []
    serving: list[str] = []
    known = 0
    for _ in range(6):
        known = data.draw(st.integers(known, len(files)))
        mine = files[:known]
        for phase in ("contract", "expand"):
            due = schema.plan(applied, mine, phase, serving)  # type: ignore[arg-type]
            assert all(m.kind == phase for m in due)
            applied += [row(m) for m in due]
        taken = [r.version for r in applied if r.kind == "contract"]
        assert all(version <= release for release in serving for version in taken)
        serving = [f"{known:04}"]
    applied += [row(m) for m in schema.plan(applied, files[:known], "contract", serving)]
    assert {r.version for r in applied} == {m.version for m in files[:known]}
