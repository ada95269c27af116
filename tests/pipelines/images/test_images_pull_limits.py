"""A base image from Docker Hub, which limits how often it is asked."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pipelines import images
from pipelines.errors import CredentialsError, ProviderUnavailable
from pipelines.faults import Policy
from pipelines.http import Http
from pipelines.images import layout
from pipelines.manifest.components import Component
from pipelines.overlay import Overlay
from rehearsal.emulators.registry.app import Registry
from rehearsal.emulators.registry.base import seed_base
from rehearsal.emulators.registry.docker_hub import DockerHub
from rehearsal.serving import running
from tests.pipelines.images.repository import component, make

HOST = "europe-west1-docker.pkg.dev"
REPOSITORY = f"{HOST}/techmate-delivery/platform/backend"
MIRROR = "mirror.test/cached/python"


@dataclass(frozen=True, kw_only=True)
class World:
    folder: Path
    hub: DockerHub
    mirror: Registry
    http: Http
    base: str

    def build(self, mirror: str = "") -> str:
        """As a job on a new machine does."""
        self._forget()
        of = self._component(mirror)
        return images.build_layout(of, self.folder / "repo", "HEAD", output=self.folder / "out", http=self.http)

    def push(self, mirror: str = "") -> str:
        self._forget()
        return images.push_layout(self.folder / "out", REPOSITORY, http=self.http, base=self.base, mirror=mirror)

    def login(self, user: str, password: str) -> None:
        auth = base64.b64encode(f"{user}:{password}".encode()).decode()
        (self.folder / "docker").mkdir()
        auths = {"https://index.docker.io/v1/": {"auth": auth}}
        (self.folder / "docker/config.json").write_text(json.dumps({"auths": auths}))

    def _component(self, mirror: str) -> Component:
        made = component(self.base)
        assert made.image is not None
        return replace(made, image=replace(made.image, mirror=mirror))

    def _forget(self) -> None:
        kept = self.folder / "home/images"
        for file in [*kept.glob("base/*"), *kept.glob("blobs/*")]:
            file.unlink()


@contextlib.contextmanager
def served(folder: Path) -> Iterator[World]:
    hub, mirror, ours = DockerHub(folder / "hub"), Registry(folder / "mirror"), Registry(folder / "ours")
    digest = seed_base(hub.repositories, "library/python", "3.11")
    seed_base(mirror.repositories, "cached/python", "3.11")
    make(folder / "repo")
    with running(hub.app) as at_hub, running(mirror.app) as at_mirror, running(ours.app) as at_ours:
        hosts = {**dict.fromkeys(hub.hosts, at_hub.url), "mirror.test": at_mirror.url, HOST: at_ours.url}
        http = Http(overlay=Overlay(hosts=hosts), policy=Policy(sleep=lambda seconds: None))
        base = f"docker.io/library/python:3.11@{digest}"
        yield World(folder=folder, hub=hub, mirror=mirror, http=http, base=base)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("SHIPMATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    with served(tmp_path) as made:
        yield made


def test_pulls_that_are_used_up_say_what_next(world: World) -> None:
    assert world.build()
    world.hub.control.limit(pulls=0)
    with pytest.raises(ProviderUnavailable, match=r"docker\.io limits how often images are pulled") as caught:
        world.build()
    assert caught.value.where.startswith("docker.io/library/python:3.11@sha256:")
    assert "`image/mirror: mirror.gcr.io/library/python`" in caught.value.next_step
    assert "`docker login` in the job before this" in caught.value.next_step


def test_a_mirror_is_asked_instead_and_gives_the_same_image(world: World) -> None:
    direct = world.build()
    world.hub.control.limit(pulls=0)
    assert world.build(MIRROR) == direct
    assert world.push(MIRROR) == f"{REPOSITORY}@{direct}"
    layer = layout.read(world.folder / "out").layers[0].digest
    assert images.client(world.http).holds(REPOSITORY, layer)


def test_a_login_has_pulls_of_its_own(world: World) -> None:
    world.hub.control.limit(pulls=0)
    world.hub.control.login("techmate", "a-password-of-a-test")
    world.login("techmate", "a-password-of-a-test")
    assert world.build()
    world.hub.control.limit(pulls=0, account="techmate")
    with pytest.raises(ProviderUnavailable, match="limits"):
        world.build()
    world.hub.control.login("techmate", "another")
    with pytest.raises(CredentialsError, match="incorrect username or password"):
        world.build()


def test_what_our_registry_holds_is_not_fetched_again(world: World) -> None:
    built = world.build()
    assert world.push() == f"{REPOSITORY}@{built}"
    world.hub.control.limit(pulls=0)
    assert world.push() == f"{REPOSITORY}@{built}"
