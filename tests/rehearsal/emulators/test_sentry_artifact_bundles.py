"""Chunks and bundles: what is refused in Sentry's words, and what is found wrong when a bundle is put together."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from rehearsal.emulators.sentry.app import Sentry
from rehearsal.serving import running

ID = "0f1e2d3c-4b5a-5678-9abc-def012345678"
BUNDLE = "11111111-2222-5333-9444-555555555555"
FILES = {
    "files/_/_/app.js": {"type": "minified_source", "url": "~/app.js", "headers": {"debug-id": ID}},
    "files/_/_/app.js.map": {"type": "source_map", "url": "~/app.js.map", "headers": {"Debug-Id": ID.upper()}},
}


class Client:
    """An uploader."""

    def __init__(self, sentry: Sentry, url: str) -> None:
        self.sentry, self.url = sentry, url

    def call(
        self, method: str, path: str, *, token: str = "publisher", organization: str = "techmate", **more: Any
    ) -> requests.Response:
        url = f"{self.url}/api/0/organizations/{organization}/{path}/"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.request(method, url, headers=headers, timeout=5, **more)

    def send(self, *chunks: bytes, names: tuple[str, ...] = (), field: str = "file") -> requests.Response:
        named = zip(names or map(sha1, chunks), chunks, strict=True)
        parts = [(field, (name, gzip.compress(chunk) if field == "file_gzip" else chunk)) for name, chunk in named]
        return self.call("POST", "chunk-upload", files=parts)

    def assemble(self, content: bytes, **more: Any) -> Any:
        body = {"checksum": sha1(content), "chunks": [sha1(content)], "projects": ["web"]} | more
        return self.call("POST", "artifactbundle/assemble", json=body).json()

    def result(self, content: bytes) -> Any:
        """What becomes of a bundle of one chunk."""
        assert self.send(content).status_code == 200
        return [self.assemble(content) for _ in range(3)][-1]


def sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def bundle(files: Any = None, magic: bytes = b"SYSB\x02\0\0\0", held: tuple[str, ...] = tuple(FILES)) -> bytes:
    stream = io.BytesIO(magic)
    stream.seek(len(magic))
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("manifest.json", json.dumps({"debug_id": BUNDLE, "files": FILES if files is None else files}))
        for name in held:
            archive.writestr(name, name)
    return stream.getvalue()


@pytest.fixture
def client() -> Iterator[Client]:
    sentry = Sentry(tokens={"publisher": ("org:ci",), "releases": ("project:releases",), "reader": ("org:read",)})
    with running(sentry.app) as server:
        yield Client(sentry, server.url)


def test_a_bundle_is_there_when_it_was_put_together_of_its_chunks(client: Client) -> None:
    whole = bundle()
    half = len(whole) // 2
    chunks = {"chunks": [sha1(whole[:half]), sha1(whole[half:])]}
    assert client.assemble(whole, **chunks) == {"state": "not_found", "missingChunks": chunks["chunks"]}
    assert client.send(whole[:half]).content == b""
    assert client.assemble(whole, **chunks) == {"state": "not_found", "missingChunks": chunks["chunks"][1:]}
    assert client.send(whole[half:], field="file_gzip").status_code == 200
    states = [client.assemble(whole, **chunks)["state"] for _ in range(4)]
    assert states == ["created", "assembling", "ok", "ok"]
    assert client.sentry.organization.source_maps("web") == {ID: "files/_/_/app.js.map"}
    assert client.sentry.organization.source_maps("mobile") == {}
    saved = json.loads(json.dumps(client.sentry.save()))
    client.sentry.reset()
    assert client.sentry.organization.source_maps("web") == {}
    assert client.assemble(whole, **chunks)["state"] == "not_found"
    client.sentry.load(saved)
    assert client.sentry.organization.source_maps("web") == {ID: "files/_/_/app.js.map"}


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"no archive", "Failed to open the bundle: File is not a zip file"),
        (bundle(magic=b""), "invalid magic"),
        (bundle(held=()), "There is no item named"),
        (bundle(files={"files/_/_/app.js": {"type": "script", "url": "~/app.js"}}), "invalid type script"),
        (bundle(files={"files/_/_/app.js": {"type": "source", "url": "~/app.js", "headers": {"debug-id": "x"}}}), "badly formed"),
        (bundle(files=[1]), "Failed to open the bundle"),
    ],
)  # fmt: skip
def test_a_bundle_that_is_none_ends_as_an_error(client: Client, content: bytes, detail: str) -> None:
    found = client.result(content)
    assert (found["state"], found["missingChunks"]) == ("error", [])
    assert detail in found["detail"]
    assert client.sentry.organization.bundles == {}


def test_chunks_of_something_else_are_no_bundle(client: Client) -> None:
    assert client.send(b"other").status_code == 200
    other = {"chunks": [sha1(b"other")]}
    found = [client.assemble(bundle(), **other) for _ in range(3)][-1]
    assert (found["state"], found["detail"]) == ("error", "Reported checksum mismatch")


def test_chunks_are_taken_by_their_sums_and_within_limits(client: Client) -> None:
    client.sentry.organization.chunk_size = 4
    options = client.call("GET", "chunk-upload").json()
    assert (options["chunkSize"], options["hashAlgorithm"]) == (4, "sha1")
    assert options["url"] == f"{client.url}/api/0/organizations/techmate/chunk-upload/"
    assert client.send(b"12345").json() == {"error": "Chunk size too large"}
    assert client.send(b"1234", names=("0" * 40,)).json() == {"error": "Checksum mismatch"}
    assert client.send(*[b"%d" % number for number in range(65)]).json() == {"error": "Too many chunks"}
    assert client.sentry.organization.chunks == {}
    assert client.call("POST", "chunk-upload", data=b"").status_code == 200, "nothing sent is well"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"checksum": "x"}, "The checksum field is required"),
        ({"chunks": ["x"]}, "The chunks field is required"),
        ({"chunks": "0" * 40}, "The chunks field is required"),
        ({"projects": "web"}, "The projects field is required"),
        ({"projects": []}, "You need to specify at least one project"),
        ({"projects": ["desktop"]}, "One or more projects are invalid"),
        ({"more": 1}, "Invalid json body"),
    ],
)
def test_what_is_asked_wrongly_is_refused(client: Client, body: Any, message: str) -> None:
    assert client.assemble(b"", **body)["error"].startswith(message)


def test_looking_for_a_bundle_begins_none(client: Client) -> None:
    assert client.assemble(b"", chunks=[]) == {"state": "not_found", "missingChunks": []}
    assert client.sentry.organization.assemblies == {}


def test_what_is_there_is_listed_and_found_by_debug_ids(client: Client) -> None:
    client.result(bundle())
    path = "files/artifact-bundles"

    def found(query: str, project: str = "web") -> list[Any]:
        url = f"{client.url}/api/0/projects/techmate/{project}/{path}/"
        answer = requests.get(url, params={"query": query}, headers={"Authorization": "Bearer publisher"}, timeout=5)
        listed: list[Any] = answer.json() if answer.status_code == 200 else [answer.status_code]
        return listed

    [one] = found("")
    assert (one["bundleId"], one["fileCount"]) == (BUNDLE, 2)
    assert found(ID.upper()) == found(BUNDLE) == [one]
    assert found("0" * 36) == found(ID, "mobile") == []
    assert found("", "desktop") == [404]


def test_only_who_may_announce_releases_brings_source_maps(client: Client) -> None:
    for method, path in (("GET", "chunk-upload"), ("POST", "chunk-upload"), ("POST", "artifactbundle/assemble")):
        assert client.call(method, path, token="reader", json={}).status_code == 403
        assert client.call(method, path, token="", json={}).status_code == 401
        assert client.call(method, path, token="another", json={}).status_code == 401
        assert client.call(method, path, organization="else", json={}).status_code == 404
    assert client.call("GET", "chunk-upload", token="releases").status_code == 200
