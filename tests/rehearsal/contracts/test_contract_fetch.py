from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.contracts import contract, fetch, hey_api
from rehearsal.contracts.fetch import ContractUnavailable
from rehearsal.contracts.sources import SOURCES, Source
from rehearsal.serving import running

OPENAPI = json.dumps({"openapi": "3.0.3", "paths": {}, "components": {"schemas": {}}}).encode()
MODULES = {
    "package/esm/funcs/projectsPause.js": 'import { A } from "../models/a.js";',
    "package/esm/models/a.js": 'import { B } from "./b.js";',
    "package/esm/models/b.js": "export const B = 1;",
    "package/esm/models/unused.js": "export const C = 1;",
    "package/esm/funcs/billingPay.js": 'import { C } from "../models/unused.js";',
}


def tarball(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def registry(package: str, version: str, packed: bytes) -> Starlette:
    async def metadata(request: Request) -> Response:
        dist = {
            "tarball": f"{request.base_url}tarball.tgz",
            "shasum": hashlib.sha1(packed).hexdigest(),  # noqa: S324 - npm's own field
        }
        release = {"name": package, "version": version, "dist": dist}
        return JSONResponse({"name": package, "dist-tags": {"latest": version}, "versions": {version: release}})

    async def content(request: Request) -> Response:
        return Response(packed)

    return Starlette(routes=[Route("/tarball.tgz", content), Route("/{package:path}", metadata)])


@pytest.fixture(autouse=True)
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHIPMATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    return tmp_path / "home"


@pytest.fixture
def npm_source(monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    files = {"package/big.json": b"x" * 100_000, "package/api.json": OPENAPI}
    with running(registry("@octokit/openapi", "1.0.0", tarball(files)), "registry") as server:
        monkeypatch.setenv("npm_config_registry", server.url)
        yield replace(
            SOURCES["github"], version="1.0.0", member="package/api.json", sha256=hashlib.sha256(OPENAPI).hexdigest()
        )


def test_one_file_is_taken_out_of_the_package_and_kept(npm_source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fetch.fetch(npm_source)
    assert path.read_bytes() == OPENAPI
    assert [p.name for p in path.parent.iterdir()] == ["description.json"]
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:1")
    assert fetch.fetch(npm_source) == path


def test_other_content_than_pinned_is_refused(npm_source: Source) -> None:
    with pytest.raises(ContractUnavailable, match=r"has sha256 .*, pinned is 00"):
        fetch.fetch(replace(npm_source, sha256="0" * 64))


def test_a_package_without_the_file_is_named(npm_source: Source) -> None:
    with pytest.raises(ContractUnavailable, match=r"@octokit/openapi 1\.0\.0 has no package/none\.json"):
        fetch.fetch(replace(npm_source, member="package/none.json"))


def test_an_unreachable_registry_says_what_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:1")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    with pytest.raises(ContractUnavailable, match=r"`npm pack .*` failed.*python -m rehearsal\.contracts"):
        fetch.fetch(SOURCES["github"])


def test_without_npm_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ContractUnavailable, match="npm is needed"):
        fetch.fetch(SOURCES["github"])


def test_of_an_sdk_only_our_calls_and_what_they_import_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = tarball({name: text.encode() for name, text in MODULES.items()})
    with running(registry("@vercel/sdk", "1.0.0", packed), "registry") as server:
        monkeypatch.setenv("npm_config_registry", server.url)
        with pytest.raises(ContractUnavailable, match=r"has sha256 [0-9a-f]{64}") as refused:
            fetch.fetch(replace(SOURCES["vercel"], version="1.0.0"))
        found = str(refused.value).split("has sha256 ")[1][:64]
        path = fetch.fetch(replace(SOURCES["vercel"], version="1.0.0", sha256=found))
    assert sorted(json.loads(path.read_bytes())) == ["funcs/projectsPause.js", "models/a.js", "models/b.js"]


def test_of_an_sdk_in_typescript_its_calls_and_its_types_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"package/dist/index.js": b"calls", "package/dist/types.gen.d.ts": b"types", "package/dist/more.js": b"x"}
    kept = b'{"index.js":"calls","types.gen.d.ts":"types"}'
    source = replace(SOURCES["sentry"], version="1.0.0", sha256=hashlib.sha256(kept).hexdigest())
    with running(registry("@sentry/api", "1.0.0", tarball(files)), "registry") as server:
        monkeypatch.setenv("npm_config_registry", server.url)
        assert fetch.fetch(source).read_bytes() == kept


def test_of_an_sdk_with_schemas_three_files_are_taken_and_each_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    source = replace(SOURCES["app-store"], version="1.0.0")
    files = {source.member + name: name.encode() for name in (*hey_api.FILES, "index.js")}
    with running(registry(source.package, "1.0.0", tarball(files)), "registry") as server:
        monkeypatch.setenv("npm_config_registry", server.url)
        content = json.dumps({name: name for name in sorted(hey_api.FILES)}, separators=(",", ":")).encode()
        path = fetch.fetch(replace(source, sha256=hashlib.sha256(content).hexdigest()))
        assert path.read_bytes() == content
        with pytest.raises(ContractUnavailable, match=r"has no package/other/schemas\.gen\.js"):
            fetch.fetch(replace(source, member="package/other/"))


def test_googles_come_from_the_installed_package() -> None:
    assert json.loads(fetch.fetch(SOURCES["run"]).read_bytes())["id"] == "run:v2"


def test_another_installed_version_is_refused() -> None:
    with pytest.raises(ContractUnavailable, match=r"pinned to google-api-python-client 1\.0\.0, installed is"):
        fetch.fetch(replace(SOURCES["run"], version="1.0.0"))


def test_loading_what_was_not_fetched_fails_with_the_command() -> None:
    with pytest.raises(ContractUnavailable, match=r"Get it with `make setup` or `python -m rehearsal\.contracts`"):
        contract.load("github")


def test_the_command_reports_every_failure_and_exits_1(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:1")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    done = subprocess.run(
        [sys.executable, "-m", "rehearsal.contracts"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "contract github: `npm pack" in done.stderr
    assert "contract vercel: `npm pack" in done.stderr
    assert "contract run: google-api-python-client" in done.stdout
