"""The schema and its page are made from the model, and reports fit it."""

from __future__ import annotations

import json

import jsonschema
import pytest

from rehearsal.report import page, schema
from tests.rehearsal.report.example import failed, report, story


def test_the_committed_files_are_current() -> None:
    message = "run: python -m rehearsal.report.schema --write"
    assert json.loads(schema.SCHEMA.read_text()) == schema.json_schema(), message
    assert schema.REFERENCE.read_text() == schema.reference(), message


def test_a_report_fits_its_schema_and_a_broken_one_does_not() -> None:
    validator = jsonschema.Draft202012Validator(schema.json_schema())
    written = json.loads(page.as_json(report(story(), failed("broken"), not_run=["rollback"])))
    assert list(validator.iter_errors(written)) == []
    written["stories"][0]["runs"][0]["jobs"][0]["ended"] = "yesterday"
    written["stories"][0]["colour"] = "red"
    assert len(list(validator.iter_errors(written))) == 2


def test_every_field_is_described() -> None:
    undescribed = [
        f"{name}.{field}"
        for name, kind in schema.json_schema()["$defs"].items()
        for field, described in kind["properties"].items()
        if not described["description"]
    ]
    assert undescribed == []


def test_the_command_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert schema.main([]) == 0
    assert json.loads(capsys.readouterr().out) == schema.json_schema()


def test_numbers_that_json_does_not_know_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        page.as_json(report(started=float("nan")))
