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


# superseding ------------------------------------------------------------------------------------------------------------


def superseding(version: int, *numbers: int, kind: str = "expand") -> Migration:
    lines = [f"-- shipmate: supersedes {number:04}: rows: there are some that it refuses\n" for number in numbers]
    return migration(version, kind, "".join(lines) + "SELECT 1")


def test_what_was_superseded_is_never_run_and_what_follows_is() -> None:
    files = [ADD, migration(2), migration(3), superseding(4, 2)]
    assert versions(schema.plan([], files, "expand")) == ["0001", "0003", "0004"], "a fresh database"
    assert versions(schema.plan([row(ADD)], files, "expand")) == ["0003", "0004"], "where it failed"
    assert versions(schema.plan([row(each) for each in files[:3]], files, "expand")) == ["0004"], "where it ran"
    assert files[3].supersedes == {"0002": "rows: there are some that it refuses"}


def test_what_never_ran_is_recorded_with_what_took_its_place() -> None:
    files = [ADD, migration(2), superseding(3, 2), superseding(4, 3, 1)]
    assert schema.never_run([row(ADD)], files, []) == []
    assert versions(schema.never_run([row(ADD)], files, [files[3]])) == ["0002", "0003"], "0003 had taken its place"
    assert schema.never_run([row(each) for each in files], files, []) == []
    gone = Applied(version="0002", name="x", kind="expand", checksum=files[1].checksum, superseded_by="0003")
    assert schema.plan([row(ADD), gone], files[:2], "expand") == [], "a release from before the mending runs it no more"


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ([ADD, superseding(2, 2)], "supersedes 0002, which is none before it"),
        ([ADD, superseding(2, 9)], "supersedes 0009, which is none before it"),
        ([ADD, migration(2, sql="-- shipmate: supersedes 0001")], "without saying why"),
        ([ADD, migration(2, sql="-- shipmate: supersedes: why")], "supersedes nothing"),
        ([ADD, superseding(2, 1, kind="contract")], "which the release that brings it needs"),
    ],
)
def test_what_cannot_be_superseded(tmp_path: Path, files: list[Migration], says: str) -> None:
    for each in files:
        (tmp_path / each.file).write_text(each.sql)
    with pytest.raises(InputError, match=says):
        schema.read(tmp_path)


def test_names_are_of_what_may_run(tmp_path: Path) -> None:
    for each in [ADD, migration(2), superseding(3, 2)]:
        (tmp_path / each.file).write_text(each.sql)
    assert schema.names(tmp_path) == ["0001_x.expand.sql", "0003_x.expand.sql"]


def test_one_advice_whether_it_failed_or_was_changed() -> None:
    with pytest.raises(RefusedError) as refused:
        schema.plan([row(migration(1, sql="SELECT 2"))], FILES, "expand")
    assert f"{schema.FIX} `-- shipmate: supersedes 0001: why`" in refused.value.next_step


def test_an_exception_that_comes_later_is_no_change_and_everything_else_is() -> None:
    plain = migration(1, sql="SELECT 1;\nSELECT 2;\n")
    excepted = migration(1, sql="-- shipmate: allow drop: reviewed\nSELECT 1;\nSELECT 2;\n")
    assert plain.checksum == excepted.checksum
    assert schema.plan([row(plain)], [excepted], "expand") == []
    for other in (
        "-- shipmate: next\nSELECT 1;\nSELECT 2;\n",
        "SELECT '\n-- shipmate: allow drop: x\n'",
        "SELECT 1;\n",
    ):
        assert migration(1, sql=other).checksum != plain.checksum


def test_parts_end_at_lines_that_say_so_and_not_in_strings() -> None:
    text = "-- shipmate: no-transaction\nSELECT '\n-- shipmate: next\n';\n-- shipmate: next\nSELECT 2;\n-- shipmate: next\n"
    assert [part.count("SELECT") for part in migration(1, sql=text).parts()] == [1, 1]


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
