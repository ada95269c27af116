"""Attribute conditions as administrators write them."""

from __future__ import annotations

import pytest

from rehearsal.emulators.google_auth.cel import EvaluationError, ExpressionInvalid, parse

CONTEXT = {
    "assertion": {
        "repository": "techmate/platform",
        "repository_id": "101",
        "ref": "refs/heads/main",
        "workflow_ref": "techmate/platform/.github/workflows/deploy.yml@refs/heads/main",
        "run_attempt": 2,
        "groups": ["a", "b"],
    },
    "google": {"subject": "s"},
    "attribute": {"environment": "production"},
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("assertion.repository_id == '101' && assertion.ref == 'refs/heads/main'", True),
        ('assertion.ref == "refs/heads/other"', False),
        ("assertion.repository_id == 101", False),
        ("assertion.run_attempt == 2", True),
        ("assertion.ref != 'refs/heads/main' || attribute.environment == 'production'", True),
        ("assertion.repository == 'a' || assertion.repository == 'b' && true", False),
        ("assertion.workflow_ref in ['x', 'techmate/platform/.github/workflows/deploy.yml@refs/heads/main']", True),
        ("assertion.ref in []", False),
        ("'a' in assertion.groups", True),
        ("!('c' in assertion.groups)", True),
        ("assertion['ref'].startsWith('refs/heads/')", True),
        ("assertion.ref.endsWith('/main') && assertion.ref.contains('heads')", True),
        ("assertion.repository.matches('^techmate/')", True),
        ("google.subject + '-' + assertion.repository_id", "s-101"),
        ("has(assertion.environment)", False),
        ("has(assertion.ref) && assertion.ref == 'refs/heads/main'", True),
        ("assertion.environment == 'production' || assertion.repository_id == '101'", True),
        ("assertion.environment == 'production' && assertion.repository_id == '102'", False),
        ("'in' == 'in' && ('(' != ')')", True),
        ("'it\\'s' == \"it's\"", True),
    ],
)
def test_expressions_have_the_value_google_gives_them(expression: str, value: object) -> None:
    assert parse(expression)(CONTEXT) == value


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("assertion.environment == 'production'", "no such key: environment"),
        ("assertion.environment == 'x' && assertion.repository_id == '101'", "no such key"),
        ("claims.ref == 'x'", "undeclared reference to 'claims'"),
        ("assertion.ref && true", "neither true nor false"),
        ("assertion.ref in 'refs/heads/main'", "wants a list"),
        ("assertion.run_attempt.startsWith('2')", "is no string"),
    ],
)
def test_what_has_no_value_says_why(expression: str, reason: str) -> None:
    with pytest.raises(EvaluationError, match=reason):
        parse(expression)(CONTEXT)


@pytest.mark.parametrize(
    "expression",
    ["assertion.ref = 'x'", "assertion.ref ==", "(true", "true true", "assertion.ref.size('x')", "['a' 'b']", ""],
)
def test_what_cannot_be_read_is_refused_when_the_provider_is_made(expression: str) -> None:
    with pytest.raises(ExpressionInvalid):
        parse(expression)
