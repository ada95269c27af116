from __future__ import annotations

from typing import Any

import pytest

from rehearsal.contracts.closing import close

DEFINITIONS: dict[str, dict[str, Any]] = {
    "base": {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]},
    "names": {"type": "object", "additionalProperties": {"type": "string"}},
}


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    return close(schema, DEFINITIONS.__getitem__)


def test_objects_with_properties_take_no_others() -> None:
    inner = {"type": "object", "properties": {"a": {}}}
    schema = closed({"type": "object", "properties": {"list": {"type": "array", "items": inner}}})
    assert schema["additionalProperties"] is False
    assert schema["properties"]["list"]["items"]["additionalProperties"] is False


@pytest.mark.parametrize("extra", [True, {"type": "string"}])
def test_what_takes_others_by_its_own_word_still_does(extra: Any) -> None:
    schema = {"type": "object", "properties": {"a": {}}, "additionalProperties": extra}
    assert closed(schema) == schema


def test_free_objects_stay_free() -> None:
    assert closed({"type": "object"}) == {"type": "object"}


def test_references_lead_to_the_closed_form() -> None:
    assert closed({"$ref": "urn:open:base"}) == {"$ref": "urn:closed:base"}


def test_all_of_objects_is_merged_before_it_is_closed() -> None:
    own = {"type": "object", "properties": {"name": {}}, "required": ["name"]}
    schema = closed({"allOf": [{"$ref": "urn:open:base"}, own]})
    assert set(schema["properties"]) == {"id", "name"}
    assert schema["required"] == ["id", "name"]
    assert schema["additionalProperties"] is False


def test_all_of_something_else_is_left_open() -> None:
    schema = {"allOf": [{"$ref": "urn:open:names"}, {"$ref": "urn:open:base"}]}
    assert closed(schema) == schema


def test_conditions_beside_properties_do_not_refuse_each_other() -> None:
    schema = closed(
        {
            "type": "object",
            "properties": {"a": {}},
            "anyOf": [{"required": ["a"]}, {"properties": {"b": {"type": "string"}}, "required": ["b"]}],
        }
    )
    assert set(schema["properties"]) == {"a", "b"}
    assert schema["additionalProperties"] is False
    assert all("additionalProperties" not in branch for branch in schema["anyOf"])


def test_alternatives_without_common_properties_are_closed_one_by_one() -> None:
    schema = closed({"oneOf": [{"type": "object", "properties": {"a": {}}}, {"type": "array", "items": {}}]})
    assert schema["oneOf"][0]["additionalProperties"] is False
