"""The text of migrations in tokens and statements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.delivery.migrations import sql
from pipelines.errors import InputError

PIECES = (
    "SELECT 1",
    "-- a ' comment ; with $$ signs\n",
    "/* one /* in ; another */ ' */",
    "'it''s; a string'",
    r"E'an \' escape;'",
    '"a ""quoted"" ; name"',
    "$$ a ; body ' $$",
    "$tag$ $$ ; $tag$",
    "a$1$b",
    "(1; 2)",
    "x::text",
    "a <= 3.5e10",
)


@given(st.lists(st.sampled_from(PIECES), max_size=8))
def test_nothing_of_a_text_is_lost_and_only_space_is_between(pieces: list[str]) -> None:
    text = " \n".join(pieces)
    place = 0
    for token in sql.tokens(text):
        assert text[place : token.start].strip() == ""
        assert text.startswith(token.text, token.start)
        assert token.line == sql.line_of(text, token.start)
        place = token.start + len(token.text)
    assert text[place:].strip() == ""


@given(
    st.lists(st.sampled_from([piece for piece in PIECES if not piece.startswith(("--", "/*"))]), min_size=1, max_size=8)
)
def test_as_many_statements_as_were_put_together(pieces: list[str]) -> None:
    """A semicolon in a string, a comment, a quoted name, a body or parentheses ends none."""
    found = sql.statements(";\n-- ;\n".join(pieces) + ";")
    assert [sql.written(each.tokens, ";\n-- ;\n".join(pieces)) for each in found] == pieces


def test_the_body_of_a_function_is_one_statement() -> None:
    text = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 3"
    assert [each.line for each in sql.statements(text)] == [1, 1]


def test_names_are_folded_as_postgres_does_and_keywords_are_no_quoted_names() -> None:
    plain, quoted, other = sql.tokens('Notes "No""tes" "DROP"')
    assert (plain.name, quoted.name, other.name) == ("notes", 'No"tes', "DROP")
    assert (plain.word, other.word) == ("NOTES", "")
    assert sql.quoted("app", 'No"tes') == '"app"."No""tes"'


@pytest.mark.parametrize("text", ["SELECT\n'open", "SELECT 1;\n/* /* */", 'SELECT\n"name', "DO\n$x$ body $y$"])
def test_what_does_not_end_is_named_with_its_line(text: str) -> None:
    with pytest.raises(InputError, match="does not end") as caught:
        sql.statements(text)
    assert caught.value.where == "line 2"
