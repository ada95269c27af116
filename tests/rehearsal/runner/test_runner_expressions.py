"""Expressions against the answers of GitHub's own engine, recorded; conditions and interpolation by example."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from rehearsal.runner.expressions import Scope, condition, evaluate, interpolate, interpolate_all, split
from rehearsal.runner.functions import ExpressionError
from rehearsal.runner.values import is_number, to_string

RECORDED = json.loads(Path(__file__).with_name("official_expressions.json").read_text())
"""What @actions/expressions (npm) answers: [expression, "error"], [.., "number", text] or [.., "value", value, text]."""
OFFICIAL = Scope(contexts=RECORDED["contexts"])


def differs(expression: str, kind: str, expected: list[Any]) -> str | None:
    """How our answer differs from the official one; None when it does not."""
    try:
        got = evaluate(expression, OFFICIAL)
    except ExpressionError as error:
        return None if kind == "error" else f"{expression}: refused ({error})"
    if kind == "error":
        return f"{expression}: {got!r}, refused by the official engine"
    if kind == "number":
        same = is_number(got) and to_string(got) == expected[0]
    else:
        plain = list(got) if isinstance(got, list) else got
        same = (
            type(plain) is type(expected[0]) and plain == expected[0] and to_string(got) == (expected[-1:] or [""])[0]
        )
        same = same or (isinstance(expected[0], str) and plain == expected[0])
    return None if same else f"{expression}: {got!r}, expected {expected}"


def test_evaluate__every_recorded_expression__as_the_official_engine() -> None:
    found = [differs(row[0], row[1], row[2:]) for row in RECORDED["answers"]]
    assert [difference for difference in found if difference] == []
    assert len(found) > 800


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("github.reff ==", "unexpected end of expression"),
        ("githb.ref", "unrecognized named-value: 'githb' (available here: github)"),
        ("nope(1)", "unrecognized function: 'nope'"),
        ("hashFiles('**')", "available in steps"),
        ("failure()", "only in an `if:`"),
        ("format('{0} {1}', 1)", "asks for {1}, but 1 values are given"),
        ("fromJSON('{')", "is not JSON"),
    ],
)
def test_evaluate__what_cannot_be__says_why(text: str, says: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, Scope(contexts={"github": {}}))
    assert says in str(caught.value)


def test_interpolate__lone_expression__keeps_its_type() -> None:
    scope = Scope(contexts={"inputs": {"n": 3, "flag": True, "list": [1]}})
    assert interpolate("${{ inputs.list }}", scope) == [1]
    assert interpolate("${{ inputs.flag }}", scope) is True
    assert interpolate("a ${{ inputs.n }}-${{ inputs.flag }} }}", scope) == "a 3-true }}"
    assert interpolate(7, scope) == 7
    assert interpolate_all({"k${{ inputs.n }}": ["${{ inputs.n }}", "x"]}, scope) == {"k3": [3, "x"]}


def test_split__braces_inside_a_string__do_not_end_the_expression() -> None:
    assert split("a${{ format('}}{0}''', 1) }}b") == [
        ("text", "a"),
        ("expression", "format('}}{0}''', 1)"),
        ("text", "b"),
    ]
    with pytest.raises(ExpressionError, match="unclosed expression"):
        split("${{ 'a }}")


@pytest.mark.parametrize(
    ("text", "status", "verdict"),
    [
        (None, "fine", True),
        (None, "failed", False),
        ("github.ok", "fine", True),
        ("github.ok", "failed", False),
        ("always()", "failed", True),
        ("${{ failure() && github.ok }}", "failed", True),
        ("failure()", "fine", False),
        ("!cancelled()", "failed", True),
        ("!cancelled()", "cancelled", False),
        ("cancelled() || github.ok", "cancelled", True),
        ("'false'", "fine", True),
        ("false", "fine", False),
        (False, "fine", False),
        (True, "failed", False),
        ("${{ github.no }} == true", "fine", True),
        ("contains(format('{0}', success()), 'false')", "failed", True),
    ],
)
def test_condition__implied_success__unless_a_status_function_is_named(text: Any, status: str, verdict: bool) -> None:
    statuses = {
        name: name == {"fine": "success", "failed": "failure"}.get(status, status)
        for name in ("success", "failure", "cancelled")
    }
    scope = Scope(contexts={"github": {"ok": True, "no": False}}, status=statuses)
    assert condition(text, scope) is verdict


def test_numbers__not_a_number__is_false_and_equals_nothing() -> None:
    assert math.isnan(evaluate("NaN", OFFICIAL))
    assert evaluate("NaN == NaN || 'other'", OFFICIAL) == "other"
