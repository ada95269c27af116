"""What a migration may not do, by its text; and what looks like it and is allowed."""

from __future__ import annotations

import pytest

from pipelines.delivery.migrations import parsing, rules
from pipelines.delivery.migrations.files import Migration
from pipelines.errors import RefusedError

ALONE = "-- shipmate: no-transaction\n"


def files(*texts: str, kind: str = "expand") -> list[Migration]:
    return [Migration(version=f"{n:04}", name="x", kind=kind, sql=text) for n, text in enumerate(texts, 1)]


def broken(*texts: str, kind: str = "expand") -> list[str]:
    """Rules that the last file breaks."""
    found = files(*texts, kind=kind)
    return [each.rule for each in rules.judge(found) if each.file == found[-1].file]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("ALTER TABLE notes DROP COLUMN old", "drop"),
        ("ALTER TABLE notes DROP old", "drop"),
        ("alter table only app.notes drop column if exists old", "drop"),
        ('ALTER TABLE "Notes" ADD a int, DROP COLUMN "Old"', "drop"),
        ("DROP TABLE notes", "drop"),
        ("DROP MATERIALIZED VIEW totals", "drop"),
        ("DROP TYPE kind", "drop"),
        ("DROP INDEX CONCURRENTLY i", "transaction"),
        ("ALTER TABLE notes DROP CONSTRAINT short", None),
        ("TRUNCATE notes", "drop"),
        ("DELETE FROM notes", "drop"),
        ("DELETE FROM notes WHERE gone", None),
        ("WITH x AS (SELECT 1) DELETE FROM notes", "drop"),
        ("ALTER TABLE notes RENAME TO pages", "rename"),
        ("ALTER TABLE notes RENAME COLUMN a TO b", "rename"),
        ("ALTER TABLE notes SET SCHEMA app", "rename"),
        ("ALTER TYPE kind RENAME VALUE 'a' TO 'b'", "rename"),
        ("ALTER TABLE notes ALTER COLUMN a TYPE bigint", "type-change"),
        ("ALTER TABLE notes ALTER a SET DATA TYPE varchar(20) USING a::varchar(20)", "type-change"),
        ("ALTER TABLE notes ALTER a SET NOT NULL", "not-null"),
        ("ALTER TABLE notes ALTER a DROP NOT NULL", None),
        ("ALTER TABLE notes ADD COLUMN a int NOT NULL", "required-column"),
        ("ALTER TABLE notes ADD COLUMN a int DEFAULT NULL NOT NULL", "required-column"),
        ("ALTER TABLE notes ADD COLUMN a int NOT NULL DEFAULT 0", None),
        ("ALTER TABLE notes ADD COLUMN a int DEFAULT 0 NOT NULL", None),
        ("ALTER TABLE notes ADD COLUMN a text", None),
        ("ALTER TABLE notes ADD a timestamptz NOT NULL DEFAULT now()", None),
        ("ALTER TABLE notes ADD a text DEFAULT 'x'::varchar(20)", None),
        ("ALTER TABLE notes ADD a uuid DEFAULT gen_random_uuid()", "rewrite"),
        ("ALTER TABLE notes ADD a bigserial", "rewrite"),
        ("ALTER TABLE notes ADD a int GENERATED ALWAYS AS (b + 1) STORED", "rewrite"),
        ("ALTER TABLE notes ADD CONSTRAINT short CHECK (length(body) <= 10)", "not-valid"),
        ("ALTER TABLE notes ADD CONSTRAINT short CHECK (length(body) <= 10) NOT VALID", None),
        ("ALTER TABLE notes ADD COLUMN a int CHECK (a > 0)", "not-valid"),
        ("ALTER TABLE notes ADD FOREIGN KEY (a) REFERENCES users (id)", "not-valid"),
        ("ALTER TABLE notes ADD FOREIGN KEY (a) REFERENCES users (id) ON DELETE CASCADE NOT VALID", None),
        ("ALTER TABLE notes ADD UNIQUE (a)", "unique"),
        ("ALTER TABLE notes ADD CONSTRAINT k UNIQUE USING INDEX i", None),
        ("ALTER TABLE notes ADD EXCLUDE USING gist (a WITH &&)", "unique"),
        ("CREATE INDEX i ON notes (a)", "concurrently"),
        ("CREATE UNIQUE INDEX i ON notes USING btree (a)", "concurrently"),
        ("DROP INDEX i", "concurrently"),
        ("REINDEX TABLE notes", "concurrently"),
        ("REFRESH MATERIALIZED VIEW totals", "concurrently"),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY totals", None),
        ("ALTER TABLE notes DETACH PARTITION old", "concurrently"),
        ("LOCK TABLE notes", "lock"),
        ("CLUSTER notes", "lock"),
        (f"{ALONE}VACUUM (FULL) notes", "lock"),
        (f"{ALONE}VACUUM notes", None),
        ("ALTER TABLE notes SET UNLOGGED", "lock"),
        ("ALTER TABLE notes SET (fillfactor = 70)", None),
        ("CREATE INDEX CONCURRENTLY i ON notes (a)", "transaction"),
        ("VACUUM notes", "transaction"),
        ("BEGIN; SELECT 1; COMMIT", "transaction"),
        ("ALTER TABLE notes ADD a int; UPDATE notes SET a = 1", "long-transaction"),
        ("UPDATE notes SET a = 1; ALTER TABLE pages ADD a int", None),
        ("DO $$ BEGIN EXECUTE 'DROP TABLE notes'; END $$", "code"),
        ("CREATE TABLE a (id int); CREATE INDEX i ON a (id); ALTER TABLE a ADD CHECK (id > 0), ALTER id SET NOT NULL", None),
        ("CREATE TEMP TABLE a (id int); DROP TABLE a", None),
        ("SELECT 'DROP TABLE notes; ' -- ; DROP TABLE notes\n/* ; DROP TABLE notes */", None),
        ("COMMENT ON TABLE notes IS $$ ; DROP TABLE notes; $$", None),
        ("SELECT 'open", "syntax"),
    ],
)  # fmt: skip
def test_an_expand_migration(text: str, rule: str | None) -> None:
    assert sorted(set(broken(text))) == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("ALTER TABLE notes DROP COLUMN old", None),
        ("DROP TABLE notes", None),
        ("ALTER TABLE notes RENAME TO pages", None),
        ("DROP INDEX i", "concurrently"),
        ("ALTER TABLE notes ALTER a TYPE bigint", "type-change"),
    ],
)
def test_a_contract_migration_may_take_away_but_make_nobody_wait(text: str, rule: str | None) -> None:
    assert broken(text, kind="contract") == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON notes (a)", []),
        ("DROP INDEX CONCURRENTLY IF EXISTS i;\n-- shipmate: next\nCREATE INDEX CONCURRENTLY i ON notes (a)", []),
        ("CREATE INDEX CONCURRENTLY i ON notes (a)", ["repeatable"]),
        ("CREATE INDEX CONCURRENTLY ON notes (a)", ["repeatable"]),
        ("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON notes (a); SELECT 1", ["part"]),
        ("CREATE TABLE a (id int)", ["repeatable"]),
        ("ALTER TABLE notes ADD COLUMN IF NOT EXISTS a int", []),
        ("ALTER TABLE notes ADD COLUMN a int", ["repeatable"]),
        ("ALTER TABLE notes DROP CONSTRAINT IF EXISTS c, ADD CONSTRAINT c CHECK (a > 0) NOT VALID", []),
        ("ALTER TABLE notes ADD CONSTRAINT c CHECK (a > 0) NOT VALID", ["repeatable"]),
        ("ALTER TABLE notes VALIDATE CONSTRAINT c", []),
        ("UPDATE notes SET a = 1 WHERE a IS NULL", []),
        ("UPDATE notes SET a = a + 1", ["repeatable"]),
        ("INSERT INTO kinds VALUES (1)", ["repeatable"]),
        ("INSERT INTO kinds VALUES (1) ON CONFLICT DO NOTHING", []),
    ],
)
def test_parts_of_a_file_without_a_transaction_are_safe_to_repeat(text: str, wrong: list[str]) -> None:
    assert broken(ALONE + text) == wrong


def test_a_check_that_an_earlier_file_validated_makes_not_null_safe() -> None:
    add = "ALTER TABLE public.notes ADD CONSTRAINT there CHECK (body IS NOT NULL) NOT VALID"
    validate = "ALTER TABLE notes VALIDATE CONSTRAINT there"
    last = "ALTER TABLE notes ALTER body SET NOT NULL"
    assert broken(add, validate, last) == []
    assert broken(add, last) == ["not-null"]
    assert broken(add, f"{validate}; {last}") == ["not-null"]
    assert broken(f"{add}; {validate}") == ["validate-apart"]
    assert broken(add.replace("body", "other"), validate, last) == ["not-null"]


def test_a_table_that_an_earlier_file_made_is_used_by_now() -> None:
    made = "CREATE TABLE IF NOT EXISTS notes (id int)"
    assert broken(f"{made}; CREATE INDEX i ON notes (id)") == []
    assert broken(made, f"{made}; CREATE INDEX i ON notes (id)") == ["concurrently"]


def test_an_exception_is_for_a_rule_that_is_broken_and_has_a_reason() -> None:
    drop = "ALTER TABLE notes DROP COLUMN old"
    assert broken(f"-- shipmate: allow drop: nothing ever read it\n{drop}") == []
    assert broken(f"-- shipmate: allow rename: x\n{drop}") == ["drop", "exception"]
    assert broken(f"-- shipmate: allow drop\n{drop}") == ["drop", "exception"]
    assert broken(f"SELECT '\n-- shipmate: allow drop: x\n'; {drop}") == ["drop"], "a string says nothing"


def test_what_was_superseded_is_not_judged_and_what_supersedes_it_may_meet_its_work() -> None:
    first = "ALTER TABLE notes ADD CHECK (a > 0)"
    assert [each.file for each in rules.judge(files(first, "-- shipmate: supersedes 0001: too strict\nSELECT 1"))] == []
    assert broken(first, "-- shipmate: supersedes 0001: x\nALTER TABLE notes ADD COLUMN b int") == ["repeatable"]


def test_the_refusal_names_file_line_rule_reason_and_way_out() -> None:
    found = files("SELECT 1", "SELECT 1;\n\nALTER TABLE notes\n  ADD a int,\n  DROP COLUMN old;")
    with pytest.raises(RefusedError) as caught:
        rules.require(found, found[1:])
    assert "0002_x.expand.sql:5: DROP COLUMN old of notes [drop]" in str(caught.value)
    assert rules.RULES["drop"].instead in str(caught.value)
    assert "-- shipmate: allow RULE: why" in caught.value.next_step
    rules.require(found, found[:1])


def test_lines_of_later_parts_are_those_of_the_file() -> None:
    text = f"{ALONE}SELECT 1;\n-- shipmate: next\n\nCREATE TABLE a (id int);\n"
    assert [each.line for each in rules.judge(files(text))] == [5]


def test_changes_carry_what_counts_are_made_from() -> None:
    (key,) = parsing.read(
        'ALTER TABLE app."Notes" ADD CONSTRAINT k FOREIGN KEY (a, "B") REFERENCES users (c, d) NOT VALID'
    )
    assert (key.table, key.name, key.columns) == (("app", "Notes"), "k", ("a", "B"))
    assert (key.refers, key.refers_columns, key.has("not valid")) == (("users",), ("c", "d"), True)
    (index,) = parsing.read("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON notes (a DESC NULLS LAST) WHERE b > 0")
    assert (index.name, index.columns, index.flags) == ("i", ("a",), {"unique", "concurrently", "if not exists"})
    assert index.expression
    (over,) = parsing.read("CREATE INDEX ON notes (lower(a), b)")
    assert (over.name, over.columns) == ("", ())
