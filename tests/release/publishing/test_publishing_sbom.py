"""SBOMs: what the lock files pin, valid by CycloneDX's own schema, the same for the same commit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from pipelines.errors import InputError
from release.publishing.sbom import sbom

ROOT = Path(__file__).resolve().parents[3]
LOCK = {
    "lockfileVersion": 3,
    "packages": {
        "": {"name": "web", "version": "1.0.0", "dependencies": {"a": "^1"}},
        "node_modules/a": {
            "version": "1.0.0",
            "integrity": "sha512-aGFsbG8=",
            "license": "MIT",
            "dependencies": {"b": "1"},
        },
        "node_modules/a/node_modules/b": {"version": "1.5.0"},
        "node_modules/b": {"version": "2.0.0", "dev": True},
        "node_modules/@s/c": {"version": "3.0.0", "optionalDependencies": {"b": "2", "gone": "1"}},
        "packages/own": {"version": "1.0.0"},
        "node_modules/own": {"link": True},
    },
}
PINNED = """\
anyio==4.16.0 \\
    --hash=sha256:59bb
    # via starlette
Async_Timeout==5.0.1 ; python_full_version < '3.11.3' \\
    --hash=sha256:39e3
psycopg[binary,pool]==3.2.1
"""


def made(lock: str, text: str) -> dict[str, Any]:
    bom: dict[str, Any] = json.loads(sbom("part", "1.2.0", lock, text, commit="a" * 40, time=1_700_000_000))
    return bom


def test_requirements() -> None:
    bom = made("apps/backend/requirements.txt", PINNED)
    assert [(part["name"], part["version"], part["purl"]) for part in bom["components"]] == [
        ("anyio", "4.16.0", "pkg:pypi/anyio@4.16.0"),
        ("async-timeout", "5.0.1", "pkg:pypi/async-timeout@5.0.1"),
        ("psycopg", "3.2.1", "pkg:pypi/psycopg@3.2.1"),
    ]
    assert bom["metadata"]["component"]["version"] == "1.2.0"
    assert bom["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"


def test_package_lock__resolves_as_node_does() -> None:
    bom = made("package-lock.json", json.dumps(LOCK))
    parts = {part["bom-ref"].split("#")[1]: part for part in bom["components"]}
    assert set(parts) == {"node_modules/a", "node_modules/a/node_modules/b", "node_modules/b", "node_modules/@s/c"}
    assert parts["node_modules/a"]["hashes"] == [{"alg": "SHA-512", "content": b"hallo".hex()}]
    assert parts["node_modules/a"]["licenses"] == [{"license": {"name": "MIT"}}]
    assert (parts["node_modules/b"]["scope"], parts["node_modules/a"]["scope"]) == ("excluded", "required")
    assert parts["node_modules/@s/c"]["purl"] == "pkg:npm/%40s/c@3.0.0"
    needs = {
        each["ref"].split("#")[-1]: [on.split("#")[1] for on in each.get("dependsOn", [])]
        for each in bom["dependencies"]
    }
    assert needs["node_modules/a"] == ["node_modules/a/node_modules/b"], "its own copy before the one above"
    assert needs["node_modules/@s/c"] == ["node_modules/b"]


@pytest.mark.parametrize("lock", ["apps/backend/requirements.txt", "apps/web/package-lock.json"])
def test_own_lock_files__are_valid_by_the_schema_and_the_same_twice(lock: str) -> None:
    import cyclonedx.schema._res as schemas

    text = (ROOT / lock).read_text()
    first = sbom("part", "1.2.0", lock, text, commit="a" * 40, time=1_700_000_000)
    assert first == sbom("part", "1.2.0", lock, text, commit="a" * 40, time=1_700_000_000)
    schema = json.loads(Path(schemas.BOM_JSON_STRICT[_version(schemas)]).read_text())
    problems = [error.message for error in Draft7Validator(_local(schema)).iter_errors(json.loads(first))]
    assert problems == []
    assert len(json.loads(first)["components"]) > 10


def _version(schemas: Any) -> Any:
    from cyclonedx.schema import SchemaVersion

    return SchemaVersion.V1_6


def _local(schema: Any) -> Any:
    """The schema without the two it refers to (licence identifiers, signatures), of which we write none."""
    if isinstance(schema, dict):
        if str(schema.get("$ref", "")).startswith(("spdx", "jsf")):
            return {}
        return {key: _local(value) for key, value in schema.items()}
    return [_local(item) for item in schema] if isinstance(schema, list) else schema


@pytest.mark.parametrize(
    ("lock", "text"), [("a.json", "{"), ("a.json", "{}"), ("a.json", '{"packages": {}}'), ("r.txt", "flask>=1\n")]
)
def test_lock_file__that_pins_nothing__is_refused(lock: str, text: str) -> None:
    with pytest.raises(InputError):
        made(lock, text)


@pytest.mark.parametrize(
    "line",
    [
        "requests>=2",
        "requests",
        "requests==2.*",
        "foo @ git+https://example.com/foo@abc",
        "-e ./local",
        "./local",
        "https://example.com/foo-1.0-py3-none-any.whl",
        "foo==1 bar==2",
        "--unknown-option",
        'name = "x"',
    ],
)
def test_requirements__line_that_pins_nothing__is_an_error_with_file_and_line(line: str) -> None:
    with pytest.raises(InputError) as raised:
        made("a/requirements.txt", f"# first\nanyio==4.16.0 \\\n    --hash=sha256:59bb\n\n{line}\n")
    assert raised.value.where == "a/requirements.txt:5"
    assert line in raised.value.what
    assert "name==version" in raised.value.next_step


def test_requirements__every_way_to_pin() -> None:
    text = """\
--index-url https://pypi.example.com/simple
-i https://pypi.example.com/simple
--require-hashes
bar === 1.0
spaced == 2.0  # a comment
url-pkg[extra]==1.2 ; python_version<'3' --hash=sha256:ab
(unused) # no
"""
    with pytest.raises(InputError, match="unused"):
        made("r.txt", text)
    bom = made("r.txt", text.replace("(unused) # no\n", "last==3\\\n"))
    assert [(part["name"], part["version"]) for part in bom["components"]] == [
        ("bar", "1.0"),
        ("last", "3"),
        ("spaced", "2.0"),
        ("url-pkg", "1.2"),
    ]


def test_requirements__one_name_for_several_platforms() -> None:
    bom = made("r.txt", "a==1 ; python_version < '3.12'\na==2 ; python_version >= '3.12'\na==2\n")
    assert [part["version"] for part in bom["components"]] == ["1", "2"]


def test_requirements__included_files_are_read() -> None:
    files = {"a/base.txt": "-r ../b/deep.txt\nbase==1\n", "b/deep.txt": "deep==2\n", "a/loop.txt": "-r loop.txt\n"}

    def names(text: str) -> list[str]:
        found = sbom("part", "1", "a/r.txt", text, commit="a" * 40, time=1, other=files.get)
        return [part["name"] for part in json.loads(found)["components"]]

    assert names("-r base.txt\n-c constraints.txt\ntop==3\n") == ["base", "deep", "top"]
    assert names("--requirement=base.txt\n") == names("-rbase.txt\n") == ["base", "deep"]
    with pytest.raises(InputError, match=r"a/r\.txt:2: a/gone\.txt is not in the commit"):
        names("top==3\n-r gone.txt\n")
    with pytest.raises(InputError, match=r"a/loop\.txt:1: a/loop\.txt includes itself"):
        names("-r loop.txt\n")
