"""The OCI distribution API, by hand and by skopeo."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rehearsal.base_image import BaseImage, stand_in_base
from rehearsal.emulators.google.errors import GoogleError
from rehearsal.emulators.registry.app import Registry
from rehearsal.emulators.registry.base import seed_base
from rehearsal.emulators.registry.blobs import digest_of
from tests.rehearsal.emulators.in_process import InProcess, served

NAME = "techmate-delivery/platform/backend"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
IMAGE = stand_in_base()


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "registry")


@pytest.fixture
def client(registry: Registry) -> InProcess:
    return InProcess(registry.app)


def push_blob(client: InProcess, content: bytes, name: str = NAME) -> str:
    digest = digest_of(content)
    answer = client.post(f"/v2/{name}/blobs/uploads/", params={"digest": digest}, content=content)
    assert answer.status_code == 201, answer.text
    return digest


def push(client: InProcess, image: BaseImage = IMAGE, tag: str = "v1.0.0", name: str = NAME) -> str:
    for content in (image.config, image.layer):
        push_blob(client, content, name)
    answer = client.put(f"/v2/{name}/manifests/{tag}", content=image.manifest, headers={"Content-Type": MANIFEST})
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Docker-Content-Digest"])


def error(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


def test_an_image_is_pushed_and_read_by_tag_and_by_digest(client: InProcess) -> None:
    digest = push(client)
    assert digest == IMAGE.digest
    for reference in ("v1.0.0", digest):
        answer = client.get(f"/v2/{NAME}/manifests/{reference}")
        assert (answer.content, answer.headers["content-type"]) == (IMAGE.manifest, MANIFEST)
        head = client.request("HEAD", f"/v2/{NAME}/manifests/{reference}")
        assert (head.headers["Docker-Content-Digest"], head.content) == (digest, b"")
        assert int(head.headers["content-length"]) == len(IMAGE.manifest)
    layer = digest_of(IMAGE.layer)
    assert client.get(f"/v2/{NAME}/blobs/{layer}").content == IMAGE.layer
    assert client.request("HEAD", f"/v2/{NAME}/blobs/{layer}").headers["content-length"] == str(len(IMAGE.layer))


def test_a_blob_arrives_in_chunks_in_order(client: InProcess) -> None:
    content = b"0123456789" * 1000
    location = client.post(f"/v2/{NAME}/blobs/uploads/").headers["location"]
    first = client.patch(location, content=content[:4000], headers={"Content-Range": "0-3999"})
    assert (first.status_code, first.headers["range"]) == (202, "0-3999")
    late = client.patch(location, content=content[5000:], headers={"Content-Range": "5000-9999"})
    assert (late.status_code, late.json()["errors"][0]["code"]) == (416, "BLOB_UPLOAD_INVALID")
    assert client.get(location).headers["range"] == "0-3999"
    client.patch(location, content=content[4000:8000])
    done = client.put(location, params={"digest": digest_of(content)}, content=content[8000:])
    assert done.status_code == 201
    assert client.get(done.headers["location"]).content == content
    assert error(client.get(location)) == (404, "BLOB_UPLOAD_UNKNOWN")


def test_content_that_does_not_match_its_digest_is_dropped(client: InProcess, tmp_path: Path) -> None:
    wrong = digest_of(b"something else")
    answer = client.post(f"/v2/{NAME}/blobs/uploads/", params={"digest": wrong}, content=b"content")
    assert error(answer) == (400, "DIGEST_INVALID")
    assert error(client.get(f"/v2/{NAME}/blobs/{wrong}")) == (404, "BLOB_UNKNOWN")
    assert list((tmp_path / "registry" / "uploads").iterdir()) == []


def test_a_blob_is_mounted_from_another_repository(client: InProcess) -> None:
    digest = push_blob(client, b"layer", name="techmate-delivery/platform/base")
    mount = {"mount": digest, "from": "techmate-delivery/platform/base"}
    assert error(client.get(f"/v2/{NAME}/blobs/{digest}")) == (404, "NAME_UNKNOWN")
    assert client.post(f"/v2/{NAME}/blobs/uploads/", params=mount).status_code == 201
    assert client.get(f"/v2/{NAME}/blobs/{digest}").content == b"layer"
    missing = client.post(f"/v2/{NAME}/blobs/uploads/", params={**mount, "mount": digest_of(b"unknown")})
    assert missing.status_code == 202
    assert client.delete(missing.headers["location"]).status_code == 204


def test_a_manifest_waits_for_its_parts(client: InProcess) -> None:
    headers = {"Content-Type": MANIFEST}
    refused = client.put(f"/v2/{NAME}/manifests/v1", content=IMAGE.manifest, headers=headers)
    assert error(refused) == (400, "MANIFEST_BLOB_UNKNOWN")
    push(client)
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}
    index["manifests"] = [{"mediaType": MANIFEST, "digest": IMAGE.digest, "size": len(IMAGE.manifest)}]
    accepted = client.put(
        f"/v2/{NAME}/manifests/multi", content=json.dumps(index), headers={"Content-Type": str(index["mediaType"])}
    )
    assert accepted.status_code == 201


def test_tags_and_catalog_are_listed_in_pages(client: InProcess) -> None:
    for tag in ("v1", "v2", "v3"):
        push(client, tag=tag)
    push(client, name="techmate-delivery/platform/base")
    assert client.get(f"/v2/{NAME}/tags/list").json() == {"name": NAME, "tags": ["v1", "v2", "v3"]}
    page = client.get(f"/v2/{NAME}/tags/list", params={"n": 2})
    assert page.json()["tags"] == ["v1", "v2"]
    following = page.headers["link"].split(">")[0].lstrip("<")
    assert client.get(following).json()["tags"] == ["v3"]
    assert client.get("/v2/_catalog").json() == {"repositories": [NAME, NAME.replace("backend", "base")]}


def test_a_manifest_is_deleted_with_its_tags(client: InProcess) -> None:
    digest = push(client)
    assert client.delete(f"/v2/{NAME}/manifests/{digest}").status_code == 202
    assert error(client.get(f"/v2/{NAME}/manifests/v1.0.0")) == (404, "MANIFEST_UNKNOWN")
    assert client.get(f"/v2/{NAME}/tags/list").json()["tags"] == []


def test_an_immutable_tag_never_moves(tmp_path: Path) -> None:
    client = InProcess(Registry(tmp_path, immutable=frozenset({"techmate-delivery/platform"})).app)
    digest = push(client)
    assert push(client) == digest
    other = stand_in_base("2.7")
    for content in (other.config, other.layer):
        push_blob(client, content)
    moved = client.put(f"/v2/{NAME}/manifests/v1.0.0", content=other.manifest, headers={"Content-Type": MANIFEST})
    assert error(moved) == (400, "MANIFEST_INVALID")
    assert error(client.delete(f"/v2/{NAME}/manifests/{digest}")) == (400, "MANIFEST_INVALID")
    assert client.request("HEAD", f"/v2/{NAME}/manifests/v1.0.0").headers["Docker-Content-Digest"] == digest


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", f"/v2/{NAME}/manifests/none", (404, "NAME_UNKNOWN")),
        ("POST", "/v2/UPPER/blobs/uploads/", (400, "NAME_INVALID")),
        ("GET", f"/v2/{NAME}/blobs/sha1:abc", (400, "DIGEST_INVALID")),
        ("PATCH", f"/v2/{NAME}/manifests/v1", (405, "UNSUPPORTED")),
        ("PUT", f"/v2/{NAME}/manifests/v1", (400, "MANIFEST_INVALID")),
        ("GET", "/v2/nothing", (404, "NAME_UNKNOWN")),
    ],
)
def test_bad_requests(client: InProcess, method: str, path: str, expected: tuple[int, str]) -> None:
    assert error(client.request(method, path)) == expected


def only_google(token: str | None, permission: str, resource: str, /) -> str:
    if token not in ("google-token", "reader-token"):
        raise GoogleError("UNAUTHENTICATED", "unknown token")
    if token == "reader-token" and not permission.endswith("downloadArtifacts"):
        raise GoogleError("PERMISSION_DENIED", f"{permission} on {resource}")
    return "deploy@techmate-delivery"


def test_the_challenge_leads_to_a_token_that_works(tmp_path: Path) -> None:
    client = InProcess(Registry(tmp_path, authorise=only_google).app)
    refused = client.get(f"/v2/{NAME}/tags/list")
    assert error(refused) == (401, "UNAUTHORIZED")
    challenge = refused.headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="http://world.test/v2/token"')
    assert f'scope="repository:{NAME}:pull"' in challenge
    real = client.get("/v2/", headers={"Host": "europe-west1-docker.pkg.dev"}).headers["www-authenticate"]
    assert 'realm="https://europe-west1-docker.pkg.dev/v2/token"' in real
    basic = base64.b64encode(b"oauth2accesstoken:google-token").decode()
    token = client.get("/v2/token", headers={"Authorization": f"Basic {basic}"}).json()["token"]
    for value in (token, "google-token"):
        assert client.get("/v2/_catalog", headers={"Authorization": f"Bearer {value}"}).status_code == 200
    assert client.get("/v2/_catalog", headers={"Authorization": f"Basic {basic}"}).status_code == 200
    assert client.get("/v2/_catalog", headers={"Authorization": "Bearer made-up"}).status_code == 401
    reader = {"Authorization": "Bearer reader-token"}
    assert error(client.post(f"/v2/{NAME}/blobs/uploads/", headers=reader)) == (403, "DENIED")


def test_a_snapshot_brings_everything_back(registry: Registry, client: InProcess, tmp_path: Path) -> None:
    push(client)
    saved = json.loads(json.dumps(registry.save()))
    other = Registry(tmp_path / "registry")
    other.load(saved)
    assert InProcess(other.app).get(f"/v2/{NAME}/manifests/v1.0.0").content == IMAGE.manifest
    registry.reset()
    with pytest.raises(FileNotFoundError, match=NAME):
        Registry(tmp_path / "registry").load(saved)


def test_the_stand_in_base_is_the_same_every_time(registry: Registry, client: InProcess) -> None:
    assert stand_in_base() == stand_in_base()
    assert stand_in_base("3.12").digest != stand_in_base("3.11").digest
    ours = f"PYTHON_VERSION={sys.version_info.major}.{sys.version_info.minor}"
    assert ours in json.loads(IMAGE.config)["config"]["Env"]
    digest = seed_base(registry.repositories, "techmate-delivery/platform/base", "3.11")
    answer = client.get("/v2/techmate-delivery/platform/base/manifests/3.11")
    assert answer.headers["Docker-Content-Digest"] == digest == IMAGE.digest


def skopeo(*arguments: str) -> str:
    program = shutil.which("skopeo")
    assert program is not None, "skopeo is needed: apt-get install --no-install-recommends skopeo"
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_skopeo_logs_in_copies_and_inspects(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry", authorise=only_google)
    digest = seed_base(registry.repositories, "techmate-delivery/platform/base", "3.11")
    with served(registry.app) as url:
        host = url.removeprefix("http://")
        source, target = f"docker://{host}/techmate-delivery/platform/base:3.11", f"docker://{host}/{NAME}:v1.0.0"
        secret = "oauth2accesstoken:google-token"
        skopeo(
            "--insecure-policy", "copy", "--src-tls-verify=false", "--dest-tls-verify=false",
            "--src-creds", secret, "--dest-creds", secret, source, target,
        )  # fmt: skip
        seen = json.loads(skopeo("inspect", "--tls-verify=false", "--creds", secret, target))
        assert (seen["Digest"], seen["RepoTags"]) == (digest, ["v1.0.0"])
        folder = tmp_path / "layout"
        skopeo("--insecure-policy", "copy", "--src-tls-verify=false", "--src-creds", secret, target, f"dir:{folder}")
        assert (folder / digest_of(IMAGE.layer).removeprefix("sha256:")).read_bytes() == IMAGE.layer
