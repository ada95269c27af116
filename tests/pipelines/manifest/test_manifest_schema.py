"""The schema and the reference page are generated: what is committed is what the types say."""

import json
from pathlib import Path

import jsonschema
import yaml

from pipelines.manifest.schema import json_schema, reference

ROOT = Path(__file__).parents[3]


def test_the_committed_schema_is_current() -> None:
    assert json.loads((ROOT / "docs/shipmate.schema.json").read_text()) == json_schema(), (
        "run: shipmate manifest schema --write"
    )


def test_the_committed_reference_is_current() -> None:
    assert (ROOT / "docs/MANIFEST.md").read_text() == reference(), "run: shipmate manifest docs --write"


def test_editors_agree_with_the_loader() -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    good = yaml.safe_load((ROOT / "shipmate.yml").read_text())
    assert not list(validator.iter_errors(good))
    good["environments"]["production"]["backend"]["scaling"]["mix"] = 3
    assert list(validator.iter_errors(good))


def test_every_key_is_documented() -> None:
    empty = [row for row in reference().splitlines() if row.startswith("| `") and row.rstrip().endswith("|  |")]
    assert empty == []


def test_no_two_records_share_a_name() -> None:
    """In the schema one would stand for both."""
    names = [line for line in reference().splitlines() if line.startswith("## ")]
    assert len(names) == len(set(names))
