"""Built once, kept by digest, found again unchanged."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.delivery import building
from pipelines.errors import CheckFailed, InputError, RefusedError
from tests.shop import REGISTRY, Shop
from tests.shop_files import MANIFEST

pytestmark = pytest.mark.world

WEB = f"{REGISTRY}/techmate-delivery/platform/web"


def building_with(shop: Shop, *commands: str) -> None:
    text = MANIFEST.replace('run: ["true"], output', f"run: [{', '.join(commands)}], output")
    (shop.checkout / "shipmate.yml").write_text(text)


def test_a_site_is_built_pushed_and_fetched_unchanged(shop: Shop, tmp_path: Path) -> None:
    building_with(shop, '"touch apps/web/dist/made"')
    reference = building.build_and_push(shop.delivery("staging"), "web")
    assert reference.startswith(f"{WEB}@sha256:")
    fetched = building.fetch_files(shop.delivery("staging"), reference, tmp_path / "fetched")
    assert sorted(file.name for file in fetched.iterdir()) == ["index.html", "made"]
    assert building.build_and_push(shop.delivery("staging"), "web") == reference
    assert building.require(shop.delivery("production"), "web", reference) == reference


def test_an_image_says_where_it_comes_from_the_same_on_every_machine(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def build(*_: object, source: str, **__: object) -> None:
        asked.append(source)
        raise InputError("asked enough")

    monkeypatch.setattr("pipelines.images.build", build)
    for make in (
        lambda: building.build_and_push(shop.delivery("staging"), "backend"),
        lambda: building.assemble(shop.manifest, "backend"),
    ):
        with pytest.raises(InputError, match="asked enough"):
            make()
    assert asked == ["https://github.com/techmate/platform"] * 2


def test_a_build_that_fails_says_which_command_and_shows_its_words(shop: Shop) -> None:
    building_with(shop, '"python3 -c \'print(\\"::error::no\\"); raise SystemExit(3)\'"', '"touch never"')
    with pytest.raises(CheckFailed, match="exited with 3"):
        building.build_and_push(shop.delivery("staging"), "web")
    assert "::error::no" in shop.log.getvalue()
    assert not (shop.checkout / "never").exists()


@pytest.mark.parametrize(
    ("reference", "error", "said"),
    [
        (f"{REGISTRY}/other/web@sha256:{'0' * 64}", RefusedError, "is not in"),
        (f"{WEB}:latest", RefusedError, "is not in"),
        (f"{WEB}@latest", InputError, "is not a reference by digest"),
        (f"{WEB}@sha256:{'0' * 64}", InputError, "there is no"),
        ("", RefusedError, "is not in"),
    ],
)
def test_what_staging_did_not_keep_there_is_refused(
    shop: Shop, reference: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        building.require(shop.delivery("production"), "web", reference)


def test_components_that_cannot_be_built(shop: Shop) -> None:
    with pytest.raises(InputError, match=r"there is no component 'desktop'(.|\n)*one of: backend, web"):
        building.require(shop.delivery("staging"), "desktop", "x")
    with pytest.raises(InputError, match="web has no image"):
        building.assemble(shop.manifest, "web")
