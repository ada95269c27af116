"""Built without credentials by one job, pushed by another that runs nothing of it, by digest."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.ci import artifacts
from pipelines.errors import CheckFailed, InputError, LocalError
from pipelines.http import Http
from pipelines.images import pull_files
from pipelines.manifest import Manifest, load
from pipelines.manifest.components import Component
from pipelines.manifest.error_tracker import ErrorTracker
from pipelines.runtime import Runtime
from pipelines.site_builds import debug_ids
from tests.shop import REGISTRY, Shop, open_shop
from tests.shop_files import MANIFEST

pytestmark = pytest.mark.world

WEB = f"{REGISTRY}/techmate-delivery/platform/web"


class StrangersCredentials:
    def google(self) -> str:
        return "token"


@dataclass
class Place:
    """A checkout, and a registry behind the address of the manifest."""

    shop: Shop

    @property
    def http(self) -> Http:
        return self.shop.http

    def manifest(self, *commands: str) -> Manifest:
        """The web is built by these commands."""
        quoted = json.dumps(list(commands or ["true"]))
        (self.shop.checkout / "shipmate.yml").write_text(
            MANIFEST.replace('run: ["true"], output', f"run: {quoted}, output")
        )
        return load(self.shop.checkout / "shipmate.yml")

    def build(self, manifest: Manifest, name: str, output: Path) -> str:
        self.shop.log.seek(0)
        runtime = Runtime(environ={"GITHUB_ACTIONS": "true"}, stream=self.shop.log)
        return artifacts.build(manifest, name, "c" * 40, output, http=self.http, runtime=runtime)

    def push(self, manifest: Manifest, layout: Path, **more: Any) -> str:
        return artifacts.push(
            manifest, "web", "c" * 40, layout, http=self.http, credentials=StrangersCredentials(), **more
        )


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with open_shop(tmp_path / "shop") as shop:
        yield Place(shop)


def test_a_site_is_built_pushed_and_fetched_unchanged(place: Place, tmp_path: Path) -> None:
    manifest = place.manifest("touch apps/web/dist/made")
    digest = place.build(manifest, "web", tmp_path / "one/layout")
    reference = place.push(manifest, tmp_path / "one/layout")
    assert reference == f"{WEB}@{digest}"
    files = pull_files(reference, tmp_path / "fetched", http=place.http, credentials=StrangersCredentials())
    assert sorted(file.name for file in files.iterdir()) == ["index.html", "made"]
    assert place.push(manifest, tmp_path / "one/layout", digest=digest) == reference, "asked again it is there"
    assert place.build(manifest, "web", tmp_path / "two") == digest, "the same files, the same digest"


def test_a_site_with_an_error_tracker_is_built_with_debug_ids(place: Place, tmp_path: Path) -> None:
    """What is deployed, and the maps beside it, name each other; without a tracker they are as the build made them."""
    script = "import json, pathlib; made = pathlib.Path('apps/web/dist'); (made / 'app.js').write_text('run()'); "
    document = "(made / 'app.js.map').write_text(json.dumps({'version': 3, 'mappings': 'AAAA'}))"
    manifest = place.manifest(f'python3 -c "{script}{document}"')
    plain = place.build(manifest, "web", tmp_path / "plain")
    tracker = ErrorTracker(organization="techmate", project="web")
    web = replace(manifest.components["web"], error_tracker=tracker)
    tracked = replace(manifest, components={**manifest.components, "web": web})
    digest = place.build(tracked, "web", tmp_path / "layout")
    assert "debug ids: 1 script" in place.shop.log.getvalue()
    assert place.build(tracked, "web", tmp_path / "again") == digest != plain, "each build has the same ids"
    reference = place.push(tracked, tmp_path / "layout")
    files = pull_files(reference, tmp_path / "fetched", http=place.http, credentials=StrangersCredentials())
    [found] = debug_ids.mapped(files)
    assert (files / "app.js").read_text().endswith(f"//# debugId={found.debug_id}\n")
    assert json.loads((files / "app.js.map").read_text())["debugId"] == found.debug_id


def test_pushing_runs_nothing_of_what_was_built(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = place.manifest("touch apps/web/dist/made")
    place.build(manifest, "web", tmp_path / "layout")
    monkeypatch.setattr(artifacts.subprocess, "run", lambda *_, **__: pytest.fail("a pusher ran a command"))
    assert place.push(manifest, tmp_path / "layout").startswith(f"{WEB}@sha256:")


def test_a_layout_that_is_not_what_was_built_is_refused(place: Place, tmp_path: Path) -> None:
    manifest = place.manifest()
    digest = place.build(manifest, "web", tmp_path / "layout")
    with pytest.raises(InputError):
        place.push(manifest, tmp_path / "layout", digest="sha256:" + "0" * 64)
    lying = shutil.copytree(tmp_path / "layout", tmp_path / "lying")
    blobs = sorted((lying / "blobs/sha256").iterdir(), key=lambda file: file.stat().st_size)
    blobs[-1].write_bytes(blobs[-1].read_bytes() + b"x")
    with pytest.raises(InputError):
        place.push(manifest, lying, digest=digest)
    with pytest.raises(InputError):
        place.push(manifest, tmp_path / "nothing")


def test_an_image_says_where_it_comes_from_the_same_on_every_machine(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, Path, str]] = []

    def build_layout(component: Component, root: Path, commit: str, *, source: str, **_: object) -> str:
        asked.append((commit, root, source))
        return "sha256:" + "1" * 64

    monkeypatch.setattr("pipelines.images.build_layout", build_layout)
    manifest = place.manifest()
    assert place.build(manifest, "backend", tmp_path / "layout") == "sha256:" + "1" * 64
    assert asked == [("c" * 40, manifest.root, "https://github.com/techmate/platform")]


def test_a_pusher_names_the_place_the_commit_and_the_base_that_may_be_left_out(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the policy's registry and the release's pinned base, whatever the layout says of itself."""
    asked: list[Any] = []
    monkeypatch.setattr("pipelines.images.push_layout", lambda *given, **more: asked.append((given, more)) or "x")
    manifest = place.manifest()
    artifacts.push(
        manifest, "backend", "abcdef0123456789", tmp_path, http=place.http, credentials=StrangersCredentials()
    )
    ((folder, repository, tags), more) = asked[0]
    image = manifest.components["backend"].image
    assert image is not None
    assert (folder, repository, tags) == (tmp_path, image.repository, ["sha-abcdef012345"])
    assert (more["base"], more["digest"]) == (image.base, "")


def test_a_build_that_fails_says_which_command_and_shows_its_words_as_text(place: Place, tmp_path: Path) -> None:
    manifest = place.manifest("python3 -c 'print(\"::error::no\"); raise SystemExit(3)'", "touch never")
    with pytest.raises(CheckFailed, match="exited with 3"):
        place.build(manifest, "web", tmp_path / "layout")
    assert "\u200b::error::no" in place.shop.log.getvalue(), "no command of the runner's"
    assert not (place.shop.checkout / "never").exists()


def test_what_cannot_be_built(place: Place, tmp_path: Path) -> None:
    manifest = place.manifest("no-such-command-anywhere --x")
    with pytest.raises(LocalError, match="there is no 'no-such-command-anywhere' here"):
        place.build(manifest, "web", tmp_path / "layout")
    with pytest.raises(InputError, match=r"there is no component 'desktop'(.|\n)*one of: backend, web"):
        place.build(manifest, "desktop", tmp_path / "layout")
    none = replace(manifest, components={**manifest.components, "database": Component(paths=())})
    with pytest.raises(InputError, match="database has neither image nor build"):
        place.build(none, "database", tmp_path / "layout")
    with pytest.raises(InputError, match="database has neither image nor build"):
        artifacts.push(none, "database", "c", tmp_path, http=place.http, credentials=StrangersCredentials())


def test_a_build_that_made_nothing_is_none(place: Place, tmp_path: Path) -> None:
    manifest = place.manifest("rm -r apps/web/dist")
    with pytest.raises((InputError, CheckFailed)):
        place.build(manifest, "web", tmp_path / "layout")
