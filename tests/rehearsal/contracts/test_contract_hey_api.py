"""The reader of an SDK that has schemas beside its types."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.contracts import hey_api
from rehearsal.contracts.contract import load
from rehearsal.contracts.description import OperationDescription
from rehearsal.contracts.operation import Operation

SCHEMAS = """
exports.ThingSchema = {
    type: 'object',
    properties: {
        kind: { nullable: true, $ref: '#/components/schemas/Kind' },
        name: { type: 'string' }
    },
    required: ['name']
};
exports.KindSchema = { type: 'string', enum: ['A', 'B'] };
exports.gzipSchema = { type: 'string', format: 'binary' };
"""
CALLS = """
class Things {
    static thingsCreateInstance(options) {
        return (options.client ?? client_gen_1.client).post({
            security: [{ scheme: 'bearer', type: 'http' }],
            url: '/v1/things',
            ...options
        });
    }
    static thingsGetCollection(options) {
        return (options?.client ?? client_gen_1.client).get({
            querySerializer: { parameters: { 'filter[kind]': { array: { explode: false } } } },
            url: '/v1/things', ...options
        });
    }
    static thingsOwnerGetToOneRelated(options) {
        return (options.client ?? client_gen_1.client).get({ url: '/v1/things/{id}/owner', ...options });
    }
    static reportsGetCollection(options) {
        return (options.client ?? client_gen_1.client).get({ url: '/v1/reports', ...options });
    }
}
"""
TYPES = """
export type ThingsCreateInstanceData = { body: Thing; path?: never; query?: never; url: '/v1/things'; };
export type ThingsCreateInstanceResponses = {
    /**
     * Made: a thing
     */
    201: Thing;
};
export type ThingsGetCollectionData = {
    body?: never;
    query?: { 'filter[kind]'?: Array<'A' | 'B'>; limit?: number; 'exists[kind]'?: boolean; nothing?: Array<never>; };
    url: '/v1/things';
};
export type ThingsGetCollectionResponses = { 200: Thing; };
export type ThingsOwnerGetToOneRelatedData = { path: { id: string; }; url: '/v1/things/{id}/owner'; };
export type ThingsOwnerGetToOneRelatedResponses = { 200: Thing; };
export type ReportsGetCollectionData = { query: { 'filter[day]': string; }; url: '/v1/reports'; };
export type ReportsGetCollectionResponses = { 200: Gzip; };
"""


def described() -> dict[str, OperationDescription]:
    found = hey_api.describe({"schemas.gen.js": SCHEMAS, "sdk.gen.js": CALLS, "types.gen.d.ts": TYPES})
    return {f"{one.method} {one.path}": one for one in found.operations}


def test_calls_have_their_bodies_queries_and_answers() -> None:
    calls = described()
    create = calls["POST /v1/things"]
    assert (create.request, create.request_required, create.answers) == (
        {"$ref": "urn:open:Thing"},
        True,
        {"201": {"$ref": "urn:open:Thing"}},
    )
    listed = calls["GET /v1/things"]
    assert listed.request is None
    assert listed.query == {
        "filter[kind]": {"type": "array", "items": {"enum": ["A", "B"]}},
        "limit": {"type": "number"},
        "exists[kind]": {"type": "boolean"},
        "nothing": {"type": "array", "items": {"not": {}}},
        "cursor": {"type": "string"},
    }


def test_nothing_may_be_related() -> None:
    owner = described()["GET /v1/things/{id}/owner"].answers["200"]
    assert owner is not None
    assert owner["anyOf"][0] == {"$ref": "urn:open:Thing"}


def test_a_file_is_no_json_and_its_query_is_required() -> None:
    report = described()["GET /v1/reports"]
    assert (report.answers, report.query_required) == ({"200": None}, ("filter[day]",))


def test_schemas_are_openapis() -> None:
    found = hey_api.describe({"schemas.gen.js": SCHEMAS, "sdk.gen.js": "", "types.gen.d.ts": ""}).definitions
    assert found["Thing"]["properties"]["kind"] == {"anyOf": [{"$ref": "urn:open:Kind"}, {"type": "null"}]}
    assert found["Kind"] == {"type": "string", "enum": ["A", "B"]}


def operation(method: str, path: str) -> Operation:
    found = load("app-store").operation(method, path)
    assert found is not None
    return found


def upload(**attributes: Any) -> Any:
    return {
        "data": {
            "type": "buildUploads",
            "attributes": {
                "cfBundleShortVersionString": "1.0",
                "cfBundleVersion": "1",
                "platform": "IOS",
                **attributes,
            },
            "relationships": {"app": {"data": {"type": "apps", "id": "1"}}},
        }
    }


def test_app_store_requests_are_checked_to_the_last_field() -> None:
    call = operation("POST", "/v1/buildUploads")
    assert call.check_request({}, upload()) == []
    assert "'cfBundelVersion' was unexpected" in call.check_request({}, upload(cfBundelVersion="1"))[0]
    assert "'ANDROID' is not one of" in call.check_request({}, upload(platform="ANDROID"))[0]
    assert call.check_request({}, None) == ["body: is required"]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"filter[app]": ["1"], "include": ["app,preReleaseVersion"], "sort": ["-uploadedDate"]}, None),
        ({"cursor": ["Mg"], "limit": ["2"]}, None),
        ({"include": ["apps"]}, "'apps' is not one of"),
        ({"filter[number]": ["1"]}, "is not known here"),
        ({"limit": ["many"]}, "is not of type 'number'"),
    ],
)
def test_app_store_queries(query: dict[str, list[str]], problem: str | None) -> None:
    found = operation("GET", "/v1/builds").check_request(query, None)
    assert bool(found) == (problem is not None)
    assert problem is None or problem in found[0]


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (200, {"data": {"type": "buildBetaDetails", "id": "1"}, "links": {"self": "/x"}}, None),
        (200, {"data": None, "links": {"self": "/x"}}, None),
        (200, {"data": {"type": "buildBetaDetails", "id": "1", "state": "x"}, "links": {"self": "/x"}}, "'state'"),
        (404, {"errors": [{"status": "404", "code": "NOT_FOUND", "title": "t", "detail": "d"}]}, None),
        (404, {"errors": [{"status": 404, "code": "NOT_FOUND", "title": "t", "detail": "d"}]}, "404 is not of type"),
        (201, {}, "status 201: described are"),
    ],
)
def test_app_store_answers(status: int, body: Any, problem: str | None) -> None:
    found = operation("GET", "/v1/builds/1/buildBetaDetail").check_answer(status, body)
    assert bool(found) == (problem is not None)
    assert problem is None or problem in found[0]
