from __future__ import annotations

from typing import Any

import pytest

from rehearsal.contracts import discovery, javascript, openapi, speakeasy, typescript, zod

CALL = """
export function thingsCreate(client, request) { return 1; }
async function $do(client, request, options) {
    const parsed = safeParse(request, (value) => CreateRequest$outboundSchema.parse(value), "Input failed");
    const payload = parsed.value;
    const body = encodeJSON("body", payload.RequestBody, { explode: true });
    const path = pathToFunc("/v1/things/{id}")(pathParams);
    const query = encodeFormQuery({
        "teamId": payload.teamId,
        "force-new": payload.forceNew,
    });
    const requestRes = client._createRequest(context, {
        method: "POST",
    });
    const [result] = await M.match(M.json(200, Created$inboundSchema), M.nil([201, 202], z.void()), M.fail([400, "4XX"]))(response, req);
}
"""
MODELS = """
export const Target = {
    Production: "production",
    Staging: "staging",
};
/** @internal */
export const Target$outboundSchema = z.nativeEnum(Target);
export const Body$outboundSchema = z.object({
    name: z.string(),
    target: z.nullable(Target$outboundSchema).optional(), // a comment
    files: z.array(smartUnion([z.lazy(() => File$outboundSchema), z.string()])).optional(),
    meta: z.record(z.string()).optional(),
});
export const File$outboundSchema = z.object({ "file-name": z.string() });
export const CreateRequest$outboundSchema = z.object({
    id: z.string(),
    teamId: z.string(),
    forceNew: z.boolean().optional(),
    requestBody: z.lazy(() => Body$outboundSchema),
}).transform((v) => {
    return remap$(v, {
        requestBody: "RequestBody",
    });
});
export const Created$inboundSchema = z.object({
    created_at: types.date(),
    kind: types.literal("thing"),
    note: types.optional(types.string()),
    next: types.nullable(types.number()),
}).transform((v) => {
    return remap$(v, {
        "created_at": "createdAt",
    });
});
"""


@pytest.mark.parametrize(
    ("published", "plain"),
    [
        ({"type": "string", "nullable": True, "description": "x"}, {"type": ["string", "null"]}),
        ({"type": "string", "nullable": True, "enum": ["a"]}, {"type": ["string", "null"], "enum": ["a", None]}),
        (
            {"$ref": "#/components/schemas/a", "nullable": True, "title": "x"},
            {"anyOf": [{"$ref": "urn:open:a"}, {"type": "null"}]},
        ),
        ({"allOf": [{"$ref": "#/components/schemas/a"}]}, {"allOf": [{"$ref": "urn:open:a"}]}),
        (
            {"type": "object", "properties": {"description": {"type": "string", "example": "x"}}},
            {"type": "object", "properties": {"description": {"type": "string"}}},
        ),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, None),
        ({"type": "object", "additionalProperties": True}, None),
    ],
)
def test_openapi_schemas(published: dict[str, Any], plain: dict[str, Any] | None) -> None:
    assert openapi.plain(published) == (published if plain is None else plain)


def test_discovery_schemas() -> None:
    published = {
        "id": "X",
        "type": "object",
        "properties": {
            "etag": {"type": "string", "readOnly": True, "description": "x"},
            "any": {"type": "any"},
            "other": {"$ref": "Y"},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    }
    assert discovery.plain(published)["properties"] == {
        "etag": {"type": "string"},
        "any": {},
        "other": {"$ref": "urn:open:Y"},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    }


def test_an_sdk_call_becomes_an_operation() -> None:
    description = speakeasy.describe({"funcs/thingsCreate.js": CALL, "models/things.js": MODELS})
    [operation] = description.operations
    assert (operation.method, operation.path) == ("POST", "/v1/things/{id}")
    assert operation.query == {"teamId": {"type": "string"}, "force-new": {"type": "boolean"}}
    assert operation.request == {"$ref": "urn:open:Body$outboundSchema"}
    assert operation.request_required
    assert operation.answers == {
        "200": {"$ref": "urn:open:Created$inboundSchema"},
        "201": None,
        "202": None,
        "400": None,
        "4XX": None,
    }
    assert set(description.definitions) == {
        "CreateRequest$outboundSchema",
        "Body$outboundSchema",
        "Target$outboundSchema",
        "File$outboundSchema",
        "Created$inboundSchema",
    }


def test_sdk_types_become_schemas() -> None:
    definitions = speakeasy.describe({"funcs/thingsCreate.js": CALL, "models/things.js": MODELS}).definitions
    assert definitions["Target$outboundSchema"] == {"enum": ["production", "staging"]}
    body = definitions["Body$outboundSchema"]
    assert body["required"] == ["name"]
    assert body["properties"]["target"] == {"anyOf": [{"$ref": "urn:open:Target$outboundSchema"}, {"type": "null"}]}
    assert body["properties"]["files"]["items"]["anyOf"][1] == {"type": "string"}
    assert definitions["Created$inboundSchema"] == {
        "type": "object",
        "properties": {
            "created_at": {"type": ["string", "number"]},
            "kind": {"const": "thing"},
            "note": {"type": "string"},
            "next": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        },
        "required": ["created_at", "kind", "next"],
    }


@pytest.mark.parametrize("text", ["z.bigint()", "z.string().email()", "Thing"])
def test_an_unknown_construct_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"unknown zod|not the name"):
        zod.schema_of(javascript.read(text), {}.__getitem__, outbound=False)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{ a: 1, "b c": [true, null,], }', {"a": 1, "b c": [True, None]}),
        ("'it\\'s \"x\"'", 'it\'s "x"'),
        ("-1.5e3", -1500.0),
        ('z\n    .string()', javascript.Call(javascript.Member(javascript.Name("z"), "string"), ())),
    ],
)  # fmt: skip
def test_javascript_expressions(text: str, value: Any) -> None:
    assert javascript.read(text) == value


def test_a_block_is_taken_whole_though_strings_hold_braces() -> None:
    call = javascript.read('f((v) => { return g("}", { a: 1 }); }, 2)')
    assert call.arguments == (javascript.Arrow('{ return g("}", { a: 1 }); }'), 2)


@pytest.mark.parametrize("text", ["{ a 1 }", "a + ", "[1 2", "`x`"])
def test_what_is_not_understood_raises(text: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        node = javascript.read(f"f({text})")
        assert node is None


HEY_CALLS = """
var buildUrl = (options) => client.buildUrl(options);
var listAThing_sParts = (options) => (options.client ?? client).get({
  security: [{ scheme: "bearer", type: "http" }],
  url: "/api/0/things/{thing}/parts/",
  ...options
});
var addAPart = (options) => (options.client ?? client).post({
  url: "/api/0/parts/",
  ...options,
  headers: { "Content-Type": "application/json" }
});
"""
HEY_TYPES = """
/**
 * A part; it's `{ small }`.
 */
export type Part = {
    id: string;
    readonly weight?: number | null;
    kind: 'small' | 'large' | 3;
    tags: Array<[string, number]>;
    [key: string]: unknown;
};
export type ListAThingSpartsData = {
    body?: never;
    path: {
        thing: string;
    };
    query?: {
        /**
         * How many; "all" is no number.
         */
        'per-page'?: number;
        kinds: Array<string>;
    };
    url: '/api/0/things/{thing}/parts/';
};
export type ListAThingSpartsErrors = {
    400: unknown;
};
export type ListAThingSpartsResponses = {
    200: Array<Part>;
    204: void;
};
export type ListAThingSpartsResponse = ListAThingSpartsResponses[keyof ListAThingSpartsResponses];
export type AddAPartData = {
    body: Part & (
        { note: string; } | { file: Blob; }
    );
    path?: never;
    query?: never;
    url: '/api/0/parts/';
};
"""


def test_a_call_of_an_sdk_in_typescript_becomes_an_operation() -> None:
    description = typescript.describe({typescript.CALLS: HEY_CALLS, typescript.TYPES: HEY_TYPES})
    listed, added = description.operations
    assert (listed.method, listed.path, listed.request) == ("GET", "/api/0/things/{thing}/parts/", None)
    assert listed.query == {
        "per-page": {"type": "number"},
        "kinds": {"type": "array", "items": {"type": "string"}},
    }
    assert listed.query_required == ("kinds",)
    assert listed.answers == {"200": {"type": "array", "items": {"$ref": "urn:open:Part"}}, "204": None, "400": None}
    assert (added.method, added.query, added.request_required, added.answers) == ("POST", {}, True, {})
    assert added.request is not None
    assert added.request["allOf"][0] == {"$ref": "urn:open:Part"}
    assert added.request["allOf"][1]["anyOf"][1] == {"type": "object", "properties": {"file": {}}, "required": ["file"]}


def test_types_in_typescript_become_schemas() -> None:
    definitions = typescript.describe({typescript.CALLS: "", typescript.TYPES: HEY_TYPES}).definitions
    assert "ListAThingSpartsResponse" not in definitions, "says what another type says"
    assert definitions["Part"] == {
        "type": "object",
        "additionalProperties": {},
        "properties": {
            "id": {"type": "string"},
            "weight": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "kind": {"enum": ["small", "large", 3]},
            "tags": {
                "type": "array",
                "items": {
                    "type": "array",
                    "prefixItems": [{"type": "string"}, {"type": "number"}],
                    "items": False,
                    "minItems": 2,
                },
            },
        },
        "required": ["id", "kind", "tags"],
    }


@pytest.mark.parametrize(
    "text", ["{ a string; };", "{ a: ; };", "Array<string;", "(string;", "`a`;", "{ [name: string]: string; };"]
)
def test_a_type_that_is_not_understood_raises(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a type|expected"):
        typescript.describe({typescript.CALLS: "", typescript.TYPES: f"export type A = {text}\n"})


def test_a_call_without_its_types_is_named() -> None:
    with pytest.raises(ValueError, match="its call listAThing_sParts sends"):
        typescript.describe({typescript.CALLS: HEY_CALLS, typescript.TYPES: ""})
