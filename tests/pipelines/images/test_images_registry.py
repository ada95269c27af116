"""The registry client against the world's registry, with faults between them."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pipelines import images
from pipelines.errors import CredentialsError, InputError, ProviderError
from pipelines.faults import Policy
from pipelines.http import Http
from pipelines.images import files, layout
from pipelines.images.assemble import assemble
from pipelines.images.model import Blob, BuiltImage, Reference
from pipelines.images.registry import Registry
from pipelines.images.registry_auth import docker_logins, gives_tokens, google
from pipelines.images.store import Store
from pipelines.overlay import Overlay
from rehearsal.emulators.google.errors import GoogleError
from rehearsal.emulators.registry.app import Registry as Emulator
from rehearsal.emulators.registry.base import seed_base
from rehearsal.serving import cut, running
from tests.pipelines.images.repository import component, make

HOST = "europe-west1-docker.pkg.dev"
NAME = "techmate-delivery/platform/backend"
REPOSITORY = f"{HOST}/{NAME}"
REQUESTS = 13
"""Of one push: each of them is cut in turn."""
QUICK = Policy(sleep=lambda seconds: None)

Rule = Callable[[Scope], bool]


@dataclass
class Faulty:
    """Passes requests on, and keeps what was asked; `cuts` are rules, each of which breaks one connection."""

    app: ASGIApp
    cuts: list[Rule] = field(default_factory=list)
    after: bool = False
    asked: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(f"{scope['method']} {scope['path']}")
        rule = next((rule for rule in self.cuts if rule(scope)), None)
        if rule is None:
            await self.app(scope, receive, send)
            return
        self.cuts.remove(rule)
        if self.after:
            await self.app(scope, receive, _swallow)
        await cut(scope, receive)

    def sent(self, beginning: str) -> int:
        return sum(line.startswith(beginning) for line in self.asked)


async def _swallow(message: object) -> None:
    return None


@dataclass(frozen=True)
class World:
    emulator: Emulator
    faulty: Faulty
    registry: Registry
    base: str


@contextlib.contextmanager
def world(tmp_path: Path, authorise: Callable[[str | None, str, str], str] | None = None) -> Iterator[World]:
    emulator = Emulator(tmp_path / "registry", authorise=authorise)
    digest = seed_base(emulator.repositories, "library/python", "3.11-slim")
    faulty = Faulty(emulator.app)
    with running(faulty) as server:
        http = Http(overlay=Overlay(hosts={HOST: server.url}), policy=QUICK)
        credentials = google(lambda: "good-token", lambda host: None)
        registry = Registry(http, credentials=credentials, store=Store(tmp_path / "store"))
        yield World(emulator, faulty, registry, f"{HOST}/library/python:3.11-slim@{digest}")


def built(tmp_path: Path, world: World) -> BuiltImage:
    repo = tmp_path / "repo"
    if not repo.exists():
        make(repo)
    registry = world.registry
    return assemble(
        component(world.base),
        repo,
        "HEAD",
        fetch=registry.fetch,
        store=registry.store,
        source="https://github.com/t/p",
        bases={},
    )


def test_an_image_is_built_pushed_and_found_by_digest(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        image = built(tmp_path, w)
        assert not w.registry.exists(f"{REPOSITORY}:abc")
        before = len(w.faulty.asked)
        reference = w.registry.push(image, REPOSITORY, ["abc"])
        assert len(w.faulty.asked) - before == REQUESTS
        assert reference == f"{REPOSITORY}@{image.digest}"
        assert w.registry.resolve(f"{REPOSITORY}:abc") == image.digest
        assert w.registry.exists(reference)
        # The base's layer was linked by the registry, not carried through this machine.
        assert w.faulty.sent("GET /v2/library/python/blobs/") == 1
        assert w.registry.tag(reference, ["v1.0.0"]) == reference
        assert w.registry.resolve(f"{REPOSITORY}:v1.0.0") == image.digest
        with pytest.raises(InputError, match="there is no"):
            w.registry.resolve(f"{REPOSITORY}:never")


def test_a_second_push_sends_no_blob(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        image = built(tmp_path, w)
        w.registry.push(image, REPOSITORY)
        before = w.faulty.sent("POST")
        w.registry.push(image, REPOSITORY, ["again"])
        assert w.faulty.sent("POST") == before


def _reference(text: str) -> Reference:
    return Reference.parse(text)


@pytest.mark.parametrize("after", [False, True], ids=["before the effect", "after the effect"])
@pytest.mark.parametrize("number", range(REQUESTS))
def test_a_push_survives_a_cut_at_every_request(tmp_path: Path, number: int, after: bool) -> None:
    with world(tmp_path) as w:
        image = built(tmp_path, w)
        w.faulty.asked.clear()
        w.faulty.after = after
        w.faulty.cuts.append(lambda scope: len(w.faulty.asked) == number + 1)
        reference = w.registry.push(image, REPOSITORY, ["abc"])
        assert not w.faulty.cuts, f"the push made only {len(w.faulty.asked)} requests"
        assert w.registry.resolve(f"{REPOSITORY}:abc") == image.digest
        assert all(w.registry.fetch(_reference(reference), "blobs", blob.digest) for blob in image.blobs)


def test_a_token_is_fetched_once_for_a_challenge(tmp_path: Path) -> None:
    def authorise(token: str | None, permission: str, resource: str) -> str:
        if token != "good-token":
            raise GoogleError("UNAUTHENTICATED", "no")
        return "account"

    with world(tmp_path, authorise) as w:
        w.registry.push(built(tmp_path, w), REPOSITORY, ["abc"])
        # One for each repository and kind of access, not one for each request.
        assert w.faulty.sent("GET /v2/token") == 3


def test_refused_credentials_name_the_repository(tmp_path: Path) -> None:
    def authorise(token: str | None, permission: str, resource: str) -> str:
        raise GoogleError("PERMISSION_DENIED", "needs artifactregistry.repositories.uploadArtifacts")

    with world(tmp_path, authorise) as w:
        image = BuiltImage(manifest=b"{}", config=Blob.of(b"{}", "x"), layers=())
        with pytest.raises(CredentialsError, match="uploadArtifacts"):
            w.registry.push(image, REPOSITORY)


def test_no_credentials_at_all_says_how_to_get_some(tmp_path: Path) -> None:
    async def basic(scope: Scope, receive: Receive, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": 401, "headers": [(b"www-authenticate", b'Basic realm="x"')]}
        )
        await send({"type": "http.response.body", "body": b""})

    with running(basic) as server:
        registry = Registry(Http(overlay=Overlay(), policy=QUICK), credentials=lambda host: None, store=Store(tmp_path))
        with pytest.raises(CredentialsError, match="requires credentials") as caught:
            registry.resolve(server.url.removeprefix("http://") + "/a:b")
        assert "docker login" in caught.value.next_step


def test_credentials_are_never_sent_over_plain_http_elsewhere(tmp_path: Path) -> None:
    async def sends_away(scope: Scope, receive: Receive, send: Send) -> None:
        challenge = b'Bearer realm="http://198.51.100.7/token",service="x"'
        await send({"type": "http.response.start", "status": 401, "headers": [(b"www-authenticate", challenge)]})
        await send({"type": "http.response.body", "body": b""})

    with running(sends_away) as server:
        registry = Registry(
            Http(overlay=Overlay(), policy=QUICK), credentials=lambda host: ("u", "p"), store=Store(tmp_path)
        )
        with pytest.raises(CredentialsError, match="sends us to"):
            registry.resolve(server.url.removeprefix("http://") + "/a:b")


SECRET = ("u", "p")


@dataclass
class Elsewhere:
    """A host that is not the registry: keeps the Authorization of everything it gets, and wants one."""

    seen: list[str | None] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await request.body()
        self.seen.append(request.headers.get("authorization"))
        await Response(status_code=401, headers={"WWW-Authenticate": 'Basic realm="x"'})(scope, receive, send)


@pytest.mark.parametrize("challenge", ["Basic", "Bearer"])
@pytest.mark.parametrize("step", ["upload", "redirect"])
def test_credentials_do_not_follow_a_registry_to_another_host(tmp_path: Path, challenge: str, step: str) -> None:
    asked: list[tuple[str, str | None]] = []
    elsewhere = Elsewhere()

    async def registry(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await request.body()
        given = request.headers.get("authorization")
        asked.append((f"{request.method} {request.url.path}", given))
        here = f"http://{request.headers['host']}"
        if request.url.path == "/token":
            answer: Response = JSONResponse({"token": "of-the-registry"})
        elif given is None:
            words = 'Basic realm="x"' if challenge == "Basic" else f'Bearer realm="{here}/token",service="x"'
            answer = Response(status_code=401, headers={"WWW-Authenticate": words})
        elif request.method == "POST":
            answer = Response(status_code=202, headers={"Location": f"{away.url}/upload"})
        elif step == "redirect":
            answer = Response(status_code=307, headers={"Location": f"{away.url}/blob"})
        else:
            answer = Response(status_code=404)
        await answer(scope, receive, send)

    with running(elsewhere) as away, running(registry) as server:
        client = Registry(Http(overlay=Overlay(), policy=QUICK), credentials=lambda host: SECRET, store=Store(tmp_path))
        here = server.url.removeprefix("http://")
        with pytest.raises(CredentialsError, match="HTTP 401"):
            if step == "upload":
                image = BuiltImage(manifest=b"{}", config=Blob.of(b"{}", "x"), layers=())
                client.push(image, f"{here}/a")
            else:
                client.fetch(Reference.parse(f"{here}/a"), "blobs", f"sha256:{'a' * 64}")
    assert elsewhere.seen, "the registry sent us on"
    assert set(elsewhere.seen) == {None}, "without credentials"
    assert any(given for path, given in asked if path.startswith("GET /v2" if step == "redirect" else "POST")), asked


def test_a_realm_on_another_host_gets_no_credentials(tmp_path: Path) -> None:
    elsewhere = Elsewhere()

    async def sends_away(scope: Scope, receive: Receive, send: Send) -> None:
        challenge = f'Bearer realm="{away.url}/token",service="x"'
        await Response(status_code=401, headers={"WWW-Authenticate": challenge})(scope, receive, send)

    with running(elsewhere) as away, running(sends_away) as server:
        client = Registry(Http(overlay=Overlay(), policy=QUICK), credentials=lambda host: SECRET, store=Store(tmp_path))
        with pytest.raises(CredentialsError, match="for itself alone"):
            client.resolve(server.url.removeprefix("http://") + "/a:b")
    assert elsewhere.seen == []


@pytest.mark.parametrize(
    ("realm", "host", "good"),
    [
        ("https://auth.docker.io/token", "docker.io", True),
        ("https://ghcr.io/token", "ghcr.io", True),
        ("https://europe-west1-docker.pkg.dev/v2/token", "europe-west1-docker.pkg.dev", True),
        ("https://europe-west1-docker.pkg.dev:443/v2/token", "europe-west1-docker.pkg.dev", True),
        ("https://gitlab.com/jwt/auth", "registry.gitlab.com", True),
        ("http://127.0.0.1:5000/token", "127.0.0.1:5000", True),
        ("https://auth.docker.io/token", "ghcr.io", False),
        ("https://ghcr.io.evil.example/token", "ghcr.io", False),
        ("https://ghcr.io@evil.example/token", "ghcr.io", False),
        ("https://ghcr.io:8443/token", "ghcr.io", False),
        ("https://evil-docker.pkg.dev/v2/token", "europe-west1-docker.pkg.dev", False),
        ("http://127.0.0.1:5001/token", "127.0.0.1:5000", False),
    ],
)
def test_whogives_tokens_for_a_registry(realm: str, host: str, good: bool) -> None:
    assert gives_tokens(realm, host) is good


def test_a_layer_changed_on_disk_is_refused_by_the_registry(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        image = built(tmp_path, w)
        last = image.layers[-1]
        damaged = Blob(media_type=last.media_type, digest=last.digest, size=last.size, content=b"x" * last.size)
        broken = BuiltImage(
            manifest=image.manifest, config=image.config, layers=(*image.layers[:-1], damaged), base=image.base
        )
        with pytest.raises(ProviderError, match="did not arrive whole"):
            w.registry.push(broken, REPOSITORY)
        assert not w.registry.exists(f"{REPOSITORY}@{image.digest}")


def test_a_registry_without_room_is_reported_in_its_words(tmp_path: Path) -> None:
    async def full(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await request.body()
        answer = Response(status_code=404)
        if request.method == "POST":
            answer = Response(status_code=202, headers={"Location": "/v2/a/blobs/uploads/1"})
        if request.method == "PUT":
            answer = JSONResponse({"errors": [{"code": "UNKNOWN", "message": "no space left on device"}]}, 507)
        await answer(scope, receive, send)

    with running(full) as server:
        registry = Registry(Http(overlay=Overlay(), policy=QUICK), credentials=lambda host: None, store=Store(tmp_path))
        image = BuiltImage(manifest=b"{}", config=Blob.of(b"{}", "x"), layers=())
        with pytest.raises(ProviderError, match=r"HTTP 507.*no space left on device"):
            registry.push(image, server.url.removeprefix("http://") + "/a")


def test_a_full_disk_here_is_reported_with_the_folder(tmp_path: Path) -> None:
    program = (
        "import resource, signal, sys; from pathlib import Path; from pipelines.images.store import Store;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
        "Store(Path(sys.argv[1])).add([b'x' * 5000])"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False)
    assert "LocalError" in done.stderr
    assert "a layer cannot be written: File too large" in done.stderr
    assert "set SHIPMATE_HOME to a folder on another disk" in done.stderr
    assert list((tmp_path / "blobs").iterdir()) == []


def test_packed_files_come_back_from_the_registry(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist/index.html").write_text("<html>")
    with world(tmp_path) as w:
        reference = w.registry.push(files.pack(tmp_path / "dist"), f"{HOST}/techmate-delivery/platform/web", ["v1"])
        files.fetch(w.registry, reference, tmp_path / "back")
    assert (tmp_path / "back/index.html").read_text() == "<html>"


async def docker_hub(scope: Scope, receive: Receive, send: Send) -> None:
    """registry-1.docker.io and auth.docker.io: a token without an account, good for one repository."""
    request = Request(scope)
    if request.headers["host"] == "auth.docker.io":
        answer: Response = JSONResponse({"token": f"anonymous for {request.query_params['scope']}"})
    elif request.headers.get("authorization") != "Bearer anonymous for repository:library/python:pull":
        challenge = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/python:pull"'
        answer = JSONResponse({}, 401, {"WWW-Authenticate": challenge})
    else:
        answer = Response(headers={"Docker-Content-Digest": f"sha256:{'a' * 64}"})
    await answer(scope, receive, send)


def test_docker_hub_is_read_without_an_account(tmp_path: Path) -> None:
    with running(docker_hub) as server:
        hosts = dict.fromkeys(("registry-1.docker.io", "auth.docker.io"), server.url)
        registry = Registry(
            Http(overlay=Overlay(hosts=hosts), policy=QUICK), credentials=lambda host: None, store=Store(tmp_path)
        )
        assert registry.resolve("python:3.11-slim") == f"sha256:{'a' * 64}"


class Deployer:
    """Who we are."""

    def google(self) -> str:
        return "good-token"


def test_the_door_builds_writes_pushes_and_fetches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def authorise(token: str | None, permission: str, resource: str) -> str:
        if token != "good-token":
            raise GoogleError("UNAUTHENTICATED", "no")
        return "account"

    monkeypatch.setenv("SHIPMATE_HOME", str(tmp_path / "home"))
    make(tmp_path / "repo")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist/index.html").write_text("<html>")
    who, pinned = Deployer(), f"docker.io/library/python:3.11@sha256:{'0' * 64}"
    with world(tmp_path, authorise) as w:
        overlay = Overlay(hosts=w.registry.http.overlay.hosts, images={pinned: w.base})
        http = Http(overlay=overlay, policy=QUICK)
        built = images.build(
            component(pinned), tmp_path / "repo", "HEAD", http=http, credentials=who, output=tmp_path / "out"
        )
        assert layout.read(tmp_path / "out").digest == built.digest
        reference = images.push(layout.read(tmp_path / "out"), REPOSITORY, ["v1"], http=http, credentials=who)
        assert images.resolve(f"{REPOSITORY}:v1", http=http, credentials=who) == built.digest
        packed = images.push(images.pack_files(tmp_path / "dist"), REPOSITORY, http=http, credentials=who)
        images.pull_files(packed, tmp_path / "back", http=http, credentials=who)
        assert (tmp_path / "back/index.html").read_text() == "<html>"
        images.require(reference, http=http, credentials=who)
        with pytest.raises(InputError, match="there is no"):
            images.require(f"{REPOSITORY}@sha256:{'1' * 64}", http=http, credentials=who)


def test_docker_logins_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert docker_logins("ghcr.io") is None
    auths = {"ghcr.io": {"auth": "dTpw"}, "https://index.docker.io/v1/": {"auth": "aDpx"}}
    (tmp_path / "config.json").write_text(json.dumps({"auths": auths}))
    assert docker_logins("ghcr.io") == ("u", "p")
    assert docker_logins("docker.io") == ("h", "q")
    assert docker_logins("quay.io") is None


def test_skopeo_finds_nothing_wrong_with_the_image(tmp_path: Path) -> None:
    skopeo = shutil.which("skopeo")
    assert skopeo, "skopeo is missing: apt-get install --no-install-recommends skopeo"
    with world(tmp_path) as w, running(w.emulator.app) as server:
        image = built(tmp_path, w)
        w.registry.push(image, REPOSITORY, ["abc"])
        source = f"docker://{server.url.removeprefix('http://')}/{NAME}:abc"
        command = [
            skopeo,
            "--insecure-policy",
            "copy",
            "--preserve-digests",
            "--src-tls-verify=false",
            source,
            f"oci:{tmp_path / 'oci'}:abc",
        ]
        subprocess.run(command, check=True, capture_output=True)
    index = json.loads((tmp_path / "oci/index.json").read_text())
    assert index["manifests"][0]["digest"] == image.digest
